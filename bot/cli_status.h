/* SPDX-License-Identifier: MIT */
/* `hashroom status`: what its parts share. */
#ifndef HASHROOM_CLI_STATUS_H
#define HASHROOM_CLI_STATUS_H
#include "config.h"
#include <jansson.h>

/* Adds rooms (what waits), counts, reasons, store and key to what the bot said; reads database and folder itself, so
 * that the bot isn't held up. HR_ENOTFOUND: there is no database yet. */
int cli_status_store(const struct config *config, json_t *status);
void cli_status_print(const json_t *status);     /* for people */
bool cli_status_is_well(const json_t *status);   /* everything up, the key in its place, room on the disk */
#endif
