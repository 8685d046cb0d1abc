/* SPDX-License-Identifier: MIT */
/* Who is in an encrypted room. */
#include "crypto_members.h"

#include "../call.h"
#include "group_out.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_REPLY = 64 * 1024 * 1024,
    MAX_MEMBERS = 50000,
    SLICE = 250, /* members written in one turn */
};

struct waiter {
    crypto_room_fn *done;
    void (*drop)(void *arg);
    void *arg;
    struct waiter *next;
};

struct member_read {
    char *user;
    bool joined;
};

struct fetch { /* members of one room on their way */
    struct matrix *mx;
    char *room_id;
    struct waiter *waiters;
    struct call *call;
    struct hr_timer *timer;
    struct member_read *member; /* what the reply said, while it is written */
    size_t count, cap, written;
    struct mem_buf newer; /* users, each with its NUL, whose membership changed after it was asked for */
    bool again;           /* ... or may have: it is asked for once more */
    struct fetch *next;
};

struct crypto_rooms {
    struct fetch *fetches;
};

static struct fetch *find(struct matrix *mx, const char *room_id)
{
    struct fetch *fetch = mx->e2ee->rooms != NULL ? mx->e2ee->rooms->fetches : NULL;
    while (fetch != NULL && strcmp(fetch->room_id, room_id) != 0) {
        fetch = fetch->next;
    }
    return fetch;
}

/* text NULL: no ?3 */
static int set(struct matrix *mx, const char *sql, const char *room_id, const char *text)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(text)};
    return mx->api->sql(mx->bot, sql, args, text != NULL ? 3 : 2, NULL, NULL);
}

/* ---- coming and going -------------------------------------------------------------------------- */

static int on_any(void *arg, const struct hr_value *column, size_t count)
{
    (void)column, (void)count;
    *(bool *)arg = true;
    return HR_OK;
}

/* Shares no encrypted room with us any more: their devices are nobody's business. */
static void forget_stranger(struct matrix *mx, const char *user)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(user)};
    bool shares = strcmp(user, mx->user) == 0;
    (void)mx->api->sql(mx->bot, "SELECT 1 FROM matrix_crypto_member WHERE instance = ?1 AND user = ?2 LIMIT 1", args, 2,
                       on_any, &shares);
    if (!shares) {
        (void)people_untrack(mx, user);
    }
}

static void came(struct matrix *mx, const char *room_id, const char *user, bool joined)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(user), HR_V_INT(joined)};
    (void)mx->api->sql(mx->bot,
                       "INSERT INTO matrix_crypto_member(instance, room_id, user, joined) VALUES(?1, ?2, ?3, ?4)"
                       " ON CONFLICT(instance, room_id, user) DO UPDATE SET joined = excluded.joined",
                       args, 4, NULL, NULL);
    (void)people_track(mx, user);
}

static void went(struct matrix *mx, const char *room_id, const char *user)
{
    bool was_there = false;
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_STR(user)};
    (void)mx->api->sql(mx->bot, "SELECT 1 FROM matrix_crypto_member WHERE instance = ?1 AND room_id = ?2 AND user = ?3",
                       args, 3, on_any, &was_there);
    if (!was_there) {
        return;
    }
    (void)set(mx, "DELETE FROM matrix_crypto_member WHERE instance = ?1 AND room_id = ?2 AND user = ?3", room_id, user);
    group_out_discard(mx, room_id); /* what is said from now on is not for them */
    forget_stranger(mx, user);
}

void crypto_members_event(struct mx_room *room, const struct event *event)
{
    const char *membership = scan_text(event->content, "membership");
    struct crypto_room known;
    if (membership == NULL || event->state_key[0] != '@' || crypto_room_get(room->mx, room->id, &known) != HR_OK) {
        return;
    }
    struct fetch *fetch = find(room->mx, room->id);
    if (fetch != NULL) {
        mem_add(&fetch->newer, event->state_key, strlen(event->state_key) + 1);
        fetch->again = fetch->again || fetch->newer.full;
    }
    bool joined = strcmp(membership, "join") == 0;
    if (joined || strcmp(membership, "invite") == 0) {
        came(room->mx, room->id, event->state_key, joined);
    } else {
        went(room->mx, room->id, event->state_key);
    }
    room->mx->e2ee->changes++;
}

void crypto_room_gap(struct mx_room *room)
{
    struct fetch *fetch = room->id != NULL ? find(room->mx, room->id) : NULL;
    if (fetch != NULL) {
        fetch->again = true;
    }
    if (room->id != NULL) {
        (void)set(room->mx, "UPDATE matrix_crypto_room SET members_known = 0 WHERE instance = ?1 AND room_id = ?2",
                  room->id, NULL);
    }
}

/* ---- members, whole ------------------------------------------------------------------------------ */

/* What the sync said of somebody while the members were on their way is newer than what comes with them. */
static bool is_older(const struct fetch *fetch, const char *user)
{
    for (size_t at = 0; at < fetch->newer.len; at += strlen(fetch->newer.at + at) + 1) {
        if (strcmp(fetch->newer.at + at, user) == 0) {
            return true;
        }
    }
    return false;
}

static void forget_reply(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->count; i++) {
        free(fetch->member[i].user);
    }
    fetch->count = fetch->written = 0;
    fetch->again = false;
    mem_clear(&fetch->newer);
}

static void fetch_free(struct fetch *fetch)
{
    struct fetch **at = &fetch->mx->e2ee->rooms->fetches;
    while (*at != fetch) {
        at = &(*at)->next;
    }
    *at = fetch->next;
    fetch->mx->api->timer_stop(fetch->timer);
    forget_reply(fetch);
    free(fetch->member);
    free(fetch->room_id);
    free(fetch);
}

static void finish(struct fetch *fetch, int status)
{
    struct matrix *mx = fetch->mx;
    struct waiter *waiter = fetch->waiters;
    fetch_free(fetch);
    while (waiter != NULL) {
        struct waiter *next = waiter->next;
        waiter->done(mx, waiter->arg, status);
        free(waiter);
        waiter = next;
    }
}

static int by_user(const void *a, const void *b)
{
    const struct member_read *one = a, *other = b;
    return strcmp(one->user, other->user);
}

static int on_member_event(void *arg, struct scan json)
{
    struct fetch *fetch = arg;
    char user[256], membership[16];
    struct scan content;
    if (fetch->count == MAX_MEMBERS) {
        return HR_ELIMIT;
    }
    if (scan_get_string(json, "state_key", user, sizeof(user)) < 0 || user[0] != '@' ||
        scan_get(json, "content", &content) < 0 ||
        scan_get_string(content, "membership", membership, sizeof(membership)) < 0) {
        return HR_OK;
    }
    bool joined = strcmp(membership, "join") == 0;
    if (joined || strcmp(membership, "invite") == 0) {
        fetch->member = mem_grow(fetch->member, fetch->count, &fetch->cap, sizeof(*fetch->member));
        fetch->member[fetch->count++] = (struct member_read){mem_dup(user), joined};
    }
    return HR_OK;
}

struct gone { /* members of the table that the reply did not name */
    struct fetch *fetch;
    struct mem_buf users; /* each with its NUL */
};

static int on_kept(void *arg, const struct hr_value *column, size_t count)
{
    struct gone *gone = arg;
    struct member_read key = {.user = (char *)column[0].str};
    (void)count;
    if (bsearch(&key, gone->fetch->member, gone->fetch->count, sizeof(key), by_user) == NULL) {
        mem_add(&gone->users, column[0].str, strlen(column[0].str) + 1);
    }
    return HR_OK;
}

static void begin(struct fetch *fetch);

static void write_some(void *arg)
{
    struct fetch *fetch = arg;
    struct matrix *mx = fetch->mx;
    fetch->timer = NULL;
    for (size_t i = 0; i < SLICE && fetch->written < fetch->count; i++, fetch->written++) {
        const struct member_read *read = &fetch->member[fetch->written];
        if (!is_older(fetch, read->user)) {
            came(mx, fetch->room_id, read->user, read->joined);
        }
    }
    if (fetch->written < fetch->count && mx->api->timer_in(mx->bot, 0, 0, write_some, fetch, &fetch->timer) == HR_OK) {
        return;
    }
    struct gone gone = {fetch, {.max = 16 * 1024 * 1024}};
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(fetch->room_id)};
    (void)mx->api->sql(mx->bot, "SELECT user FROM matrix_crypto_member WHERE instance = ?1 AND room_id = ?2", args, 2,
                       on_kept, &gone);
    for (size_t at = 0; at < gone.users.len; at += strlen(gone.users.at + at) + 1) {
        if (!is_older(fetch, gone.users.at + at)) {
            went(mx, fetch->room_id, gone.users.at + at);
        }
    }
    mem_clear(&gone.users);
    mx->e2ee->changes++;
    if (fetch->again) {
        forget_reply(fetch);
        begin(fetch);
        return;
    }
    int rc = set(mx, "UPDATE matrix_crypto_room SET members_known = 1 WHERE instance = ?1 AND room_id = ?2",
                 fetch->room_id, NULL);
    finish(fetch, rc);
}

static void on_members(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct fetch *fetch = arg;
    struct scan all = {reply->body, reply->body_len}, chunk;
    if (reply->status != HR_OK || scan_get(all, "chunk", &chunk) < 0 || scan_array(chunk, on_member_event, fetch) < 0) {
        matrix_error(mx, "the members of %s could not be read: %s", fetch->room_id,
                     reply->status != HR_OK ? reply->words : "the reply is not what it should be, or too long");
        finish(fetch, HR_ERETRY);
        return;
    }
    qsort(fetch->member, fetch->count, sizeof(*fetch->member), by_user);
    write_some(fetch);
}

static void begin(struct fetch *fetch)
{
    struct matrix *mx = fetch->mx;
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/members?not_membership=leave",
                               call_encode(mx, fetch->room_id)),
        .max_bytes = MAX_REPLY,
        .timeout_ms = 60000,
        .raw = true,
        .handle = &fetch->call,
    };
    if (call_start(mx, &request, on_members, NULL, fetch) < 0) {
        finish(fetch, HR_ERETRY);
    }
}

void crypto_room_members(struct matrix *mx, const char *room_id, crypto_room_fn *done, void (*drop)(void *arg),
                         void *arg)
{
    struct crypto_room known;
    int rc = crypto_room_get(mx, room_id, &known);
    if (rc < 0 || known.members_known) {
        done(mx, arg, rc);
        return;
    }
    if (mx->e2ee->rooms == NULL) {
        mx->e2ee->rooms = mem_new(sizeof(*mx->e2ee->rooms));
    }
    struct fetch *fetch = find(mx, room_id);
    struct waiter *waiter = mem_new(sizeof(*waiter));
    bool is_new = fetch == NULL;
    if (is_new) {
        fetch = mem_new(sizeof(*fetch));
        *fetch = (struct fetch){
            .mx = mx, .room_id = mem_dup(room_id), .newer = {.max = 1024 * 1024}, .next = mx->e2ee->rooms->fetches};
        mx->e2ee->rooms->fetches = fetch;
    }
    *waiter = (struct waiter){.done = done, .drop = drop, .arg = arg, .next = fetch->waiters};
    fetch->waiters = waiter;
    if (is_new) {
        begin(fetch);
    }
}

void crypto_room_stop(struct matrix *mx)
{
    while (mx->e2ee->rooms != NULL && mx->e2ee->rooms->fetches != NULL) {
        struct fetch *fetch = mx->e2ee->rooms->fetches;
        struct waiter *waiter = fetch->waiters;
        call_cancel(fetch->call);
        fetch_free(fetch);
        while (waiter != NULL) {
            struct waiter *next = waiter->next;
            if (waiter->drop != NULL) {
                waiter->drop(waiter->arg);
            }
            free(waiter);
            waiter = next;
        }
    }
    free(mx->e2ee->rooms);
    mx->e2ee->rooms = NULL;
}

/* ---- who reads ---------------------------------------------------------------------------------------- */

struct each {
    int (*fn)(void *arg, const char *user);
    void *arg;
};

static int on_reader(void *arg, const struct hr_value *column, size_t count)
{
    struct each *each = arg;
    (void)count;
    return each->fn(each->arg, column[0].str);
}

int crypto_room_readers(struct matrix *mx, const char *room_id, int (*fn)(void *arg, const char *user), void *arg)
{
    struct crypto_room known;
    struct each each = {fn, arg};
    int rc = crypto_room_get(mx, room_id, &known);
    if (rc < 0) {
        return rc;
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(room_id), HR_V_INT(known.invited_read ? 0 : 1)};
    return mx->api->sql(mx->bot,
                        "SELECT user FROM matrix_crypto_member WHERE instance = ?1 AND room_id = ?2 AND joined >= ?3",
                        args, 3, on_reader, &each);
}
