/* SPDX-License-Identifier: MIT */
/* Commands: who owns a word, may this person, run it. */
#include "command.h"
#include "chat.h"
#include "command_table.h"
#include "command_texts.h"
#include "config.h"
#include "instance.h"
#include "log.h"
#include "message.h"
#include "near.h"
#include "outbox.h"
#include "role.h"
#include "room.h"
#include "words.h"
#include "xalloc.h"
#include <strings.h>

enum {
    MAX_WORDS = 32,
    MAX_NAME_BYTES = 32,
    SHORT_WORDS = 3, /* in private, more words than these are a sentence */
    FLOOD_ANSWERS = 6,
    FLOOD_MS = 30 * 1000,
    SENTENCE_MS = 10 * 60 * 1000,
};

/* ---- names ------------------------------------------------------------------ */

static void add_name(struct commands *commands, const char *text, size_t len, bool alias,
                     const struct hr_command *command, struct hr_bot *owner)
{
    CLEANUP_FREE char *word = xstrndup(text, len);
    const struct command_name *taken = commands_find(commands, word);
    if (len == 0 || len > MAX_NAME_BYTES) {
        log_line(HR_WARN, owner == NULL ? NULL : owner->who, "the command name '%s' is not usable; it is left out",
                 word);
        return;
    }
    if (taken != NULL && (owner == NULL || taken->owner == NULL || taken->owner->plugin != owner->plugin)) {
        log_line(HR_WARN, owner == NULL ? NULL : owner->who,
                 "the command !%s belongs to %s already; it is left out here", word,
                 taken->owner == NULL ? "the host" : taken->owner->plugin->name);
        return;
    }
    struct command_name **at = &commands->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = xcalloc(1, sizeof(**at));
    **at = (struct command_name){.text = xstrdup(word), .alias = alias, .command = command, .owner = owner};
}

static void add_table(struct commands *commands, const struct hr_command *table, struct hr_bot *owner)
{
    for (const struct hr_command *command = table; command != NULL && command->name != NULL; command++) {
        add_name(commands, command->name, strlen(command->name), false, command, owner);
        const char *alias = command->aliases == NULL ? "" : command->aliases;
        for (alias += strspn(alias, " "); *alias != 0; alias += strspn(alias, " ")) {
            const size_t len = strcspn(alias, " ");
            add_name(commands, alias, len, true, command, owner);
            alias += len;
        }
    }
}

struct commands *commands_new(struct app *app)
{
    struct commands *commands = xcalloc(1, sizeof(*commands));
    commands->app = app;
    add_table(commands, command_own, NULL);
    return commands;
}

void commands_free(struct commands *commands)
{
    if (commands == NULL) {
        return;
    }
    while (commands->first != NULL) {
        struct command_name *next = commands->first->next;
        free(commands->first->text);
        free(commands->first);
        commands->first = next;
    }
    for (size_t i = 0; i < FLOOD_PEOPLE; i++) {
        free(commands->flood[i].person);
    }
    free(commands);
}

void commands_add(struct commands *commands, struct hr_bot *owner)
{
    add_table(commands, owner->plugin->commands, owner);
}

void commands_sweep(struct commands *commands, struct hr_bot *owner)
{
    struct command_name **at = &commands->first;
    while (*at != NULL) {
        struct command_name *name = *at;
        if (name->owner != owner) {
            at = &name->next;
            continue;
        }
        *at = name->next;
        free(name->text);
        free(name);
    }
}

struct command_name *commands_find(struct commands *commands, const char *word)
{
    for (struct command_name *name = commands->first; name != NULL; name = name->next) {
        if (strcmp(name->text, word) == 0) {
            return name;
        }
    }
    return NULL;
}

const char *commands_suggest(struct commands *commands, const char *word)
{
    const size_t len = strlen(word);
    if (len < 2) {
        return NULL;
    }
    const char *best = NULL;
    size_t best_slips = len < 5 ? 2 : 3; /* fewer than these */
    for (const struct command_name *name = commands->first; name != NULL; name = name->next) {
        const size_t slips = strlen(name->text) < 3 ? best_slips : near_distance(word, name->text);
        const bool closer = slips < best_slips ||
                            (best != NULL && slips == best_slips && best[0] != word[0] && name->text[0] == word[0]);
        if (closer) {
            best = name->text;
            best_slips = slips;
        }
    }
    return best;
}

/* ---- answers ------------------------------------------------------------------ */

int command_answer(struct app *app, const struct hr_room *where, const char *text)
{
    struct room *room = rooms_get(app->rooms, where->id);
    if (room == NULL) {
        return HR_ENOTFOUND;
    }
    const struct hr_say say = {.size = sizeof(say), .text = text, .priority = HR_REPLY};
    const uint64_t message = messages_own(app->messages, NULL, &say, room->hr.chat);
    return outbox_say(app->outbox, message, 0, room, &say);
}

const char *command_text(const struct command_ask *ask, const char *id, ...)
{
    va_list ap;
    va_start(ap, id);
    const char *text =
        words_fill(&ask->commands->app->arena, command_texts, id, ask->commands->app->config->prefix, ap);
    va_end(ap);
    return text;
}

void command_say(const struct command_ask *ask, const char *id, ...)
{
    struct app *app = ask->commands->app;
    va_list ap;
    va_start(ap, id);
    const char *text = words_fill(&app->arena, command_texts, id, app->config->prefix, ap);
    va_end(ap);
    const int status = command_answer(app, ask->message->room, text);
    if (status < 0) {
        log_line(HR_WARN, NULL, "an answer in %s/%s could not be given (%d); the person hears nothing",
                 ask->message->room->network, ask->message->room->address, status);
    }
}

static struct flood *flood_of(struct commands *commands, const struct hr_message *message)
{
    struct flood *oldest = &commands->flood[0];
    CLEANUP_FREE char *person = xasprintf("%s/%s", message->room->network, message->author.id);
    for (size_t i = 0; i < FLOOD_PEOPLE; i++) {
        struct flood *flood = &commands->flood[i];
        if (flood->person != NULL && strcmp(flood->person, person) == 0) {
            flood->used = ++commands->uses;
            return flood;
        }
        oldest = flood->used < oldest->used ? flood : oldest;
    }
    free(oldest->person);
    *oldest = (struct flood){.person = xstrdup(person), .since_ms = clock_monotonic_ms(), .used = ++commands->uses};
    return oldest;
}

/* May this person have one more answer now? Says once in the log that they may not. */
static bool may_answer(struct commands *commands, const struct hr_message *message)
{
    struct flood *flood = flood_of(commands, message);
    const int64_t now_ms = clock_monotonic_ms();
    if (now_ms - flood->since_ms >= FLOOD_MS) {
        flood->since_ms = now_ms;
        flood->answers = 0;
    }
    if (flood->answers < FLOOD_ANSWERS) {
        flood->answers++;
        return true;
    }
    if (flood->answers == FLOOD_ANSWERS) {
        flood->answers++;
        log_line(HR_WARN, NULL, "%s in %s/%s sends commands too fast; they get no answer until 30 s have passed",
                 message->author.name, message->room->network, message->room->address);
    }
    return false;
}

/* ---- running ------------------------------------------------------------------ */

bool command_may(const struct command_ask *ask, const char *permission)
{
    return role_may_say(ask->commands->app, ask->message, ask->chat == NULL ? NULL : ask->chat->name, permission);
}

static int count_words(const char *text)
{
    int count = 0;
    for (text += strspn(text, " "); *text != 0; text += strspn(text, " ")) {
        text += strcspn(text, " ");
        count++;
    }
    return count;
}

static void run_unknown(const struct command_ask *ask, const struct command_line *line)
{
    const bool in_private = (ask->message->room->flags & HR_ROOM_PRIVATE) != 0;
    const char *near = commands_suggest(ask->commands, line->word);
    if (in_private && (line->word[0] == 0 || count_words(line->rest) >= SHORT_WORDS)) {
        struct flood *flood = flood_of(ask->commands, ask->message);
        const int64_t now_ms = clock_monotonic_ms();
        if (flood->sentence_ms == 0 || now_ms - flood->sentence_ms >= SENTENCE_MS) {
            flood->sentence_ms = now_ms;
            command_say(ask, "private-sentence", NULL);
        }
    } else if (near != NULL) {
        command_say(ask, "T20", "word", line->word, "near", near, NULL);
    } else {
        command_say(ask, "T20-none", "word", line->word, NULL);
    }
}

static void run_denied(const struct command_ask *ask, const struct hr_command *command)
{
    struct app *app = ask->commands->app;
    const char *chat = ask->chat == NULL ? NULL : ask->chat->name;
    const char *hosts = role_has(command->permission, "host") ? role_hosts(app, &app->arena, chat) : "";
    const bool weak = (ask->message->flags & HR_MSG_WEAK) && role_is_grave(command->permission);
    const char *account = weak                                   ? command_text(ask, "T21-weak", NULL)
                          : ask->message->author.account[0] == 0 ? command_text(ask, "T21-account", NULL)
                                                                 : "";
    if (hosts[0] != 0) {
        hosts = command_text(ask, "T21-hosts", "hosts", hosts, NULL);
    }
    command_say(ask, "T21", "who", role_who(command->permission), "name", command->name, "hosts", hosts, "account",
                account, NULL);
}

/* Room's chat; in private "dpulo next" names one, else the only chat, or the live one. */
static const struct hr_chat *chat_of(struct commands *commands, const struct hr_message *message,
                                     struct command_line *line)
{
    struct app *app = commands->app;
    if (!(message->room->flags & HR_ROOM_PRIVATE)) {
        const struct chat *chat = message->chat[0] == 0 ? NULL : chats_find(app->chats, message->chat);
        return chat == NULL ? NULL : &chat->hr;
    }
    const char *first = line->word[0] == 0 ? line->rest + (line->rest[0] == '#') : line->word;
    const size_t len = strcspn(first, " .,:;!?");
    for (struct chat *chat = chats_each(app->chats, NULL); chat != NULL; chat = chats_each(app->chats, chat)) {
        if (strlen(chat->hr.name) != len || strncasecmp(chat->hr.name, first, len) != 0) {
            continue;
        }
        struct command_line named;
        const char *after = line->word[0] == 0 ? first + len + strspn(first + len, " .,:;!?") : line->rest;
        if (command_parse(&app->arena, app->config->prefix, app->config->name, after, true, &named)) {
            *line = named;
            return &chat->hr;
        }
    }
    struct chat *only = chats_only(app->chats);
    return only == NULL ? NULL : &only->hr;
}

static int split(struct arena *arena, const char *rest, const char **argv)
{
    int argc = 0;
    char *at = arena_strdup(arena, rest);
    for (at += strspn(at, " "); *at != 0 && argc < MAX_WORDS; at += strspn(at, " ")) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        char *end = at;
        if (*at != 0) {
            *at++ = 0;
        }
        while (end > argv[argc - 1] + 1 && strchr(".,;:!?", end[-1]) != NULL) { /* "!ok 1, 2." */
            *--end = 0;
        }
    }
    argv[argc] = NULL;
    return argc;
}

/* Of a plugin with an instance for each chat, the one with this chat's name answers. */
/* The instance that is the room's network, or has the chat for its title. */
static struct hr_bot *owner_for(const struct command_ask *ask, const struct command_name *name)
{
    const char *chat = ask->chat == NULL ? NULL : ask->chat->name;
    for (const struct command_name *other = ask->commands->first; other != NULL; other = other->next) {
        const struct hr_bot *owner = other->owner;
        const char *wanted = owner == NULL ? NULL : owner->network != NULL ? ask->message->room->network : chat;
        if (wanted != NULL && other->command == name->command && owner->config != NULL &&
            strcmp(owner->config->title, wanted) == 0) {
            return other->owner;
        }
    }
    return name->owner;
}

static void run_owner(const struct command_ask *ask, const struct command_name *name, const char *rest)
{
    struct hr_bot *owner = owner_for(ask, name);
    const struct hr_command *command = name->command;
    const char *argv[MAX_WORDS + 1];
    const struct hr_call call = {
        .size = sizeof(call),
        .message = ask->message,
        .room = ask->message->room,
        .chat = ask->chat,
        .name = command->name,
        .rest = rest,
        .argc = split(&ask->commands->app->arena, rest, argv),
        .argv = argv,
        .in_private = (ask->message->room->flags & HR_ROOM_PRIVATE) != 0,
    };
    int status = HR_EFAIL;
    if (!owner->failed && !owner->stopping) {
        instance_enter(owner);
        status = command->run(owner->state, &call);
        instance_leave(owner, status);
    }
    if (status < 0) {
        command_say(ask, "fault", "name", command->name, NULL);
    }
}

void commands_run(struct commands *commands, const struct hr_message *message, const struct command_line *given)
{
    struct command_line line = *given;
    const struct hr_chat *chat = chat_of(commands, message, &line);
    const struct command_ask ask = {.commands = commands, .message = message, .chat = chat};
    const struct command_name *name = commands_find(commands, line.word);
    const struct hr_command *command = name == NULL ? NULL : name->command;
    /* Whoever was given a permission is trusted to use it as fast as they type. */
    const bool trusted = command != NULL && command->permission != NULL && command_may(&ask, command->permission);
    if (!trusted && !may_answer(commands, message)) {
        return;
    }
    if (command == NULL) {
        run_unknown(&ask, &line);
    } else if (!command_may(&ask, command->permission)) {
        run_denied(&ask, command);
    } else if (name->owner == NULL) {
        command_help(&ask, line.rest);
    } else if (chat == NULL && !(command->flags & HR_CMD_NO_CHAT)) {
        struct chat *example = chats_each(commands->app->chats, NULL);
        if (example == NULL || !(message->room->flags & HR_ROOM_PRIVATE)) {
            command_say(&ask, "no-chat", "name", command->name, NULL);
        } else {
            command_say(&ask, "which-chat", "chat", example->hr.name, "name", command->name, NULL);
        }
    } else {
        run_owner(&ask, name, line.rest);
    }
}
