/* SPDX-License-Identifier: MIT */
/*
 * Hand mode: without credentials the bot hands each text to a person, who posts
 * it and gives the link back. `!post` shows the oldest text that waits, `!posted
 * LINK` settles it. What nobody posted within 15 minutes is given up.
 */
#ifndef TWITTER_HAND_H
#define TWITTER_HAND_H
#include "twitter.h"

struct hand *hand_new(struct twitter *twitter);
void hand_free(struct hand *hand);
int hand_send(struct hand *hand, const struct hr_part *part);
int hand_run_post(struct hand *hand, const struct hr_call *call);
int hand_run_posted(struct hand *hand, const struct hr_call *call);
size_t hand_waiting(const struct hand *hand);
/* The id in a link to a post, "https://x.com/NAME/status/ID?s=20"; the caller frees. NULL: there is none. */
char *hand_link_id(const char *link);
#endif
