/* SPDX-License-Identifier: MIT */
/*
 * A turn of the loop (DESIGN 4.2). Callbacks change memory, the open
 * transaction, and a queue of effects. A uv_prepare hook ends the turn: the
 * pump runs, the transaction commits, the effects are released in order; what
 * they wrote is committed in one more bounded round. The loop never sleeps on an
 * open transaction, and nothing else writes to a socket or starts a transfer.
 */
#ifndef HASHROOM_TURN_H
#define HASHROOM_TURN_H
#include "store.h"
#include <uv.h>

struct turn;
typedef void turn_effect_fn(void *arg);

struct turn *turn_new(uv_loop_t *loop, struct store *store);
void turn_free(struct turn *turn);
/* Called before the commit of each turn in which something happened or was due. */
void turn_on_end(struct turn *turn, void (*fn)(void *arg), void *arg);
/* Called first in each transaction, outside every savepoint: what was put off joins it. */
void turn_on_begin(struct turn *turn, void (*fn)(void *arg), void *arg);
void turn_write(struct turn *turn); /* makes sure the transaction is open; call before any write */
bool turn_is_open(const struct turn *turn); /* has this turn written something? */
/* Something for after the commit. drop (may be NULL) is called instead of fn
 * when the savepoint it was queued in is undone. */
void turn_effect(struct turn *turn, turn_effect_fn *fn, turn_effect_fn *drop, void *arg);
void turn_touch(struct turn *turn); /* no write, but the end-of-turn hook has to run */
/* One plugin callback: what is written and queued inside is undone as a whole
 * when leave() gets false. They nest. */
void turn_enter(struct turn *turn);
void turn_leave(struct turn *turn, bool keep);
void turn_finish(struct turn *turn); /* commits and releases now (start, stop, tests) */
uint64_t turn_commits(const struct turn *turn); /* how many so far */
#endif
