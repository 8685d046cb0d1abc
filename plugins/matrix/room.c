/* SPDX-License-Identifier: MIT */
/* The rooms: what is known of each, what the tables keep. */
#include "room.h"

#include "call.h"
#include "consent.h"
#include "e2ee/e2ee.h"
#include "member.h"
#include "seen.h"
#include "sync.h"
#include "upgrade.h"

#include <stdlib.h>
#include <string.h>

static const int64_t RECHECK_MS = 600000;

/* ---- finding ---------------------------------------------------------------------- */

struct mx_room *room_by_id(struct matrix *mx, const char *id)
{
    for (size_t i = 0; i < mx->room_count; i++) {
        if (mx->room[i]->id != NULL && strcmp(mx->room[i]->id, id) == 0) {
            return mx->room[i];
        }
    }
    return NULL;
}

struct mx_room *room_by_address(struct matrix *mx, const char *address)
{
    for (size_t i = 0; i < mx->room_count; i++) {
        if (strcmp(mx->room[i]->address, address) == 0) {
            return mx->room[i];
        }
    }
    return NULL;
}

static int on_found(void *arg, const struct hr_value *column, size_t count)
{
    (void)column, (void)count;
    *(bool *)arg = true;
    return HR_OK;
}

void room_set_id(struct mx_room *room, const char *id)
{
    mem_set(&room->id, id);
    mem_set(&room->visibility, NULL);
    const struct hr_value args[] = {HR_V_STR(room->id)};
    (void)room->mx->api->sql(room->mx->bot, "SELECT 1 FROM matrix_encrypted WHERE room_id = ?1", args, 1, on_found,
                             &room->encrypted);
    (void)consent_seal(room); /* before the first reply is read: what was said meanwhile stays in the room */
}

struct mx_room *room_add(struct matrix *mx, const char *address, bool private)
{
    if (mx->room_count == MATRIX_MAX_ROOMS) {
        return NULL;
    }
    struct mx_room *room = mem_new(sizeof(*room));
    *room = (struct mx_room){.mx = mx, .address = mem_dup(address), .private = private};
    if (address[0] == '!') {
        room->id = mem_dup(address);
    }
    mx->room = mem_grow(mx->room, mx->room_count, &mx->room_cap, sizeof(*mx->room));
    mx->room[mx->room_count++] = room;
    return room;
}

size_t room_private_count(const struct matrix *mx)
{
    size_t count = 0;
    for (size_t i = 0; i < mx->room_count; i++) {
        count += mx->room[i]->private && mx->room[i]->gone == NULL;
    }
    return count;
}

/* ---- tables ------------------------------------------------------------------------- */

int room_save(struct mx_room *room)
{
    room->unsaved = false;
    const struct hr_value null = {.type = HR_NULL};
    const struct hr_value args[] = {
        HR_V_STR(room->mx->name),
        HR_V_STR(room->address),
        room->id != NULL ? HR_V_STR(room->id) : null,
        room->last_event != NULL ? HR_V_STR(room->last_event) : null,
        HR_V_INT(room->private),
        room->gone != NULL ? HR_V_STR(room->gone) : null,
        room->inviter != NULL ? HR_V_STR(room->inviter) : null,
        HR_V_INT(room->active_ms),
    };
    return room->mx->api->sql(
        room->mx->bot,
        "INSERT OR REPLACE INTO matrix_room(instance, address, room_id, last_event, private, gone, inviter, active_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        args, 8, NULL, NULL);
}

int room_save_places(struct matrix *mx)
{
    int rc = HR_OK;
    for (size_t i = 0; i < mx->room_count && rc >= 0; i++) {
        struct mx_room *room = mx->room[i];
        if (room->unsaved) {
            const struct hr_value null = {.type = HR_NULL};
            const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room->address),
                                            room->last_event != NULL ? HR_V_STR(room->last_event) : null,
                                            HR_V_INT(room->active_ms)};
            room->unsaved = false;
            rc = mx->api->sql(mx->bot,
                              "UPDATE matrix_room SET last_event = ?3, active_ms = ?4"
                              " WHERE instance = ?1 AND address = ?2",
                              args, 4, NULL, NULL);
        }
    }
    return rc;
}

static int on_stored(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct mx_room *room = room_by_address(mx, column[0].str);
    bool private = column[3].num != 0;
    (void)count;
    if (room == NULL) {
        room = private ? room_add(mx, column[0].str, true) : NULL;
    }
    if (room != NULL) { /* else no longer configured: its row waits for the day it is again */
        if (matrix_column(&column[1]) != NULL) {
            mem_set(&room->id, column[1].str);
        }
        mem_set(&room->last_event, matrix_column(&column[2]));
        mem_set(&room->gone, matrix_column(&column[4]));
        mem_set(&room->inviter, matrix_column(&column[5]));
        room->active_ms = column[6].num > 0 ? column[6].num : mx->api->now_ms(mx->bot);
    }
    return HR_OK;
}

static int on_configured(void *arg, const struct hr_room *hr)
{
    struct matrix *mx = arg;
    if (room_by_address(mx, hr->address) == NULL && (hr->flags & HR_ROOM_PRIVATE) == 0) {
        (void)room_add(mx, hr->address, false);
    }
    return HR_OK;
}

int room_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    int rc = mx->net->rooms(mx->bot, on_configured, mx);
    if (rc < 0) {
        return rc;
    }
    rc = mx->api->sql(mx->bot,
                      "SELECT address, room_id, last_event, private, gone, inviter, active_ms FROM matrix_room"
                      " WHERE instance = ?1",
                      args, 1, on_stored, mx);
    for (size_t i = 0; i < mx->room_count; i++) {
        if (mx->room[i]->id != NULL) {
            room_set_id(mx->room[i], mx->room[i]->id);
        }
    }
    return rc;
}

static void room_free(struct mx_room *room)
{
    room->mx->api->timer_stop(room->timer);
    member_clear(room);
    free(room->address);
    free(room->id);
    free(room->gone);
    free(room->inviter);
    free(room->reason);
    free(room->last_event);
    free(room->successor);
    free(room->via);
    free(room->visibility);
    free(room);
}

void room_free_all(struct matrix *mx)
{
    for (size_t i = 0; i < mx->room_count; i++) {
        room_free(mx->room[i]);
    }
    free(mx->room);
    mx->room = NULL;
    mx->room_count = mx->room_cap = 0;
}

static const char UNREADABLE[] = "the room is encrypted in a way this bot can't read, or lost its encryption; give the "
                                 "chat another room";

/* ---- states ------------------------------------------------------------------------- */

void room_down(struct mx_room *room, const char *reason)
{
    bool news = room->up || room->reason == NULL || strcmp(room->reason, reason) != 0;
    room->up = false;
    mem_set(&room->reason, reason);
    if (news) {
        room->mx->net->down(room->mx->bot, room->address, reason);
    }
}

/* Lines wait until somebody changes the levels. */
static void room_mute(struct mx_room *room, int has, int needs)
{
    struct matrix *mx = room->mx;
    room_down(room, mx->api->print(mx->bot,
                                   "the bot may not speak here: that takes power level %d, and it has %d; a moderator "
                                   "can change it",
                                   needs, has));
}

static void room_up(struct mx_room *room)
{
    int has, needs;
    if (room->up || !room->whole || room->gone != NULL || room->successor != NULL || !room->joined) {
        return;
    }
    if (room->encrypted && !e2ee_may_speak(room)) {
        room_down(room, UNREADABLE);
        return;
    }
    if (!member_may_speak(room, &has, &needs)) {
        room_mute(room, has, needs);
        return;
    }
    room->up = true;
    mem_set(&room->reason, NULL);
    room->mx->net->up(room->mx->bot, room->address);
    consent_look(room);
}

void room_encrypt(struct mx_room *room)
{
    struct matrix *mx = room->mx;
    if (room->encrypted) {
        return;
    }
    const struct hr_value args[] = {HR_V_STR(room->id)};
    room->encrypted = true;
    (void)mx->api->sql(mx->bot, "INSERT OR IGNORE INTO matrix_encrypted(room_id) VALUES(?1)", args, 1, NULL, NULL);
    (void)consent_seal(room); /* also where the bot may not speak, or is not ready: it hears all the same */
    if (!e2ee_may_speak(room)) {
        room_down(room, UNREADABLE);
    } else if (room->up) {
        consent_look(room);
    }
}

struct say {
    const struct mx_room *room;
    const char *text, *key;
};

static int on_own_room(void *arg, const struct hr_room *hr)
{
    const struct say *say = arg;
    const struct matrix *mx = say->room->mx;
    if (strcmp(hr->address, say->room->address) != 0) {
        return HR_OK;
    }
    struct hr_say what = {.size = sizeof(what), .text = say->text, .priority = HR_REPLY, .key = say->key};
    (void)mx->api->say(mx->bot, &hr->id, 1, &what, NULL);
    return HR_EEXIST;
}

void room_say(struct mx_room *room, const char *text, const char *key)
{
    struct say say = {room, text, key};
    (void)room->mx->net->rooms(room->mx->bot, on_own_room, &say);
}

static void on_left(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (reply->status != HR_OK) { /* it sits there unheard until then: nothing is read or said */
        mx->api->log(mx->bot, HR_INFO, "a private room could not be left: %s", reply->words);
    }
}

void room_leave(struct mx_room *room, const char *reason)
{
    struct matrix *mx = room->mx;
    struct call_request request = {
        .method = "POST",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/leave", call_encode(mx, room->id)),
        .body = mx->api->print(mx->bot, "{\"reason\":\"%s\"}", reason),
    };
    if (room->gone == NULL && call_start(mx, &request, on_left, NULL, NULL) == HR_OK) {
        mx->net->spend(mx->bot, 1);
        mx->api->log(mx->bot, HR_INFO, "left the private room %s: %s", room->address, reason);
        mem_set(&room->gone, reason); /* forgotten when the reply is read */
        room_down(room, reason);
    }
}

void room_state(struct mx_room *room, const struct event *event)
{
    e2ee_state(room, event);
    if (strcmp(event->type, "m.room.encryption") == 0 && event->state_key[0] == '\0') {
        room_encrypt(room);
    } else if (strcmp(event->type, "m.room.member") == 0) {
        member_event(room, event);
        if (strcmp(event->state_key, room->mx->user) == 0) {
            upgrade_own_member(room, event);
        }
    } else if (event->state_key[0] == '\0' && strcmp(event->type, "m.room.power_levels") == 0) {
        member_power_event(room, event);
    } else if (event->state_key[0] == '\0' && strcmp(event->type, "m.room.create") == 0) {
        member_create_event(room, event);
    } else if (event->state_key[0] == '\0' && strcmp(event->type, "m.room.tombstone") == 0) {
        upgrade_tombstone(room, event);
    }
}

void room_joined(struct mx_room *room)
{
    room->joined = true;
    room->tries = 0;
    if (room->successor == NULL) { /* else it counts for the next try to join that one */
        room->mx->api->timer_stop(room->timer);
        room->timer = NULL;
    }
    if (room->gone != NULL || room->last_event == NULL) {
        mem_set(&room->gone, NULL);
        if (room->last_event == NULL) {
            mem_set(&room->last_event, "");
        }
        (void)room_save(room);
    }
}

void room_read(struct mx_room *room, const char *last_event)
{
    if (last_event[0] != '\0') {
        mem_set(&room->last_event, last_event);
        room->unsaved = true;
    }
    if (!room->whole) {
        sync_full(room->mx);
    }
    int has, needs;
    if (room->up && !member_may_speak(room, &has, &needs)) {
        room_mute(room, has, needs);
    }
    room_up(room);
}

void room_left(struct mx_room *room)
{
    room->joined = false;
    mem_set(&room->last_event, NULL);
    if (room->gone == NULL) {
        mem_set(&room->gone, "the bot was taken out of the room; it stays out until somebody it knows invites it");
    }
    (void)room_save(room);
    member_clear(room);
    room_down(room, room->gone);
}

/* Private rooms that are over make place for others. */
static void sweep(struct matrix *mx)
{
    size_t kept = 0;
    for (size_t i = 0; i < mx->room_count; i++) {
        struct mx_room *room = mx->room[i];
        if (!room->private || room->gone == NULL || room->joining) {
            mx->room[kept++] = room;
            continue;
        }
        const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room->address)};
        (void)mx->api->sql(mx->bot, "DELETE FROM matrix_room WHERE instance = ?1 AND address = ?2", args, 2, NULL,
                           NULL);
        seen_forget(room);
        room_free(room);
    }
    mx->room_count = kept;
}

struct mx_room *room_by_successor(struct matrix *mx, const char *id)
{
    for (size_t i = 0; i < mx->room_count; i++) {
        if (mx->room[i]->successor != NULL && strcmp(mx->room[i]->successor, id) == 0) {
            return mx->room[i];
        }
    }
    return NULL;
}

void room_count_anew(struct matrix *mx)
{
    for (size_t i = 0; i < mx->room_count; i++) {
        mx->room[i]->joined = false;
    }
}

void room_recheck(struct matrix *mx)
{
    int64_t now = mx->api->monotonic_ms(mx->bot);
    if (mx->checked_ms == 0 || now - mx->checked_ms > RECHECK_MS) {
        mx->checked_ms = now;
        sync_full(mx);
    }
}

void room_synced(struct matrix *mx, bool first)
{
    for (size_t i = 0; first && i < mx->room_count; i++) {
        struct mx_room *room = mx->room[i];
        if (room->gone != NULL) {
            room_down(room, room->gone);
        } else if (!room->joined && room->private && room->last_event != NULL) {
            room_left(room); /* while the bot was away */
        } else if (!room->joined) {
            mem_set(&room->last_event, NULL); /* what was said there meanwhile was not said to the bot */
            room_join(room);
        }
    }
    sweep(mx);
}
