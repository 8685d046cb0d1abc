/* SPDX-License-Identifier: MIT */
/*
 * The primitives that libolm lacks or does carelessly, on OpenSSL: checks of
 * foreign keys, Ed25519, hashes, random bytes. Pure, any thread. An error that
 * only a broken library or machine can cause ends the process.
 *
 * Keys and signatures that travel are texts (unpadded base64 and NUL), seeds and
 * secrets are bytes.
 */
#ifndef MATRIX_E2EE_CURVE_H
#define MATRIX_E2EE_CURVE_H

#include "base64.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURVE_BYTES = 32, CURVE_SIGNATURE_BYTES = 64 };

/* A Curve25519 key of somebody else may be used: 43 strict characters, the one
 * encoding of its point, no point of low order (with those anybody knows the
 * secret). HR_OK or HR_EINVAL. key may be NULL. */
int curve_check(const char *key);
int curve_check_bytes(const uint8_t key[CURVE_BYTES]);
/* An Ed25519 key may be used: as above. With the keys of low order any message has a signature. */
int curve_check_ed25519(const char *key);
int curve_check_ed25519_bytes(const uint8_t key[CURVE_BYTES]);
/* S of a signature is below the order of the group: no second signature can be made from a good one. */
bool curve_scalar_small(const uint8_t scalar[CURVE_BYTES]);

/* HR_OK; HR_EINVAL: key or signature are no strict base64, low order, S too large; HR_EDENIED: not
 * signed by that key. key and signature may be NULL. */
int curve_verify(const char *key, const void *message, size_t len, const char *signature);
/* From the 32 bytes of a seed. */
void curve_sign(const uint8_t seed[CURVE_BYTES], const void *message, size_t len, char signature[BASE64_SIGNATURE]);
void curve_public(const uint8_t seed[CURVE_BYTES], char key[BASE64_KEY]);

void curve_random(void *out, size_t len);                       /* getrandom() */
bool curve_equal(const void *a, const void *b, size_t len);     /* in constant time */
void curve_wipe(void *secret, size_t len);                      /* not optimised away; NULL is fine */
void curve_free(char *secret, size_t len);                      /* wiped, then freed; NULL is fine */
void curve_sha256(const void *bytes, size_t len, uint8_t out[32]);
void curve_hmac(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t out[32]); /* SHA-256 */
/* HKDF-SHA256; salt NULL means 32 zero bytes. len at most 255 * 32. */
void curve_hkdf(const void *key, size_t key_len, const void *salt, size_t salt_len, const char *info, size_t info_len,
                void *out, size_t len);
/* AES-256 in counter mode, in place: the same call encrypts and decrypts. */
void curve_aes_ctr(const uint8_t key[32], const uint8_t iv[16], void *bytes, size_t len);

#endif
