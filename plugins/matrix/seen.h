/* SPDX-License-Identifier: MIT */
/*
 * The last messages read, by a hash of their ids: in which room each was, and
 * whether it was an edit. An edit or redaction counts only in the room of its
 * target. What is not remembered is left to the log to judge.
 */
#ifndef MATRIX_SEEN_H
#define MATRIX_SEEN_H

#include "matrix.h"

void seen_add(const struct mx_room *room, const char *event_id, bool is_edit);
void seen_forget(const struct mx_room *room); /* it is about to be freed */
/* False: the target is known to be in another room, or (for an edit) to be an edit itself. */
bool seen_may_change(const struct mx_room *room, const char *event_id, bool by_edit);

#endif
