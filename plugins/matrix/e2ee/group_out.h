/* SPDX-License-Identifier: MIT */
/*
 * Our own Megolm sessions, one a room: made, shared with every device that may
 * read, turned for each message, replaced by all triggers of matrix "Rotation".
 * The ciphertext of a part is kept (matrix_sealed) until the server answered:
 * encrypted once, sent as often as need be.
 */
#ifndef MATRIX_GROUP_OUT_H
#define MATRIX_GROUP_OUT_H

#include "crypto_room.h"

void group_out_stop(struct matrix *mx);
/* e2ee_send() */
int group_out_send(struct mx_room *room, const struct hr_part *part, const char *type, const json_t *content);
/* One event that is no part of the outbox (a verification): encrypted where the room is. Tried once. */
void group_out_event(struct mx_room *room, const char *txn, const char *type, const json_t *content);
void group_out_discard(struct matrix *mx, const char *room_id); /* next message: a new session */
/* The session was given to that device from this index on: HR_ENOTFOUND if not. */
int group_out_shared_from(struct matrix *mx, const char *session, const struct peer *peer, uint32_t *index);
/* The device lost what it had (it made a new Olm session): it gets the keys of now once more. */
void group_out_share_again(struct matrix *mx, const struct peer *peer);

#endif
