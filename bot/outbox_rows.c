/* SPDX-License-Identifier: MIT */
/* Lanes in memory and the outbox's rows in the database. */
#include "outbox_rows.h"
#include "clock.h"
#include "network.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

void lane_push(struct item *item)
{
    struct lane *lane = &item->room->lane;
    item->next = NULL;
    if (lane->tail[item->priority] == NULL) {
        lane->head[item->priority] = item;
    } else {
        lane->tail[item->priority]->next = item;
    }
    lane->tail[item->priority] = item;
    lane->count[item->priority]++;
    lane->total++;
}

void lane_push_first(struct room *room, struct item *items)
{
    if (items == NULL) {
        return;
    }
    struct item *last = items;
    room->lane.count[items->priority]++;
    room->lane.total++;
    while (last->next != NULL) {
        last = last->next;
        room->lane.count[items->priority]++;
        room->lane.total++;
    }
    last->next = room->lane.head[items->priority];
    room->lane.head[items->priority] = items;
    if (last->next == NULL) {
        room->lane.tail[items->priority] = last;
    }
}

void lane_pop(struct room *room, enum hr_priority priority)
{
    struct item *item = room->lane.head[priority];
    room->lane.head[priority] = item->next;
    room->lane.count[priority]--;
    room->lane.total--;
    if (item->next == NULL) {
        room->lane.tail[priority] = NULL;
    }
    free(item);
}

struct item *lane_take(struct room *room, uint64_t delivery, struct item **before)
{
    for (int p = 0; p < LANE_PRIORITIES; p++) {
        struct item *last = NULL;
        for (struct item *item = room->lane.head[p]; item != NULL; last = item, item = item->next) {
            if (item->delivery != delivery) {
                continue;
            }
            *(last == NULL ? &room->lane.head[p] : &last->next) = item->next;
            if (room->lane.tail[p] == item) {
                room->lane.tail[p] = last;
            }
            room->lane.count[p]--;
            room->lane.total--;
            *before = last;
            return item;
        }
    }
    return NULL;
}

void lane_put_back(struct item *item, struct item *before)
{
    struct lane *lane = &item->room->lane;
    struct item **at = before == NULL ? &lane->head[item->priority] : &before->next;
    item->next = *at;
    *at = item;
    lane->count[item->priority]++;
    lane->total++;
    if (item->next == NULL) {
        lane->tail[item->priority] = item;
    }
}

struct claim *lane_claim(size_t room)
{
    struct claim *claim = xcalloc(1, sizeof(*claim) + room * sizeof(claim->carried[0]));
    claim->worst = "delivered";
    return claim;
}

void lane_add_piece(struct outbox *outbox, struct piece *piece)
{
    struct piece **at = &piece->room->lane.piece;
    while (*at != NULL && (*at)->id < piece->id) {
        at = &(*at)->next;
    }
    piece->next = *at;
    *at = piece;
    HASH_ADD(hh, outbox->pieces, id, sizeof(piece->id), piece);
}

void lane_drop_piece(struct outbox *outbox, struct piece *piece)
{
    struct piece **at = &piece->room->lane.piece;
    while (*at != piece) {
        BUG_IF(*at == NULL);
        at = &(*at)->next;
    }
    *at = piece->next;
    HASH_DEL(outbox->pieces, piece);
    if (--piece->claim->pieces == 0) {
        free(piece->claim->reason);
        free(piece->claim);
    }
    free(piece->store);
    free(piece->remote_id);
    free(piece->reason);
    free(piece->body);
    free(piece);
}

void lane_landed(struct piece *piece)
{
    if (piece->in_flight) {
        piece->in_flight = false;
        piece->room->lane.in_flight--;
        piece->room->network->in_flight--;
    }
}

void lane_clear(struct outbox *outbox, struct room *room)
{
    while (room->lane.piece != NULL) {
        lane_drop_piece(outbox, room->lane.piece);
    }
    for (int p = 0; p < LANE_PRIORITIES; p++) {
        while (room->lane.head[p] != NULL) {
            lane_pop(room, (enum hr_priority)p);
        }
    }
}

static sqlite3_stmt *write_sql(struct outbox *outbox, const char *sql)
{
    turn_write(outbox->app->turn);
    return store_sql(outbox->app->store, sql);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

uint64_t row_delivery(struct outbox *outbox, uint64_t message, const struct room *room, enum hr_act act,
                      const struct hr_say *say)
{
    sqlite3_stmt *stmt = write_sql(
        outbox, "INSERT INTO delivery(message, room, act, priority, flags, lead, lead_url, expires_ms, due_ms, state)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'waiting')");
    sqlite3_bind_int64(stmt, 1, (int64_t)message);
    sqlite3_bind_int64(stmt, 2, (int64_t)room->hr.id);
    sqlite3_bind_int(stmt, 3, act);
    sqlite3_bind_int(stmt, 4, (int)say->priority);
    sqlite3_bind_int64(stmt, 5, say->flags);
    bind_text(stmt, 6, say->lead == NULL ? "" : say->lead);
    bind_text(stmt, 7, say->lead_url == NULL ? "" : say->lead_url);
    sqlite3_bind_int64(stmt, 8, say->expires_ms);
    sqlite3_bind_int64(stmt, 9, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
    return (uint64_t)sqlite3_last_insert_rowid(store_db(outbox->app->store));
}

void row_delivery_state(struct outbox *outbox, uint64_t delivery, const char *state, const char *reason)
{
    sqlite3_stmt *stmt =
        write_sql(outbox, "UPDATE delivery SET state = ?2, reason = ?3, settled_ms = ?4 WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)delivery);
    bind_text(stmt, 2, state);
    bind_text(stmt, 3, reason);
    sqlite3_bind_int64(stmt, 4, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
}

void row_delivery_named(struct outbox *outbox, uint64_t delivery, const char *reason)
{
    sqlite3_stmt *stmt =
        write_sql(outbox, "UPDATE delivery SET state = 'named', reason = ?2, settled_ms = ?3, named = 1 +"
                          " (SELECT coalesce(max(named), 0) FROM delivery WHERE named IS NOT NULL) WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)delivery);
    bind_text(stmt, 2, reason);
    sqlite3_bind_int64(stmt, 3, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
}

void row_delivery_claimed(struct outbox *outbox, uint64_t delivery)
{
    sqlite3_stmt *stmt = write_sql(outbox, "UPDATE delivery SET state = 'claimed', claimed_ms = ?2 WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)delivery);
    sqlite3_bind_int64(stmt, 2, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
}

uint64_t row_part(struct outbox *outbox, const struct room *room, enum hr_act act, const void *body, size_t len,
                  bool claimed, const struct claim *claim)
{
    struct store *store = outbox->app->store;
    sqlite3_stmt *stmt = write_sql(outbox, "INSERT INTO part(room, txn, act, body, state, attempts, first_ms, last_ms)"
                                           " VALUES(?1, ?2, ?3, ?4, iif(?5, 'claimed', 'ready'), ?5, ?6, ?6)");
    sqlite3_bind_int64(stmt, 1, (int64_t)room->hr.id);
    bind_text(stmt, 2, store_id(store));
    sqlite3_bind_int(stmt, 3, act);
    sqlite3_bind_blob64(stmt, 4, body, len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 5, claimed);
    if (claimed) {
        sqlite3_bind_int64(stmt, 6, clock_wall_ms());
    }
    (void)store_run(store, stmt);
    uint64_t part = (uint64_t)sqlite3_last_insert_rowid(store_db(store));
    for (size_t i = 0; i < claim->count; i++) {
        stmt = write_sql(outbox, "INSERT INTO delivery_part(delivery, part, merged) VALUES(?1, ?2, ?3)");
        sqlite3_bind_int64(stmt, 1, (int64_t)claim->carried[i].delivery);
        sqlite3_bind_int64(stmt, 2, (int64_t)part);
        sqlite3_bind_int(stmt, 3, claim->count > 1);
        (void)store_run(store, stmt);
    }
    return part;
}

void row_part_claimed(struct outbox *outbox, const struct piece *piece)
{
    sqlite3_stmt *stmt = write_sql(outbox, "UPDATE part SET state = 'claimed', attempts = ?2, first_ms = ?3,"
                                           " last_ms = ?4 WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)piece->id);
    sqlite3_bind_int(stmt, 2, piece->attempt);
    sqlite3_bind_int64(stmt, 3, piece->first_ms);
    sqlite3_bind_int64(stmt, 4, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
}

void row_part_state(struct outbox *outbox, uint64_t part, const char *state, const char *remote_id, const char *reason)
{
    sqlite3_stmt *stmt =
        write_sql(outbox, "UPDATE part SET state = ?2, remote_id = ?3, reason = ?4, settled_ms = ?5,"
                          " body = iif(?2 = 'ready', body, x'') WHERE id = ?1"); /* its words stand in the log alone */
    sqlite3_bind_int64(stmt, 1, (int64_t)part);
    bind_text(stmt, 2, state);
    bind_text(stmt, 3, remote_id);
    bind_text(stmt, 4, reason);
    sqlite3_bind_int64(stmt, 5, clock_wall_ms());
    (void)store_run(outbox->app->store, stmt);
}
