/* SPDX-License-Identifier: MIT */
/* Long computations of plugins, on libuv's thread pool. */
#include "work.h"
#include "instance.h"
#include "turn.h"
#include "xalloc.h"
#include <openssl/crypto.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

enum { RUNNING_MAX = 2, NICE = 10 };

enum state {
    QUEUED,  /* its turn is not committed yet */
    WAITING, /* for a thread */
    RUNNING, /* given to the pool */
};

struct hr_work {
    struct works *works;
    struct hr_bot *owner; /* NULL: swept, nobody is to be told */
    hr_work_fn *work, *done, *drop;
    void *arg;
    enum state state;
    uv_work_t uv;
    uv_sem_t ended;                          /* posted when the thread has left the plugin */
    struct hr_work *prev, *next;             /* in works->waiting */
    struct hr_work *owner_prev, *owner_next; /* in owner->works */
};

struct works {
    struct app *app;
    struct hr_work *waiting; /* oldest first */
    int running;
    size_t count; /* all that are not freed */
};

static void item_disown(struct hr_work *item)
{
    DL_DELETE2(item->owner->works, item, owner_prev, owner_next);
    item->owner->work_count--;
    item->owner = NULL;
}

static void item_free(struct hr_work *item)
{
    item->works->count--;
    uv_sem_destroy(&item->ended);
    free(item);
}

static void item_drop(struct hr_work *item)
{
    item_disown(item);
    if (item->drop != NULL) {
        item->drop(item->arg);
    }
}

/* On a thread of the pool. */
static void on_thread(uv_work_t *uv)
{
    struct hr_work *item = uv->data;
    /* Of this thread alone: nobody waits for it as for the loop. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    item->work(item->arg);
    OPENSSL_thread_stop(); /* what OpenSSL keeps for each thread is freed by nobody else: libuv ends its threads late */
    uv_sem_post(&item->ended);
}

static void run_waiting(struct works *works);

static void on_done(uv_work_t *uv, int status)
{
    struct hr_work *item = uv->data;
    struct hr_bot *owner = item->owner;
    (void)status; /* cancelled ones have no owner any more */
    item->works->running--;
    run_waiting(item->works);
    if (owner != NULL) {
        item_disown(item);
        instance_enter(owner);
        item->done(item->arg);
        instance_leave(owner, HR_OK);
    }
    item_free(item);
}

static void run_waiting(struct works *works)
{
    while (works->waiting != NULL && works->running < RUNNING_MAX) {
        struct hr_work *item = works->waiting;
        DL_DELETE(works->waiting, item);
        item->state = RUNNING;
        works->running++;
        BUG_IF(uv_queue_work(works->app->loop, &item->uv, on_thread, on_done) != 0);
    }
}

/* After the commit of the turn that asked for it. */
static void on_committed(void *arg)
{
    struct hr_work *item = arg;
    if (item->owner == NULL) {
        item_free(item);
        return;
    }
    item->state = WAITING;
    DL_APPEND(item->works->waiting, item);
    run_waiting(item->works);
}

static void on_undone(void *arg)
{
    struct hr_work *item = arg;
    if (item->owner != NULL) {
        item_drop(item);
    }
    item_free(item);
}

struct works *works_new(struct app *app)
{
    struct works *works = xcalloc(1, sizeof(*works));
    works->app = app;
    return works;
}

void works_free(struct works *works)
{
    BUG_IF(works != NULL && works->count > 0);
    free(works);
}

int works_start(struct works *works, struct hr_bot *owner, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop,
                void *arg)
{
    if (work == NULL || done == NULL) {
        return HR_EINVAL;
    }
    if (owner->work_count >= WORK_MAX) {
        return HR_ELIMIT;
    }
    struct hr_work *item = xcalloc(1, sizeof(*item));
    *item = (struct hr_work){.works = works, .owner = owner, .work = work, .done = done, .drop = drop, .arg = arg};
    item->uv.data = item;
    BUG_IF(uv_sem_init(&item->ended, 0) != 0);
    DL_APPEND2(owner->works, item, owner_prev, owner_next);
    owner->work_count++;
    works->count++;
    turn_effect(works->app->turn, on_committed, on_undone, item);
    turn_touch(works->app->turn);
    return HR_OK;
}

void works_sweep(struct hr_bot *owner)
{
    while (owner->works != NULL) {
        struct hr_work *item = owner->works;
        enum state state = item->state;
        if (state == RUNNING && uv_cancel((uv_req_t *)&item->uv) != 0) {
            uv_sem_wait(&item->ended);
        }
        item_drop(item);
        if (state == WAITING) {
            DL_DELETE(item->works->waiting, item);
            item_free(item);
        } /* else its turn or the loop still comes by and frees it */
    }
}
