/* SPDX-License-Identifier: MIT */
/* The same content to many devices: with the sessions there are, in slices, and with new ones (olm_claim.c). */
#include "olm_inside.h"

#include "own_keys.h"
#include "to_device.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE = 40 }; /* devices in one callback: 8 ms */

/* ---- one message ------------------------------------------------------------------------------ */

char *olm_send_plaintext(const char *payload, const struct peer *peer)
{
    struct mem_buf buf = {.max = 2 * RATCHET_MAX_PLAINTEXT};
    json_t *user = json_string(peer->user);
    char *quoted = user != NULL ? json_dumps(user, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    mem_puts(&buf, payload);
    mem_puts(&buf, ",\"recipient\":");
    mem_puts(&buf, quoted != NULL ? quoted : "\"\"");
    mem_puts(&buf, ",\"recipient_keys\":{\"ed25519\":\"");
    mem_puts(&buf, peer->ed);
    mem_puts(&buf, "\"}}");
    free(quoted);
    json_decref(user);
    return buf.at;
}

int olm_send_queue(struct matrix *mx, const struct peer *peer, int type, const char *body)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
    json_t *content = json_pack("{s:s, s:s, s:{s:{s:i, s:s}}}", "algorithm", DEVICE_KEYS_OLM, "sender_key",
                                ours->curve25519, "ciphertext", peer->curve, "type", type, "body", body);
    int rc = content != NULL ? to_device_add(mx, "m.room.encrypted", peer->user, peer->device, content) : HR_EINVAL;
    json_decref(content);
    return rc;
}

static enum olm_state with_session(struct olm_send *send, const struct peer *peer)
{
    struct matrix *mx = send->mx;
    struct olm_row row = {0};
    int type = 0;
    char *body = NULL;
    size_t len = 0;
    if (send->fresh || olm_store_load(mx, peer->curve, &row, 1) == 0) {
        return OLM_CLAIM;
    }
    char *text = olm_send_plaintext(send->payload, peer);
    int rc = ratchet_session_encrypt(row.session, text, strlen(text), &type, &body, &len);
    rc = rc < 0 ? rc : olm_store_save(mx, peer->curve, row.session, false);
    rc = rc < 0 ? rc : olm_send_queue(mx, peer, type, body);
    free(text);
    free(body);
    ratchet_session_free(row.session);
    return rc < 0 ? OLM_MISSED : OLM_REACHED;
}

/* A device without a session: asked for, unless that failed a short while ago. */
static enum olm_state without_session(struct olm_send *send, const struct peer *peer)
{
    struct matrix *mx = send->mx;
    bool waits = olm_store_peer_ms(mx, peer, "no_olm_ms") > mx->api->wall_ms(mx->bot);
    return waits || olm_claim_is_dead(mx, peer->user) ? OLM_MISSED : OLM_CLAIM;
}

/* ---- the run of one ------------------------------------------------------------------------------ */

static void send_free(struct olm_send *send)
{
    free(send->type);
    free(send->payload);
    free(send->peer);
    free(send->state);
    free(send);
}

static void unlink_send(struct olm_send *send)
{
    struct olm_sessions *olm = send->mx->e2ee->olm;
    struct olm_send **at = &olm->sends;
    while (*at != send) {
        at = &(*at)->next_send;
    }
    *at = send->next_send;
    if (*at == NULL) {
        olm->sends_end = at;
    }
}

static bool is_whole(const struct olm_send *send)
{
    for (size_t i = 0; i < send->count; i++) {
        if (send->state[i] < OLM_REACHED) {
            return false;
        }
    }
    return send->waiting == 0;
}

static void finish(struct olm_send *send)
{
    struct matrix *mx = send->mx;
    struct peer *sorted = mem_new(send->count * sizeof(*sorted));
    size_t reached = 0, missed = 0;
    for (size_t i = 0; i < send->count; i++) {
        if (send->state[i] == OLM_REACHED) {
            sorted[reached++] = send->peer[i];
        }
    }
    for (size_t i = 0; i < send->count; i++) {
        if (send->state[i] != OLM_REACHED) {
            sorted[reached + missed++] = send->peer[i];
        }
    }
    unlink_send(send);
    if (send->done != NULL) {
        send->done(mx, send->arg, sorted, reached, sorted + reached, missed);
    }
    free(sorted);
    send_free(send);
}

void olm_send_settle(struct olm_send *send, size_t n, enum olm_state state)
{
    static const char withheld[] = "m.room_key.withheld";
    struct matrix *mx = send->mx;
    const struct peer *peer = &send->peer[n];
    send->state[n] = state;
    int64_t until_ms = olm_store_peer_ms(mx, peer, "no_olm_ms"), now_ms = mx->api->wall_ms(mx->bot);
    if (state == OLM_REACHED && until_ms != 0) {
        olm_store_set_peer_ms(mx, peer, "no_olm_ms", 0);
    }
    if (state != OLM_MISSED) {
        return;
    }
    if (until_ms == 0 && strcmp(send->type, "m.room_key") == 0) { /* told once */
        const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
        json_t *content = json_pack("{s:s, s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "code", "m.no_olm",
                                    "sender_key", ours->curve25519, "reason",
                                    "There is no one-time key of this device, so nothing can be encrypted for it.");
        (void)to_device_add(mx, withheld, peer->user, peer->device, content);
        json_decref(content);
    }
    olm_store_set_peer_ms(mx, peer, "no_olm_ms", now_ms + OLM_NO_KEY_MS);
}

/* One slice of the devices not looked at yet. */
static void slice(struct olm_send *send)
{
    for (size_t n = 0; n < SLICE && send->next < send->count; send->next++) {
        const struct peer *peer = &send->peer[send->next];
        if (send->state[send->next] != OLM_TODO) {
            continue;
        }
        enum olm_state state = with_session(send, peer);
        n++;
        send->state[send->next] = state == OLM_CLAIM ? without_session(send, peer) : state;
    }
    (void)to_device_flush(send->mx);
}

static void run(struct matrix *mx)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    if (!mx->e2ee->open) {
        return; /* olm_session_wake() comes */
    }
    for (struct olm_send *send = olm->sends; send != NULL; send = send->next_send) {
        if (send->next < send->count) {
            slice(send);
            olm_send_plan(mx, 0);
            break; /* one slice a callback */
        }
    }
    olm_claim_next(mx);
    for (struct olm_send *send = olm->sends; send != NULL;) {
        if (is_whole(send)) {
            finish(send);
            send = mx->e2ee->olm->sends; /* its callback may have begun others */
        } else {
            send = send->next_send;
        }
    }
}

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->olm->timer = NULL;
    mx->e2ee->olm->soon = false;
    run(mx);
}

void olm_send_plan(struct matrix *mx, int64_t wait_ms)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    if (olm->soon) {
        return;
    }
    mx->api->timer_stop(olm->timer);
    olm->timer = NULL;
    olm->soon = mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &olm->timer) == HR_OK && wait_ms == 0;
}

/* ---- beginning, end ----------------------------------------------------------------------------------- */

static char *make_payload(struct matrix *mx, const char *type, const json_t *content)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
    json_t *json = json_pack("{s:s, s:O, s:s, s:{s:s}, s:o}", "type", type, "content", content, "sender", mx->user,
                             "keys", "ed25519", ours->ed25519, "sender_device_keys", own_keys_object(mx));
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text != NULL) {
        text[strlen(text) - 1] = '\0'; /* the bracket: the recipient follows */
    }
    return text;
}

int olm_send_start(struct matrix *mx, const struct peer *peers, size_t count, const char *type, const json_t *content,
                   bool fresh, olm_many_fn *done, void (*drop)(void *arg), void *arg)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    if (mx->e2ee->account == NULL || mx->e2ee->own_keys == NULL) {
        return HR_ERETRY;
    }
    char *payload = make_payload(mx, type, content);
    if (payload == NULL || strlen(payload) > RATCHET_MAX_PLAINTEXT - 1024) {
        free(payload);
        return HR_EINVAL;
    }
    struct olm_send *send = mem_new(sizeof(*send));
    *send = (struct olm_send){.mx = mx,
                              .type = mem_dup(type),
                              .payload = payload,
                              .peer = mem_new(count * sizeof(*peers)),
                              .state = mem_new(count * sizeof(*send->state)),
                              .count = count,
                              .fresh = fresh,
                              .begun_ms = mx->api->monotonic_ms(mx->bot),
                              .done = done,
                              .drop = drop,
                              .arg = arg};
    if (count > 0) {
        memcpy(send->peer, peers, count * sizeof(*peers));
    }
    *olm->sends_end = send;
    olm->sends_end = &send->next_send;
    olm_send_plan(mx, 0);
    return HR_OK;
}

int olm_session_send(struct matrix *mx, const struct peer *peers, size_t count, const char *type, const json_t *content,
                     olm_many_fn *done, void (*drop)(void *arg), void *arg)
{
    return olm_send_start(mx, peers, count, type, content, false, done, drop, arg);
}

void olm_session_wake(struct matrix *mx)
{
    olm_send_plan(mx, 0);
}

void olm_session_stop(struct matrix *mx)
{
    struct olm_sessions *olm = mx->e2ee->olm;
    if (olm == NULL) {
        return;
    }
    olm_claim_stop(mx);
    mx->api->timer_stop(olm->timer);
    while (olm->sends != NULL) {
        struct olm_send *send = olm->sends;
        olm->sends = send->next_send;
        if (send->drop != NULL) {
            send->drop(send->arg);
        }
        send_free(send);
    }
    free(olm);
    mx->e2ee->olm = NULL;
}
