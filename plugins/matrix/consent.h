/* SPDX-License-Identifier: MIT */
/*
 * Carrying what is said in an encrypted room to other networks ends its secrecy.
 * So the room stays sealed (HR_ROOM_SEALED) until a host agrees in it: `!bridge
 * encrypted yes`. What was agreed to is said aloud and pinned.
 */
#ifndef MATRIX_CONSENT_H
#define MATRIX_CONSENT_H

#include "event.h"
#include "matrix.h"

int consent_command(void *state, const struct hr_call *call); /* !bridge; struct hr_command.run */

/* Seals it where it has to be, before anything said there is posted: true. The host forgets it over a restart. */
bool consent_seal(struct mx_room *room);
void consent_look(struct mx_room *room); /* as above, and says so in the room, once */
void consent_echo(struct mx_room *room, const struct event *event); /* an own message came back: the notice is pinned */

#endif
