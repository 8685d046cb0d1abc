/* SPDX-License-Identifier: MIT */
/* Messages to devices: on disk until the server took them, in order, the same after a restart. */
#include "e2ee_world.h"

#include "../../plugins/matrix/e2ee/to_device.h"

#define SENT "/sendToDevice/"

static void add(struct world *world, const char *type, const char *user, const char *device, int number)
{
    json_t *content = json_pack("{s:i}", "number", number);
    assert_int_equal(to_device_add(mx_of(world), type, user, device, content), HR_OK);
    json_decref(content);
}

static void flush(struct world *world)
{
    assert_int_equal(to_device_flush(mx_of(world)), HR_OK);
}

/* The request under way; its text is a copy. */
static char *under_way(struct world *world)
{
    assert_non_null(fake_request(world->fake, SENT));
    return strdup(fake_last(world->fake, FAKE_HTTP)->text);
}

static void count_done(struct matrix *mx, void *arg)
{
    (void)mx;
    ++*(int *)arg;
}

static void messages_of_one_callback_go_together(void **state)
{
    (void)state;
    struct world *world = world_keys();
    add(world, "m.x", ASHA, "A1", 1);
    add(world, "m.x", ASHA, "A2", 2);
    add(world, "m.x", BEN, "*", 3);
    assert_null(fake_request(world->fake, SENT));
    flush(world);
    char *text = under_way(world);
    assert_string_equal(text, "{\"messages\":{\"" ASHA "\":{\"A1\":{\"number\":1},\"A2\":{\"number\":2}},\"" BEN
                              "\":{\"*\":{\"number\":3}}}}");
    answer(world, SENT "m.x/", 200, "{}");
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device"), 0);
    assert_null(fake_request(world->fake, SENT));
    free(text);
    world_free(world);
}

static void one_request_is_under_way_and_the_order_is_kept(void **state)
{
    (void)state;
    struct world *world = world_keys();
    int after[3] = {0};
    to_device_after(mx_of(world), count_done, NULL, &after[0]);
    assert_int_equal(after[0], 1); /* nothing waits */
    add(world, "m.x", ASHA, "A1", 1);
    add(world, "m.x", ASHA, "A1", 2); /* for the same device: another request */
    flush(world);
    to_device_after(mx_of(world), count_done, NULL, &after[1]);
    add(world, "m.x", ASHA, "A1", 3);
    flush(world);
    to_device_after(mx_of(world), count_done, NULL, &after[2]);
    for (int number = 1; number <= 3; number++) {
        char want[40], *text = under_way(world);
        snprintf(want, sizeof(want), "\"number\":%d", number);
        assert_non_null(strstr(text, want));
        assert_int_equal(after[1], number > 2);
        assert_int_equal(after[2], 0);
        answer(world, SENT, 200, "{}");
        free(text);
    }
    assert_int_equal(after[1] + after[2], 2);
    world_free(world);
}

static void a_request_is_bounded_in_messages_and_bytes(void **state)
{
    (void)state;
    struct world *world = world_keys();
    char device[20];
    for (int i = 0; i < 2 * TO_DEVICE_AT_ONCE + 1; i++) {
        snprintf(device, sizeof(device), "D%d", i);
        add(world, "m.x", ASHA, device, i);
    }
    flush(world);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device"), 3);
    char *big = malloc(200001);
    memset(big, 'x', 200000);
    big[200000] = '\0';
    json_t *content = json_pack("{s:s}", "big", big);
    for (int i = 0; i < 4; i++) {
        snprintf(device, sizeof(device), "D%d", i);
        assert_int_equal(to_device_add(mx_of(world), "m.y", ASHA, device, content), HR_OK);
    }
    flush(world);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device WHERE type = 'm.y'"), 2);
    assert_true(fake_number(world->fake, "SELECT max(length(body)) FROM matrix_to_device") < 600000);
    json_decref(content);
    free(big);
    world_free(world);
}

static void a_restart_sends_what_waits_again_under_the_same_name(void **state)
{
    (void)state;
    struct world *world = world_keys();
    add(world, "m.x", ASHA, "A1", 1);
    add(world, "m.y", ASHA, "A1", 2);
    flush(world);
    char *text = under_way(world), *url = strdup(fake_last(world->fake, FAKE_HTTP)->url);
    fake_stop(world->fake); /* nobody knows whether it came */
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_null(fake_request(world->fake, SENT)); /* first the keys have to be on the server */
    world->keys_by_hand = false;
    take_keys(world);
    const struct fake_record *again = fake_with(world->fake, FAKE_HTTP, text);
    assert_non_null(again);
    assert_string_equal(again->url, url);
    answer(world, SENT "m.x/", 200, "{}");
    answer(world, SENT "m.y/", 200, "{}");
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device"), 0);
    free(text);
    free(url);
    world_free(world);
}

static void a_server_that_is_away_is_asked_again_one_that_refuses_is_not(void **state)
{
    (void)state;
    struct world *world = world_keys();
    int after = 0;
    add(world, "m.x", ASHA, "A1", 1);
    flush(world);
    to_device_after(mx_of(world), count_done, NULL, &after);
    char *text = under_way(world), *url = strdup(fake_last(world->fake, FAKE_HTTP)->url);
    const int codes[] = {500, 502, 429};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        answer(world, SENT, codes[i], "{\"errcode\":\"M_X\",\"error\":\"away\"}");
        assert_null(fake_request(world->fake, SENT));
        fake_pass(world->fake, 90000);
        assert_non_null(fake_request(world->fake, SENT));
        assert_non_null(fake_request(world->fake, url));
    }
    assert_int_equal(after, 0);
    answer(world, SENT, 403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"no\"}");
    assert_int_equal(after, 1);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "refused messages to devices for good"));
    fake_pass(world->fake, 90000);
    assert_null(fake_request(world->fake, SENT));
    free(text);
    free(url);
    world_free(world);
}

static void nothing_goes_while_the_account_logs_in_anew(void **state)
{
    (void)state;
    struct world *world = world_keys();
    answer(world, "/v3/sync", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"x\",\"soft_logout\":true}");
    add(world, "m.x", ASHA, "A1", 1);
    flush(world);
    fake_pass(world->fake, 0);
    assert_null(fake_request(world->fake, SENT));
    world->keys_by_hand = false;
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok2\",\"device_id\":\"DEV\"}");
    assert_non_null(fake_request(world->fake, SENT));
    world_free(world);
}

static void what_another_device_of_ours_left_is_not_sent(void **state)
{
    (void)state;
    struct world *world = world_keys();
    add(world, "m.x", ASHA, "A1", 1);
    flush(world);
    answer(world, "/v3/sync", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"x\"}");
    fake_pass(world->fake, 0);
    world->keys_by_hand = false;
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok2\",\"device_id\":\"NEW\"}");
    assert_null(fake_request(world->fake, SENT "m.x/"));
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device"), 0);
    assert_int_equal(fake_number(world->fake, "SELECT device = 'NEW' FROM matrix_crypto"), 1);
    world_free(world);
}

static void what_is_plain_or_poisoned_is_dropped_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct world *world = world_keys();
    char deep[401];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    deep[400] = '\0';
    char *members = NULL;
    assert_true(asprintf(&members,
                         "\"to_device\":{\"events\":["
                         "{\"type\":\"m.room_key\",\"sender\":\"" ASHA "\",\"content\":{\"session_key\":\"x\"}},"
                         "{\"type\":\"m.forwarded_room_key\",\"sender\":\"" ASHA "\",\"content\":{}},"
                         "{\"type\":\"x.kind\",\"sender\":\"" ASHA "\",\"content\":{}},"
                         "{\"type\":\"m.secret.send\",\"sender\":\"" ASHA "\",\"content\":{\"secret\":\"x\"}},"
                         "{\"type\":\"m.room.encrypted\",\"sender\":\"" ASHA "\",\"content\":{\"a\":1e400}},"
                         "{\"type\":\"m.room.encrypted\",\"sender\":\"" ASHA "\",\"content\":{\"\\u0000\":%s}},"
                         "{\"type\":\"m.room.encrypted\",\"sender\":\"" ASHA "\",\"content\":{}},"
                         "17,\"x\",{\"type\":3}]}",
                         deep) > 0);
    sync_keys(world, members);
    assert_non_null(fake_request(world->fake, "/v3/sync"));
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_group_in"), 0);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "is of no known kind: x.kind"));
    assert_true(fake_count(world->fake, FAKE_LOG) < 8); /* a flood does not flood the log */
    free(members);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_one_callback_go_together),
        cmocka_unit_test(one_request_is_under_way_and_the_order_is_kept),
        cmocka_unit_test(a_request_is_bounded_in_messages_and_bytes),
        cmocka_unit_test(a_restart_sends_what_waits_again_under_the_same_name),
        cmocka_unit_test(a_server_that_is_away_is_asked_again_one_that_refuses_is_not),
        cmocka_unit_test(nothing_goes_while_the_account_logs_in_anew),
        cmocka_unit_test(what_another_device_of_ours_left_is_not_sent),
        cmocka_unit_test(what_is_plain_or_poisoned_is_dropped_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
