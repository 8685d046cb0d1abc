/* SPDX-License-Identifier: MIT */
/*
 * What a verification by short authentication string calculates: commitment,
 * the seven emoji and three numbers people compare, and the MACs over keys
 * (curve25519-hkdf-sha256, sha256, hkdf-hmac-sha256.v2). The order of messages,
 * time limits and who may ask are the caller's. Pure.
 */
#ifndef MATRIX_E2EE_SAS_H
#define MATRIX_E2EE_SAS_H

#include "ratchet.h"

#include <jansson.h>

enum { SAS_EMOJI = 7, SAS_DECIMALS = 3, SAS_MAX_KEYS = 16 };

struct sas_code {
    uint8_t emoji[SAS_EMOJI];         /* numbers of sas_emoji(), 0 to 63 */
    uint16_t decimal[SAS_DECIMALS];   /* 1000 to 9191 */
};

struct sas_emoji {
    const char *symbol, *name; /* UTF-8; the name in English, as the specification has it */
};

struct sas_party { /* borrowed texts */
    const char *user, *device;
};

struct sas_key { /* a key that is vouched for: "ed25519:DEVICE" or "ed25519:MASTERKEY", and its 43 characters */
    const char *id, *key;
};

const struct sas_emoji *sas_emoji(unsigned number); /* NULL above 63 */

/* What the one who accepts promises: SHA-256 over its ephemeral key and the content of the start message as it was
 * received, m.relates_to included. HR_EINVAL, HR_ELIMIT: no canonical JSON. */
int sas_commitment(const char *public_key, const json_t *start_content, char out[BASE64_KEY]);
/* The promise was kept: HR_OK, HR_EDENIED, or as above. */
int sas_commitment_check(const char *public_key, const json_t *start_content, const char *commitment);

/* `starter` sent m.key.verification.start, with its ephemeral key; `other` accepted. The transaction is
 * the id of the request's event in rooms. HR_ENOTFOUND: their key isn't set; HR_ELIMIT: ids too long. */
int sas_code(struct ratchet_sas *sas, struct sas_party starter, const char *starter_key, struct sas_party other,
             const char *other_key, const char *transaction, struct sas_code *out);

/* {mac, keys}: what `from` says of its own keys to `to`. The caller owns *out. HR_ELIMIT: too many keys. */
int sas_mac_make(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                 const struct sas_key *key, size_t count, json_t **out);
/* Checks the {mac, keys} of `from`. key: what we had pinned of them when the verification began; good[i] says if
 * they vouched for it. HR_EDENIED: a MAC is wrong, for whatever key: cancel, nothing is verified;
 * HR_ENOTFOUND: all right, but none of our keys is among them. Key ids we don't know are passed over. */
int sas_mac_check(struct ratchet_sas *sas, struct sas_party from, struct sas_party to, const char *transaction,
                  const json_t *content, const struct sas_key *key, size_t count, bool *good);

#endif
