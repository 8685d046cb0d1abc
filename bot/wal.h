/* SPDX-License-Identifier: MIT */
/*
 * Keeps the database's log of changes (WAL) small. What was committed is moved into the database when nothing was
 * written for two seconds, or once 16 MB have come together; over 64 MB the log is cut off. A reader of another process
 * that never ends holds the log fast, and nothing in SQLite can take it away: then the log line names that process.
 */
#ifndef HASHROOM_WAL_H
#define HASHROOM_WAL_H
#include "app.h"

enum { WAL_FULL_PAGES = 4096, WAL_CEILING_PAGES = 16384 /* of 4 KiB */ };

struct wal *wal_new(struct app *app);
void wal_free(struct wal *wal); /* NULL is fine */
int wal_pages(const struct wal *wal); /* in the log, as of the last commit */
/* What its timer does. quiet: nothing was written for a while. */
void wal_tidy(struct wal *wal, bool quiet);
#endif
