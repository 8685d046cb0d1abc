/* SPDX-License-Identifier: MIT */
/*
 * The rooms: those of the configuration (id or alias) and private ones that
 * came by invite. Joined at start; after a kick or ban the bot stays out; once
 * encrypted a room stays so for ever (e2ee/e2ee.h); an upgraded room is followed.
 */
#ifndef MATRIX_ROOM_H
#define MATRIX_ROOM_H

#include "call.h"
#include "event.h"
#include "matrix.h"

int room_load(struct matrix *mx);      /* from the host and from the tables */
void room_free_all(struct matrix *mx);
struct mx_room *room_by_id(struct matrix *mx, const char *id);           /* or NULL */
struct mx_room *room_by_address(struct matrix *mx, const char *address); /* or NULL */
struct mx_room *room_by_successor(struct matrix *mx, const char *id);    /* that moves there, or NULL */
struct mx_room *room_add(struct matrix *mx, const char *address, bool private); /* NULL: too many */
size_t room_private_count(const struct matrix *mx);

void room_state(struct mx_room *room, const struct event *event); /* one state event of it */
void room_joined(struct mx_room *room);  /* a sync reply names it among the joined ones */
void room_left(struct mx_room *room);    /* ... among those left */
void room_read(struct mx_room *room, const char *last_event); /* a timeline is read; "": was empty */
void room_synced(struct matrix *mx, bool first); /* a whole reply is read */
void room_count_anew(struct matrix *mx); /* a reply that names every joined room is about to be read */
void room_recheck(struct matrix *mx);    /* a line was refused: is the bot still there? Asks now and then */

void room_join(struct mx_room *room);    /* asks the server to let the bot in */
void room_join_later(struct mx_room *room, const struct call_reply *reply); /* it had no answer */
void room_down(struct mx_room *room, const char *reason);
void room_encrypt(struct mx_room *room); /* seen to be encrypted: for ever */
void room_set_id(struct mx_room *room, const char *id); /* also looks whether it was encrypted before */
/* One line of the bot's own in this room; key: said once for ever, or NULL. */
void room_say(struct mx_room *room, const char *text, const char *key);
/* Leaves a private room; the reason is a sentence of ours, for the people in it. */
void room_leave(struct mx_room *room, const char *reason);
int room_save(struct mx_room *room);
int room_save_places(struct matrix *mx); /* how far each room was read, where that is newer than its row */

#endif
