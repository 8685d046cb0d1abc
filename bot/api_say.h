/* SPDX-License-Identifier: MIT */
/* Saying, relaying and answering for plugins; also the host's own answers. Behind plugin.h's functions of these names. */
#ifndef HASHROOM_API_SAY_H
#define HASHROOM_API_SAY_H
#include "app.h"

int api_say(struct hr_bot *bot, const uint64_t *rooms, size_t count, const struct hr_say *say, uint64_t *message);
int api_relay(struct hr_bot *bot, uint64_t message, uint64_t room, const struct hr_say *say);
int api_answer(struct hr_bot *bot, const struct hr_call *call, const char *text);
bool api_may(struct hr_bot *bot, const struct hr_call *call, const char *permission);
#endif
