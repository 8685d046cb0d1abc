/* SPDX-License-Identifier: MIT */
/* The rows of the log in the database. */
#include "message_row.h"
#include "instance.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

/* Inside, text has no control characters: these two keep a list in one column. */
enum { LINK_END = '\x1e', TITLE_START = '\x1f' };

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static const char *pack_links(struct arena *arena, const struct hr_link *links, size_t count)
{
    const char *packed = "";
    for (size_t i = 0; i < count; i++) {
        packed = arena_printf(arena, "%s%s%c%s%c", packed, links[i].url, TITLE_START, links[i].title, LINK_END);
    }
    return packed;
}

static const struct hr_link *unpack_links(struct arena *arena, const char *packed, size_t *count)
{
    size_t n = 0;
    for (const char *c = packed; *c != '\0'; c++) {
        n += *c == LINK_END;
    }
    struct hr_link *links = arena_alloc(arena, (n + 1) * sizeof(*links));
    for (size_t i = 0; i < n; i++) {
        const char *title = strchr(packed, TITLE_START), *end = strchr(packed, LINK_END);
        links[i].url = arena_strndup(arena, packed, (size_t)(title - packed));
        links[i].title = arena_strndup(arena, title + 1, (size_t)(end - title - 1));
        packed = end + 1;
    }
    *count = n;
    return links;
}

uint64_t message_row_insert(struct messages *messages, const char *scope, const char *key, const struct hr_message *m)
{
    struct store *store = messages->app->store;
    turn_write(messages->app->turn);
    sqlite3_stmt *stmt = store_sql(
        store, "INSERT INTO message(scope, key, room, author, account, name, handle, power, text, url, links, reply_to,"
               " reply_name, reply_text, time_ms, logged_ms, chat, session, question, flags, media_url, state)"
               " VALUES(?1, coalesce(?2, 'n' || (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = "
               "'message')), ?3, ?4, ?5, ?6, ?7, ?8,"
               " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, 'live')");
    bind_text(stmt, 1, scope);
    bind_text(stmt, 2, key);
    if (m->room != NULL) {
        sqlite3_bind_int64(stmt, 3, (int64_t)m->room->id);
    }
    bind_text(stmt, 4, m->author.id);
    bind_text(stmt, 5, m->author.account);
    bind_text(stmt, 6, m->author.name);
    bind_text(stmt, 7, m->author.handle);
    sqlite3_bind_int(stmt, 8, m->author.power);
    /* What people write to the bot alone is not kept. */
    bind_text(stmt, 9, m->flags & HR_MSG_PRIVATE ? "" : m->text);
    bind_text(stmt, 10, m->url);
    bind_text(stmt, 11, pack_links(&messages->app->arena, m->links, m->link_count));
    sqlite3_bind_int64(stmt, 12, (int64_t)m->reply_to);
    bind_text(stmt, 13, m->reply_name);
    bind_text(stmt, 14, m->reply_text);
    sqlite3_bind_int64(stmt, 15, m->time_ms);
    sqlite3_bind_int64(stmt, 16, m->logged_ms);
    bind_text(stmt, 17, m->chat);
    sqlite3_bind_int64(stmt, 18, (int64_t)m->session);
    sqlite3_bind_int(stmt, 19, m->question);
    sqlite3_bind_int64(stmt, 20, m->flags);
    bind_text(stmt, 21, m->flags & HR_MSG_PRIVATE || m->media_url == NULL ? "" : m->media_url);
    if (store_run(store, stmt) == HR_EEXIST) {
        return 0;
    }
    return (uint64_t)sqlite3_last_insert_rowid(store_db(store));
}

void message_row_state(struct messages *messages, uint64_t id, const char *state)
{
    turn_write(messages->app->turn);
    sqlite3_stmt *stmt = store_sql(messages->app->store, "UPDATE message SET state = ?2 WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)id);
    bind_text(stmt, 2, state);
    (void)store_run(messages->app->store, stmt);
}

const char *message_row_get_state(struct messages *messages, uint64_t id)
{
    sqlite3_stmt *stmt = store_sql(messages->app->store, "SELECT state FROM message WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)id);
    const char *state =
        store_row(messages->app->store, stmt) ? arena_strdup(&messages->app->arena, store_text(stmt, 0)) : "";
    sqlite3_reset(stmt);
    return state;
}

void message_row_text(struct messages *messages, uint64_t id, const char *text, uint32_t flags)
{
    turn_write(messages->app->turn);
    sqlite3_stmt *stmt =
        store_sql(messages->app->store, "UPDATE message SET text = ?2, flags = ?3,"
                                        " media_url = CASE ?2 WHEN '' THEN '' ELSE media_url END WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)id);
    bind_text(stmt, 2, text);
    sqlite3_bind_int64(stmt, 3, flags);
    (void)store_run(messages->app->store, stmt);
}

#define COLUMNS                                                                                         \
    "m.id, m.room, m.author, m.account, m.name, m.handle, m.power, m.text, m.url, m.links, m.reply_to," \
    " m.reply_name, m.reply_text, m.time_ms, m.logged_ms, m.chat, m.session, m.question, m.flags,"      \
    " m.media_url"

enum { COLUMN_COUNT = 20 };

static void read_columns(struct messages *messages, struct arena *arena, sqlite3_stmt *stmt, struct hr_message *out)
{
    struct room *room = rooms_get(messages->app->rooms, (uint64_t)sqlite3_column_int64(stmt, 1));
    *out = (struct hr_message){
        .size = sizeof(*out),
        .id = (uint64_t)sqlite3_column_int64(stmt, 0),
        .room = room == NULL ? NULL : &room->hr,
        .author = {.id = arena_strdup(arena, store_text(stmt, 2)),
                   .account = arena_strdup(arena, store_text(stmt, 3)),
                   .name = arena_strdup(arena, store_text(stmt, 4)),
                   .handle = arena_strdup(arena, store_text(stmt, 5)),
                   .power = sqlite3_column_int(stmt, 6)},
        .text = arena_strdup(arena, store_text(stmt, 7)),
        .url = arena_strdup(arena, store_text(stmt, 8)),
        .reply_to = (uint64_t)sqlite3_column_int64(stmt, 10),
        .reply_name = arena_strdup(arena, store_text(stmt, 11)),
        .reply_text = arena_strdup(arena, store_text(stmt, 12)),
        .time_ms = sqlite3_column_int64(stmt, 13),
        .logged_ms = sqlite3_column_int64(stmt, 14),
        .chat = arena_strdup(arena, store_text(stmt, 15)),
        .session = (uint64_t)sqlite3_column_int64(stmt, 16),
        .question = sqlite3_column_int(stmt, 17),
        .flags = (uint32_t)sqlite3_column_int64(stmt, 18),
        .media_url = arena_strdup(arena, store_text(stmt, 19)),
    };
    out->links = unpack_links(arena, store_text(stmt, 9), &out->link_count);
}

int messages_read(struct messages *messages, struct arena *arena, uint64_t id, struct hr_message *out)
{
    sqlite3_stmt *stmt = store_sql(messages->app->store, "SELECT " COLUMNS " FROM message m WHERE m.id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)id);
    bool found = store_row(messages->app->store, stmt);
    if (found) {
        read_columns(messages, arena, stmt, out);
    }
    sqlite3_reset(stmt);
    return found ? HR_OK : HR_ENOTFOUND;
}

int messages_read_said(struct messages *messages, struct arena *arena, uint64_t delivery, struct hr_message *out,
                       const char **lead, const char **lead_url)
{
    sqlite3_stmt *stmt = store_sql(messages->app->store, "SELECT " COLUMNS ", d.lead, d.lead_url FROM delivery d"
                                                         " JOIN message m ON m.id = d.message WHERE d.id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)delivery);
    bool found = store_row(messages->app->store, stmt);
    if (found) {
        read_columns(messages, arena, stmt, out);
        *lead = arena_strdup(arena, store_text(stmt, COLUMN_COUNT));
        *lead_url = arena_strdup(arena, store_text(stmt, COLUMN_COUNT + 1));
    }
    sqlite3_reset(stmt);
    return found ? HR_OK : HR_ENOTFOUND;
}

int messages_read_flags(struct messages *messages, uint64_t id, uint32_t *flags, uint64_t *reply_to)
{
    if (messages->told != NULL && messages->told->id == id) { /* as it mostly is */
        *flags = messages->told->flags;
        *reply_to = messages->told->reply_to;
        return HR_OK;
    }
    sqlite3_stmt *stmt = store_sql(messages->app->store, "SELECT flags, reply_to FROM message WHERE id = ?1");
    sqlite3_bind_int64(stmt, 1, (int64_t)id);
    bool found = store_row(messages->app->store, stmt);
    if (found) {
        *flags = (uint32_t)sqlite3_column_int64(stmt, 0);
        *reply_to = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return found ? HR_OK : HR_ENOTFOUND;
}

void messages_revision(struct messages *messages, const char *scope, const char *remote_id, uint64_t message)
{
    turn_write(messages->app->turn);
    sqlite3_stmt *stmt =
        store_sql(messages->app->store, "INSERT OR IGNORE INTO revision(scope, remote_id, message) VALUES(?1, ?2, ?3)");
    bind_text(stmt, 1, scope);
    bind_text(stmt, 2, remote_id);
    sqlite3_bind_int64(stmt, 3, (int64_t)message);
    (void)store_run(messages->app->store, stmt);
}

uint64_t messages_by_remote(struct messages *messages, const char *scope, const char *remote_id)
{
    sqlite3_stmt *stmt =
        store_sql(messages->app->store, "SELECT id FROM message WHERE scope = ?1 AND key = ?2 UNION ALL"
                                        " SELECT message FROM revision WHERE scope = ?1 AND remote_id = ?2 LIMIT 1");
    bind_text(stmt, 1, scope);
    bind_text(stmt, 2, remote_id);
    uint64_t id = store_row(messages->app->store, stmt) ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return id;
}
