/* SPDX-License-Identifier: MIT */
/*
 * A second look at the posts of a chat when it is over: what was deleted,
 * protected or withheld meanwhile is taken out of the rooms, what was edited is
 * corrected. Only posts that were read today: X charges a post once a UTC day,
 * so this look is free.
 */
#ifndef TWITTER_AGAIN_H
#define TWITTER_AGAIN_H
#include "client.h"

struct again;

struct again *again_new(struct twitter *twitter, struct client *client);
void again_free(struct again *again);
void again_begin(struct again *again, const char *tag, int64_t from_ms); /* posts taken in since; NULL is fine */
#endif
