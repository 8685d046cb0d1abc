/* SPDX-License-Identifier: MIT */
/*
 * The table matrix_sealed: what a part was encrypted to, until the server answered.
 * After a crash the same ciphertext goes out again under the same transaction
 * id: no index of a ratchet is used for two messages.
 */
#ifndef MATRIX_GROUP_SEALED_H
#define MATRIX_GROUP_SEALED_H

#include "e2ee_account.h"

/* In the callback that turned the ratchet. session: its id, content: JSON. */
int group_sealed_keep(struct matrix *mx, const char *txn, const char *session, const char *content);
/* The content that a part went out as, or NULL; free() it. */
char *group_sealed(struct matrix *mx, const char *txn);
void group_sealed_drop(struct matrix *mx, const char *txn); /* the part has its outcome */

#endif
