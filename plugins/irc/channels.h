/* SPDX-License-Identifier: MIT */
/*
 * The channels of the configuration: joined at once, left alone after a kick or
 * a refusal until an operator restarts the bot (DESIGN 3.9).
 */
#ifndef IRC_CHANNELS_H
#define IRC_CHANNELS_H
#include "history.h"
#include "wire.h"

struct irc;
struct gate_event;

enum { CHANNELS_MAX = 200, CHANNEL_BYTES = 64 };

enum place { PLACE_OUT, PLACE_JOINING, PLACE_IN, PLACE_REFUSED };

struct channel {
    char address[CHANNEL_BYTES]; /* as configured: that is how the host knows it */
    uint64_t room;
    enum place place;
    int64_t joined_ms;  /* wall clock of the server: what was said before is history */
    bool wants_who;     /* its people are to be asked for */
    enum history_step step;
    int64_t saved_ms;   /* what of it is in the table: at most a second behind */
    int64_t seen_ms;    /* clock of the server: all up to then is in the log; 0: never here */
    bool doubt;         /* own lines may have arrived unnoticed: look before anything is said */
    bool looked;        /* own[] is complete: what is not in it did not arrive */
    char anchor[HISTORY_ID_BYTES]; /* id of the newest own line that is settled, or "" */
    struct own_line *own; /* behind the anchor, in order */
    size_t own_count, own_next;
    char reason[256];   /* REFUSED: why; IN: why the last line was not taken, or "" */
};

struct channels {
    struct channel *all; /* array */
    size_t count;
};

void channels_init(struct irc *irc); /* asks the host for the rooms */
void channels_clear(struct channels *channels);
struct channel *channels_find(const struct irc *irc, const char *name); /* as the server compares; or NULL */
size_t channels_index(const struct irc *irc, const struct channel *channel);
void channels_join_all(struct irc *irc);
void channels_watch(struct irc *irc, int64_t now); /* one WHO at a time */
void channels_lost(struct irc *irc); /* the link ended */

void channels_on_join(struct irc *irc, const struct gate_event *event);
void channels_on_part(struct irc *irc, const struct gate_event *event);
void channels_on_kick(struct irc *irc, const struct gate_event *event);
void channels_on_mode(struct irc *irc, const struct gate_event *event);
void channels_on_names(struct irc *irc, const struct gate_event *event); /* 353 */
void channels_on_who(struct irc *irc, const struct gate_event *event);   /* 352, 354 */
/* A numeric that may refuse a JOIN; true if it did. */
bool channels_on_refusal(struct irc *irc, int numeric, const struct gate_event *event);
#endif
