/* SPDX-License-Identifier: MIT */
/* Asks the running bot through its socket (control.h), and waits for the answer. */
#ifndef HASHROOM_CLI_BOT_H
#define HASHROOM_CLI_BOT_H
#include <hashroom/plugin.h>
#include <jansson.h>

/* HR_ENOTFOUND: no bot runs on that folder. HR_EDENIED: this user may not ask it. HR_EFAIL: it didn't answer. err says
 * it in plain words. The caller owns *reply. */
int cli_ask_bot(const char *state_dir, json_t *request, json_t **reply, char *err, size_t err_size);
#endif
