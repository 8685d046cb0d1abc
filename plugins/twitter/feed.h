/* SPDX-License-Identifier: MIT */
/*
 * A file that plays X: one JSON object a line as the API gives it (`data`, one
 * post or a list, and `includes`). All posts count as matching, retweets and
 * what may not be shown are left out; they come in file order, spread evenly
 * over the session, and all of them before it is over.
 */
#ifndef TWITTER_FEED_H
#define TWITTER_FEED_H
#include "twitter.h"

/* Reads the whole file. NULL: err says why. */
struct feed *feed_new(struct twitter *twitter, const char *path, char *err, size_t err_size);
void feed_free(struct feed *feed);
void feed_chat(struct feed *feed, const struct hr_chat *chat); /* the chat record changed */
size_t feed_left(const struct feed *feed);
size_t feed_count(const struct feed *feed);
#endif
