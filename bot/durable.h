/* SPDX-License-Identifier: MIT */
/* A small file that outlives a power cut: written beside its place, synced, put there, its folder synced. */
#ifndef HASHROOM_DURABLE_H
#define HASHROOM_DURABLE_H
#include <stdbool.h>

/* `text` into DIR/NAME, readable for its owner alone. fresh: HR_EEXIST if there is one already; else it is
 * replaced as a whole. HR_EFAIL with errno set; the old one stays then. */
int durable_write(const char *dir, const char *name, const char *text, bool fresh);
#endif
