/* SPDX-License-Identifier: MIT */
/*
 * Posts of social networks can wait until a moderator lets them in; what was
 * shown can be taken away. moderation_chat says for each chat what waits,
 * moderation_queue holds the waiting ones under numbers that stay theirs.
 */
#ifndef MODERATION_H
#define MODERATION_H

#include <hashroom/plugin.h>

enum {
    FLOOD_TALKERS = 64, /* people of whom we know how much they wrote lately */
    FLOOD_HELD = 30,    /* lines of one of them that wait */
    FLOOD_ROOMS = 16,   /* that are told what was left out */
};

struct talker {
    uint64_t room;
    int64_t who;
    double tokens; /* lines that may go at once; below 0 after a long message */
    int64_t at_ms; /* network clock: tokens are as of then */
    int left_out;  /* not told yet */
    size_t held;
    uint64_t message[FLOOD_HELD]; /* in order */
};

struct moderation {
    struct hr_bot *bot;
    const struct hr_api *api;
    bool full_told; /* the log knows that the queue is full */
    int64_t known;  /* rows of moderation_known */
    int flood_burst;
    int64_t flood_pace_ms; /* 0: no limit */
    struct hr_timer *flood_timer;
    struct talker talker[FLOOD_TALKERS];
};

/* queue.c */
int queue_add(struct moderation *m, const struct hr_message *message); /* HR_ELIMIT: full */
int queue_drop_message(struct moderation *m, uint64_t message);
int queue_length(struct moderation *m, const char *chat); /* or negative */
int run_queue(void *state, const struct hr_call *call);
int run_ok(void *state, const struct hr_call *call);
int run_no(void *state, const struct hr_call *call);
/* The held message with this number, 0 if there is none; negative on failure. */
int64_t queue_message(struct moderation *m, const char *chat, int64_t number);

/* known.c: authors of social networks that were let in before; at most 20,000, the latest */
int known_start(struct moderation *m);
int known_let_in(struct moderation *m, const struct hr_message *message);
bool known_has(struct moderation *m, const struct hr_message *message);
int64_t known_number(const char *network, const char *author); /* the same for the same person, never negative */

/* flood.c */
int flood_start(struct moderation *m);
enum hr_verdict flood_judge(struct moderation *m, const struct hr_message *message);
int flood_drop_message(struct moderation *m, uint64_t message);
int flood_waiting(const struct moderation *m); /* lines of everybody */

/* hide.c */
int run_hide(void *state, const struct hr_call *call);

/* fold.c */
/* Letters of text alike for everybody: no case, no accents, no fancy forms. The caller frees; NULL: not text. */
char *fold(const char *text);
/* Is `wanted` this name, or its first words? Both folded. 2: all of it, 1: its beginning, 0: no. */
int fold_match(const char *name, const char *wanted);
/* Bytes of text that are at most max_bytes and end between characters, at a space if one is near. */
size_t fold_excerpt(const char *text, size_t max_bytes);

/* A whole number written in full, else -1. */
int64_t read_number(const char *text);

#endif
