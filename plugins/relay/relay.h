/* SPDX-License-Identifier: MIT */
/* What the files of the relay plugin share: its state, names, the loop breaker. */
#ifndef RELAY_H
#define RELAY_H
#include <hashroom/plugin.h>

enum {
    RELAY_MAX_NAME = 40,   /* code points */
    RELAY_RECENT = 64,     /* lines the loop breaker remembers */
    RELAY_TEXT_BYTES = 512, /* of each; the end of a longer one */
    RELAY_MUTES = 16,
};

struct relay_recent { /* a line handed on a moment ago */
    int64_t at_ms; /* network clock: a day that jumps mutes nobody for a day */
    uint64_t room;   /* where it was said */
    uint64_t author; /* hash of service and id */
    size_t len;
    char text[RELAY_TEXT_BYTES];
};

struct relay_echo { /* an account that gave our own words back */
    int64_t at_ms; /* network clock: a day that jumps mutes nobody for a day */
    uint64_t room, origin, author;
};

struct relay_mute { /* the route room -> origin is silent until then */
    int64_t until_ms;
    uint64_t room, origin;
};

struct relay {
    struct hr_bot *bot;
    const struct hr_api *api;
    struct relay_recent recent[RELAY_RECENT];
    struct relay_echo echo[RELAY_RECENT];
    struct relay_mute mute[RELAY_MUTES];
    size_t next_recent, next_echo, next_mute;
};

/* "Ben": never empty, at most RELAY_MAX_NAME code points, without "on Twitter". */
const char *relay_name(struct relay *relay, const struct hr_person *person);
/* "Ben on Twitter", "Ben (@ben_r) on Twitter". */
const char *relay_lead(struct relay *relay, const struct hr_message *message, bool with_handle);
/* What was fetched late says how late: "Ben on IRC, 3 minutes ago". */
const char *relay_late(struct relay *relay, const struct hr_message *message, const char *lead);

/*
 * The loop breaker (DESIGN 4.7). An echo is a line that ends with words handed
 * on within the last minute, said by another account in another room. The third
 * echo of one account in a minute mutes the route back to where the words came
 * from for 10 minutes. While a mute lasts, echoes go nowhere.
 */
bool loop_is_echo(struct relay *relay, const struct hr_message *message); /* do not hand it on */
bool loop_is_mute(struct relay *relay, uint64_t from, uint64_t to);
void loop_note(struct relay *relay, const struct hr_message *message); /* it was handed on */

/* Posts left out of a busy room (T30), and !missed that shows them. */
int missed_event(struct relay *relay, const struct hr_event *event);
int run_missed(void *state, const struct hr_call *call);

#endif
