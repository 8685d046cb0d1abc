/* SPDX-License-Identifier: MIT */
/*
 * Base64 as Matrix writes it, read strictly: only characters of the alphabet,
 * no spaces, no bits left over at the end, so that one value has one text.
 * (libolm's own reader ignores the top bit of each character.) Pure.
 */
#ifndef MATRIX_E2EE_BASE64_H
#define MATRIX_E2EE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum base64_kind {
    BASE64 = 0,         /* A-Z a-z 0-9 + /, without padding: keys, signatures, messages */
    BASE64_URL = 1,     /* with - and _: the key of an attachment */
    BASE64_PADDED = 2,  /* reading only: standard, `=` at the end allowed where it is right */
};

#define BASE64_SIZE(bytes) (((bytes) * 4 + 2) / 3 + 1) /* characters of so many bytes, and the NUL */
enum {
    BASE64_KEY = BASE64_SIZE(32),       /* 43 characters and NUL: public keys, session ids, hashes */
    BASE64_SIGNATURE = BASE64_SIZE(64), /* 86 characters and NUL */
};

/* Writes unpadded text and NUL; out has BASE64_SIZE(len) bytes. The number of characters. */
size_t base64_encode(enum base64_kind kind, const void *bytes, size_t len, char *out);
/* HR_EINVAL: not base64 of that kind; HR_ELIMIT: more than max bytes. Nothing is written then.
 * Takes the same time whatever the characters are. */
int base64_decode(enum base64_kind kind, const char *text, size_t len, void *out, size_t max, size_t *out_len);
/* Text of exactly `bytes` bytes, as keys and signatures are. HR_EINVAL otherwise. text may be NULL. */
int base64_exact(enum base64_kind kind, const char *text, void *out, size_t bytes);
/* True where base64_decode() would succeed, for texts that are handed on as they are (BASE64 only). */
bool base64_valid(const char *text, size_t len);

#endif
