/* SPDX-License-Identifier: MIT */
/* Names of commands in memory, shared by command.c and command_help.c. */
#ifndef HASHROOM_COMMAND_TABLE_H
#define HASHROOM_COMMAND_TABLE_H
#include "command.h"

enum { FLOOD_PEOPLE = 128 };

struct command_name {
    char *text; /* the command's name, or one of its aliases */
    bool alias;
    const struct hr_command *command;
    struct hr_bot *owner; /* NULL: the host's own */
    struct command_name *next;
};

struct flood { /* answers to one person in the running window */
    char *person;
    int64_t since_ms; /* monotonic */
    int answers;
    int64_t sentence_ms; /* when a private sentence was last answered with help */
    uint64_t used;
};

struct commands {
    struct app *app;
    struct command_name *first;
    struct flood flood[FLOOD_PEOPLE];
    uint64_t uses;
};

/* One command line on its way: who, where, for which chat. */
struct command_ask {
    struct commands *commands;
    const struct hr_message *message;
    const struct hr_chat *chat; /* or NULL */
};

struct command_name *commands_find(struct commands *commands, const char *word); /* or NULL */
bool command_may(const struct command_ask *ask, const char *permission);
/* A text of command_texts.h, filled; command_say() says it where the command was asked. */
const char *command_text(const struct command_ask *ask, const char *id, ...) __attribute__((sentinel));
void command_say(const struct command_ask *ask, const char *id, ...) __attribute__((sentinel));
void command_help(const struct command_ask *ask, const char *about); /* `!help about` */
#endif
