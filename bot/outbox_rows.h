/* SPDX-License-Identifier: MIT */
/* The outbox's rows in the database, and its memory; shared by outbox.c, pump.c and outbox_start.c. */
#ifndef HASHROOM_OUTBOX_ROWS_H
#define HASHROOM_OUTBOX_ROWS_H
#include "lane.h"
#include "outbox.h"
#include "store.h"

struct outbox {
    struct app *app;
    struct piece *pieces; /* hash by id */
    bool any_lost;        /* a question can't be looked up: see outbox_restate() */
    uv_timer_t timer;
    bool started, closing;
    struct piece *arrived, **last_arrived; /* in the order of their arrival */
    size_t arrived_count;
    bool next_changes;    /* one of them says what may go next, a refusal or a removal: settled before anything goes */
    int64_t arrived_ms;   /* monotonic: the oldest of them */
};

/* -- lanes -- */
void lane_push(struct item *item);
void lane_push_first(struct room *room, struct item *items); /* a list of one priority, before all that waits; NULL is fine */
void lane_pop(struct room *room, enum hr_priority priority); /* frees the first item */
/* Takes it out wherever it waits; NULL: it doesn't. before: the item in front of it then, NULL if it was the first. */
struct item *lane_take(struct room *room, uint64_t delivery, struct item **before);
void lane_put_back(struct item *item, struct item *before); /* undoes lane_take() */
struct claim *lane_claim(size_t room); /* for so many deliveries, none in it yet; goes with its last piece */
void lane_add_piece(struct outbox *outbox, struct piece *piece);
void lane_drop_piece(struct outbox *outbox, struct piece *piece); /* frees; settles its claim in memory only */
void lane_landed(struct piece *piece); /* no longer in flight */
void lane_clear(struct outbox *outbox, struct room *room);

/* -- rows -- */
uint64_t row_delivery(struct outbox *outbox, uint64_t message, const struct room *room, enum hr_act act,
                      const struct hr_say *say);
void row_delivery_state(struct outbox *outbox, uint64_t delivery, const char *state, const char *reason);
/* Left out, and going to be said so: numbered in the order of that. */
void row_delivery_named(struct outbox *outbox, uint64_t delivery, const char *reason);
void row_delivery_claimed(struct outbox *outbox, uint64_t delivery);
uint64_t row_part(struct outbox *outbox, const struct room *room, enum hr_act act, const void *body, size_t len,
                  bool claimed, const struct claim *claim);
void row_part_claimed(struct outbox *outbox, const struct piece *piece);
void row_part_state(struct outbox *outbox, uint64_t part, const char *state, const char *remote_id,
                    const char *reason);

/* One part is settled: its row, its claim, and when that was the last one the delivery. Frees the piece. */
void outbox_settle(struct outbox *outbox, struct piece *piece, const char *state, const char *remote_id,
                   const char *reason);
/* A question in doubt on a network that can't recognise it again now is not said
 * twice: it ends as unknown and HR_EV_DOUBT tells the session. NULL: all networks. */
void outbox_restate(struct outbox *outbox, const struct network *network);
/* Settling joins the next transaction; at the latest when this is true it makes
 * its own. *wake_ms is brought forward to that moment. */
bool outbox_settling_is_due(const struct outbox *outbox, int64_t now_ms, int64_t *wake_ms);
void outbox_settle_arrived(void *outbox); /* first in each transaction */
void pump_run(void *outbox); /* at the end of each turn */
#endif
