/* SPDX-License-Identifier: MIT */
/*
 * Rooms and routes in memory. A room has one row and one id for ever; those of
 * the configuration are made at start, private ones when somebody writes.
 */
#ifndef HASHROOM_ROOM_H
#define HASHROOM_ROOM_H
#include "app.h"
#include "lane.h"

struct room {
    struct hr_room hr;    /* what plugins see */
    struct network *network; /* the instance that serves it; NULL: not configured now */
    const struct config_room *config; /* NULL for a private room */
    struct chat *chat;    /* or NULL */
    bool up;              /* parts may go now, as far as the room is concerned */
    char *down_reason;
    struct lane lane;     /* what waits for it; the outbox's */
    struct room *next;
};

struct route { struct room *from, *to; bool live_only; struct route *next; };

struct rooms *rooms_new(struct app *app);
void rooms_free(struct rooms *rooms);
/* Makes rows for all rooms of the configuration and its routes. */
void rooms_configure(struct rooms *rooms);
struct room *rooms_get(struct rooms *rooms, uint64_t id);
struct room *rooms_next(struct rooms *rooms, const struct room *after); /* NULL: first; NULL at the end */
struct room *rooms_find(struct rooms *rooms, const char *network, const char *address);
struct room *rooms_private(struct rooms *rooms, const char *network, const char *address); /* finds or makes */
/* Is it one already, or is there place for one more on this network? One for which nothing waits gives its place. */
bool rooms_may_be_private(struct rooms *rooms, const struct network *network, const char *address);
int rooms_each(struct rooms *rooms, bool (*want)(const struct room *room, const void *key), const void *key, hr_room_fn *fn, void *arg);
int rooms_routes(struct rooms *rooms, struct room *from, hr_room_fn *fn, void *arg); /* open ones: live_only counts */
#endif
