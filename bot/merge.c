/* SPDX-License-Identifier: MIT */
/* Lines that wait together go as one part. */
#include "merge.h"
#include "clock.h"
#include "instance.h"
#include "network.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

/* A server that takes one event at a time falls behind without any limit, too: so many lines share an event then. */
enum { BEHIND = 20 };

/* A part with many lines is hard to read, and when one of them is taken back all others are said again: only far behind
 * it is filled up. */
enum { LINES = 30, FAR_BEHIND = 2 * LINES };

static bool goes_with(const struct item *item, const struct item *first)
{
    return item->act == HR_ACT_SAY && !(item->say_flags & HR_SAY_ALONE) && item->group == first->group &&
           item->expires_ms == 0;
}

/* Calm rooms get posts one by one (R31); people's lines may share a part everywhere. */
static bool may_merge(const struct network *network, const struct item *first)
{
    if (!(network->bot->plugin->network->flags & HR_NET_MERGE) || !goes_with(first, first)) {
        return false;
    }
    return first->group != 0 || first->priority == HR_PEOPLE ||
           (first->priority == HR_POSTS && (first->room->hr.flags & HR_ROOM_FULL));
}

size_t merge_gather(const struct network *network, const struct item *first, double tokens,
                    const struct item *items[LANE_MERGE_MAX])
{
    items[0] = first;
    if (!may_merge(network, first)) {
        return 1;
    }
    size_t count = 1, waiting = 1;
    for (const struct item *item = first->next; item != NULL && goes_with(item, first); item = item->next) {
        waiting++;
        if (count < LANE_MERGE_MAX) {
            items[count++] = item;
        }
    }
    count = first->group == 0 && waiting <= FAR_BEHIND && count > LINES ? LINES : count;
    return first->group != 0 || (double)waiting > tokens || waiting > BEHIND ? count : 1;
}

/* Lines of the delivered merged part that carries (message, room), but for those no longer live. */
static sqlite3_stmt *siblings(struct outbox *outbox, const struct item *item)
{
    sqlite3_stmt *stmt =
        store_sql(outbox->app->store,
                  "SELECT DISTINCT o.id, o.message, o.flags, o.priority FROM delivery d"
                  " JOIN delivery_part dp ON dp.delivery = d.id AND dp.merged = 1 JOIN part p ON p.id = dp.part"
                  " JOIN delivery_part op ON op.part = p.id AND op.merged = 1 JOIN delivery o ON o.id = op.delivery"
                  " JOIN message m ON m.id = o.message WHERE d.message = ?1 AND d.room = ?2 AND d.act = 0 AND o.act = 0"
                  " AND p.state = 'delivered' AND m.state = 'live' ORDER BY o.id");
    sqlite3_bind_int64(stmt, 1, (int64_t)item->message);
    sqlite3_bind_int64(stmt, 2, (int64_t)item->room->hr.id);
    return stmt;
}

size_t merge_siblings(struct outbox *outbox, const struct item *edit, struct item out[LANE_MERGE_MAX])
{
    sqlite3_stmt *stmt = siblings(outbox, edit);
    size_t count = 0;
    while (count < LANE_MERGE_MAX && store_row(outbox->app->store, stmt)) {
        out[count++] = (struct item){.delivery = (uint64_t)sqlite3_column_int64(stmt, 0),
                                     .message = (uint64_t)sqlite3_column_int64(stmt, 1),
                                     .say_flags = (uint32_t)sqlite3_column_int64(stmt, 2),
                                     .priority = edit->priority,
                                     .room = edit->room,
                                     .act = HR_ACT_EDIT};
    }
    sqlite3_reset(stmt);
    return count;
}

static void mark_removed(struct outbox *outbox, const struct item *removal)
{
    turn_write(outbox->app->turn);
    sqlite3_stmt *stmt =
        store_sql(outbox->app->store, "UPDATE part SET state = 'removed' WHERE state = 'delivered' AND id IN"
                                      " (SELECT dp.part FROM delivery d JOIN delivery_part dp ON dp.delivery = d.id"
                                      " WHERE d.message IN (" MERGE_MESSAGES ") AND d.room = ?2 AND d.act <= 1)");
    sqlite3_bind_int64(stmt, 1, (int64_t)removal->message);
    sqlite3_bind_int64(stmt, 2, (int64_t)removal->room->hr.id);
    (void)store_run(outbox->app->store, stmt);
}

/* It will be said as it reads now: an edit that waited for the removal has nothing to add. */
static void drop_edit(struct outbox *outbox, const struct item *again)
{
    struct item *before;
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT id FROM delivery WHERE message = ?1 AND room = ?2"
                                                       " AND act = 1 AND state = 'waiting'");
    sqlite3_bind_int64(stmt, 1, (int64_t)again->message);
    sqlite3_bind_int64(stmt, 2, (int64_t)again->room->hr.id);
    uint64_t edit = store_row(outbox->app->store, stmt) ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    if (edit != 0) {
        row_delivery_state(outbox, edit, "expired", "said anew as it reads now");
        free(lane_take(again->room, edit, &before));
    }
}

static void wait_again(struct outbox *outbox, const struct item *again)
{
    turn_write(outbox->app->turn);
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "UPDATE delivery SET state = 'waiting', settled_ms = NULL,"
                                                       " claimed_ms = NULL WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)again->delivery);
    (void)store_run(outbox->app->store, stmt);
    drop_edit(outbox, again);
}

/* The part itself is the first target of its removal. What changed it comes after, and shows nothing without it. */
static bool is_gone(struct outbox *outbox, uint64_t removal)
{
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT p.state = 'delivered' FROM delivery_part dp JOIN part p"
                                                       " ON p.id = dp.part WHERE dp.delivery = ?1 ORDER BY p.id");
    sqlite3_bind_int64(stmt, 1, (int64_t)removal);
    bool gone = store_row(outbox->app->store, stmt) && sqlite3_column_int(stmt, 0);
    sqlite3_reset(stmt);
    return gone;
}

void merge_say_again(struct outbox *outbox, const struct item *removal)
{
    struct item *first = NULL, **last = &first;
    const struct network *network = removal->room->network;
    if (!(network->bot->plugin->network->flags & HR_NET_MERGE) || !is_gone(outbox, removal->delivery)) {
        return; /* the others stand there still */
    }
    sqlite3_stmt *stmt = siblings(outbox, removal);
    while (store_row(outbox->app->store, stmt)) {
        struct item *item = xcalloc(1, sizeof(*item));
        *item = (struct item){.delivery = (uint64_t)sqlite3_column_int64(stmt, 0),
                              .message = (uint64_t)sqlite3_column_int64(stmt, 1),
                              .say_flags = (uint32_t)sqlite3_column_int64(stmt, 2),
                              .priority = (enum hr_priority)sqlite3_column_int(stmt, 3), /* merged: all the same */
                              .room = removal->room,
                              .act = HR_ACT_SAY,
                              .made_ms = clock_monotonic_ms(),
                              .group = removal->delivery};
        *last = item;
        last = &item->next;
    }
    sqlite3_reset(stmt);
    mark_removed(outbox, removal);
    for (const struct item *item = first; item != NULL; item = item->next) {
        wait_again(outbox, item);
    }
    lane_push_first(removal->room, first);
}
