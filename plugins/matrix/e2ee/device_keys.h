/* SPDX-License-Identifier: MIT */
/*
 * Devices as keys/upload and keys/query carry them: our own signed, those of
 * others checked before anything believes them. Pinning (a known device id never
 * changes its keys) and unique Curve25519 keys are the caller's. Pure.
 */
#ifndef MATRIX_E2EE_DEVICE_KEYS_H
#define MATRIX_E2EE_DEVICE_KEYS_H

#include "ratchet.h"

#include <jansson.h>

#define DEVICE_KEYS_OLM "m.olm.v1.curve25519-aes-sha2"
#define DEVICE_KEYS_MEGOLM "m.megolm.v1.aes-sha2"
enum { DEVICE_KEYS_MAX_ID = 255 }; /* bytes of a user or device id */

struct device_keys {
    char user[DEVICE_KEYS_MAX_ID + 1], device[DEVICE_KEYS_MAX_ID + 1];
    char ed25519[BASE64_KEY], curve25519[BASE64_KEY];
    bool olm, megolm; /* algorithms it says it speaks */
};

/* Our signed device_keys object. The caller owns it. */
json_t *device_keys_make(struct ratchet_account *account, const char *user, const char *device);
/* Adds our device's signature to any object (backup, own master key). HR_EINVAL, HR_ELIMIT: can't be signed. */
int device_keys_sign(struct ratchet_account *account, const char *user, const char *device, json_t *object);
/* Somebody's object, found under these two keys of the reply. HR_EINVAL: it is malformed, of another
 * user or device, or has a forbidden key; HR_ENOTFOUND: no keys, or not signed by itself; HR_EDENIED:
 * wrongly signed. *why (may be NULL) gets plain words for the log on an error: a constant. */
int device_keys_read(const json_t *object, const char *user, const char *device, struct device_keys *out,
                     const char **why);

/* Members one_time_keys and fallback_keys (each only where there is something) for keys/upload: all that
 * the account holds unpublished, signed. The caller owns it; an empty object if there is nothing. */
json_t *device_keys_upload(struct ratchet_account *account, const char *user, const char *device);
/* The one-time key of a keys/claim reply: {"signed_curve25519:ID": {key, signatures}}, signed by that device.
 * HR_ENOTFOUND: none in it, or unsigned; HR_EINVAL: malformed or forbidden; HR_EDENIED: wrongly signed. */
int device_keys_claimed(const json_t *claimed, const struct device_keys *device, char key[BASE64_KEY]);

#endif
