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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_goes_on_after_a_restart),
        cmocka_unit_test(adds_the_configured_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
