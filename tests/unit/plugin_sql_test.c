/* SPDX-License-Identifier: MIT */
/* The fence: a plugin reads and writes its own tables, and reads what others publish. Nothing else. */
#include "host_fixture.h"
#include "plugin_sql.h"
#include "plugins_check.h"

struct world {
    struct fixture *f;
    struct hr_bot *bot;             /* stands for any plugin below */
    const struct hr_plugin *before; /* what the fixture gave it */
    struct hr_plugin mine;
};

static int migrate(struct world *w, const char *name, const char *const *schema)
{
    char err[256] = "";
    w->mine = *w->before;
    w->mine.name = name;
    w->mine.schema = schema;
    w->bot->plugin = &w->mine;
    plugin_sql_sweep(w->bot);
    return plugin_sql_migrate(w->bot, err, sizeof(err));
}

static int setup(void **state)
{
    static const char *const secrets[] = {
        "CREATE TABLE matrix_account(token TEXT); INSERT INTO matrix_account VALUES('syt_secret');"
        "CREATE TABLE matrix_seen(n INTEGER); INSERT INTO matrix_seen VALUES(1), (2);"
        "CREATE VIEW matrix_pub_count AS SELECT count(*) AS count FROM matrix_seen, matrix_account;"
        "CREATE VIEW matrix_pub_seen AS SELECT n FROM matrix_seen;",
        NULL,
    };
    static const char *const own[] = {"CREATE TABLE nosy_own(x)", NULL};
    struct world *w = xcalloc(1, sizeof(*w));
    w->f = fixture_new(NULL);
    w->bot = fixture_bot(w->f, "feature");
    w->before = w->bot->plugin;
    assert_int_equal(migrate(w, "matrix", secrets), HR_OK);
    assert_int_equal(migrate(w, "nosy", own), HR_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    w->bot->plugin = w->before;
    fixture_free(w->f);
    free(w);
    return 0;
}

static int count_rows(void *arg, const struct hr_value *column, size_t count)
{
    (void)column;
    (void)count;
    ++*(int *)arg;
    return HR_OK;
}

static int ask(struct world *w, const char *sql)
{
    int rows = 0;
    instance_enter(w->bot);
    int rc = plugin_sql(w->bot, sql, NULL, 0, count_rows, &rows);
    instance_leave(w->bot, HR_OK);
    return rc < 0 ? rc : rows;
}

static void own_tables_and_published_views_are_open(void **state)
{
    struct world *w = *state;
    assert_int_equal(ask(w, "INSERT INTO nosy_own VALUES(1), (2)"), 0);
    assert_int_equal(ask(w, "UPDATE nosy_own SET x = x + 1 WHERE x IN (SELECT n FROM matrix_pub_seen)"), 0);
    assert_int_equal(ask(w, "SELECT count FROM matrix_pub_count"), 1);
    assert_int_equal(ask(w, "SELECT o.x, s.n FROM nosy_own o JOIN matrix_pub_seen s"), 4);
    assert_int_equal(ask(w, "SELECT id, text FROM core_pub_message"), 0);
    assert_int_equal(ask(w, "SELECT count(*) FROM core_pub_message"), 1);
    assert_int_equal(ask(w, "SELECT max(n) FROM (SELECT n FROM matrix_pub_seen)"), 1);
}

static void tables_of_others_are_closed_however_one_asks(void **state)
{
    static const char *const asked[] = {
        "SELECT token FROM matrix_account",
        "SELECT rowid FROM matrix_account",
        "SELECT value FROM host_meta",
        "SELECT text FROM message",
        "SELECT x FROM nosy_own WHERE x = (SELECT token FROM matrix_account)",
        "WITH a AS (SELECT token FROM matrix_account) SELECT * FROM a",
        "WITH nosy_pub_a AS (SELECT token FROM matrix_account) SELECT * FROM nosy_pub_a",
        "WITH matrix_pub_seen AS (SELECT token FROM matrix_account) SELECT * FROM matrix_pub_seen",
        "/**/with core_pub_room AS (SELECT value FROM host_meta) SELECT * FROM core_pub_room",
        "SELECT * FROM (WITH core_pub_room AS (SELECT value FROM host_meta) SELECT * FROM core_pub_room)",
        "SELECT x_pub_y FROM (SELECT token AS x_pub_y FROM matrix_account) AS x_pub_z",
        "SELECT x_pub_y.token FROM matrix_account AS x_pub_y",
        "INSERT INTO nosy_own SELECT token FROM matrix_account",
        "UPDATE nosy_own SET x = token FROM matrix_account",
        "UPDATE matrix_account SET token = ''",
        "DELETE FROM core_pub_room",
        "DELETE FROM delivery",
        "INSERT INTO host_meta VALUES('a', 'b')",
        "SELECT sql FROM sqlite_master",
        "SELECT name FROM pragma_table_list",
        "PRAGMA table_list",
        "PRAGMA synchronous = OFF",
        "ATTACH ':memory:' AS other",
        "CREATE TABLE nosy_more(x)",
        "CREATE TEMP VIEW nosy_pub_v AS SELECT token FROM matrix_account",
        "DROP TABLE nosy_own",
        "COMMIT",
        "SAVEPOINT a",
        "SELECT 1; SELECT token FROM matrix_account",
        "SELECT load_extension('/tmp/x.so')",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        if (ask(w, asked[i]) >= 0) {
            fail_msg("was let through: %s", asked[i]);
        }
    }
    assert_true(ask(w, "VACUUM INTO '/tmp/hashroom-stolen.db'") < 0);
    assert_int_equal(fixture_number(w->f, "SELECT count(*) FROM matrix_account WHERE token = 'syt_secret'"), 1);
}

static void a_view_publishes_only_what_its_plugin_owns(void **state)
{
    static const char *const token[] = {"CREATE VIEW nosy_pub_a AS SELECT token FROM matrix_account", NULL};
    static const char *const meta[] = {"CREATE VIEW nosy_pub_b AS SELECT value FROM host_meta", NULL};
    static const char *const named[] = {
        "CREATE VIEW nosy_pub_c AS WITH core_pub_room AS (SELECT value FROM host_meta) SELECT * FROM core_pub_room",
        NULL};
    static const char *const again[] = {"CREATE VIEW nosy_pub_d AS SELECT o.x, s.n FROM nosy_own o, matrix_pub_seen s",
                                        NULL};
    static const char *const *const steps[] = {token, meta, named};
    static const char *const asked[] = {"SELECT * FROM nosy_pub_a", "SELECT * FROM nosy_pub_b",
                                        "SELECT * FROM nosy_pub_c"};
    struct world *w = *state;
    for (size_t i = 0; i < 3; i++) {
        /* Each as a step of its own: the book of steps is put back. */
        (void)fixture_number(w->f, "DELETE FROM host_schema WHERE owner = 'nosy'");
        (void)migrate(w, "nosy", steps[i]);
        assert_true(ask(w, asked[i]) < 0);
    }
    (void)fixture_number(w->f, "DELETE FROM host_schema WHERE owner = 'nosy'");
    assert_int_equal(migrate(w, "nosy", again), HR_OK);
    assert_int_equal(ask(w, "SELECT * FROM nosy_pub_d"), 0);
}

static void schema_steps_stay_within_the_own_name(void **state)
{
    static const char *const steps[][2] = {
        {"CREATE TABLE matrix_more(x)"},
        {"CREATE TABLE host_more(x)"},
        {"CREATE VIEW core_pub_more AS SELECT 1"},
        {"DROP TABLE matrix_account"},
        {"ALTER TABLE matrix_account ADD COLUMN x"},
        {"CREATE INDEX nosy_i ON message(text)"},
        {"CREATE TRIGGER nosy_t AFTER INSERT ON nosy_own BEGIN DELETE FROM message; END"},
        {"INSERT INTO nosy_own SELECT token FROM matrix_account"},
        {"UPDATE sqlite_master SET sql = ''"},
        {"PRAGMA writable_schema = ON"},
        {"ATTACH ':memory:' AS other"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        (void)fixture_number(w->f, "DELETE FROM host_schema WHERE owner = 'nosy'");
        if (migrate(w, "nosy", steps[i]) == HR_OK) {
            fail_msg("was let through: %s", steps[i][0]);
        }
    }
}

static void a_plugin_has_no_name_that_holds_or_starts_tables_of_others(void **state)
{
    (void)state;
    assert_true(plugins_name_is_sound("matrix"));
    assert_true(plugins_name_is_sound("x2"));
    assert_false(
        plugins_name_is_sound("matrix_account")); /* would own what a plugin "matrix" owns, and it what that owns */
    assert_false(plugins_name_is_sound("host"));
    assert_false(plugins_name_is_sound("core"));
    assert_false(plugins_name_is_sound("delivery"));
    assert_false(plugins_name_is_sound("sqlite"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(own_tables_and_published_views_are_open),
        T(tables_of_others_are_closed_however_one_asks),
        T(a_view_publishes_only_what_its_plugin_owns),
        T(schema_steps_stay_within_the_own_name),
        cmocka_unit_test(a_plugin_has_no_name_that_holds_or_starts_tables_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
