/* SPDX-License-Identifier: MIT */
/* Asking our own other devices for a room key, and answering those who may have one. */
#include "key_request.h"

#include "group_in.h"
#include "group_out.h"
#include "olm_session.h"
#include "to_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_A_MINUTE = 60, MOST_OPEN = 1000 };

/* ---- asking ------------------------------------------------------------------------------------ */

static int on_any_device(void *arg, const struct peer *peer)
{
    *(bool *)arg = *(bool *)arg || (peer->trust >= TRUST_SIGNED && peer->trust != TRUST_CHANGED);
    return HR_OK;
}

static void send(struct matrix *mx, const char *action, const char *request, const json_t *body)
{
    json_t *content = json_pack("{s:s, s:s, s:s, s:O*}", "action", action, "request_id", request,
                                "requesting_device_id", mx->device, "body", body);
    (void)to_device_add(mx, "m.room_key_request", mx->user, "*", content);
    (void)to_device_flush(mx);
    json_decref(content);
}

static int on_request(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    mem_set(arg, column[0].str);
    return HR_OK;
}

static char *request_of(struct matrix *mx, const char *room_id, const char *session)
{
    char *request = NULL;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session)};
    (void)mx->api->sql(mx->bot,
                       "SELECT request FROM matrix_key_request WHERE instance = ?1 AND room_id = ?2 AND session = ?3",
                       args, 3, on_request, &request);
    return request;
}

static int on_count(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

void key_request_ask(struct matrix *mx, const char *room_id, const char *session)
{
    bool somebody = false;
    uint8_t dice[8];
    char request[20];
    (void)people_devices(mx, mx->user, on_any_device, &somebody);
    if (!somebody || mx->api->random(mx->bot, dice, sizeof(dice)) < 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(dice); i++) {
        snprintf(request + 2 * i, 3, "%02x", dice[i]);
    }
    char *before = request_of(mx, room_id, session);
    int64_t open = 0;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session), HR_V_STR(request),
                                    HR_V_INT(mx->api->wall_ms(mx->bot))};
    (void)mx->api->sql(mx->bot, "SELECT count(*) FROM matrix_key_request WHERE instance = ?1", args, 1, on_count,
                       &open);
    if (before == NULL && open < MOST_OPEN && /* else it was asked for before, or somebody makes up sessions */
        mx->api->sql(mx->bot,
                     "INSERT INTO matrix_key_request(instance, room_id, session, request, at_ms)"
                     " VALUES(?1, ?2, ?3, ?4, ?5)",
                     args, 5, NULL, NULL) == HR_OK) {
        json_t *body =
            json_pack("{s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id", room_id, "session_id", session);
        send(mx, "request", request, body);
        json_decref(body);
    }
    free(before);
}

bool key_request_asked(struct matrix *mx, const char *room_id, const char *session)
{
    char *request = request_of(mx, room_id, session);
    free(request);
    return request != NULL;
}

void key_request_cancel(struct matrix *mx, const char *room_id, const char *session)
{
    char *request = request_of(mx, room_id, session);
    if (request != NULL) {
        const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(session)};
        (void)mx->api->sql(mx->bot,
                           "DELETE FROM matrix_key_request WHERE instance = ?1 AND room_id = ?2 AND session = ?3", args,
                           3, NULL, NULL);
        send(mx, "request_cancellation", request, NULL);
    }
    free(request);
}

/* ---- answering --------------------------------------------------------------------------------------- */

static bool too_many(struct matrix *mx)
{
    int64_t now_ms = mx->api->monotonic_ms(mx->bot);
    if (now_ms - mx->e2ee->answers_since_ms >= 60000) {
        mx->e2ee->answers_since_ms = now_ms;
        mx->e2ee->answers = 0;
    }
    return ++mx->e2ee->answers > ANSWERS_A_MINUTE;
}

static void on_answered(struct matrix *mx, void *arg, const struct peer *reached, size_t reached_count,
                        const struct peer *missed, size_t missed_count)
{
    (void)mx, (void)arg, (void)reached, (void)reached_count, (void)missed, (void)missed_count;
}

static void answer(struct matrix *mx, const struct peer *peer, const char *room_id, const char *session, uint32_t from)
{
    struct group_export export;
    char key[RATCHET_EXPORTED_KEY];
    if (group_in_export(mx, room_id, session, from, &export, key) < 0) {
        return;
    }
    json_t *content = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:b}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id",
                                room_id, "session_id", session, "session_key", key, "sender_key", export.sender_curve,
                                "sender_claimed_ed25519_key", export.sender_ed, "forwarding_curve25519_key_chain",
                                "shared_history", export.shared_history);
    explicit_bzero(key, sizeof(key));
    (void)olm_session_send(mx, peer, 1, "m.forwarded_room_key", content, on_answered, NULL, NULL);
    json_decref(content);
}

void key_request_take(struct matrix *mx, const char *sender, const json_t *content)
{
    const char *action = scan_text(content, "action"), *device = scan_text(content, "requesting_device_id");
    const json_t *body = json_object_get(content, "body");
    const char *room_id = scan_text(body, "room_id"), *session = scan_text(body, "session_id");
    struct peer peer;
    uint32_t from = 0;
    if (action == NULL || strcmp(action, "request") != 0 || device == NULL || room_id == NULL || session == NULL ||
        people_device(mx, sender, device, &peer) < 0) {
        return;
    }
    bool ours = peer.own && peer.trust >= TRUST_SIGNED && peer.trust != TRUST_CHANGED;
    if (!ours && (peer.trust == TRUST_CHANGED || group_out_shared_from(mx, session, &peer, &from) < 0)) {
        return; /* never had it, or may have it no more: gets no answer */
    }
    if (too_many(mx)) {
        return; /* counted behind the question who may ask: strangers use up nothing */
    }
    answer(mx, &peer, room_id, session, from);
}
