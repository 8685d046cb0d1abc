/* SPDX-License-Identifier: MIT */
/* The outer form of Olm and Megolm messages and keys: the library uses the keys inside of them unchecked. */
#include "ratchet_inside.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, MAC = 8, MAX_NUMBER = 10 };

struct reader {
    const uint8_t *at, *end;
};

struct found {
    unsigned seen; /* one bit a tag */
    const uint8_t *identity;
    struct reader message;
};

/* A number in groups of seven bits. */
static bool read_number(struct reader *reader, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < MAX_NUMBER && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;
        *out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_bytes(struct reader *reader, struct reader *out)
{
    uint64_t len;
    if (!read_number(reader, &len) || len > (uint64_t)(reader->end - reader->at)) {
        return false;
    }
    *out = (struct reader){reader->at, reader->at + len};
    reader->at += len;
    return true;
}

/* Fields 1 to 3 of a pre-key message and field 1 of a normal one are keys; each field comes once. */
static int read_field(struct reader *reader, bool pre_key, struct found *found)
{
    enum { NUMBER = 0, BYTES = 2 };
    uint64_t tag, number;
    struct reader bytes;
    if (!read_number(reader, &tag)) {
        return HR_EINVAL;
    }
    uint64_t field = tag >> 3;
    if (field < 16) {
        if (found->seen & 1u << field) {
            return HR_EINVAL;
        }
        found->seen |= 1u << field;
    }
    if ((tag & 7) == NUMBER) {
        return read_number(reader, &number) ? HR_OK : HR_EINVAL;
    }
    if ((tag & 7) != BYTES || !read_bytes(reader, &bytes)) {
        return HR_EINVAL;
    }
    if (field == 4) {
        found->message = bytes;
    }
    if (field == 1 || (pre_key && field <= 3)) {
        if (bytes.end - bytes.at != CURVE_BYTES) {
            return HR_EINVAL;
        }
        found->identity = field == 3 ? bytes.at : found->identity;
        /* the one-time key is ours: the library knows it or doesn't */
        return pre_key && field == 1 ? HR_OK : curve_check_bytes(bytes.at);
    }
    return HR_OK;
}

static int read_message(struct reader reader, bool pre_key, struct found *found)
{
    if (reader.end - reader.at < 1 + (pre_key ? 0 : MAC) || *reader.at++ != VERSION) {
        return HR_EINVAL;
    }
    reader.end -= pre_key ? 0 : MAC;
    while (reader.at < reader.end) {
        int status = read_field(&reader, pre_key, found);
        if (status != HR_OK) {
            return status;
        }
    }
    return found->message.at != NULL ? HR_OK : HR_EINVAL;
}

int ratchet_message_check(int type, const char *body, size_t len, char sender[BASE64_KEY])
{
    struct found outer = {0}, inner = {0};
    size_t bytes = 0;
    if (body == NULL || (type != RATCHET_PRE_KEY && type != RATCHET_NORMAL)) {
        return HR_EINVAL;
    }
    if (len > RATCHET_MAX_MESSAGE) {
        return HR_ELIMIT;
    }
    uint8_t *raw = mem_new(len);
    int status = base64_decode(BASE64, body, len, raw, len, &bytes);
    struct reader reader = {raw, raw + bytes};
    if (status == HR_OK && type == RATCHET_PRE_KEY) {
        status = read_message(reader, true, &outer);
        if (status == HR_OK && outer.identity == NULL) {
            status = HR_EINVAL;
        }
        reader = outer.message;
    }
    if (status == HR_OK) {
        status = read_message(reader, false, &inner);
    }
    if (status == HR_OK && sender != NULL && outer.identity != NULL) {
        (void)base64_encode(BASE64, outer.identity, CURVE_BYTES, sender);
    }
    free(raw);
    return status;
}

int ratchet_group_message_check(const char *ciphertext, size_t len)
{
    size_t bytes = 0;
    if (ciphertext == NULL) {
        return HR_EINVAL;
    }
    if (len > RATCHET_MAX_MESSAGE) {
        return HR_ELIMIT;
    }
    uint8_t *raw = mem_new(len);
    int status = base64_decode(BASE64, ciphertext, len, raw, len, &bytes);
    if (status == HR_OK && (bytes < 1 + MAC + CURVE_SIGNATURE_BYTES || raw[0] != VERSION ||
                            !curve_scalar_small(raw + bytes - CURVE_BYTES))) {
        status = HR_EINVAL;
    }
    free(raw);
    return status;
}

/* version, index, ratchet, Ed25519 key, and in a session key its signature over all of that */
int ratchet_session_key_check(const char *key, size_t len, bool shared)
{
    enum { RATCHET = 4 * 32, PUBLIC = 1 + 4 + RATCHET, EXPORT = PUBLIC + CURVE_BYTES };
    uint8_t raw[EXPORT + CURVE_SIGNATURE_BYTES];
    size_t want = shared ? sizeof(raw) : EXPORT, bytes = 0;
    char public[BASE64_KEY], signature[BASE64_SIGNATURE];
    if (key == NULL || len != BASE64_SIZE(want) - 1 ||
        base64_decode(BASE64, key, len, raw, sizeof(raw), &bytes) != HR_OK || raw[0] != (shared ? 2 : 1)) {
        curve_wipe(raw, sizeof(raw));
        return HR_EINVAL;
    }
    int status = curve_check_ed25519_bytes(raw + PUBLIC);
    if (status == HR_OK && shared) {
        (void)base64_encode(BASE64, raw + PUBLIC, CURVE_BYTES, public);
        (void)base64_encode(BASE64, raw + EXPORT, CURVE_SIGNATURE_BYTES, signature);
        status = curve_verify(public, raw, EXPORT, signature);
    }
    curve_wipe(raw, sizeof(raw));
    return status;
}
