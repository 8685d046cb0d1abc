/* SPDX-License-Identifier: MIT */
/* How the session speaks: to which rooms, and dates, times and counts in plain words (R21). */
#include "session.h"

#include <string.h>

struct targets {
    uint32_t kind; /* HR_ROOM_PEOPLE or HR_ROOM_SOCIAL */
    const char *service;
    uint64_t room[MAX_ROOMS];
    size_t count;
};

static int add_room(void *arg, const struct hr_room *room)
{
    struct targets *targets = arg;
    bool wanted = (room->flags & targets->kind) && !(room->flags & HR_ROOM_PRIVATE);
    if (wanted && targets->service && strcmp(room->service, targets->service) != 0) {
        wanted = false;
    }
    if (wanted && targets->count < MAX_ROOMS) {
        targets->room[targets->count++] = room->id;
    }
    return 0;
}

static int say_rooms(struct session *session, const uint64_t *rooms, size_t count, const struct saying *saying)
{
    struct hr_say say = {
        .size = sizeof(say),
        .text = saying->text,
        .key = saying->key,
        .priority = saying->priority,
        .expires_ms = saying->expires_ms == NEVER_MS ? 0 : saying->expires_ms,
        .flags = saying->flags,
    };
    int status = session->api->say(session->bot, rooms, count, &say, NULL);
    return status == HR_EEXIST ? 0 : status;
}

static int say_to(struct session *session, uint32_t kind, const struct saying *saying)
{
    struct targets targets = {.kind = kind};
    int status = session->api->rooms(session->bot, session->chat, add_room, &targets);
    if (status < 0 || targets.count == 0) {
        return status;
    }
    return say_rooms(session, targets.room, targets.count, saying);
}

int say_room(struct session *session, uint64_t room, const struct saying *saying)
{
    return say_rooms(session, &room, 1, saying);
}

int say_people(struct session *session, const struct saying *saying)
{
    return say_to(session, HR_ROOM_PEOPLE, saying);
}

int say_posts(struct session *session, const struct saying *saying)
{
    return say_to(session, HR_ROOM_SOCIAL, saying);
}

bool say_has_service(struct session *session, const char *service)
{
    struct targets targets = {.kind = HR_ROOM_PEOPLE, .service = service};
    (void)session->api->rooms(session->bot, session->chat, add_room, &targets);
    return targets.count > 0;
}

const struct hr_chat *say_chat(struct session *session)
{
    return session->api->chat(session->bot, session->chat);
}

const char *say_tag(struct session *session)
{
    const struct hr_chat *chat = say_chat(session);
    return chat && chat->tag && chat->tag[0] ? chat->tag : session->chat;
}

/* ---- times -------------------------------------------------------------------- */

const char *say_day(struct session *session, const struct moment *wall)
{
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    const char *day = days[wall->weekday % 7], *month = months[(wall->month + 11) % 12];
    int64_t away = schedule_instant(session->schedule.zone, wall) - session->api->now_ms(session->bot);
    if (away > 183 * DAY_MS || away < -183 * DAY_MS) {
        return session->api->print(session->bot, "%s %d %s %d", day, wall->day, month, wall->year);
    }
    return session->api->print(session->bot, "%s %d %s", day, wall->day, month);
}

const char *say_clock(struct session *session, const struct moment *wall)
{
    int hour = wall->hour % 12 ? wall->hour % 12 : 12;
    const char *half = wall->hour < 12 ? "am" : "pm";
    if (wall->minute == 0 && wall->hour % 12 == 0) {
        return wall->hour ? "midday" : "midnight";
    }
    if (wall->minute == 0) {
        return session->api->print(session->bot, "%d%s", hour, half);
    }
    return session->api->print(session->bot, "%d:%02d%s", hour, wall->minute, half);
}

const char *say_times(struct session *session, const struct moment *wall)
{
    int64_t start = schedule_instant(session->schedule.zone, wall);
    struct moment end = schedule_wall(session->schedule.zone, start + session->length_ms);
    return session->api->print(session->bot, "%s to %s %s", say_clock(session, wall), say_clock(session, &end),
                               session->zone_name);
}

const char *say_when(struct session *session, int64_t at_ms)
{
    struct moment wall = schedule_wall(session->schedule.zone, at_ms);
    return session->api->print(session->bot, "%s %s", say_clock(session, &wall), session->zone_name);
}

int64_t say_minutes(int64_t ms)
{
    int64_t minutes = (ms + MINUTE_MS / 2) / MINUTE_MS;
    return minutes < 1 ? 1 : minutes;
}

const char *say_count(struct session *session, int64_t n, const char *one, const char *many)
{
    return session->api->print(session->bot, "%lld %s", (long long)n, n == 1 ? one : many);
}

const char *say_span(struct session *session, int64_t ms)
{
    int64_t minutes = say_minutes(ms);
    if (minutes % (24 * 60) == 0) {
        return say_count(session, minutes / (24 * 60), "day", "days");
    }
    if (minutes % 60 == 0) {
        return say_count(session, minutes / 60, "hour", "hours");
    }
    if (minutes < 120) {
        return say_count(session, minutes, "minute", "minutes");
    }
    return session->api->print(session->bot, "%s and %s", say_count(session, minutes / 60, "hour", "hours"),
                               say_count(session, minutes % 60, "minute", "minutes"));
}

const char *say_sentence(struct session *session, const char *text)
{
    size_t len = strlen(text);
    bool ended = len && strchr(".!?", text[len - 1]);
    return ended ? text : session->api->print(session->bot, "%s.", text);
}
