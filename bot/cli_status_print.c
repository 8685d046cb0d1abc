/* SPDX-License-Identifier: MIT */
/* For `hashroom status`: the words for people, one fact a line. */
#include "cli_status.h"
#include "xalloc.h"
#include <inttypes.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *object, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(object, name));
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* "2 hours", "1 minute"; the caller frees. */
static char *span(int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "day"}, {3600000, "hour"}, {60000, "minute"}, {1000, "second"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        int64_t n = ms / units[i].ms;
        if (n >= 2 || (i == 3 && n >= 1)) {
            return xasprintf("%" PRId64 " %s%s", n, units[i].unit, n == 1 ? "" : "s");
        }
    }
    return xstrdup("a moment");
}

/* A reason as part of a sentence: without its last stop. */
static int len_of(const char *reason)
{
    size_t len = strlen(reason);
    while (len > 0 && strchr(". \n", reason[len - 1]) != NULL) {
        len--;
    }
    return (int)len;
}

static void print_budget(const json_t *budget)
{
    if (!is_true(budget, "limited")) {
        return;
    }
    (void)printf("  Budget: %.1f of %.0f messages at once now, %.3g a second in the long run (%s).\n",
                 json_real_value(json_object_get(budget, "level")), json_real_value(json_object_get(budget, "burst")),
                 json_real_value(json_object_get(budget, "rate")), text_of(budget, "from"));
    if (number_of(budget, "blocked_ms") > 0) {
        CLEANUP_FREE char *wait = span(number_of(budget, "blocked_ms"));
        (void)printf("  The server asked to wait %s more.\n", wait);
    }
}

static void print_network(const json_t *network)
{
    CLEANUP_FREE char *time = span(number_of(network, "for_ms"));
    const char *reason = text_of(network, "reason"), *trouble = text_of(network, "trouble");
    if (!is_true(network, "up")) {
        (void)printf("%s (%s) does NOT work, for %s: %.*s.\n", text_of(network, "name"), text_of(network, "service"),
                     time, len_of(reason), reason);
    } else {
        (void)printf("%s (%s) works, for %s.\n", text_of(network, "name"), text_of(network, "service"), time);
        if (trouble[0] != '\0') {
            CLEANUP_FREE char *ago = span(number_of(network, "trouble_ago_ms"));
            (void)printf("  Its last trouble, %s ago: %.*s.\n", ago, len_of(trouble), trouble);
        }
    }
    print_budget(json_object_get(network, "budget"));
}

static void print_room(const json_t *room)
{
    const char *network = text_of(room, "network"), *address = text_of(room, "address");
    int64_t waiting = number_of(room, "waiting");
    const json_t *up = json_object_get(room, "up");
    if (json_is_false(up)) {
        const char *reason = text_of(room, "reason");
        (void)printf("%s/%s: the bot is NOT in the room%s%.*s.\n", network, address, reason[0] ? ": " : "",
                     len_of(reason), reason);
    }
    if (waiting > 0) {
        CLEANUP_FREE char *age = span(number_of(room, "oldest_ms"));
        (void)printf("%s/%s: %" PRId64 " message%s, the oldest for %s.\n", network, address, waiting,
                     waiting == 1 ? " waits" : "s wait", age);
    }
}

static void print_counts(const json_t *status)
{
    const json_t *day = json_object_get(status, "day"), *reasons = json_object_get(status, "reasons"), *one = NULL;
    size_t i = 0;
    (void)printf("In the last 24 hours: %" PRId64 " delivered, %" PRId64 " left out and named, %" PRId64
                 " expired, %" PRId64 " refused, %" PRId64 " unknown. Waiting now: %" PRId64 ".\n",
                 number_of(day, "delivered"), number_of(day, "named"), number_of(day, "expired"),
                 number_of(day, "refused"), number_of(day, "unknown"),
                 number_of(day, "waiting") + number_of(day, "claimed"));
    json_array_foreach(reasons, i, one)
    {
        const char *reason = text_of(one, "reason");
        (void)printf("  %" PRId64 " %s: %.*s.\n", number_of(one, "count"), text_of(one, "state"), len_of(reason),
                     reason[0] != '\0' ? reason : "no reason was written down");
    }
}

static void print_store(const json_t *status)
{
    const json_t *store = json_object_get(status, "store"), *key = json_object_get(status, "key");
    double mb = 1024.0 * 1024.0;
    (void)printf("Database: %.1f MB, %.1f MB of changes not yet in it. The disk has %.0f MB left%s.\n",
                 (double)number_of(store, "bytes") / mb, (double)number_of(store, "wal_bytes") / mb,
                 (double)number_of(store, "disk_free_bytes") / mb,
                 is_true(store, "disk_low") ? ": make room, when it is full the bot has to stop" : "");
    if (text_of(key, "text")[0] != '\0') {
        (void)printf("Store key: %s.\n", text_of(key, "text"));
    }
}

static void print_report(const json_t *report)
{
    for (const char *at = text_of(report, "text"); *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (len > 0) {
            (void)printf("%s: %.*s\n", text_of(report, "who"), (int)len, at);
        }
        at += len + (at[len] == '\n');
    }
}

void cli_status_print(const json_t *status)
{
    size_t i = 0;
    const json_t *one = NULL;
    if (is_true(status, "running")) {
        CLEANUP_FREE char *time = span(number_of(status, "for_ms"));
        (void)printf("hashroom %s has run for %s (process %" PRId64 ").\n", text_of(status, "version"), time,
                     number_of(status, "process"));
    } else {
        const char *why = text_of(status, "why");
        (void)printf("No answer from the bot: %.*s.\nWhat its folder says:\n", len_of(why), why);
    }
    json_array_foreach(json_object_get(status, "networks"), i, one)
    {
        print_network(one);
    }
    json_array_foreach(json_object_get(status, "rooms"), i, one)
    {
        print_room(one);
    }
    print_counts(status);
    print_store(status);
    json_array_foreach(json_object_get(status, "reports"), i, one)
    {
        print_report(one);
    }
}

bool cli_status_is_well(const json_t *status)
{
    size_t i = 0;
    const json_t *one = NULL;
    bool well =
        is_true(json_object_get(status, "key"), "well") && !is_true(json_object_get(status, "store"), "disk_low");
    json_array_foreach(json_object_get(status, "networks"), i, one)
    {
        well = well && is_true(one, "up");
    }
    json_array_foreach(json_object_get(status, "rooms"), i, one)
    {
        well = well && !json_is_false(json_object_get(one, "up"));
    }
    return well;
}
