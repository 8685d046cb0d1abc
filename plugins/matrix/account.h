/* SPDX-License-Identifier: MIT */
/*
 * The account's row in the database: its device, where its sync stands, and its
 * tokens, sealed under a key that the host derives from the store key.
 */
#ifndef MATRIX_ACCOUNT_H
#define MATRIX_ACCOUNT_H

#include "matrix.h"

/* Tidies what earlier runs left: seals what was stored plain, erases the tokens of a user that was replaced and
 * of instances that are no longer configured. */
int account_start(struct matrix *mx);
/* Takes what is stored for this user. Tokens that can't be opened are left out, aloud; the device stays. */
int account_load(struct matrix *mx);
/* Writes device, tokens and place; what can't be written is logged. */
void account_save(struct matrix *mx);
/* Writes where the sync stands, in the transaction of its messages. */
int account_save_since(struct matrix *mx, const char *since);
/* No log line shows the tokens from now on. */
void account_hide_tokens(struct matrix *mx);

#endif
