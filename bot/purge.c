/* SPDX-License-Identifier: MIT */
/* Empties what was said once it has been kept long enough. */
#include "purge.h"
#include "config.h"
#include "log.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

enum { FIRST_MS = 5000, EVERY_MS = 10 * 60 * 1000, SOON_MS = 1000, BATCH = 500 };

struct purge {
    struct app *app;
    uv_timer_t timer;
};

static int empty(struct purge *purge, const char *sql, uint64_t room, int64_t before_ms)
{
    struct store *store = purge->app->store;
    turn_write(purge->app->turn);
    sqlite3_stmt *stmt = store_sql(store, sql);
    sqlite3_bind_int64(stmt, 1, (int64_t)room);
    sqlite3_bind_int64(stmt, 2, before_ms);
    sqlite3_bind_int(stmt, 3, BATCH);
    (void)store_run(store, stmt);
    return sqlite3_changes(store_db(store));
}

/* The name in front of a relayed line goes with the line. */
static void empty_leads(struct purge *purge)
{
    turn_write(purge->app->turn);
    sqlite3_stmt *stmt =
        store_sql(purge->app->store, "UPDATE delivery SET lead = '', lead_url = '' WHERE lead <> '' AND message IN"
                                     " (SELECT id FROM message WHERE name = '' AND scope <> 'own')");
    (void)store_run(purge->app->store, stmt);
}

int purge_run(struct purge *purge)
{
    static const char one_room[] =
        "UPDATE message SET text = '', links = '', name = '', handle = '', reply_name = '', reply_text = '', url = '',"
        " media_url = ''"
        " WHERE id IN (SELECT id FROM message WHERE room = ?1 AND name <> '' AND logged_ms < ?2 LIMIT ?3)";
    static const char all_rooms[] =
        "UPDATE message SET text = '', links = '', name = '', handle = '', reply_name = '', reply_text = '', url = '',"
        " media_url = ''"
        " WHERE id IN (SELECT id FROM message WHERE scope <> 'own' AND name <> '' AND logged_ms < ?2 LIMIT ?3)";
    const struct config *config = purge->app->config;
    int64_t now_ms = clock_chat_ms(&purge->app->clock);
    int count = 0;
    for (struct room *room = rooms_next(purge->app->rooms, NULL); room != NULL;
         room = rooms_next(purge->app->rooms, room)) {
        if (room->hr.flags & HR_ROOM_SOCIAL) {
            count += empty(purge, one_room, room->hr.id, now_ms - config->keep_posts_ms);
        }
    }
    count += empty(purge, all_rooms, 0, now_ms - config->keep_words_ms);
    if (count > 0) {
        empty_leads(purge);
        log_line(HR_DEBUG, NULL, "emptied %d messages that had been kept long enough", count);
    }
    return count;
}

static void on_timer(uv_timer_t *timer)
{
    struct purge *purge = timer->data;
    int count = purge_run(purge);
    uv_timer_start(timer, on_timer, count >= BATCH ? SOON_MS : EVERY_MS, 0);
}

struct purge *purge_new(struct app *app)
{
    struct purge *purge = xcalloc(1, sizeof(*purge));
    purge->app = app;
    uv_timer_init(app->loop, &purge->timer);
    purge->timer.data = purge;
    uv_timer_start(&purge->timer, on_timer, FIRST_MS, 0);
    uv_unref((uv_handle_t *)&purge->timer);
    return purge;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void purge_free(struct purge *purge)
{
    if (purge != NULL) {
        uv_close((uv_handle_t *)&purge->timer, on_closed);
    }
}
