/* SPDX-License-Identifier: MIT */
/* Posts that were left out of a busy room: said aloud, and shown when somebody asks. */
#include "relay.h"

enum { MISSED_LINES = 5 };

static int say(struct relay *relay, const struct hr_room *room, const char *text)
{
    const struct hr_say say = {.size = sizeof(say), .text = text, .priority = HR_TIMING};
    return relay->api->say(relay->bot, &room->id, 1, &say, NULL);
}

int missed_event(struct relay *relay, const struct hr_event *event)
{
    const struct hr_api *api = relay->api;
    struct hr_bot *bot = relay->bot;
    const char *service = event->message->room ? event->message->room->service : "";
    if (event->kind == HR_EV_BACKLOG) {
        return say(relay, event->room, api->words(bot, "T30", "service", service, NULL));
    }
    const char *count = event->count == 1 ? "1 older message" : api->print(bot, "%d older messages", event->count);
    const char *them = event->count == 1 ? "it" : "them";
    return say(relay, event->room,
               api->words(bot, "T30_left_out", "count", count, "service", service, "them", them, NULL));
}

struct reading {
    struct relay *relay;
    const char *text; /* of the answer so far, or NULL */
    int64_t last;     /* number of the last post shown, in the last of its rooms */
    int left;
};

static int on_missed(void *arg, const struct hr_value *column, size_t count)
{
    struct reading *reading = arg;
    const struct hr_api *api = reading->relay->api;
    struct hr_bot *bot = reading->relay->bot;
    (void)count;
    if (reading->left == 0) {
        return 0;
    }
    reading->left--;
    reading->last = column[0].num;
    const char *line = api->words(bot, "missed_line", "lead", column[1].str, "text", column[2].str, NULL);
    reading->text = reading->text ? api->print(bot, "%s\n%s", reading->text, line) : line;
    return 0;
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return 0;
}

/* A post left out of two rooms of the chat is shown once. */
#define UNSEEN                                                                                                       \
    " FROM core_pub_left_out WHERE chat = ?1 AND id > coalesce((SELECT shown FROM relay_missed WHERE room = ?2), 0)" \
    " AND (room = ?2 OR NOT EXISTS (SELECT 1 FROM core_pub_left_out WHERE room = ?2))"

int run_missed(void *state, const struct hr_call *call)
{
    struct reading reading = {.relay = state, .left = MISSED_LINES};
    const struct hr_api *api = reading.relay->api;
    struct hr_bot *bot = reading.relay->bot;
    const struct hr_value args[] = {HR_V_STR(call->chat->name), HR_V_INT((int64_t)call->room->id)};
    int status = api->sql(bot, "SELECT max(id), lead, text" UNSEEN " GROUP BY message ORDER BY min(id) LIMIT 6", args,
                          2, on_missed, &reading);
    if (status < 0) {
        return status;
    }
    if (!reading.text) {
        return api->answer(bot, call, api->words(bot, "missed_none", NULL));
    }
    const struct hr_value shown[] = {args[1], HR_V_INT(reading.last)};
    status = api->sql(bot, "INSERT INTO relay_missed VALUES(?1, ?2) ON CONFLICT(room) DO UPDATE SET shown = ?2", shown,
                      2, NULL, NULL);
    int64_t more = 0;
    if (status >= 0) {
        status = api->sql(bot, "SELECT count(DISTINCT message)" UNSEEN, args, 2, on_number, &more);
    }
    if (status < 0) {
        return status;
    }
    if (more > 0) {
        const char *rest = api->words(bot, "missed_more", "count", api->print(bot, "%lld", (long long)more), NULL);
        reading.text = api->print(bot, "%s\n%s", reading.text, rest);
    }
    return api->answer(bot, call, reading.text);
}
