/* SPDX-License-Identifier: MIT */
/* Tries the plugin against a host that records what it does. */
#include <fake_host.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void counts_and_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct fake *fake = fake_new(&hashroom_plugin);
    uint64_t room = fake_room(fake, "libera", "#room", "IRC", "", HR_ROOM_PEOPLE | HR_ROOM_UP);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_command(fake, room, "!counter"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, "The counter is at 1.");
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_command(fake, room, "!counter"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, "The counter is at 2.");
    fake_free(fake);
}

static void adds_the_configured_step(void **state)
{
    (void)state;
    struct fake *fake = fake_new(&hashroom_plugin);
    uint64_t room = fake_room(fake, "libera", "#room", "IRC", "", HR_ROOM_PEOPLE | HR_ROOM_UP);
    fake_option(fake, "step", "10");
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_command(fake, room, "!counter"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, "The counter is at 10.");
    fake_free(fake);
}

static void the_operator_resets_it_after_a_question(void **state)
{
    (void)state;
    const char *no[] = {"no"}, *yes[] = {"yes"};
    struct fake *fake = fake_new(&hashroom_plugin);
    uint64_t room = fake_room(fake, "libera", "#room", "IRC", "", HR_ROOM_PEOPLE | HR_ROOM_UP);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_command(fake, room, "!counter"), HR_OK);
    assert_int_equal(fake_tool(fake, "counter-reset", 0, NULL), HR_OK);
    assert_non_null(fake_with(fake, FAKE_ASK, "yes or no"));
    assert_int_equal(fake_tool(fake, "counter-reset", 1, no), HR_OK);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM counter_count"), 1);
    assert_int_equal(fake_tool(fake, "counter-reset", 1, yes), HR_OK);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM counter_count"), 0);
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_goes_on_after_a_restart),
        cmocka_unit_test(adds_the_configured_step),
        cmocka_unit_test(the_operator_resets_it_after_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
