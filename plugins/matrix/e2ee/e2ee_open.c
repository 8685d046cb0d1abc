/* SPDX-License-Identifier: MIT */
/* From a login to keys on the server: what it shows of us decides whether ours are used, made, or none. */
#include "../call.h"
#include "../login.h"
#include "backup.h"
#include "own_identity.h"
#include "own_keys.h"
#include "olm_session.h"
#include "people.h"
#include "to_device.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_REPLY = 16 * 1024 * 1024 };

static void ask(struct matrix *mx);

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->timer = NULL;
    ask(mx);
}

static void later(struct matrix *mx, const char *words, int64_t at_least_ms)
{
    struct e2ee *e2ee = mx->e2ee;
    int64_t wait_ms = matrix_backoff_ms(mx, e2ee->tries++);
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    matrix_down(mx, mx->api->print(mx->bot, "cannot ask %s for the keys of %s: %s; %s", mx->homeserver, mx->user, words,
                                   matrix_next_try(mx, wait_ms)));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &e2ee->timer);
}

static void ready(struct matrix *mx)
{
    void (*fn)(struct matrix *) = mx->e2ee->ready;
    mx->e2ee->ready = NULL;
    if (fn != NULL) {
        fn(mx);
    }
}

void e2ee_close(struct matrix *mx, const char *why)
{
    mem_set(&mx->e2ee->why, why);
    mx->e2ee->open = false;
    matrix_error(mx, "encrypted rooms can't be used: %s", why);
    ready(mx);
}

/* ---- our device -------------------------------------------------------------------------- */

/* What an earlier device of ours had is of no use to this one, and its ratchets must not be turned again. */
static void forget_device(struct matrix *mx)
{
    static const char *const tables[] = {"matrix_crypto", "matrix_olm", "matrix_group_out", "matrix_group_shared",
                                         "matrix_sealed"};
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        const char *sql = mx->api->print(mx->bot, "DELETE FROM %s WHERE instance = ?1", tables[i]);
        (void)mx->api->sql(mx->bot, sql, args, 1, NULL, NULL);
    }
    to_device_forget(mx);
}

static int make_account(struct matrix *mx)
{
    struct e2ee *e2ee = mx->e2ee;
    forget_device(mx);
    e2ee->account = ratchet_account_new();
    e2ee->lost = false;
    mem_set(&e2ee->device, mx->device);
    return e2ee_account_save(mx);
}

/* Whether the server shows the same keys for our device. */
static bool are_ours(struct matrix *mx, const json_t *device)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
    const json_t *keys = json_object_get(device, "keys");
    const char *curve = scan_text(keys, mx->api->print(mx->bot, "curve25519:%s", mx->device));
    const char *ed = scan_text(keys, mx->api->print(mx->bot, "ed25519:%s", mx->device));
    return curve != NULL && ed != NULL && strcmp(curve, ours->curve25519) == 0 && strcmp(ed, ours->ed25519) == 0;
}

static void on_identity(struct matrix *mx)
{
    struct e2ee *e2ee = mx->e2ee;
    e2ee->open = true;
    e2ee->tries = 0;
    mem_set(&e2ee->why, NULL);
    people_wake(mx);
    to_device_wake(mx);
    olm_session_wake(mx);
    backup_open(mx);
    ready(mx);
}

/* ---- what the server shows ----------------------------------------------------------------- */

static json_t *member(struct scan reply, const char *kind, const char *user, const char *device)
{
    struct scan at;
    char err[120];
    if (scan_get(reply, kind, &at) < 0 || scan_get(at, user, &at) < 0 ||
        (device != NULL && scan_get(at, device, &at) < 0)) {
        return NULL;
    }
    json_t *json = scan_load(at, err, sizeof(err));
    if (!json_is_object(json)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static void on_own_keys(struct matrix *mx);

/* The keys of our device are settled or cannot be: false. */
static bool settle_account(struct matrix *mx, const json_t *device)
{
    struct e2ee *e2ee = mx->e2ee;
    if (e2ee->account == NULL && device != NULL) {
        login_anew(mx, mx->api->print(mx->bot,
                                      "Device %s has keys that this database does not have: it is an older copy, or "
                                      "another program uses the same token. Make a new token, put it into token_file, "
                                      "and restart.",
                                      mx->device));
        return false;
    }
    if (e2ee->account != NULL && device != NULL && !are_ours(mx, device)) {
        login_refuse(mx, mx->api->print(mx->bot,
                                        "Another bot or program uses device %s of %s with keys of its own. Two can't "
                                        "share a device: stop the other one, or give this one a login of its own "
                                        "(a new token in token_file, or an empty database), then restart.",
                                        mx->device, mx->user));
        return false;
    }
    return e2ee->account != NULL || make_account(mx) == HR_OK;
}

static void on_shown(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct scan all = {reply->body, reply->body_len}, keys;
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return; /* the session has ended; e2ee_open() comes again */
    }
    if (reply->status == HR_EFAIL) {
        e2ee_close(mx, mx->api->print(mx->bot, "the server does not tell the keys of our account (%s).", reply->words));
        return;
    }
    if (reply->status != HR_OK || scan_get(all, "device_keys", &keys) < 0) {
        later(mx, reply->status != HR_OK ? reply->words : "the reply is not one of a Matrix server", reply->retry_ms);
        return;
    }
    json_t *device = member(all, "device_keys", mx->user, mx->device);
    if (settle_account(mx, device)) {
        own_keys_open(mx, device != NULL, on_own_keys);
    }
    json_decref(device);
}

/* Asked again now that the device has its keys: what the identity compares is what others see. */
static void on_shown_again(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct scan all = {reply->body, reply->body_len}, keys;
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return;
    }
    if (reply->status != HR_OK || scan_get(all, "device_keys", &keys) < 0) {
        later(mx, reply->status != HR_OK ? reply->words : "the reply is not one of a Matrix server", reply->retry_ms);
        return;
    }
    json_t *device = member(all, "device_keys", mx->user, mx->device);
    json_t *master = member(all, "master_keys", mx->user, NULL);
    json_t *self_signing = member(all, "self_signing_keys", mx->user, NULL);
    json_t *user_signing = member(all, "user_signing_keys", mx->user, NULL);
    const struct own_shown shown = {device, master, self_signing, user_signing};
    own_identity_open(mx, &shown, on_identity);
    json_decref(device);
    json_decref(master);
    json_decref(self_signing);
    json_decref(user_signing);
}

static void query(struct matrix *mx, call_fn *fn)
{
    json_t *body = json_pack("{s:{s:[]}}", "device_keys", mx->user);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {.method = "POST",
                                   .path = "/_matrix/client/v3/keys/query",
                                   .body = text,
                                   .max_bytes = MAX_REPLY,
                                   .raw = true,
                                   .handle = &mx->e2ee->opening};
    if (call_start(mx, &request, fn, NULL, NULL) < 0) {
        later(mx, "the request could not be made", -1);
    }
    free(text);
    json_decref(body);
}

static void on_own_keys(struct matrix *mx)
{
    query(mx, on_shown_again);
}

static void ask(struct matrix *mx)
{
    query(mx, on_shown);
}

void e2ee_open(struct matrix *mx, void (*fn)(struct matrix *mx))
{
    struct e2ee *e2ee = mx->e2ee;
    if (e2ee->account != NULL && strcmp(e2ee->device, mx->device) != 0) { /* what the old one had is dropped */
        e2ee_stop(mx);
        if (e2ee_start(mx) < 0) {
            login_refuse(mx, "The keys of encryption could not be read from the database. Restart.");
            return;
        }
        e2ee = mx->e2ee;
        ratchet_account_free(e2ee->account);
        e2ee->account = NULL;
        mem_set(&e2ee->device, NULL);
    }
    mx->api->timer_stop(e2ee->timer);
    e2ee->timer = NULL;
    call_cancel(e2ee->opening);
    e2ee->open = false;
    e2ee->ready = fn;
    if (mx->api->trial(mx->bot)) { /* a look at the account: no key of it goes to the server */
        ready(mx);
    } else {
        ask(mx);
    }
}
