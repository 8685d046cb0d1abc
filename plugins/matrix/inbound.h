/* SPDX-License-Identifier: MIT */
/* What people say, edit and take back: from events to post(), edit(), remove(). */
#ifndef MATRIX_INBOUND_H
#define MATRIX_INBOUND_H

#include "e2ee/e2ee.h"
#include "event.h"
#include "matrix.h"

/* flags: HR_MSG_HISTORY, or 0 for what is said now. */
void inbound_event(struct mx_room *room, const struct event *event, uint32_t flags);
/* One that was encrypted, as it comes out; plain stays the caller's. */
void inbound_plain(struct mx_room *room, const struct e2ee_plain *plain, uint32_t flags);
/* The words of a message's content, as plain text; false: nothing to be read.
 * Adds HR_MSG_* to flags. Pure. */
bool inbound_text(const json_t *content, bool is_reply, struct mem_buf *out, uint32_t *flags);

#endif
