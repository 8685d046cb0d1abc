/* SPDX-License-Identifier: MIT */
/* Keys, signatures, hashes and random bytes on OpenSSL's EVP interface. */
#include "curve.h"

#include <hashroom/plugin.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/random.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "matrix: %s does not work on this machine\n", what);
        abort();
    }
}

/* ---- foreign keys ---- */

/* The number in little endian is below 2^255 - 19: the one encoding of it, whatever the top bit of an
 * Ed25519 key says. */
static bool reduced(const uint8_t bytes[CURVE_BYTES])
{
    unsigned all = bytes[31] | 0x80u;
    for (size_t i = 1; i < 31; i++) {
        all &= bytes[i];
    }
    return all != 0xff || bytes[0] < 0xed;
}

/* A failed call leaves its reasons in OpenSSL's queue of this thread, where the next TLS connection would find them. */
static bool derives(const uint8_t key[CURVE_BYTES])
{
    static const uint8_t scalar[CURVE_BYTES] = {8}; /* any: with a point of low order the result is zero */
    uint8_t out[CURVE_BYTES];
    size_t len = sizeof(out);
    ERR_set_mark();
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, sizeof(scalar));
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, key, CURVE_BYTES);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    must(mine != NULL && theirs != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1, "X25519");
    bool good = EVP_PKEY_derive_set_peer(context, theirs) == 1 && EVP_PKEY_derive(context, out, &len) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    ERR_pop_to_mark();
    return good;
}

int curve_check_bytes(const uint8_t key[CURVE_BYTES])
{
    return (key[31] & 0x80) == 0 && reduced(key) && derives(key) ? HR_OK : HR_EINVAL;
}

int curve_check(const char *key)
{
    uint8_t bytes[CURVE_BYTES];
    return base64_exact(BASE64, key, bytes, sizeof(bytes)) == HR_OK ? curve_check_bytes(bytes) : HR_EINVAL;
}

int curve_check_ed25519_bytes(const uint8_t key[CURVE_BYTES])
{
    /* y of the eight points whose order divides 8; the sign is the top bit, so each stands for two */
    static const uint8_t low_order[][CURVE_BYTES] = {
        {0x00},
        {0x01},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t y[CURVE_BYTES];
    memcpy(y, key, sizeof(y));
    y[31] &= 0x7f;
    if (!reduced(y)) {
        return HR_EINVAL;
    }
    for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
        if (memcmp(y, low_order[i], sizeof(y)) == 0) {
            return HR_EINVAL;
        }
    }
    return HR_OK;
}

int curve_check_ed25519(const char *key)
{
    uint8_t bytes[CURVE_BYTES];
    return base64_exact(BASE64, key, bytes, sizeof(bytes)) == HR_OK ? curve_check_ed25519_bytes(bytes) : HR_EINVAL;
}

bool curve_scalar_small(const uint8_t scalar[CURVE_BYTES])
{
    static const uint8_t order[CURVE_BYTES] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                               0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                               0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    for (size_t i = CURVE_BYTES; i-- > 0;) {
        if (scalar[i] != order[i]) {
            return scalar[i] < order[i];
        }
    }
    return false;
}

/* ---- Ed25519 ---- */

int curve_verify(const char *key, const void *message, size_t len, const char *signature)
{
    uint8_t public[CURVE_BYTES], bytes[CURVE_SIGNATURE_BYTES];
    if (base64_exact(BASE64, key, public, sizeof(public)) != HR_OK || curve_check_ed25519_bytes(public) != HR_OK ||
        base64_exact(BASE64, signature, bytes, sizeof(bytes)) != HR_OK || !curve_scalar_small(bytes + CURVE_BYTES)) {
        return HR_EINVAL;
    }
    ERR_set_mark();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, sizeof(public));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(pkey != NULL && context != NULL, "Ed25519");
    bool good = EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(context, bytes, sizeof(bytes), message, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    return good ? HR_OK : HR_EDENIED;
}

void curve_sign(const uint8_t seed[CURVE_BYTES], const void *message, size_t len, char signature[BASE64_SIGNATURE])
{
    uint8_t bytes[CURVE_SIGNATURE_BYTES];
    size_t bytes_len = sizeof(bytes);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CURVE_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(pkey != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 &&
             EVP_DigestSign(context, bytes, &bytes_len, message, len) == 1,
         "Ed25519");
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    (void)base64_encode(BASE64, bytes, sizeof(bytes), signature);
}

void curve_public(const uint8_t seed[CURVE_BYTES], char key[BASE64_KEY])
{
    uint8_t bytes[CURVE_BYTES];
    size_t len = sizeof(bytes);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CURVE_BYTES);
    must(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, bytes, &len) == 1, "Ed25519");
    EVP_PKEY_free(pkey);
    (void)base64_encode(BASE64, bytes, sizeof(bytes), key);
}

/* ---- bytes ---- */

void curve_random(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        must(got > 0, "getrandom()");
        at += got;
        len -= (size_t)got;
    }
}

bool curve_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void curve_wipe(void *secret, size_t len)
{
    if (secret != NULL) {
        OPENSSL_cleanse(secret, len);
    }
}

void curve_free(char *secret, size_t len)
{
    curve_wipe(secret, len);
    free(secret);
}

void curve_sha256(const void *bytes, size_t len, uint8_t out[32])
{
    must(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
}

void curve_hmac(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t out[32])
{
    must(key_len <= 4096 && HMAC(EVP_sha256(), key, (int)key_len, bytes, len, out, NULL) != NULL, "HMAC");
}

void curve_hkdf(const void *key, size_t key_len, const void *salt, size_t salt_len, const char *info, size_t info_len,
                void *out, size_t len)
{
    static const uint8_t zero[32] = {0};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM param[5], *p = param;
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_len);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt ? (void *)salt : (void *)zero,
                                             salt ? salt_len : sizeof(zero));
    if (info_len > 0) {
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_len);
    }
    *p = OSSL_PARAM_construct_end();
    must(context != NULL && EVP_KDF_derive(context, out, len, param) == 1, "HKDF");
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void curve_aes_ctr(const uint8_t key[32], const uint8_t iv[16], void *bytes, size_t len)
{
    enum { STEP = 1 << 20 }; /* OpenSSL counts in int */
    uint8_t *at = bytes;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(context != NULL && EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, iv) == 1, "AES");
    while (len > 0) {
        int step = len < STEP ? (int)len : STEP, done = 0;
        must(EVP_EncryptUpdate(context, at, &done, at, step) == 1 && done == step, "AES");
        at += step;
        len -= (size_t)step;
    }
    EVP_CIPHER_CTX_free(context);
}
