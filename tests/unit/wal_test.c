/* SPDX-License-Identifier: MIT */
/* The database's log of changes stays small; a reader that never ends is named. */
#include "wal.h"
#include "log.h"
#include "state_fixture.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static off_t wal_bytes(struct state *s)
{
    CLEANUP_FREE char *path = state_path(s, "hashroom.db-wal");
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : 0;
}

static void write_pages(struct state *s, int pages)
{
    while (pages > 0) { /* some at a time, as turns do */
        int now = pages > 256 ? 256 : pages;
        sqlite3_stmt *stmt = store_sql(s->app.store, "INSERT OR REPLACE INTO host_meta(key, value)"
                                                     " VALUES('bulk' || (abs(random()) % 8), hex(zeroblob(?1)))");
        turn_write(s->app.turn);
        sqlite3_bind_int(stmt, 1, now * 2048);
        assert_int_equal(store_run(s->app.store, stmt), HR_OK);
        turn_finish(s->app.turn);
        pages -= now;
    }
}

/* Another process that begins to read and doesn't end; give it the other end of the pipe closed to end it. */
static pid_t start_reader(struct state *s, int *stop_fd)
{
    int ready[2], stop[2];
    char byte;
    CLEANUP_FREE char *path = state_path(s, "hashroom.db");
    assert_int_equal(pipe(ready) + pipe(stop), 0);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db;
        close(stop[1]);
        int code = sqlite3_open(path, &db);
        code = code == SQLITE_OK ? sqlite3_exec(db, "BEGIN; SELECT count(*) FROM host_meta", NULL, NULL, NULL) : code;
        (void)!write(ready[1], code == SQLITE_OK ? "y" : "n", 1);
        (void)!read(stop[0], &byte, 1);
        _exit(0);
    }
    close(stop[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ready[0]);
    *stop_fd = stop[1];
    return child;
}

static void what_is_written_is_moved_in_a_quiet_time(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    write_pages(s, 1000);
    assert_true(wal_pages(wal) >= 1000);
    wal_tidy(wal, false); /* in the middle of the day it is not worth it */
    assert_true(wal_pages(wal) >= 1000);
    wal_tidy(wal, true);
    assert_int_equal(wal_pages(wal), 0);
    write_pages(s, 1); /* begins it anew */
    assert_in_range(wal_pages(wal), 1, 900);
    wal_free(wal);
}

static void a_busy_day_without_a_quiet_time_has_its_limit_too(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    for (int i = 0; i < 20; i++) {
        write_pages(s, 1024);
        wal_tidy(wal, false);
        assert_true(wal_pages(wal) < WAL_FULL_PAGES + 1100);
    }
    assert_true(wal_bytes(s) < 2 * 4096L * WAL_FULL_PAGES);
    wal_free(wal);
}

static void a_reader_that_does_not_end_is_named_and_the_log_shrinks_when_it_does(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    int stop_fd = -1;
    char words[4096] = "", number[32];
    CLEANUP_FREE char *log = state_path(s, "log");
    write_pages(s, 10);
    pid_t reader = start_reader(s, &stop_fd);
    write_pages(s, WAL_CEILING_PAGES + 100);
    (void)fflush(stderr);
    int saved = dup(2);
    assert_non_null(freopen(log, "w", stderr));
    wal_tidy(wal, false);
    wal_tidy(wal, false); /* told once */
    (void)fflush(stderr);
    assert_true(dup2(saved, 2) == 2);
    close(saved);
    CLEANUP_FREE char *text = state_read(s, "log");
    (void)snprintf(words, sizeof(words), "%s", text);
    (void)snprintf(number, sizeof(number), "process %d (wal_test)", (int)reader);
    if (strstr(words, number) == NULL) {
        fail_msg("no '%s' in: %s", number, words);
    }
    assert_null(strstr(strstr(words, number) + 1, "process"));
    assert_true(wal_bytes(s) > 4096L * WAL_CEILING_PAGES);
    close(stop_fd);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    wal_tidy(wal, false);
    assert_int_equal(wal_pages(wal), 0);
    assert_int_equal(wal_bytes(s), 0); /* cut off */
    wal_free(wal);
}

static void a_quiet_time_comes_by_itself(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    uv_timer_t alive; /* the loop's own work; the timer of the log doesn't keep it */
    write_pages(s, 100);
    uv_timer_init(&s->loop, &alive);
    uv_timer_start(&alive, (uv_timer_cb)uv_update_time, 60000, 0);
    while (wal_pages(wal) > 0) {
        uv_run(&s->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&alive, NULL);
    wal_free(wal);
    uv_run(&s->loop, UV_RUN_DEFAULT); /* `alive` ends with this function */
}

static void a_turn_that_is_open_is_ended_first(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    write_pages(s, WAL_FULL_PAGES);
    turn_write(s->app.turn);
    sqlite3_stmt *stmt = store_sql(s->app.store, "INSERT INTO host_meta(key, value) VALUES('in', 'time')");
    assert_int_equal(store_run(s->app.store, stmt), HR_OK);
    wal_tidy(wal, false);
    assert_false(turn_is_open(s->app.turn));
    assert_int_equal(wal_pages(wal), 0);
    wal_free(wal);
}

static void a_reading_of_our_own_that_is_under_way_is_waited_for(void **state)
{
    struct state *s = *state;
    struct wal *wal = wal_new(&s->app);
    sqlite3_stmt *stmt = store_sql(s->app.store, "SELECT key FROM host_meta");
    write_pages(s, 10);
    assert_true(store_row(s->app.store, stmt));
    write_pages(s, WAL_CEILING_PAGES + 100);
    wal_tidy(wal, false);
    assert_true(wal_pages(wal) > 0);
    sqlite3_reset(stmt);
    wal_tidy(wal, false);
    assert_int_equal(wal_pages(wal), 0);
    wal_free(wal);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_written_is_moved_in_a_quiet_time),
        T(a_busy_day_without_a_quiet_time_has_its_limit_too),
        T(a_reader_that_does_not_end_is_named_and_the_log_shrinks_when_it_does),
        T(a_quiet_time_comes_by_itself),
        T(a_turn_that_is_open_is_ended_first),
        T(a_reading_of_our_own_that_is_under_way_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
