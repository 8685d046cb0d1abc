/* SPDX-License-Identifier: MIT */
/* Log lines: one line each, no secret in any. */
#include "log.h"
#include "test.h"

static char last[8192];

static void keep(void *arg, enum hr_level level, const char *line)
{
    (void)arg;
    (void)level;
    snprintf(last, sizeof(last), "%s", line);
}

static int setup(void **state)
{
    (void)state;
    log_level(HR_INFO);
    log_sink(keep, NULL);
    last[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_sink(NULL, NULL);
    log_clear();
    return 0;
}

static void says_level_and_who(void **state)
{
    (void)state;
    log_line(HR_WARN, "irc/libera", "lost the connection: %s; trying again in %d s", "reset", 4);
    assert_string_equal(last, "warning: irc/libera: lost the connection: reset; trying again in 4 s");
    log_line(HR_DEBUG, NULL, "too quiet to be heard");
    assert_non_null(strstr(last, "trying again"));
}

static void secrets_never_stand_in_a_line(void **state)
{
    (void)state;
    log_secret("hunter2-hunter2");
    log_secret("abc"); /* too short to be one */
    log_line(HR_INFO, NULL, "sent hunter2-hunter2 and hunter2-hunter2, abc");
    assert_string_equal(last, "info: sent (secret) and (secret), abc");
    log_secret("tiny");
    log_line(HR_INFO, NULL, "a tiny one");
    assert_null(strstr(last, "tiny"));
}

static void a_secret_that_begins_another_leaves_nothing_of_it(void **state)
{
    (void)state;
    log_secret("hunter");
    log_secret("hunter-of-bears");
    log_line(HR_INFO, NULL, "hunter-of-bears hunter");
    assert_string_equal(last, "info: (secret) (secre");
}

static void a_foreign_line_break_stays_one_line(void **state)
{
    (void)state;
    log_line(HR_INFO, NULL, "%s", "one\r\nerror: two\x1b[31m");
    assert_string_equal(last, "info: one  error: two [31m");
}

static void more_secrets_than_there_is_room_for_keep_the_newest(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char secret[32];
        snprintf(secret, sizeof(secret), "token-%03d-x", i);
        log_secret(secret);
    }
    log_line(HR_INFO, NULL, "token-099-x");
    assert_string_equal(last, "info: (secret)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_level_and_who, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_never_stand_in_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_secret_that_begins_another_leaves_nothing_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_foreign_line_break_stays_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(more_secrets_than_there_is_room_for_keep_the_newest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
