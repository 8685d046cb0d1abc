/* SPDX-License-Identifier: MIT */
/* The long poll: one request after the other, back-off between failures. */
#ifndef MATRIX_SYNC_H
#define MATRIX_SYNC_H

#include "matrix.h"

void sync_start(struct matrix *mx); /* logged in: sends the first request */
void sync_full(struct matrix *mx);  /* a room was missed: all state once more, at once */
void sync_names(struct matrix *mx); /* somebody spoke whose name is not known: the same reply once more, with names */
void sync_stop(struct matrix *mx);  /* what is under way no longer counts */
/* All of a reply is read and in the transaction: `next` is saved with it and asked for. A reply with echoes of our own
 * words alone (!mx->news) changed nothing, and may be read again after a crash: its place is saved with the next one
 * that has news, at the latest after some seconds. */
void sync_done(struct matrix *mx, const char *next);

#endif
