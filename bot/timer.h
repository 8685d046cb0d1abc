/* SPDX-License-Identifier: MIT */
/* Owner-tagged timers on the chat clock and on the network clock; behind timer_at and timer_in of plugin.h. */
#ifndef HASHROOM_TIMER_H
#define HASHROOM_TIMER_H
#include "app.h"

struct timers *timers_new(struct app *app);
void timers_free(struct timers *timers);
int timers_at(struct timers *timers, struct hr_bot *owner, int64_t at_ms, hr_timer_fn *fn, void *arg, struct hr_timer **out);
int timers_in(struct timers *timers, struct hr_bot *owner, int64_t delay_ms, int64_t repeat_ms, hr_timer_fn *fn,
              void *arg, struct hr_timer **out);
void timers_stop(struct hr_timer *timer);
void timers_sweep(struct hr_bot *owner);
void timers_clock_changed(struct timers *timers); /* the chat clock was set */
#endif
