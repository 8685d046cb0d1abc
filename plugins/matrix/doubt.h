/* SPDX-License-Identifier: MIT */
/*
 * A line that may have arrived, and whose transaction the server has forgotten: it
 * is looked for in the room's history, back to before its first try. Found, it is
 * delivered. Surely not there, it is put once more: under the transaction it
 * always had, for it is the same part, and to the server that is a new one now.
 * Where the history can't tell, the outcome is unknown.
 */
#ifndef MATRIX_DOUBT_H
#define MATRIX_DOUBT_H

#include "matrix.h"

/* HR_OK: sent() follows. HR_ERETRY, HR_EUNKNOWN: nothing was begun. */
int doubt_look_up(struct matrix *mx, const struct mx_room *room, const struct hr_part *part);
void doubt_stop_all(struct matrix *mx);

#endif
