/* SPDX-License-Identifier: MIT */
/* What is said in words for the pictures and films of a post (R24). */
#ifndef TWITTER_MEDIA_H
#define TWITTER_MEDIA_H
#include "text.h"
#include <jansson.h>

/* Does this url entity only stand for a picture or film of the post itself? */
bool media_is_link(const json_t *url_entity);
/* Adds ` (Image: alt)` and the like for all media of a post, and for a poll. */
void media_words(struct text *out, const json_t *post, const json_t *includes);
#endif
