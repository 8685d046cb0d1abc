/* SPDX-License-Identifier: MIT */
/*
 * One X post, in either dialect of the API, as hashroom shows it. Pure: reads
 * JSON, decides whether the post may be shown, owns copies of what it found.
 */
#ifndef TWITTER_POST_H
#define TWITTER_POST_H
#include "wording.h"
#include <hashroom/network.h>

enum post_kind {
    POST_SHOW,
    POST_RETWEET,   /* somebody's words once more: left out */
    POST_WITHHELD,  /* for legal reasons, somewhere: not shown */
    POST_PROTECTED, /* its author shows it to followers only */
    POST_BROKEN,    /* no id or no text */
};

struct post {
    enum post_kind kind;
    char *id;  /* this version */
    char *key; /* first version: the thread key */
    char *author_id, *name, *handle;
    char *url;
    char *reply_to, *reply_name, *reply_text; /* or NULL */
    struct wording wording;
    int64_t time_ms;
    uint32_t flags; /* HR_MSG_* */
};

/* `post` is one element of `data`. Names and text are set for POST_SHOW only, ids also for WITHHELD and PROTECTED. */
void post_read(struct post *post, const json_t *data, const json_t *includes);
void post_clear(struct post *post);
/* What the host is given: borrowed from `post`. */
struct hr_post post_for_room(const struct post *post, const char *address);
int64_t post_time_ms(const char *rfc3339);                       /* -1: not a time */
const json_t *post_included(const json_t *list, const char *id); /* element with that id, or NULL */
#endif
