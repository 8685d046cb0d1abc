/* SPDX-License-Identifier: MIT */
/* What the files of the relay plugin share: its state, names, the loop breaker, other bridges. */
#ifndef RELAY_H
#define RELAY_H
#include <hashroom/plugin.h>

enum {
    RELAY_MAX_NAME = 40,   /* code points */
    RELAY_RECENT = 64,     /* lines the loop breaker remembers */
    RELAY_TEXT_BYTES = 512, /* of each; the end of a longer one */
    RELAY_MUTES = 16,
    RELAY_PAIRS = 32,
};

struct relay_recent { /* a line heard a moment ago */
    int64_t at_ms; /* network clock: a day that jumps mutes nobody for a day */
    uint64_t room;   /* where it was said */
    uint64_t author; /* hash of service and id */
    bool handed_on;
    char name[4 * RELAY_MAX_NAME + 1];
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

struct relay_pair { /* the same words in two rooms at once */
    int64_t at_ms;
    uint64_t from, to; /* rooms: where they were heard first */
    uint64_t who;
    bool sure; /* a machine said them the second time */
};

struct relay_twice { /* another bridge carries from -> to */
    int64_t until_ms;
    uint64_t from, to;
    int silent; /* lines of `from` since its last one in `to` */
};

struct relay {
    struct hr_bot *bot;
    const struct hr_api *api;
    struct relay_recent recent[RELAY_RECENT];
    struct relay_echo echo[RELAY_RECENT];
    struct relay_mute mute[RELAY_MUTES];
    struct relay_pair pair[RELAY_PAIRS];
    struct relay_twice twice[RELAY_MUTES];
    size_t next_recent, next_echo, next_mute, next_pair, next_twice;
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
void loop_note(struct relay *relay, const struct hr_message *message, bool handed_on); /* heard */
/* Do these bytes hold what we put in front of a line: "Ben on IRC: "? */
bool loop_is_own_lead(const char *text, size_t len);
uint64_t relay_author(const struct hr_message *message);

/*
 * Another bridge between two of our rooms would show everything twice. A pair is a line that stands in a second room
 * within 15 seconds, said by a bot, behind the name of who said it first, or by somebody called nearly the same. Three
 * pairs one way in 10 minutes leave that way to the other bridge, aloud, until it has been silent for 5 lines or an
 * hour. Copies are not handed on meanwhile.
 */
bool twice_is_copy(struct relay *relay, const struct hr_message *message);
bool twice_is_carried(struct relay *relay, uint64_t from, uint64_t to); /* by the other bridge: do not hand it on */
void twice_report(struct relay *relay, struct hr_out *out);

/* Posts left out of a busy room (T30), and !missed that shows them. */
int missed_event(struct relay *relay, const struct hr_event *event);
int run_missed(void *state, const struct hr_call *call);

#endif
