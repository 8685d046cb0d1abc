/* SPDX-License-Identifier: MIT */
/* Secrets in account data, the recovery key that opens them, and passphrases. */
#include "secret_storage.h"

#include "../mem.h"
#include "../scan.h"
#include "base64.h"
#include "curve.h"

#include <hashroom/plugin.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define ALGORITHM "m.secret_storage.v1.aes-hmac-sha2"

enum { IV = 16, MAC = 32 };

struct keys { /* of one secret, derived from the storage's key and the secret's name */
    uint8_t aes[32], hmac[32];
};

static struct keys keys_of(const uint8_t key[SECRET_STORAGE_KEY], const char *name)
{
    struct keys keys;
    curve_hkdf(key, SECRET_STORAGE_KEY, NULL, 0, name, strlen(name), &keys, sizeof(keys));
    return keys;
}

/* Encrypts in place. */
static void seal_bytes(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const uint8_t iv[IV], void *bytes,
                       size_t len, uint8_t mac[MAC])
{
    struct keys keys = keys_of(key, name);
    curve_aes_ctr(keys.aes, iv, bytes, len);
    curve_hmac(keys.hmac, sizeof(keys.hmac), bytes, len, mac);
    curve_wipe(&keys, sizeof(keys));
}

static void new_iv(uint8_t iv[IV])
{
    curve_random(iv, IV);
    iv[8] &= 0x7f; /* bit 63: some libraries count with sign */
}

/* Padded or not: other clients pad. */
static int read_base64(const json_t *object, const char *key, void *out, size_t max, size_t *len)
{
    const char *text = scan_text(object, key);
    return text == NULL ? HR_EINVAL : base64_decode(BASE64_PADDED, text, strlen(text), out, max, len);
}

static bool read_exactly(const json_t *object, const char *key, uint8_t *out, size_t want)
{
    size_t len = 0;
    return read_base64(object, key, out, want, &len) == HR_OK && len == want;
}

/* ---- the key ---- */

json_t *secret_storage_describe(const uint8_t key[SECRET_STORAGE_KEY])
{
    uint8_t zero[32] = {0}, iv[IV], mac[MAC];
    char iv_text[BASE64_SIZE(IV)], mac_text[BASE64_SIZE(MAC)];
    new_iv(iv);
    seal_bytes(key, "", iv, zero, sizeof(zero), mac);
    (void)base64_encode(BASE64, iv, sizeof(iv), iv_text);
    (void)base64_encode(BASE64, mac, sizeof(mac), mac_text);
    return json_pack("{s:s, s:s, s:s}", "algorithm", ALGORITHM, "iv", iv_text, "mac", mac_text);
}

int secret_storage_check(const json_t *description, const uint8_t key[SECRET_STORAGE_KEY])
{
    uint8_t zero[32] = {0}, iv[IV], mac[MAC], want[MAC];
    const char *algorithm = scan_text(description, "algorithm");
    if (algorithm == NULL || strcmp(algorithm, ALGORITHM) != 0) {
        return HR_EINVAL;
    }
    if (json_object_get(description, "iv") == NULL && json_object_get(description, "mac") == NULL) {
        return HR_ENOTFOUND;
    }
    if (!read_exactly(description, "iv", iv, sizeof(iv)) || !read_exactly(description, "mac", want, sizeof(want))) {
        return HR_EINVAL;
    }
    seal_bytes(key, "", iv, zero, sizeof(zero), mac);
    return curve_equal(mac, want, sizeof(mac)) ? HR_OK : HR_EDENIED;
}

/* ---- secrets ---- */

int secret_storage_seal(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const void *secret, size_t len,
                        json_t **out)
{
    uint8_t iv[IV], mac[MAC];
    char iv_text[BASE64_SIZE(IV)], mac_text[BASE64_SIZE(MAC)];
    if (len > SECRET_STORAGE_MAX) {
        return HR_ELIMIT;
    }
    char *bytes = mem_copy(secret, len), *text = mem_new(BASE64_SIZE(len));
    new_iv(iv);
    seal_bytes(key, name, iv, bytes, len, mac);
    (void)base64_encode(BASE64, iv, sizeof(iv), iv_text);
    (void)base64_encode(BASE64, mac, sizeof(mac), mac_text);
    (void)base64_encode(BASE64, bytes, len, text);
    *out = json_pack("{s:s, s:s, s:s}", "iv", iv_text, "ciphertext", text, "mac", mac_text);
    free(text);
    free(bytes);
    return HR_OK;
}

int secret_storage_open(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const json_t *sealed, char **secret,
                        size_t *len)
{
    uint8_t iv[IV], mac[MAC], want[MAC];
    size_t bytes_len = 0;
    if (!read_exactly(sealed, "iv", iv, sizeof(iv)) || !read_exactly(sealed, "mac", want, sizeof(want))) {
        return HR_EINVAL;
    }
    char *bytes = mem_new(SECRET_STORAGE_MAX + 1);
    int status = read_base64(sealed, "ciphertext", bytes, SECRET_STORAGE_MAX, &bytes_len);
    if (status == HR_OK) {
        struct keys keys = keys_of(key, name);
        curve_hmac(keys.hmac, sizeof(keys.hmac), bytes, bytes_len, mac);
        if (curve_equal(mac, want, sizeof(mac))) {
            curve_aes_ctr(keys.aes, iv, bytes, bytes_len);
        } else {
            status = HR_EDENIED;
        }
        curve_wipe(&keys, sizeof(keys));
    }
    if (status == HR_OK) {
        *secret = mem_copy(bytes, bytes_len);
        *len = bytes_len;
    }
    curve_free(bytes, SECRET_STORAGE_MAX + 1);
    return status;
}

int secret_storage_seal_key(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const uint8_t secret[32],
                            json_t **out)
{
    char text[BASE64_KEY];
    size_t len = base64_encode(BASE64, secret, 32, text);
    int status = secret_storage_seal(key, name, text, len, out);
    curve_wipe(text, sizeof(text));
    return status;
}

int secret_storage_open_key(const uint8_t key[SECRET_STORAGE_KEY], const char *name, const json_t *sealed,
                            uint8_t secret[32])
{
    uint8_t bytes[32];
    size_t len = 0, bytes_len = 0;
    char *text;
    int status = secret_storage_open(key, name, sealed, &text, &len);
    if (status != HR_OK) {
        return status;
    }
    if (base64_decode(BASE64_PADDED, text, len, bytes, sizeof(bytes), &bytes_len) != HR_OK || bytes_len != 32) {
        status = HR_EINVAL;
    } else {
        memcpy(secret, bytes, sizeof(bytes));
    }
    curve_wipe(bytes, sizeof(bytes));
    curve_free(text, len);
    return status;
}

/* ---- what people keep ---- */

/* Digits of base 58, without 0 O I l. */
static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

enum { PREFIX = 2, RECOVERY_BYTES = PREFIX + SECRET_STORAGE_KEY + 1, RECOVERY_DIGITS = 48, GROUP = 4 };

static uint8_t parity(const uint8_t bytes[RECOVERY_BYTES])
{
    uint8_t all = 0;
    for (size_t i = 0; i < RECOVERY_BYTES - 1; i++) {
        all ^= bytes[i];
    }
    return all;
}

void secret_storage_recovery_write(const uint8_t key[SECRET_STORAGE_KEY], char text[SECRET_STORAGE_RECOVERY])
{
    uint8_t bytes[RECOVERY_BYTES] = {0x8b, 0x01};
    char reversed[RECOVERY_DIGITS];
    memcpy(bytes + PREFIX, key, SECRET_STORAGE_KEY);
    bytes[RECOVERY_BYTES - 1] = parity(bytes);
    for (size_t n = 0; n < RECOVERY_DIGITS; n++) { /* the prefix makes it 48 digits, whatever the key */
        unsigned rest = 0;
        for (size_t i = 0; i < RECOVERY_BYTES; i++) {
            rest = rest << 8 | bytes[i];
            bytes[i] = (uint8_t)(rest / 58);
            rest %= 58;
        }
        reversed[n] = digits[rest];
    }
    for (size_t n = 0; n < RECOVERY_DIGITS; n++) {
        if (n > 0 && n % GROUP == 0) {
            *text++ = ' ';
        }
        *text++ = reversed[RECOVERY_DIGITS - 1 - n];
    }
    *text = '\0';
    curve_wipe(bytes, sizeof(bytes));
    curve_wipe(reversed, sizeof(reversed));
}

/* bytes = bytes * 58 + digit; false: runs over. */
static bool add_digit(uint8_t bytes[RECOVERY_BYTES], unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = RECOVERY_BYTES; i-- > 0;) {
        carry += bytes[i] * 58u;
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

static int read_digits(const char *text, uint8_t bytes[RECOVERY_BYTES])
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        const char *digit = strchr(digits, *text);
        if (strchr(" \t\r\n\v\f", *text) != NULL) {
            continue;
        }
        if (digit == NULL || ++count > RECOVERY_DIGITS || !add_digit(bytes, (unsigned)(digit - digits))) {
            return HR_EINVAL;
        }
    }
    return count == RECOVERY_DIGITS ? HR_OK : HR_EINVAL;
}

int secret_storage_recovery_read(const char *text, uint8_t key[SECRET_STORAGE_KEY])
{
    uint8_t bytes[RECOVERY_BYTES] = {0};
    int status = read_digits(text, bytes);
    if (status == HR_OK && (bytes[0] != 0x8b || bytes[1] != 0x01 || bytes[RECOVERY_BYTES - 1] != parity(bytes))) {
        status = HR_EDENIED;
    }
    if (status == HR_OK) {
        memcpy(key, bytes + PREFIX, SECRET_STORAGE_KEY);
    }
    curve_wipe(bytes, sizeof(bytes));
    return status;
}

int secret_storage_passphrase(const json_t *parameters, const char *passphrase, uint8_t key[SECRET_STORAGE_KEY])
{
    const char *algorithm = scan_text(parameters, "algorithm"), *salt = scan_text(parameters, "salt");
    const json_t *bits = json_object_get(parameters, "bits");
    json_int_t rounds = json_integer_value(json_object_get(parameters, "iterations"));
    if (algorithm == NULL || strcmp(algorithm, "m.pbkdf2") != 0 || salt == NULL ||
        (bits != NULL && json_integer_value(bits) != SECRET_STORAGE_KEY * 8) || strlen(salt) > SECRET_STORAGE_MAX) {
        return HR_EINVAL;
    }
    if (rounds < SECRET_STORAGE_MIN_ROUNDS || rounds > SECRET_STORAGE_MAX_ROUNDS) {
        return HR_ELIMIT;
    }
    return PKCS5_PBKDF2_HMAC(passphrase, (int)strlen(passphrase), (const unsigned char *)salt, (int)strlen(salt),
                             (int)rounds, EVP_sha512(), SECRET_STORAGE_KEY, key) == 1
               ? HR_OK
               : HR_EINVAL;
}
