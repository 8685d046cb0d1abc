/* SPDX-License-Identifier: MIT */
/* The host's own words and commands, as tables: for `plugins --texts` and `--commands` too. */
#ifndef HASHROOM_COMMAND_TEXTS_H
#define HASHROOM_COMMAND_TEXTS_H
#include <hashroom/plugin.h>

extern const struct hr_text command_texts[];  /* ends in a zero entry */
extern const struct hr_command command_own[]; /* run is NULL: command.c runs them */
#endif
