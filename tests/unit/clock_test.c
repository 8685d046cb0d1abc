/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include <hashroom/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define FILE_NAME "clock_test.tmp"

static void write_clock(const char *text)
{
    FILE *file = fopen(FILE_NAME, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static void without_a_file_chat_time_is_wall_time(void **state)
{
    (void)state;
    struct clock clock;
    assert_int_equal(clock_init(&clock, NULL), HR_OK);
    int64_t difference = clock_chat_ms(&clock) - clock_wall_ms();
    assert_true(difference > -2000 && difference < 2000);
}

static void file_sets_start_and_speed(void **state)
{
    (void)state;
    struct clock clock;
    char line[64];
    int64_t wall = clock_wall_ms() - 1000;
    (void)snprintf(line, sizeof line, "%lld 5000000 60\n", (long long)wall);
    write_clock(line);
    assert_int_equal(clock_init(&clock, FILE_NAME), HR_OK);
    int64_t now = clock_chat_ms(&clock);
    assert_true(now >= 5000000 + 60000 && now < 5000000 + 600000);
    assert_false(clock_reload(&clock));
    (void)unlink(FILE_NAME);
}

static void damaged_file_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "soon", "1 2", "1 2 -3", "1 2 nan", "-1 2 3", "1 99999999999999999 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct clock clock = {.speed = 7};
        write_clock(bad[i]);
        assert_int_equal(clock_init(&clock, FILE_NAME), HR_EINVAL);
        assert_true(clock.speed > 6.9 && clock.speed < 7.1);
    }
    (void)unlink(FILE_NAME);
    struct clock clock;
    assert_int_equal(clock_init(&clock, FILE_NAME), HR_EINVAL);
}

static void wait_is_in_real_milliseconds(void **state)
{
    (void)state;
    struct clock clock;
    assert_int_equal(clock_init(&clock, NULL), HR_OK);
    clock_set(&clock, 1000000, 60);
    int64_t wait = clock_until_ms(&clock, 1000000 + 60 * 5000);
    assert_true(wait > 4000 && wait <= 5000);
    assert_int_equal(clock_until_ms(&clock, 0), 0);
    clock_set(&clock, 1000000, 0);
    assert_int_equal(clock_until_ms(&clock, 2000000), 24 * 60 * 60 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_chat_time_is_wall_time),
        cmocka_unit_test(file_sets_start_and_speed),
        cmocka_unit_test(damaged_file_is_refused_and_changes_nothing),
        cmocka_unit_test(wait_is_in_real_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
