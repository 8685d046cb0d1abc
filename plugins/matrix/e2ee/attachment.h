/* SPDX-License-Identifier: MIT */
/*
 * Encrypted attachments ("v2"): AES-256-CTR under a key of its own, SHA-256 over
 * the ciphertext. The server sees ciphertext, the key travels in the encrypted
 * event as its `file` member (EncryptedFile). Pure; long files are for the thread pool.
 */
#ifndef MATRIX_E2EE_ATTACHMENT_H
#define MATRIX_E2EE_ATTACHMENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct attachment { /* secret; wipe it with attachment_clear() */
    uint8_t key[32], iv[16], sha256[32];
};

/* Encrypts in place with a new key: upload the bytes, send attachment_json(). */
void attachment_encrypt(struct attachment *out, uint8_t *bytes, size_t len);
/* The `file` member for what was uploaded to that mxc: URI. The caller owns it. */
json_t *attachment_json(const struct attachment *attachment, const char *url);
/* From a received `file` member. HR_EINVAL: another version, algorithm, or a length that is wrong. */
int attachment_read(const json_t *file, struct attachment *out);
/* Decrypts in place. HR_EDENIED: another hash, nothing was touched: the bytes are not those that were sent. */
int attachment_decrypt(const struct attachment *attachment, uint8_t *bytes, size_t len);
void attachment_clear(struct attachment *attachment);

#endif
