/* SPDX-License-Identifier: MIT */
/* The world around the plugin: rooms, chats, people and what they say. */
#include "fake_inside.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 64 };

static const struct hr_room *room_get(struct fake *fake, uint64_t id)
{
    const struct hr_room *room = fake->api.room(&fake->bot, id);
    if (!room) {
        fake_die("there is no room %llu; make it with fake_room()", (unsigned long long)id);
    }
    return room;
}

uint64_t fake_room(struct fake *fake, const char *network, const char *address, const char *service, const char *chat,
                   uint32_t flags)
{
    struct hr_room *room = fake_alloc(&fake->kept, sizeof *room);
    *room = (struct hr_room){
        .id = fake->room_count + 1,
        .network = fake_copy(&fake->kept, network),
        .address = fake_copy(&fake->kept, address),
        .service = fake_copy(&fake->kept, service),
        .chat = fake_copy(&fake->kept, chat),
        .flags = flags,
    };
    *FAKE_PUSH(fake->rooms, fake->room_count) = room;
    return room->id;
}

void fake_room_flags(struct fake *fake, uint64_t room, uint32_t flags)
{
    (void)room_get(fake, room);
    fake->rooms[room - 1]->flags = flags;
}

struct hr_room *fake_room_find(struct fake *fake, const char *address)
{
    for (size_t i = 0; address && i < fake->room_count; i++) {
        if (strcmp(fake->rooms[i]->address, address) == 0) {
            return fake->rooms[i];
        }
    }
    return NULL;
}

void fake_route(struct fake *fake, uint64_t from, uint64_t to)
{
    uint64_t(*route)[2] = FAKE_PUSH(fake->routes, fake->route_count);
    (*route)[0] = from;
    (*route)[1] = to;
}

void fake_chat(struct fake *fake, const char *name, const char *tag)
{
    struct hr_chat *chat = fake_alloc(&fake->kept, sizeof *chat);
    *chat = (struct hr_chat){
        .size = sizeof *chat, .name = fake_copy(&fake->kept, name), .tag = fake_copy(&fake->kept, tag)};
    *FAKE_PUSH(fake->chats, fake->chat_count) = chat;
}

const struct hr_chat *fake_chat_now(struct fake *fake, const char *name)
{
    for (size_t i = 0; name && i < fake->chat_count; i++) {
        if (strcmp(fake->chats[i]->name, name) == 0) {
            return fake->chats[i];
        }
    }
    return NULL;
}

static int tell(struct fake *fake, const struct hr_event *event)
{
    if (!fake->started || !fake->plugin->event || !(fake->plugin->events & HR_EV(event->kind))) {
        return HR_OK;
    }
    size_t mark = fake->entry_count;
    fake_enter(fake);
    return fake_leave(fake, mark, fake->plugin->event(fake->state, event));
}

void fake_chat_record(struct fake *fake, const struct hr_chat *record)
{
    struct hr_chat *chat = (struct hr_chat *)(uintptr_t)fake_chat_now(fake, record->name);
    if (!chat) {
        fake_die("there is no chat %s; make it with fake_chat()", record->name);
    }
    struct hr_chat fresh = *record;
    fresh.size = sizeof fresh;
    fresh.name = chat->name;
    fresh.tag = chat->tag;
    *chat = fresh;
    (void)tell(fake, &(struct hr_event){.size = sizeof(struct hr_event), .kind = HR_EV_CHAT, .chat = chat});
}

void fake_hosts(struct fake *fake, const char *names)
{
    fake->hosts = fake_copy(&fake->kept, names);
}

void fake_allow(struct fake *fake, bool (*may)(const char *permission))
{
    fake->may = may;
}

void fake_account(struct fake *fake, const char *account)
{
    *FAKE_PUSH(fake->accounts, fake->account_count) = fake_copy(&fake->kept, account);
}

void fake_trial(struct fake *fake)
{
    fake->trial = true;
}

void fake_private_limit(struct fake *fake, int rooms)
{
    fake->private_left = rooms;
}

/* ---- what people say ------------------------------------------------------------------- */

struct fake_log_row *fake_log_add(struct fake *fake)
{
    struct fake_log_row *row = fake_alloc(&fake->kept, sizeof *row);
    *FAKE_PUSH(fake->log, fake->log_count) = row;
    row->message = (struct hr_message){.size = sizeof row->message,
                                       .id = fake->log_count,
                                       .text = "",
                                       .url = "",
                                       .author = {.id = "", .account = "", .name = "", .handle = ""},
                                       .reply_name = "",
                                       .reply_text = "",
                                       .media_url = "",
                                       .chat = "",
                                       .time_ms = fake->chat_ms,
                                       .logged_ms = fake->chat_ms};
    return row;
}

struct fake_log_row *fake_log_find(struct fake *fake, uint64_t message)
{
    return message && message <= fake->log_count ? fake->log[message - 1] : NULL;
}

struct fake_log_row *fake_log_remote(struct fake *fake, const char *remote)
{
    for (size_t i = 0; remote && i < fake->log_count; i++) {
        struct fake_log_row *row = fake->log[i];
        if ((row->key && strcmp(row->key, remote) == 0) || (row->revision && strcmp(row->revision, remote) == 0) ||
            (row->remote && strcmp(row->remote, remote) == 0)) {
            return row;
        }
    }
    return NULL;
}

static char *lower(struct fake *fake, const char *name)
{
    char *copy = fake_copy(&fake->kept, name);
    for (char *c = copy; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return copy;
}

uint64_t fake_message(struct fake *fake, uint64_t room, const struct hr_person *author, const char *text,
                      uint32_t flags)
{
    struct fake_log_row *row = fake_log_add(fake);
    struct hr_message *message = &row->message;
    message->room = room ? room_get(fake, room) : NULL;
    message->author = (struct hr_person){
        .id = author->id ? fake_copy(&fake->kept, author->id) : lower(fake, author->name),
        .account = fake_copy(&fake->kept, author->account),
        .name = fake_copy(&fake->kept, author->name),
        .handle = author->handle ? fake_copy(&fake->kept, author->handle) : lower(fake, author->name),
        .power = author->power,
    };
    message->text = fake_copy(&fake->kept, text);
    message->flags = flags;
    const struct hr_chat *chat = room ? fake_chat_now(fake, message->room->chat) : NULL;
    if (chat) {
        message->chat = chat->name;
        message->session = chat->session;
        message->question = chat->question;
    }
    return message->id;
}

struct hr_message *fake_message_at(struct fake *fake, uint64_t message)
{
    struct fake_log_row *row = fake_log_find(fake, message);
    return row ? &row->message : NULL;
}

int fake_tell(struct fake *fake, enum hr_event_kind kind, uint64_t message)
{
    struct fake_log_row *row = fake_log_find(fake, message);
    if (!row) {
        fake_die("there is no message %llu", (unsigned long long)message);
    }
    if (kind == HR_EV_REMOVE) {
        row->message.text = "";
    }
    return tell(fake, &(struct hr_event){.size = sizeof(struct hr_event),
                                         .kind = kind,
                                         .message = &row->message,
                                         .chat = fake_chat_now(fake, row->message.chat)});
}

uint64_t fake_hear(struct fake *fake, uint64_t room, const char *name, const char *text)
{
    uint64_t message = fake_message(fake, room, &(struct hr_person){.name = name}, text, 0);
    (void)fake_tell(fake, HR_EV_MESSAGE, message);
    return message;
}

int fake_network(struct fake *fake, const char *network, bool up, const char *reason)
{
    struct fake_network_state *found = NULL;
    for (size_t i = 0; i < fake->network_count; i++) {
        found = strcmp(fake->networks[i].state.name, network) == 0 ? &fake->networks[i] : found;
    }
    if (!found) {
        found = FAKE_PUSH(fake->networks, fake->network_count);
        found->state.name = fake_copy(&fake->kept, network);
        found->state.trouble = "";
    }
    if (!up) {
        found->state.trouble = fake_copy(&fake->kept, reason);
        found->trouble_ms = fake->mono_ms;
    }
    found->since_ms = fake->mono_ms;
    found->state.size = sizeof found->state;
    found->state.service = "IRC";
    found->state.up = up;
    found->state.reason = fake_copy(&fake->kept, reason);
    return tell(
        fake,
        &(struct hr_event){
            .size = sizeof(struct hr_event), .kind = HR_EV_NETWORK, .network = network, .up = up, .reason = reason});
}

void fake_other_report(struct fake *fake, const char *who, const char *text)
{
    const char *(*report)[2] = FAKE_PUSH(fake->reports, fake->report_count);
    (*report)[0] = fake_copy(&fake->kept, who);
    (*report)[1] = fake_copy(&fake->kept, text);
}

enum hr_verdict fake_judge(struct fake *fake, uint64_t message)
{
    struct fake_log_row *row = fake_log_find(fake, message);
    if (!row || !fake->plugin->judge) {
        return HR_PASS;
    }
    fake_enter(fake);
    enum hr_verdict verdict = fake->plugin->judge(fake->state, &row->message);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
    return verdict;
}

/* ---- commands ------------------------------------------------------------------------------ */

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at && *at; at += strspn(at, " ")) {
        size_t part = strcspn(at, " ");
        if (part == len && strncmp(at, word, len) == 0) {
            return true;
        }
        at += part;
    }
    return false;
}

static const struct hr_command *find_command(const struct hr_plugin *plugin, const char *word)
{
    for (const struct hr_command *c = plugin->commands; c && c->name; c++) {
        if (strcmp(c->name, word) == 0 || has_word(c->aliases, word)) {
            return c;
        }
    }
    return NULL;
}

/* Cuts rest into words; the copies live as long as the fake. */
static int split(struct fake *fake, const char *rest, const char **words)
{
    int count = 0;
    for (const char *at = rest + strspn(rest, " \n"); *at && count < WORDS_MAX; at += strspn(at, " \n")) {
        size_t len = strcspn(at, " \n");
        words[count++] = fake_copy_bytes(&fake->kept, at, len);
        at += len;
    }
    words[count] = NULL;
    return count;
}

int fake_command_by(struct fake *fake, uint64_t room, const char *name, const char *line)
{
    const struct hr_room *where = room_get(fake, room);
    const char *start = line + (*line == '!');
    size_t word_len = strcspn(start, " \n");
    const char *word = fake_copy_bytes(&fake->kept, start, word_len);
    const struct hr_command *command = find_command(fake->plugin, word);
    if (!command) {
        return HR_ENOTFOUND;
    }
    bool in_private = (where->flags & HR_ROOM_PRIVATE) != 0;
    uint64_t message = fake_message(fake, room, &(struct hr_person){.name = name}, line,
                                    HR_MSG_COMMAND | (in_private ? HR_MSG_PRIVATE : 0));
    const char *rest = start + word_len;
    rest += strspn(rest, " \n");
    const char *words[WORDS_MAX + 1];
    struct hr_call call = {
        .size = sizeof call,
        .message = fake_message_at(fake, message),
        .room = where,
        .chat = fake_chat_now(fake, where->chat),
        .name = command->name,
        .rest = fake_copy(&fake->kept, rest),
        .argc = split(fake, rest, words),
        .argv = words,
        .in_private = in_private,
    };
    size_t mark = fake->entry_count;
    fake_enter(fake);
    return fake_leave(fake, mark, command->run(fake->state, &call));
}

int fake_command(struct fake *fake, uint64_t room, const char *line)
{
    return fake_command_by(fake, room, "Asha", line);
}
