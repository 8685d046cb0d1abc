/* SPDX-License-Identifier: MIT */
/* The one database: opening, locking, schema steps, prepared statements. */
#include "store.h"
#include "clock.h"
#include "log.h"
#include "store_schema.h"
#include "store_vfs.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

enum { ID_CHARS = 16, LOOKASIDE_BYTES = 1200, LOOKASIDE_SLOTS = 200 /* small memory without malloc() */, NEAR = 512 };

struct cached {
    const char *sql; /* the key is the address of the constant */
    sqlite3_stmt *stmt;
    UT_hash_handle hh;
};

struct store {
    sqlite3 *db;
    struct store_vfs *vfs; /* NULL: the system's own */
    int lock_fd;
    char id[ID_CHARS + 1];
    struct cached *cache;
    struct cached *near[NEAR]; /* the last one of each place: nearly always the one that is wanted */
    int (*guard)(void *, int, const char *, const char *, const char *, const char *);
    void *guard_arg;
};

static int fail(const char *path, const char *what, char *err, size_t err_size)
{
    snprintf(err, err_size, "%s: %s", path, what);
    return HR_EFAIL;
}

static int take_lock(struct store *store, const char *dir, char *err, size_t err_size)
{
    CLEANUP_FREE char *path = xasprintf("%s/hashroom.lock", dir);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        snprintf(err, err_size, "%s: %s. Make the folder and give it to the user hashroom runs as", path,
                 strerror(errno));
        return HR_EFAIL;
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return fail(path, "another hashroom is running on this database. Stop it first", err, err_size);
    }
    return HR_OK;
}

static int damaged(const char *finding, char *err, size_t err_size)
{
    snprintf(
        err, err_size,
        "hashroom.db is damaged (%s). Put back the last backup, as the handbook says under Backup. Keep the damaged "
        "file: much of it can mostly be saved with: sqlite3 hashroom.db .recover",
        finding);
    return HR_EINVAL;
}

static int exec(struct store *store, const char *sql, char *err, size_t err_size)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK) {
        return HR_OK;
    }
    int code = sqlite3_errcode(store->db);
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? damaged(sqlite3_errmsg(store->db), err, err_size)
                                                           : fail("database", sqlite3_errmsg(store->db), err, err_size);
}

static int is_late(void *arg)
{
    return clock_monotonic_ms() > *(const int64_t *)arg;
}

int store_check(struct store *store, int64_t limit_ms, char *err, size_t err_size)
{
    static const int steps = 100000; /* of SQLite's machine between two looks at the clock */
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    sqlite3_stmt *stmt = NULL;
    sqlite3_progress_handler(store->db, steps, is_late, &until_ms);
    int code = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    code = code == SQLITE_OK ? sqlite3_step(stmt) : code;
    int rc = HR_OK;
    if (code == SQLITE_ROW && strcmp(store_text(stmt, 0), "ok") != 0) {
        rc = damaged(store_text(stmt, 0), err, err_size);
    } else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        rc = damaged(sqlite3_errmsg(store->db), err, err_size);
    } else if (code == SQLITE_INTERRUPT) {
        log_line(HR_INFO, NULL, "the database is large: it was not looked over to its end");
    }
    sqlite3_finalize(stmt);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    return rc;
}

static void make_id(char id[ID_CHARS + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[ID_CHARS];
    BUG_IF(getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes));
    for (size_t i = 0; i < ID_CHARS; i++) {
        id[i] = letters[bytes[i] % 32];
    }
    id[ID_CHARS] = '\0';
}

void store_renew_id(struct store *store)
{
    make_id(store->id);
    sqlite3_stmt *stmt = store_sql(store, "INSERT OR REPLACE INTO host_meta(key, value) VALUES('store_id', ?1)");
    sqlite3_bind_text(stmt, 1, store->id, -1, SQLITE_STATIC);
    (void)store_run(store, stmt);
}

static int load_id(struct store *store, bool read_only, char *err, size_t err_size)
{
    sqlite3_stmt *stmt = store_sql(store, "SELECT value FROM host_meta WHERE key = 'store_id'");
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        snprintf(store->id, sizeof(store->id), "%s", store_text(stmt, 0));
        sqlite3_reset(stmt);
        return HR_OK;
    }
    sqlite3_reset(stmt);
    if (read_only) {
        return fail("database", "it is empty; start hashroom once before", err, err_size);
    }
    store_renew_id(store);
    return HR_OK;
}

static int prepare_database(struct store *store, unsigned flags, char *err, size_t err_size)
{
    bool read_only = (flags & STORE_READ_ONLY) != 0;
    sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_BYTES, LOOKASIDE_SLOTS);
    if (!read_only) {
        int rc =
            exec(store,
                 flags & STORE_TEMPORARY ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON;"
                                         : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
                 err, err_size);
        if (rc == HR_OK) {
            rc = exec(store,
                      "PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048;"
                      "PRAGMA journal_size_limit=16777216; PRAGMA trusted_schema=OFF;"
                      "CREATE TABLE IF NOT EXISTS host_meta(key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;"
                      "CREATE TABLE IF NOT EXISTS host_schema(owner TEXT PRIMARY KEY, step INTEGER NOT NULL)"
                      " STRICT, WITHOUT ROWID;",
                      err, err_size);
        }
        if (rc == HR_OK) {
            rc = store_migrate(store, "core", store_schema, err, err_size);
        }
        if (rc != HR_OK) {
            return rc;
        }
    }
    return load_id(store, read_only, err, err_size);
}

int store_open(struct store **out, const char *dir, unsigned flags, char *err, size_t err_size)
{
    struct store *store = xcalloc(1, sizeof(*store));
    store->lock_fd = -1;
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* counts nobody reads, a lock for each; refused once in use */
    bool read_only = (flags & STORE_READ_ONLY) != 0;
    if (!read_only && mkdir(dir, 0700) != 0 && errno != EEXIST) {
        snprintf(err, err_size, "%s: %s. Make the folder and give it to the user hashroom runs as", dir,
                 strerror(errno));
        store_close(store);
        return HR_EFAIL;
    }
    int rc = read_only ? HR_OK : take_lock(store, dir, err, err_size);
    if (rc == HR_OK) {
        CLEANUP_FREE char *path = xasprintf("%s/hashroom.db", dir);
        int open_flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        if (!read_only && !(flags & STORE_TEMPORARY)) { /* without syncs nothing may be gathered */
            store->vfs = store_vfs_new();
        }
        if (sqlite3_open_v2(path, &store->db, open_flags | SQLITE_OPEN_NOMUTEX,
                            store->vfs == NULL ? NULL : store_vfs_name(store->vfs)) != SQLITE_OK) {
            rc = fail(path, sqlite3_errmsg(store->db), err, err_size);
        } else {
            rc = prepare_database(store, flags, err, err_size);
        }
    }
    if (rc != HR_OK) {
        store_close(store);
        return rc;
    }
    *out = store;
    return HR_OK;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    struct cached *cached, *next;
    HASH_ITER(hh, store->cache, cached, next)
    {
        HASH_DEL(store->cache, cached);
        sqlite3_finalize(cached->stmt);
        free(cached);
    }
    sqlite3_close_v2(store->db);
    store_vfs_free(store->vfs);
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    free(store);
}

sqlite3 *store_db(struct store *store)
{
    return store->db;
}

const char *store_id(struct store *store)
{
    return store->id;
}

static int steps_done(struct store *store, const char *owner)
{
    sqlite3_stmt *stmt = store_sql(store, "SELECT step FROM host_schema WHERE owner = ?1");
    sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
    int done = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return done;
}

static int run_step(struct store *store, const char *owner, const char *sql, int number)
{
    if (sqlite3_exec(store->db, "SAVEPOINT step", NULL, NULL, NULL) != SQLITE_OK) {
        return HR_EFAIL;
    }
    sqlite3_set_authorizer(store->db, store->guard, store->guard_arg);
    bool good = sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_set_authorizer(store->db, NULL, NULL);
    if (good) {
        sqlite3_stmt *stmt = store_sql(
            store, "INSERT INTO host_schema(owner, step) VALUES(?1, ?2) ON CONFLICT(owner) DO UPDATE SET step = ?2");
        sqlite3_bind_text(stmt, 1, owner, -1, SQLITE_STATIC);
        sqlite3_bind_int(stmt, 2, number);
        good = sqlite3_step(stmt) == SQLITE_DONE;
        sqlite3_reset(stmt);
    }
    if (good) {
        return sqlite3_exec(store->db, "RELEASE step", NULL, NULL, NULL) == SQLITE_OK ? HR_OK : HR_EFAIL;
    }
    (void)sqlite3_exec(store->db, "ROLLBACK TO step; RELEASE step", NULL, NULL, NULL);
    return HR_EFAIL;
}

void store_fence(struct store *store, int (*guard)(void *, int, const char *, const char *, const char *, const char *),
                 void *arg)
{
    store->guard = guard;
    store->guard_arg = arg;
}

int store_migrate(struct store *store, const char *owner, const char *const *steps, char *err, size_t err_size)
{
    int have = 0;
    while (steps[have] != NULL) {
        have++;
    }
    int done = steps_done(store, owner);
    if (done > have) {
        snprintf(err, err_size,
                 "the database was written by a newer version (%s: step %d, known %d). "
                 "Install that version, or restore a backup",
                 owner, done, have);
        return HR_EINVAL;
    }
    for (int i = done; i < have; i++) {
        if (run_step(store, owner, steps[i], i + 1) != HR_OK) {
            snprintf(err, err_size, "database step %d of %s failed: %s", i + 1, owner, sqlite3_errmsg(store->db));
            return HR_EFAIL;
        }
    }
    return HR_OK;
}

sqlite3_stmt *store_sql(struct store *store, const char *sql)
{
    struct cached **near = &store->near[((uintptr_t)sql >> 3) % NEAR], *cached = *near;
    if (cached == NULL || cached->sql != sql) {
        HASH_FIND_PTR(store->cache, &sql, cached);
    }
    if (cached == NULL) {
        cached = xcalloc(1, sizeof(*cached));
        cached->sql = sql;
        if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &cached->stmt, NULL) != SQLITE_OK) {
            log_line(HR_ERROR, NULL, "statement \"%s\": %s", sql, sqlite3_errmsg(store->db));
            BUG_IF(cached->stmt == NULL);
        }
        HASH_ADD_PTR(store->cache, sql, cached);
    } else {
        sqlite3_reset(cached->stmt);
        sqlite3_clear_bindings(cached->stmt);
    }
    *near = cached;
    return cached->stmt;
}

int store_run(struct store *store, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (rc == SQLITE_CONSTRAINT) {
        return HR_EEXIST;
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        store_fatal(store, "writing to the database");
    }
    return HR_OK;
}

bool store_row(struct store *store, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        store_fatal(store, "reading the database");
    }
    return rc == SQLITE_ROW;
}

_Noreturn void store_fatal(struct store *store, const char *what)
{
    log_line(HR_ERROR, NULL,
             "%s failed: %s. The process ends, because memory is ahead of the disk; a restart resumes from the last "
             "commit. If the disk is full, make room first",
             what, sqlite3_errmsg(store->db));
    _exit(1);
}

const char *store_text(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return text == NULL ? "" : (const char *)text;
}
