/* SPDX-License-Identifier: MIT */
/*
 * `!verify`: what `hashroom verify` does in a terminal, by encrypted private
 * message. The host lets nobody through who lacks the permission, or whose device
 * is not signed. Beside that the administrator is verified already (somebody
 * compared emoji in the terminal), and never answers for themselves or for
 * another login of the bot: else whoever holds the homeserver could verify
 * people by posing as somebody who was only ever seen, never compared.
 */
#ifndef MATRIX_VERIFY_CHAT_H
#define MATRIX_VERIFY_CHAT_H

#include "../matrix.h"

/* struct hr_command.run */
int verify_chat_command(void *state, const struct hr_call *call);

#endif
