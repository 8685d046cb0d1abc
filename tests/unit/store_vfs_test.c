/* SPDX-License-Identifier: MIT */
/* What is gathered for the log of changes is on disk when a commit returns, and never elsewhere or in another order. */
#include "store_vfs.h"
#include "state_fixture.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    int64_t n = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    sqlite3_finalize(stmt);
    return n;
}

static void run(struct state *s, const char *sql)
{
    char *err = NULL;
    if (sqlite3_exec(store_db(s->app.store), sql, NULL, NULL, &err) != SQLITE_OK) {
        fail_msg("%s: %s", sql, err);
    }
}

/* Another process' view: committed, and whole. */
static int64_t seen(struct state *s, const char *sql)
{
    CLEANUP_FREE char *path = state_path(s, "hashroom.db");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    int64_t n = number(db, sql);
    assert_int_equal(number(db, "SELECT count(*) FROM pragma_quick_check WHERE quick_check = 'ok'"), 1);
    sqlite3_close(db);
    return n;
}

static int64_t calls_of_write(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    char line[128];
    long long n = -1;
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "syscw: %lld", &n);
    }
    if (file != NULL) {
        fclose(file);
    }
    return n;
}

static void a_commit_of_many_pages_is_few_writes_and_others_see_it(void **state)
{
    struct state *s = *state;
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    run(s, "INSERT INTO t VALUES(1, randomblob(100))");
    int64_t before = calls_of_write();
    run(s, "INSERT INTO t VALUES(2, randomblob(120000))"); /* 30 pages, that is 60 calls one by one */
    assert_in_range(calls_of_write() - before, 1, 6);
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 2);
}

static void more_than_can_be_gathered_goes_in_pieces(void **state)
{
    struct state *s = *state;
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    run(s, "INSERT INTO t VALUES(1, randomblob(900000))");
    assert_int_equal(seen(s, "SELECT length(b) FROM t"), 900000);
}

static void what_outgrows_the_cache_before_the_commit_is_read_back_whole(void **state)
{
    struct state *s = *state;
    run(s, "PRAGMA cache_size = 10");
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    run(s, "BEGIN");
    for (int i = 0; i < 200; i++) {
        run(s, "INSERT INTO t(b) VALUES(randomblob(3000))");
    }
    assert_int_equal(number(store_db(s->app.store), "SELECT sum(length(b)) FROM t"), 600000);
    run(s, "ROLLBACK");
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 0);
    run(s, "BEGIN");
    for (int i = 0; i < 200; i++) {
        run(s, "INSERT INTO t(b) VALUES(randomblob(3000))");
    }
    run(s, "COMMIT");
    assert_int_equal(seen(s, "SELECT sum(length(b)) FROM t"), 600000);
}

static void what_was_committed_outlives_a_kill(void **state)
{
    struct state *s = *state;
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    state_close(s);
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        state_open(s);
        for (int i = 0; i < 50; i++) {
            run(s, "INSERT INTO t(b) VALUES(randomblob(5000))");
        }
        run(s, "BEGIN; INSERT INTO t(b) VALUES(randomblob(5000))"); /* this one is not */
        (void)!write(ready[1], "y", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
    state_open(s);
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 50);
    run(s, "INSERT INTO t(b) VALUES(randomblob(5000))");
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 51);
}

static void a_full_disk_fails_the_commit_and_leaves_what_was_there(void **state)
{
    struct state *s = *state;
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    run(s, "INSERT INTO t(b) VALUES(randomblob(5000))");
    pid_t child = fork();
    if (child == 0) { /* in a process of its own: locks aside, nothing of it lives on */
        (void)signal(SIGXFSZ, SIG_IGN);
        CLEANUP_FREE char *path = state_path(s, "hashroom.db-wal");
        struct stat info;
        (void)stat(path, &info);
        struct rlimit limit = {(rlim_t)info.st_size + 20000, (rlim_t)info.st_size + 20000};
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        CLEANUP_FREE char *file = state_path(s, "hashroom.db");
        sqlite3 *db = NULL;
        struct store_vfs *vfs = store_vfs_new();
        (void)sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, store_vfs_name(vfs));
        (void)sqlite3_exec(db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
        _exit(sqlite3_exec(db, "INSERT INTO t(b) VALUES(randomblob(90000))", NULL, NULL, NULL) == SQLITE_OK ? 1 : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 1);
    run(s, "INSERT INTO t(b) VALUES(randomblob(5000))");
    assert_int_equal(seen(s, "SELECT count(*) FROM t"), 2);
}

static void moving_into_the_database_and_beginning_anew_keeps_all(void **state)
{
    struct state *s = *state;
    run(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    for (int i = 0; i < 60; i++) {
        run(s, "INSERT INTO t(b) VALUES(randomblob(9000))");
        if (i % 7 == 0) {
            int mode = i % 2 ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
            assert_int_equal(sqlite3_wal_checkpoint_v2(store_db(s->app.store), NULL, mode, NULL, NULL), SQLITE_OK);
        }
    }
    assert_int_equal(seen(s, "SELECT sum(length(b)) FROM t"), 60 * 9000);
    state_close(s);
    state_open(s);
    assert_int_equal(seen(s, "SELECT sum(length(b)) FROM t"), 60 * 9000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)
    const struct CMUnitTest tests[] = {
        T(a_commit_of_many_pages_is_few_writes_and_others_see_it),
        T(more_than_can_be_gathered_goes_in_pieces),
        T(what_outgrows_the_cache_before_the_commit_is_read_back_whole),
        T(what_was_committed_outlives_a_kill),
        T(a_full_disk_fails_the_commit_and_leaves_what_was_there),
        T(moving_into_the_database_and_beginning_anew_keeps_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
