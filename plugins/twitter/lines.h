/* SPDX-License-Identifier: MIT */
/* Cuts a streamed reply into lines, wherever the pieces end. Empty lines are heartbeats. */
#ifndef TWITTER_LINES_H
#define TWITTER_LINES_H
#include <stdbool.h>
#include <stddef.h>

enum { LINES_MAX_BYTES = 1024 * 1024 };

/* len 0: a heartbeat. A line over the limit is left out: line NULL, len its size so far. False: stop here. */
typedef bool lines_fn(void *arg, const char *line, size_t len);

struct lines {
    char *data;
    size_t len, cap;
    bool too_long; /* the rest of the line goes by */
};

void lines_clear(struct lines *lines);
/* fn may call lines_clear() only when it then returns false. */
void lines_feed(struct lines *lines, const char *bytes, size_t len, lines_fn *fn, void *arg);
#endif
