/* SPDX-License-Identifier: MIT */
/* What the host tells a plugin about itself. */
#include "api.h"
#include "host_fixture.h"

static int setup(void **state)
{
    *state = fixture_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void an_instance_that_does_not_run_is_configured_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *a = fixture_bot(f, "a"), *b = fixture_bot(f, "b");
    const struct hr_api *api = api_table(true);
    instance_enter(a);
    assert_string_equal(api->instances(a), " a b ");
    network_detach(b); /* as after a start() that failed */
    assert_string_equal(api->instances(a), " a b ");
    instance_leave(a, HR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_instance_that_does_not_run_is_configured_all_the_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
