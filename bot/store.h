/* SPDX-License-Identifier: MIT */
/*
 * The one database: opening, locking, schema steps, prepared statements. Knows
 * SQLite and no table of others. WAL, synchronous=FULL. A failed commit ends
 * the process (turn.c): memory would be ahead of disk.
 */
#ifndef HASHROOM_STORE_H
#define HASHROOM_STORE_H
#include <hashroom/plugin.h>
#include <sqlite3.h>

struct store;

enum { STORE_READ_ONLY = 1 << 0, STORE_TEMPORARY = 1 << 1 /* rehearsal: no fsync */ };

enum { STORE_BUSY_MS = 5000 };

/* Opens DIR/hashroom.db, locks DIR/hashroom.lock against a second process
 * (not READ_ONLY), brings the host's schema up to date. err says what to do. */
int store_open(struct store **out, const char *dir, unsigned flags, char *err, size_t err_size);
void store_close(struct store *store); /* NULL is fine */
sqlite3 *store_db(struct store *store);
const char *store_id(struct store *store); /* 16 letters and digits, new for each database */
void store_renew_id(struct store *store);  /* this may be an old copy: no far side may take it for the newer one */
/* Runs the steps of `steps` (ends in NULL) that `owner` has not run yet, each
 * in a transaction. HR_EINVAL if the database is newer than the program. */
int store_migrate(struct store *store, const char *owner, const char *const *steps, char *err, size_t err_size);
/* Steps of store_migrate() run under this authorizer until it is NULL again. */
void store_fence(struct store *store, int (*guard)(void *, int, const char *, const char *, const char *, const char *),
                 void *arg);
/* A cached statement, reset and with bindings cleared. `sql` is a string
 * constant: the cache goes by its address. Aborts on a syntax error (a bug). */
sqlite3_stmt *store_sql(struct store *store, const char *sql);
/* Steps a statement that returns no row. Any failure but a constraint ends the
 * process through store_fatal(); HR_EEXIST for a constraint. */
int store_run(struct store *store, sqlite3_stmt *stmt);
/* True if there is a row; on failure as store_run(). */
bool store_row(struct store *store, sqlite3_stmt *stmt);
/* Looks the database over, for at most limit_ms. HR_EINVAL: it is damaged, err says what to do. */
int store_check(struct store *store, int64_t limit_ms, char *err, size_t err_size);
_Noreturn void store_fatal(struct store *store, const char *what);
const char *store_text(sqlite3_stmt *stmt, int column); /* "" for NULL */
#endif
