/* SPDX-License-Identifier: MIT */
/* A small file that outlives a power cut. */
#include "durable.h"
#include "state_fixture.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_file_is_replaced_as_a_whole_and_is_its_owners_alone(void **state)
{
    struct state *s = *state;
    assert_int_equal(durable_write(s->dir, "f", "a long first line\n", false), HR_OK);
    assert_int_equal(durable_write(s->dir, "f", "second\n", false), HR_OK);
    CLEANUP_FREE char *text = state_read(s, "f"), *path = state_path(s, "f"), *beside = state_path(s, "f.new");
    struct stat info;
    assert_string_equal(text, "second\n");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_not_equal(access(beside, F_OK), 0);
}

static void a_fresh_file_is_never_written_over_another(void **state)
{
    struct state *s = *state;
    assert_int_equal(durable_write(s->dir, "k", "one", true), HR_OK);
    assert_int_equal(durable_write(s->dir, "k", "two", true), HR_EEXIST);
    CLEANUP_FREE char *text = state_read(s, "k"), *beside = state_path(s, "k.new");
    assert_string_equal(text, "one");
    assert_int_not_equal(access(beside, F_OK), 0);
}

static void what_a_crash_left_beside_doesnt_stand_in_the_way(void **state)
{
    struct state *s = *state;
    state_write(s, "f.new", "half a li");
    assert_int_equal(durable_write(s->dir, "f", "whole\n", true), HR_OK);
    CLEANUP_FREE char *text = state_read(s, "f");
    assert_string_equal(text, "whole\n");
}

static void a_folder_that_is_missing_fails_with_its_reason(void **state)
{
    (void)state;
    assert_int_equal(durable_write("/nonexistent-folder", "f", "x", false), HR_EFAIL);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_is_replaced_as_a_whole_and_is_its_owners_alone),
        T(a_fresh_file_is_never_written_over_another),
        T(what_a_crash_left_beside_doesnt_stand_in_the_way),
        T(a_folder_that_is_missing_fails_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
