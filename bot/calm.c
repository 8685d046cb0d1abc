/* SPDX-License-Identifier: MIT */
/* The room's pace for posts from social networks. */
#include "calm.h"
#include "chat.h"
#include "event.h"
#include "instance.h"
#include "log.h"
#include "message.h"
#include "network.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

enum {
    BETWEEN_POSTS_MS = 15 * 1000,
    LEFT_OUT_MS = 10 * 60 * 1000,
    NOTE_EVERY_MS = 10 * 60 * 1000, /* a flood leaves a post out each second: one note for all of them, or notes are all
                                       that is said */
    BACKLOG_POSTS = 15,
    WAITING_MAX = 1000,
    BURST_MAX = 20000, /* of a room that can be reached: thousands of lines may come at once, and go at once */
    QUIET_MAX_MS = 30 * 60 * 1000, /* of the real clock; more is left over from a clock that jumped back */
};

static bool is_calm(const struct room *room)
{
    return !(room->hr.flags & HR_ROOM_FULL);
}

int64_t calm_wait_ms(struct outbox *outbox, const struct item *post)
{
    const struct room *room = post->room;
    int64_t from_ms = room->chat == NULL ? 0 : room->chat->hr.quiet_until_ms;
    if (is_calm(room) && room->lane.calm_until_ms > from_ms) {
        from_ms = room->lane.calm_until_ms;
    }
    int64_t wait_ms = clock_until_ms(&outbox->app->clock, from_ms);
    return wait_ms <= QUIET_MAX_MS ? wait_ms : 0;
}

void calm_note(struct outbox *outbox, const struct item *item)
{
    if (item->priority == HR_POSTS && item->act == HR_ACT_SAY) {
        item->room->lane.calm_until_ms = clock_chat_ms(&outbox->app->clock) + BETWEEN_POSTS_MS;
    }
}

void calm_leave_out(struct outbox *outbox, struct room *room, int64_t now_ms)
{
    struct item *item;
    while ((item = room->lane.head[HR_POSTS]) != NULL && item->act == HR_ACT_SAY && item->group == 0 &&
           item->since_ms + LEFT_OUT_MS < now_ms) {
        row_delivery_named(outbox, item->delivery, "it had waited 10 minutes");
        room->lane.left_out++;
        room->lane.left_message = item->message;
        lane_pop(room, HR_POSTS);
    }
}

static void tell(struct outbox *outbox, struct room *room, enum hr_event_kind kind, uint64_t message, int count)
{
    struct hr_message row;
    if (messages_read(outbox->app->messages, &outbox->app->arena, message, &row) == HR_OK) {
        event_tell(outbox->app, &(struct hr_event){.size = sizeof(struct hr_event),
                                                   .kind = kind,
                                                   .message = &row,
                                                   .chat = room->chat != NULL ? &room->chat->hr : NULL,
                                                   .room = &room->hr,
                                                   .count = count});
    }
}

/* The oldest of a lane that has grown too long. An edit or an acknowledgement is missed by nobody. */
static void drop_first(struct outbox *outbox, struct room *room, enum hr_priority priority, const char *reason)
{
    const struct item *item = room->lane.head[priority];
    if (item->act == HR_ACT_SAY && priority != HR_ACK) {
        row_delivery_named(outbox, item->delivery, reason);
        room->lane.left_message = item->message;
        room->lane.left_out++;
    } else {
        row_delivery_state(outbox, item->delivery, "expired", reason);
    }
    lane_pop(room, priority);
}

void calm_ceiling(struct outbox *outbox)
{
    for (struct room *room = rooms_next(outbox->app->rooms, NULL); room != NULL;
         room = rooms_next(outbox->app->rooms, room)) {
        bool reachable = room->up && room->network != NULL && room->network->up;
        for (int p = HR_PEOPLE; room->lane.total > WAITING_MAX && p <= HR_ACK; p++) {
            while (room->lane.count[p] > (reachable ? BURST_MAX : WAITING_MAX)) {
                drop_first(outbox, room, (enum hr_priority)p,
                           reachable ? "20,000 newer lines waited" : "1,000 newer lines waited");
            }
        }
    }
}

void calm_start(struct outbox *outbox)
{
    sqlite3_stmt *stmt =
        store_sql(outbox->app->store, "SELECT d.room, count(*), d.message, max(d.named) FROM delivery d JOIN room r"
                                      " ON r.id = d.room WHERE d.named IS NOT NULL AND d.named > r.told_named"
                                      " GROUP BY d.room");
    while (store_row(outbox->app->store, stmt)) {
        struct room *room = rooms_get(outbox->app->rooms, (uint64_t)sqlite3_column_int64(stmt, 0));
        if (room != NULL) {
            room->lane.left_out = sqlite3_column_int(stmt, 1);
            room->lane.left_message = (uint64_t)sqlite3_column_int64(stmt, 2);
        }
    }
    sqlite3_reset(stmt);
}

static void mark_told(struct outbox *outbox, const struct room *room)
{
    turn_write(outbox->app->turn);
    sqlite3_stmt *stmt =
        store_sql(outbox->app->store, "UPDATE room SET told_named = (SELECT max(named) FROM delivery WHERE named IS"
                                      " NOT NULL) WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)room->hr.id);
    (void)store_run(outbox->app->store, stmt);
}

static bool note_is_due(struct outbox *outbox, const struct lane *lane, int64_t now_ms, int64_t *wake_ms)
{
    const struct clock *clock = &outbox->app->clock;
    int64_t chat_ms = clock_chat_ms(clock), due_ms = lane->left_told_ms + NOTE_EVERY_MS;
    if (lane->left_told_ms == 0 || chat_ms >= due_ms || chat_ms < lane->left_told_ms) { /* or it was set back */
        return true;
    }
    int64_t at_ms = now_ms + clock_until_ms(clock, due_ms);
    *wake_ms = at_ms < *wake_ms ? at_ms : *wake_ms;
    return false;
}

void calm_tell(struct outbox *outbox, int64_t now_ms, int64_t *wake_ms)
{
    for (struct room *room = rooms_next(outbox->app->rooms, NULL); room != NULL;
         room = rooms_next(outbox->app->rooms, room)) {
        struct lane *lane = &room->lane;
        if (lane->left_out > 0 && room->up && room->network != NULL && room->network->up &&
            note_is_due(outbox, lane, now_ms, wake_ms)) {
            int count = lane->left_out;
            lane->left_out = 0;
            lane->left_told_ms = clock_chat_ms(&outbox->app->clock);
            log_line(HR_INFO, room->network->bot->who, "%s: %d lines had waited too long and were left out",
                     room->hr.address, count);
            mark_told(outbox, room);
            tell(outbox, room, HR_EV_LEFT_OUT, lane->left_message, count);
        }
        if (lane->head[HR_POSTS] == NULL) {
            lane->backlog_told = false;
        } else if (is_calm(room) && !lane->backlog_told && lane->count[HR_POSTS] > BACKLOG_POSTS) {
            lane->backlog_told = true;
            tell(outbox, room, HR_EV_BACKLOG, lane->head[HR_POSTS]->message, BACKLOG_POSTS);
        }
    }
}
