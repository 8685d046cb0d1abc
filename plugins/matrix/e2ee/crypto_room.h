/* SPDX-License-Identifier: MIT */
/*
 * What encryption needs to know of a room: that it is encrypted (for ever), how
 * often its keys change, who can read it, whether a host agreed that it is
 * carried to other networks. Members are read whole before the first key is
 * shared, since lazy loading hides recipients.
 */
#ifndef MATRIX_CRYPTO_ROOM_H
#define MATRIX_CRYPTO_ROOM_H

#include "e2ee_account.h"
#include "people.h"

enum { /* bounds of what a room may ask for; else its admin makes the bot rotate at each message */
    ROTATION_LEAST_MS = 3600000,
    ROTATION_MOST_MESSAGES = 10000,
};

struct crypto_room {
    bool readable;            /* the algorithm is one we know; else nothing is said there */
    int64_t rotation_ms;      /* clamped; 604800000 where the room says nothing */
    int64_t rotation_messages; /* clamped; 100 */
    bool invited_read;        /* history visibility lets invited people read */
    bool shared_history;      /* ... lets later members read (MSC4268) */
    bool members_known;
};

void crypto_room_stop(struct matrix *mx);
int crypto_room_get(struct matrix *mx, const char *room_id, struct crypto_room *out); /* HR_ENOTFOUND: not encrypted */
void crypto_room_state(struct mx_room *room, const struct event *event);
void crypto_room_gap(struct mx_room *room); /* members have to be read again */
/* done() once the members are known, at once if they are; negative: they could not
 * be had now. drop() instead if the plugin stops. */
typedef void crypto_room_fn(struct matrix *mx, void *arg, int status);
void crypto_room_members(struct matrix *mx, const char *room_id, crypto_room_fn *done, void (*drop)(void *arg),
                         void *arg);
/* Everybody who may read what is said now; fn: 0 to go on. */
int crypto_room_readers(struct matrix *mx, const char *room_id, int (*fn)(void *arg, const char *user), void *arg);
/* A device or its user may no longer read: the next message needs a new key in every room that gave it one. */
void crypto_room_lost_device(struct matrix *mx, const char *user, const char *device); /* device NULL: all of them */
/* `!bridge encrypted yes`: who agreed that the room is carried to other networks, or "". Callback's arena. */
const char *crypto_room_agreed(struct matrix *mx, const char *room_id);
int crypto_room_agree(struct matrix *mx, const char *room_id, const char *who); /* "": takes it back */

#endif
