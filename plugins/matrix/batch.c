/* SPDX-License-Identifier: MIT */
/* One reply of the long poll, read in one turn. */
#include "batch.h"

#include "e2ee/e2ee.h"
#include "event.h"
#include "gap.h"
#include "inbound.h"
#include "invite.h"
#include "member.h"
#include "room.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 1024, MAX_GAPS = MATRIX_MAX_ROOMS };

struct batch {
    struct scan all; /* borrowed while it is taken, own while it waits */
    char *own;
    char next[MAX_TOKEN];
    struct gap *gap[MAX_GAPS]; /* fetched one after the other */
    size_t gap_count;
};

static void advance(struct matrix *mx);

/* ---- single events ---------------------------------------------------------------- */

struct walk {
    struct matrix *mx;
    struct mx_room *room;
    bool post;              /* messages count; else only state does */
    uint32_t flags;         /* HR_MSG_HISTORY or 0 */
    const char *from;       /* starts to post behind this event, or NULL */
    size_t index, own_join; /* index of the bot's own join + 1, 0: none seen */
    char last[256];
};

static void bad_event(struct walk *walk, const struct event *event, const char *err)
{
    unsigned n = ++walk->mx->bad_events;
    if (event->is_state && strcmp(event->type, "m.room.encryption") == 0) {
        room_encrypt(walk->room); /* whatever it says: no plain words from here on */
    }
    if ((n & (n - 1)) == 0) { /* the 1st, 2nd, 4th ...: who floods rooms does not flood the log */
        walk->mx->api->log(walk->mx->bot, HR_WARN, "event %s in %s can't be read: %s; skipped (%u so far)",
                           event->id[0] != '\0' ? event->id : "without id", walk->room->address, err, n);
    }
}

static int on_state(void *arg, struct scan json)
{
    struct walk *walk = arg;
    struct event event;
    char err[120];
    walk->mx->news = true;
    if (event_read(&event, json, err, sizeof(err)) < 0) {
        bad_event(walk, &event, err);
    } else if (event.is_state) {
        room_state(walk->room, &event);
    }
    event_clear(&event);
    return HR_OK;
}

/* What the bot said comes back, and changes nothing. */
static bool is_echo(const struct walk *walk, const struct event *event)
{
    return !event->is_state && strcmp(event->sender, walk->mx->user) == 0 && !walk->room->pin_notice;
}

static int on_timeline(void *arg, struct scan json)
{
    struct walk *walk = arg;
    struct event event;
    char err[120];
    int rc = event_read(&event, json, err, sizeof(err));
    walk->mx->news = walk->mx->news || rc < 0 || !is_echo(walk, &event);
    if (rc < 0) {
        bad_event(walk, &event, err);
    } else if (event.is_state) {
        room_state(walk->room, &event);
    } else if (walk->post && walk->index >= walk->own_join && walk->from == NULL) {
        inbound_event(walk->room, &event, walk->flags);
    }
    if (event.id[0] != '\0') {
        memcpy(walk->last, event.id, sizeof(walk->last));
        if (walk->from != NULL && strcmp(walk->from, event.id) == 0) {
            walk->from = NULL;
        }
    }
    walk->index++;
    event_clear(&event);
    return HR_OK;
}

/* Where the bot itself came in: what stands before that was not said to it. */
static int on_find_join(void *arg, struct scan json)
{
    struct walk *walk = arg;
    char key[256], membership[16];
    struct scan content;
    walk->index++;
    if (scan_get_string(json, "state_key", key, sizeof(key)) == HR_OK && strcmp(key, walk->mx->user) == 0 &&
        scan_get(json, "content", &content) == HR_OK &&
        scan_get_string(content, "membership", membership, sizeof(membership)) == HR_OK &&
        strcmp(membership, "join") == 0) {
        walk->own_join = walk->index;
    }
    return HR_OK;
}

static int on_find_id(void *arg, struct scan json)
{
    char id[256];
    return scan_get_string(json, "event_id", id, sizeof(id)) == HR_OK && strcmp(id, arg) == 0 ? HR_EEXIST : HR_OK;
}

/* ---- rooms ---------------------------------------------------------------------------- */

static struct scan part(struct scan json, const char *outer, const char *inner)
{
    struct scan found = {"[]", 2};
    if (outer != NULL && scan_get(json, outer, &json) < 0) {
        return found;
    }
    (void)scan_get(json, inner, &found);
    return found;
}

static struct gap *gap_of(struct batch *batch, const struct mx_room *room)
{
    for (size_t i = 0; i < batch->gap_count; i++) {
        if (batch->gap[i]->room == room) {
            return batch->gap[i];
        }
    }
    return NULL;
}

static void read_gap(struct walk *walk, struct gap *gap)
{
    walk->flags = HR_MSG_HISTORY;
    for (size_t i = gap->count; i > 0; i--) {
        (void)on_timeline(walk, (struct scan){gap->event[i - 1], gap->len[i - 1]});
    }
    walk->flags = 0;
    walk->index = 0;
}

/* The server tells how many are in a room whenever that changes. */
static bool is_alone(struct scan json)
{
    struct scan summary, joined;
    return scan_get(json, "summary", &summary) == HR_OK &&
           scan_get(summary, "m.joined_member_count", &joined) == HR_OK && scan_number(joined, 0) == 1;
}

static bool is_limited(struct scan json)
{
    struct scan timeline, limited;
    return scan_get(json, "timeline", &timeline) == HR_OK && scan_get(timeline, "limited", &limited) == HR_OK &&
           scan_is(limited, "true");
}

static int on_join(void *arg, const char *id, struct scan json)
{
    struct matrix *mx = arg;
    struct mx_room *room = room_by_id(mx, id);
    if (room == NULL) {
        return HR_OK; /* the bot sits there, but nobody asked for it */
    }
    struct walk walk = {.mx = mx, .room = room, .post = mx->since != NULL || mx->recovering};
    struct scan timeline = part(json, "timeline", "events");
    struct gap *gap = gap_of(mx->batch, room);
    bool back = room->last_event != NULL; /* was in there before */
    if (!back && walk.post) {
        (void)scan_array(timeline, on_find_join, &walk);
        walk.post = walk.own_join > 0;
        walk.index = 0;
    }
    room_joined(room);
    if (is_limited(json) || mx->recovering || walk.own_join > 0) { /* who came and went was not all seen */
        e2ee_gap(room);
    }
    (void)scan_array(part(json, "state", "events"), on_state, &walk);
    (void)scan_array(part(json, "state_after", "events"), on_state, &walk);
    if (gap != NULL) {
        gap_tell_loss(gap);
        read_gap(&walk, gap);
    } else if (mx->recovering && back) {
        char *known = room->last_event;
        walk.post = scan_array(timeline, on_find_id, known) == HR_EEXIST;
        walk.from = known;
        walk.flags = HR_MSG_HISTORY;
    }
    walk.flags |= mx->recovering ? HR_MSG_HISTORY : 0;
    (void)scan_array(timeline, on_timeline, &walk);
    /* State comes whole when asked for, with the bot's own join, and where the room's first event is in it. */
    room->whole = room->whole || mx->full || walk.own_join > 0 || room->power.creator != NULL;
    room_read(room, walk.last);
    if (room->private && is_alone(json)) {
        room_leave(room, "Nobody else is here any more.");
    }
    return HR_OK;
}

static int on_leave(void *arg, const char *id, struct scan json)
{
    struct matrix *mx = arg;
    struct mx_room *room = room_by_id(mx, id);
    mx->news = true;
    if (room != NULL) {
        struct walk walk = {.mx = mx, .room = room};
        (void)scan_array(part(json, "state", "events"), on_state, &walk);
        (void)scan_array(part(json, "timeline", "events"), on_timeline, &walk);
        room_left(room);
    }
    return HR_OK;
}

static int on_invite(void *arg, const char *id, struct scan json)
{
    struct matrix *mx = arg;
    mx->news = true;
    invite_take(mx, id, part(json, "invite_state", "events"));
    return HR_OK;
}

/* ---- speakers ------------------------------------------------------------------------- */

struct speaker {
    const struct matrix *mx;
    const struct mx_room *room;
    struct scan json; /* of the room */
    char id[256];
};

static int on_introduced(void *arg, struct scan json)
{
    char key[256];
    return scan_get_string(json, "state_key", key, sizeof(key)) == HR_OK && strcmp(key, arg) == 0 ? HR_EEXIST : HR_OK;
}

/* State needs no name; a member event brings one. */
static int on_speaker(void *arg, struct scan json)
{
    struct speaker *speaker = arg;
    struct scan key;
    bool known = scan_get_string(json, "sender", speaker->id, sizeof(speaker->id)) < 0 ||
                 strcmp(speaker->id, speaker->mx->user) == 0 || scan_get(json, "state_key", &key) == HR_OK ||
                 member_is_known(speaker->room, speaker->id) ||
                 scan_array(part(speaker->json, "state", "events"), on_introduced, speaker->id) == HR_EEXIST ||
                 scan_array(part(speaker->json, "state_after", "events"), on_introduced, speaker->id) == HR_EEXIST ||
                 scan_array(part(speaker->json, "timeline", "events"), on_introduced, speaker->id) == HR_EEXIST;
    return known ? HR_OK : HR_ENOTFOUND;
}

static int on_speakers(void *arg, const char *id, struct scan json)
{
    const struct matrix *mx = arg;
    const struct mx_room *room = room_by_id(arg, id);
    struct speaker speaker = {.mx = mx, .room = room, .json = json};
    return room == NULL ? HR_OK : scan_array(part(json, "timeline", "events"), on_speaker, &speaker);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int on_look_for_gap(void *arg, const char *id, struct scan json)
{
    struct matrix *mx = arg;
    struct batch *batch = mx->batch;
    struct mx_room *room = room_by_id(mx, id);
    struct scan timeline, limited;
    char from[MAX_TOKEN];
    if (room == NULL || room->last_event == NULL || batch->gap_count == MAX_GAPS ||
        scan_get(json, "timeline", &timeline) < 0 || scan_get_string(timeline, "prev_batch", from, sizeof(from)) < 0) {
        return HR_OK;
    }
    bool wanted = scan_get(timeline, "limited", &limited) == HR_OK && scan_is(limited, "true");
    if (mx->recovering) { /* no token to go back to: only a known event can end it */
        wanted = room->last_event[0] != '\0' &&
                 scan_array(part(timeline, NULL, "events"), on_find_id, room->last_event) != HR_EEXIST;
    }
    if (wanted) {
        batch->gap[batch->gap_count++] = gap_new(mx, room, from, mx->since, room->last_event);
    }
    return HR_OK;
}

static int on_any(void *arg, struct scan json)
{
    (void)arg, (void)json;
    return HR_EEXIST;
}

static void read_all(struct matrix *mx)
{
    struct batch *batch = mx->batch;
    struct scan rooms, part_of;
    char *next = mem_dup(batch->next);
    mx->news = mx->full || mx->recovering || !mx->up || batch->gap_count > 0 ||
               scan_array(part(batch->all, "to_device", "events"), on_any, NULL) == HR_EEXIST;
    if (mx->full) {
        room_count_anew(mx);
    }
    e2ee_sync(mx, batch->all); /* brings the keys of what stands in the rooms */
    if (scan_get(batch->all, "rooms", &rooms) == HR_OK) {
        if (scan_get(rooms, "join", &part_of) == HR_OK) {
            (void)scan_object(part_of, on_join, mx);
        }
        if (scan_get(rooms, "leave", &part_of) == HR_OK) {
            (void)scan_object(part_of, on_leave, mx);
        }
        if (scan_get(rooms, "invite", &part_of) == HR_OK) {
            (void)scan_object(part_of, on_invite, mx);
        }
    }
    batch_drop(mx);
    sync_done(mx, next);
    free(next);
}

static void advance(struct matrix *mx)
{
    struct batch *batch = mx->batch;
    for (size_t i = 0; i < batch->gap_count; i++) {
        if (!batch->gap[i]->ended) {
            gap_start(batch->gap[i], advance);
            return;
        }
    }
    read_all(mx);
}

int batch_take(struct matrix *mx, const char *body, size_t len)
{
    struct scan all = {body, len}, rooms, joined;
    struct batch *batch = mem_new(sizeof(*batch));
    batch->all = all;
    if (scan_get_string(all, "next_batch", batch->next, sizeof(batch->next)) < 0) {
        free(batch);
        return HR_EINVAL;
    }
    if (!mx->names && scan_get(all, "rooms", &rooms) == HR_OK && scan_get(rooms, "join", &joined) == HR_OK &&
        scan_object(joined, on_speakers, mx) == HR_ENOTFOUND) {
        free(batch);
        sync_names(mx);
        return HR_OK;
    }
    batch_drop(mx);
    mx->batch = batch;
    if ((mx->since != NULL || mx->recovering) && scan_get(all, "rooms", &rooms) == HR_OK &&
        scan_get(rooms, "join", &joined) == HR_OK) {
        (void)scan_object(joined, on_look_for_gap, mx);
    }
    if (batch->gap_count > 0) {
        batch->own = mem_copy(body, len);
        batch->all.at = batch->own;
    }
    advance(mx);
    return HR_OK;
}

void batch_drop(struct matrix *mx)
{
    struct batch *batch = mx->batch;
    mx->batch = NULL;
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->gap_count; i++) {
        gap_free(batch->gap[i]);
    }
    free(batch->own);
    free(batch);
}

struct gap *batch_gap(struct matrix *mx, uintptr_t no)
{
    for (size_t i = 0; mx->batch != NULL && i < mx->batch->gap_count; i++) {
        if (mx->batch->gap[i]->no == no) {
            return mx->batch->gap[i];
        }
    }
    return NULL;
}
