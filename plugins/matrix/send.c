/* SPDX-License-Identifier: MIT */
/* One part to the server. */
#include "send.h"

#include "budget.h"
#include "call.h"
#include "doubt.h"
#include "media.h"
#include "e2ee/e2ee.h"
#include "room.h"
#include "scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Servers forget transaction ids after about a day (Synapse: 24 hours). */
static const int64_t TXN_LIVES_MS = 23LL * 3600 * 1000, NEWS_MS = 2000;

struct sending {
    uint64_t part;
    unsigned attempt;
    void (*settled)(struct matrix *mx, const char *txn);
    char *txn;
};

static void sending_free(void *arg)
{
    struct sending *sending = arg;
    free(sending->txn);
    free(sending);
}

/* Refused in the room: often its levels changed, or the bot was taken out, and the news is on its way. */
static int refused(struct matrix *mx, unsigned attempt, const struct call_reply *reply, const char **reason,
                   int64_t *wait_ms)
{
    *reason = mx->api->print(mx->bot, "the bot may not speak in this room (%s)", reply->words);
    if (attempt == 0) {
        *wait_ms = NEWS_MS;
        return HR_ERETRY;
    }
    room_recheck(mx);
    return HR_EFAIL;
}

/* HR_OK: sent under *id; HR_ERETRY after *wait_ms; HR_EFAIL; with *reason unless HR_OK. */
static int outcome(struct matrix *mx, unsigned attempt, const struct call_reply *reply, const char **reason,
                   int64_t *wait_ms)
{
    *reason = reply->words;
    if (reply->status == HR_OK && scan_text(reply->json, "event_id") != NULL) {
        return HR_OK;
    }
    if (reply->code == 429) {
        *wait_ms = reply->retry_ms > 0 ? reply->retry_ms : 5000;
        budget_limited(mx, *wait_ms);
        *reason = "the server asks for a pause";
        return HR_ERETRY;
    }
    if (reply->status == HR_EFAIL) {
        if (reply->code == 413) {
            *reason = "the message is too long for the server";
        } else if (reply->code == 403 || reply->code == 404) {
            return refused(mx, attempt, reply, reason, wait_ms);
        }
        return HR_EFAIL;
    }
    /* no answer, 5xx, token ended, an answer that can't be read: the same transaction again */
    matrix_error(mx, "a message could not be sent: %s; tried again in %d s",
                 reply->words[0] != '\0' ? reply->words : "the answer can't be read", (int)((*wait_ms + 999) / 1000));
    return HR_ERETRY;
}

static void on_sent(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct sending *sending = arg;
    const char *reason = NULL;
    int64_t wait_ms = matrix_backoff_ms(mx, sending->attempt);
    int rc = outcome(mx, sending->attempt, reply, &reason, &wait_ms);
    if ((rc != HR_ERETRY || sending->part == 0) && sending->settled != NULL) {
        sending->settled(mx, sending->txn);
    }
    if (sending->part == 0) {
        ; /* nobody waits for it */
    } else if (rc == HR_OK) {
        mx->net->sent(mx->bot, sending->part, HR_OK, scan_text(reply->json, "event_id"), 0, NULL);
    } else {
        mx->net->sent(mx->bot, sending->part, rc, NULL, rc == HR_ERETRY ? wait_ms : 0, reason);
    }
    sending_free(sending);
}

int send_put(struct matrix *mx, const struct send_request *what)
{
    struct sending *sending = mem_new(sizeof(*sending));
    struct call_request request = {.method = "PUT", .path = what->path, .body = what->body};
    *sending = (struct sending){.part = what->part,
                                .attempt = what->attempt > 0 ? (unsigned)what->attempt - 1 : 0,
                                .settled = what->settled,
                                .txn = mem_dup(what->txn)};
    if (call_start(mx, &request, on_sent, sending_free, sending) < 0) {
        sending_free(sending);
        return HR_ERETRY;
    }
    return HR_OK;
}

int send_event(struct matrix *mx, struct mx_room *room, const struct hr_part *part, const json_t *event)
{
    const char *type = scan_text(event, "type"), *redacts = scan_text(event, "redacts"), *path;
    const json_t *content = json_object_get(event, "content");
    if (!json_is_object(content) || (type == NULL && redacts == NULL)) {
        return HR_EINVAL;
    }
    if (redacts != NULL) { /* says nothing, and servers have to read it */
        path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/redact/%s/%s", call_encode(mx, room->id),
                              call_encode(mx, redacts), call_encode(mx, part->txn));
    } else if (room->encrypted) { /* never plain text where it was encrypted once */
        return e2ee_send(room, part, type, content);
    } else {
        path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/send/%s/%s", call_encode(mx, room->id),
                              call_encode(mx, type), call_encode(mx, part->txn));
    }
    char *body = json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS);
    struct send_request request = {
        .part = part->id, .attempt = part->attempt, .txn = part->txn, .path = path, .body = body};
    int rc = body != NULL ? send_put(mx, &request) : HR_EINVAL;
    free(body);
    return rc;
}

int send_again(struct matrix *mx, struct mx_room *room, const struct hr_part *part)
{
    if (mx->token == NULL || room->id == NULL || !room->up) {
        return HR_ERETRY;
    }
    json_error_t error;
    json_t *event = json_loadb(part->body, part->body_len, 0, &error);
    int rc =
        json_object_get(event, "media") != NULL ? media_copy(room, part, event) : send_event(mx, room, part, event);
    json_decref(event);
    return rc;
}

/* Does the server no longer know the transaction under which the part may have come? */
static bool is_forgotten(const struct matrix *mx, const struct hr_part *part)
{
    return (part->flags & HR_PART_DOUBT) != 0 &&
           (mx->api->wall_ms(mx->bot) - part->first_ms > TXN_LIVES_MS || part->first_ms < mx->device_since_ms);
}

int send_part(void *state, const struct hr_part *part)
{
    struct matrix *mx = state;
    struct mx_room *room = room_by_address(mx, part->room->address);
    if (room == NULL) {
        mx->net->sent(mx->bot, part->id, HR_EFAIL, NULL, 0, "the bot is not in that room");
        return HR_OK;
    }
    /* An edit or a removal does no harm when it comes twice. */
    if (part->act == HR_ACT_SAY && is_forgotten(mx, part)) {
        return doubt_look_up(mx, room, part);
    }
    return send_again(mx, room, part);
}
