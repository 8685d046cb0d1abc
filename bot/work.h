/* SPDX-License-Identifier: MIT */
/*
 * Long computations of plugins, on libuv's thread pool. At most two run at a time, so that a thread is left for
 * looking up addresses; the rest wait in the order they came.
 */
#ifndef HASHROOM_WORK_H
#define HASHROOM_WORK_H
#include "app.h"

enum { WORK_MAX = 64 /* of one instance, not yet done */ };

struct works *works_new(struct app *app);
void works_free(struct works *works); /* NULL is fine; all were swept before */
/* hr_api.work(). Starts after the commit; undone with its callback (then drop is called). */
int works_start(struct works *works, struct hr_bot *owner, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop,
                void *arg);
/* Waits for what runs, drops all of it; none calls back afterwards. */
void works_sweep(struct hr_bot *owner);
#endif
