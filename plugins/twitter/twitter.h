/* SPDX-License-Identifier: MIT */
/*
 * The running instance and how its files meet: `reader` takes in posts, from
 * the feed file (rehearsal) or the API; `hand` lets a person do the posting.
 */
#ifndef TWITTER_TWITTER_H
#define TWITTER_TWITTER_H
#include <hashroom/network.h>
#include <jansson.h>

struct feed;
struct hand;

enum mode {
    MODE_FEED, /* a file plays X; what the bot posts is dropped */
    MODE_HAND, /* no credentials: a person posts for the bot */
};

struct twitter {
    struct hr_bot *bot;
    const struct hr_api *api;
    enum mode mode;
    struct feed *feed; /* MODE_FEED */
    struct hand *hand; /* MODE_HAND */
};
#endif
