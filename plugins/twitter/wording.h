/* SPDX-License-Identifier: MIT */
/* From the text and entities of a post to what is shown: links in full, entities decoded. */
#ifndef TWITTER_WORDING_H
#define TWITTER_WORDING_H
#include <hashroom/plugin.h>
#include <jansson.h>

struct wording {
    char *text;
    struct hr_link *links; /* url and title are ours */
    size_t link_count;
};

/* The post's own words. `quoted` (or NULL) is the id of the post it quotes; its
 * permalink stays in the text, is added where it is missing, and is no resource. */
void wording_read(struct wording *wording, const json_t *post, const json_t *includes, const char *quoted,
                  const char *quoted_handle);
void wording_clear(struct wording *wording);
#endif
