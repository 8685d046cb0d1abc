/* SPDX-License-Identifier: MIT */
/* The filter of the long poll: kept by the server, lost by it. */
#include "matrix_test.h"

static void the_server_keeps_the_filter_once_reading_goes_well(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    assert_null(fake_request(world->fake, "/filter"));
    fake_pass(world->fake, 5000);
    answer(world, "POST http://127.0.0.1:8008/_matrix/client/v3/user/%40bot%3Ahs.test/filter", 200,
           "{\"filter_id\":\"f/7\"}");
    assert_non_null(fake_with(world->fake, FAKE_HTTP, "\"include_redundant_members\":false"));
    sync_events(world, TEXT("$2", ASHA, "two"));
    assert_non_null(fake_request(world->fake, "&filter=f%2F7"));
    sync_events(world, TEXT("$3", "@new:hs.test", "three")); /* whose name is asked for with the whole filter */
    assert_null(fake_request(world->fake, "&filter=f%2F7"));
    sync_events(world, TEXT("$3", "@new:hs.test", "three"));
    assert_non_null(fake_request(world->fake, "&filter=f%2F7"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 3);
    world_free(world);
}

static void a_server_that_lost_the_filter_is_told_it_again_and_the_place_stays(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_pass(world->fake, 5000);
    answer(world, "/filter", 200, "{\"filter_id\":\"7\"}");
    sync_events(world, TEXT("$1", ASHA, "one"));
    assert_non_null(fake_request(world->fake, "since=s2&filter=7"));
    answer(world, "/v3/sync", 400, "{\"errcode\":\"M_INVALID_PARAM\",\"error\":\"No such filter\"}");
    assert_non_null(fake_request(world->fake, "since=s2&filter=%7B"));
    sync_events(world, TEXT("$2", ASHA, "two"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 2);
    assert_int_equal(last_post(world)->flags & HR_MSG_HISTORY, 0);
    fake_pass(world->fake, 60000);
    assert_null(fake_request(world->fake, "v3/user/")); /* once in a run */
    world_free(world);
}

static void a_server_that_keeps_no_filters_is_told_it_each_time(void **state)
{
    (void)state;
    static const char *const replies[] = {"{\"errcode\":\"M_UNRECOGNIZED\"}", "{\"filter_id\":\"{}\"}",
                                          "{\"filter_id\":7}", "{}"};
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct world *world = world_open();
        fake_pass(world->fake, 5000);
        answer(world, "/filter", i == 0 ? 404 : 200, "%s", replies[i]);
        sync_events(world, TEXT("$1", ASHA, "one"));
        assert_non_null(fake_request(world->fake, "since=s2&filter=%7B"));
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_keeps_the_filter_once_reading_goes_well),
        cmocka_unit_test(a_server_that_lost_the_filter_is_told_it_again_and_the_place_stays),
        cmocka_unit_test(a_server_that_keeps_no_filters_is_told_it_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
