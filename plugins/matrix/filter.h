/* SPDX-License-Identifier: MIT */
/*
 * What of the stream is asked for (Client-Server API, "Filtering"). The filter of everyday is kept by the server once
 * reading goes well, and named by its id from then on: written out it is most of the request.
 */
#ifndef MATRIX_FILTER_H
#define MATRIX_FILTER_H

#include "call.h"

/* What of a timeline is asked for, also by gap.c: a JSON list of event types. */
#define FILTER_TYPES                                                                                            \
    "[\"m.room.message\",\"m.room.encrypted\",\"m.room.redaction\",\"m.room.member\",\"m.room.power_levels\"," \
    "\"m.room.create\",\"m.room.encryption\",\"m.room.history_visibility\",\"m.room.tombstone\","           \
    "\"m.key.verification.*\"]"

enum { FILTER_LIMIT = 50 }; /* events of one room in one reply; older ones are fetched by gap.c */

/* The value of the parameter `filter` for the next request, encoded; lives in the callback's arena. names: who all
 * those are that speak comes with it. limit: FILTER_LIMIT, or less where a reply was too big. */
const char *filter_value(struct matrix *mx, bool names, int limit);
/* A reply came and was read: some seconds later the server is asked to keep the filter, once in a run. */
void filter_keep(struct matrix *mx);
/* The server refused the request of the sync. True: it may have lost the filter; from here on it is written out, and
 * the same is to be asked for again. */
bool filter_lost(struct matrix *mx, const struct call_reply *reply);
void filter_stop(struct matrix *mx);

#endif
