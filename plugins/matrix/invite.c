/* SPDX-License-Identifier: MIT */
/* Invites: which to accept, which to turn down. */
#include "invite.h"

#include "call.h"
#include "event.h"
#include "member.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

static const char STRANGER[] = "I only talk with people who share a chat room with me.";
static const char ENOUGH[] = "You already have 3 conversations with me. Please use one of them, or leave one.";
static const char FULL[] = "I am in too many conversations at the moment. Please use the chat room.";

struct invite {
    struct matrix *mx;
    char *room_id, *from;
    bool encrypted, busy;
    int64_t not_before_ms; /* monotonic: the server had no answer */
    size_t looked;         /* chat rooms in which `from` was looked for */
    struct invite *next;
};

static void look_on(struct invite *invite);

/* ---- the list ------------------------------------------------------------------------ */

static void forget(struct invite *invite)
{
    struct matrix *mx = invite->mx;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(invite->room_id)};
    (void)mx->api->sql(mx->bot, "DELETE FROM matrix_invite WHERE instance = ?1 AND room_id = ?2", args, 2, NULL, NULL);
    for (struct invite **at = &mx->invites; *at != NULL; at = &(*at)->next) {
        if (*at == invite) {
            *at = invite->next;
            break;
        }
    }
    free(invite->room_id);
    free(invite->from);
    free(invite);
}

static struct invite *find(struct matrix *mx, const char *room_id)
{
    struct invite *invite = mx->invites;
    while (invite != NULL && strcmp(invite->room_id, room_id) != 0) {
        invite = invite->next;
    }
    return invite;
}

static struct invite *add(struct matrix *mx, const char *room_id, const char *from, bool encrypted)
{
    struct invite *invite = mem_new(sizeof(*invite));
    *invite = (struct invite){
        .mx = mx, .room_id = mem_dup(room_id), .from = mem_dup(from), .encrypted = encrypted, .next = mx->invites};
    mx->invites = invite;
    return invite;
}

static int on_stored(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    (void)add(arg, column[0].str, column[1].str, column[2].num != 0);
    return HR_OK;
}

int invite_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    return mx->api->sql(mx->bot, "SELECT room_id, sender, encrypted FROM matrix_invite WHERE instance = ?1", args, 1,
                        on_stored, mx);
}

void invite_free_all(struct matrix *mx)
{
    while (mx->invites != NULL) {
        struct invite *invite = mx->invites;
        mx->invites = invite->next;
        free(invite->room_id);
        free(invite->from);
        free(invite);
    }
}

/* ---- answers --------------------------------------------------------------------------- */

static void wait(struct invite *invite, const struct call_reply *reply)
{
    const struct matrix *mx = invite->mx;
    invite->not_before_ms = mx->api->monotonic_ms(mx->bot) + (reply->retry_ms > 60000 ? reply->retry_ms : 60000);
}

static void on_left(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct invite *invite = find(mx, arg);
    free(arg);
    if (invite == NULL) {
        return;
    }
    invite->busy = false;
    if (reply->status == HR_ERETRY) {
        wait(invite, reply);
    } else {
        forget(invite);
    }
}

static void turn_down(struct invite *invite, const char *reason)
{
    struct matrix *mx = invite->mx;
    struct call_request request = {
        .method = "POST",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/leave", call_encode(mx, invite->room_id)),
        .body = mx->api->print(mx->bot, "{\"reason\":\"%s\"}", reason),
    };
    char *id = mem_dup(invite->room_id);
    mx->api->log(mx->bot, HR_INFO, "turned down the invite of %s to %s: %s", invite->from, invite->room_id, reason);
    invite->busy = true;
    if (call_start(mx, &request, on_left, free, id) < 0) {
        invite->busy = false;
        free(id);
        return;
    }
    mx->net->spend(mx->bot, 1);
}

static void accept(struct invite *invite, struct mx_room *room)
{
    mem_set(&room->gone, NULL);
    mem_set(&room->last_event, NULL);
    mem_set(&room->via, matrix_server(invite->from));
    room->tries = 0;
    invite->mx->api->timer_stop(room->timer); /* of an earlier try */
    room->timer = NULL;
    (void)room_save(room);
    invite->mx->api->log(invite->mx->bot, HR_INFO, "accepted the invite of %s to %s", invite->from, room->address);
    forget(invite);
    room_join(room);
}

static size_t opened_by(const struct matrix *mx, const char *who)
{
    size_t count = 0;
    for (size_t i = 0; i < mx->room_count; i++) {
        const struct mx_room *room = mx->room[i];
        count += room->private && room->gone == NULL && room->inviter != NULL && strcmp(room->inviter, who) == 0;
    }
    return count;
}

static void accept_private(struct invite *invite)
{
    struct matrix *mx = invite->mx;
    struct mx_room *room = room_by_id(mx, invite->room_id);
    if ((int64_t)room_private_count(mx) >= mx->api->option(mx->bot, "max_private")->num ||
        !mx->net->allow_private(mx->bot, invite->room_id)) {
        turn_down(invite, FULL);
        return;
    }
    if (opened_by(mx, invite->from) >= MATRIX_MAX_PRIVATE_EACH) {
        turn_down(invite, ENOUGH);
        return;
    }
    room = room != NULL ? room : room_add(mx, invite->room_id, true);
    if (room == NULL) {
        turn_down(invite, FULL);
        return;
    }
    room_set_id(room, invite->room_id);
    mem_set(&room->inviter, invite->from);
    room->active_ms = mx->api->now_ms(mx->bot);
    accept(invite, room);
}

/* ---- the decision -------------------------------------------------------------------------- */

static bool listed(struct matrix *mx, const char *from)
{
    const char *const *entry = mx->api->option(mx->bot, "invite_from")->list;
    for (; entry != NULL && *entry != NULL; entry++) {
        if (strcmp(*entry, from) == 0 || ((*entry)[0] != '@' && strcmp(*entry, matrix_server(from)) == 0)) {
            return true;
        }
    }
    return mx->net->account_known(mx->bot, from);
}

static void on_member(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct invite *invite = find(mx, arg);
    const char *membership = scan_text(reply->json, "membership");
    free(arg);
    if (invite == NULL) {
        return;
    }
    invite->busy = false;
    if (membership != NULL && strcmp(membership, "join") == 0) {
        accept_private(invite);
    } else if (reply->status == HR_ERETRY) {
        wait(invite, reply);
    } else {
        look_on(invite);
    }
}

/* Lazy loading hides most members, so each chat room is asked in turn. */
static void look_on(struct invite *invite)
{
    struct matrix *mx = invite->mx;
    for (; invite->looked < mx->room_count; invite->looked++) {
        const struct mx_room *room = mx->room[invite->looked];
        if (room->private || !room->joined) {
            continue;
        }
        if (member_is_joined(room, invite->from)) {
            accept_private(invite);
            return;
        }
        struct call_request request = {
            .method = "GET",
            .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/state/m.room.member/%s",
                                   call_encode(mx, room->id), call_encode(mx, invite->from)),
        };
        char *id = mem_dup(invite->room_id);
        invite->looked++;
        invite->busy = true;
        if (call_start(mx, &request, on_member, free, id) < 0) {
            invite->busy = false;
            free(id);
        }
        return;
    }
    turn_down(invite, STRANGER);
}

static void decide(struct invite *invite)
{
    struct matrix *mx = invite->mx;
    struct mx_room *room = room_by_id(mx, invite->room_id), *moving = room_by_successor(mx, invite->room_id);
    bool known = listed(mx, invite->from);
    if (invite->busy || mx->api->monotonic_ms(mx->bot) < invite->not_before_ms) {
        return;
    }
    if (room != NULL && !room->private) {
        if (room->gone != NULL && !known) {
            turn_down(invite, "I was removed from this room. Somebody who runs the chat has to invite me.");
        } else {
            accept(invite, room);
        }
    } else if (moving != NULL) { /* the room that follows one of ours is closed, and here is the key */
        mx->api->timer_stop(moving->timer);
        moving->timer = NULL;
        forget(invite);
        room_join(moving);
    } else if (known) {
        accept_private(invite);
    } else {
        invite->looked = 0;
        look_on(invite);
    }
}

void invite_resume(struct matrix *mx)
{
    for (struct invite *invite = mx->invites, *next; invite != NULL; invite = next) {
        next = invite->next; /* deciding may forget it, and it alone */
        decide(invite);
    }
}

/* ---- what comes with it ------------------------------------------------------------------------ */

struct stripped {
    struct matrix *mx;
    char from[256], alias[256];
    bool encrypted;
};

static int on_state(void *arg, struct scan json)
{
    struct stripped *stripped = arg;
    struct event event;
    char err[120];
    const char *alias;
    if (event_read(&event, json, err, sizeof(err)) == HR_OK) {
        if (strcmp(event.type, "m.room.member") == 0 && strcmp(event.state_key, stripped->mx->user) == 0) {
            memcpy(stripped->from, event.sender, sizeof(stripped->from));
        } else if (strcmp(event.type, "m.room.encryption") == 0) {
            stripped->encrypted = true;
        } else if (strcmp(event.type, "m.room.canonical_alias") == 0) {
            alias = scan_text(event.content, "alias");
            if (alias != NULL && strlen(alias) < sizeof(stripped->alias)) {
                memcpy(stripped->alias, alias, strlen(alias) + 1);
            }
        }
    }
    event_clear(&event);
    return HR_OK;
}

void invite_take(struct matrix *mx, const char *room_id, struct scan events)
{
    struct stripped stripped = {.mx = mx};
    size_t count = 0;
    (void)scan_array(events, on_state, &stripped);
    for (const struct invite *invite = mx->invites; invite != NULL; invite = invite->next) {
        count++;
    }
    if (stripped.from[0] != '@' || room_id[0] != '!' || strlen(room_id) > 255 || find(mx, room_id) != NULL ||
        count >= MATRIX_MAX_INVITES) {
        return;
    }
    /* A room that is configured by an alias which only members can resolve. */
    struct mx_room *room = stripped.alias[0] == '#' ? room_by_address(mx, stripped.alias) : NULL;
    if (room != NULL && room->id == NULL && listed(mx, stripped.from)) {
        room_set_id(room, room_id);
        (void)room_save(room);
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(stripped.from),
                                    HR_V_INT(stripped.encrypted)};
    (void)mx->api->sql(mx->bot,
                       "INSERT OR REPLACE INTO matrix_invite(instance, room_id, sender, encrypted)"
                       " VALUES(?1, ?2, ?3, ?4)",
                       args, 4, NULL, NULL);
    (void)add(mx, room_id, stripped.from, stripped.encrypted);
}
