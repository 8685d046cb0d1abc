/* SPDX-License-Identifier: MIT */
/* What a delivery has to say, put together from the log for render(). */
#ifndef HASHROOM_PUMP_DELIVERY_H
#define HASHROOM_PUMP_DELIVERY_H
#include "arena.h"
#include "outbox_rows.h"

/* HR_ENOTFOUND if the message is gone. Everything lives in the arena. */
int pump_delivery(struct outbox *outbox, const struct item *item, struct arena *arena, struct hr_delivery *out);
/* Is the first saying of this message in this room still waiting or under way? */
bool pump_say_is_open(struct outbox *outbox, uint64_t message, const struct room *room);
/* Is a part on its way into the room that holds these words, an edit of a merged one too? What takes them back must
 * know all of them. */
bool pump_words_are_open(struct outbox *outbox, uint64_t message, const struct room *room);
/* Is the part it stands in, with others, being taken back? Its outcome says what there is to change. */
bool pump_removal_is_open(struct outbox *outbox, uint64_t message, const struct room *room);
#endif
