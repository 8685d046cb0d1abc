/* SPDX-License-Identifier: MIT */
/*
 * Whose deletions X tells us: a list of people in the database, and the same
 * list at X. The two are compared when a window opens: who has not posted for 30
 * days, or is not among the 1,000 latest, is let go on both sides, for X takes
 * 1,500. New people are added as they post, one request at a time.
 */
#ifndef TWITTER_SUBSCRIPTIONS_H
#define TWITTER_SUBSCRIPTIONS_H
#include "client.h"

struct subscriptions;

struct subscriptions *subscriptions_new(struct twitter *twitter, struct client *client);
void subscriptions_free(struct subscriptions *subscriptions);
void subscriptions_open(struct subscriptions *subscriptions, bool open);
void subscriptions_author(struct subscriptions *subscriptions, const char *user_id); /* has posted */
int64_t subscriptions_missing(struct subscriptions *subscriptions); /* people who are not followed yet */
#endif
