/* SPDX-License-Identifier: MIT */
/* Reading what single devices sent us, with all checks, and new sessions where one is broken. */
#include "olm_inside.h"

#include "curve.h"
#include "group_out.h"
#include "own_keys.h"

#include <stdlib.h>
#include <string.h>

static const int64_t UNWEDGE_MS = 3600000;

struct message { /* of an m.room.encrypted to-device event; borrowed from its content */
    const char *sender, *curve, *body;
    size_t len;
    int type;
    char hash[BASE64_KEY];
};

static int read_message(struct matrix *mx, const char *sender, const json_t *content, struct message *out)
{
    const char *algorithm = scan_text(content, "algorithm"), *curve = scan_text(content, "sender_key");
    const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
    const json_t *one = json_object_get(json_object_get(content, "ciphertext"), ours->curve25519);
    const json_t *type = json_object_get(one, "type");
    const char *body = scan_text(one, "body");
    uint8_t hash[32];
    if (algorithm == NULL || strcmp(algorithm, DEVICE_KEYS_OLM) != 0 || curve == NULL || body == NULL ||
        curve_check(curve) < 0 || !json_is_integer(type) ||
        (json_integer_value(type) != 0 && json_integer_value(type) != 1)) {
        return HR_EINVAL;
    }
    *out = (struct message){
        .sender = sender, .curve = curve, .body = body, .len = strlen(body), .type = (int)json_integer_value(type)};
    curve_sha256(body, out->len, hash);
    (void)base64_encode(BASE64, hash, sizeof(hash), out->hash);
    return out->len <= RATCHET_MAX_MESSAGE ? HR_OK : HR_ELIMIT;
}

/* ---- decryption ---------------------------------------------------------------------------- */

struct plain {
    char *text; /* secret */
    size_t len;
};

/* With one of the sessions we have. HR_ENOTFOUND: none of them is meant. */
static int decrypt_known(struct matrix *mx, const struct message *message, struct plain *plain)
{
    struct olm_row row[OLM_KEPT];
    size_t count = olm_store_load(mx, message->curve, row, OLM_KEPT);
    int rc = HR_ENOTFOUND;
    for (size_t i = 0; i < count && rc == HR_ENOTFOUND; i++) {
        bool meant =
            message->type == 1 || ratchet_session_matches(row[i].session, message->curve, message->body, message->len);
        if (meant && ratchet_session_decrypt(row[i].session, message->type, message->body, message->len, &plain->text,
                                             &plain->len) == HR_OK) {
            rc = olm_store_save(mx, message->curve, row[i].session, true);
        } else if (meant && message->type == 0) {
            rc = HR_EDENIED; /* its key is used up: never a second session from the same message */
        }
    }
    for (size_t i = 0; i < count; i++) {
        ratchet_session_free(row[i].session);
    }
    return rc;
}

/* A one-time key leaves the account with its first message; a fallback key stays. */
static int use_up(struct matrix *mx, const struct ratchet_session *session)
{
    struct e2ee *e2ee = mx->e2ee;
    char *before = ratchet_account_pickle(e2ee->account, e2ee->pickle_key);
    (void)ratchet_account_remove_key(e2ee->account, session);
    char *after = ratchet_account_pickle(e2ee->account, e2ee->pickle_key);
    bool same = strcmp(before, after) == 0;
    free(before);
    free(after);
    if (same) {
        own_keys_fallback_used(mx);
        return HR_OK;
    }
    return e2ee_account_save(mx);
}

static int decrypt_new(struct matrix *mx, const struct message *message, struct plain *plain)
{
    struct ratchet_session *session = NULL;
    int rc = ratchet_session_inbound(mx->e2ee->account, message->curve, message->body, message->len, &session);
    if (rc < 0) {
        return rc;
    }
    /* What is around the message proper isn't authentic, so a replay may have another hash; the id of the session
     * it makes is the same. */
    if (olm_store_seen(mx, ratchet_session_id(session))) {
        rc = HR_EEXIST;
    }
    rc = rc < 0
             ? rc
             : ratchet_session_decrypt(session, message->type, message->body, message->len, &plain->text, &plain->len);
    rc = rc < 0 ? rc : use_up(mx, session);
    rc = rc < 0 ? rc : olm_store_save(mx, message->curve, session, true);
    if (rc >= 0) {
        olm_store_remember(mx, ratchet_session_id(session));
    }
    ratchet_session_free(session);
    return rc;
}

/* ---- validation of incoming decrypted events --------------------------------------------------- */

static bool is_text(const json_t *object, const char *key, const char *expected)
{
    const char *text = scan_text(object, key);
    return text != NULL && strcmp(text, expected) == 0;
}

/* The device as the message itself proves it, if it does. HR_EDENIED: it lies. */
static int check_device_keys(struct matrix *mx, const struct message *message, const json_t *payload, const char *ed,
                             struct peer *peer, const char **why)
{
    const json_t *object = json_object_get(payload, "sender_device_keys");
    const char *device = scan_text(object, "device_id");
    struct device_keys keys;
    if (object == NULL) {
        object = json_object_get(payload, "org.matrix.msc4147.device_keys");
        device = scan_text(object, "device_id");
    }
    if (object == NULL) {
        return HR_ENOTFOUND;
    }
    if (device == NULL || device_keys_read(object, message->sender, device, &keys, why) != HR_OK) {
        return HR_EDENIED; /* also those of another user: CVE-2026-45056 */
    }
    if (strcmp(keys.curve25519, message->curve) != 0 || strcmp(keys.ed25519, ed) != 0) {
        *why = "the device keys in it are not those it was sent with";
        return HR_EDENIED;
    }
    people_judge(mx, &keys, object, peer);
    return HR_OK;
}

static int check(struct matrix *mx, const struct message *message, const json_t *payload, struct peer *peer,
                 const char **why)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx->e2ee->account);
    const char *ed = scan_text(json_object_get(payload, "keys"), "ed25519");
    struct peer listed, proven;
    *why = "sender, recipient or keys in it are wrong";
    if (!json_is_object(payload) || !is_text(payload, "sender", message->sender) ||
        !is_text(payload, "recipient", mx->user) ||
        !is_text(json_object_get(payload, "recipient_keys"), "ed25519", ours->ed25519) || ed == NULL ||
        curve_check_ed25519(ed) < 0 || scan_text(payload, "type") == NULL ||
        !json_is_object(json_object_get(payload, "content"))) {
        return HR_EDENIED;
    }
    int own_words = check_device_keys(mx, message, payload, ed, &proven, why);
    if (own_words == HR_EDENIED) {
        return HR_EDENIED;
    }
    if (people_by_curve(mx, message->sender, message->curve, &listed) == HR_OK) {
        *why = "its Ed25519 key is not the one of that device";
        *peer = listed;
        return strcmp(listed.ed, ed) == 0 ? HR_OK : HR_EDENIED;
    }
    if (own_words == HR_OK) {
        *why = "that device has other keys in its owner's list";
        bool known = people_device(mx, message->sender, proven.device, &listed) == HR_OK;
        *peer = proven;
        return known ? HR_EDENIED : HR_OK;
    }
    *peer = (struct peer){.trust = TRUST_NONE, .own = strcmp(message->sender, mx->user) == 0};
    memcpy(peer->user, message->sender, strnlen(message->sender, sizeof(peer->user) - 1));
    memcpy(peer->curve, message->curve, BASE64_KEY);
    memcpy(peer->ed, ed, BASE64_KEY);
    return HR_OK;
}

/* ---- a session that is broken -------------------------------------------------------------------- */

struct wedge {
    char user[256], curve[BASE64_KEY];
};

static void on_unwedged(struct matrix *mx, void *arg, const struct peer *reached, size_t reached_count,
                        const struct peer *missed, size_t missed_count)
{
    (void)arg;
    (void)missed;
    (void)missed_count;
    for (size_t i = 0; i < reached_count; i++) {
        group_out_share_again(mx, &reached[i]); /* what it could not read */
    }
}

static void on_fresh(struct matrix *mx, void *arg)
{
    struct wedge *wedge = arg;
    struct peer peer;
    int64_t now_ms = mx->api->wall_ms(mx->bot);
    if (people_by_curve(mx, wedge->user, wedge->curve, &peer) == HR_OK &&
        now_ms - olm_store_peer_ms(mx, &peer, "wedged_ms") >= UNWEDGE_MS &&
        now_ms - olm_store_newest_ms(mx, peer.curve) >= UNWEDGE_MS) { /* also those the other side made */
        json_t *empty = json_object();
        olm_store_set_peer_ms(mx, &peer, "wedged_ms", now_ms);
        mx->api->log(mx->bot, HR_INFO, "a message of %s, device %s, can't be read: making a new session with it",
                     peer.user, peer.device);
        (void)olm_send_start(mx, &peer, 1, "m.dummy", empty, true, on_unwedged, NULL, NULL);
        json_decref(empty);
    }
    free(wedge);
}

/* Strangers can't make us ask for anybody: only people we track. */
static void unwedge(struct matrix *mx, const struct message *message)
{
    if (!people_tracked(mx, message->sender)) {
        return;
    }
    struct wedge *wedge = mem_new(sizeof(*wedge));
    const char *const users[] = {message->sender};
    memcpy(wedge->user, message->sender, strnlen(message->sender, sizeof(wedge->user) - 1));
    memcpy(wedge->curve, message->curve, strnlen(message->curve, sizeof(wedge->curve) - 1));
    people_fresh(mx, users, 1, on_fresh, free, wedge);
}

/* ---- the whole ------------------------------------------------------------------------------------- */

int olm_session_decrypt(struct matrix *mx, const char *sender, const json_t *content, json_t **payload,
                        struct peer *peer)
{
    struct message message;
    struct plain plain = {0};
    const char *why = "";
    char err[120];
    if (read_message(mx, sender, content, &message) < 0) {
        e2ee_refuse(mx, "an encrypted message of %s is malformed, or not for this device", sender);
        return HR_EDENIED;
    }
    if (olm_store_seen(mx, message.hash)) {
        return HR_EEXIST; /* the same sync reply again */
    }
    int rc = decrypt_known(mx, &message, &plain);
    if (rc == HR_ENOTFOUND && message.type == 0) {
        rc = decrypt_new(mx, &message, &plain);
    }
    if (rc == HR_EEXIST) {
        return rc;
    }
    if (rc < 0) {
        mx->api->log(mx->bot, HR_DEBUG, "a message between devices from %s can't be read", sender);
        unwedge(mx, &message);
        return HR_ENOTFOUND;
    }
    olm_store_remember(mx, message.hash);
    json_t *json = scan_load((struct scan){plain.text, plain.len}, err, sizeof(err));
    rc = check(mx, &message, json, peer, &why);
    curve_free(plain.text, plain.len);
    if (rc < 0) {
        e2ee_refuse(mx, "an encrypted message of %s is refused: %s", sender, why);
        json_decref(json);
        return HR_EDENIED;
    }
    *payload = json;
    return HR_OK;
}
