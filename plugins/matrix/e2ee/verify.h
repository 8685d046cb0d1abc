/* SPDX-License-Identifier: MIT */
/*
 * Verification by SAS, in rooms with people, by to-device events with own devices:
 * who has one under way. People begin it, the bot only accepts. The operator sees
 * emoji and decimals (`hashroom verify`) and says whether they are the same. One
 * for each user, 10 in all, 10 minutes; only people with a role in the
 * configuration. "Short Authentication String (SAS) verification".
 */
#ifndef MATRIX_VERIFY_H
#define MATRIX_VERIFY_H

#include "people.h"

void verify_stop(struct matrix *mx);
/* An m.key.verification.* event of a room (also m.room.message with that msgtype), plain or decrypted. */
void verify_room_event(struct mx_room *room, const struct event *event);
void verify_to_device(struct matrix *mx, const char *sender, const char *type, const json_t *content);
/* The tool `hashroom verify [yes | no | accept USER]`; struct hr_tool.run. */
int verify_tool(void *state, int argc, const char *const *argv, struct hr_out *out);

#endif
