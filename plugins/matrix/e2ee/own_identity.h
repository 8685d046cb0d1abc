/* SPDX-License-Identifier: MIT */
/*
 * Our own cross-signing identity: three keys made at the first start, safe on
 * disk before the server hears of them, and our device signed by them before
 * any room is joined. If the server shows another master key than ours, nothing
 * is reset: encryption stops and the operator is told. "Cross-signing".
 */
#ifndef MATRIX_OWN_IDENTITY_H
#define MATRIX_OWN_IDENTITY_H

#include "e2ee_account.h"

struct own_shown { /* what the server shows of our own account; each NULL if there is none */
    const json_t *device; /* device_keys of mx->device */
    const json_t *master, *self_signing, *user_signing;
};

/* Makes or loads the identity, compares it with the server's, signs our device; then done(). Or
 * e2ee_close(), and no done(). */
void own_identity_open(struct matrix *mx, const struct own_shown *shown, void (*done)(struct matrix *mx));
void own_identity_stop(struct matrix *mx);
const struct cross_signing_keys *own_identity_keys(const struct matrix *mx); /* with the seeds; NULL: none yet */
/* After a verification: our user-signing key signs their master key and tells the server. */
void own_identity_sign_user(struct matrix *mx, const char *user);
/* Seeds that came back out of the secret storage of this account (recovery key): encryption
 * opens with them. HR_EINVAL: not those the server shows. */
int own_identity_restore(struct matrix *mx, const uint8_t master[32], const uint8_t self_signing[32],
                         const uint8_t user_signing[32]);

#endif
