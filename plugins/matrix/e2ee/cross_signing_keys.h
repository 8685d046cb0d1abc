/* SPDX-License-Identifier: MIT */
/*
 * Cross-signing keys: a person's master key signs a self-signing key, which signs
 * the person's devices, and a user-signing key, which signs other people's master
 * keys. Here they are made from seeds, and those of others verified; pinning and
 * what a change means is the caller's. Pure.
 */
#ifndef MATRIX_E2EE_CROSS_SIGNING_KEYS_H
#define MATRIX_E2EE_CROSS_SIGNING_KEYS_H

#include "base64.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ratchet_account;

struct cross_signing_keys { /* our own: secret, wipe with cross_signing_keys_clear() */
    uint8_t master[32], self_signing[32], user_signing[32];
};

struct cross_signing_keys_public {
    char master[BASE64_KEY];
    char self_signing[BASE64_KEY], user_signing[BASE64_KEY]; /* "": not there, or not signed by the master key */
};

void cross_signing_keys_new(struct cross_signing_keys *out);
void cross_signing_keys_clear(struct cross_signing_keys *keys);
void cross_signing_keys_to_public(const struct cross_signing_keys *keys, struct cross_signing_keys_public *out);

/* {master_key, self_signing_key, user_signing_key} for keys/device_signing/upload: the master key signed
 * by the device, the other two by the master key. The caller owns it. */
json_t *cross_signing_keys_upload(const struct cross_signing_keys *keys, const char *user, const char *device,
                                  struct ratchet_account *account);
/* Adds the self-signing key's signature to a device_keys object of `user`. HR_EINVAL, HR_ELIMIT: can't be signed. */
int cross_signing_keys_sign_device(const struct cross_signing_keys *keys, const char *user, json_t *device_keys);
/* Adds our user-signing key's signature to somebody's master key object (only that one is new in it
 * when sent to keys/signatures/upload). */
int cross_signing_keys_sign_user(const struct cross_signing_keys *keys, const char *user, json_t *master_key);
/* Adds our master key's signature to any object: the backup's auth_data. */
int cross_signing_keys_sign_master(const struct cross_signing_keys *keys, const char *user, json_t *object);

/* The set of `user` from keys/query; self and user-signing objects may be NULL. HR_EINVAL: the master object is
 * none, is of somebody else, has another usage, not exactly one key, or a forbidden one. The other two are
 * left "" where they are not signed by this master key, so that nothing hangs on them. */
int cross_signing_keys_read(const char *user, const json_t *master, const json_t *self_signing,
                            const json_t *user_signing, struct cross_signing_keys_public *out);
/* A device_keys object (already read by device_keys_read()) is signed by the self-signing key of its owner.
 * A device whose id is one of the owner's cross-signing keys never is. */
bool cross_signing_keys_has_signed(const struct cross_signing_keys_public *keys, const char *user,
                                   const json_t *device_keys);
/* Our user-signing key has signed this master key object: we verified that person. */
bool cross_signing_keys_vouched(const struct cross_signing_keys_public *ours, const char *our_user, const char *user,
                                const json_t *master);

#endif
