/* SPDX-License-Identifier: MIT */
/* An old copy of the database that was put back is noticed. */
#include "boot.h"
#include "state_fixture.h"
#include <unistd.h>

static struct boot *open_boot(struct state *s)
{
    struct boot *boot = NULL;
    char err[256] = "";
    int rc = boot_open(&boot, &s->app, false, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
    return boot;
}

static void id_now(struct state *s, char id[32])
{
    snprintf(id, 32, "%s", store_id(s->app.store));
}

static void write_something(struct state *s)
{
    turn_write(s->app.turn);
    assert_int_equal(sqlite3_exec(store_db(s->app.store),
                                  "INSERT INTO room(network, address, private)"
                                  " VALUES('n', random(), 0)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    turn_finish(s->app.turn);
}

static void checkpoint(struct state *s)
{
    assert_int_equal(sqlite3_wal_checkpoint_v2(store_db(s->app.store), NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
                     SQLITE_OK);
}

/* clean: as the bot ends by itself; else as after kill -9. */
static struct boot *restart(struct state *s, struct boot *boot, bool clean)
{
    CLEANUP_FREE char *mark = state_read(s, "hashroom.boot");
    boot_close(boot);
    state_close(s);
    if (!clean) {
        state_write(s, "hashroom.boot", mark);
    }
    state_open(s);
    return open_boot(s);
}

static void restarts_clean_or_not_keep_the_store_id(void **state)
{
    struct state *s = *state;
    char first[32], now[32];
    id_now(s, first);
    struct boot *boot = open_boot(s);
    assert_true(boot_was_clean(boot));
    boot = restart(s, boot, true);
    assert_true(boot_was_clean(boot));
    boot = restart(s, boot, false);
    assert_false(boot_was_clean(boot));
    boot = restart(s, boot, true);
    assert_true(boot_was_clean(boot));
    id_now(s, now);
    assert_string_equal(now, first);
    boot_close(boot);
}

static void a_copy_from_before_the_last_start_gets_a_new_id(void **state)
{
    struct state *s = *state;
    char first[32], now[32];
    struct boot *boot = open_boot(s);
    id_now(s, first);
    checkpoint(s);
    state_copy(s, "hashroom.db", "copy");
    boot = restart(s, boot, true);
    boot_close(boot);
    state_close(s);
    state_copy(s, "copy", "hashroom.db");
    state_open(s);
    id_now(s, now);
    assert_string_equal(now, first);
    boot = open_boot(s);
    id_now(s, now);
    assert_string_not_equal(now, first);
    boot = restart(s, boot, true); /* and keeps it */
    id_now(s, first);
    assert_string_equal(now, first);
    boot_close(boot);
}

static void a_copy_from_the_same_run_is_noticed_after_a_minute(void **state)
{
    struct state *s = *state;
    char first[32], now[32];
    struct boot *boot = open_boot(s);
    id_now(s, first);
    checkpoint(s);
    state_copy(s, "hashroom.db", "copy");
    write_something(s);
    boot_minute(boot);
    turn_finish(s->app.turn);
    CLEANUP_FREE char *mark = state_read(s, "hashroom.boot");
    boot_close(boot);
    state_close(s);
    state_copy(s, "copy", "hashroom.db");
    state_write(s, "hashroom.boot", mark); /* as kill -9 leaves it */
    state_open(s);
    boot = open_boot(s);
    id_now(s, now);
    assert_string_not_equal(now, first);
    boot_close(boot);
}

static void a_minute_without_a_write_writes_nothing(void **state)
{
    struct state *s = *state;
    struct boot *boot = open_boot(s);
    uint64_t commits = turn_commits(s->app.turn);
    boot_minute(boot);
    turn_finish(s->app.turn);
    assert_int_equal(turn_commits(s->app.turn), commits);
    write_something(s);
    for (int i = 0; i < 3; i++) { /* its own write is none */
        boot_minute(boot);
        turn_finish(s->app.turn);
    }
    assert_int_equal(turn_commits(s->app.turn), commits + 2);
    boot_close(boot);
}

static void a_newer_copy_of_a_branch_that_was_given_up_is_noticed_too(void **state)
{
    struct state *s = *state;
    char old[32], now[32];
    struct boot *boot = open_boot(s);
    id_now(s, old);
    checkpoint(s);
    state_copy(s, "hashroom.db", "early");
    for (int i = 0; i < 5; i++) {
        boot = restart(s, boot, true);
    }
    boot_close(boot);
    state_close(s);
    state_copy(s, "hashroom.db", "late");
    state_copy(s, "early", "hashroom.db");
    state_open(s);
    boot_close(open_boot(s)); /* a new id from here */
    state_close(s);
    state_copy(s, "late", "hashroom.db");
    state_open(s);
    boot = open_boot(s);
    id_now(s, now);
    assert_string_not_equal(now, old);
    boot_close(boot);
}

static void a_database_without_its_file_may_be_a_copy_but_one_from_before_the_file_is_not(void **state)
{
    struct state *s = *state;
    char first[32], now[32];
    id_now(s, first);
    struct boot *boot = open_boot(s); /* no number in it yet: an upgrade */
    id_now(s, now);
    assert_string_equal(now, first);
    boot_close(boot);
    state_close(s);
    CLEANUP_FREE char *path = state_path(s, "hashroom.boot");
    assert_int_equal(unlink(path), 0);
    state_open(s);
    boot = open_boot(s);
    id_now(s, now);
    assert_string_not_equal(now, first);
    boot_close(boot);
}

static void a_file_that_nobody_can_read_as_one_counts_as_missing(void **state)
{
    static const char *const bad[] = {"", "x", "id notanumber running\n"};
    struct state *s = *state;
    char before[32], now[32];
    struct boot *boot = open_boot(s);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        id_now(s, before);
        boot_close(boot);
        state_close(s);
        state_write(s, "hashroom.boot", bad[i]);
        state_open(s);
        boot = open_boot(s);
        id_now(s, now);
        assert_string_not_equal(now, before);
    }
    boot_close(boot);
}

static void a_temporary_store_leaves_no_file(void **state)
{
    struct state *s = *state;
    struct boot *boot = NULL;
    char err[64] = "";
    assert_int_equal(boot_open(&boot, &s->app, true, err, sizeof(err)), HR_OK);
    boot_close(boot);
    CLEANUP_FREE char *path = state_path(s, "hashroom.boot");
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Breaks a page in the middle of the file. */
static void damage(struct state *s)
{
    CLEANUP_FREE char *path = state_path(s, "hashroom.db");
    FILE *file = fopen(path, "r+");
    char rubbish[4096];
    memset(rubbish, 0xa5, sizeof(rubbish));
    assert_non_null(file);
    for (long page = 3; page < 12; page++) {
        assert_int_equal(fseek(file, page * 4096, SEEK_SET), 0);
        assert_int_equal(fwrite(rubbish, 1, sizeof(rubbish), file), sizeof(rubbish));
    }
    assert_int_equal(fclose(file), 0);
}

static void a_database_damaged_in_a_crash_is_said_with_what_to_do(void **state)
{
    struct state *s = *state;
    struct boot *boot = open_boot(s);
    char err[512] = "";
    for (int i = 0; i < 50; i++) {
        write_something(s);
    }
    CLEANUP_FREE char *mark = state_read(s, "hashroom.boot");
    boot_close(boot);
    state_close(s);
    damage(s);
    state_write(s, "hashroom.boot", mark);
    state_open(s);
    boot = NULL;
    assert_int_equal(boot_open(&boot, &s->app, false, err, sizeof(err)), HR_EINVAL);
    assert_null(boot);
    assert_non_null(strstr(err, "hashroom.db is damaged ("));
    assert_non_null(strstr(err, "Put back the last backup"));
    CLEANUP_FREE char *after = state_read(s, "hashroom.boot"); /* the next start looks again */
    assert_string_equal(after, mark);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)
    const struct CMUnitTest tests[] = {
        T(restarts_clean_or_not_keep_the_store_id),
        T(a_copy_from_before_the_last_start_gets_a_new_id),
        T(a_copy_from_the_same_run_is_noticed_after_a_minute),
        T(a_minute_without_a_write_writes_nothing),
        T(a_newer_copy_of_a_branch_that_was_given_up_is_noticed_too),
        T(a_database_without_its_file_may_be_a_copy_but_one_from_before_the_file_is_not),
        T(a_file_that_nobody_can_read_as_one_counts_as_missing),
        T(a_temporary_store_leaves_no_file),
        T(a_database_damaged_in_a_crash_is_said_with_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
