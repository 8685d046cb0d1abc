/* SPDX-License-Identifier: MIT */
/* Where a line may be cut. */
#include "split.h"
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

/* Bytes of the code point at `text`; a byte that is no UTF-8 counts as one. */
static size_t code_point(const char *text, size_t len, utf8proc_int32_t *out)
{
    utf8proc_ssize_t got = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, out);
    if (got <= 0) {
        *out = 0xFFFD;
        return 1;
    }
    return (size_t)got;
}

static size_t grapheme(const char *text, size_t len)
{
    utf8proc_int32_t last, next, state = 0;
    size_t at = code_point(text, len, &last);
    while (at < len) {
        size_t more = code_point(text + at, len - at, &next);
        if (utf8proc_grapheme_break_stateful(last, next, &state)) {
            break;
        }
        last = next;
        at += more;
    }
    return at;
}

/* Does a sentence end right before text[at], which is a space? */
static bool sentence_ends(const char *text, size_t at)
{
    while (at > 0 && strchr("'\")", text[at - 1])) {
        at--;
    }
    return at > 0 && strchr(".!?", text[at - 1]);
}

static size_t skip_spaces(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] == ' ') {
        at += 1;
    }
    return at;
}

struct cuts {
    size_t sentence, space, hard; /* ends of what fits, 0: none */
};

static struct cuts find_cuts(const char *text, size_t len, size_t max)
{
    struct cuts cuts = {0};
    size_t at = 0;
    while (at < len) {
        size_t step = grapheme(text + at, len - at);
        bool space = step == 1 && text[at] == ' ';
        if (space && at > 0 && at <= max) {
            cuts.space = at;
            if (sentence_ends(text, at)) {
                cuts.sentence = at;
            }
        }
        if (at + step > max) {
            break;
        }
        at += step;
        cuts.hard = at;
    }
    return cuts;
}

/* One grapheme longer than a whole line: between code points then. */
static size_t code_points(const char *text, size_t len, size_t max)
{
    size_t at = 0;
    utf8proc_int32_t ignored;
    for (size_t step; at < len && at + (step = code_point(text + at, len - at, &ignored)) <= max;) {
        at += step;
    }
    return at ? at : max < len ? max : len;
}

/* Does the word at the start of text fit into max bytes? A space under an accent is no end of it. */
static bool word_fits(const char *text, size_t len, size_t max)
{
    size_t at = 0;
    while (at < len && at <= max) {
        size_t step = grapheme(text + at, len - at);
        if (step == 1 && text[at] == ' ') {
            break;
        }
        at += step;
    }
    return at <= max;
}

size_t split_line(const char *text, size_t len, size_t max, size_t *next)
{
    if (len <= max) {
        *next = len;
        return len;
    }
    struct cuts cuts = find_cuts(text, len, max);
    if (cuts.sentence > max / 3) {
        *next = skip_spaces(text, len, cuts.sentence);
        return cuts.sentence;
    }
    size_t rest = cuts.space ? skip_spaces(text, len, cuts.space) : 0;
    /* A word that fits no line is cut in any case, so it may as well begin here. */
    if (cuts.space && (word_fits(text + rest, len - rest, max) || cuts.hard <= rest)) {
        *next = rest;
        return cuts.space;
    }
    size_t end = cuts.hard ? cuts.hard : code_points(text, len, max);
    *next = end;
    return end;
}
