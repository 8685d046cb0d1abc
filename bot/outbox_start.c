/* SPDX-License-Identifier: MIT */
/* After a start: the outbox's memory from its rows, and the budgets from the parts. */
#include "calm.h"
#include "instance.h"
#include "log.h"
#include "network.h"
#include "outbox_rows.h"
#include "plugins.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

/* The room of a stored row; a private one comes back into memory. NULL: nobody serves it now. */
static struct room *room_of(struct outbox *outbox, uint64_t id)
{
    struct room *room = rooms_get(outbox->app->rooms, id);
    if (room == NULL) {
        sqlite3_stmt *stmt =
            store_sql(outbox->app->store, "SELECT network, address FROM room WHERE id = ?1 AND private = 1");
        sqlite3_bind_int64(stmt, 1, (int64_t)id);
        struct arena *arena = &outbox->app->arena;
        bool found = store_row(outbox->app->store, stmt);
        const char *network = found ? arena_strdup(arena, store_text(stmt, 0)) : NULL;
        const char *address = found ? arena_strdup(arena, store_text(stmt, 1)) : NULL;
        sqlite3_reset(stmt);
        room = found ? rooms_private(outbox->app->rooms, network, address) : NULL;
    }
    return room == NULL || room->network == NULL ? NULL : room;
}

struct open_row {
    uint64_t delivery, message, room, reply_to;
    struct item item;
};

static void load_waiting(struct outbox *outbox, const struct open_row *row)
{
    struct room *room = room_of(outbox, row->room);
    if (room == NULL) {
        row_delivery_state(outbox, row->delivery, "expired", "the room is no longer configured");
        return;
    }
    struct item *item = xcalloc(1, sizeof(*item));
    *item = row->item;
    item->room = room;
    item->made_ms = clock_monotonic_ms();
    lane_push(item);
}

static struct claim *join_claim(struct claim *claim, const struct open_row *row)
{
    if (claim->count < LANE_MERGE_MAX) {
        claim->carried[claim->count++] = (struct carried){.delivery = row->delivery, .message = row->message};
    }
    return claim;
}

/* A part of an old copy that was put back may have left since, whatever its row says. */
static struct piece *read_piece(struct outbox *outbox, sqlite3_stmt *stmt, struct room *room, struct claim *claim)
{
    struct piece *piece = xcalloc(1, sizeof(*piece));
    const char *store = store_text(stmt, 6);
    bool put_back = strcmp(store, store_id(outbox->app->store)) != 0;
    *piece = (struct piece){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                            .store = xstrdup(store),
                            .room = room,
                            .claim = claim,
                            .act = (enum hr_act)sqlite3_column_int(stmt, 1),
                            .doubt = put_back || strcmp(store_text(stmt, 3), "claimed") == 0,
                            .attempt = sqlite3_column_int(stmt, 4),
                            .first_ms = sqlite3_column_int64(stmt, 5)};
    piece->body_len = (size_t)sqlite3_column_bytes(stmt, 2);
    piece->body = xstrndup(sqlite3_column_blob(stmt, 2), piece->body_len);
    return piece;
}

static void load_pieces(struct outbox *outbox, const struct open_row *row)
{
    struct room *room = room_of(outbox, row->room);
    if (room == NULL) {
        row_delivery_state(outbox, row->delivery, "unknown", "the room is no longer configured");
        return;
    }
    struct claim *claim = NULL;
    sqlite3_stmt *stmt =
        store_sql(outbox->app->store,
                  "SELECT p.id, p.act, p.body, p.state, p.attempts, p.first_ms, p.txn FROM delivery_part dp"
                  " JOIN part p ON p.id = dp.part WHERE dp.delivery = ?1 AND p.state IN ('ready', 'claimed', 'unknown')"
                  " ORDER BY p.id");
    sqlite3_bind_int64(stmt, 1, (int64_t)row->delivery);
    bool unknown = false;
    while (store_row(outbox->app->store, stmt)) {
        if (strcmp(store_text(stmt, 3), "unknown") == 0) { /* settled; it counts when the others are */
            unknown = true;
            continue;
        }
        uint64_t id = (uint64_t)sqlite3_column_int64(stmt, 0);
        struct piece *piece;
        HASH_FIND(hh, outbox->pieces, &id, sizeof(id), piece);
        if (piece != NULL) { /* a merged part, met before with another of its deliveries */
            claim = claim == NULL ? join_claim(piece->claim, row) : claim;
            continue;
        }
        if (claim == NULL) {
            claim = join_claim(lane_claim(LANE_MERGE_MAX), row); /* how many it carries shows later */
            claim->priority = row->item.priority;
        }
        claim->pieces++;
        lane_add_piece(outbox, read_piece(outbox, stmt, room, claim));
    }
    sqlite3_reset(stmt);
    if (claim == NULL) { /* its last part was settled without it: can't be, but must not hang */
        row_delivery_state(outbox, row->delivery, "unknown", "no part of it is left");
    } else if (unknown) {
        claim->worst = "unknown";
    }
}

static size_t read_open(struct outbox *outbox, const char *state, struct open_row **out)
{
    size_t count = 0, cap = 0;
    struct open_row *rows = NULL;
    sqlite3_stmt *stmt = store_sql(
        outbox->app->store, "SELECT d.id, d.message, d.room, m.reply_to, d.act, d.priority, d.flags, d.expires_ms,"
                            " m.logged_ms"
                            " FROM delivery d JOIN message m ON m.id = d.message WHERE d.state = ?1"
                            " AND d.state IN ('waiting', 'claimed') ORDER BY d.id");
    sqlite3_bind_text(stmt, 1, state, -1, SQLITE_STATIC);
    while (store_row(outbox->app->store, stmt)) {
        if (count == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            rows = xrealloc(rows, cap, sizeof(*rows));
        }
        struct open_row *row = &rows[count++];
        *row = (struct open_row){.delivery = (uint64_t)sqlite3_column_int64(stmt, 0),
                                 .message = (uint64_t)sqlite3_column_int64(stmt, 1),
                                 .room = (uint64_t)sqlite3_column_int64(stmt, 2)};
        row->item = (struct item){.delivery = row->delivery,
                                  .message = row->message,
                                  .reply_to = (uint64_t)sqlite3_column_int64(stmt, 3),
                                  .act = (enum hr_act)sqlite3_column_int(stmt, 4),
                                  .priority = (enum hr_priority)sqlite3_column_int(stmt, 5),
                                  .say_flags = (uint32_t)sqlite3_column_int64(stmt, 6),
                                  .expires_ms = sqlite3_column_int64(stmt, 7),
                                  .since_ms = sqlite3_column_int64(stmt, 8)};
    }
    sqlite3_reset(stmt);
    *out = rows;
    return count;
}

static void load_state(struct outbox *outbox, const char *state,
                       void (*load)(struct outbox *outbox, const struct open_row *row))
{
    struct open_row *rows;
    size_t count = read_open(outbox, state, &rows);
    for (size_t i = 0; i < count; i++) {
        load(outbox, &rows[i]);
    }
    free(rows);
}

/* A restart must not give the account a fresh burst. */
static void rebuild_level(struct outbox *outbox, struct network *network)
{
    if (network->limits.rate <= 0) {
        return;
    }
    int64_t window_ms = (int64_t)(network->limits.burst / network->limits.rate * 1000.0);
    sqlite3_stmt *stmt = store_sql(outbox->app->store, "SELECT count(*) FROM part p JOIN room r ON r.id = p.room"
                                                       " WHERE r.network = ?1 AND p.last_ms > ?2");
    sqlite3_bind_text(stmt, 1, network->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, clock_wall_ms() - window_ms);
    double spent = store_row(outbox->app->store, stmt) ? (double)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    network->tokens = spent > network->limits.burst ? 0 : network->limits.burst - spent;
}

void outbox_start(struct outbox *outbox)
{
    load_state(outbox, "claimed", load_pieces);
    load_state(outbox, "waiting", load_waiting);
    calm_start(outbox);
    for (struct hr_bot *bot = plugins_each(outbox->app->plugins, NULL); bot != NULL;
         bot = plugins_each(outbox->app->plugins, bot)) {
        if (bot->network != NULL) {
            rebuild_level(outbox, bot->network);
        }
    }
    outbox->started = true;
    outbox_restate(outbox, NULL);
    turn_touch(outbox->app->turn);
}
