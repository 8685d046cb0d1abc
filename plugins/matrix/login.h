/* SPDX-License-Identifier: MIT */
/* Getting and keeping the account's access: password or token, device, what the database remembers. */
#ifndef MATRIX_LOGIN_H
#define MATRIX_LOGIN_H

#include "matrix.h"

/* Reads what is stored for this account, then logs in or goes straight to sync. */
int login_start(struct matrix *mx);
/* The server no longer knows the token. soft: the device lives on. */
void login_lost(struct matrix *mx, bool soft);
/* Writes where the sync stands, in the transaction of its messages. */
int login_save_since(struct matrix *mx, const char *since);

#endif
