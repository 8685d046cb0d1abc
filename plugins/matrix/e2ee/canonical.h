/* SPDX-License-Identifier: MIT */
/*
 * Canonical JSON (appendices of the Matrix specification) and signed objects.
 * What came in is signed or verified as it is, unknown members included; only
 * `signatures` and `unsigned` are left out. Pure; jansson's values must not be
 * shared between threads while they are written or signed.
 */
#ifndef MATRIX_E2EE_CANONICAL_H
#define MATRIX_E2EE_CANONICAL_H

#include "../mem.h"
#include "base64.h"

#include <jansson.h>

enum {
    CANONICAL_MAX_DEPTH = 64,         /* nesting */
    CANONICAL_MAX_BYTES = 256 * 1024, /* of what is signed */
};
#define CANONICAL_MAX_INTEGER 9007199254740991LL /* 2^53 - 1, either sign */

/* Appends the canonical form of any value to out. HR_EINVAL: a fraction, a number out of range;
 * HR_ELIMIT: nested too deep or more than out->max bytes. out is cleared on an error. */
int canonical_write(const json_t *value, struct mem_buf *out);
/* The bytes that are signed: an object without `signatures` and `unsigned`. Also HR_EINVAL: no object. */
int canonical_signed_bytes(const json_t *object, struct mem_buf *out);

/* Signs bytes; called once, before canonical_sign() returns. */
typedef void canonical_sign_fn(void *arg, const void *bytes, size_t len, char signature[BASE64_SIGNATURE]);

/* Adds signatures[user][key_id], keeping those that are there. key_id is like "ed25519:DEVICE".
 * HR_EINVAL, HR_ELIMIT as above. */
int canonical_sign(json_t *object, const char *user, const char *key_id, canonical_sign_fn *sign, void *arg);
/* The same with an Ed25519 seed of 32 bytes. */
int canonical_sign_seed(json_t *object, const char *user, const char *key_id, const uint8_t seed[32]);
/* signatures[user][key_id] is made by this Ed25519 key. HR_ENOTFOUND: no such signature; HR_EDENIED: a
 * wrong one; HR_EINVAL: object, key or signature can't be read; HR_ELIMIT. */
int canonical_verify(const json_t *object, const char *user, const char *key_id, const char *key);

#endif
