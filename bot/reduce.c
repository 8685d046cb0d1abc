/* SPDX-License-Identifier: MIT */
/* Emoji and pictures made of symbols, for ears. */
#include "reduce.h"
#include "buf.h"
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

enum { EMOJI_MOST = 3, ART_LINES = 3, ART_LEAST = 12, ART_LONG = 40, ART_PERCENT = 40, TEXT_MAX_BYTES = 64 * 1024 };

/* ---- graphemes ------------------------------------------------------------------ */

static size_t code_point(const char *text, utf8proc_int32_t *out)
{
    utf8proc_ssize_t got = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, out);
    if (got <= 0) {
        *out = 0xFFFD;
        return 1;
    }
    return (size_t)got;
}

struct grapheme {
    size_t len;
    bool emoji;
};

static bool is_picture(utf8proc_int32_t point)
{
    return (point >= 0x1F000 && point <= 0x1FAFF) || (point >= 0x2600 && point <= 0x27BF) ||
           (point >= 0x2B00 && point <= 0x2BFF) || point == 0x231A || point == 0x231B || point == 0x23F0 ||
           point == 0x2328 || point == 0x24C2;
}

static struct grapheme grapheme(const char *text)
{
    enum { AS_EMOJI = 0xFE0F, AS_TEXT = 0xFE0E, KEYCAP = 0x20E3 };
    utf8proc_int32_t last, next, state = 0;
    struct grapheme out = {.len = code_point(text, &last)};
    out.emoji = is_picture(last);
    while (text[out.len] != '\0') {
        size_t more = code_point(text + out.len, &next);
        if (utf8proc_grapheme_break_stateful(last, next, &state)) {
            break;
        }
        out.emoji = (out.emoji || next == AS_EMOJI || next == KEYCAP) && next != AS_TEXT;
        last = next;
        out.len += more;
    }
    return out;
}

/* ---- pictures made of symbols --------------------------------------------------------- */

static bool is_symbol(utf8proc_int32_t point)
{
    if (point < 0x80) {
        return point > ' ' && strchr("|/\\_-=+*#~^<>[](){}@$%&`", (int)point) != NULL;
    }
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_SO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SK: return !is_picture(point);
    default: return false;
    }
}

/* Letters of addresses and of code stay below the share; a line drawn with signs does not. */
static bool is_art(const char *text)
{
    size_t symbols = 0, all = 0, lines = 1;
    for (const char *at = text; *at != '\0';) {
        utf8proc_int32_t point;
        at += code_point(at, &point);
        lines += point == '\n';
        all += point > ' ';
        symbols += is_symbol(point);
    }
    bool large = all >= ART_LONG || (lines >= ART_LINES && all >= ART_LEAST);
    return large && symbols * 100 > all * ART_PERCENT;
}

/* ---- emoji -------------------------------------------------------------------------------- */

/* The same one as before, with nothing but spaces between. */
static bool runs_on(const char *text, size_t at, struct grapheme g, size_t before, size_t before_len)
{
    if (before_len != g.len || memcmp(text + before, text + at, g.len) != 0) {
        return false;
    }
    size_t end = before + before_len;
    return strspn(text + end, " ") >= at - end;
}

static size_t count_emoji(const char *text, bool *repeats)
{
    size_t count = 0, before = 0, before_len = 0;
    for (size_t at = 0; text[at] != '\0';) {
        struct grapheme g = grapheme(text + at);
        if (g.emoji && runs_on(text, at, g, before, before_len)) {
            *repeats = true;
        } else {
            count += g.emoji;
        }
        if (g.emoji) {
            before = at;
            before_len = g.len;
        }
        at += g.len;
    }
    return count;
}

static const char *fewer_emoji(struct arena *arena, const char *text, size_t count)
{
    struct buf out;
    size_t seen = 0, before = 0, before_len = 0;
    buf_init(&out, TEXT_MAX_BYTES);
    for (size_t at = 0; text[at] != '\0';) {
        struct grapheme g = grapheme(text + at);
        bool again = g.emoji && runs_on(text, at, g, before, before_len);
        seen += g.emoji && !again;
        if (g.emoji) {
            before = at;
            before_len = g.len;
        }
        if (!again && (!g.emoji || seen <= EMOJI_MOST)) {
            (void)buf_add(&out, text + at, g.len);
        } else if (!again && seen == EMOJI_MOST + 1) {
            bool space = out.len == 0 || strchr(" \n", out.ptr[out.len - 1]) != NULL;
            (void)buf_addf(&out, "%s(%zu more emoji)", space ? "" : " ", count - EMOJI_MOST);
        }
        at += g.len;
        bool gone = again || (g.emoji && seen > EMOJI_MOST);
        while (gone && text[at] == ' ' && out.len > 0 && out.ptr[out.len - 1] == ' ') {
            at++; /* one space is left of those around it */
        }
    }
    while (out.len > 0 && out.ptr[out.len - 1] == ' ') {
        out.len--;
    }
    const char *copy = arena_strndup(arena, buf_str(&out), out.len);
    buf_clear(&out);
    return copy;
}

const char *reduce_text(struct arena *arena, const char *text, const char *url)
{
    bool repeats = false;
    if (is_art(text)) {
        return arena_printf(arena, "(Picture made of symbols. See the original.)%s%s", url[0] != '\0' ? " " : "", url);
    }
    size_t count = count_emoji(text, &repeats);
    return count > EMOJI_MOST || repeats ? fewer_emoji(arena, text, count) : text;
}
