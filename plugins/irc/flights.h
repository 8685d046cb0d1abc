/* SPDX-License-Identifier: MIT */
/*
 * Lines on their way. Each gets exactly one answer for the host: by the label's
 * echo, the echo, or the PONG that comes behind it (numerics before it refuse it).
 * Those that a lost connection cuts off come again from the host, in doubt.
 */
#ifndef IRC_FLIGHTS_H
#define IRC_FLIGHTS_H
#include "wire.h"
#include <hashroom/network.h>

struct irc;
struct gate_event;

enum { FLIGHTS_MAX = 128, FLIGHT_LABEL_BYTES = 65 };

struct flight {
    uint64_t part, seq;
    char label[FLIGHT_LABEL_BYTES];
    char *target, *text;
    int64_t sent_ms;
};

struct flights {
    struct flight all[FLIGHTS_MAX]; /* the oldest first */
    size_t count;
    uint64_t seq;     /* of the newest */
    uint64_t barrier; /* a PING asks if the lines up to here came; 0: none */
    uint64_t sent, delivered, refused, cut_off, sent_again, unknown;
};

int flights_send(struct irc *irc, const struct hr_part *part);
void flights_on_echo(struct irc *irc, const struct gate_event *event, const char *label);
/* A numeric or FAIL may refuse a line: true if it did. */
bool flights_on_refusal(struct irc *irc, int numeric, const struct gate_event *event, const char *label);
void flights_on_fail(struct irc *irc, const struct gate_event *event, const char *label);
void flights_on_pong(struct irc *irc, const char *token);
void flights_watch(struct irc *irc, int64_t now);
void flights_lost(struct irc *irc); /* the link ended; to be followed by down() for the network */
void flights_clear(struct flights *flights);
/* The message id if it is sound, else NULL. */
const char *flights_msgid(const char *id);
#endif
