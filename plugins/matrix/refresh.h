/* SPDX-License-Identifier: MIT */
/*
 * A token that ends and is renewed: before its end where that is known, else when
 * the server refuses it. One request at a time; the new pair of tokens is on disk
 * before either is used, for the old pair dies with the first use of the new.
 */
#ifndef MATRIX_REFRESH_H
#define MATRIX_REFRESH_H

#include "matrix.h"

void refresh_now(struct matrix *mx);  /* requests wait from here on; harmless while one is under way */
void refresh_plan(struct matrix *mx); /* sets the clock for the next; at once if the end is near */
void refresh_stop(struct matrix *mx); /* the session has ended: forgets the refresh token, too */

#endif
