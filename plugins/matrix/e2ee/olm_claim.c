/* SPDX-License-Identifier: MIT */
/* New sessions: one-time keys are claimed in slices; each slice is checked, made and used on another thread. */
#include "olm_inside.h"

#include "../call.h"
#include "curve.h"
#include "to_device.h"

#include <stdlib.h>
#include <string.h>

enum {
    SERVER_WAIT_MS = 10000, /* what our server may wait for others */
    REQUEST_MS = 30000,
    GIVE_UP_MS = 60000, /* our own server gives no answer */
    DEAD_MS = 120000,
    MAX_REPLY = 8 * 1024 * 1024,
};

struct item {
    struct peer peer;
    size_t n;   /* in the send */
    int status; /* HR_OK: the rest is filled; HR_ENOTFOUND: no key; else a bad one */
    char id[BASE64_KEY];
    char *pickle, *body;
    int type;
};

struct olm_slice {     /* handed to another thread as a whole */
    struct matrix *mx; /* NULL: the plugin went on without it */
    struct olm_send *send;
    struct item item[OLM_CLAIM_AT_ONCE];
    size_t count;
    char *payload, *account, *reply; /* account: a pickle */
    size_t reply_len;
    uint8_t pickle_key[RATCHET_PICKLE_KEY];
    struct olm_slice *next;
};

/* ---- on another thread ---------------------------------------------------------------------- */

static void make_session(struct olm_slice *slice, const struct ratchet_account *account, struct item *item,
                         const char *key)
{
    struct ratchet_session *session = NULL;
    size_t len = 0;
    int rc = ratchet_session_outbound(account, item->peer.curve, key, &session);
    if (rc == HR_OK) {
        char *text = olm_send_plaintext(slice->payload, &item->peer);
        rc = ratchet_session_encrypt(session, text, strlen(text), &item->type, &item->body, &len);
        free(text);
    }
    if (rc == HR_OK) {
        memcpy(item->id, ratchet_session_id(session), BASE64_KEY);
        item->pickle = ratchet_session_pickle(session, slice->pickle_key);
    }
    ratchet_session_free(session);
    item->status = rc;
}

static json_t *claimed(struct scan keys, const struct item *item)
{
    struct scan at;
    char err[120];
    if (scan_get(keys, item->peer.user, &at) < 0 || scan_get(at, item->peer.device, &at) < 0) {
        return NULL;
    }
    return scan_load(at, err, sizeof(err));
}

static void work(void *arg)
{
    struct olm_slice *slice = arg;
    struct ratchet_account *account = NULL;
    struct scan keys = {"{}", 2};
    if (ratchet_account_unpickle(slice->account, strlen(slice->account), slice->pickle_key, &account) < 0) {
        return; /* can't be: it was pickled just now. Nobody is reached */
    }
    (void)scan_get((struct scan){slice->reply, slice->reply_len}, "one_time_keys", &keys);
    for (size_t i = 0; i < slice->count; i++) {
        struct item *item = &slice->item[i];
        struct device_keys device = {.olm = true};
        char key[BASE64_KEY];
        json_t *object = claimed(keys, item);
        memcpy(device.user, item->peer.user, sizeof(device.user));
        memcpy(device.device, item->peer.device, sizeof(device.device));
        memcpy(device.ed25519, item->peer.ed, BASE64_KEY);
        memcpy(device.curve25519, item->peer.curve, BASE64_KEY);
        item->status = object != NULL ? device_keys_claimed(object, &device, key) : HR_ENOTFOUND;
        json_decref(object);
        if (item->status == HR_OK) {
            make_session(slice, account, item, key);
        }
    }
    ratchet_account_free(account);
}

/* ---- slices ------------------------------------------------------------------------------------- */

static void slice_free(struct olm_slice *slice)
{
    if (slice->mx != NULL) {
        struct olm_slice **at = &slice->mx->e2ee->olm->slices;
        while (*at != slice) {
            at = &(*at)->next;
        }
        *at = slice->next;
        slice->send->waiting--;
    }
    for (size_t i = 0; i < slice->count; i++) {
        free(slice->item[i].pickle);
        free(slice->item[i].body);
    }
    free(slice->payload);
    free(slice->account);
    free(slice->reply);
    curve_wipe(slice->pickle_key, sizeof(slice->pickle_key));
    free(slice);
}

static void slice_drop(void *arg)
{
    slice_free(arg);
}

/* All of its devices, as they were or as missed. */
static void slice_give_up(struct olm_slice *slice, bool again)
{
    for (size_t i = 0; i < slice->count; i++) {
        slice->send->state[slice->item[i].n] = again ? OLM_CLAIM : OLM_MISSED;
    }
    slice_free(slice);
}

static struct olm_slice *slice_new(struct matrix *mx, struct olm_send *send)
{
    struct olm_slice *slice = mem_new(sizeof(*slice));
    for (size_t i = 0; i < send->count && slice->count < OLM_CLAIM_AT_ONCE; i++) {
        if (send->state[i] == OLM_CLAIM && olm_claim_is_dead(mx, send->peer[i].user)) {
            send->state[i] = OLM_MISSED;
        } else if (send->state[i] == OLM_CLAIM && !send->fresh && olm_store_newest_ms(mx, send->peer[i].curve) > 0) {
            send->state[i] = OLM_TODO; /* somebody made one meanwhile */
            send->next = i < send->next ? i : send->next;
        } else if (send->state[i] == OLM_CLAIM) {
            struct item *item = &slice->item[slice->count++];
            item->peer = send->peer[i];
            item->n = i;
            item->status = HR_EFAIL;
            send->state[i] = OLM_CLAIMING;
        }
    }
    if (slice->count == 0) {
        free(slice);
        return NULL;
    }
    slice->mx = mx;
    slice->send = send;
    slice->next = mx->e2ee->olm->slices;
    mx->e2ee->olm->slices = slice;
    send->waiting++;
    return slice;
}

/* ---- servers that do not answer --------------------------------------------------------------------- */

bool olm_claim_is_dead(struct matrix *mx, const char *user)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    int64_t now_ms = mx->api->monotonic_ms(mx->bot);
    const char *server = matrix_server(user);
    for (size_t i = 0; i < olm->dead_count; i++) {
        if (olm->dead[i].until_ms > now_ms && strcmp(olm->dead[i].server, server) == 0) {
            return true;
        }
    }
    return false;
}

static int on_failure(void *arg, const char *server, struct scan value)
{
    struct matrix *mx = arg;
    struct olm_sessions *olm = mx->e2ee->olm;
    size_t n = 0;
    (void)value;
    if (strlen(server) >= sizeof(olm->dead[0].server)) {
        return HR_OK;
    }
    for (size_t i = 1; i < olm->dead_count; i++) { /* the one known, or the one that is over first */
        bool better = olm->dead[i].until_ms < olm->dead[n].until_ms && strcmp(olm->dead[n].server, server) != 0;
        n = strcmp(olm->dead[i].server, server) == 0 || better ? i : n;
    }
    if (olm->dead_count < OLM_DEAD_SERVERS && (olm->dead_count == 0 || strcmp(olm->dead[n].server, server) != 0)) {
        n = olm->dead_count++;
    }
    memcpy(olm->dead[n].server, server, strlen(server) + 1);
    olm->dead[n].until_ms = mx->api->monotonic_ms(mx->bot) + DEAD_MS;
    return HR_OK;
}

/* ---- results ------------------------------------------------------------------------------------------- */

static void take(struct matrix *mx, struct olm_send *send, struct item *item)
{
    int rc = item->status;
    if (rc == HR_OK) {
        rc = olm_store_put(mx, item->peer.curve, item->id, item->pickle, true);
        rc = rc < 0 ? rc : olm_send_queue(mx, &item->peer, item->type, item->body);
        olm_send_settle(send, item->n, rc < 0 ? OLM_MISSED : OLM_REACHED);
        return;
    }
    if (rc == HR_ENOTFOUND && olm_claim_is_dead(mx, item->peer.user)) {
        send->state[item->n] = OLM_MISSED; /* its server is away, the device may have keys */
        return;
    }
    if (rc != HR_ENOTFOUND) {
        e2ee_refuse(mx, "a one-time key of %s, device %s, is refused: it is not signed by that device", item->peer.user,
                    item->peer.device);
    }
    olm_send_settle(send, item->n, OLM_MISSED);
}

static void on_worked(void *arg)
{
    struct olm_slice *slice = arg;
    struct matrix *mx = slice->mx;
    if (mx == NULL) {
        slice_free(slice);
        return;
    }
    for (size_t i = 0; i < slice->count; i++) {
        take(mx, slice->send, &slice->item[i]);
    }
    (void)to_device_flush(mx);
    slice_free(slice);
    mx->e2ee->olm->working--;
    olm_send_plan(mx, 0);
}

static void on_dropped(void *arg)
{
    struct olm_slice *slice = arg;
    if (slice->mx != NULL) {
        slice->mx->e2ee->olm->working--;
    }
    slice_free(slice);
}

static void on_reply(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct olm_slice *slice = arg;
    struct olm_send *send = slice->send;
    struct scan failures;
    if (reply->status != HR_OK) {
        bool refused = (reply->status == HR_EFAIL && reply->code != 401) || reply->status == HR_ELIMIT;
        bool again = !refused && mx->api->monotonic_ms(mx->bot) - send->begun_ms < GIVE_UP_MS;
        int64_t wait_ms = again ? matrix_backoff_ms(mx, send->tries++) : 0;
        slice_give_up(slice, again);
        olm_send_plan(mx, reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms);
        return;
    }
    if (scan_get((struct scan){reply->body, reply->body_len}, "failures", &failures) == HR_OK) {
        (void)scan_object(failures, on_failure, mx);
    }
    slice->reply = mem_copy(reply->body, reply->body_len);
    slice->reply_len = reply->body_len;
    slice->payload = mem_dup(send->payload);
    memcpy(slice->pickle_key, mx->e2ee->pickle_key, sizeof(slice->pickle_key));
    slice->account = ratchet_account_pickle(mx->e2ee->account, mx->e2ee->pickle_key);
    if (mx->api->work(mx->bot, work, on_worked, on_dropped, slice) < 0) {
        slice_give_up(slice, false);
    } else {
        mx->e2ee->olm->working++;
    }
    olm_send_plan(mx, 0); /* the next slice is asked for meanwhile */
}

static void ask(struct matrix *mx, struct olm_slice *slice)
{
    json_t *users = json_object(), *body = json_pack("{s:i}", "timeout", SERVER_WAIT_MS);
    for (size_t i = 0; i < slice->count; i++) {
        json_t *devices = json_object_get(users, slice->item[i].peer.user);
        if (devices == NULL) {
            devices = json_object();
            (void)json_object_set_new(users, slice->item[i].peer.user, devices);
        }
        (void)json_object_set_new(devices, slice->item[i].peer.device, json_string("signed_curve25519"));
    }
    (void)json_object_set_new(body, "one_time_keys", users);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {.method = "POST",
                                   .path = "/_matrix/client/v3/keys/claim",
                                   .body = text,
                                   .max_bytes = MAX_REPLY,
                                   .timeout_ms = REQUEST_MS,
                                   .raw = true,
                                   .handle = &mx->e2ee->olm->claim};
    if (call_start(mx, &request, on_reply, slice_drop, slice) < 0) {
        slice_give_up(slice, false);
    }
    free(text);
    json_decref(body);
}

void olm_claim_next(struct matrix *mx)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    if (olm->claim != NULL || olm->working >= OLM_SLICES || mx->token == NULL) {
        return;
    }
    for (struct olm_send *send = olm->sends; send != NULL; send = send->next_send) {
        struct olm_slice *slice = slice_new(mx, send);
        if (slice != NULL) {
            ask(mx, slice);
            return;
        }
        if (send->next < send->count) {
            olm_send_plan(mx, 0); /* sessions that came meanwhile are used */
        }
    }
}

void olm_claim_stop(struct matrix *mx)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    call_cancel(olm->claim);
    for (struct olm_slice *slice = olm->slices, *next; slice != NULL; slice = next) {
        next = slice->next;
        slice->mx = NULL; /* a thread works on it: on_worked() frees it */
    }
    olm->slices = NULL;
}
