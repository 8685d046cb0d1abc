/* SPDX-License-Identifier: MIT */
/* Fills struct hr_api and hr_network_api: thin adapters, no logic. */
#include "api.h"
#include "api_say.h"
#include "api_status.h"
#include "chat.h"
#include "config.h"
#include "http.h"
#include "instance.h"
#include "key.h"
#include "log.h"
#include "message.h"
#include "network.h"
#include "outbox.h"
#include "pages.h"
#include "plugin_sql.h"
#include "role.h"
#include "room.h"
#include "stream.h"
#include "terminal.h"
#include "timer.h"
#include "turn.h"
#include "words.h"
#include "work.h"
#include "xalloc.h"
#include <sys/random.h>

static void api_log(struct hr_bot *bot, enum hr_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_vline(level, bot->who, fmt, ap);
    va_end(ap);
}

static const char *api_print(struct hr_bot *bot, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(instance_arena(bot), fmt, ap);
    va_end(ap);
    return text;
}

static const char *api_words(struct hr_bot *bot, const char *id, ...)
{
    va_list ap;
    va_start(ap, id);
    const char *text = words_fill(instance_arena(bot), bot->plugin->texts, id, bot->app->config->prefix, ap);
    va_end(ap);
    return text;
}

static int api_work(struct hr_bot *bot, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop, void *arg)
{
    return works_start(bot->app->works, bot, work, done, drop, arg);
}

static int api_derive(struct hr_bot *bot, const char *purpose, void *out, size_t len)
{
    return key_derive(bot->app->key, bot->app, bot->plugin->name, bot->config->title, purpose, out, len);
}

static const char *api_store_id(struct hr_bot *bot)
{
    return store_id(bot->app->store);
}

static bool api_trial(struct hr_bot *bot)
{
    return bot->app->trial || bot->app->rehearsal;
}

static void api_secret(struct hr_bot *bot, const char *text)
{
    (void)bot;
    log_secret(text);
}

static const struct hr_value *api_option(struct hr_bot *bot, const char *name)
{
    return config_value(bot->plugin, bot->config, name);
}

static const char *api_instance(struct hr_bot *bot)
{
    return bot->config->title;
}

static const char *api_instances(struct hr_bot *bot)
{
    const struct config *config = bot->app->config;
    const char *names = " ";
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct config_plugin *file = &config->plugin[p];
        for (size_t i = 0; file->plugin == bot->plugin && i < file->instance_count; i++) {
            names = arena_printf(instance_arena(bot), "%s%s ", names, file->instance[i].title);
        }
    }
    return names;
}

static void api_problem(struct hr_bot *bot, const char *option, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(instance_arena(bot), fmt, ap);
    va_end(ap);
    struct config_where where = bot->config->where;
    for (size_t i = 0; bot->plugin->options != NULL && bot->plugin->options[i].name != NULL; i++) {
        if (strcmp(bot->plugin->options[i].name, option) == 0 && bot->config->lines[i] > 0) {
            where.line = bot->config->lines[i];
        }
    }
    config_problem(bot->app->config, where, "%s: %s", option, text);
}

static void api_out(struct hr_out *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    CLEANUP_FREE char *text = xvasprintf(fmt, ap);
    va_end(ap);
    (void)out->write(out, text, strlen(text));
}

static int api_ask(struct hr_out *out, uint32_t flags, const char *fmt, ...)
{
    if (out->ask == NULL) {
        return HR_EDENIED;
    }
    va_list ap;
    va_start(ap, fmt);
    CLEANUP_FREE char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return out->ask(out, flags, text);
}

static int64_t api_now(struct hr_bot *bot)
{
    return clock_chat_ms(&bot->app->clock);
}

static int64_t api_monotonic(struct hr_bot *bot)
{
    (void)bot;
    return clock_monotonic_ms();
}

static int64_t api_wall(struct hr_bot *bot)
{
    (void)bot;
    return clock_wall_ms();
}

static int api_timer_at(struct hr_bot *bot, int64_t at_ms, hr_timer_fn *fn, void *arg, struct hr_timer **out)
{
    return timers_at(bot->app->timers, bot, at_ms, fn, arg, out);
}

static int api_timer_in(struct hr_bot *bot, int64_t delay_ms, int64_t repeat_ms, hr_timer_fn *fn, void *arg,
                        struct hr_timer **out)
{
    return timers_in(bot->app->timers, bot, delay_ms, repeat_ms, fn, arg, out);
}

static int api_random(struct hr_bot *bot, void *out, size_t len)
{
    (void)bot;
    return len <= 256 && getrandom(out, len, 0) == (ssize_t)len ? HR_OK : HR_EFAIL;
}

static const struct hr_room *api_room(struct hr_bot *bot, uint64_t id)
{
    struct room *room = rooms_get(bot->app->rooms, id);
    return room == NULL ? NULL : &room->hr;
}

static const struct hr_chat *api_chat(struct hr_bot *bot, const char *name)
{
    struct chat *chat = chats_find(bot->app->chats, name);
    return chat == NULL ? NULL : &chat->hr;
}

static bool of_chat(const struct room *room, const void *key)
{
    return strcmp(room->hr.chat, key) == 0;
}

static int api_rooms(struct hr_bot *bot, const char *chat, hr_room_fn *fn, void *arg)
{
    return rooms_each(bot->app->rooms, of_chat, chat, fn, arg);
}

static int api_routes(struct hr_bot *bot, uint64_t from, hr_room_fn *fn, void *arg)
{
    struct room *room = rooms_get(bot->app->rooms, from);
    return room == NULL ? HR_ENOTFOUND : rooms_routes(bot->app->rooms, room, fn, arg);
}

static int api_chats(struct hr_bot *bot, int (*fn)(void *arg, const struct hr_chat *chat), void *arg)
{
    for (struct chat *chat = chats_each(bot->app->chats, NULL); chat != NULL;
         chat = chats_each(bot->app->chats, chat)) {
        int rc = fn(arg, &chat->hr);
        if (rc < 0) {
            return rc;
        }
    }
    return HR_OK;
}

static int api_chat_set(struct hr_bot *bot, const struct hr_chat *chat)
{
    return strcmp(bot->plugin->name, "session") == 0 ? chats_set(bot->app->chats, chat) : HR_EDENIED;
}

static const char *api_hosts(struct hr_bot *bot, const char *chat)
{
    return role_hosts(bot->app, instance_arena(bot), chat);
}

static int api_message(struct hr_bot *bot, uint64_t id, struct hr_message *out)
{
    return messages_read(bot->app->messages, instance_arena(bot), id, out);
}

static int api_release(struct hr_bot *bot, uint64_t message)
{
    return messages_release(bot->app->messages, message);
}

static int api_hide(struct hr_bot *bot, uint64_t message)
{
    return messages_hide(bot->app->messages, message);
}

static int api_drop_waiting(struct hr_bot *bot, uint64_t room, const char *reason)
{
    return outbox_drop_waiting(bot->app->outbox, room, reason);
}

static int api_serve(struct hr_bot *bot, hr_page_fn *fn, void *arg)
{
    return pages_serve(bot->app->pages, bot, fn, arg);
}

static const char *api_serve_url(struct hr_bot *bot)
{
    return pages_url(bot->app->pages, bot);
}

static int api_page(struct hr_bot *bot, const char *path, const struct hr_page *page)
{
    return pages_answer(bot->app->pages, bot, path, page);
}

/* ---- networks ------------------------------------------------------------------ */

static int net_post(struct hr_bot *bot, const struct hr_post *post, uint64_t *message)
{
    return messages_post(bot->app->messages, bot, post, message);
}

static int net_edit(struct hr_bot *bot, const char *remote_id, const char *revision, const char *text, size_t text_len,
                    const char *author_id)
{
    return messages_edit(bot->app->messages, bot, remote_id, revision, text, text_len, author_id);
}

static int net_remove(struct hr_bot *bot, const char *remote_id)
{
    return messages_remove(bot->app->messages, bot, remote_id);
}

static void net_sent(struct hr_bot *bot, uint64_t part, int status, const char *remote_id, int64_t retry_ms,
                     const char *reason)
{
    outbox_sent(bot->app->outbox, bot, part, status, remote_id, retry_ms, reason);
}

static void net_limits(struct hr_bot *bot, const struct hr_limits *limits)
{
    network_limits(bot, limits);
}

static void net_spend(struct hr_bot *bot, int tokens)
{
    bot->network->tokens -= tokens;
}

static bool of_network(const struct room *room, const void *key)
{
    return room->network == key;
}

static int net_rooms(struct hr_bot *bot, hr_room_fn *fn, void *arg)
{
    return rooms_each(bot->app->rooms, of_network, bot->network, fn, arg);
}

static bool net_allow_private(struct hr_bot *bot, const char *address)
{
    return rooms_may_be_private(bot->app->rooms, bot->network, address);
}

static int net_http(struct hr_bot *bot, const struct hr_http *http, hr_http_fn *fn, void *arg, struct hr_request **out)
{
    return http_start(bot->app->http, bot, http, fn, arg, out);
}

static int net_stream_open(struct hr_bot *bot, const struct hr_stream_target *target,
                           const struct hr_stream_calls *calls, void *arg, struct hr_stream **out)
{
    return streams_open(bot->app->streams, bot, target, calls, arg, out);
}

static void net_quit(struct hr_bot *bot)
{
    bot->app->stopping = true;
    uv_stop(bot->app->loop);
}

static bool net_account_known(struct hr_bot *bot, const char *account)
{
    return role_known(bot->app, bot->network->name, account);
}

static const struct hr_network_api network_table = {
    .size = sizeof(network_table),
    .post = net_post,
    .edit = net_edit,
    .remove = net_remove,
    .sent = net_sent,
    .up = network_up,
    .down = network_down,
    .limits = net_limits,
    .spend = net_spend,
    .rooms = net_rooms,
    .allow_private = net_allow_private,
    .http = net_http,
    .http_cancel = http_cancel,
    .stream_open = net_stream_open,
    .stream_write = streams_write,
    .stream_close = streams_close,
    .terminal = terminal_open,
    .terminal_write = terminal_write,
    .quit = net_quit,
    .account_known = net_account_known,
    .seal = network_seal,
};

#define COMMON                                                                                                      \
    .size = sizeof(struct hr_api), .log = api_log, .print = api_print, .words = api_words, .option = api_option,    \
    .instance = api_instance, .problem = api_problem, .out = api_out, .now_ms = api_now,                            \
    .monotonic_ms = api_monotonic, .wall_ms = api_wall, .timer_at = api_timer_at, .timer_in = api_timer_in,         \
    .timer_stop = timers_stop, .random = api_random, .room = api_room, .chat = api_chat, .rooms = api_rooms,        \
    .routes = api_routes, .chats = api_chats, .chat_set = api_chat_set, .say = api_say, .relay = api_relay,         \
    .answer = api_answer, .may = api_may, .hosts = api_hosts, .message = api_message, .release = api_release,       \
    .hide = api_hide, .drop_waiting = api_drop_waiting, .sql = plugin_sql, .networks = api_networks,                \
    .reports = api_reports, .secret = api_secret, .work = api_work, .derive = api_derive, .store_id = api_store_id, \
    .ask = api_ask, .trial = api_trial, .serve = api_serve, .serve_url = api_serve_url, .page = api_page,           \
    .instances = api_instances

static const struct hr_api feature_api = {COMMON, .net = NULL};
static const struct hr_api network_api = {COMMON, .net = &network_table};

const struct hr_api *api_table(bool network)
{
    return network ? &network_api : &feature_api;
}
