/* SPDX-License-Identifier: MIT */
/* Strict base64, without tables or branches that depend on the text: it may be a key. */
#include "base64.h"

#include <hashroom/plugin.h>

#include <string.h>

/* all bits set where lo <= c <= hi, else 0 */
static int within(int c, int lo, int hi)
{
    return ((lo - 1 - c) & (c - hi - 1)) >> 8;
}

/* 0 to 63, or -1 */
static int value_of(unsigned char character, enum base64_kind kind)
{
    int c = character, plus = kind == BASE64_URL ? '-' : '+', slash = kind == BASE64_URL ? '_' : '/';
    return -1 + (within(c, 'A', 'Z') & (c - 'A' + 1)) + (within(c, 'a', 'z') & (c - 'a' + 27)) +
           (within(c, '0', '9') & (c - '0' + 53)) + (within(c, plus, plus) & 63) + (within(c, slash, slash) & 64);
}

static char character_of(unsigned bits, enum base64_kind kind)
{
    int v = (int)(bits & 63), plus = kind == BASE64_URL ? '-' : '+', slash = kind == BASE64_URL ? '_' : '/';
    return (char)((within(v, 0, 25) & (v + 'A')) + (within(v, 26, 51) & (v - 26 + 'a')) +
                  (within(v, 52, 61) & (v - 52 + '0')) + (within(v, 62, 62) & plus) + (within(v, 63, 63) & slash));
}

size_t base64_encode(enum base64_kind kind, const void *bytes, size_t len, char *out)
{
    const uint8_t *in = bytes;
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        for (have += 8; have >= 6; have -= 6) {
            out[n++] = character_of(bits >> (have - 6), kind);
        }
    }
    if (have > 0) {
        out[n++] = character_of(bits << (6 - have), kind);
    }
    out[n] = '\0';
    return n;
}

static size_t without_padding(const char *text, size_t len)
{
    for (int i = 0; i < 2 && len > 0 && len % 4 != 1 && text[len - 1] == '='; i++) {
        len--;
    }
    return len;
}

/* Reads all of it; what is wrong is collected and told at the end. out may be NULL. */
static bool read_all(enum base64_kind kind, const char *text, size_t len, uint8_t *out)
{
    uint32_t bits = 0;
    int bad = len % 4 == 1;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int value = value_of((unsigned char)text[i], kind);
        bad |= value < 0;
        bits = bits << 6 | (uint32_t)(value & 63);
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (out != NULL) {
                out[n++] = (uint8_t)(bits >> have);
            }
        }
    }
    return !(bad | ((bits & ((1u << have) - 1)) != 0));
}

int base64_decode(enum base64_kind kind, const char *text, size_t len, void *out, size_t max, size_t *out_len)
{
    if (kind == BASE64_PADDED && len % 4 == 0) {
        len = without_padding(text, len);
    }
    if (!read_all(kind, text, len, NULL)) {
        return HR_EINVAL;
    }
    if (len / 4 * 3 + len % 4 * 3 / 4 > max) {
        return HR_ELIMIT;
    }
    (void)read_all(kind, text, len, out);
    *out_len = len / 4 * 3 + len % 4 * 3 / 4;
    return HR_OK;
}

int base64_exact(enum base64_kind kind, const char *text, void *out, size_t bytes)
{
    size_t len;
    if (text == NULL || strlen(text) != BASE64_SIZE(bytes) - 1) {
        return HR_EINVAL;
    }
    return base64_decode(kind, text, strlen(text), out, bytes, &len) == HR_OK && len == bytes ? HR_OK : HR_EINVAL;
}

bool base64_valid(const char *text, size_t len)
{
    return read_all(BASE64, text, len, NULL);
}
