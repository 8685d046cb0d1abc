/* SPDX-License-Identifier: MIT */
/* struct hr_api of the fake host. */
#include "fake_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *print_list(struct fake_piece **list, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = fake_alloc(list, (size_t)(len < 0 ? 0 : len) + 1);
    (void)vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, fmt, ap);
    return text;
}

static struct fake_record *record_text(struct fake *fake, enum fake_kind kind, const char *fmt, va_list ap)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(fake, kind, &memory);
    record->text = print_list(memory, fmt, ap);
    record->len = strlen(record->text);
    return record;
}

static void api_log(struct hr_bot *bot, enum hr_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    record_text(bot->fake, FAKE_LOG, fmt, ap)->level = level;
    va_end(ap);
}

static const char *api_print(struct hr_bot *bot, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = print_list(&bot->fake->scratch, fmt, ap);
    va_end(ap);
    return text;
}

static const char *api_words(struct hr_bot *bot, const char *id, ...)
{
    va_list ap;
    va_start(ap, id);
    const char *text = fake_words(bot->fake, id, ap);
    va_end(ap);
    return text;
}

static const struct hr_value *api_option(struct hr_bot *bot, const char *name)
{
    return fake_value(bot->fake, name);
}

static const char *api_instance(struct hr_bot *bot)
{
    return bot->fake->instance;
}

static void api_problem(struct hr_bot *bot, const char *option, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct fake_record *record = record_text(bot->fake, FAKE_PROBLEM, fmt, ap);
    va_end(ap);
    record->name = fake_copy(&bot->fake->kept, option);
}

static void api_out(struct hr_out *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)record_text(out->fake, FAKE_OUT, fmt, ap);
    va_end(ap);
}

/* ---- clocks ---------------------------------------------------------------------- */

static int64_t api_now_ms(struct hr_bot *bot)
{
    return bot->fake->chat_ms;
}

static int64_t api_monotonic_ms(struct hr_bot *bot)
{
    return bot->fake->mono_ms;
}

static int api_timer_at(struct hr_bot *bot, int64_t at_ms, hr_timer_fn *fn, void *arg, struct hr_timer **out)
{
    return fake_timer_add(bot->fake, true, at_ms, 0, fn, arg, out);
}

static int api_timer_in(struct hr_bot *bot, int64_t delay_ms, int64_t repeat_ms, hr_timer_fn *fn, void *arg,
                        struct hr_timer **out)
{
    return fake_timer_add(bot->fake, false, bot->fake->mono_ms + delay_ms, repeat_ms, fn, arg, out);
}

/* The same numbers in each run, so that what a test saw once it sees again. */
static int api_random(struct hr_bot *bot, void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++) {
        bot->fake->timer_order++;
        bytes[i] = (uint8_t)((bot->fake->timer_order * UINT64_C(0x9E3779B97F4A7C15)) >> 56);
    }
    return HR_OK;
}

/* ---- rooms and chats ---------------------------------------------------------------- */

static const struct hr_room *api_room(struct hr_bot *bot, uint64_t id)
{
    return id && id <= bot->fake->room_count ? bot->fake->rooms[id - 1] : NULL;
}

static const struct hr_chat *api_chat(struct hr_bot *bot, const char *name)
{
    return fake_chat_now(bot->fake, name);
}

static int api_rooms(struct hr_bot *bot, const char *chat, hr_room_fn *fn, void *arg)
{
    for (size_t i = 0; i < bot->fake->room_count; i++) {
        const struct hr_room *room = bot->fake->rooms[i];
        if (strcmp(room->chat, chat) == 0 && !(room->flags & HR_ROOM_PRIVATE)) {
            int status = fn(arg, room);
            if (status < 0) {
                return status;
            }
        }
    }
    return HR_OK;
}

static bool is_routed(const struct fake *fake, const struct hr_room *from, const struct hr_room *to)
{
    for (size_t i = 0; i < fake->route_count; i++) {
        if (fake->routes[i][0] == from->id && fake->routes[i][1] == to->id) {
            return true;
        }
    }
    return !fake->route_count && from != to && from->chat[0] && strcmp(from->chat, to->chat) == 0 &&
           (to->flags & HR_ROOM_PEOPLE) && !((from->flags | to->flags) & HR_ROOM_PRIVATE);
}

static int api_routes(struct hr_bot *bot, uint64_t from, hr_room_fn *fn, void *arg)
{
    const struct hr_room *source = api_room(bot, from);
    for (size_t i = 0; source && i < bot->fake->room_count; i++) {
        if (is_routed(bot->fake, source, bot->fake->rooms[i])) {
            int status = fn(arg, bot->fake->rooms[i]);
            if (status < 0) {
                return status;
            }
        }
    }
    return source ? HR_OK : HR_ENOTFOUND;
}

static int api_chats(struct hr_bot *bot, int (*fn)(void *arg, const struct hr_chat *chat), void *arg)
{
    for (size_t i = 0; i < bot->fake->chat_count; i++) {
        int status = fn(arg, bot->fake->chats[i]);
        if (status < 0) {
            return status;
        }
    }
    return HR_OK;
}

/* The plugin hears of the change as in the program: through its own event(). */
static int api_chat_set(struct hr_bot *bot, const struct hr_chat *chat)
{
    if (!fake_chat_now(bot->fake, chat->name)) {
        return HR_ENOTFOUND;
    }
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_CHAT_SET, &memory);
    record->chat = *chat;
    record->chat.name = fake_chat_now(bot->fake, chat->name)->name;
    record->chat.tag = fake_chat_now(bot->fake, chat->name)->tag;
    fake_chat_record(bot->fake, chat);
    return HR_OK;
}

/* ---- saying things ------------------------------------------------------------------- */

static int api_say(struct hr_bot *bot, const uint64_t *rooms, size_t count, const struct hr_say *say, uint64_t *message)
{
    struct fake *fake = bot->fake;
    for (size_t i = 0; say->key && i < fake->said_count; i++) {
        if (strcmp(fake->said[i], say->key) == 0) {
            return HR_EEXIST;
        }
    }
    if (count > FAKE_ROOMS_MAX || !say->text) {
        fake_die("say() to %zu rooms, text %s", count, say->text ? say->text : "(NULL)");
    }
    if (say->key) {
        *FAKE_PUSH(fake->said, fake->said_count) = fake_copy(&fake->kept, say->key);
    }
    struct fake_log_row *row = fake_log_add(fake);
    row->message.text = fake_copy(&fake->kept, say->text);
    row->message.flags = HR_MSG_OWN;
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(fake, FAKE_SAY, &memory);
    record->message = row->message.id;
    record->text = fake_copy(memory, say->text);
    record->len = strlen(record->text);
    record->lead = fake_copy(memory, say->lead);
    record->lead_url = fake_copy(memory, say->lead_url);
    record->key = fake_copy(memory, say->key);
    record->priority = say->priority;
    record->expires_ms = say->expires_ms;
    record->flags = say->flags;
    record->room_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!api_room(bot, rooms[i])) {
            fake_die("say() to room %llu, which isn't there", (unsigned long long)rooms[i]);
        }
        record->rooms[i] = rooms[i];
    }
    record->room = record->rooms[0];
    if (message) {
        *message = row->message.id;
    }
    return HR_OK;
}

static int api_relay(struct hr_bot *bot, uint64_t message, uint64_t room, const struct hr_say *say)
{
    struct fake_log_row *row = fake_log_find(bot->fake, message);
    if (!row || !api_room(bot, room)) {
        return HR_ENOTFOUND;
    }
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_RELAY, &memory);
    record->message = message;
    record->room = record->rooms[0] = room;
    record->room_count = 1;
    record->text = fake_copy(memory, row->message.text);
    record->len = strlen(record->text);
    record->lead = fake_copy(memory, say->lead);
    record->lead_url = fake_copy(memory, say->lead_url);
    record->priority = say->priority;
    record->expires_ms = say->expires_ms;
    record->flags = say->flags;
    return HR_OK;
}

static int api_answer(struct hr_bot *bot, const struct hr_call *call, const char *text)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_ANSWER, &memory);
    record->message = call->message ? call->message->id : 0;
    record->room = record->rooms[0] = call->room->id;
    record->room_count = 1;
    record->text = fake_copy(memory, text);
    record->len = strlen(text);
    return HR_OK;
}

static bool api_may(struct hr_bot *bot, const struct hr_call *call, const char *permission)
{
    (void)call;
    return !bot->fake->may || bot->fake->may(permission);
}

static const char *api_hosts(struct hr_bot *bot, const char *chat)
{
    (void)chat;
    return bot->fake->hosts;
}

static int api_message(struct hr_bot *bot, uint64_t id, struct hr_message *out)
{
    struct fake_log_row *row = fake_log_find(bot->fake, id);
    if (!row) {
        return HR_ENOTFOUND;
    }
    *out = row->message;
    return HR_OK;
}

static int record_message(struct hr_bot *bot, enum fake_kind kind, uint64_t message)
{
    if (!fake_log_find(bot->fake, message)) {
        return HR_ENOTFOUND;
    }
    struct fake_piece **memory;
    fake_record_add(bot->fake, kind, &memory)->message = message;
    return HR_OK;
}

static int api_release(struct hr_bot *bot, uint64_t message)
{
    return record_message(bot, FAKE_RELEASE, message);
}

static int api_hide(struct hr_bot *bot, uint64_t message)
{
    return record_message(bot, FAKE_HIDE, message);
}

static int api_drop_waiting(struct hr_bot *bot, uint64_t room, const char *reason)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_DROP, &memory);
    record->room = record->rooms[0] = room;
    record->room_count = 1;
    record->text = fake_copy(memory, reason);
    return 0;
}

static int api_sql(struct hr_bot *bot, const char *sql, const struct hr_value *args, size_t count, hr_row_fn *row,
                   void *arg)
{
    return fake_db_run(bot->fake, sql, args, count, row, arg);
}

static const char *api_instances(struct hr_bot *bot)
{
    return api_print(bot, " %s ", api_instance(bot));
}

static int api_networks(struct hr_bot *bot, hr_network_fn *fn, void *arg)
{
    for (size_t i = 0; i < bot->fake->network_count; i++) {
        struct hr_network_state state = bot->fake->networks[i].state;
        state.for_ms = bot->fake->mono_ms - bot->fake->networks[i].since_ms;
        state.trouble_ago_ms = state.trouble[0] ? bot->fake->mono_ms - bot->fake->networks[i].trouble_ms : 0;
        int status = fn(arg, &state);
        if (status < 0) {
            return status;
        }
    }
    return HR_OK;
}

/* The fake's log is for tests to read: nothing is hidden in it. */
static bool api_trial(struct hr_bot *bot)
{
    return bot->fake->trial;
}

static void api_secret(struct hr_bot *bot, const char *text)
{
    (void)bot;
    (void)text;
}

static int api_ask(struct hr_out *out, uint32_t flags, const char *fmt, ...)
{
    if (!out->may_ask) {
        return HR_EDENIED;
    }
    va_list ap;
    va_start(ap, fmt);
    record_text(out->fake, FAKE_ASK, fmt, ap)->flags = flags;
    va_end(ap);
    return HR_OK;
}

static int api_work(struct hr_bot *bot, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop, void *arg)
{
    return fake_work_add(bot->fake, work, done, drop, arg);
}

static int api_derive(struct hr_bot *bot, const char *purpose, void *out, size_t len)
{
    return fake_derive(bot->fake, purpose, out, len);
}

static const char *api_store_id(struct hr_bot *bot)
{
    return bot->fake->store_id;
}

static int api_reports(struct hr_bot *bot, hr_report_fn *fn, void *arg)
{
    for (size_t i = 0; i < bot->fake->report_count; i++) {
        int status = fn(arg, bot->fake->reports[i][0], bot->fake->reports[i][1]);
        if (status < 0) {
            return status;
        }
    }
    return HR_OK;
}

void fake_fill_api(struct fake *fake)
{
    fake->api = (struct hr_api){
        .size = sizeof(struct hr_api),
        .log = api_log,
        .print = api_print,
        .words = api_words,
        .option = api_option,
        .instance = api_instance,
        .problem = api_problem,
        .out = api_out,
        .now_ms = api_now_ms,
        .monotonic_ms = api_monotonic_ms,
        .wall_ms = api_now_ms,
        .timer_at = api_timer_at,
        .timer_in = api_timer_in,
        .timer_stop = fake_timer_stop,
        .random = api_random,
        .room = api_room,
        .chat = api_chat,
        .rooms = api_rooms,
        .routes = api_routes,
        .chats = api_chats,
        .chat_set = api_chat_set,
        .say = api_say,
        .relay = api_relay,
        .answer = api_answer,
        .may = api_may,
        .hosts = api_hosts,
        .message = api_message,
        .release = api_release,
        .hide = api_hide,
        .drop_waiting = api_drop_waiting,
        .sql = api_sql,
        .networks = api_networks,
        .instances = api_instances,
        .reports = api_reports,
        .secret = api_secret,
        .trial = api_trial,
        .work = api_work,
        .derive = api_derive,
        .store_id = api_store_id,
        .ask = api_ask,
        .net = fake->plugin->network ? &fake->net : NULL,
    };
    fake_fill_pages(fake);
}
