/* SPDX-License-Identifier: MIT */
/*
 * Notices that an old copy of the database was put back. A number in the database rises at each start, at each clean
 * end, and once in every minute in which something was written; after its commit it is written into DIR/hashroom.boot
 * too, with the store id. A database that is behind that file, or has another id, or has none of these files beside
 * it, may be an old copy: it gets a new store id, as one from `hashroom backup` does.
 */
#ifndef HASHROOM_BOOT_H
#define HASHROOM_BOOT_H
#include "app.h"

struct boot;

/* After store and turn. `temporary`: nothing is looked at or written. After a run that did not end by itself
 * the database is looked over. HR_EFAIL: the file can't be read or written. HR_EINVAL: the database is damaged. */
int boot_open(struct boot **out, struct app *app, bool temporary, char *err, size_t err_size);
bool boot_was_clean(const struct boot *boot); /* did the run before end by itself? true if there was none */
void boot_close(struct boot *boot);           /* the clean end; NULL is fine */
void boot_minute(struct boot *boot);          /* what its timer does: raises the number if something was written */
#endif
