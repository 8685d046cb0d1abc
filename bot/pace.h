/* SPDX-License-Identifier: MIT */
/*
 * The account's budget (DESIGN 4.4): one hard bucket for each network over all
 * its rooms. Safety and questions may empty it; the others leave tokens in it.
 */
#ifndef HASHROOM_PACE_H
#define HASHROOM_PACE_H
#include <hashroom/plugin.h>

struct network;

void pace_fill(struct network *network, int64_t now_ms); /* monotonic */
/* Tokens a part of this priority needs to see; rooms: how many the account serves. */
double pace_need(const struct network *network, enum hr_priority priority, int rooms);
bool pace_may(const struct network *network, double need);
double pace_tokens(const struct network *network); /* in the bucket; HUGE_VAL without a limit */
/* When the bucket will hold that much, on the same clock. */
int64_t pace_when_ms(const struct network *network, double need, int64_t now_ms);
void pace_spend(struct network *network, int tokens);
#endif
