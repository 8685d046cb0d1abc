/* SPDX-License-Identifier: MIT */
/* Notices that another bridge carries the same words between two of our rooms, and leaves that way to it. */
#include "relay.h"

#include <string.h>
#include <strings.h>

enum { PAIRS_NEEDED = 3, SILENT_LINES = 5 };

static const int64_t at_once_ms = 15 * 1000;
static const int64_t while_ms = 10 * 60 * 1000;
static const int64_t lasts_ms = 60 * 60 * 1000;

/* ---- the same words ----------------------------------------------------------------- */

static bool has_name(const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    for (size_t i = 0; name_len > 1 && i + name_len <= len; i++) {
        if (strncasecmp(text + i, name, name_len) == 0) {
            return true;
        }
    }
    return false;
}

static bool names_relate(const char *a, const char *b)
{
    return has_name(a, strlen(a), b) || has_name(b, strlen(b), a);
}

enum likeness { ANOTHER, MAYBE, SURE };

/* "<ben> hello" of anybody, "hello" of a bot: sure. "hello" of somebody called nearly the same: maybe. */
static enum likeness alike(const struct hr_message *message, const struct relay_recent *first)
{
    const char *text = message->text;
    size_t len = strlen(text), words = first->len;
    if (words == 0 || len < words || memcmp(text + len - words, first->text, words) != 0) {
        return ANOTHER;
    }
    if (len == words) {
        return message->flags & HR_MSG_BOT ? SURE : names_relate(message->author.name, first->name) ? MAYBE : ANOTHER;
    }
    size_t before = len - words;
    bool framed = strchr("<[(*", *text) != NULL || (before >= 2 && text[before - 2] == ':');
    return framed && before <= 80 && has_name(text, before, first->name) && !loop_is_own_lead(text, before) ? SURE
                                                                                                            : ANOTHER;
}

static const struct relay_recent *first_of(struct relay *relay, const struct hr_message *message, int64_t now,
                                           enum likeness *how)
{
    for (size_t i = 0; i < RELAY_RECENT; i++) {
        const struct relay_recent *recent = &relay->recent[i];
        if (recent->len && now - recent->at_ms < at_once_ms && recent->room != message->room->id &&
            recent->author != relay_author(message)) {
            *how = alike(message, recent);
            if (*how != ANOTHER) {
                return recent;
            }
        }
    }
    return NULL;
}

/* ---- ways that another bridge has --------------------------------------------------------- */

static struct relay_twice *find(struct relay *relay, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < RELAY_MUTES; i++) {
        struct relay_twice *twice = &relay->twice[i];
        if (twice->from == from && twice->to == to && twice->until_ms > relay->api->monotonic_ms(relay->bot)) {
            return twice;
        }
    }
    return NULL;
}

static void say(struct relay *relay, uint64_t from, uint64_t to, const char *id)
{
    const struct hr_room *source = relay->api->room(relay->bot, from), *target = relay->api->room(relay->bot, to);
    const struct hr_say say = {
        .size = sizeof(say),
        .text = relay->api->words(relay->bot, id, "service", source ? source->service : "there", NULL),
        .priority = HR_TIMING,
    };
    if (source && target) {
        relay->api->log(relay->bot, HR_WARN,
                        strcmp(id, "twice") == 0
                            ? "another bridge already carries %s/%s to %s/%s; it is left to that one"
                            : "the other bridge from %s/%s to %s/%s is silent; its lines are carried again",
                        source->network, source->address, target->network, target->address);
    }
    (void)relay->api->say(relay->bot, &to, 1, &say, NULL);
}

/* Enough to be sure: three that a machine said, or three that came from two people and more. */
static bool is_enough(const struct relay *relay, const struct relay_pair *last)
{
    int sure = 0, all = 0;
    bool others = false;
    for (size_t i = 0; i < RELAY_PAIRS; i++) {
        const struct relay_pair *pair = &relay->pair[i];
        if (pair->from == last->from && pair->to == last->to && pair->from && last->at_ms - pair->at_ms < while_ms) {
            all++;
            sure += pair->sure;
            others = others || pair->who != last->who;
        }
    }
    return sure >= PAIRS_NEEDED || (all >= PAIRS_NEEDED && others);
}

bool twice_is_copy(struct relay *relay, const struct hr_message *message)
{
    int64_t now = relay->api->monotonic_ms(relay->bot);
    enum likeness how = ANOTHER;
    const struct relay_recent *first = message->flags & HR_MSG_HISTORY ? NULL : first_of(relay, message, now, &how);
    if (!first) {
        return false;
    }
    struct relay_twice *twice = find(relay, first->room, message->room->id);
    if (twice) {
        twice->silent = 0;
        twice->until_ms = now + lasts_ms;
        return true;
    }
    const struct relay_pair pair = {
        .at_ms = now, .from = first->room, .to = message->room->id, .who = first->author, .sure = how == SURE};
    relay->pair[relay->next_pair++ % RELAY_PAIRS] = pair;
    if (!is_enough(relay, &pair)) {
        return false;
    }
    relay->twice[relay->next_twice++ % RELAY_MUTES] =
        (struct relay_twice){.until_ms = now + lasts_ms, .from = pair.from, .to = pair.to};
    say(relay, pair.from, pair.to, "twice");
    return true;
}

bool twice_is_carried(struct relay *relay, uint64_t from, uint64_t to)
{
    struct relay_twice *twice = find(relay, from, to);
    if (!twice) {
        return false;
    }
    if (++twice->silent <= SILENT_LINES) {
        return true;
    }
    twice->until_ms = 0;
    say(relay, from, to, "twice_over");
    return false;
}

void twice_report(struct relay *relay, struct hr_out *out)
{
    int64_t now = relay->api->monotonic_ms(relay->bot);
    for (size_t i = 0; i < RELAY_MUTES; i++) {
        const struct relay_twice *twice = &relay->twice[i];
        const struct hr_room *from = relay->api->room(relay->bot, twice->from);
        const struct hr_room *to = relay->api->room(relay->bot, twice->to);
        if (twice->until_ms > now && from && to) {
            relay->api->out(out, "Another bridge already carries %s/%s to %s/%s. Take one of the two out.\n",
                            from->network, from->address, to->network, to->address);
        }
    }
}
