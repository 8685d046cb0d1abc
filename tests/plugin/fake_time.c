/* SPDX-License-Identifier: MIT */
/* The fake host's two clocks and the timers on them. */
#include "fake_inside.h"
#include <stdlib.h>

int fake_timer_add(struct fake *fake, bool chat, int64_t at_ms, int64_t repeat_ms, hr_timer_fn *fn, void *arg,
                   struct hr_timer **out)
{
    struct hr_timer *timer = calloc(1, sizeof *timer);
    if (!timer) {
        fake_die("out of memory");
    }
    *timer = (struct hr_timer){.fake = fake,
                               .next = fake->timers,
                               .chat = chat,
                               .at_ms = at_ms,
                               .repeat_ms = repeat_ms,
                               .order = fake->timer_order++,
                               .fn = fn,
                               .arg = arg};
    fake->timers = timer;
    if (out) {
        *out = timer;
    }
    return HR_OK;
}

static void timer_free(struct hr_timer *timer)
{
    for (struct hr_timer **at = &timer->fake->timers; *at; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            break;
        }
    }
    free(timer);
}

void fake_timer_stop(struct hr_timer *timer)
{
    if (!timer) {
        return;
    }
    if (timer->running) {
        timer->gone = true;
    } else {
        timer_free(timer);
    }
}

void fake_timers_clear(struct fake *fake)
{
    struct hr_timer *next;
    for (struct hr_timer *timer = fake->timers; timer; timer = next) {
        next = timer->next;
        fake_timer_stop(timer);
    }
}

static bool is_before(const struct hr_timer *a, const struct hr_timer *b, const struct fake *fake)
{
    int64_t a_left = a->at_ms - (a->chat ? fake->chat_ms : fake->mono_ms);
    int64_t b_left = b->at_ms - (b->chat ? fake->chat_ms : fake->mono_ms);
    return a_left < b_left || (a_left == b_left && a->order < b->order);
}

static struct hr_timer *first_timer(struct fake *fake, bool chat_only)
{
    struct hr_timer *first = NULL;
    for (struct hr_timer *timer = fake->timers; timer; timer = timer->next) {
        if (!timer->running && (timer->chat || !chat_only) && (!first || is_before(timer, first, fake))) {
            first = timer;
        }
    }
    return first;
}

static void run_timer(struct hr_timer *timer)
{
    struct fake *fake = timer->fake;
    timer->running = true;
    fake_enter(fake);
    timer->fn(timer->arg);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
    timer->running = false;
    if (timer->gone || timer->repeat_ms <= 0) {
        timer_free(timer);
    } else {
        timer->at_ms += timer->repeat_ms;
        timer->order = fake->timer_order++;
    }
}

static void advance(struct fake *fake, int64_t ms, bool chat_only)
{
    int64_t end_chat_ms = fake->chat_ms + ms;
    int64_t end_mono_ms = fake->mono_ms + (chat_only ? 0 : ms);
    struct hr_timer *timer;
    while ((timer = first_timer(fake, chat_only))) {
        int64_t left_ms = timer->at_ms - (timer->chat ? fake->chat_ms : fake->mono_ms);
        if (left_ms > end_chat_ms - fake->chat_ms) {
            break;
        }
        if (left_ms > 0) {
            fake->chat_ms += left_ms;
            fake->mono_ms += chat_only ? 0 : left_ms;
        }
        run_timer(timer);
    }
    fake->chat_ms = end_chat_ms;
    fake->mono_ms = end_mono_ms;
}

void fake_pass(struct fake *fake, int64_t ms)
{
    advance(fake, ms, false);
}

void fake_chat_clock(struct fake *fake, int64_t at_ms)
{
    if (at_ms < fake->chat_ms) {
        fake_die("the chat clock goes forward only");
    }
    advance(fake, at_ms - fake->chat_ms, true);
}

int64_t fake_now_ms(const struct fake *fake)
{
    return fake->chat_ms;
}

size_t fake_timers(const struct fake *fake)
{
    size_t count = 0;
    for (const struct hr_timer *timer = fake->timers; timer; timer = timer->next) {
        count++;
    }
    return count;
}

int64_t fake_next_timer_ms(const struct fake *fake)
{
    const struct hr_timer *first = NULL;
    for (const struct hr_timer *timer = fake->timers; timer; timer = timer->next) {
        if (!first || is_before(timer, first, fake)) {
            first = timer;
        }
    }
    return first ? first->at_ms : -1;
}
