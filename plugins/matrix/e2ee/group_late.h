/* SPDX-License-Identifier: MIT */
/*
 * Encrypted events whose key, or whose sender's device, is not known yet. They
 * stand in a table, 1,000 a room, and are read when it comes. Meanwhile the key
 * is looked for; after a minute the person is asked, once a session, to say it again.
 */
#ifndef MATRIX_GROUP_LATE_H
#define MATRIX_GROUP_LATE_H

#include "crypto_room.h"

#define GROUP_LATE_LAST_TRY (UINT32_C(1) << 31) /* in `flags`: the device list was asked for already */

void group_late_load(struct matrix *mx);
void group_late_stop(struct matrix *mx);
/* Always HR_ERETRY. new_device: the key is here, the device of its owner is not. */
int group_late_keep(struct mx_room *room, const struct event *event, const char *session, uint32_t flags,
                    bool new_device);
void group_late_key(struct matrix *mx, const char *room_id, const char *session); /* it may be readable now */
bool group_late_waits(struct matrix *mx, const char *room_id, const char *session);

#endif
