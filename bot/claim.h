/* SPDX-License-Identifier: MIT */
/* A delivery becomes parts: rendered, frozen, claimed; the first one leaves after the commit. */
#ifndef HASHROOM_CLAIM_H
#define HASHROOM_CLAIM_H
#include "outbox_rows.h"

struct network;

/* Sends a frozen part after the commit of this turn; row_is_claimed: its row says so already. */
void claim_launch(struct outbox *outbox, struct network *network, struct piece *piece, bool row_is_claimed);
/* Renders the first item of a lane, with those behind it that are merged into
 * the same part; frees them. tokens: what the account may still spend on lines of this priority. */
void claim_item(struct outbox *outbox, struct network *network, struct item *first, double tokens);
#endif
