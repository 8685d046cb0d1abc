/* SPDX-License-Identifier: MIT */
/* Consent to carry an encrypted room to other networks. */
#include "consent.h"

#include "call.h"
#include "e2ee/e2ee.h"
#include "room.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_PINNED = 50 };

static const char *words(struct matrix *mx, const char *id)
{
    return mx->api->words(mx->bot, id, NULL);
}

bool consent_seal(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    bool sealed = room->encrypted && !room->private && e2ee_agreed(room)[0] == '\0';
    if (room->encrypted && !room->private) {
        mx->net->seal(mx->bot, room->address, sealed);
    }
    return sealed;
}

void consent_look(struct mx_room *room)
{
    if (consent_seal(room)) {
        room_say(room, words(room->mx, "M02"), room->mx->api->print(room->mx->bot, "sealed:%s", room->id));
    }
}

/* ---- the command ---------------------------------------------------------------------------- */

/* What the host was told of the seal is not taken back with a callback that is undone: that comes last. */
static int decide(struct matrix *mx, struct mx_room *room, const struct hr_call *call, bool yes)
{
    const struct hr_person *author = &call->message->author;
    const char *who = author->account[0] != '\0' ? author->account : author->id;
    int rc = e2ee_agree(room, yes ? who : "");
    rc = rc < 0 ? rc : mx->api->answer(mx->bot, call, words(mx, yes ? "M03" : "M04"));
    if (rc < 0) {
        return rc;
    }
    mx->api->log(mx->bot, HR_INFO, "%s %s that %s is carried to other networks", who,
                 yes ? "agreed" : "no longer wants", room->address);
    room->pin_notice = yes;
    consent_look(room);
    return HR_OK;
}

int consent_command(void *state, const struct hr_call *call)
{
    struct matrix *mx = state;
    struct mx_room *room = strcmp(call->room->network, mx->name) == 0 ? room_by_address(mx, call->room->address) : NULL;
    bool yes = call->argc == 2 && strcasecmp(call->argv[1], "yes") == 0;
    bool no = call->argc == 2 && strcasecmp(call->argv[1], "no") == 0;
    const char *answer;
    if (call->in_private) {
        answer = "M07";
    } else if (room == NULL || !room->encrypted) {
        answer = "M06";
    } else if ((!yes && !no) || strcasecmp(call->argv[0], "encrypted") != 0) {
        answer = "M05";
    } else {
        return decide(mx, room, call, yes);
    }
    return mx->api->answer(mx->bot, call, words(mx, answer));
}

/* ---- the notice, pinned --------------------------------------------------------------------- */

struct pin {
    char *room_id, *event_id;
};

static void pin_free(void *arg)
{
    struct pin *pin = arg;
    free(pin->room_id);
    free(pin->event_id);
    free(pin);
}

static const char *path_of(struct matrix *mx, const struct pin *pin)
{
    return mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/state/m.room.pinned_events/",
                          call_encode(mx, pin->room_id));
}

static void on_pinned(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    const struct pin *pin = arg;
    if (reply->status != HR_OK) {
        matrix_error(mx,
                     "the notice that %s is carried to other networks could not be pinned (%s): pin it yourself, or "
                     "let the bot change pinned messages",
                     pin->room_id, reply->words);
    }
    pin_free(arg);
}

static void on_read(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct pin *pin = arg;
    json_t *list = json_array(), *content, *before = json_object_get(reply->json, "pinned"), *id;
    size_t i;
    if (reply->status != HR_OK && reply->code != 404) {
        json_decref(list);
        on_pinned(mx, arg, reply);
        return;
    }
    json_array_foreach(before, i, id)
    {
        if (json_is_string(id) && i < MAX_PINNED) {
            (void)json_array_append(list, id);
        }
    }
    (void)json_array_append_new(list, json_string(pin->event_id));
    content = json_pack("{s:o}", "pinned", list);
    char *body = json_dumps(content, JSON_COMPACT);
    struct call_request request = {.method = "PUT", .path = path_of(mx, pin), .body = body};
    json_decref(content);
    if (call_start(mx, &request, on_pinned, pin_free, pin) < 0) {
        pin_free(pin);
    }
    mx->net->spend(mx->bot, 1);
    free(body);
}

void consent_echo(struct mx_room *room, const struct event *event)
{
    struct matrix *mx = room->mx;
    const char *body = scan_text(event->content, "body");
    if (!room->pin_notice || body == NULL || strcmp(body, words(mx, "M03")) != 0) {
        return;
    }
    struct pin *pin = mem_new(sizeof(*pin));
    *pin = (struct pin){mem_dup(room->id), mem_dup(event->id)};
    struct call_request request = {.method = "GET", .path = path_of(mx, pin)};
    room->pin_notice = false;
    if (call_start(mx, &request, on_read, pin_free, pin) < 0) {
        pin_free(pin);
    }
}
