/* SPDX-License-Identifier: MIT */
/* Getting and keeping the account's access: password or token, device, and what to do when it ends. */
#ifndef MATRIX_LOGIN_H
#define MATRIX_LOGIN_H

#include "matrix.h"

#include <jansson.h>

/* Reads what is stored for this account, then logs in or goes straight to sync. */
int login_start(struct matrix *mx);
/* The server no longer knows the token. soft: the device lives on. */
void login_lost(struct matrix *mx, bool soft);
/* The device can't be used: logs in as another one where there is a password, else login_refuse(). */
void login_anew(struct matrix *mx, const char *words);
/* Stops until the operator did what the words say. */
void login_refuse(struct matrix *mx, const char *words);
/* A new pair of tokens: on disk with this turn, used after it. refresh may be NULL; copies. */
void login_take_tokens(struct matrix *mx, const char *token, const char *refresh, const json_t *expires_in_ms);
/* mx->device logged in for the first time, in the transaction that saves it: what belonged
 * to the device before it (transactions, keys) means nothing to the server from here on. */
void login_device_changed(struct matrix *mx);
/* Ends the session of a password on the server, for good: see hr_network.farewell. */
int login_farewell(void *state);

#endif
