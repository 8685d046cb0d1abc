/* SPDX-License-Identifier: MIT */
/*
 * The room's pace for posts from social networks (DESIGN 4.4, R27, R31): in a
 * calm room at most 4 a minute, none around a question; what has waited 10
 * minutes is left out aloud. All on the chat clock. And the ceiling of what waits.
 */
#ifndef HASHROOM_CALM_H
#define HASHROOM_CALM_H
#include "outbox_rows.h"

int64_t calm_wait_ms(struct outbox *outbox, const struct item *post); /* real time until it may go; 0: now */
void calm_note(struct outbox *outbox, const struct item *item);       /* it goes now */
/* Settles posts that waited too long as named; calm_tell() says so afterwards. */
void calm_leave_out(struct outbox *outbox, struct room *room, int64_t now_ms);
/* A room that nobody can reach keeps the newest 1,000 lines of each kind; lines of people and posts that go are named. */
void calm_ceiling(struct outbox *outbox);
void calm_start(struct outbox *outbox); /* what was left out before the restart and not yet told */
/* HR_EV_LEFT_OUT, at most each 10 minutes a room, and HR_EV_BACKLOG: when no lane is being read. now_ms and *wake_ms,
 * which says when to look again, are on the monotonic clock. */
void calm_tell(struct outbox *outbox, int64_t now_ms, int64_t *wake_ms);
#endif
