/* SPDX-License-Identifier: MIT */
/* The keys of our own device on the server. */
#include "own_keys.h"

#include "../call.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_ROUNDS = 5,      /* uploads in a row that the server refuses because it has keys of that name */
    FORGET_MS = 3600000, /* messages that use the old fallback key may still come for so long */
    REFUSED_WAIT_MS = 600000,
};
static const int64_t FALLBACK_MS = INT64_C(7) * 24 * 3600 * 1000; /* a fallback key serves no longer */

struct own_keys {
    bool on_server;           /* the device keys are */
    int64_t fallback_ms;      /* wall clock: the fallback key was made */
    int64_t fallback_used_ms; /* ... the one before it was used; 0: it was not */
    struct call *call;
    struct hr_timer *timer;
    unsigned tries, rounds;
    bool stale; /* the sync under way may have been answered before the server had our upload */
    void (*done)(struct matrix *mx);
    json_t *object;
};

static void upload(struct matrix *mx);

static int save(struct matrix *mx)
{
    const struct own_keys *own = mx->e2ee->own_keys;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_INT(own->on_server), HR_V_INT(own->fallback_ms),
                                    HR_V_INT(own->fallback_used_ms)};
    int rc = mx->api->sql(mx->bot,
                          "UPDATE matrix_crypto SET uploaded = ?2, fallback_ms = ?3, fallback_used_ms = ?4"
                          " WHERE instance = ?1",
                          args, 4, NULL, NULL);
    return rc < 0 ? rc : e2ee_account_save(mx);
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct own_keys *own = arg;
    (void)count;
    own->on_server = column[0].num != 0;
    own->fallback_ms = column[1].num;
    own->fallback_used_ms = column[2].num;
    return HR_OK;
}

json_t *own_keys_object(struct matrix *mx)
{
    struct own_keys *own = mx->e2ee->own_keys;
    if (own->object == NULL) {
        own->object = device_keys_make(mx->e2ee->account, mx->user, mx->e2ee->device);
    }
    return json_incref(own->object);
}

/* ---- making keys ---------------------------------------------------------------------- */

/* So many one-time keys and, where wanted, a new fallback key wait to be uploaded; true if there are any. */
static bool make(struct matrix *mx, int missing, bool fallback)
{
    struct own_keys *own = mx->e2ee->own_keys;
    struct ratchet_account *account = mx->e2ee->account;
    struct ratchet_key waiting[RATCHET_ONE_TIME_KEYS], one;
    size_t have = ratchet_account_unpublished(account, waiting);
    bool has_fallback = ratchet_account_unpublished_fallback(account, &one), changed = false;
    missing = missing > OWN_KEYS_ON_SERVER ? OWN_KEYS_ON_SERVER : missing;
    if (missing > 0 && (size_t)missing > have) {
        changed = ratchet_account_generate(account, (size_t)missing - have) == HR_OK;
    }
    if (fallback && !has_fallback) {
        ratchet_account_generate_fallback(account);
        own->fallback_ms = mx->api->wall_ms(mx->bot);
        own->fallback_used_ms = 0; /* what is the old one now was just given away */
        changed = true;
    }
    if (changed && save(mx) < 0) {
        return false;
    }
    return changed || have > 0 || has_fallback;
}

/* ---- upload ------------------------------------------------------------------------------ */

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->own_keys->timer = NULL;
    upload(mx);
}

static int64_t later(struct matrix *mx, int64_t at_least_ms)
{
    struct own_keys *own = mx->e2ee->own_keys;
    int64_t wait_ms = matrix_backoff_ms(mx, own->tries++);
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &own->timer);
    return wait_ms;
}

static void finish(struct matrix *mx)
{
    struct own_keys *own = mx->e2ee->own_keys;
    void (*done)(struct matrix *) = own->done;
    own->done = NULL;
    if (done != NULL) {
        done(mx);
    }
}

static void on_uploaded(struct matrix *mx, const struct call_reply *reply)
{
    struct own_keys *own = mx->e2ee->own_keys;
    const json_t *counts = json_object_get(reply->json, "one_time_key_counts");
    const json_t *count = json_object_get(counts, "signed_curve25519");
    ratchet_account_mark_published(mx->e2ee->account);
    own->on_server = true;
    own->tries = own->rounds = 0;
    own->stale = mx->poll != NULL;
    if (save(mx) < 0) {
        return;
    }
    if (json_is_integer(count) && json_integer_value(count) < OWN_KEYS_ON_SERVER &&
        make(mx, OWN_KEYS_ON_SERVER - (int)json_integer_value(count), false)) {
        upload(mx); /* they were taken meanwhile */
    }
    finish(mx);
}

/* The server has other keys under the same names: an older copy of the database ran on. Those names
 * are passed; the next ones are new to it. */
static void on_refused(struct matrix *mx, const struct call_reply *reply)
{
    struct own_keys *own = mx->e2ee->own_keys;
    if (reply->code == 400 && own->rounds++ < MAX_ROUNDS) {
        mx->api->log(mx->bot, HR_WARN, "the server did not take our one-time keys: %s; making others", reply->words);
        ratchet_account_mark_published(mx->e2ee->account);
        if (make(mx, OWN_KEYS_ON_SERVER, true)) {
            upload(mx);
        }
        return;
    }
    own->rounds = 0;
    if (own->done != NULL) {
        own->done = NULL;
        e2ee_close(mx, mx->api->print(mx->bot, "the server does not take the keys of our device (%s).", reply->words));
        return;
    }
    matrix_error(mx, "the server does not take our one-time keys: %s; tried again in 10 minutes", reply->words);
    (void)later(mx, REFUSED_WAIT_MS);
}

static void on_upload(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return; /* own_keys_open() comes again */
    }
    if (reply->status == HR_OK) {
        on_uploaded(mx, reply);
    } else if (reply->status == HR_EFAIL) {
        on_refused(mx, reply);
    } else {
        int64_t wait_ms = later(mx, reply->retry_ms);
        if (mx->e2ee->own_keys->done != NULL) {
            matrix_down(mx, mx->api->print(mx->bot, "cannot upload the keys of our device: %s; %s", reply->words,
                                           matrix_next_try(mx, wait_ms)));
        }
    }
}

static void upload(struct matrix *mx)
{
    struct own_keys *own = mx->e2ee->own_keys;
    json_t *body = device_keys_upload(mx->e2ee->account, mx->user, mx->e2ee->device);
    if (!own->on_server) {
        (void)json_object_set_new(body, "device_keys", own_keys_object(mx));
    }
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {
        .method = "POST", .path = "/_matrix/client/v3/keys/upload", .body = text, .handle = &own->call};
    mx->api->timer_stop(own->timer);
    own->timer = NULL;
    if (call_start(mx, &request, on_upload, NULL, NULL) < 0) {
        (void)later(mx, -1);
    }
    free(text);
    json_decref(body);
}

/* ---- what others call ------------------------------------------------------------------------ */

void own_keys_open(struct matrix *mx, bool on_server, void (*done)(struct matrix *mx))
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    own_keys_stop(mx);
    struct own_keys *own = mem_new(sizeof(*own));
    mx->e2ee->own_keys = own;
    (void)mx->api->sql(mx->bot, "SELECT uploaded, fallback_ms, fallback_used_ms FROM matrix_crypto WHERE instance = ?1",
                       args, 1, on_row, own);
    own->on_server = own->on_server && on_server; /* a server that lost them gets them again */
    own->done = done;
    /* What a crash left unpublished goes up again, the same; the sync tells what else is missing. */
    bool any = own->on_server ? make(mx, 0, false) : make(mx, OWN_KEYS_ON_SERVER, true);
    if (any || !own->on_server) {
        upload(mx);
    } else {
        finish(mx);
    }
}

void own_keys_stop(struct matrix *mx)
{
    struct own_keys *own = mx->e2ee->own_keys;
    if (own == NULL) {
        return;
    }
    call_cancel(own->call);
    mx->api->timer_stop(own->timer);
    json_decref(own->object);
    free(own);
    mx->e2ee->own_keys = NULL;
}

void own_keys_counts(struct matrix *mx, int count, bool fallback_unused)
{
    struct own_keys *own = mx->e2ee->own_keys;
    int64_t now_ms = mx->api->wall_ms(mx->bot);
    if (own->fallback_used_ms != 0 && now_ms - own->fallback_used_ms >= FORGET_MS) {
        ratchet_account_forget_fallback(mx->e2ee->account);
        own->fallback_used_ms = 0;
        (void)save(mx);
    }
    if (own->call != NULL || own->timer != NULL) {
        return;
    }
    if (own->stale) { /* else the fallback key would be made twice, and the one given away forgotten */
        own->stale = false;
        return;
    }
    bool old = now_ms - own->fallback_ms >= FALLBACK_MS || now_ms < own->fallback_ms;
    if (make(mx, OWN_KEYS_ON_SERVER - (count < 0 ? 0 : count), !fallback_unused || old)) {
        upload(mx);
    }
}

void own_keys_fallback_used(struct matrix *mx)
{
    struct own_keys *own = mx->e2ee->own_keys;
    if (own->fallback_used_ms == 0) {
        own->fallback_used_ms = mx->api->wall_ms(mx->bot);
        (void)save(mx);
    }
}
