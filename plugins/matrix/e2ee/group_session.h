/* SPDX-License-Identifier: MIT */
/*
 * The rows of our own Megolm sessions: one a room, and which devices were given
 * it from which index on. A session that may no longer be used is not loaded.
 */
#ifndef MATRIX_GROUP_SESSION_H
#define MATRIX_GROUP_SESSION_H

#include "crypto_room.h"

struct group_session {
    struct ratchet_outbound *ratchet; /* NULL: none; ratchet_outbound_free() it */
    int64_t created_ms, messages;
    struct matrix *mx;
};

/* The one in use, if the room's rules still allow it; else none. */
struct group_session group_session_load(struct matrix *mx, const char *room_id);
/* After each use, in the same callback. */
int group_session_save(struct matrix *mx, const char *room_id, const struct group_session *session);
/* A new one; ours to read as well: the echo, the backup and key requests need that. */
int group_session_begin(struct matrix *mx, const char *room_id, const struct crypto_room *rules,
                        struct group_session *session);
#define GROUP_REFUSED UINT32_MAX /* index: told that it gets none */
void group_session_remember(struct matrix *mx, const char *session, const struct peer *peer, uint32_t index);
enum group_had { GROUP_HAD_NOTHING, GROUP_HAD_KEY, GROUP_HAD_REFUSAL };
/* Whether it was given the session, or told why not. */
enum group_had group_session_had(struct matrix *mx, const char *session, const struct peer *peer);

#endif
