/* SPDX-License-Identifier: MIT */
/* All deliveries not yet settled: how they come in, and how they end. */
#include "outbox.h"
#include "chat.h"
#include "event.h"
#include "instance.h"
#include "log.h"
#include "merge.h"
#include "message.h"
#include "network.h"
#include "outbox_rows.h"
#include "room.h"
#include "status.h"
#include "turn.h"
#include "xalloc.h"

struct outbox *outbox_new(struct app *app)
{
    struct outbox *outbox = xcalloc(1, sizeof(*outbox));
    outbox->app = app;
    uv_timer_init(app->loop, &outbox->timer);
    outbox->timer.data = outbox;
    outbox->last_arrived = &outbox->arrived;
    turn_on_end(app->turn, pump_run, outbox);
    turn_on_begin(app->turn, outbox_settle_arrived, outbox);
    return outbox;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void outbox_free(struct outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    turn_on_end(outbox->app->turn, NULL, NULL);
    turn_on_begin(outbox->app->turn, NULL, NULL);
    for (struct room *room = rooms_next(outbox->app->rooms, NULL); room != NULL;
         room = rooms_next(outbox->app->rooms, room)) {
        lane_clear(outbox, room);
    }
    outbox->closing = true;
    uv_close((uv_handle_t *)&outbox->timer, on_closed);
}

struct queued { /* takes the item back should the callback be undone */
    struct room *room;
    uint64_t delivery;
};

static void queued_undone(void *arg)
{
    struct queued *queued = arg;
    struct item *before;
    free(lane_take(queued->room, queued->delivery, &before));
    free(queued);
}

struct forgotten { /* puts the item back where it was, should the callback be undone */
    struct item *item, *before;
};

static void forgotten_kept(void *arg)
{
    struct forgotten *forgotten = arg;
    free(forgotten->item);
    free(forgotten);
}

static void forgotten_undone(void *arg)
{
    struct forgotten *forgotten = arg;
    lane_put_back(forgotten->item, forgotten->before);
    free(forgotten);
}

/* A delivery that waits is not said after all. */
static void forget(struct outbox *outbox, struct room *room, uint64_t delivery, const char *reason)
{
    struct item *before, *item = lane_take(room, delivery, &before);
    row_delivery_state(outbox, delivery, "expired", reason);
    if (item != NULL) {
        struct forgotten *forgotten = xcalloc(1, sizeof(*forgotten));
        *forgotten = (struct forgotten){.item = item, .before = before};
        turn_effect(outbox->app->turn, forgotten_kept, forgotten_undone, forgotten);
    }
}

static void queue(struct outbox *outbox, uint64_t delivery, uint64_t message, uint64_t reply_to, struct room *room,
                  enum hr_act act, const struct hr_say *say)
{
    if (!outbox->started) {
        return; /* outbox_start() finds its row */
    }
    struct item *item = xcalloc(1, sizeof(*item));
    *item = (struct item){
        .delivery = delivery,
        .message = message,
        .reply_to = reply_to,
        .room = room,
        .act = act,
        .priority = say->priority,
        .say_flags = say->flags,
        .expires_ms = say->expires_ms,
        .made_ms = clock_monotonic_ms(),
        .since_ms = clock_chat_ms(&outbox->app->clock),
    };
    lane_push(item);
    struct queued *queued = xcalloc(1, sizeof(*queued));
    *queued = (struct queued){.room = room, .delivery = delivery};
    turn_effect(outbox->app->turn, free, queued_undone, queued);
}

int outbox_say(struct outbox *outbox, uint64_t message, uint64_t reply_to, struct room *room, const struct hr_say *say)
{
    if (say->priority < HR_SAFETY || say->priority > HR_ACK) {
        return HR_EINVAL;
    }
    uint64_t delivery = row_delivery(outbox, message, room, HR_ACT_SAY, say);
    if (room->network == NULL) { /* it could not start: the other rooms hear it all the same */
        row_delivery_state(outbox, delivery, "expired", "its network is not running");
        return HR_OK;
    }
    queue(outbox, delivery, message, reply_to, room, HR_ACT_SAY, say);
    return HR_OK;
}

struct said { /* one delivery of a message that an edit or removal has to follow */
    uint64_t id;
    struct room *room;
    struct hr_say say;
    bool waiting, edit_waits;
};

enum { SAID_MAX = 256 };

static size_t read_said(struct outbox *outbox, uint64_t message, struct said *said)
{
    sqlite3_stmt *stmt = store_sql(outbox->app->store,
                                   "SELECT d.id, d.room, d.state = 'waiting', d.priority, d.flags, d.lead, d.lead_url,"
                                   " EXISTS(SELECT 1 FROM delivery e WHERE e.message = ?1 AND e.room = d.room AND "
                                   "e.act = 1 AND e.state = 'waiting')"
                                   " FROM delivery d WHERE d.message = ?1 AND d.act = 0 AND d.state IN ('waiting', "
                                   "'claimed', 'delivered', 'unknown')"
                                   " ORDER BY d.id");
    sqlite3_bind_int64(stmt, 1, (int64_t)message);
    size_t count = 0;
    struct arena *arena = &outbox->app->arena;
    while (count < SAID_MAX && store_row(outbox->app->store, stmt)) {
        struct room *room = rooms_get(outbox->app->rooms, (uint64_t)sqlite3_column_int64(stmt, 1));
        if (room == NULL || room->network == NULL) {
            continue;
        }
        said[count++] = (struct said){
            .id = (uint64_t)sqlite3_column_int64(stmt, 0),
            .room = room,
            .waiting = sqlite3_column_int(stmt, 2),
            .edit_waits = sqlite3_column_int(stmt, 7),
            .say = {.size = sizeof(struct hr_say),
                    .priority = (enum hr_priority)sqlite3_column_int(stmt, 3),
                    .flags = (uint32_t)sqlite3_column_int64(stmt, 4),
                    .lead = arena_strdup(arena, store_text(stmt, 5)),
                    .lead_url = arena_strdup(arena, store_text(stmt, 6))},
        };
    }
    sqlite3_reset(stmt);
    return count;
}

/* Edits that still wait have nothing left to say once the message goes. */
static void drop_edits(struct outbox *outbox, uint64_t message, struct room *room)
{
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT id FROM delivery WHERE message = ?1 AND room = ?2"
                                                       " AND act = 1 AND state = 'waiting' LIMIT 1");
    sqlite3_bind_int64(stmt, 1, (int64_t)message);
    sqlite3_bind_int64(stmt, 2, (int64_t)room->hr.id);
    uint64_t id = store_row(outbox->app->store, stmt) ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    if (id != 0) {
        forget(outbox, room, id, "removed before it was said");
    }
}

void outbox_changed(struct outbox *outbox, uint64_t message, enum hr_act act, bool safety)
{
    struct said *said = arena_alloc(&outbox->app->arena, SAID_MAX * sizeof(*said));
    size_t count = read_said(outbox, message, said);
    for (size_t i = 0; i < count; i++) {
        if (said[i].waiting && act == HR_ACT_REMOVE) {
            forget(outbox, said[i].room, said[i].id, "removed before it was said");
            continue;
        }
        if (said[i].waiting || (act == HR_ACT_EDIT && said[i].edit_waits)) {
            continue; /* the text is read when it is rendered: rewritten in place */
        }
        if (act == HR_ACT_REMOVE) {
            drop_edits(outbox, message, said[i].room);
        }
        said[i].say.priority = safety ? HR_SAFETY : said[i].say.priority;
        uint64_t delivery = row_delivery(outbox, message, said[i].room, act, &said[i].say);
        queue(outbox, delivery, message, 0, said[i].room, act, &said[i].say);
    }
}

static void settle_deliveries(struct outbox *outbox, const struct piece *piece)
{
    const struct claim *claim = piece->claim;
    for (size_t i = 0; i < claim->count; i++) {
        row_delivery_state(outbox, claim->carried[i].delivery, claim->worst, claim->reason);
    }
    if (strcmp(claim->worst, "delivered") != 0) {
        log_line(HR_WARN, piece->room->network == NULL ? NULL : piece->room->network->bot->who,
                 "%s: a line was not delivered (%s): %s", piece->room->hr.address, claim->worst,
                 claim->reason == NULL ? "no reason given" : claim->reason);
    }
}

void outbox_settle(struct outbox *outbox, struct piece *piece, const char *state, const char *remote_id,
                   const char *reason)
{
    struct claim *claim = piece->claim;
    row_part_state(outbox, piece->id, state, remote_id, reason);
    if (remote_id != NULL && piece->room->network != NULL) {
        messages_revision(outbox->app->messages, piece->room->network->scope, remote_id, claim->carried[0].message);
    }
    if (strcmp(state, "delivered") != 0 && strcmp(claim->worst, "refused") != 0) {
        claim->worst = strcmp(state, "unknown") == 0 ? "unknown" : "refused";
        free(claim->reason);
        claim->reason = reason == NULL ? NULL : xstrdup(reason);
    }
    /* What is left of a line that was refused would stand alone: leave it out. */
    for (struct piece *other = piece->room->lane.piece, *next; other != NULL; other = next) {
        next = other->next;
        if (other != piece && other->claim == claim && !other->in_flight && !other->arrived &&
            strcmp(claim->worst, "refused") == 0) {
            row_part_state(outbox, other->id, "dropped", NULL, "an earlier part was refused");
            lane_drop_piece(outbox, other);
        }
    }
    if (claim->pieces == 1) {
        settle_deliveries(outbox, piece);
        if (piece->act == HR_ACT_REMOVE) {
            merge_say_again(outbox, &(struct item){.delivery = claim->carried[0].delivery,
                                                   .message = claim->carried[0].message,
                                                   .room = piece->room});
        }
    }
    lane_drop_piece(outbox, piece);
    turn_touch(outbox->app->turn);
}

/* ---- settling joins the next turn (DESIGN 4.4) ---------------------------------- */

enum { ARRIVED_MAX = 64, ARRIVED_MAX_UNREADABLE = 2, ARRIVED_MAX_MS = 500, UNREADABLE_MAX_MS = 50 };

/* The far side has said how it ended. The rows hear it outside the callback in
 * which that came: its savepoint may be undone, and the answer would be lost. */
static void has_arrived(struct outbox *outbox, struct piece *piece, const char *state, const char *remote_id,
                        const char *reason)
{
    piece->arrived = true;
    piece->outcome = state;
    piece->remote_id = remote_id == NULL ? NULL : xstrdup(remote_id);
    piece->reason = reason == NULL ? NULL : xstrdup(reason);
    outbox->next_changes |= strcmp(state, "delivered") != 0 || piece->act == HR_ACT_REMOVE;
    if (outbox->arrived_count++ == 0) {
        outbox->arrived_ms = clock_monotonic_ms();
    }
    *outbox->last_arrived = piece;
    outbox->last_arrived = &piece->next_arrived;
    turn_touch(outbox->app->turn);
}

void outbox_settle_arrived(void *arg)
{
    struct outbox *outbox = arg;
    struct piece *piece = outbox->arrived;
    outbox->arrived = NULL;
    outbox->last_arrived = &outbox->arrived;
    outbox->arrived_count = 0;
    outbox->next_changes = false;
    while (piece != NULL) {
        struct piece *next = piece->next_arrived;
        outbox_settle(outbox, piece, piece->outcome, piece->remote_id, piece->reason);
        piece = next;
    }
}

bool outbox_settling_is_due(const struct outbox *outbox, int64_t now_ms, int64_t *wake_ms)
{
    if (outbox->arrived_count == 0) {
        return false;
    }
    size_t unreadable = 0;
    for (const struct piece *piece = outbox->arrived; piece != NULL && unreadable < ARRIVED_MAX_UNREADABLE;
         piece = piece->next_arrived) {
        const struct network *network = piece->room->network;
        /* After a crash these would be said again: few may be on their way to the disk. */
        unreadable += network == NULL || !network_same_txn(network);
    }
    /* What the far side recognises can wait for a turn that writes anyway; nobody in the rooms waits for it. */
    int64_t latest_ms = outbox->arrived_ms + (unreadable > 0 ? UNREADABLE_MAX_MS : ARRIVED_MAX_MS);
    if (outbox->app->stopping || turn_is_open(outbox->app->turn) || outbox->arrived_count >= ARRIVED_MAX ||
        unreadable >= ARRIVED_MAX_UNREADABLE || now_ms >= latest_ms) {
        return true;
    }
    *wake_ms = latest_ms < *wake_ms ? latest_ms : *wake_ms;
    return false;
}

static void try_again(struct outbox *outbox, struct network *network, struct piece *piece, int64_t retry_ms,
                      const char *reason)
{
    static const int64_t longest_ms = 24 * 60 * 60 * 1000; /* a far side may ask for any number */
    row_part_state(outbox, piece->id, "ready", NULL, reason);
    int64_t until = clock_monotonic_ms() + (retry_ms <= 0 ? 1000 : retry_ms < longest_ms ? retry_ms : longest_ms);
    if (until > network->blocked_until_ms) {
        network->blocked_until_ms = until;
    }
    turn_touch(outbox->app->turn);
}

void outbox_sent(struct outbox *outbox, struct hr_bot *from, uint64_t part, int status, const char *remote_id,
                 int64_t retry_ms, const char *reason)
{
    struct piece *piece;
    HASH_FIND(hh, outbox->pieces, &part, sizeof(part), piece);
    if (piece == NULL || piece->arrived || piece->room->network == NULL || piece->room->network->bot != from) {
        return; /* answered twice, or after it was settled otherwise */
    }
    lane_landed(piece);
    if (status == HR_OK) {
        has_arrived(outbox, piece, "delivered", remote_id, NULL);
    } else if (status == HR_ERETRY) {
        try_again(outbox, from->network, piece, retry_ms, reason);
    } else if (status == HR_EUNKNOWN && piece->claim->priority == HR_QUESTION &&
               (piece->room->hr.flags & HR_ROOM_PEOPLE)) {
        piece->doubt = piece->lost = true;
        outbox->any_lost = true; /* told at the end of the turn */
        turn_touch(outbox->app->turn);
    } else {
        has_arrived(outbox, piece, status == HR_EUNKNOWN ? "unknown" : "refused", remote_id,
                    reason != NULL ? reason : status_text(status));
    }
}

int outbox_drop_waiting(struct outbox *outbox, uint64_t room_id, const char *reason)
{
    struct room *room = rooms_get(outbox->app->rooms, room_id);
    if (room == NULL) {
        return HR_ENOTFOUND;
    }
    int count = 0;
    for (int p = 0; p < LANE_PRIORITIES; p++) {
        for (struct item *item = room->lane.head[p], *next; item != NULL; item = next) {
            next = item->next;
            if (item->act !=
                HR_ACT_REMOVE) { /* what was taken away is not to stay because the bot is told to be quiet */
                forget(outbox, room, item->delivery, reason);
                count++;
            }
        }
    }
    return count;
}

void outbox_network_gone(struct outbox *outbox, struct network *network)
{
    struct piece *piece, *next;
    if (outbox->arrived != NULL) {
        turn_write(outbox->app->turn);
        outbox_settle_arrived(outbox);
    }
    HASH_ITER(hh, outbox->pieces, piece, next)
    {
        if (piece->room->network == network && piece->in_flight) {
            piece->doubt = true;
            lane_landed(piece);
        }
    }
    outbox_restate(outbox, network);
}

void outbox_wake(struct outbox *outbox)
{
    turn_touch(outbox->app->turn);
}

void outbox_count(struct outbox *outbox, uint64_t room, struct outbox_counts *out)
{
    struct outbox_counts counts = {0};
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT state, count(*), min(due_ms) FROM delivery"
                                                       " WHERE ?1 = 0 OR room = ?1 GROUP BY state");
    sqlite3_bind_int64(stmt, 1, (int64_t)room);
    while (store_row(outbox->app->store, stmt)) {
        const char *state = store_text(stmt, 0);
        int64_t count = sqlite3_column_int64(stmt, 1), due_ms = sqlite3_column_int64(stmt, 2);
        struct {
            const char *name;
            int64_t *to;
        } table[] = {
            {"waiting", &counts.waiting}, {"claimed", &counts.claimed}, {"delivered", &counts.delivered},
            {"named", &counts.named},     {"expired", &counts.expired}, {"refused", &counts.refused},
            {"unknown", &counts.unknown},
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
            if (strcmp(state, table[i].name) == 0) {
                *table[i].to = count;
            }
        }
        if (strcmp(state, "waiting") == 0 || strcmp(state, "claimed") == 0) {
            counts.oldest_ms = counts.oldest_ms == 0 || due_ms < counts.oldest_ms ? due_ms : counts.oldest_ms;
        }
    }
    sqlite3_reset(stmt);
    *out = counts;
}
