/* SPDX-License-Identifier: MIT */
/*
 * Secret storage (m.secret_storage.v1.aes-hmac-sha2): the seeds of our identity and
 * the backup's key in the account's own data, under a recovery key that only the
 * operator has. It is shown once and not kept; with it the bot can be installed
 * anew without anybody having to verify it again.
 */
#ifndef MATRIX_RECOVERY_H
#define MATRIX_RECOVERY_H

#include "e2ee_account.h"

/* Makes it at the first start, unless the account has one already; else goes on with what a crash left. */
void recovery_open(struct matrix *mx);
void recovery_stop(struct matrix *mx);
/* The tool `hashroom recovery-key [new | use KEY]`; struct hr_tool.run. */
int recovery_tool(void *state, int argc, const char *const *argv, struct hr_out *out);

#endif
