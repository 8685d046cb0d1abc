/* SPDX-License-Identifier: MIT */
/*
 * Strict transport security: a server that asks for TLS gets it. What it says in
 * plain text only makes us come again with TLS; what it says over TLS is kept,
 * over restarts, for as long as it asks. There is no way back to plain text
 * before that time has run out.
 */
#ifndef IRC_STS_H
#define IRC_STS_H
#include <stdbool.h>
#include <stdint.h>

struct irc;

struct sts {
    int port;            /* TLS there, whatever the configuration says; 0: no policy */
    int64_t duration_ms; /* as the server said on this connection; 0: it did not */
    bool secure;         /* this connection is TLS */
};

void sts_load(struct irc *irc);                          /* at start */
void sts_target(struct irc *irc, int *port, bool *plain); /* for the next connection */
void sts_on_offered(struct irc *irc, const char *value); /* "port=6697,duration=2592000" */
void sts_renew(struct irc *irc);                         /* the link ends: the time runs from now */

#endif
