/* SPDX-License-Identifier: MIT */
/*
 * Cuts a line of text to fit the protocol (R1, R2): behind a sentence, else at a
 * space, else between graphemes; never inside a word or an address that fits a
 * line by itself. Pure.
 */
#ifndef IRC_SPLIT_H
#define IRC_SPLIT_H
#include <stddef.h>

/* How many bytes of text come first: at most `max` (8 at least), more than 0 if
 * there is text. `next` gets where the rest starts; only spaces are left out between. */
size_t split_line(const char *text, size_t len, size_t max, size_t *next);
#endif
