/* SPDX-License-Identifier: MIT */
/* Dates: clock changes, 29 February, rules that end, rules that count. */
#include "../../plugins/session/schedule.h"
#include <hashroom/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct schedule weekly(void)
{
    return (struct schedule){.rule = "FREQ=WEEKLY;BYDAY=TU", .time = "20:00", .zone = "Europe/London"};
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct moment wall = {.year = year, .month = month, .day = day, .hour = hour, .minute = minute};
    return schedule_instant("UTC", &wall);
}

static void assert_next(const struct schedule *schedule, int64_t after, int64_t expected)
{
    struct moment wall;
    int64_t at = 0;
    assert_int_equal(schedule_next(schedule, after, &wall, &at), 0);
    assert_int_equal(at, expected);
}

static void the_next_is_after_the_instant_not_at_it(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    assert_next(&schedule, utc(2011, 11, 29, 19, 59), utc(2011, 11, 29, 20, 0));
    assert_next(&schedule, utc(2011, 11, 29, 20, 0), utc(2011, 12, 6, 20, 0));
}

static void eight_stays_eight_over_both_clock_changes(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    assert_next(&schedule, utc(2026, 3, 20, 0, 0), utc(2026, 3, 24, 20, 0));
    assert_next(&schedule, utc(2026, 3, 25, 0, 0), utc(2026, 3, 31, 19, 0));
    assert_next(&schedule, utc(2026, 10, 20, 23, 0), utc(2026, 10, 27, 20, 0));
    assert_next(&schedule, utc(2026, 10, 19, 0, 0), utc(2026, 10, 20, 19, 0));
    struct moment wall = schedule_wall("Europe/London", utc(2026, 7, 1, 19, 0));
    assert_int_equal(wall.hour, 20);
    assert_int_equal(wall.weekday, 3);
}

static void a_chat_on_the_sunday_of_the_change_keeps_its_hour(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    (void)snprintf(schedule.rule, sizeof(schedule.rule), "FREQ=WEEKLY;BYDAY=SU");
    assert_next(&schedule, utc(2026, 3, 28, 0, 0), utc(2026, 3, 29, 19, 0));
    assert_next(&schedule, utc(2026, 10, 24, 0, 0), utc(2026, 10, 25, 20, 0));
}

static void the_clock_change_is_found_to_the_minute(void **state)
{
    (void)state;
    int64_t at = 0;
    assert_true(schedule_change("Europe/London", utc(2026, 3, 24, 20, 0), utc(2026, 4, 1, 0, 0), &at));
    assert_int_equal(at, utc(2026, 3, 29, 1, 0));
    assert_true(schedule_change("America/New_York", utc(2026, 10, 30, 0, 0), utc(2026, 11, 6, 0, 0), &at));
    assert_int_equal(at, utc(2026, 11, 1, 6, 0));
    assert_false(schedule_change("Europe/London", utc(2026, 3, 30, 0, 0), utc(2026, 4, 7, 0, 0), &at));
}

static void the_29th_of_february_comes_every_four_years(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    (void)snprintf(schedule.rule, sizeof(schedule.rule), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29");
    assert_next(&schedule, utc(2025, 1, 1, 0, 0), utc(2028, 2, 29, 20, 0));
    assert_next(&schedule, utc(2028, 2, 29, 20, 0), utc(2032, 2, 29, 20, 0));
    struct schedule tuesdays = weekly(); /* 29 February 2028 is a Tuesday */
    assert_next(&tuesdays, utc(2028, 2, 23, 0, 0), utc(2028, 2, 29, 20, 0));
}

static void a_rule_may_count_from_a_first_date_and_end(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    const char *option, *what;
    (void)snprintf(schedule.rule, sizeof(schedule.rule), "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=3");
    assert_int_equal(schedule_check(&schedule, &option, &what), HR_EINVAL);
    (void)snprintf(schedule.first, sizeof(schedule.first), "2026-01-06");
    assert_int_equal(schedule_check(&schedule, &option, &what), 0);
    assert_next(&schedule, utc(2026, 1, 7, 0, 0), utc(2026, 1, 20, 20, 0));
    struct moment wall;
    int64_t at;
    assert_int_equal(schedule_next(&schedule, utc(2026, 2, 4, 0, 0), &wall, &at), HR_ENOTFOUND);
}

static void a_time_that_does_not_exist_is_still_an_instant(void **state)
{
    (void)state;
    struct schedule schedule = weekly();
    (void)snprintf(schedule.rule, sizeof(schedule.rule), "FREQ=WEEKLY;BYDAY=SU");
    (void)snprintf(schedule.time, sizeof(schedule.time), "01:30");
    struct moment wall;
    int64_t at;
    assert_int_equal(schedule_next(&schedule, utc(2026, 3, 28, 0, 0), &wall, &at), 0);
    assert_true(at >= utc(2026, 3, 29, 0, 30) && at <= utc(2026, 3, 29, 1, 30));
    assert_next(&schedule, at, utc(2026, 4, 5, 0, 30));
}

static void nonsense_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *time, *zone, *first, *option;
    } cases[] = {
        {"FREQ=SOMETIMES", "20:00", "Europe/London", "", "rule"},
        {"", "20:00", "Europe/London", "", "rule"},
        {"FREQ=MINUTELY", "20:00", "Europe/London", "", "rule"},
        {"FREQ=WEEKLY", "20:00", "Europe/London", "", "rule"},
        {"FREQ=WEEKLY;BYDAY=TU;BYHOUR=9", "20:00", "Europe/London", "", "rule"},
        {"FREQ=WEEKLY;BYDAY=TU", "25:00", "Europe/London", "", "time"},
        {"FREQ=WEEKLY;BYDAY=TU", "8pm", "Europe/London", "", "time"},
        {"FREQ=WEEKLY;BYDAY=TU", "20:00", "Mars/Base", "", "zone"},
        {"FREQ=WEEKLY;BYDAY=TU", "20:00", "../../etc/passwd", "", "zone"},
        {"FREQ=WEEKLY;BYDAY=TU", "20:00", "Europe/London", "2026-02-30", "first"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct schedule schedule;
        const char *option = "", *what = "";
        (void)snprintf(schedule.rule, sizeof(schedule.rule), "%s", cases[i].rule);
        (void)snprintf(schedule.time, sizeof(schedule.time), "%s", cases[i].time);
        (void)snprintf(schedule.zone, sizeof(schedule.zone), "%s", cases[i].zone);
        (void)snprintf(schedule.first, sizeof(schedule.first), "%s", cases[i].first);
        assert_int_equal(schedule_check(&schedule, &option, &what), HR_EINVAL);
        assert_string_equal(option, cases[i].option);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_is_after_the_instant_not_at_it),
        cmocka_unit_test(eight_stays_eight_over_both_clock_changes),
        cmocka_unit_test(a_chat_on_the_sunday_of_the_change_keeps_its_hour),
        cmocka_unit_test(the_clock_change_is_found_to_the_minute),
        cmocka_unit_test(the_29th_of_february_comes_every_four_years),
        cmocka_unit_test(a_rule_may_count_from_a_first_date_and_end),
        cmocka_unit_test(a_time_that_does_not_exist_is_still_an_instant),
        cmocka_unit_test(nonsense_is_refused_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
