/* SPDX-License-Identifier: MIT */
/*
 * When to connect again (X's rules): at once after a drop; then 250 ms more
 * each time up to 16 s where the network fails, 5 s doubling up to 320 s where
 * X answers with an error, 60 s doubling where it says 429, and never before the
 * reset it names. Starts anew only after a connection that lived.
 */
#ifndef TWITTER_BACKOFF_H
#define TWITTER_BACKOFF_H
#include <stdint.h>

enum backoff_why { BACKOFF_DROP, BACKOFF_HTTP, BACKOFF_RATE };

struct backoff {                       /* zero is a fresh one */
    int64_t drop_ms, http_ms, rate_ms; /* the last wait of each kind */
    int drops;
};

void backoff_lived(struct backoff *backoff); /* a heartbeat came */
/* reset_ms: how far away the reset is that X named, 0: none. */
int64_t backoff_next_ms(struct backoff *backoff, enum backoff_why why, int64_t reset_ms);
#endif
