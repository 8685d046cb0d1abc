/* SPDX-License-Identifier: MIT */
/* What ends a room for the bot: its own membership, and a tombstone that leads to a new room. */
#ifndef MATRIX_UPGRADE_H
#define MATRIX_UPGRADE_H

#include "event.h"
#include "matrix.h"

void upgrade_own_member(struct mx_room *room, const struct event *event);
void upgrade_tombstone(struct mx_room *room, const struct event *event);
void upgrade_joined(struct mx_room *room); /* the successor let the bot in */
void upgrade_failed(struct mx_room *room, const char *why);

#endif
