/* SPDX-License-Identifier: MIT */
/* Takes in posts as X gives them: what may be shown goes to the log once, and each newer version after it. */
#ifndef TWITTER_READER_H
#define TWITTER_READER_H
#include "post.h"
#include "twitter.h"

/* `address`: the room to show it in. HR_OK: shown or changed; HR_EEXIST: nothing new. */
int reader_take(struct twitter *twitter, const struct post *post, const char *address);
bool reader_seen(struct twitter *twitter, const char *key);
void reader_forget_old(struct twitter *twitter); /* what no edit can reach any more */
#endif
