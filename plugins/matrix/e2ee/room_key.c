/* SPDX-License-Identifier: MIT */
/* Messages between devices that bring room keys, or say why there are none. */
#include "room_key.h"

#include "group_in.h"
#include "group_late.h"
#include "key_request.h"

#include <string.h>

void room_key_take(struct matrix *mx, const struct to_device_secret *secret)
{
    const json_t *content = secret->content;
    const char *algorithm = scan_text(content, "algorithm"), *room_id = scan_text(content, "room_id");
    const char *session = scan_text(content, "session_id"), *key = scan_text(content, "session_key");
    if (algorithm == NULL || strcmp(algorithm, DEVICE_KEYS_MEGOLM) != 0 || room_id == NULL || room_id[0] != '!' ||
        session == NULL || key == NULL) {
        e2ee_refuse(mx, "a room key of %s is not one", secret->peer->user);
        return;
    }
    const struct group_key taken = {
        .room_id = room_id,
        .session = session,
        .key = key,
        .origin = GROUP_DIRECT,
        .sender = secret->peer->user,
        .sender_curve = secret->peer->curve,
        .sender_ed = secret->peer->ed,
        .shared_history = json_is_true(json_object_get(content, "shared_history")),
    };
    int rc = group_in_take(mx, &taken);
    if (rc < 0) {
        e2ee_refuse(mx, "a room key of %s for %s was refused: %s", secret->peer->user, room_id,
                    rc == HR_EDENIED ? "it is not the session it says" : "it can't be read");
    }
}

void room_key_forwarded(struct matrix *mx, const struct to_device_secret *secret)
{
    const json_t *content = secret->content;
    const char *room_id = scan_text(content, "room_id"), *session = scan_text(content, "session_id");
    const char *curve = scan_text(content, "sender_key");
    if (!secret->peer->own || secret->peer->trust < TRUST_SIGNED || secret->peer->trust == TRUST_CHANGED ||
        room_id == NULL || session == NULL || curve == NULL || !key_request_asked(mx, room_id, session)) {
        e2ee_refuse(mx, "a forwarded room key of %s was not asked for", secret->peer->user);
        return;
    }
    const struct group_key taken = {
        .room_id = room_id,
        .session = session,
        .key = scan_text(content, "session_key"),
        .exported = true,
        .origin = GROUP_FORWARDED,
        .sender_curve = curve,
        .sender_ed = scan_text(content, "sender_claimed_ed25519_key"),
        .shared_history = json_is_true(json_object_get(content, "shared_history")),
    };
    if (taken.key == NULL || group_in_take(mx, &taken) < 0) {
        e2ee_refuse(mx, "a forwarded room key of %s could not be read", secret->peer->user);
    }
}

void room_key_withheld(struct matrix *mx, const char *sender, const json_t *content)
{
    static const char *const codes[] = {"m.unverified", "m.blacklisted", "m.unauthorised", "m.unavailable"};
    const char *room_id = scan_text(content, "room_id"), *session = scan_text(content, "session_id");
    const char *code = scan_text(content, "code");
    (void)sender; /* anybody can say so: it explains, it decides nothing */
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (room_id != NULL && session != NULL && code != NULL && strcmp(code, codes[i]) == 0 &&
            group_late_waits(mx, room_id, session)) {
            const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session), HR_V_STR(code),
                                            HR_V_INT(mx->api->wall_ms(mx->bot))};
            (void)mx->api->sql(mx->bot,
                               "INSERT OR REPLACE INTO matrix_withheld(instance, room_id, session, code, at_ms)"
                               " VALUES(?1, ?2, ?3, ?4, ?5)",
                               args, 5, NULL, NULL);
        }
    }
}
