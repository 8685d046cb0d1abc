/* SPDX-License-Identifier: MIT */
/* How a person is named in front of a relayed line: "Ben (@ben) on Twitter". */
#include "relay.h"

#include <string.h>
#include <strings.h>

/* A name that ends like our own lead ("Asha on Matrix") would put words into
 * somebody else's mouth: such endings go, however often they are repeated. */
static size_t without_service(const char *name, size_t len)
{
    static const char *const services[] = {"twitter", "x", "irc", "matrix", "mastodon", "bluesky", "the terminal"};
    for (size_t i = 0; i < sizeof(services) / sizeof(*services);) {
        size_t service = strlen(services[i]);
        size_t tail = service + strlen(" on ");
        if (len > tail && strncasecmp(name + len - tail, " on ", 4) == 0 &&
            strncasecmp(name + len - service, services[i], service) == 0) {
            len -= tail;
            i = 0;
        } else {
            i++;
        }
    }
    return len;
}

/* Cut at a whole code point. */
static size_t at_most(const char *text, size_t len, size_t max_points)
{
    size_t points = 0;
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && points++ == max_points) {
            return i;
        }
    }
    return len;
}

static size_t trimmed(const char *text, size_t len)
{
    while (len && strchr(" :,\n", text[len - 1])) {
        len--;
    }
    return len;
}

const char *relay_name(struct relay *relay, const struct hr_person *person)
{
    const char *name = person->name;
    while (*name == ' ' || *name == '\n') {
        name++;
    }
    size_t len = at_most(name, strcspn(name, "\n"), RELAY_MAX_NAME);
    for (size_t before = len + 1; len < before;) { /* what one of them takes away may bare the other */
        before = len;
        len = without_service(name, trimmed(name, len));
    }
    if (len == 0) {
        return person->handle[0] ? person->handle : "Somebody";
    }
    return relay->api->print(relay->bot, "%.*s", (int)len, name);
}

const char *relay_lead(struct relay *relay, const struct hr_message *message, bool with_handle)
{
    const char *name = relay_name(relay, &message->author);
    const char *handle = message->author.handle;
    if (with_handle && handle[0] && strcmp(name, handle) != 0) {
        return relay->api->print(relay->bot, "%s (@%s) on %s", name, handle, message->room->service);
    }
    return relay->api->print(relay->bot, "%s on %s", name, message->room->service);
}

const char *relay_late(struct relay *relay, const struct hr_message *message, const char *lead)
{
    static const struct {
        int64_t ms;
        const char *name;
    } unit[] = {
        {INT64_C(24) * 3600 * 1000, "day"},
        {INT64_C(3600) * 1000, "hour"},
        {INT64_C(60) * 1000, "minute"},
    };
    int64_t age_ms = relay->api->now_ms(relay->bot) - message->time_ms;
    for (size_t i = 0; (message->flags & HR_MSG_HISTORY) && i < sizeof(unit) / sizeof(*unit); i++) {
        int count = (int)(age_ms / unit[i].ms);
        if (count > 0) {
            return relay->api->print(relay->bot, "%s, %d %s%s ago", lead, count, unit[i].name, count == 1 ? "" : "s");
        }
    }
    return lead;
}
