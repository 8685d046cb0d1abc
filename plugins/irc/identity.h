/* SPDX-License-Identifier: MIT */
/*
 * Who is speaking, where no tag and no list of members says it: one WHOIS while
 * the line waits, 10 s at most, a few lines each. Later lines of the same person
 * queue behind, so that nothing changes order.
 */
#ifndef IRC_IDENTITY_H
#define IRC_IDENTITY_H
#include "wire.h"

struct irc;
struct said;

enum { QUERIES_MAX = 16, WAITING_MAX = 64, WAITING_EACH = 8 };

struct waiting {
    struct waiting *next;
    char *room, *source, *text, *key, *reply_to;
    int64_t server_ms;
    int64_t time_ms;
    uint32_t flags;
    int power;
};

struct query {
    char nick[WIRE_NAME_BYTES], account[WIRE_NAME_BYTES];
    int64_t asked_ms;
    struct waiting *first, **last;
    size_t count;
};

struct identity {
    struct query *query[QUERIES_MAX]; /* NULL: free */
    size_t waiting;
    uint64_t asked, timeouts, over; /* over: posted as nobody known, because too many waited */
};

/* True: the line is kept and goes on by itself. `ask`: a WHOIS may be started for
 * it; else it only queues behind lines of the same person. */
bool identity_hold(struct irc *irc, const struct said *said, bool ask);
void identity_on_account(struct irc *irc, const char *nick, const char *account); /* 330 */
void identity_on_end(struct irc *irc, const char *nick); /* 318, 401, 263 */
/* NICK or QUIT while we asked: what comes back may be about somebody else. */
void identity_on_gone(struct irc *irc, const char *nick);
void identity_watch(struct irc *irc, int64_t now);
void identity_release_all(struct irc *irc); /* as nobody known */
void identity_clear(struct identity *identity);
#endif
