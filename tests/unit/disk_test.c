/* SPDX-License-Identifier: MIT */
/* A disk that fills up is told once, and once when there is room again. */
#include "disk.h"
#include "host_fixture.h"
#include "log.h"

static int lines;
static char last[512];

static void keep(void *arg, enum hr_level level, const char *line)
{
    (void)arg;
    (void)level;
    lines++;
    snprintf(last, sizeof(last), "%s", line);
}

static void told_once_when_low_and_once_when_well(void **state)
{
    struct fixture *f = *state;
    log_sink(keep, NULL);
    disk_look(f->app.disk, 500ULL << 20);
    assert_int_equal(lines, 0);
    disk_look(f->app.disk, 10ULL << 20);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(last, "has 10 MB left. Make room"));
    disk_look(f->app.disk, 9ULL << 20);
    assert_int_equal(lines, 1);
    disk_look(f->app.disk, 900ULL << 20);
    assert_int_equal(lines, 2);
    assert_non_null(strstr(last, "has room again"));
    log_sink(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told_once_when_low_and_once_when_well, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
