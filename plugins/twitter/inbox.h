/* SPDX-License-Identifier: MIT */
/* One post off the API: counted, recognised as ours or not, matched with a room, handed to the reader. */
#ifndef TWITTER_INBOX_H
#define TWITTER_INBOX_H
#include "twitter.h"

/* A reply was read: its posts and people cost money. */
void inbox_count(struct twitter *twitter, const json_t *root);
/* `data` is one post. Shown in the first of the rooms whose tag it carries itself. */
int inbox_take(struct twitter *twitter, const json_t *data, const json_t *includes, const char *const *tag,
               size_t count);
#endif
