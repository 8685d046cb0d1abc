/* SPDX-License-Identifier: MIT */
/* The rows of the log in the database: message.c decides, this reads and writes. */
#ifndef HASHROOM_MESSAGE_ROW_H
#define HASHROOM_MESSAGE_ROW_H
#include "buf.h"
#include "message.h"

struct messages {
    struct app *app;
    struct buf clean; /* scratch of the door */
    const struct hr_message *told; /* that an event is about just now; NULL: none */
};

/* key NULL: numbered by the host. Returns the row's id, 0 if (scope, key) is there already. */
uint64_t message_row_insert(struct messages *messages, const char *scope, const char *key,
                            const struct hr_message *message);
void message_row_state(struct messages *messages, uint64_t id, const char *state);
const char *message_row_get_state(struct messages *messages, uint64_t id); /* in the arena; "" if gone */
void message_row_text(struct messages *messages, uint64_t id, const char *text, uint32_t flags);
#endif
