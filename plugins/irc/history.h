/* SPDX-License-Identifier: MIT */
/*
 * Reading a channel back (CHATHISTORY) before it is used again, one channel at
 * a time: first our own lines behind the last one that is settled, so that each
 * part in doubt is looked up and not said twice; then what people said while we
 * were away. Until both are in, the channel counts as down, and what is said
 * there live waits in line.
 */
#ifndef IRC_HISTORY_H
#define IRC_HISTORY_H
#include "wire.h"

struct irc;
struct channel;
struct batch;
struct gate_event;

enum { HISTORY_LINES = 200, HISTORY_PAGES = 5, HISTORY_HELD = 256, HISTORY_ID_BYTES = 257, HISTORY_ROOMS = 16 };

enum history_step { HISTORY_IDLE, HISTORY_WAITS, HISTORY_OWN, HISTORY_MISSED };

struct own_line {
    char *text, *id;
};

struct held_line {
    char *line;
    struct channel *channel;
    struct held_line *next;
};

struct history {
    struct channel *channel;  /* the one that is read now, or NULL */
    char label[32];
    uint64_t number;          /* of the last query */
    int64_t asked_ms;
    int limit, lines, pages;  /* lines asked for, and come so far; pages before this one */
    bool anchor_seen;
    char last[HISTORY_ID_BYTES]; /* id of the last line that came */
    struct held_line *held, **last_held;
    size_t held_count;
    uint64_t found, missed;   /* for the report */
};

bool history_offered(const struct irc *irc);
/* Joined: reads it back if there is anything to read, else tells the host that it is up. */
void history_joined(struct irc *irc, struct channel *channel);
void history_left(struct irc *irc, struct channel *channel); /* kicked out meanwhile */
void history_lost(struct irc *irc);                          /* the link ended */
void history_clear(struct irc *irc);
void history_watch(struct irc *irc, int64_t now); /* gives up a query that is not answered */

/* Does this batch answer our query? */
bool history_is_answer(const struct irc *irc, const char *type, const char *target, const char *label);
void history_on_line(struct irc *irc, const struct gate_event *event, const struct batch *batch); /* of the answer */
void history_on_end(struct irc *irc);                            /* the answer is complete */
void history_on_fail(struct irc *irc, const struct wire *wire);  /* FAIL CHATHISTORY */
/* A live line for a channel that is read back waits; true: `copy` is taken. */
bool history_hold(struct irc *irc, const struct wire *wire, char *copy);

/* HR_OK: it arrived, *id is its id (borrowed). HR_ENOTFOUND: it did not.
 * HR_EUNKNOWN: nobody can say. Each line found settles one part. */
int history_look_up(struct irc *irc, struct channel *channel, const char *text, const char **id);

#endif
