/* SPDX-License-Identifier: MIT */
/*
 * What waits for one room, in memory; the truth is in the rows. An item is a
 * delivery not rendered yet. A piece is a frozen part not settled yet. A claim
 * ties the pieces to the deliveries they carry (several deliveries once lines
 * are merged, several pieces where a line is long).
 */
#ifndef HASHROOM_LANE_H
#define HASHROOM_LANE_H
#include <hashroom/network.h>
#include <uthash.h>

enum { LANE_PRIORITIES = HR_ACK + 1, LANE_MERGE_MAX = 100 };

struct room;

struct item {
    uint64_t delivery, message, reply_to;
    struct room *room;
    enum hr_act act;
    enum hr_priority priority;
    uint32_t say_flags;
    int64_t expires_ms;   /* chat clock, 0 never */
    int64_t made_ms;      /* monotonic */
    int64_t since_ms;     /* chat clock: waits since */
    uint64_t group;       /* said before in one part, which was taken back: go together again; 0: none */
    struct item *next;
};

struct carried {
    uint64_t delivery, message;
};

struct claim {
    int pieces;           /* not settled yet */
    enum hr_priority priority;
    const char *worst;    /* state the deliveries end in */
    char *reason;
    size_t count;
    struct carried carried[]; /* most claims carry one */
};

struct piece {
    uint64_t id;
    char *store;          /* id of the store that froze it: with the part's own number it is the transaction id */
    struct room *room;
    struct claim *claim;
    enum hr_act act;
    char *body;
    size_t body_len;
    int attempt;
    bool in_flight, doubt;
    bool lost;            /* in doubt, and nobody can look it up */
    bool arrived;         /* the far side has answered; the rows say so with the next transaction */
    const char *outcome;  /* then: state the part ends in */
    char *remote_id, *reason; /* or NULL */
    struct piece *next_arrived;
    int64_t first_ms;     /* wall clock of the first attempt */
    struct piece *next;   /* in the lane, by id */
    UT_hash_handle hh;    /* by id, over all rooms */
};

struct lane {
    struct item *head[LANE_PRIORITIES], *tail[LANE_PRIORITIES];
    size_t count[LANE_PRIORITIES]; /* of items */
    size_t total;         /* of all of them: most rooms wait for nothing most of the time */
    struct piece *piece;
    int in_flight;
    int64_t calm_until_ms; /* chat clock: the next post of a calm room not before */
    int left_out;         /* posts not yet told as left out */
    int64_t left_told_ms; /* chat clock: when that was told last; 0: never */
    uint64_t left_message; /* the last of them */
    bool backlog_told;
};
#endif
