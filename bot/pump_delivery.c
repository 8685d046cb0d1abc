/* SPDX-License-Identifier: MIT */
/* What a delivery has to say, put together from the log for render(). */
#include "pump_delivery.h"
#include "merge.h"
#include "message.h"
#include "network.h"
#include "reduce.h"
#include "room.h"
#include "xalloc.h"

static sqlite3_stmt *pair(struct outbox *outbox, const char *sql, uint64_t message, const struct room *room)
{
    sqlite3_stmt *stmt = store_sql(outbox->app->store, sql);
    sqlite3_bind_int64(stmt, 1, (int64_t)message);
    sqlite3_bind_int64(stmt, 2, (int64_t)room->hr.id);
    return stmt;
}

static bool found(struct outbox *outbox, sqlite3_stmt *stmt)
{
    bool row = store_row(outbox->app->store, stmt);
    sqlite3_reset(stmt);
    return row;
}

bool pump_say_is_open(struct outbox *outbox, uint64_t message, const struct room *room)
{
    sqlite3_stmt *stmt = pair(outbox,
                              "SELECT 1 FROM delivery WHERE message = ?1 AND room = ?2 AND act = 0"
                              " AND state IN ('waiting', 'claimed')",
                              message, room);
    return found(outbox, stmt);
}

bool pump_words_are_open(struct outbox *outbox, uint64_t message, const struct room *room)
{
    sqlite3_stmt *stmt = pair(outbox,
                              "SELECT 1 FROM delivery WHERE message IN (" MERGE_MESSAGES ") AND room = ?2 AND act <= 1"
                              " AND state = 'claimed'",
                              message, room);
    return found(outbox, stmt);
}

bool pump_removal_is_open(struct outbox *outbox, uint64_t message, const struct room *room)
{
    sqlite3_stmt *stmt = pair(outbox,
                              "SELECT 1 FROM delivery WHERE message IN (" MERGE_MESSAGES ") AND room = ?2 AND act = 2"
                              " AND state = 'claimed'",
                              message, room);
    return found(outbox, stmt);
}

/* Ids of the parts said before: an edit goes to the first saying, a removal to all of it. */
static void read_targets(struct outbox *outbox, const struct item *item, struct arena *arena, struct hr_delivery *out)
{
    enum { TARGETS_MAX = 128 };
    const char **target = arena_alloc(arena, TARGETS_MAX * sizeof(*target));
    static const char edit_sql[] =
        "SELECT p.remote_id, d.settled_ms FROM delivery d JOIN delivery_part dp ON dp.delivery = d.id"
        " JOIN part p ON p.id = dp.part WHERE d.message = ?1 AND d.room = ?2 AND d.act = 0 AND p.state = 'delivered'"
        " ORDER BY p.id";
    /* Edits of the others in a merged part hold these words too. */
    static const char remove_sql[] =
        "SELECT p.remote_id, min(d.settled_ms) FROM delivery d JOIN delivery_part dp ON dp.delivery = d.id"
        " JOIN part p ON p.id = dp.part WHERE d.message IN (" MERGE_MESSAGES ") AND d.room = ?2 AND d.act <= 1"
        " AND p.state = 'delivered' GROUP BY p.id ORDER BY p.id";
    sqlite3_stmt *stmt = pair(outbox, item->act == HR_ACT_REMOVE ? remove_sql : edit_sql, item->message, item->room);
    int64_t said_ms = 0;
    while (out->target_count < TARGETS_MAX && store_row(outbox->app->store, stmt)) {
        said_ms = said_ms == 0 ? sqlite3_column_int64(stmt, 1) : said_ms;
        if (sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
            target[out->target_count++] = arena_strdup(arena, store_text(stmt, 0));
        }
    }
    sqlite3_reset(stmt);
    out->target = target;
    out->age_ms = said_ms > 0 ? clock_wall_ms() - said_ms : INT64_MAX;
}

/* How this room knows a message: by its own id if it was said here, else by the part that carried it. */
static const char *remote_in_room(struct outbox *outbox, uint64_t message, const struct room *room, struct arena *arena)
{
    sqlite3_stmt *stmt = pair(outbox,
                              "SELECT key FROM message WHERE id = ?1 AND room = ?2 AND scope = ?3"
                              " UNION ALL SELECT remote_id FROM (SELECT p.remote_id FROM delivery d"
                              " JOIN delivery_part dp ON dp.delivery = d.id JOIN part p ON p.id = dp.part"
                              " WHERE d.message = ?1 AND d.room = ?2 AND d.act = 0 AND p.remote_id IS NOT NULL"
                              " AND p.state = 'delivered' ORDER BY p.id) LIMIT 1",
                              message, room);
    sqlite3_bind_text(stmt, 3, room->network->scope, -1, SQLITE_STATIC);
    const char *remote = store_row(outbox->app->store, stmt) ? arena_strdup(arena, store_text(stmt, 0)) : "";
    sqlite3_reset(stmt);
    return remote;
}

static const char *thread_in_room(struct outbox *outbox, const struct hr_message *message, const struct room *room,
                                  struct arena *arena)
{
    sqlite3_stmt *stmt = pair(outbox,
                              "SELECT p.remote_id FROM message m JOIN delivery d ON d.message = m.id"
                              " JOIN delivery_part dp ON dp.delivery = d.id JOIN part p ON p.id = dp.part"
                              " WHERE m.scope = 'own' AND m.session = ?1 AND d.room = ?2 AND p.state = 'delivered'"
                              " AND p.remote_id IS NOT NULL ORDER BY p.id DESC LIMIT 1",
                              message->session, room);
    const char *remote =
        message->session != 0 && store_row(outbox->app->store, stmt) ? arena_strdup(arena, store_text(stmt, 0)) : "";
    sqlite3_reset(stmt);
    return remote;
}

/* A picture: its own service shows it, elsewhere its address is said. */
static void add_media(struct outbox *outbox, const struct item *item, struct arena *arena,
                      const struct hr_message *message, struct hr_delivery *out)
{
    if (!(message->flags & HR_MSG_MEDIA)) {
        return;
    }
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT key FROM message WHERE id = ?1 AND scope = ?2");
    sqlite3_bind_int64(stmt, 1, (int64_t)item->message);
    sqlite3_bind_text(stmt, 2, item->room->network->scope, -1, SQLITE_STATIC);
    if (store_row(outbox->app->store, stmt)) {
        out->origin = arena_strdup(arena, store_text(stmt, 0));
        out->media_url = message->media_url;
    } else if (message->media_url[0] != '\0' && message->text[0] != '\0') {
        out->text = arena_printf(arena, "%s %s", message->text, message->media_url);
    }
    sqlite3_reset(stmt);
}

int pump_delivery(struct outbox *outbox, const struct item *item, struct arena *arena, struct hr_delivery *out)
{
    struct hr_message message;
    const char *lead, *lead_url;
    int rc = messages_read_said(outbox->app->messages, arena, item->delivery, &message, &lead, &lead_url);
    if (rc != HR_OK) {
        return rc;
    }
    *out = (struct hr_delivery){
        .size = sizeof(*out),
        .id = item->delivery,
        .act = item->act,
        .room = &item->room->hr,
        .priority = item->priority,
        .lead = lead,
        .lead_url = lead_url,
        .text = message.text,
        .say_flags = item->say_flags,
        .msg_flags = message.flags,
        .reply_remote = "",
        .reply_name = message.reply_name,
        .reply_text = message.reply_text,
        .thread_remote = "",
        .origin = "",
        .media_url = "",
    };
    add_media(outbox, item, arena, &message, out);
    if (out->lead[0] != '\0' && (out->room->flags & (HR_ROOM_PEOPLE | HR_ROOM_FULL)) == HR_ROOM_PEOPLE) {
        out->text = reduce_text(arena, message.text, out->lead_url); /* calm rooms, by R12 and R14 */
    }
    if (item->act != HR_ACT_SAY) {
        read_targets(outbox, item, arena, out);
    }
    if (message.reply_to != 0) {
        out->reply_remote = remote_in_room(outbox, message.reply_to, item->room, arena);
    }
    if (item->say_flags & HR_SAY_THREAD) {
        out->thread_remote = thread_in_room(outbox, &message, item->room, arena);
    }
    return HR_OK;
}
