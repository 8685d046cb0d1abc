/* SPDX-License-Identifier: MIT */
/* The account's budget: a token bucket with reserves. */
#include "pace.h"
#include "network.h"
#include <math.h>

static bool unlimited(const struct network *network)
{
    return network->limits.rate <= 0;
}

void pace_fill(struct network *network, int64_t now_ms)
{
    double fresh = (double)(now_ms - network->filled_ms) / 1000.0 * network->limits.rate;
    network->filled_ms = now_ms;
    network->tokens = unlimited(network) ? network->limits.burst : network->tokens + fresh;
    if (network->tokens > network->limits.burst) {
        network->tokens = network->limits.burst;
    }
}

double pace_need(const struct network *network, enum hr_priority priority, int rooms)
{
    double reserve = 0;
    switch (priority) {
    case HR_SAFETY:
    case HR_QUESTION: break;
    case HR_TIMING:
    case HR_REPLY: reserve = rooms; break;
    case HR_PEOPLE: reserve = rooms + 2; break;
    case HR_POSTS:
    case HR_ACK: reserve = rooms + 5; break;
    }
    /* A small bucket can't hold the whole reserve: then a full one is enough. */
    double most = network->limits.burst - 1;
    return 1 + (reserve > most ? (most > 0 ? most : 0) : reserve);
}

bool pace_may(const struct network *network, double need)
{
    /* A hair less than need: sums of fractions must not wait for ever. */
    return unlimited(network) || network->tokens >= need - 1e-6;
}

double pace_tokens(const struct network *network)
{
    return unlimited(network) ? HUGE_VAL : network->tokens;
}

int64_t pace_when_ms(const struct network *network, double need, int64_t now_ms)
{
    if (pace_may(network, need)) {
        return now_ms;
    }
    return now_ms + (int64_t)((need - network->tokens) / network->limits.rate * 1000.0) + 1;
}

void pace_spend(struct network *network, int tokens)
{
    network->tokens -= tokens;
}
