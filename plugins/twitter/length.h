/* SPDX-License-Identifier: MIT */
/*
 * Length of a post as X counts it (twitter-text configuration v3), and whether
 * X would see a web address in it. Pure. Where X's own list of top-level domains
 * would be needed we count on the safe side: any name.tld with a country code or
 * three letters and more is an address, but for the reserved names.
 */
#ifndef TWITTER_LENGTH_H
#define TWITTER_LENGTH_H
#include <stdbool.h>
#include <stddef.h>

enum { LENGTH_MAX = 280, LENGTH_URL = 23 };

/* -1: the text holds a character X refuses, or is not UTF-8. */
int length_weighted(const char *text);

struct length_url {
    size_t start, end;
}; /* bytes */
/* The first web address at or after `from`; false: none. */
bool length_find_url(const char *text, size_t from, struct length_url *out);
#endif
