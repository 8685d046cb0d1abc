/* SPDX-License-Identifier: MIT */
/* Timers of plugins: one sorted list and one uv_timer for each of the two clocks. */
#include "timer.h"
#include "instance.h"
#include "xalloc.h"
#include <utlist.h>

enum {
    MAX_TIMERS = 8192,       /* of all owners: more is a plugin that lost count */
    CHAT_RECHECK_MS = 15000, /* the chat clock follows the system's clock, which may jump while uv_timer doesn't */
};
static const int64_t MAX_SLEEP_MS = 3600 * 1000;
static const int64_t MAX_DELAY_MS = INT64_C(100) * 366 * 86400 * 1000;

struct queue {
    struct timers *timers;
    bool chat;
    uv_timer_t uv;
    struct hr_timer *waiting; /* earliest first; equals in the order they came */
    struct hr_timer *firing;  /* due ones of the tick that runs */
};

struct hr_timer {
    struct queue *queue;
    struct hr_bot *owner;
    hr_timer_fn *fn;
    void *arg;
    int64_t due_ms, repeat_ms;
    struct hr_timer **list; /* queue->waiting or firing; NULL while its callback runs */
    bool stopped;
    struct hr_timer *prev, *next;             /* in list */
    struct hr_timer *owner_prev, *owner_next; /* in owner->timers */
};

struct timers {
    struct app *app;
    struct queue chat, network;
    size_t count;
    int handles;
};

static void on_tick(uv_timer_t *uv);

static int64_t queue_now_ms(const struct queue *queue)
{
    return queue->chat ? clock_chat_ms(&queue->timers->app->clock) : clock_monotonic_ms();
}

static void queue_init(struct queue *queue, struct timers *timers, bool chat)
{
    queue->timers = timers;
    queue->chat = chat;
    BUG_IF(uv_timer_init(timers->app->loop, &queue->uv) != 0);
    queue->uv.data = queue;
    timers->handles++;
}

static void queue_arm(struct queue *queue)
{
    int64_t sleep_ms, longest_ms = queue->chat ? CHAT_RECHECK_MS : MAX_SLEEP_MS;

    if (!queue->waiting) {
        uv_timer_stop(&queue->uv);
        return;
    }
    if (queue->chat) {
        sleep_ms = clock_until_ms(&queue->timers->app->clock, queue->waiting->due_ms);
    } else {
        sleep_ms = queue->waiting->due_ms - clock_monotonic_ms();
    }
    sleep_ms = sleep_ms > longest_ms ? longest_ms : sleep_ms;
    /* Never 0: libuv before 1.45 would run it again and again without polling. */
    sleep_ms = sleep_ms < 1 ? 1 : sleep_ms;
    uv_update_time(queue->uv.loop);
    uv_timer_start(&queue->uv, on_tick, (uint64_t)sleep_ms, 0);
}

static void queue_insert(struct queue *queue, struct hr_timer *timer)
{
    struct hr_timer *after = queue->waiting ? queue->waiting->prev : NULL; /* the last one */

    while (after && after->due_ms > timer->due_ms) {
        after = after == queue->waiting ? NULL : after->prev;
    }
    if (after) {
        DL_APPEND_ELEM(queue->waiting, after, timer);
    } else {
        DL_PREPEND(queue->waiting, timer);
    }
    timer->list = &queue->waiting;
    if (queue->waiting == timer) {
        queue_arm(queue);
    }
}

static void timer_unlist(struct hr_timer *timer)
{
    if (timer->list) {
        DL_DELETE(*timer->list, timer);
        timer->list = NULL;
    }
}

static void timer_free(struct hr_timer *timer)
{
    timer->queue->timers->count--;
    free(timer);
}

static void timer_run(struct hr_timer *timer)
{
    struct hr_bot *owner = timer->owner;

    instance_enter(owner);
    timer->fn(timer->arg);
    instance_leave(owner, HR_OK);
    if (timer->stopped) {
        timer_free(timer);
    } else if (timer->repeat_ms > 0) {
        int64_t now_ms = queue_now_ms(timer->queue);

        timer->due_ms += timer->repeat_ms;
        if (timer->due_ms <= now_ms) {
            timer->due_ms = now_ms + timer->repeat_ms; /* the machine slept: once, not many times */
        }
        queue_insert(timer->queue, timer);
    } else {
        DL_DELETE2(owner->timers, timer, owner_prev, owner_next);
        timer_free(timer);
    }
}

static void on_tick(uv_timer_t *uv)
{
    struct queue *queue = uv->data;
    int64_t now_ms = queue_now_ms(queue);
    struct hr_timer *timer;

    /* What the callbacks start waits for the next tick, so that one which
     * starts itself again can't hold the loop. */
    while ((timer = queue->waiting) && timer->due_ms <= now_ms) {
        timer_unlist(timer);
        DL_APPEND(queue->firing, timer);
        timer->list = &queue->firing;
    }
    while ((timer = queue->firing)) {
        timer_unlist(timer);
        timer_run(timer);
    }
    queue_arm(queue);
}

struct timers *timers_new(struct app *app)
{
    struct timers *timers = xcalloc(1, sizeof(*timers));

    timers->app = app;
    queue_init(&timers->chat, timers, true);
    queue_init(&timers->network, timers, false);
    return timers;
}

static void on_closed(uv_handle_t *handle)
{
    struct queue *queue = handle->data;

    if (--queue->timers->handles == 0) {
        free(queue->timers);
    }
}

void timers_free(struct timers *timers)
{
    if (!timers) {
        return;
    }
    BUG_IF(timers->count != 0);
    uv_close((uv_handle_t *)&timers->chat.uv, on_closed);
    uv_close((uv_handle_t *)&timers->network.uv, on_closed);
}

static int timer_start(struct queue *queue, struct hr_bot *owner, int64_t due_ms, int64_t repeat_ms, hr_timer_fn *fn,
                       void *arg, struct hr_timer **out)
{
    struct hr_timer *timer;

    if (!fn || repeat_ms < 0 || repeat_ms > MAX_DELAY_MS) {
        return HR_EINVAL;
    }
    if (queue->timers->count >= MAX_TIMERS) {
        return HR_ELIMIT;
    }
    timer = xcalloc(1, sizeof(*timer));
    timer->queue = queue;
    timer->owner = owner;
    timer->fn = fn;
    timer->arg = arg;
    timer->due_ms = due_ms;
    timer->repeat_ms = repeat_ms;
    queue->timers->count++;
    DL_APPEND2(owner->timers, timer, owner_prev, owner_next);
    queue_insert(queue, timer);
    if (out) {
        *out = timer;
    }
    return HR_OK;
}

int timers_at(struct timers *timers, struct hr_bot *owner, int64_t at_ms, hr_timer_fn *fn, void *arg,
              struct hr_timer **out)
{
    return timer_start(&timers->chat, owner, at_ms, 0, fn, arg, out);
}

int timers_in(struct timers *timers, struct hr_bot *owner, int64_t delay_ms, int64_t repeat_ms, hr_timer_fn *fn,
              void *arg, struct hr_timer **out)
{
    delay_ms = delay_ms < 0 ? 0 : delay_ms > MAX_DELAY_MS ? MAX_DELAY_MS : delay_ms;
    return timer_start(&timers->network, owner, clock_monotonic_ms() + delay_ms, repeat_ms, fn, arg, out);
}

void timers_stop(struct hr_timer *timer)
{
    if (!timer || timer->stopped) {
        return;
    }
    timer->stopped = true;
    DL_DELETE2(timer->owner->timers, timer, owner_prev, owner_next);
    if (timer->list) {
        timer_unlist(timer);
        timer_free(timer);
    } /* else its callback runs: timer_run() frees it */
}

void timers_sweep(struct hr_bot *owner)
{
    while (owner->timers) {
        timers_stop(owner->timers);
    }
}

void timers_clock_changed(struct timers *timers)
{
    queue_arm(&timers->chat);
}
