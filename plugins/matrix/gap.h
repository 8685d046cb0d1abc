/* SPDX-License-Identifier: MIT */
/* Messages that a reply of the long poll left out: fetched backwards, kept until they can be read in order. */
#ifndef MATRIX_GAP_H
#define MATRIX_GAP_H

#include "matrix.h"
#include "scan.h"

enum { GAP_MAX_EVENTS = 1000, GAP_MAX_BYTES = 8 * 1024 * 1024, GAP_MAX_BYTES_ALL = 64 * 1024 * 1024 };

struct gap {
    struct matrix *mx;
    uintptr_t no;      /* answers find it by this: it may be gone by then */
    struct mx_room *room;
    char *from;        /* where the next page starts, going back */
    char *to;          /* the token that was read up to; NULL: go to `known` */
    char *known;       /* event at which it ends */
    char **event;      /* raw, newest first */
    size_t *len;
    size_t count, cap, bytes;
    unsigned tries;
    bool ended, lost;  /* lost: some of it could not be had */
    struct hr_timer *timer;
    void (*done)(struct matrix *mx); /* called once, later */
};

struct gap *gap_new(struct matrix *mx, struct mx_room *room, const char *from, const char *to, const char *known);
void gap_free(struct gap *gap);
void gap_tell_loss(struct gap *gap); /* in the room, if lines of it are missing elsewhere now */
void gap_start(struct gap *gap, void (*done)(struct matrix *mx));

#endif
