/* SPDX-License-Identifier: MIT */
/* Which code points never come in, and which scripts need joiners: lookups for utf8.c. Pure. */
#ifndef HASHROOM_UTF8_TABLE_H
#define HASHROOM_UTF8_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_is_hidden(int32_t cp);       /* control, bidi, zero-width, filler, noncharacter; joiners too */
bool utf8_is_joiner(int32_t cp);       /* ZWNJ, ZWJ */
bool utf8_is_selector(int32_t cp);     /* variation selectors and emoji tags: fine behind an emoji */
bool utf8_is_tone(int32_t cp);         /* skin tone of an emoji */
bool utf8_needs_joiner(int32_t cp);    /* letters and marks of Arabic, Indic and kindred scripts */
bool utf8_is_emoji(int32_t cp);        /* extended pictographic */
bool utf8_is_attached(int32_t cp);     /* combining: belongs to the character before */
#endif
