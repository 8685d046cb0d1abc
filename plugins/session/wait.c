/* SPDX-License-Identifier: MIT */
/* Between sessions: when posts are read, reminders, the clock-change notice, the start on time. */
#include "session.h"

#include <string.h>

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long after its time a session still begins by itself. Without autopilot a
 * host may come as late as the planned end. */
static int64_t late_start_ms(const struct session *session)
{
    return session->autopilot ? earlier(30 * MINUTE_MS, session->length_ms) : session->length_ms;
}

static const char *wall_text(struct session *session, const struct moment *wall)
{
    return session->api->print(session->bot, "%04d-%02d-%02dT%02d:%02d", wall->year, wall->month, wall->day, wall->hour,
                               wall->minute);
}

struct occurrence wait_next(struct session *session, int64_t now)
{
    struct occurrence next = {0};
    int64_t after = now - late_start_ms(session);
    while (schedule_next(&session->schedule, after, &next.wall, &next.at_ms) == 0) {
        if (!store_was_held(session, wall_text(session, &next.wall))) {
            next.known = true;
            break;
        }
        after = next.at_ms;
    }
    return next;
}

/* ---- the window in which posts are read ------------------------------------------- */

int wait_window(struct session *session, int64_t now)
{
    const struct hr_chat *chat = say_chat(session);
    struct occurrence next = wait_next(session, now);
    bool reading = chat->read_from_ms <= now && now < chat->read_to_ms;
    struct hr_chat record = *chat;
    record.session = 0;
    record.question = 0;
    record.quiet_until_ms = 0;
    record.starts_ms = record.ends_ms = 0;
    if (next.known && (!reading || next.at_ms - READ_BEFORE_MS <= now)) {
        record.read_from_ms = next.at_ms - READ_BEFORE_MS;
        record.read_to_ms = next.at_ms + session->length_ms + READ_AFTER_MS;
    }
    if (chat->session == 0 && chat->question == 0 && record.read_from_ms == chat->read_from_ms &&
        record.read_to_ms == chat->read_to_ms) {
        return 0;
    }
    int status = session->api->chat_set(session->bot, &record);
    return status < 0 ? status : 1;
}

/* ---- reminders ------------------------------------------------------------------------ */

static const char *topic_part(struct session *session, const struct plan *plan)
{
    return plan->topic[0]
               ? session->api->words(session->bot, "topic_part", "topic", say_sentence(session, plan->topic), NULL)
               : "";
}

static const char *questions_part(struct session *session, const struct plan *plan)
{
    return plan->count ? session->api->words(session->bot, "questions_part", NULL) : "";
}

static int64_t local_midnight(struct session *session, int64_t after_ms)
{
    struct moment wall = schedule_wall(session->schedule.zone, after_ms + DAY_MS);
    wall.hour = wall.minute = 0;
    return schedule_instant(session->schedule.zone, &wall);
}

/* 20% of the lead, at most half an hour: later than that it is not said. */
static int64_t grace_ms(int64_t lead_ms)
{
    return earlier(lead_ms / 5, 30 * MINUTE_MS);
}

static bool is_tomorrow(struct session *session, const struct moment *wall, int64_t now)
{
    struct moment next = schedule_wall(session->schedule.zone, now + DAY_MS);
    return next.year == wall->year && next.month == wall->month && next.day == wall->day;
}

static struct saying reminder(struct session *session, const struct occurrence *next, int64_t lead_ms, int64_t now)
{
    struct plan plan;
    if (store_plan(session, 0, &plan) < 0) {
        plan.topic[0] = '\0';
        plan.count = 0;
    }
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    int64_t left = next->at_ms - now;
    const char *lead = say_span(session, left > lead_ms - MINUTE_MS ? lead_ms : left);
    struct saying saying = {.priority = HR_TIMING, .flags = HR_SAY_TEXT};
    saying.expires_ms = earlier(next->at_ms, next->at_ms - lead_ms + grace_ms(lead_ms) + MINUTE_MS);
    if (lead_ms < 30 * MINUTE_MS) {
        saying.text = api->words(bot, "T04", "tag", say_tag(session), "lead", lead, NULL);
        saying.expires_ms = next->at_ms;
    } else if (lead_ms < 12 * HOUR_MS) {
        saying.text =
            api->words(bot, "T03", "tag", say_tag(session), "lead", lead, "time", say_when(session, next->at_ms),
                       "topic", topic_part(session, &plan), "questions", questions_part(session, &plan), NULL);
    } else {
        bool tomorrow = is_tomorrow(session, &next->wall, now);
        const char *day = api->print(bot, "%s%s", tomorrow ? "tomorrow, " : "on ", say_day(session, &next->wall));
        saying.text =
            api->words(bot, "T02", "tag", say_tag(session), "day", day, "times", say_times(session, &next->wall),
                       "topic", topic_part(session, &plan), "questions", questions_part(session, &plan), NULL);
        saying.expires_ms = tomorrow ? earlier(next->at_ms, local_midnight(session, now)) : next->at_ms;
    }
    return saying;
}

/* Of two that are due the one nearer to the start is said. */
static bool newer_is_due(const struct session *session, const struct occurrence *next, int64_t lead_ms, int64_t now)
{
    for (size_t i = 0; i < session->lead_count; i++) {
        if (session->lead_ms[i] < lead_ms && next->at_ms - session->lead_ms[i] <= now) {
            return true;
        }
    }
    return false;
}

static int remind(struct session *session, const struct occurrence *next, int64_t lead_ms, int64_t now)
{
    const char *key = session->api->print(session->bot, "%s %s reminder %lld", session->chat,
                                          wall_text(session, &next->wall), (long long)(lead_ms / MINUTE_MS));
    bool first = false;
    int status = store_once(session, key, &first);
    if (status < 0 || !first) {
        return status;
    }
    bool too_late = now > next->at_ms - lead_ms + grace_ms(lead_ms);
    if (too_late || now >= next->at_ms || newer_is_due(session, next, lead_ms, now)) {
        session->api->log(session->bot, HR_INFO, "the reminder %s before the chat is left out, it would come too late",
                          say_span(session, lead_ms));
        return 1;
    }
    struct saying saying = reminder(session, next, lead_ms, now);
    saying.key = key;
    status = say_people(session, &saying);
    return status < 0 ? status : 1;
}

static int reminders(struct session *session, const struct occurrence *next, int64_t now, int64_t *next_ms)
{
    for (size_t i = 0; i < session->lead_count; i++) {
        int64_t at = next->at_ms - session->lead_ms[i];
        if (at > now) {
            *next_ms = earlier(*next_ms, at);
            continue;
        }
        int status = remind(session, next, session->lead_ms[i], now);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

/* ---- the clocks change (T17) ------------------------------------------------------------- */

/* Friday before the weekend of the change, at the time of the chat. Changes on
 * other days are not "this weekend": they are not announced. */
static bool notice_at(struct session *session, int64_t change_ms, int64_t *at_ms)
{
    struct moment day = schedule_wall(session->schedule.zone, change_ms);
    if (day.weekday != 0 && day.weekday != 6) {
        return false;
    }
    int64_t friday = change_ms - (day.weekday == 0 ? 2 : 1) * DAY_MS;
    struct moment wall = schedule_wall(session->schedule.zone, friday);
    int hour = 20, minute = 0;
    (void)sscanf(session->schedule.time, "%2d:%2d", &hour, &minute);
    wall.hour = hour;
    wall.minute = minute;
    *at_ms = schedule_instant(session->schedule.zone, &wall);
    return true;
}

int wait_clocks(struct session *session, int64_t now, int64_t *next_ms)
{
    int64_t change, at;
    struct occurrence next = wait_next(session, now);
    if (!next.known || !schedule_change(session->schedule.zone, now, now + 8 * DAY_MS, &change) ||
        !notice_at(session, change, &at)) {
        return 0;
    }
    if (at > now) {
        *next_ms = earlier(*next_ms, at);
        return 0;
    }
    bool first = false;
    const char *key =
        session->api->print(session->bot, "%s clocks %lld", session->chat, (long long)(change / MINUTE_MS));
    int status = store_once(session, key, &first);
    if (status < 0 || !first) {
        return status;
    }
    struct saying saying = {
        .text = session->api->words(session->bot, "T17", "time", say_when(session, next.at_ms), NULL),
        .key = key,
        .priority = HR_TIMING,
        .expires_ms = change,
        .flags = HR_SAY_TEXT,
    };
    status = say_people(session, &saying);
    return status < 0 ? status : 1;
}

/* ---- one step ------------------------------------------------------------------------------- */

int wait_step(struct session *session, int64_t now, int64_t *next_ms)
{
    int status = wait_window(session, now);
    if (status != 0) {
        return status;
    }
    const struct hr_chat *chat = say_chat(session);
    if (chat->read_to_ms > now) {
        *next_ms = earlier(*next_ms, chat->read_to_ms);
    }
    struct occurrence next = wait_next(session, now);
    if (!next.known) {
        return 0;
    }
    if (next.at_ms - READ_BEFORE_MS > now) {
        *next_ms = earlier(*next_ms, next.at_ms - READ_BEFORE_MS);
    }
    if (next.at_ms > now) {
        *next_ms = earlier(*next_ms, next.at_ms);
        return reminders(session, &next, now, next_ms);
    }
    if (!session->autopilot) {
        *next_ms = earlier(*next_ms, next.at_ms + late_start_ms(session));
        return 0;
    }
    status = live_begin(session, &next, now, false);
    return status < 0 ? status : 1;
}
