/* SPDX-License-Identifier: MIT */
/*
 * Secret storage, m.secret_storage.v1.aes-hmac-sha2: secrets in account data
 * under a key that its owner keeps as recovery key or passphrase. The server may
 * have changed everything that is read here. Pure; the passphrase is slow (thread pool).
 */
#ifndef MATRIX_E2EE_SECRET_STORAGE_H
#define MATRIX_E2EE_SECRET_STORAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_STORAGE_KEY = 32,                 /* bytes */
    SECRET_STORAGE_MAX = 16 * 1024,          /* bytes of one secret */
    SECRET_STORAGE_RECOVERY = 64,            /* text of a recovery key, with NUL */
    SECRET_STORAGE_MIN_ROUNDS = 1000,        /* of a passphrase: fewer, and the server could guess it */
    SECRET_STORAGE_MAX_ROUNDS = 10 * 1000 * 1000,
};

/* Content of m.secret_storage.key.ID for a new key: algorithm, iv, mac. The caller owns it. */
json_t *secret_storage_describe(const uint8_t key[SECRET_STORAGE_KEY]);
/* This is the key that was described. HR_EDENIED: another one; HR_EINVAL: another algorithm, or can't be read;
 * HR_ENOTFOUND: the description carries no check. */
int secret_storage_check(const json_t *description, const uint8_t key[SECRET_STORAGE_KEY]);

/* {iv, ciphertext, mac} of a secret; it goes to encrypted[ID] in the account data called `name`.
 * HR_ELIMIT: longer than SECRET_STORAGE_MAX. The caller owns *out. */
int secret_storage_seal(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const void *secret, size_t len,
                        json_t **out);
/* HR_EDENIED: another key or name, or changed; HR_EINVAL; HR_ELIMIT. *secret has a NUL behind it; curve_free() it. */
int secret_storage_open(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const json_t *sealed, char **secret,
                        size_t *len);
/* Secrets of 32 bytes (seeds, the backup's key) are stored as base64 text. */
int secret_storage_seal_key(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const uint8_t secret[32],
                            json_t **out);
int secret_storage_open_key(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const json_t *sealed,
                            uint8_t secret[32]);

/* The key as people keep it: groups of four characters. */
void secret_storage_recovery_write(const uint8_t key[SECRET_STORAGE_KEY], char text[SECRET_STORAGE_RECOVERY]);
/* Spaces of any kind and number are fine. HR_EINVAL: a character that can't be in it, or the wrong
 * length; HR_EDENIED: a typing error (parity). */
int secret_storage_recovery_read(const char *text, uint8_t key[SECRET_STORAGE_KEY]);
/* The key from a passphrase and the `passphrase` member of a description (m.pbkdf2).
 * HR_EINVAL: another algorithm or size; HR_ELIMIT: too few or too many rounds. */
int secret_storage_passphrase(const json_t *parameters, const char *passphrase, uint8_t key[SECRET_STORAGE_KEY]);

#endif
