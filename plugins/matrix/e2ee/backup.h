/* SPDX-License-Identifier: MIT */
/*
 * Server-side key backup and secret storage: room keys are kept on the server under
 * a key only the recovery key opens, which the operator is shown once.
 * m.megolm_backup.v1.curve25519-aes-sha2, m.secret_storage.v1.aes-hmac-sha2.
 */
#ifndef MATRIX_BACKUP_H
#define MATRIX_BACKUP_H

#include "group_in.h"

/* Makes both at the first start, checks the version's signature at later ones. Best effort: a
 * server without it is told once. After own_identity_open(). */
void backup_open(struct matrix *mx);
void backup_stop(struct matrix *mx);
void backup_wake(struct matrix *mx);  /* there are new sessions to keep */
/* Looks for a session there; group_in_take() follows if it is found. */
void backup_fetch(struct matrix *mx, const char *room_id, const char *session);
/* The tool `hashroom recovery-key [new|use]`. */
int backup_tool(void *state, int argc, const char *const *argv, struct hr_out *out);

#endif
