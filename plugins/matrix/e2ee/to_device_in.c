/* SPDX-License-Identifier: MIT */
/* Messages from devices: handed on by type; what must be encrypted and is not is dropped. */
#include "key_request.h"
#include "olm_session.h"
#include "room_key.h"
#include "verify.h"

#include <string.h>

enum { MOST = 1000 }; /* in one sync reply; servers send 100 */

struct walk {
    struct matrix *mx;
    unsigned count;
};

static bool is_verification(const char *type)
{
    static const char prefix[] = "m.key.verification.";
    return strncmp(type, prefix, sizeof(prefix) - 1) == 0;
}

/* Known, of no use to a bot: it never asked for a secret, it gives none away. */
static bool is_idle(const char *type)
{
    static const char *const idle[] = {"m.dummy", "m.secret.request", "m.secret.send"};
    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        if (strcmp(type, idle[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Means nothing in plain text: anybody could have said it. */
static bool is_secret_kind(const char *type)
{
    return strcmp(type, "m.room_key") == 0 || strcmp(type, "m.forwarded_room_key") == 0;
}

static void take_verification(struct matrix *mx, const char *sender, const char *type, const json_t *content)
{
    if (mx->e2ee->open) { /* else our identity is not what the other side sees; keys are taken all the same */
        verify_to_device(mx, sender, type, content);
    }
}

static void take_plain(struct matrix *mx, const char *sender, const char *type, const json_t *content)
{
    if (is_verification(type)) {
        take_verification(mx, sender, type, content);
    } else if (strcmp(type, "m.room_key_request") == 0) {
        key_request_take(mx, sender, content);
    } else if (strcmp(type, "m.room_key.withheld") == 0 || strcmp(type, "org.matrix.room_key.withheld") == 0) {
        room_key_withheld(mx, sender, content);
    } else if (is_secret_kind(type)) {
        e2ee_refuse(mx, "a key of %s came in plain text (%s): it is left aside", sender, type);
    } else if (!is_idle(type)) {
        e2ee_refuse(mx, "a message between devices from %s is of no known kind: %s", sender, type);
    }
}

static void take_secret(struct matrix *mx, const struct to_device_secret *secret)
{
    const char *sender = secret->peer->user;
    if (strcmp(secret->type, "m.room_key") == 0) {
        room_key_take(mx, secret);
    } else if (strcmp(secret->type, "m.forwarded_room_key") == 0) {
        room_key_forwarded(mx, secret);
    } else if (strcmp(secret->type, "m.room_key.withheld") == 0) {
        room_key_withheld(mx, sender, secret->content);
    } else if (is_verification(secret->type)) {
        take_verification(mx, sender, secret->type, secret->content);
    } else if (!is_idle(secret->type)) {
        e2ee_refuse(mx, "an encrypted message between devices from %s is of no known kind: %s", sender, secret->type);
    }
}

static void take_encrypted(struct matrix *mx, const char *sender, const json_t *content)
{
    struct peer peer;
    json_t *payload = NULL;
    if (olm_session_decrypt(mx, sender, content, &payload, &peer) == HR_OK) {
        const struct to_device_secret secret = {
            .peer = &peer, .type = scan_text(payload, "type"), .content = json_object_get(payload, "content")};
        take_secret(mx, &secret);
        json_decref(payload);
    }
}

static int on_event(void *arg, struct scan json)
{
    struct walk *walk = arg;
    struct scan at = {NULL, 0};
    char type[256], sender[256], err[120];
    if (++walk->count > MOST) {
        e2ee_refuse(walk->mx, "more than %d messages between devices came at once: the rest is left aside", MOST);
        return HR_ELIMIT;
    }
    json_t *content = NULL;
    if (scan_get_string(json, "type", type, sizeof(type)) == HR_OK &&
        scan_get_string(json, "sender", sender, sizeof(sender)) == HR_OK && scan_get(json, "content", &at) == HR_OK) {
        content = scan_load(at, err, sizeof(err));
    }
    if (!json_is_object(content)) {
        e2ee_refuse(walk->mx, "a message between devices can't be read: it is skipped");
    } else if (strcmp(type, "m.room.encrypted") == 0) {
        take_encrypted(walk->mx, sender, content);
    } else {
        take_plain(walk->mx, sender, type, content);
    }
    json_decref(content);
    return HR_OK;
}

void to_device_take(struct matrix *mx, struct scan events)
{
    struct walk walk = {.mx = mx};
    (void)scan_array(events, on_event, &walk);
}
