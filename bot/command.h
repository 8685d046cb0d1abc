/* SPDX-License-Identifier: MIT */
/*
 * Commands: is a line one, who owns it, may this person, run it. The forgiving
 * grammar of chat-hosting.md 9: prefix or the bot's name, any case, final
 * punctuation and extra spaces ignored, no prefix needed in private.
 * `!help` is the host's own and comes from the plugins' tables.
 */
#ifndef HASHROOM_COMMAND_H
#define HASHROOM_COMMAND_H
#include "app.h"

struct command_line { /* slices of the line, copied into the arena */
    const char *word; /* in lower case, without prefix and final punctuation; "" in
                         private where the first word is no word */
    const char *rest; /* the words after it; a lone one without .,;:! at its end */
};

struct commands *commands_new(struct app *app);
void commands_free(struct commands *commands);
void commands_add(struct commands *commands, struct hr_bot *owner);  /* all of its table; a name taken: logged, left out */
void commands_sweep(struct commands *commands, struct hr_bot *owner);
/* Is the first line of text a command? Pure but for the arena. `A2 text` is not. */
bool command_parse(struct arena *arena, const char *prefix, const char *bot_name, const char *text, bool in_private,
                   struct command_line *out);
/* Runs a message that command_parse() took; answers T20, T21 or what the owner
 * says. In the turn that logged it. */
void commands_run(struct commands *commands, const struct hr_message *message, const struct command_line *line);
/* Nearest name for a typo, or NULL if nothing is near. */
const char *commands_suggest(struct commands *commands, const char *word);
/* Says text in room as the answer to a command: logged, then into the outbox. HR_ENOTFOUND: no such room. */
int command_answer(struct app *app, const struct hr_room *room, const char *text);
#endif
