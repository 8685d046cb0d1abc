/* SPDX-License-Identifier: MIT */
/* Length of a post as X counts it. */
#include "length.h"
#include "mem.h"
#include <utf8proc.h>

enum { SCALE = 100, LIGHT = 100, HEAVY = 200, ZWJ = 0x200D, VS16 = 0xFE0F, KEYCAP = 0x20E3 };

static int next(const char *s, utf8proc_int32_t *c)
{
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, c);
    if (n <= 0 || s[0] == '\0') {
        *c = 0;
        return 0;
    }
    return (int)n;
}

static int weight(utf8proc_int32_t c)
{
    bool light = c <= 4351 || (c >= 8192 && c <= 8205) || (c >= 8208 && c <= 8223) || (c >= 8242 && c <= 8247);
    return light ? LIGHT : HEAVY;
}

static bool is_picture(utf8proc_int32_t c)
{
    return utf8proc_get_property(c)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

static bool is_flag_letter(utf8proc_int32_t c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

static bool is_tone(utf8proc_int32_t c)
{
    return c >= 0x1F3FB && c <= 0x1F3FF;
}

/* `base` and what clings to it: variation, skin tone, tag letters (flags of regions). */
static size_t picture(const char *s, bool *emoji)
{
    utf8proc_int32_t c, after;
    size_t len = (size_t)next(s, &c);
    *emoji = weight(c) == HEAVY; /* (c) and (r) are letters until a variation selector follows */
    size_t n = (size_t)next(s + len, &after);
    if (after == VS16 || is_tone(after)) {
        *emoji = true;
        len += n;
        n = (size_t)next(s + len, &after);
    }
    while (after >= 0xE0020 && after <= 0xE007F) {
        len += n;
        n = (size_t)next(s + len, &after);
    }
    return len;
}

/* Bytes of the longest emoji sequence here, 0: none. */
static size_t emoji_len(const char *s)
{
    utf8proc_int32_t c, after;
    size_t len = (size_t)next(s, &c);
    bool emoji = false;
    if ((c >= '0' && c <= '9') || c == '#' || c == '*') {
        size_t n = (size_t)next(s + len, &after);
        if (after == VS16) {
            len += n;
            n = (size_t)next(s + len, &after);
        }
        return after == KEYCAP ? len + n : 0;
    }
    if (is_flag_letter(c)) {
        size_t n = (size_t)next(s + len, &after);
        return is_flag_letter(after) ? len + n : 0;
    }
    if (len == 0 || (!is_picture(c) && !is_tone(c))) {
        return 0;
    }
    len = picture(s, &emoji);
    for (;;) {
        size_t n = (size_t)next(s + len, &after);
        utf8proc_int32_t joined;
        (void)next(s + len + n, &joined);
        if (after != ZWJ || !is_picture(joined)) {
            return emoji ? len : 0;
        }
        bool part;
        len += n + picture(s + len + n, &part);
        emoji = true;
    }
}

int length_weighted(const char *text)
{
    CLEANUP(mem_clear) char *nfc = (char *)utf8proc_NFC((const utf8proc_uint8_t *)text);
    if (nfc == NULL) {
        return -1;
    }
    int sum = 0;
    struct length_url url;
    bool more = length_find_url(nfc, 0, &url);
    for (size_t i = 0; nfc[i] != '\0';) {
        utf8proc_int32_t c;
        size_t n = emoji_len(nfc + i);
        if (more && i == url.start) {
            sum += LENGTH_URL * SCALE;
            i = url.end;
            more = length_find_url(nfc, i, &url);
        } else if (n > 0) {
            sum += HEAVY;
            i += n;
        } else {
            n = (size_t)next(nfc + i, &c);
            if (n == 0 || c == 0xFFFE || c == 0xFEFF || c == 0xFFFF) {
                return -1;
            }
            sum += weight(c);
            i += n;
        }
    }
    return sum / SCALE;
}
