/* SPDX-License-Identifier: MIT */
/* Puts the parts of the host together, and takes them apart. */
#include "app.h"
#include "boot.h"
#include "chat.h"
#include "command.h"
#include "config.h"
#include "control.h"
#include "disk.h"
#include "http.h"
#include "key.h"
#include "log.h"
#include "message.h"
#include "outbox.h"
#include "pages.h"
#include "plugins.h"
#include "purge.h"
#include "room.h"
#include "store.h"
#include "stream.h"
#include "timer.h"
#include "turn.h"
#include "wal.h"
#include "work.h"

/* All that stands between the store and the rest. */
static void close_store(struct app *app)
{
    key_close(app->key);
    boot_close(app->boot);
    wal_free(app->wal);
    turn_free(app->turn);
    uv_run(app->loop, UV_RUN_DEFAULT);
    store_close(app->store);
    app->key = NULL;
    app->boot = NULL;
    app->wal = NULL;
    app->turn = NULL;
    app->store = NULL;
}

int app_open(struct app *app, unsigned store_flags, char *err, size_t err_size)
{
    int rc = store_open(&app->store, app->config->state_dir, store_flags, err, err_size);
    if (rc != HR_OK) {
        return rc;
    }
    bool temporary = (store_flags & STORE_TEMPORARY) != 0;
    app->started_ms = clock_wall_ms();
    app->turn = turn_new(app->loop, app->store);
    app->wal = wal_new(app);
    rc = boot_open(&app->boot, app, temporary, err, err_size);
    rc = rc == HR_OK ? key_open(&app->key, app, temporary, err, err_size) : rc;
    if (rc != HR_OK) {
        close_store(app);
        return rc;
    }
    app->works = works_new(app);
    app->timers = timers_new(app);
    app->http = http_new(app);
    app->streams = streams_new(app);
    app->chats = chats_new(app);
    app->rooms = rooms_new(app);
    app->messages = messages_new(app);
    app->outbox = outbox_new(app);
    app->commands = commands_new(app);
    app->purge = purge_new(app);
    app->disk = disk_new(app);
    rooms_configure(app->rooms);
    if (!temporary && app->config->pages_listen[0] &&
        pages_open(&app->pages, app, app->config->pages_listen, app->config->pages_url, err, err_size) < 0) {
        log_line(HR_WARN, NULL, "%s. The bot runs without pages", err);
        err[0] = '\0';
    }
    plugins_start(app->plugins);
    outbox_start(app->outbox);
    turn_finish(app->turn);
    if (!temporary && control_open(&app->control, app, err, err_size) < 0) {
        log_line(HR_WARN, NULL, "%s. The bot runs without it; hashroom status can't reach it", err);
        err[0] = '\0';
    }
    return HR_OK;
}

void app_close(struct app *app)
{
    app->stopping = true;
    control_close(app->control);
    app->control = NULL;
    plugins_stop(app->plugins);
    turn_finish(app->turn);
    pages_close(app->pages);
    app->pages = NULL;
    disk_free(app->disk);
    purge_free(app->purge);
    outbox_free(app->outbox);
    commands_free(app->commands);
    messages_free(app->messages);
    rooms_free(app->rooms);
    chats_free(app->chats);
    http_free(app->http);
    streams_free(app->streams);
    timers_free(app->timers);
    close_store(app);
    works_free(app->works); /* what was swept is freed when the loop comes by */
    arena_clear(&app->arena);
}
