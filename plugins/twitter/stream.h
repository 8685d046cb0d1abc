/* SPDX-License-Identifier: MIT */
/*
 * One long reply of X, read line by line and kept open: connects again by the
 * rules of backoff.h, closes a ghost connection once, stops by itself where
 * trying again is no use. Used for posts and for deletions.
 */
#ifndef TWITTER_STREAM_H
#define TWITTER_STREAM_H
#include "client.h"

struct stream_calls {
    void (*opened)(void *arg);                   /* each time it stands */
    void (*line)(void *arg, const json_t *line); /* one object with `data`; may stop the stream */
    void (*dropped)(void *arg);                  /* it stood, and does no more */
    /* 409: return true if the cause is being put right; stream_start() goes on. */
    bool (*no_rules)(void *arg);
    /* X lets us not in (credentials, money, cap): true if the stream shall rest, and the reason is said. */
    bool (*refused)(void *arg, const struct problem *problem);
    void (*given_up)(void *arg, const char *words); /* stopped by itself for another reason */
};

struct stream *stream_new(struct twitter *twitter, struct client *client, const char *name, const char *path,
                          const struct stream_calls *calls, void *arg); /* name: for log lines */
void stream_free(struct stream *stream);
void stream_start(struct stream *stream); /* again: does nothing */
void stream_stop(struct stream *stream);
bool stream_is_open(const struct stream *stream);
bool stream_runs(const struct stream *stream);         /* open, or on its way to be */
const char *stream_words(const struct stream *stream); /* how it stands, plain */
#endif
