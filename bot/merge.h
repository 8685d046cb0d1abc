/* SPDX-License-Identifier: MIT */
/*
 * Lines that wait together go as one part where the network can (DESIGN 4.4):
 * consecutive ones of one kind, when the account's budget has no token for each,
 * or the server answers so slowly that many wait.
 * Taking one of them back takes the part back and says the others again.
 */
#ifndef HASHROOM_MERGE_H
#define HASHROOM_MERGE_H
#include "outbox_rows.h"

struct network;

/* SQL: the message ?1 and all that stands in one merged part with it in room ?2. */
#define MERGE_MESSAGES                                                                                    \
    "SELECT ?1 UNION SELECT o.message FROM delivery s"                                                   \
    " JOIN delivery_part sp ON sp.delivery = s.id AND sp.merged = 1"                                     \
    " JOIN part q ON q.id = sp.part AND q.state = 'delivered'"                                           \
    " JOIN delivery_part op ON op.part = q.id AND op.merged = 1 JOIN delivery o ON o.id = op.delivery"   \
    " WHERE s.message = ?1 AND s.room = ?2 AND s.act = 0"

/* The first item and those right behind it that go with it; at least 1.
 * tokens: what the account may spend on lines of this kind now. */
size_t merge_gather(const struct network *network, const struct item *first, double tokens,
                    const struct item *items[LANE_MERGE_MAX]);
/* What stands in the merged part that `edit` changes, in its order; 0 if it stands alone. */
size_t merge_siblings(struct outbox *outbox, const struct item *edit, struct item out[LANE_MERGE_MAX]);
/* The removal of one of a part's lines is settled (delivery, message, room count): if
 * the part is gone the others wait again, as the next of their lane, to go as
 * one part. Not before: a server that refuses would have them twice. */
void merge_say_again(struct outbox *outbox, const struct item *removal);
#endif
