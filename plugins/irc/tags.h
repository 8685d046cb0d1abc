/* SPDX-License-Identifier: MIT */
/* Message tags (IRCv3): read in place, values unescaped; what we know of them. Pure. */
#ifndef IRC_TAGS_H
#define IRC_TAGS_H
#include "wire.h"

/* Cuts "a=b;c" into pairs; returns how many, at most `max`. */
size_t tags_parse(struct wire_tag *out, size_t max, char *text);
/* The value ("" if the tag has none) or NULL. Of two equal keys the last one counts. */
const char *tags_get(const struct wire *wire, const char *key);
/* Appends the escaped value; returns its length, 0 if it does not fit. */
size_t tags_escape(char *out, size_t size, const char *value);
/* 2026-11-23T20:00:00.123Z to ms since the epoch, -1 if it is anything else. */
int64_t tags_time(const char *value);
void tags_write_time(char *out, size_t size, int64_t ms); /* the other way */
#endif
