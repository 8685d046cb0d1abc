/* SPDX-License-Identifier: MIT */
/* `!help` and `!help next`, from the tables of all plugins. */
#include "command_table.h"
#include "command_texts.h"
#include "config.h"
#include "role.h"
#include "words.h"
#include <ctype.h>

enum { MAX_WORD_BYTES = 32, MAX_SHOWN = 8 };

/* "!start, !next or !end", with the prefix that is configured */
static const char *joined(struct arena *arena, const char *prefix, const char *const *names, size_t count)
{
    const char *said = "";
    for (size_t i = 0; i < count; i++) {
        const char *gap = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        said = arena_printf(arena, "%s%s%s%s", said, gap, prefix, names[i]);
    }
    return said;
}

/* Names on the help card: of commands for everyone, or those with which a host runs the evening. */
static size_t card(const struct command_ask *ask, bool for_hosts, const char **names)
{
    size_t count = 0;
    for (const struct command_name *name = ask->commands->first; name != NULL && count < MAX_SHOWN; name = name->next) {
        const struct hr_command *command = name->command;
        const bool on_card = !name->alias && (command->flags & (for_hosts ? HR_CMD_HOSTS : HR_CMD_CARD));
        bool again = false; /* a second instance of the same plugin */
        for (size_t i = 0; i < count; i++) {
            again |= strcmp(names[i], name->text) == 0;
        }
        if (on_card && !again && command_may(ask, command->permission)) {
            names[count++] = name->text;
        }
    }
    return count;
}

static void say_card(const struct command_ask *ask)
{
    struct arena *arena = &ask->commands->app->arena;
    const char *prefix = ask->commands->app->config->prefix;
    const char *names[MAX_SHOWN + 1], *own[MAX_SHOWN];
    size_t count = card(ask, false, names);
    const char *first = count > 0 ? names[0] : "help";
    names[count++] = "help";
    const size_t own_count = command_may(ask, "chat.run") ? card(ask, true, own) : 0;
    const char *hosts =
        own_count == 0 ? "" : command_text(ask, "help-hosts", "words", joined(arena, prefix, own, own_count), NULL);
    command_say(ask, "help-card", "words", joined(arena, prefix, names, count), "hosts", hosts, "first", first, NULL);
}

static const char *aliases_of(const struct command_ask *ask, const struct hr_command *command)
{
    const char *names[MAX_SHOWN];
    size_t count = 0;
    for (const struct command_name *name = ask->commands->first; name != NULL && count < MAX_SHOWN; name = name->next) {
        bool again = false;
        for (size_t i = 0; i < count; i++) {
            again |= strcmp(names[i], name->text) == 0;
        }
        if (name->command == command && name->alias && !again) {
            names[count++] = name->text;
        }
    }
    struct app *app = ask->commands->app;
    return count == 0 ? ""
                      : command_text(ask, "help-aliases", "aliases",
                                     joined(&app->arena, app->config->prefix, names, count), NULL);
}

static void say_about(const struct command_ask *ask, const struct hr_command *command)
{
    const char *who =
        command->permission == NULL ? "" : command_text(ask, "help-who", "who", role_who(command->permission), NULL);
    struct app *app = ask->commands->app;
    const char *example =
        command->example == NULL ? "" : words_prefix(&app->arena, command->example, app->config->prefix);
    example = example[0] == 0 ? "" : command_text(ask, "help-example", "example", example, NULL);
    command_say(ask, "help-about", "name", command->name, "help", command->help, "who", who, "example", example,
                "aliases", aliases_of(ask, command), NULL);
}

void command_help(const struct command_ask *ask, const char *about)
{
    char word[MAX_WORD_BYTES + 1];
    size_t n = 0;
    while (*about != 0 && !isalnum((unsigned char)*about)) { /* "!help !next" */
        about++;
    }
    for (; n < MAX_WORD_BYTES && (isalnum((unsigned char)about[n]) || about[n] == '-' || about[n] == '_'); n++) {
        word[n] = (char)tolower((unsigned char)about[n]);
    }
    word[n] = 0;
    const struct command_name *name = n == 0 ? NULL : commands_find(ask->commands, word);
    if (n == 0) {
        say_card(ask);
    } else if (name != NULL) {
        say_about(ask, name->command);
    } else {
        const char *near = commands_suggest(ask->commands, word);
        if (near != NULL) {
            command_say(ask, "T20", "word", word, "near", near, NULL);
        } else {
            command_say(ask, "T20-none", "word", word, NULL);
        }
    }
}
