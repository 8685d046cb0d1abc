/* SPDX-License-Identifier: MIT */
/*
 * The door for foreign text: what is inside is valid UTF-8 without control,
 * bidi-override and invisible characters (R9). Pure functions.
 */
#ifndef HASHROOM_UTF8_H
#define HASHROOM_UTF8_H
#include "buf.h"

enum { UTF8_LINE = 1 << 0 }; /* '\n' becomes a space, runs of spaces one */

/* Appends the cleaned text: invalid bytes become U+FFFD, CR LF and CR become
 * '\n', tab becomes a space, other controls, IRC format codes, bidi and
 * zero-width characters go (ZWJ and ZWNJ stay between letters of scripts that
 * need them and inside emoji), trailing spaces and empty lines at the ends go.
 * A character keeps at most 16 combining marks; a run of bad bytes is one U+FFFD.
 * Stops at max_bytes on a grapheme border. HR_ELIMIT when out is full. */
int utf8_clean(struct buf *out, const char *text, size_t len, size_t max_bytes, unsigned flags);
/* A shown name: one line, NFKC folded (R13), at most 64 graphemes and 200 bytes,
 * without endings that claim another network (" on Twitter", "(@x)") or colons
 * that would end it early; "" becomes "someone". HR_ELIMIT when out is full. */
int utf8_name(struct buf *out, const char *name, size_t len);
bool utf8_valid(const char *text, size_t len);
/* Bytes of text, at most max_bytes, that end on a grapheme border; on a code
 * point border if not even one grapheme fits. 0 only if no code point fits. */
size_t utf8_prefix(const char *text, size_t len, size_t max_bytes);
size_t utf8_length(const char *text); /* code points */
#endif
