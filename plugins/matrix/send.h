/* SPDX-License-Identifier: MIT */
/* One part to the server. The transaction id makes a repeated attempt harmless. */
#ifndef MATRIX_SEND_H
#define MATRIX_SEND_H

#include "matrix.h"

#include <jansson.h>

int send_part(void *state, const struct hr_part *part);

struct send_request {
    uint64_t part;          /* 0: an event that is none; it is tried once, and the host hears nothing */
    int attempt;            /* 1 is the first */
    const char *txn;
    const char *path, *body; /* of the PUT */
    void (*settled)(struct matrix *mx, const char *txn); /* it has its outcome, and does not come again; may be NULL */
};
/* Sends one part and answers the host with sent() when the server did. HR_ERETRY: it could not be sent,
 * nothing was answered. */
int send_put(struct matrix *mx, const struct send_request *what);
/* An event {type, content} or {redacts} by the way its room needs: encrypted where the room is. Uses id, txn, attempt. */
int send_event(struct matrix *mx, struct mx_room *room, const struct hr_part *part, const json_t *event);
/* As it is, not encrypted: a negative status says why nothing was sent. Uses id, txn, body, attempt. */
int send_again(struct matrix *mx, struct mx_room *room, const struct hr_part *part);

#endif
