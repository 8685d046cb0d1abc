/* SPDX-License-Identifier: MIT */
/* The loop breaker: notices when another bridge gives our own words back. */
#include "relay.h"

#include <stdio.h>
#include <string.h>

static const int64_t minute_ms = 60 * 1000;
static const int64_t mute_ms = 10 * 60 * 1000;

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return h;
}

uint64_t relay_author(const struct hr_message *message)
{
    return hash(hash(UINT64_C(14695981039346656037), message->room->network), message->author.id);
}

bool loop_is_own_lead(const char *text, size_t len)
{
    static const char *const leads[] = {" on IRC", " on Matrix", " on Twitter", " on Mastodon", " on Bluesky"};
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        const char *lead = memmem(text, len, leads[i], strlen(leads[i]));
        const size_t after = lead ? (size_t)(lead - text) + strlen(leads[i]) : len;
        if (after < len && strchr(":, (", text[after]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Our own line came back into the room whose words it holds: handed on, it would grow with each turn. */
static bool is_own_line(const struct hr_message *message, const struct relay_recent *recent)
{
    size_t len = strlen(message->text);
    return recent->len && recent->handed_on && len > recent->len &&
           memcmp(message->text + len - recent->len, recent->text, recent->len) == 0 &&
           loop_is_own_lead(message->text, len - recent->len);
}

/* The same words, alone or behind a name another bridge put in front: "<bot> Ben on IRC: ok". */
static bool gives_back(const char *text, const struct relay_recent *recent)
{
    enum { LONG_ENOUGH = 10 }; /* two people who end with the same word are no loop */
    size_t len = strlen(text);
    if (!recent->len || len < recent->len || memcmp(text + len - recent->len, recent->text, recent->len) != 0) {
        return false;
    }
    const char *words = text + len - recent->len;
    if (words == text || (words - text >= 2 && words[-1] == ' ' && (words[-2] == ':' || words[-2] == '>'))) {
        return true;
    }
    return recent->len >= LONG_ENOUGH && words[-1] == ' ';
}

/* The newest line whose words come back here, or NULL. */
static const struct relay_recent *original(struct relay *relay, const struct hr_message *message, int64_t now)
{
    const struct relay_recent *found = NULL;
    uint64_t author = relay_author(message);
    for (size_t i = 0; i < RELAY_RECENT; i++) {
        const struct relay_recent *recent = &relay->recent[i];
        bool here = recent->room == message->room->id;
        bool back = here ? is_own_line(message, recent)
                         : recent->handed_on && recent->author != author && gives_back(message->text, recent);
        if (back && now - recent->at_ms < minute_ms && (!found || recent->at_ms > found->at_ms)) {
            found = recent;
        }
    }
    return found;
}

static int echoes(const struct relay *relay, const struct relay_echo *like)
{
    int count = 0;
    for (size_t i = 0; i < RELAY_RECENT; i++) {
        const struct relay_echo *echo = &relay->echo[i];
        count += echo->author == like->author && echo->room == like->room && echo->origin == like->origin &&
                 echo->room && like->at_ms - echo->at_ms < minute_ms;
    }
    return count;
}

bool loop_is_mute(struct relay *relay, uint64_t from, uint64_t to)
{
    int64_t now = relay->api->monotonic_ms(relay->bot);
    for (size_t i = 0; i < RELAY_MUTES; i++) {
        const struct relay_mute *mute = &relay->mute[i];
        if (mute->room == from && mute->origin == to && now < mute->until_ms) {
            return true;
        }
    }
    return false;
}

/* Another program here repeats us: nothing of it goes on, said once in 10 minutes. */
static bool own_room_echo(struct relay *relay, const struct relay_echo *echo)
{
    if (!loop_is_mute(relay, echo->room, echo->room) && echoes(relay, echo) >= 3) {
        struct hr_say say = {
            .size = sizeof(say), .text = relay->api->words(relay->bot, "repeated", NULL), .priority = HR_SAFETY};
        relay->mute[relay->next_mute++ % RELAY_MUTES] =
            (struct relay_mute){.until_ms = echo->at_ms + mute_ms, .room = echo->room, .origin = echo->room};
        (void)relay->api->say(relay->bot, &echo->room, 1, &say, NULL);
    }
    return true;
}

static void say_mute(struct relay *relay, const struct hr_room *from, uint64_t origin)
{
    const struct hr_room *to = relay->api->room(relay->bot, origin);
    relay->api->log(relay->bot, HR_WARN,
                    "another bridge in %s/%s gives back what was said in %s/%s; nothing is handed on from the first to "
                    "the second for 10 minutes",
                    from->network, from->address, to ? to->network : "?", to ? to->address : "?");
    struct hr_say say = {
        .size = sizeof(say),
        .text = relay->api->words(relay->bot, "muted", "service", from->service, NULL),
        .priority = HR_SAFETY,
        .expires_ms = relay->api->now_ms(relay->bot) + mute_ms,
    };
    (void)relay->api->say(relay->bot, &origin, 1, &say, NULL);
}

bool loop_is_echo(struct relay *relay, const struct hr_message *message)
{
    int64_t now = relay->api->monotonic_ms(relay->bot);
    const struct relay_recent *found = original(relay, message, now);
    if (!found) {
        return false;
    }
    struct relay_echo echo = {
        .at_ms = now, .room = message->room->id, .origin = found->room, .author = relay_author(message)};
    relay->echo[relay->next_echo++ % RELAY_RECENT] = echo;
    if (echo.room == echo.origin) {
        return own_room_echo(relay, &echo);
    }
    if (loop_is_mute(relay, echo.room, echo.origin)) {
        return true;
    }
    if (echoes(relay, &echo) < 3) {
        return false;
    }
    relay->mute[relay->next_mute++ % RELAY_MUTES] =
        (struct relay_mute){.until_ms = now + mute_ms, .room = echo.room, .origin = echo.origin};
    say_mute(relay, message->room, echo.origin);
    return true;
}

void loop_note(struct relay *relay, const struct hr_message *message, bool handed_on)
{
    struct relay_recent *recent = &relay->recent[relay->next_recent++ % RELAY_RECENT];
    size_t len = strlen(message->text);
    size_t skip = len > sizeof(recent->text) ? len - sizeof(recent->text) : 0;
    recent->at_ms = relay->api->monotonic_ms(relay->bot);
    recent->room = message->room->id;
    recent->author = relay_author(message);
    recent->handed_on = handed_on;
    (void)snprintf(recent->name, sizeof(recent->name), "%s", message->author.name);
    recent->len = len - skip;
    memcpy(recent->text, message->text + skip, recent->len);
}
