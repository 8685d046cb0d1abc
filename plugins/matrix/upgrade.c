/* SPDX-License-Identifier: MIT */
/* What ends a room for the bot. */
#include "upgrade.h"

#include "call.h"
#include "member.h"
#include "room.h"
#include "scan.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

void upgrade_own_member(struct mx_room *room, const struct event *event)
{
    struct matrix *mx = room->mx;
    const char *membership = scan_text(event->content, "membership"), *reason = scan_text(event->content, "reason");
    bool ban = membership != NULL && strcmp(membership, "ban") == 0;
    bool out = membership != NULL && strcmp(membership, "leave") == 0;
    if (!ban && (!out || strcmp(event->sender, mx->user) == 0)) {
        if (membership != NULL && strcmp(membership, "join") == 0) {
            mem_set(&room->gone, NULL);
        }
        return;
    }
    char words[121] = "";
    for (size_t i = 0; reason != NULL && reason[i] != '\0' && i < sizeof(words) - 1; i++) {
        words[i] = reason[i] >= ' ' && reason[i] < 0x7F ? reason[i] : '?';
    }
    mem_set(&room->gone,
            mx->api->print(mx->bot, "%s by %s%s%s; the bot stays out until somebody it knows invites it",
                           ban ? "banned" : "removed", event->sender, words[0] != '\0' ? ": " : "", words));
}

void upgrade_tombstone(struct mx_room *room, const struct event *event)
{
    const char *to = scan_text(event->content, "replacement_room");
    if (room->private || room->successor != NULL || !room->joined) {
        return;
    }
    if (to == NULL || to[0] != '!' || strlen(to) > 255 || strcmp(to, room->id) == 0 ||
        room_by_id(room->mx, to) != NULL) {
        room_down(room, "the room was closed and names no room that follows it");
        return;
    }
    mem_set(&room->successor, to);
    mem_set(&room->via, matrix_server(event->sender));
    room_down(room, "the room was upgraded; the bot moves to the new one");
    room->tries = 0;
    room_join(room);
}

void upgrade_failed(struct mx_room *room, const char *why)
{
    struct matrix *mx = room->mx;
    const char *reason = mx->api->print(mx->bot,
                                        "the room was upgraded to %s, but %s; put the new room into the "
                                        "configuration if it is the right one",
                                        room->successor, why);
    room_down(room, reason);
}

static void move(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    mx->api->log(mx->bot, HR_INFO, "%s was upgraded: %s takes its place", room->address, room->successor);
    room_set_id(room, room->successor);
    if (room->encrypted) { /* the new one too: once and for ever */
        const struct hr_value args[] = {HR_V_STR(room->id)};
        (void)mx->api->sql(mx->bot, "INSERT OR IGNORE INTO matrix_encrypted(room_id) VALUES(?1)", args, 1, NULL, NULL);
    }
    mem_set(&room->successor, NULL);
    mem_set(&room->via, NULL);
    mem_set(&room->last_event, NULL);
    room->joined = false;
    room->whole = false; /* what is known of rights and encryption is of the old one */
    member_clear(room);
    (void)room_save(room);
    sync_full(mx); /* the new room may have come with a reply that was read before */
}

static void ask(struct mx_room *room, const char *type, call_fn *fn)
{
    struct matrix *mx = room->mx;
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/state/%s", call_encode(mx, room->successor), type),
    };
    if (call_start(mx, &request, fn, NULL, room) < 0) {
        upgrade_failed(room, "it could not be checked");
    }
}

/* People who were promised that a room is encrypted must not find their words in plain text. */
static void on_encryption(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct mx_room *room = arg;
    (void)mx;
    if (room->successor == NULL) {
        return;
    }
    if (reply->status == HR_ERETRY) {
        room_join_later(room, reply);
    } else if (reply->status == HR_OK && scan_text(reply->json, "algorithm") != NULL) {
        move(room);
    } else {
        upgrade_failed(room, reply->status == HR_OK || reply->code == 404
                                 ? "that room is not encrypted, as this one was"
                                 : reply->words);
    }
}

static void on_create(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct mx_room *room = arg;
    const char *before = scan_text(json_object_get(reply->json, "predecessor"), "room_id");
    (void)mx;
    if (room->successor == NULL) {
        return;
    }
    if (reply->status == HR_ERETRY) {
        room_join_later(room, reply); /* harmless where the bot is in already */
        return;
    }
    if (reply->status != HR_OK) {
        upgrade_failed(room, reply->words);
        return;
    }
    if (before == NULL || room->id == NULL || strcmp(before, room->id) != 0) {
        upgrade_failed(room, "that room does not say that it follows this one");
        return;
    }
    if (room->encrypted) {
        ask(room, "m.room.encryption", on_encryption);
    } else {
        move(room);
    }
}

void upgrade_joined(struct mx_room *room)
{
    ask(room, "m.room.create", on_create);
}
