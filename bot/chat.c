/* SPDX-License-Identifier: MIT */
/* The host's small record of each chat. */
#include "chat.h"
#include "config.h"
#include "event.h"
#include "turn.h"
#include "xalloc.h"

struct chats {
    struct app *app;
    struct chat *item;
    size_t count;
};

static void load(struct chats *chats, struct chat *chat)
{
    struct store *store = chats->app->store;
    sqlite3_stmt *stmt = store_sql(
        store, "SELECT session, question, quiet_until_ms, read_from_ms, read_to_ms, starts_ms, ends_ms FROM chat"
               " WHERE name = ?1");
    sqlite3_bind_text(stmt, 1, chat->config->name, -1, SQLITE_STATIC);
    struct hr_chat hr = {.size = sizeof(hr), .name = chat->config->name, .tag = chat->config->tag};
    if (store_row(store, stmt)) {
        hr.session = (uint64_t)sqlite3_column_int64(stmt, 0);
        hr.question = sqlite3_column_int(stmt, 1);
        hr.quiet_until_ms = sqlite3_column_int64(stmt, 2);
        hr.read_from_ms = sqlite3_column_int64(stmt, 3);
        hr.read_to_ms = sqlite3_column_int64(stmt, 4);
        hr.starts_ms = sqlite3_column_int64(stmt, 5);
        hr.ends_ms = sqlite3_column_int64(stmt, 6);
    }
    sqlite3_reset(stmt);
    chat->hr = hr;
}

struct chats *chats_new(struct app *app)
{
    struct chats *chats = xcalloc(1, sizeof(*chats));
    chats->app = app;
    chats->count = app->config->chat_count;
    chats->item = xcalloc(chats->count, sizeof(*chats->item));
    for (size_t i = 0; i < chats->count; i++) {
        chats->item[i].config = &app->config->chat[i];
        load(chats, &chats->item[i]);
    }
    return chats;
}

void chats_free(struct chats *chats)
{
    if (chats != NULL) {
        free(chats->item);
        free(chats);
    }
}

struct chat *chats_find(struct chats *chats, const char *name)
{
    for (size_t i = 0; i < chats->count; i++) {
        if (strcmp(chats->item[i].config->name, name) == 0) {
            return &chats->item[i];
        }
    }
    return NULL;
}

struct undo { /* the record as it was, should the callback be undone */
    struct chat *chat;
    struct hr_chat before;
};

static void undo_drop(void *arg)
{
    struct undo *undo = arg;
    undo->chat->hr = undo->before;
    free(undo);
}

int chats_set(struct chats *chats, const struct hr_chat *record)
{
    struct chat *chat = chats_find(chats, record->name);
    if (chat == NULL) {
        return HR_ENOTFOUND;
    }
    turn_write(chats->app->turn);
    sqlite3_stmt *stmt = store_sql(
        chats->app->store,
        "INSERT INTO chat(name, session, question, quiet_until_ms, read_from_ms, read_to_ms, starts_ms, ends_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(name) DO UPDATE SET session = ?2, question = ?3,"
        " quiet_until_ms = ?4, read_from_ms = ?5, read_to_ms = ?6, starts_ms = ?7, ends_ms = ?8");
    sqlite3_bind_text(stmt, 1, chat->config->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, (int64_t)record->session);
    sqlite3_bind_int(stmt, 3, record->question);
    sqlite3_bind_int64(stmt, 4, record->quiet_until_ms);
    sqlite3_bind_int64(stmt, 5, record->read_from_ms);
    sqlite3_bind_int64(stmt, 6, record->read_to_ms);
    sqlite3_bind_int64(stmt, 7, record->starts_ms);
    sqlite3_bind_int64(stmt, 8, record->ends_ms);
    (void)store_run(chats->app->store, stmt);

    struct undo *undo = xcalloc(1, sizeof(*undo));
    *undo = (struct undo){.chat = chat, .before = chat->hr};
    turn_effect(chats->app->turn, free, undo_drop, undo);
    chat->hr = (struct hr_chat){.size = sizeof(chat->hr),
                                .name = chat->config->name,
                                .tag = chat->config->tag,
                                .session = record->session,
                                .question = record->question,
                                .quiet_until_ms = record->quiet_until_ms,
                                .read_from_ms = record->read_from_ms,
                                .read_to_ms = record->read_to_ms,
                                .starts_ms = record->starts_ms,
                                .ends_ms = record->ends_ms};
    event_tell(chats->app, &(struct hr_event){.size = sizeof(struct hr_event), .kind = HR_EV_CHAT, .chat = &chat->hr});
    return HR_OK;
}

struct chat *chats_each(struct chats *chats, struct chat *after)
{
    size_t next = after == NULL ? 0 : (size_t)(after - chats->item) + 1;
    return next < chats->count ? &chats->item[next] : NULL;
}

struct chat *chats_only(struct chats *chats)
{
    if (chats->count == 1) {
        return &chats->item[0];
    }
    struct chat *live = NULL;
    for (size_t i = 0; i < chats->count; i++) {
        if (chats->item[i].hr.session != 0) {
            if (live != NULL) {
                return NULL;
            }
            live = &chats->item[i];
        }
    }
    return live;
}
