/* SPDX-License-Identifier: MIT */
/* One configured network: is it up, what may it send, what is its budget. Host side of hashroom/network.h. */
#ifndef HASHROOM_BOT_NETWORK_H
#define HASHROOM_BOT_NETWORK_H
#include "app.h"

struct network {
    struct hr_bot *bot;
    const char *name;     /* title of the instance */
    const char *scope;    /* of ids: service's or "irc:libera" */
    bool up;
    char *reason;         /* why down, plain words; NULL while up */
    char *trouble;        /* the last reason it was down, kept while up; NULL: none yet */
    int64_t trouble_ms;   /* wall clock: when that was said */
    int64_t since_ms;     /* wall clock: up or down since */
    struct hr_limits limits;
    const char *limits_from; /* "preset", "configuration", "learned" */
    double tokens;        /* level of the bucket at filled_ms */
    int64_t filled_ms;    /* monotonic */
    int64_t blocked_until_ms; /* monotonic: after a 429 */
    int in_flight;
};

void network_attach(struct hr_bot *bot);  /* makes bot->network from the manifest */
void network_detach(struct hr_bot *bot);
void network_up(struct hr_bot *bot, const char *room);
bool network_same_txn(const struct network *network); /* HR_NET_SAME_TXN, by its manifest or what it offers now */
void network_limits(struct hr_bot *bot, const struct hr_limits *limits);
void network_down(struct hr_bot *bot, const char *room, const char *reason);
void network_seal(struct hr_bot *bot, const char *address, bool sealed); /* network.h seal() */
#endif
