/* SPDX-License-Identifier: MIT */
/* Encrypted attachments, and their keys as JSON Web Key. */
#include "attachment.h"

#include "../scan.h"
#include "base64.h"
#include "curve.h"

#include <hashroom/plugin.h>

#include <string.h>

enum { RANDOM_IV = 8 }; /* the other half counts blocks, so that it can't run over */

void attachment_encrypt(struct attachment *out, uint8_t *bytes, size_t len)
{
    *out = (struct attachment){0};
    curve_random(out->key, sizeof(out->key));
    curve_random(out->iv, RANDOM_IV);
    curve_aes_ctr(out->key, out->iv, bytes, len);
    curve_sha256(bytes, len, out->sha256);
}

json_t *attachment_json(const struct attachment *attachment, const char *url)
{
    char key[BASE64_KEY], iv[BASE64_SIZE(16)], hash[BASE64_KEY];
    (void)base64_encode(BASE64_URL, attachment->key, sizeof(attachment->key), key);
    (void)base64_encode(BASE64, attachment->iv, sizeof(attachment->iv), iv);
    (void)base64_encode(BASE64, attachment->sha256, sizeof(attachment->sha256), hash);
    json_t *file = json_pack("{s:s, s:s, s:{s:s, s:s, s:[s,s], s:s, s:b}, s:s, s:{s:s}}", "v", "v2", "url", url, "key",
                             "kty", "oct", "alg", "A256CTR", "key_ops", "encrypt", "decrypt", "k", key, "ext", 1, "iv",
                             iv, "hashes", "sha256", hash);
    curve_wipe(key, sizeof(key));
    return file;
}

static bool is_text(const json_t *object, const char *key, const char *want)
{
    const char *text = scan_text(object, key);
    return text != NULL && strcmp(text, want) == 0;
}

/* Some clients pad. */
static bool read_bytes(const json_t *object, const char *key, uint8_t *out, size_t want)
{
    const char *text = scan_text(object, key);
    size_t len = 0;
    return text != NULL && base64_decode(BASE64_PADDED, text, strlen(text), out, want, &len) == HR_OK && len == want;
}

int attachment_read(const json_t *file, struct attachment *out)
{
    struct attachment found;
    const json_t *key = json_object_get(file, "key");
    bool good = is_text(file, "v", "v2") && is_text(key, "alg", "A256CTR") && is_text(key, "kty", "oct") &&
                base64_exact(BASE64_URL, scan_text(key, "k"), found.key, sizeof(found.key)) == HR_OK &&
                read_bytes(file, "iv", found.iv, sizeof(found.iv)) &&
                read_bytes(json_object_get(file, "hashes"), "sha256", found.sha256, sizeof(found.sha256));
    if (good) {
        *out = found;
    }
    attachment_clear(&found);
    return good ? HR_OK : HR_EINVAL;
}

int attachment_decrypt(const struct attachment *attachment, uint8_t *bytes, size_t len)
{
    uint8_t hash[32];
    curve_sha256(bytes, len, hash);
    if (!curve_equal(hash, attachment->sha256, sizeof(hash))) {
        return HR_EDENIED;
    }
    curve_aes_ctr(attachment->key, attachment->iv, bytes, len);
    return HR_OK;
}

void attachment_clear(struct attachment *attachment)
{
    curve_wipe(attachment, sizeof(*attachment));
}
