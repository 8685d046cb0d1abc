/* SPDX-License-Identifier: MIT */
/* A growing string with a ceiling, and the few things we do with UTF-8 by code points. */
#ifndef TWITTER_TEXT_H
#define TWITTER_TEXT_H
#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* NUL follows; NULL while empty */
    size_t len, cap, max;
    bool over; /* something was left out because of max */
};

void text_init(struct text *text, size_t max_bytes);
void text_clear(struct text *text);
void text_add(struct text *text, const char *s, size_t len); /* all of it or nothing */
void text_str(struct text *text, const char *s);
void text_print(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_trim(struct text *text);             /* spaces and line ends at the end */
const char *text_get(const struct text *text); /* never NULL */
char *text_detach(struct text *text);          /* the caller frees; never NULL */

/* `&amp; &lt; &gt; &quot; &#39;` decoded once: what X escapes, and nothing more. */
void text_unescape(struct text *out, const char *s, size_t len);
/* Byte offset of code point number `point`; the length of s if it has fewer. */
size_t text_offset(const char *s, size_t len, size_t point);
/* Whitespace runs to one space, ends trimmed, NFC: two spellings of one post compare equal.
 * The caller frees. */
char *text_normal(const char *s);
#endif
