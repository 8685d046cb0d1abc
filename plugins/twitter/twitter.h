/* SPDX-License-Identifier: MIT */
/*
 * The running instance and how its files meet:
 *
 *   watch ── opens and closes with the session's window ─▶ rules, stream, search, deletions
 *   stream, search, feed ── posts ─▶ inbox ─▶ reader ─▶ the host's log
 *   say ─▶ part ─▶ writer (API) or hand (a person posts)
 *   account and token: whether X lets us, and as whom
 *   client asks X, budget counts what it costs, problem says what an error means
 */
#ifndef TWITTER_TWITTER_H
#define TWITTER_TWITTER_H
#include <hashroom/network.h>
#include <jansson.h>

struct account;
struct again;
struct budget;
struct client;
struct deletions;
struct feed;
struct hand;
struct login;
struct token;
struct trial;
struct watch;
struct writer;

enum mode {
    MODE_FEED, /* a file plays X; what the bot posts is dropped */
    MODE_HAND, /* no credentials: a person posts for the bot */
    MODE_API,
};

struct twitter {
    struct hr_bot *bot;
    const struct hr_api *api;
    enum mode mode;
    struct feed *feed;     /* MODE_FEED */
    struct hand *hand;     /* MODE_HAND */
    struct client *client; /* and all below: MODE_API */
    struct account *account;
    struct token *token; /* with OAuth 2.0, else NULL; so is login */
    struct login *login;
    struct trial *trial;   /* in `hashroom doctor` alone, and then nothing below */
    struct budget *budget;
    struct writer *writer;
    struct deletions *deletions;
    struct again *again; /* with `deletions`, else NULL */
    struct watch *watch;
};
#endif
