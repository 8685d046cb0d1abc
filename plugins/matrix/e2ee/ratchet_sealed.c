/* SPDX-License-Identifier: MIT */
/* What is sealed for one key: the backup, and the key agreement of a verification. */
#include "ratchet_inside.h"

#include <olm/pk.h>
#include <olm/sas.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = BASE64_KEY - 1 };

/* ---- backup ---- */

static OlmPkDecryption *decryption(const uint8_t private_key[32], char public_key[BASE64_KEY])
{
    OlmPkDecryption *olm = olm_pk_decryption(mem_new(olm_pk_decryption_size()));
    uint8_t copy[32];
    memcpy(copy, private_key, sizeof(copy)); /* the library's type promises not to write, others of it did */
    ratchet_must(olm_pk_key_from_private(olm, public_key, KEY_LEN, copy, sizeof(copy)) != olm_error(),
                 "the key of a backup");
    curve_wipe(copy, sizeof(copy));
    public_key[KEY_LEN] = '\0';
    return olm;
}

void ratchet_backup_public(const uint8_t private_key[32], char public_key[BASE64_KEY])
{
    OlmPkDecryption *olm = decryption(private_key, public_key);
    (void)olm_clear_pk_decryption(olm);
    free(olm);
}

int ratchet_backup_seal(const char *public_key, const void *plaintext, size_t len, struct ratchet_sealed *out)
{
    struct ratchet_sealed sealed = {0};
    if (curve_check(public_key) != HR_OK) {
        return HR_EINVAL;
    }
    if (len > RATCHET_MAX_PLAINTEXT) {
        return HR_ELIMIT;
    }
    OlmPkEncryption *olm = olm_pk_encryption(mem_new(olm_pk_encryption_size()));
    ratchet_must(olm_pk_encryption_set_recipient_key(olm, public_key, KEY_LEN) != olm_error(), "a backup's key");
    size_t random_len = olm_pk_encrypt_random_length(olm), cipher_len = olm_pk_ciphertext_length(olm, len);
    char *random = ratchet_random(random_len);
    sealed.ciphertext = mem_new(cipher_len + 1);
    ratchet_must(olm_pk_mac_length(olm) == sizeof(sealed.mac) - 1 &&
                     olm_pk_encrypt(olm, plaintext, len, sealed.ciphertext, cipher_len, sealed.mac,
                                    sizeof(sealed.mac) - 1, sealed.ephemeral, KEY_LEN, random,
                                    random_len) != olm_error(),
                 "olm_pk_encrypt()");
    curve_free(random, random_len);
    (void)olm_clear_pk_encryption(olm);
    free(olm);
    *out = sealed;
    return HR_OK;
}

int ratchet_backup_open(const uint8_t private_key[32], const char *ciphertext, const char *mac, const char *ephemeral,
                        char **plaintext, size_t *plaintext_len)
{
    enum { BLOCK = 16 };
    uint8_t mac_bytes[8];
    char public_key[BASE64_KEY];
    size_t len = ciphertext == NULL ? 0 : strlen(ciphertext);
    int status = ratchet_text(ciphertext, len, RATCHET_MAX_MESSAGE);
    if (status != HR_OK) {
        return status;
    }
    if (len * 3 / 4 < BLOCK || len * 3 / 4 % BLOCK != 0 || curve_check(ephemeral) != HR_OK ||
        base64_exact(BASE64, mac, mac_bytes, sizeof(mac_bytes)) != HR_OK) {
        return HR_EINVAL;
    }
    OlmPkDecryption *olm = decryption(private_key, public_key);
    size_t room = olm_pk_max_plaintext_length(olm, len);
    char *copy = mem_copy(ciphertext, len), *out = mem_new(room + 1);
    size_t got = olm_pk_decrypt(olm, ephemeral, KEY_LEN, mac, strlen(mac), copy, len, out, room);
    if (got == olm_error()) {
        status = ratchet_status(olm_pk_decryption_last_error_code(olm));
        curve_free(out, room + 1);
    } else {
        out[got] = '\0';
        *plaintext = out;
        *plaintext_len = got;
    }
    free(copy);
    (void)olm_clear_pk_decryption(olm);
    free(olm);
    return status;
}

void ratchet_sealed_clear(struct ratchet_sealed *sealed)
{
    if (sealed != NULL) {
        free(sealed->ciphertext);
        *sealed = (struct ratchet_sealed){0};
    }
}

/* ---- short authentication strings ---- */

struct ratchet_sas {
    OlmSAS *olm;
    char public[BASE64_KEY];
};

struct ratchet_sas *ratchet_sas_new(void)
{
    struct ratchet_sas *sas = mem_new(sizeof(*sas));
    sas->olm = olm_sas(mem_new(olm_sas_size()));
    size_t len = olm_create_sas_random_length(sas->olm);
    char *random = ratchet_random(len);
    ratchet_must(olm_create_sas(sas->olm, random, len) != olm_error() && olm_sas_pubkey_length(sas->olm) == KEY_LEN &&
                     olm_sas_get_pubkey(sas->olm, sas->public, KEY_LEN) != olm_error(),
                 "a key agreement");
    curve_free(random, len);
    return sas;
}

void ratchet_sas_free(struct ratchet_sas *sas)
{
    if (sas != NULL) {
        (void)olm_clear_sas(sas->olm);
        free(sas->olm);
        free(sas);
    }
}

const char *ratchet_sas_public(const struct ratchet_sas *sas)
{
    return sas->public;
}

int ratchet_sas_set_their_key(struct ratchet_sas *sas, const char *their_key)
{
    char copy[BASE64_KEY];
    if (curve_check(their_key) != HR_OK) {
        return HR_EINVAL;
    }
    if (olm_sas_is_their_key_set(sas->olm)) {
        return HR_EEXIST;
    }
    memcpy(copy, their_key, sizeof(copy));
    return olm_sas_set_their_key(sas->olm, copy, KEY_LEN) == olm_error()
               ? ratchet_status(olm_sas_last_error_code(sas->olm))
               : HR_OK;
}

int ratchet_sas_bytes(struct ratchet_sas *sas, const char *info, size_t info_len, uint8_t *out, size_t len)
{
    return olm_sas_generate_bytes(sas->olm, info, info_len, out, len) == olm_error()
               ? ratchet_status(olm_sas_last_error_code(sas->olm))
               : HR_OK;
}

int ratchet_sas_mac(struct ratchet_sas *sas, const char *text, size_t len, const char *info, size_t info_len,
                    char mac[RATCHET_MAC])
{
    char out[RATCHET_MAC] = "";
    ratchet_must(olm_sas_mac_length(sas->olm) == sizeof(out) - 1, "the length of a MAC");
    if (olm_sas_calculate_mac_fixed_base64(sas->olm, text, len, info, info_len, out, sizeof(out) - 1) == olm_error()) {
        return ratchet_status(olm_sas_last_error_code(sas->olm));
    }
    memcpy(mac, out, sizeof(out));
    return HR_OK;
}
