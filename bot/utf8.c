/* SPDX-License-Identifier: MIT */
/* The door for foreign text: valid UTF-8 without control, bidi-override and invisible characters. */
#include "utf8.h"
#include "utf8_table.h"
#include <utf8proc.h>

enum {
    ZWJ = 0x200D,
    REPLACEMENT = 0xFFFD,
    MAX_MARKS = 16,  /* on one character; real words have fewer, "zalgo" has hundreds */
    MAX_JOINERS = 8, /* in one emoji; a family of four with skin tones has three */
};

struct reader {
    const char *text;
    size_t len, at;
};

/* Code point at r->at and its bytes; 0 bytes at the end. A run of bad bytes is one U+FFFD. */
static size_t peek(const struct reader *r, int32_t *cp)
{
    const uint8_t *at = (const uint8_t *)r->text + r->at;
    const size_t left = r->len - r->at;
    utf8proc_int32_t got = 0;
    if (left == 0) {
        return 0;
    }
    utf8proc_ssize_t n = utf8proc_iterate(at, (utf8proc_ssize_t)left, &got);
    if (n > 0) {
        *cp = got;
        return (size_t)n;
    }
    size_t bad = 1;
    while (bad < left && utf8proc_iterate(at + bad, (utf8proc_ssize_t)(left - bad), &got) <= 0) {
        bad++;
    }
    *cp = REPLACEMENT;
    return bad;
}

static size_t run_of(const struct reader *r, size_t from, size_t max, int (*is)(int))
{
    size_t n = 0;
    while (n < max && from + n < r->len && is((unsigned char)r->text[from + n])) {
        n++;
    }
    return n;
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Skips the colour numbers behind the IRC codes 0x03 ("4", "04,12") and 0x04 ("ff0000"). */
static void skip_colour(struct reader *r, int32_t code)
{
    int (*const is)(int) = code == 3 ? is_digit : is_hex;
    const size_t max = code == 3 ? 2 : 6, min = code == 3 ? 1 : 6;
    size_t n = run_of(r, r->at, max, is);
    if (n < min) {
        return;
    }
    r->at += n;
    if (r->at < r->len && r->text[r->at] == ',') {
        n = run_of(r, r->at + 1, max, is);
        r->at += n < min ? 0 : n + 1;
    }
}

struct writer {
    struct buf *out;
    size_t start, max_bytes;
    size_t cluster; /* offset in out where the last grapheme starts */
    int32_t last;   /* last code point written, 0 if none */
    int32_t base;   /* the same without selectors and skin tones */
    utf8proc_int32_t state;
    size_t spaces, lines; /* seen, written only before something visible */
    int marks, joiners;
    bool line; /* UTF8_LINE */
    bool full;
};

static int put(struct writer *w, int32_t cp)
{
    utf8proc_uint8_t bytes[4];
    const size_t n = (size_t)utf8proc_encode_char(cp, bytes);
    const bool border = w->last == 0 || utf8proc_grapheme_break_stateful(w->last, cp, &w->state);
    if (w->out->len - w->start + n > w->max_bytes) {
        w->full = true;
        if (!border && w->cluster > w->start) {
            w->out->len = w->cluster;
            w->out->ptr[w->out->len] = 0;
        }
        return 0;
    }
    if (border) {
        w->cluster = w->out->len;
    }
    w->last = cp;
    return buf_add(w->out, bytes, n);
}

static int put_gap(struct writer *w)
{
    int status = 0;
    if (w->last == 0) {
        w->lines = w->spaces = 0;
    }
    if (w->line && w->lines + w->spaces > 0) {
        w->lines = 0;
        w->spaces = 1;
    }
    for (; status == 0 && w->lines > 0 && !w->full; w->lines--) {
        status = put(w, '\n');
    }
    for (; status == 0 && w->spaces > 0 && !w->full; w->spaces--) {
        status = put(w, ' ');
    }
    return status;
}

static bool emoji_goes_on(int32_t base, int32_t next)
{
    return utf8_is_emoji(base) && utf8_is_emoji(next);
}

/* Is this invisible code point one that has to stay where it stands? */
static bool stays(struct writer *w, const struct reader *r, int32_t cp)
{
    if (w->spaces + w->lines > 0 || w->last == 0) {
        return false;
    }
    if (utf8_is_selector(cp)) {
        const bool tag = cp >= 0xE0020;
        const bool keycap = is_digit(w->last) || w->last == '#' || w->last == '*';
        return tag ? (w->base == 0x1F3F4 && ++w->marks <= MAX_MARKS)
                   : (w->last == w->base && (utf8_is_emoji(w->base) || keycap));
    }
    int32_t next = 0;
    if (!utf8_is_joiner(cp) || peek(r, &next) == 0 || w->joiners >= MAX_JOINERS) {
        return false;
    }
    const bool stay =
        (cp == ZWJ && emoji_goes_on(w->base, next)) || (utf8_needs_joiner(w->last) && utf8_needs_joiner(next));
    w->joiners += stay;
    return stay;
}

static int take(struct writer *w, struct reader *r, int32_t cp)
{
    if (cp == '\r' || cp == '\n' || cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
        if (cp == '\r' && r->at < r->len && r->text[r->at] == '\n') {
            r->at++;
        }
        w->spaces = 0;
        w->lines++;
        return 0;
    }
    if (cp == ' ' || cp == '\t') {
        w->spaces++;
        return 0;
    }
    if (cp == 3 || cp == 4) {
        skip_colour(r, cp);
        return 0;
    }
    const bool hidden = utf8_is_hidden(cp);
    if (hidden && !stays(w, r, cp)) {
        return 0;
    }
    if (!hidden && utf8_is_attached(cp)) {
        if (++w->marks > MAX_MARKS) {
            return 0;
        }
    } else if (!hidden && !utf8_is_tone(cp)) {
        w->marks = 0;
        if (!utf8_is_joiner(w->last)) {
            w->joiners = 0;
        }
    }
    int status = put_gap(w);
    if (status == 0 && !w->full) {
        status = put(w, cp);
    }
    if (!utf8_is_selector(cp) && !utf8_is_tone(cp)) {
        w->base = cp;
    }
    return status;
}

static bool is_plain(char c)
{
    return c > ' ' && c <= '~';
}

/* Bytes of visible ASCII with single spaces inside: what people mostly write, and nothing in it changes. */
static size_t plain_run(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && (is_plain(text[n]) || (text[n] == ' ' && n > 0 && text[n - 1] != ' '))) {
        n++;
    }
    return n > 0 && text[n - 1] == ' ' ? n - 1 : n;
}

/* Copies the inside of such a run as it is. Its ends go the long way, for what may stand beside them. */
static int copy_plain(struct writer *w, struct reader *r)
{
    size_t inside = plain_run(r->text + r->at, r->len - r->at);
    if (!is_plain((char)w->last) || w->last > '~' || inside < 2 || w->out->len - w->start + inside > w->max_bytes) {
        return 0;
    }
    inside--;
    int status = buf_add(w->out, r->text + r->at, inside);
    r->at += inside;
    w->last = r->text[r->at - 1];
    w->base = w->last;
    return status;
}

/* What a cut may leave at the end: spaces, line ends, a joiner with nothing to join. */
static void drop_tail(struct buf *out, size_t start)
{
    while (out->len > start) {
        const char *end = out->ptr + out->len;
        size_t n = 0;
        if (end[-1] == ' ' || end[-1] == '\n') {
            n = 1;
        } else if (out->len >= start + 3 && (memcmp(end - 3, "\u200C", 3) == 0 || memcmp(end - 3, "\u200D", 3) == 0)) {
            n = 3;
        }
        if (n == 0) {
            return;
        }
        out->len -= n;
        out->ptr[out->len] = 0;
    }
}

int utf8_clean(struct buf *out, const char *text, size_t len, size_t max_bytes, unsigned flags)
{
    struct reader r = {.text = text, .len = len};
    struct writer w = {
        .out = out, .start = out->len, .cluster = out->len, .max_bytes = max_bytes, .line = (flags & UTF8_LINE) != 0};
    int32_t cp = 0;
    size_t n;
    while (!w.full && (n = peek(&r, &cp)) > 0) {
        r.at += n;
        int status = take(&w, &r, cp);
        if (status == 0 && !w.full && w.spaces + w.lines == 0 && w.last == cp) {
            status = copy_plain(&w, &r);
        }
        if (status < 0) {
            out->len = w.start;
            if (out->ptr != NULL) {
                out->ptr[out->len] = 0;
            }
            return status;
        }
    }
    drop_tail(out, w.start);
    return 0;
}

bool utf8_valid(const char *text, size_t len)
{
    utf8proc_int32_t cp;
    for (size_t at = 0; at < len;) {
        const utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &cp);
        if (n <= 0) {
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

size_t utf8_prefix(const char *text, size_t len, size_t max_bytes)
{
    if (len <= max_bytes) {
        return len;
    }
    const struct reader whole = {.text = text, .len = len};
    struct reader r = whole;
    size_t border = 0, point = 0, n;
    int32_t cp = 0, last = 0;
    utf8proc_int32_t state = 0;
    while (r.at <= max_bytes && (n = peek(&r, &cp)) > 0) {
        point = r.at;
        if (r.at > 0 && utf8proc_grapheme_break_stateful(last, cp, &state)) {
            border = r.at;
        }
        last = cp;
        r.at += n;
    }
    return border > 0 ? border : point;
}

size_t utf8_length(const char *text)
{
    size_t n = 0;
    for (; *text != 0; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}
