/* SPDX-License-Identifier: MIT */
/* A question that may have been said: it ends as unknown, and the session states it again under a note. */
#include "event.h"
#include "chat.h"
#include "message.h"
#include "network.h"
#include "outbox_rows.h"
#include "room.h"
#include "turn.h"

static void tell(struct outbox *outbox, uint64_t message, struct room *room)
{
    struct hr_message row;
    if (messages_read(outbox->app->messages, &outbox->app->arena, message, &row) == HR_OK) {
        event_tell(outbox->app, &(struct hr_event){.size = sizeof(struct hr_event),
                                                   .kind = HR_EV_DOUBT,
                                                   .message = &row,
                                                   .chat = room->chat != NULL ? &room->chat->hr : NULL,
                                                   .room = &room->hr});
    }
}

static bool is_due(const struct piece *piece, const struct network *network)
{
    const struct network *own = piece->room->network;
    return piece->doubt && own != NULL && (network == NULL || own == network) &&
           piece->claim->priority == HR_QUESTION && (piece->lost || !network_same_txn(own));
}

static void give_up(struct outbox *outbox, struct piece *piece)
{
    struct room *room = piece->room;
    struct claim *claim = piece->claim;
    uint64_t message = claim->carried[0].message; /* questions are never merged */
    turn_write(outbox->app->turn);
    outbox_settle_arrived(outbox); /* a part of it may be among those */
    row_delivery_state(outbox, claim->carried[0].delivery, "unknown",
                       "it may have arrived; it is stated again with a note");
    for (struct piece *other = room->lane.piece, *next; other != NULL; other = next) {
        next = other->next;
        if (other->claim == claim) { /* an address to compare: the last piece frees it */
            bool left = other->doubt || other->in_flight;
            lane_landed(other);
            row_part_state(outbox, other->id, left ? "unknown" : "dropped", NULL, "stated again with a note");
            lane_drop_piece(outbox, other);
        }
    }
    tell(outbox, message, room);
}

void outbox_restate(struct outbox *outbox, const struct network *network)
{
    if (!outbox->started || outbox->app->stopping) {
        return; /* outbox_start() looks at them */
    }
    bool again = true;
    while (again) { /* a lane changes under the loop: begin again after each */
        struct piece *piece = outbox->pieces;
        while (piece != NULL && !is_due(piece, network)) {
            piece = piece->hh.next;
        }
        again = piece != NULL;
        if (again) {
            give_up(outbox, piece);
        }
    }
}
