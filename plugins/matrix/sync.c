/* SPDX-License-Identifier: MIT */
/* The long poll. */
#include "sync.h"

#include "account.h"
#include "batch.h"
#include "call.h"
#include "discover.h"
#include "filter.h"
#include "invite.h"
#include "login.h"
#include "private.h"
#include "room.h"

enum {
    POLL_MS = 30000,
    MAX_REPLY = 64 * 1024 * 1024, /* 100 to-device events and 50 of each room, 64 kB each, is less for most */
    LONG_MS = 120000,
    FIRST_LIMIT = 1,
    SAVE_MS = 5000, /* no longer is a place kept in memory alone */
};

static void ask(struct matrix *mx);

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->timer = NULL;
    ask(mx);
}

static void later(struct matrix *mx, const char *what, int64_t at_least_ms)
{
    mx->want_full = mx->want_full || mx->full;
    int64_t wait_ms = matrix_backoff_ms(mx, mx->tries++);
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    if (mx->timer != NULL) {
        return;
    }
    if (mx->tries == 1 && at_least_ms < LONG_MS) { /* one cut connection is no news for the rooms */
        matrix_error(mx, "cannot read from %s: %s; next try in %d s", mx->homeserver, what,
                     (int)((wait_ms + 999) / 1000));
    } else {
        matrix_down(mx, mx->api->print(mx->bot, "cannot read from %s: %s; %s", mx->homeserver, what,
                                       matrix_next_try(mx, wait_ms)));
    }
    if (mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->timer) < 0) {
        matrix_error(mx, "no timer to be had: reading has stopped");
    }
    if (mx->tries >= MATRIX_MANY_TRIES) {
        discover_again(mx);
    }
}

static void on_sync(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return; /* the session has ended; login_lost() goes on */
    }
    if (filter_lost(mx, reply)) {
        mx->want_full = mx->want_full || mx->full;
        ask(mx);
    } else if (reply->code == 400 && mx->since != NULL) {
        matrix_error(mx, "the server no longer knows where reading stood (%s); reading anew", reply->words);
        mem_set(&mx->since, NULL);
        mx->recovering = true;
        mx->want_full = true;
        ask(mx);
    } else if (reply->status != HR_OK) {
        mx->narrow = reply->status == HR_ELIMIT;
        later(mx, reply->words, reply->retry_ms);
    } else if (batch_take(mx, reply->body, reply->body_len) < 0) {
        later(mx, "the reply is not one of a Matrix server", -1);
    }
}

static int save(struct matrix *mx, const char *since)
{
    int rc = room_save_places(mx);
    mx->api->timer_stop(mx->save_timer);
    mx->save_timer = NULL;
    return rc < 0 ? rc : account_save_since(mx, since);
}

static void on_save(void *arg)
{
    struct matrix *mx = arg;
    mx->save_timer = NULL;
    if (mx->since != NULL && save(mx, mx->since) < 0) {
        matrix_error(mx, "the place in the stream could not be saved");
    }
}

/* Without a timer it is saved at once. */
static bool may_wait(struct matrix *mx)
{
    return !mx->news &&
           (mx->save_timer != NULL || mx->api->timer_in(mx->bot, SAVE_MS, 0, on_save, mx, &mx->save_timer) == HR_OK);
}

void sync_done(struct matrix *mx, const char *next)
{
    if (!may_wait(mx) && save(mx, next) < 0) {
        later(mx, "the place in the stream could not be saved", -1);
        return; /* the same events come again and are recognised */
    }
    mem_set(&mx->since, next);
    mx->recovering = false;
    mx->tries = 0;
    mx->narrow = false;
    if (!mx->up) {
        mx->up = true;
        mem_set(&mx->reason, NULL);
        mx->net->up(mx->bot, NULL);
    }
    room_synced(mx, mx->full);
    filter_keep(mx);
    if (mx->private_timer == NULL) {
        private_start(mx);
    }
    invite_resume(mx);
    if (mx->poll == NULL) { /* else room_synced() had reason to ask at once */
        ask(mx);
    }
}

static void ask(struct matrix *mx)
{
    bool first = mx->since == NULL;
    mx->full = mx->want_full;
    mx->want_full = false;
    mx->names = mx->want_names || mx->full || first || mx->recovering;
    mx->want_names = false;
    int limit = (first && !mx->recovering) || mx->narrow ? FIRST_LIMIT : FILTER_LIMIT;
    /* Not up, or not sure of it: an answer at once tells that the server is back, though nobody says anything there. */
    bool at_once = mx->full || !mx->up || mx->tries > 0;
    const char *since = first ? "" : mx->api->print(mx->bot, "&since=%s", call_encode(mx, mx->since));
    /* The first of a run brings all state, so that rights and encryption need not be stored. */
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/sync?set_presence=offline&timeout=%d%s%s&filter=%s",
                               at_once ? 0 : POLL_MS, mx->full && !first ? "&full_state=true" : "", since,
                               filter_value(mx, mx->names, limit)),
        .max_bytes = MAX_REPLY,
        .timeout_ms = mx->full ? 300000 : POLL_MS + 45000,
        .raw = true,
        .handle = &mx->poll,
    };
    if (call_start(mx, &request, on_sync, NULL, NULL) < 0) {
        later(mx, "the request could not be made", -1);
    }
}

void sync_start(struct matrix *mx)
{
    mx->want_full = true;
    ask(mx);
}

void sync_full(struct matrix *mx)
{
    mx->want_full = true;
    if (mx->poll != NULL && !mx->full) { /* nothing is lost: what it would bring comes with the next */
        call_cancel(mx->poll);
        ask(mx);
    }
}

void sync_names(struct matrix *mx)
{
    mx->want_names = true;
    ask(mx);
}

void sync_stop(struct matrix *mx)
{
    mx->api->timer_stop(mx->timer);
    mx->timer = NULL;
    mx->api->timer_stop(mx->save_timer);
    mx->save_timer = NULL;
    filter_stop(mx);
    call_cancel(mx->poll);
    batch_drop(mx);
}
