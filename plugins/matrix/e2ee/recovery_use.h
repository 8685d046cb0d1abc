/* SPDX-License-Identifier: MIT */
/* Reading the secret storage of the account with the recovery key: the bot's identity comes back after a new installation. */
#ifndef MATRIX_RECOVERY_USE_H
#define MATRIX_RECOVERY_USE_H

#include "e2ee_account.h"

enum { RECOVERY_SECRETS = 4 };
extern const char *const recovery_secrets[RECOVERY_SECRETS]; /* names of the account data: seeds, the backup's key */

/* `hashroom recovery-key use`: words behind it. Asks for the key, unseen; waits for the server. */
int recovery_use(struct matrix *mx, int argc, const char *const *argv, struct hr_out *out);
void recovery_use_stop(struct matrix *mx);

#endif
