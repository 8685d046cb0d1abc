/* SPDX-License-Identifier: MIT */
/*
 * From the host's words to the request that posts them. A part is the JSON body
 * of POST /2/tweets, or the id alone where a post is to be taken back.
 */
#ifndef TWITTER_SAY_H
#define TWITTER_SAY_H
#include <hashroom/network.h>

int say_render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out, char *err,
               size_t err_size);
/* What say_render() froze; the caller frees. NULL: not one of ours. */
char *say_text(const char *body);
char *say_reply_to(const char *body); /* NULL: not a reply */
#endif
