/* SPDX-License-Identifier: MIT */
/* Secrets in the plugin's tables. */
#include "seal.h"
#include "mem.h"
#include <openssl/evp.h>
#include <openssl/rand.h>

#define MARK "sealed1:"

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16, MARK_BYTES = sizeof(MARK) - 1, SECRET_MAX_BYTES = 64 * 1024 };

static void must(bool good)
{
    if (!good) {
        abort(); /* AES-256-GCM and random bytes are always there */
    }
}

static EVP_CIPHER_CTX *begin(bool encrypt, const unsigned char key[KEY_BYTES], const unsigned char nonce[NONCE_BYTES],
                             const char *what)
{
    int len;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(context != NULL && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1);
    must(EVP_CipherUpdate(context, NULL, &len, (const unsigned char *)what, (int)strlen(what)) == 1);
    return context;
}

static int get_key(struct twitter *twitter, unsigned char key[KEY_BYTES])
{
    return twitter->api->derive(twitter->bot, "tokens", key, KEY_BYTES);
}

char *seal_close(struct twitter *twitter, const char *what, const char *secret)
{
    unsigned char key[KEY_BYTES];
    size_t len = strlen(secret), total = NONCE_BYTES + len + TAG_BYTES;
    if (len == 0) {
        return mem_dup("");
    }
    if (len > SECRET_MAX_BYTES || get_key(twitter, key) != HR_OK) {
        return NULL;
    }
    unsigned char *bytes = mem_calloc(total, 1);
    must(RAND_bytes(bytes, NONCE_BYTES) == 1);
    EVP_CIPHER_CTX *context = begin(true, key, bytes, what);
    int part;
    must(EVP_EncryptUpdate(context, bytes + NONCE_BYTES, &part, (const unsigned char *)secret, (int)len) == 1);
    must(EVP_EncryptFinal_ex(context, bytes + NONCE_BYTES + len, &part) == 1);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, bytes + NONCE_BYTES + len) == 1);
    EVP_CIPHER_CTX_free(context);
    explicit_bzero(key, sizeof(key));
    char *text = mem_calloc(MARK_BYTES + 2 * total + 1, 1);
    memcpy(text, MARK, MARK_BYTES);
    for (size_t i = 0; i < total; i++) {
        snprintf(text + MARK_BYTES + 2 * i, 3, "%02x", bytes[i]);
    }
    free(bytes);
    return text;
}

/* Hex digits in pairs; false: something else is in it. */
static bool read_hex(const char *text, unsigned char *out, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        const char *high = strchr(digits, text[2 * i]), *low = strchr(digits, text[2 * i + 1]);
        if (high == NULL || low == NULL) {
            return false;
        }
        out[i] = (unsigned char)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static char *decrypt(const unsigned char key[KEY_BYTES], const char *what, unsigned char *bytes, size_t total)
{
    size_t len = total - NONCE_BYTES - TAG_BYTES;
    char *secret = mem_calloc(len + 1, 1);
    EVP_CIPHER_CTX *context = begin(false, key, bytes, what);
    int part;
    bool good = EVP_DecryptUpdate(context, (unsigned char *)secret, &part, bytes + NONCE_BYTES, (int)len) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, bytes + NONCE_BYTES + len) == 1 &&
                EVP_DecryptFinal_ex(context, (unsigned char *)secret + len, &part) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!good) {
        explicit_bzero(secret, len);
        free(secret);
        return NULL;
    }
    return secret;
}

char *seal_open(struct twitter *twitter, const char *what, const char *stored)
{
    unsigned char key[KEY_BYTES];
    if (strncmp(stored, MARK, MARK_BYTES) != 0) {
        return mem_dup(stored);
    }
    size_t digits = strlen(stored) - MARK_BYTES, total = digits / 2;
    if (digits % 2 != 0 || total <= NONCE_BYTES + TAG_BYTES || total > NONCE_BYTES + TAG_BYTES + SECRET_MAX_BYTES ||
        get_key(twitter, key) != HR_OK) {
        return NULL;
    }
    unsigned char *bytes = mem_calloc(total, 1);
    char *secret = read_hex(stored + MARK_BYTES, bytes, total) ? decrypt(key, what, bytes, total) : NULL;
    explicit_bzero(key, sizeof(key));
    free(bytes);
    return secret;
}

bool seal_is_plain(const char *stored)
{
    return stored[0] != '\0' && strncmp(stored, MARK, MARK_BYTES) != 0;
}
