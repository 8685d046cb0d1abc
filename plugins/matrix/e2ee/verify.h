/* SPDX-License-Identifier: MIT */
/*
 * Verification by SAS, in rooms with people, by to-device events with own devices.
 * The emoji and decimals go to the operator (`hashroom verify`) and to the hosts'
 * room; a person there says yes. One at a time for each user, 10 in all, 10 minutes.
 * Only people with a role in the configuration can begin one. "Short Authentication
 * String (SAS) verification".
 */
#ifndef MATRIX_VERIFY_H
#define MATRIX_VERIFY_H

#include "people.h"

void verify_stop(struct matrix *mx);
/* An m.key.verification.* event of a room (also m.room.message with that msgtype), plain or decrypted. */
void verify_room_event(struct mx_room *room, const struct event *event);
void verify_to_device(struct matrix *mx, const char *sender, const char *type, const json_t *content);
/* The tool `hashroom verify [yes|no] [user]`. */
int verify_tool(void *state, int argc, const char *const *argv, struct hr_out *out);

#endif
