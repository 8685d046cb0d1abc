/* SPDX-License-Identifier: MIT */
/* Asking the server to let the bot into a room; an alias is resolved first. */
#include "call.h"
#include "room.h"
#include "scan.h"
#include "sync.h"
#include "upgrade.h"

enum { MAX_PRIVATE_TRIES = 10, NEWS_MS = 2000 };

static void on_timer(void *arg)
{
    struct mx_room *room = arg;
    room->timer = NULL;
    room_join(room);
}

static void on_no_news(void *arg)
{
    struct mx_room *room = arg;
    room->timer = NULL;
    if (!room->joined) {
        sync_full(room->mx);
    }
}

static void refused(struct mx_room *room, const struct call_reply *reply)
{
    struct matrix *mx = room->mx;
    const char *fix = reply->code == 404 ? "check its address in the configuration; if that is right, the room is gone"
                                         : mx->api->print(mx->bot, "invite %s to it, or ask a moderator to", mx->user);
    const char *reason = mx->api->print(mx->bot, "cannot join %s (%s): %s", room->address, reply->words, fix);
    room_down(room, reason);
    if (room->private) {
        mem_set(&room->gone, reason);
    }
}

void room_join_later(struct mx_room *room, const struct call_reply *reply)
{
    struct matrix *mx = room->mx;
    int64_t wait_ms = matrix_backoff_ms(mx, (unsigned)room->tries++);
    if (room->private && room->tries > MAX_PRIVATE_TRIES) {
        refused(room, reply);
        return;
    }
    wait_ms = reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms;
    room_down(room, mx->api->print(mx->bot, "cannot join yet: %s; it is tried again", reply->words));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, room, &room->timer);
}

static void on_join(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct mx_room *room = arg;
    room->joining = false;
    if (reply->status == HR_OK && room->successor != NULL) {
        upgrade_joined(room);
    } else if (reply->status == HR_OK) {
        if (!room->joined && room->timer == NULL) { /* was the bot in there already, no news will come of it */
            (void)mx->api->timer_in(mx->bot, NEWS_MS, 0, on_no_news, room, &room->timer);
        }
    } else if (reply->status == HR_EFAIL && room->successor != NULL) {
        upgrade_failed(room, reply->words);
    } else if (reply->status == HR_EFAIL) {
        refused(room, reply);
    } else {
        room_join_later(room, reply);
    }
}

static void on_resolved(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct mx_room *room = arg;
    const char *id = scan_text(reply->json, "room_id");
    const json_t *server = json_array_get(json_object_get(reply->json, "servers"), 0);
    room->joining = false;
    if (reply->status == HR_EFAIL) {
        refused(room, reply);
    } else if (reply->status != HR_OK || id == NULL || id[0] != '!') {
        room_join_later(room, reply);
    } else if (room_by_id(mx, id) != NULL) {
        room_down(room, mx->api->print(mx->bot,
                                       "%s leads to a room that stands twice in the configuration: write it "
                                       "once",
                                       room->address));
    } else {
        room_set_id(room, id);
        mem_set(&room->via, json_string_value(server));
        (void)room_save(room);
        room_join(room);
    }
}

static int resolve(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/directory/room/%s", call_encode(mx, room->address)),
    };
    return call_start(mx, &request, on_resolved, NULL, room);
}

static int join(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    const char *to = room->successor != NULL ? room->successor : room->id;
    const char *server = room->via != NULL ? room->via : matrix_server(to);
    const char *via = server[0] == '\0' ? ""
                                        : mx->api->print(mx->bot, "?server_name=%s&via=%s", call_encode(mx, server),
                                                         call_encode(mx, server));
    struct call_request request = {
        .method = "POST",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/join/%s%s", call_encode(mx, to), via),
        .body = "{}",
        .timeout_ms = 120000, /* joining a large room over federation takes its time */
    };
    int rc = call_start(mx, &request, on_join, NULL, room);
    if (rc == HR_OK) {
        mx->net->spend(mx->bot, 1); /* a join is an event as any other to the server's limit */
    }
    return rc;
}

static bool others_first(const struct matrix *mx)
{
    size_t count = 0;
    for (size_t i = 0; i < mx->room_count; i++) {
        count += mx->room[i]->joining;
    }
    return count >= MATRIX_MAX_JOINING;
}

void room_join(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    if (room->joining || mx->token == NULL || room->timer != NULL) {
        return;
    }
    if (others_first(mx)) {
        (void)mx->api->timer_in(mx->bot, 300, 0, on_timer, room, &room->timer);
        return;
    }
    room->joining = true;
    int rc = room->id == NULL && room->successor == NULL ? resolve(room) : join(room);
    if (rc < 0) {
        room->joining = false;
        room_join_later(room, &(struct call_reply){.words = "the request could not be made", .retry_ms = -1});
    }
}
