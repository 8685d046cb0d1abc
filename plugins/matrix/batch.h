/* SPDX-License-Identifier: MIT */
/*
 * One reply of the long poll: cut into rooms and events, gaps in it filled
 * first, then read as a whole in one turn together with its token.
 */
#ifndef MATRIX_BATCH_H
#define MATRIX_BATCH_H

#include "matrix.h"

/* HR_EINVAL: not a sync reply. Else sync_done() follows, now or later. */
int batch_take(struct matrix *mx, const char *body, size_t len);
void batch_drop(struct matrix *mx); /* forgets a reply that waits for its gaps */
struct gap *batch_gap(struct matrix *mx, uintptr_t no); /* one it waits for, or NULL */

#endif
