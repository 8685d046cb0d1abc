/* SPDX-License-Identifier: MIT */
/* When the chat is: recurrence and zones, by libical. */
#include "schedule.h"

#include <hashroom/plugin.h>
#include <libical/ical.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STEPS = 20000 };

static const int64_t minute_ms = 60 * 1000;
static const int64_t day_ms = 24 * 60 * 60 * 1000;

static icaltimezone *find_zone(const char *name)
{
    icalerror_set_errors_are_fatal(0); /* else libical aborts on a bad rule or name */
    return strcmp(name, "UTC") == 0 ? icaltimezone_get_utc_timezone() : icaltimezone_get_builtin_timezone(name);
}

static struct icaltimetype to_ical(const struct moment *wall)
{
    struct icaltimetype out = icaltime_null_time();
    out.year = wall->year;
    out.month = wall->month;
    out.day = wall->day;
    out.hour = wall->hour;
    out.minute = wall->minute;
    return out;
}

static struct moment from_ical(struct icaltimetype time)
{
    return (struct moment){time.year, time.month, time.day, time.hour, time.minute, icaltime_day_of_week(time) - 1};
}

/* Seconds since the epoch, rounded down also before it. */
static time_t seconds(int64_t ms)
{
    return (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
}

int64_t schedule_instant(const char *zone, const struct moment *wall)
{
    return (int64_t)icaltime_as_timet_with_zone(to_ical(wall), find_zone(zone)) * 1000;
}

struct moment schedule_wall(const char *zone, int64_t at_ms)
{
    icaltimezone *utc = icaltimezone_get_utc_timezone();
    struct icaltimetype time = icaltime_from_timet_with_zone(seconds(at_ms), 0, utc);
    return from_ical(icaltime_convert_to_zone(time, find_zone(zone)));
}

/* ---- clock changes ------------------------------------------------------------ */

static int64_t offset_ms(const char *zone, int64_t at_ms)
{
    struct moment wall = schedule_wall(zone, at_ms);
    return schedule_instant("UTC", &wall) - at_ms / minute_ms * minute_ms;
}

bool schedule_change(const char *zone, int64_t from_ms, int64_t to_ms, int64_t *at_ms)
{
    int64_t before = offset_ms(zone, from_ms);
    for (int64_t low = from_ms; low < to_ms; low += day_ms) {
        int64_t high = low + day_ms;
        if (offset_ms(zone, high) == before) {
            continue;
        }
        while (high - low > minute_ms) {
            int64_t middle = low + (high - low) / 2;
            *(offset_ms(zone, middle) == before ? &low : &high) = middle;
        }
        high = high / minute_ms * minute_ms;
        if (high >= to_ms) {
            return false;
        }
        *at_ms = high;
        return true;
    }
    return false;
}

/* ---- recurrence ----------------------------------------------------------------- */

static bool read_time(const char *text, int *hour, int *minute)
{
    char rest;
    return sscanf(text, "%2d:%2d%c", hour, minute, &rest) == 2 && *hour >= 0 && *hour < 24 && *minute >= 0 &&
           *minute < 60;
}

static bool read_date(const char *text, struct moment *out)
{
    char rest;
    *out = (struct moment){0};
    if (sscanf(text, "%4d-%2d-%2d%c", &out->year, &out->month, &out->day, &rest) != 3) {
        return false;
    }
    struct icaltimetype time = to_ical(out);
    return out->year >= 1970 && icaltime_compare(icaltime_normalize(time), time) == 0;
}

/* Does the rule mean something only together with a first date? */
static bool needs_first(const struct icalrecurrencetype *rule)
{
    if (rule->interval > 1 || rule->count > 0) {
        return true;
    }
    bool days = rule->by_day[0] != ICAL_RECURRENCE_ARRAY_MAX || rule->by_month_day[0] != ICAL_RECURRENCE_ARRAY_MAX;
    return rule->freq != ICAL_DAILY_RECURRENCE && !days;
}

static bool by_the_clock(const struct icalrecurrencetype *rule)
{
    return rule->by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX || rule->by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX ||
           rule->by_second[0] != ICAL_RECURRENCE_ARRAY_MAX;
}

int schedule_check(const struct schedule *schedule, const char **option, const char **what)
{
    struct icalrecurrencetype rule;
    struct moment first;
    int hour, minute;
    *option = "zone";
    if (!find_zone(schedule->zone)) {
        *what = "is not a time zone known here. Write one such as \"Europe/London\"";
        return HR_EINVAL;
    }
    *option = "time";
    if (!read_time(schedule->time, &hour, &minute)) {
        *what = "is not a time. Write hours and minutes, for example \"20:00\"";
        return HR_EINVAL;
    }
    *option = "first";
    if (schedule->first[0] && !read_date(schedule->first, &first)) {
        *what = "is not a date. Write it as year, month and day, for example \"2026-01-06\"";
        return HR_EINVAL;
    }
    *option = "rule";
    rule = icalrecurrencetype_from_string(schedule->rule);
    if (rule.freq < ICAL_DAILY_RECURRENCE || rule.freq > ICAL_YEARLY_RECURRENCE || by_the_clock(&rule)) {
        *what = "is not a rule for days. Write one such as \"FREQ=WEEKLY;BYDAY=TU\"";
        return HR_EINVAL;
    }
    if (!schedule->first[0] && needs_first(&rule)) {
        *what = "needs a date to count from. Add the option first, for example first = \"2026-01-06\"";
        return HR_EINVAL;
    }
    return 0;
}

static struct moment start_of_rule(const struct schedule *schedule, int64_t after_ms)
{
    struct moment first = schedule_wall(schedule->zone, after_ms - 400 * day_ms);
    if (schedule->first[0]) {
        (void)read_date(schedule->first, &first);
    }
    (void)read_time(schedule->time, &first.hour, &first.minute);
    return first;
}

int schedule_next(const struct schedule *schedule, int64_t after_ms, struct moment *wall, int64_t *at_ms)
{
    (void)find_zone(schedule->zone);
    struct moment first = start_of_rule(schedule, after_ms);
    icalrecur_iterator *days = icalrecur_iterator_new(icalrecurrencetype_from_string(schedule->rule), to_ical(&first));
    if (!days) {
        return HR_EINVAL;
    }
    int status = HR_ENOTFOUND;
    for (int i = 0; i < MAX_STEPS && status == HR_ENOTFOUND; i++) {
        struct icaltimetype next = icalrecur_iterator_next(days);
        if (icaltime_is_null_time(next)) {
            break;
        }
        struct moment found = from_ical(next);
        int64_t at = schedule_instant(schedule->zone, &found);
        if (at > after_ms) {
            *wall = found;
            *at_ms = at;
            status = 0;
        }
    }
    icalrecur_iterator_free(days);
    return status;
}
