/* SPDX-License-Identifier: MIT */
/* Hashtags: the form of a room's address, and comparing them as X does. */
#ifndef TWITTER_TAG_H
#define TWITTER_TAG_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* "#dpulo": letters, digits, underscores, at least one that is not a digit. */
bool tag_valid(const char *address);
/* Both with or without '#', ignoring case and width. */
bool tag_equal(const char *a, const char *b);
/* Does the post itself (not what it quotes) carry the tag, by its entities? */
bool tag_in_post(const json_t *post, const char *tag);
#endif
