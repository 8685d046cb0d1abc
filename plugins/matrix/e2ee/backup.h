/* SPDX-License-Identifier: MIT */
/*
 * Server-side key backup, m.megolm_backup.v1.curve25519-aes-sha2: room keys on the
 * server, under a key that secret storage holds (recovery.h). Only a version whose
 * public key is ours is written to or read from. What comes out of it is nobody's
 * word: anybody who knows the public key could have put it there.
 */
#ifndef MATRIX_BACKUP_H
#define MATRIX_BACKUP_H

#include "e2ee_account.h"

/* After own_identity_open(): makes the backup at the first start, finds it again at later ones, then
 * opens the secret storage. Best effort: a server without it is told once. */
void backup_open(struct matrix *mx);
void backup_stop(struct matrix *mx);
void backup_wake(struct matrix *mx); /* there are new sessions to keep */
/* Looks for a session there; group_in_take() follows if it is found. */
void backup_fetch(struct matrix *mx, const char *room_id, const char *session);
/* The private key, for the secret storage. HR_ENOTFOUND: there is none yet. */
int backup_key(struct matrix *mx, uint8_t key[32]);
/* One that came out of the secret storage: used from the next look at the server on, which is now. */
int backup_restore(struct matrix *mx, const uint8_t key[32]);

#endif
