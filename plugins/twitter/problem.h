/* SPDX-License-Identifier: MIT */
/* What an error of the X API means to us, from its two body styles. Pure. */
#ifndef TWITTER_PROBLEM_H
#define TWITTER_PROBLEM_H
#include <stddef.h>

enum problem_kind {
    PROBLEM_NONE,        /* 2xx */
    PROBLEM_REFUSED,     /* 400, 403 for this request: never again unchanged */
    PROBLEM_PARAMETER,   /* 400 for the name of a parameter: the other dialect */
    PROBLEM_SINCE,       /* 400: since_id too old */
    PROBLEM_DUPLICATE,   /* 403: the same text was posted lately */
    PROBLEM_AUTH,        /* 401, 403: credentials or application not right: stop, tell */
    PROBLEM_MONEY,       /* 402, spending limit: stop, tell */
    PROBLEM_CAP,         /* 429: monthly cap of reads: stop, tell */
    PROBLEM_GONE,        /* 404 */
    PROBLEM_NO_RULES,    /* 409: the stream has no rules */
    PROBLEM_RATE,        /* 429: wait until the reset */
    PROBLEM_CONNECTIONS, /* 429: another connection is open */
    PROBLEM_SERVER,      /* 5xx and what we don't know: back off */
};

struct problem {
    enum problem_kind kind;
    int code;
    char title[96], detail[320], type[64]; /* type: last segment only */
    char reset_date[16];                   /* of a spending limit, "2026-10-12", or "" */
};

/* code 200 with a body: an error line within a stream. */
void problem_read(struct problem *problem, int code, const char *body, size_t len);
/* Plain words: what is wrong and what to do. */
const char *problem_words(const struct problem *problem);
#endif
