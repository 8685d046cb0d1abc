/* SPDX-License-Identifier: MIT */
/* When to connect again (X's rules). */
#include "backoff.h"

static const int64_t DROP_STEP_MS = 250, DROP_MAX_MS = 16000, HTTP_MIN_MS = 5000, HTTP_MAX_MS = 320000,
                     RATE_MIN_MS = 60000, RATE_MAX_MS = 960000;

void backoff_lived(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}

static int64_t twice(int64_t last, int64_t min, int64_t max)
{
    int64_t next = last == 0 ? min : last * 2;
    return next > max ? max : next;
}

int64_t backoff_next_ms(struct backoff *backoff, enum backoff_why why, int64_t reset_ms)
{
    switch (why) {
    case BACKOFF_DROP:
        if (backoff->drops++ == 0) {
            return 0;
        }
        backoff->drop_ms += backoff->drop_ms < DROP_MAX_MS ? DROP_STEP_MS : 0;
        return backoff->drop_ms;
    case BACKOFF_HTTP: return backoff->http_ms = twice(backoff->http_ms, HTTP_MIN_MS, HTTP_MAX_MS);
    case BACKOFF_RATE:
        backoff->rate_ms = twice(backoff->rate_ms, RATE_MIN_MS, RATE_MAX_MS);
        return reset_ms > backoff->rate_ms ? reset_ms : backoff->rate_ms;
    }
    return HTTP_MAX_MS;
}
