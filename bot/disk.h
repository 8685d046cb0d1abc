/* SPDX-License-Identifier: MIT */
/* Warns before the disk is full: a commit that fails ends the process (turn.h). */
#ifndef HASHROOM_DISK_H
#define HASHROOM_DISK_H
#include "app.h"

struct disk *disk_new(struct app *app); /* looks at the start and every minute */
void disk_free(struct disk *disk);
/* Says so once when less than 64 MiB are left, and once when there is room again. Pure but for the log line. */
void disk_look(struct disk *disk, uint64_t free_bytes);
#endif
