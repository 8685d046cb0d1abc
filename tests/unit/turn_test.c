/* SPDX-License-Identifier: MIT */
/* The store and the turn: what is undone, what leaves when, what is kept over a restart. */
#include "test.h"
#include "turn.h"
#include "xalloc.h"
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    uv_loop_t loop;
    uv_async_t alive; /* a loop without handles wouldn't turn */
    struct store *store;
    struct turn *turn;
    char trace[256];
};

static void open_all(struct fixture *f)
{
    char err[256] = "";
    int rc = store_open(&f->store, f->dir, 0, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
    uv_loop_init(&f->loop);
    uv_async_init(&f->loop, &f->alive, NULL);
    f->turn = turn_new(&f->loop, f->store);
}

static void close_all(struct fixture *f)
{
    turn_free(f->turn);
    uv_close((uv_handle_t *)&f->alive, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    store_close(f->store);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/hashroom-turn-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    open_all(f);
    *state = f;
    return 0;
}

static void remove_dir(const char *dir)
{
    static const char *const names[] = {"hashroom.db", "hashroom.db-wal", "hashroom.db-shm", "hashroom.lock"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_all(f);
    remove_dir(f->dir);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *name)
{
    turn_write(f->turn);
    sqlite3_stmt *stmt = store_sql(f->store, "INSERT INTO host_meta(key, value) VALUES(?1, '')");
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    assert_int_equal(store_run(f->store, stmt), HR_OK);
}

static bool has(struct fixture *f, const char *name)
{
    sqlite3_stmt *stmt = store_sql(f->store, "SELECT 1 FROM host_meta WHERE key = ?1");
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    bool found = store_row(f->store, stmt);
    sqlite3_reset(stmt);
    return found;
}

struct mark {
    struct fixture *f;
    char c;
};

static void trace(void *arg)
{
    struct mark *mark = arg;
    size_t len = strlen(mark->f->trace);
    mark->f->trace[len] = mark->c;
    free(mark);
}

static struct mark *mark(struct fixture *f, char c)
{
    struct mark *m = xmalloc(sizeof(*m));
    *m = (struct mark){.f = f, .c = c};
    return m;
}

static void effects_leave_after_the_commit_in_order(void **state)
{
    struct fixture *f = *state;
    put(f, "a");
    turn_effect(f->turn, trace, free, mark(f, '1'));
    turn_effect(f->turn, trace, free, mark(f, '2'));
    assert_string_equal(f->trace, "");
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(f->trace, "12");
    assert_int_equal(turn_commits(f->turn), 1);
    assert_true(sqlite3_get_autocommit(store_db(f->store)));
}

static void an_undone_callback_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    turn_enter(f->turn);
    put(f, "kept");
    turn_effect(f->turn, trace, free, mark(f, 'k'));
    turn_enter(f->turn);
    put(f, "lost");
    turn_effect(f->turn, trace, free, mark(f, 'l'));
    turn_leave(f->turn, false);
    turn_leave(f->turn, true);
    turn_finish(f->turn);
    assert_true(has(f, "kept"));
    assert_false(has(f, "lost"));
    assert_string_equal(f->trace, "k");
}

static void undoing_the_outer_undoes_the_inner(void **state)
{
    struct fixture *f = *state;
    turn_enter(f->turn);
    turn_enter(f->turn);
    put(f, "inner");
    turn_effect(f->turn, trace, trace, mark(f, 'd')); /* drop traces as well */
    turn_leave(f->turn, true);
    turn_leave(f->turn, false);
    assert_string_equal(f->trace, "d");
    turn_finish(f->turn);
    assert_false(has(f, "inner"));
}

static void write_in_effect(void *arg)
{
    struct mark *m = arg;
    put(m->f, "late");
    turn_effect(m->f->turn, trace, free, m);
}

static void what_effects_write_is_committed_in_the_same_turn(void **state)
{
    struct fixture *f = *state;
    turn_effect(f->turn, write_in_effect, free, mark(f, 'w'));
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(f->trace, "w");
    assert_true(has(f, "late"));
    assert_true(sqlite3_get_autocommit(store_db(f->store)));
}

static void count_end(void *arg)
{
    ++*(int *)arg;
}

static void the_end_hook_runs_only_when_something_happened(void **state)
{
    struct fixture *f = *state;
    int count = 0;
    turn_on_end(f->turn, count_end, &count);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(count, 0);
    turn_touch(f->turn);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(count, 1);
    turn_on_end(f->turn, NULL, NULL);
}

static void a_second_process_is_refused_in_words(void **state)
{
    struct fixture *f = *state;
    struct store *second = NULL;
    char err[256] = "";
    assert_int_equal(store_open(&second, f->dir, 0, err, sizeof(err)), HR_EFAIL);
    assert_non_null(strstr(err, "another hashroom is running"));
    assert_null(second);
    assert_int_equal(store_open(&second, f->dir, STORE_READ_ONLY, err, sizeof(err)), HR_OK);
    assert_string_equal(store_id(second), store_id(f->store));
    store_close(second);
}

static void the_store_id_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    char id[32];
    snprintf(id, sizeof(id), "%s", store_id(f->store));
    assert_int_equal(strlen(id), 16);
    put(f, "stays");
    turn_finish(f->turn);
    close_all(f);
    open_all(f);
    assert_string_equal(store_id(f->store), id);
    assert_true(has(f, "stays"));
}

static void schema_steps_run_once_and_a_newer_database_is_refused(void **state)
{
    struct fixture *f = *state;
    char err[256] = "";
    const char *const one[] = {"CREATE TABLE x_a(n)", NULL};
    const char *const two[] = {"CREATE TABLE x_a(n)", "CREATE TABLE x_b(n)", NULL};
    const char *const bad[] = {"CREATE TABLE x_a(n)", "CREATE TABLE x_b(n)", "CREATE TABLE x_c(n); nonsense", NULL};
    assert_int_equal(store_migrate(f->store, "x", one, err, sizeof(err)), HR_OK);
    assert_int_equal(store_migrate(f->store, "x", two, err, sizeof(err)), HR_OK);
    assert_int_equal(store_migrate(f->store, "x", one, err, sizeof(err)), HR_EINVAL);
    assert_non_null(strstr(err, "newer version"));
    assert_int_equal(store_migrate(f->store, "x", bad, err, sizeof(err)), HR_EFAIL);
    assert_int_equal(store_migrate(f->store, "x", two, err, sizeof(err)), HR_OK);
    assert_int_equal(sqlite3_exec(store_db(f->store), "SELECT * FROM x_c", NULL, NULL, NULL), SQLITE_ERROR);
}

static void a_transaction_that_vanished_ends_the_process(void **state)
{
    struct fixture *f = *state;
    put(f, "x");
    pid_t child = fork();
    if (child == 0) {
        /* what SQLITE_FULL inside a savepoint does: the transaction is gone */
        sqlite3_exec(store_db(f->store), "ROLLBACK", NULL, NULL, NULL);
        close(2);
        turn_finish(f->turn);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(effects_leave_after_the_commit_in_order),
        T(an_undone_callback_leaves_nothing),
        T(undoing_the_outer_undoes_the_inner),
        T(what_effects_write_is_committed_in_the_same_turn),
        T(the_end_hook_runs_only_when_something_happened),
        T(a_second_process_is_refused_in_words),
        T(the_store_id_outlives_a_restart),
        T(schema_steps_run_once_and_a_newer_database_is_refused),
        T(a_transaction_that_vanished_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
