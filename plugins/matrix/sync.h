/* SPDX-License-Identifier: MIT */
/* The long poll: one request after the other, back-off between failures. */
#ifndef MATRIX_SYNC_H
#define MATRIX_SYNC_H

#include "matrix.h"

/* What of a timeline is asked for, also by gap.c: a JSON list of event types. */
#define SYNC_TYPES                                                                                              \
    "[\"m.room.message\",\"m.room.encrypted\",\"m.room.redaction\",\"m.room.member\",\"m.room.power_levels\"," \
    "\"m.room.create\",\"m.room.encryption\",\"m.room.history_visibility\",\"m.room.tombstone\","           \
    "\"m.key.verification.*\"]"

void sync_start(struct matrix *mx); /* logged in: sends the first request */
void sync_full(struct matrix *mx);  /* a room was missed: all state once more, at once */
void sync_stop(struct matrix *mx);  /* what is under way no longer counts */
/* All of a reply is read and in the transaction: `next` is saved and asked for. */
void sync_done(struct matrix *mx, const char *next);

#endif
