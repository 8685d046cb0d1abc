/* SPDX-License-Identifier: MIT */
/* SCRAM-SHA-256. */
#include "scram.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

size_t scram_base64(const unsigned char *bytes, size_t len, char *out, size_t size)
{
    if ((len + 2) / 3 * 4 + 1 > size) {
        return 0;
    }
    return (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
}

int scram_unbase64(const char *text, unsigned char *out, size_t size)
{
    size_t len = strlen(text), padding = len > 0 && text[len - 1] == '=' ? 1 + (len > 1 && text[len - 2] == '=') : 0;
    if (len % 4 != 0 || len == 0 || len / 4 * 3 + 1 > size) {
        return -1;
    }
    int got = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
    if (got < 0) {
        return -1;
    }
    out[got - (int)padding] = '\0';
    return got - (int)padding;
}

/* A name may hold '=' and ',' only in another spelling. */
static bool add_name(char *out, size_t size, const char *name)
{
    size_t len = strlen(out);
    for (; *name; name++) {
        const char one[2] = {*name, '\0'};
        const char *text = *name == '=' ? "=3D" : *name == ',' ? "=2C" : one;
        if (len + strlen(text) + 1 > size) {
            return false;
        }
        memcpy(out + len, text, strlen(text) + 1);
        len += strlen(text);
    }
    return true;
}

bool scram_first(struct scram *scram, const char *account, const char *nonce, char *out, size_t size)
{
    *scram = (struct scram){.step = 1};
    if (strlen(nonce) >= sizeof scram->nonce || strlen(account) > 200) {
        return false;
    }
    (void)snprintf(scram->nonce, sizeof scram->nonce, "%s", nonce);
    (void)snprintf(scram->first, sizeof scram->first, "n=");
    if (!add_name(scram->first, sizeof scram->first - sizeof scram->nonce - 4, account)) {
        return false;
    }
    size_t len = strlen(scram->first);
    (void)snprintf(scram->first + len, sizeof scram->first - len, ",r=%s", nonce);
    return (size_t)snprintf(out, size, "n,,%s", scram->first) < size;
}

/* The value of "x=...", up to the comma; NULL: not there, or too long. */
static const char *attribute(const char *message, char name, char *out, size_t size)
{
    while (*message) {
        size_t len = strcspn(message, ",");
        if (message[0] == name && len >= 2 && message[1] == '=') {
            if (len - 2 >= size) {
                return NULL;
            }
            memcpy(out, message + 2, len - 2);
            out[len - 2] = '\0';
            return out;
        }
        message += len + (message[len] == ',');
    }
    return NULL;
}

static void sign(const unsigned char key[SCRAM_HASH], const char *text, unsigned char out[SCRAM_HASH])
{
    unsigned len = SCRAM_HASH;
    if (!HMAC(EVP_sha256(), key, SCRAM_HASH, (const unsigned char *)text, strlen(text), out, &len)) {
        abort(); /* OpenSSL without SHA-256 */
    }
}

/* SASLprep as far as it matters: one form for letters that can be written in two. */
static char *prepared(const char *password)
{
    char *folded = (char *)utf8proc_NFKC((const utf8proc_uint8_t *)password);
    return folded ? folded : strdup(password);
}

static bool salted(const char *password, const char *salt, int rounds, unsigned char out[SCRAM_HASH])
{
    unsigned char bytes[SCRAM_TEXT];
    int len = scram_unbase64(salt, bytes, sizeof bytes);
    char *text = prepared(password);
    bool done = len > 0 && text &&
                PKCS5_PBKDF2_HMAC(text, (int)strlen(text), bytes, len, rounds, EVP_sha256(), SCRAM_HASH, out) == 1;
    if (text) {
        OPENSSL_cleanse(text, strlen(text));
    }
    free(text);
    return done;
}

static void prove(struct scram *scram, unsigned char salt[SCRAM_HASH], const char *all, unsigned char proof[SCRAM_HASH])
{
    unsigned char client[SCRAM_HASH], stored[SCRAM_HASH], server[SCRAM_HASH], signature[SCRAM_HASH];
    sign(salt, "Client Key", client);
    sign(salt, "Server Key", server);
    (void)EVP_Digest(client, sizeof client, stored, NULL, EVP_sha256(), NULL);
    sign(stored, all, signature);
    sign(server, all, scram->proof_of_server);
    for (size_t i = 0; i < SCRAM_HASH; i++) {
        proof[i] = client[i] ^ signature[i];
    }
    OPENSSL_cleanse(client, sizeof client);
    OPENSSL_cleanse(salt, SCRAM_HASH);
}

bool scram_final(struct scram *scram, const char *password, const char *server, char *out, size_t size, char *err,
                 size_t err_size)
{
    char nonce[SCRAM_TEXT], salt[SCRAM_TEXT], rounds[16], text[64];
    unsigned char key[SCRAM_HASH], proof[SCRAM_HASH];
    size_t own = strlen(scram->nonce);
    scram->step = 2;
    if (!attribute(server, 'r', nonce, sizeof nonce) || !attribute(server, 's', salt, sizeof salt) ||
        !attribute(server, 'i', rounds, sizeof rounds) || strncmp(server, "m=", 2) == 0 ||
        strncmp(nonce, scram->nonce, own) != 0 || !nonce[own]) {
        (void)snprintf(err, err_size, "its answer is not that of SCRAM-SHA-256");
        return false;
    }
    long count = strtol(rounds, NULL, 10);
    if (count < SCRAM_ROUNDS_MIN || count > SCRAM_ROUNDS_MAX) {
        (void)snprintf(err, err_size, "it asks for %.10s rounds, %d to %d are sound", rounds, SCRAM_ROUNDS_MIN,
                       SCRAM_ROUNDS_MAX);
        return false;
    }
    char all[4 * SCRAM_TEXT], last[SCRAM_TEXT + 16];
    (void)snprintf(last, sizeof last, "c=biws,r=%s", nonce);
    int len = snprintf(all, sizeof all, "%s,%s,%s", scram->first, server, last);
    if (len < 0 || (size_t)len >= sizeof all || !salted(password, salt, (int)count, key)) {
        (void)snprintf(err, err_size, "its answer is broken");
        return false;
    }
    prove(scram, key, all, proof);
    return scram_base64(proof, sizeof proof, text, sizeof text) > 0 &&
           (size_t)snprintf(out, size, "%s,p=%s", last, text) < size;
}

bool scram_verify(struct scram *scram, const char *server)
{
    char value[128];
    unsigned char bytes[128];
    scram->verified = scram->step == 2 && attribute(server, 'v', value, sizeof value) &&
                      scram_unbase64(value, bytes, sizeof bytes) == SCRAM_HASH &&
                      CRYPTO_memcmp(bytes, scram->proof_of_server, SCRAM_HASH) == 0;
    scram->step = 3;
    return scram->verified;
}
