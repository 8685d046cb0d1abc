/* SPDX-License-Identifier: MIT */
/*
 * One event of a room, cut out of a reply. Only `content` goes through jansson:
 * what servers add in `unsigned` may hold other people's events, and must not
 * make this one unreadable.
 */
#ifndef MATRIX_EVENT_H
#define MATRIX_EVENT_H

#include "scan.h"

struct event {
    char id[256], type[256], sender[256], redacts[256];
    char state_key[256];
    bool is_state;   /* has a state_key */
    int64_t time_ms; /* as the sender's server said, 0 if it did not */
    int64_t age_ms;  /* as our server counts, -1 if it does not */
    json_t *content; /* an object */
};

/* HR_EINVAL with the reason in err: no event this plugin can use. `id` is filled
 * in as far as it could be read. Clear it in any case. */
int event_read(struct event *event, struct scan json, char *err, size_t err_size);
void event_clear(struct event *event);

#endif
