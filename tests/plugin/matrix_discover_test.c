/* SPDX-License-Identifier: MIT */
/* From the user id to the homeserver: .well-known, redirects, what is refused, what is remembered. */
#include "matrix_test.h"

#define PAGE "GET https://hs.test/.well-known/matrix/client"
#define VERSIONS "{\"versions\":[\"v1.1\"]}"

static struct world *world_by_name(const char *homeserver)
{
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "homeserver", homeserver);
    assert_int_equal(fake_start(world->fake), HR_OK);
    return world;
}

static void redirect(struct world *world, const char *piece, const char *to)
{
    char *headers = NULL;
    assert_true(asprintf(&headers, "server: x\nlocation: %s\n", to) > 0);
    const struct hr_reply reply = {.code = 302, .retry_ms = -1, .body = "", .headers = headers, .error = ""};
    fake_reply_full(world->fake, fake_request(world->fake, piece), &reply);
    free(headers);
}

static const char *why_down(struct world *world)
{
    const struct fake_record *record = fake_last(world->fake, FAKE_DOWN);
    return record != NULL ? record->text : "";
}

static void the_user_id_leads_to_the_homeserver(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Authorization"));
    answer(world, PAGE, 200, "{\"m.homeserver\":{\"base_url\":\"https://matrix.hs.test/base//\"}}");
    answer(world, "GET https://matrix.hs.test/base/_matrix/client/versions", 200, VERSIONS);
    assert_non_null(fake_request(world->fake, "POST https://matrix.hs.test/base/_matrix/client/v3/login"));
    world_free(world);
}

static void a_name_of_the_configuration_is_asked_instead_with_its_port(void **state)
{
    (void)state;
    struct world *world = world_by_name(" other.test:8443 ");
    answer(world, "GET https://other.test:8443/.well-known/matrix/client", 404, "<html>no</html>");
    answer(world, "GET https://other.test:8443/_matrix/client/versions", 200, VERSIONS);
    assert_non_null(fake_request(world->fake, "POST https://other.test:8443/_matrix/client/v3/login"));
    world_free(world);
}

static void a_port_in_the_user_id_is_not_for_clients(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "homeserver", "");
    fake_option(world->fake, "user", "@bot:hs.test:8448");
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_non_null(fake_request(world->fake, PAGE));
    world_free(world);
}

static void redirects_are_followed_over_tls_and_not_for_ever(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    redirect(world, PAGE, "https://www.hs.test/matrix");
    answer(world, "GET https://www.hs.test/matrix", 200, "{\"m.homeserver\":{\"base_url\":\"https://m.test\"}}");
    answer(world, "https://m.test/_matrix/client/versions", 200, VERSIONS);
    assert_non_null(fake_request(world->fake, "POST https://m.test/"));
    world_free(world);

    world = world_by_name("");
    int hops = 0;
    for (; hops < 50 && fake_request(world->fake, "GET https://") != NULL; hops++) {
        redirect(world, "GET https://", hops % 2 ? "https://a.test/x" : "https://b.test/y");
    }
    assert_int_equal(hops, 6);
    assert_non_null(strstr(why_down(world), "without end"));
    world_free(world);

    static const char *const bad[] = {"http://hs.test/x", "file:///etc/passwd", "", "gopher://x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        world = world_by_name("");
        redirect(world, PAGE, bad[i]);
        assert_non_null(strstr(why_down(world), "can't be read safely"));
        assert_null(fake_request(world->fake, "GET"));
        world_free(world);
    }
}

static void what_the_page_names_has_to_be_an_address_with_tls(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "{}",
        "[]",
        "{\"m.homeserver\":\"https://m.test\"}",
        "{\"m.homeserver\":{}}",
        "{\"m.homeserver\":{\"base_url\":5}}",
        "{\"m.homeserver\":{\"base_url\":\"\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://\"}}",
        "{\"m.homeserver\":{\"base_url\":\"http://m.test\"}}",
        "{\"m.homeserver\":{\"base_url\":\"http://127.0.0.1:8008\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://user@m.test\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://m.test?x=1\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://m.test#x\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://m.test\\r\\nX: y\"}}",
        "{\"m.homeserver\":{\"base_url\":\"https://m.test\\u0000.evil\"}}",
        "{\"m.homeserver\":{\"base_url\":\"javascript:alert(1)\"}}",
        "<html>hello</html>",
        "",
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct world *world = world_by_name("");
        answer(world, PAGE, 200, "%s", pages[i]);
        if (strstr(why_down(world), "names no homeserver with https://") == NULL ||
            fake_request(world->fake, "http") != NULL) {
            fail_msg("%s: %s", pages[i], why_down(world));
        }
        world_free(world);
    }
}

static void other_answers_fail_in_words_and_are_tried_again(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    answer(world, PAGE, 500, "oops");
    assert_non_null(
        strstr(why_down(world), "cannot learn where the homeserver of hs.test is: the server answered 500"));
    fake_pass(world->fake, 90001);
    answer(world, PAGE, 404, " ");
    answer(world, "https://hs.test/_matrix/client/versions", 404, "<html>");
    assert_non_null(strstr(why_down(world), "should be https://hs.test, but that does not answer as one"));
    fake_pass(world->fake, 90001);
    const struct hr_reply tls = {
        .status = HR_EDENIED, .retry_ms = -1, .body = "", .headers = "", .error = "hs.test: TLS is refused: name"};
    fake_reply_full(world->fake, fake_request(world->fake, PAGE), &tls);
    assert_non_null(strstr(why_down(world), "TLS is refused"));
    fake_pass(world->fake, 90001);
    answer(world, PAGE, 404, " ");
    answer(world, "versions", 200, VERSIONS);
    assert_non_null(fake_request(world->fake, "POST https://hs.test/_matrix/client/v3/login"));
    world_free(world);
}

static void what_was_found_serves_while_the_page_is_away_and_a_move_is_followed(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    answer(world, PAGE, 200, "{\"m.homeserver\":{\"base_url\":\"https://one.test\"}}");
    answer(world, "versions", 200, VERSIONS);
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok1\",\"device_id\":\"DEV\"}");
    sync_rooms(world, JOINED(ROOM, ""));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, PAGE, 503, " ");
    assert_non_null(fake_request(world->fake, "GET https://one.test/_matrix/client/v3/sync"));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK); /* moved while the bot was off */
    answer(world, PAGE, 200, "{\"m.homeserver\":{\"base_url\":\"https://two.test/\"}}");
    answer(world, "https://two.test/_matrix/client/versions", 200, VERSIONS);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "it was https://one.test"));
    const char *headers = fake_last(world->fake, FAKE_HTTP)->headers;
    assert_non_null(fake_request(world->fake, "GET https://two.test/_matrix/client/v3/sync"));
    assert_non_null(strstr(headers, "Bearer tok1\n")); /* the same session */
    /* and while it runs */
    for (int i = 0; i < 30 && fake_request(world->fake, PAGE) == NULL; i++) {
        if (fake_request(world->fake, "/v3/sync") != NULL) {
            answer(world, "/v3/sync", 502, "<html>");
        }
        fake_pass(world->fake, 60000);
    }
    answer(world, PAGE, 200, "{\"m.homeserver\":{\"base_url\":\"https://three.test\"}}");
    answer(world, "https://three.test/_matrix/client/versions", 200, VERSIONS);
    assert_non_null(fake_request(world->fake, "GET https://three.test/_matrix/client/v3/sync"));
    sync_events(world, TEXT("$1", ASHA, "after the move"));
    assert_string_equal(last_post(world)->text, "after the move");
    world_free(world);
}

static void the_page_is_not_asked_at_each_failure(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    answer(world, PAGE, 404, " ");
    answer(world, "versions", 200, VERSIONS);
    size_t asked = 0;
    for (int64_t ms = 0; ms < 3600000; ms += 1000) {
        if (fake_request(world->fake, PAGE) != NULL) {
            asked++;
            answer(world, PAGE, 502, " ");
        }
        if (fake_request(world->fake, "/v3/login") != NULL) {
            answer(world, "/v3/login", 502, " ");
        }
        fake_pass(world->fake, 1000);
    }
    assert_in_range(asked, 4, 6);
    world_free(world);
}

static void stopping_during_discovery_is_clean(void **state)
{
    (void)state;
    struct world *world = world_by_name("");
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, PAGE, 404, " ");
    fake_stop(world->fake);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_user_id_leads_to_the_homeserver),
        cmocka_unit_test(a_name_of_the_configuration_is_asked_instead_with_its_port),
        cmocka_unit_test(a_port_in_the_user_id_is_not_for_clients),
        cmocka_unit_test(redirects_are_followed_over_tls_and_not_for_ever),
        cmocka_unit_test(what_the_page_names_has_to_be_an_address_with_tls),
        cmocka_unit_test(other_answers_fail_in_words_and_are_tried_again),
        cmocka_unit_test(what_was_found_serves_while_the_page_is_away_and_a_move_is_followed),
        cmocka_unit_test(the_page_is_not_asked_at_each_failure),
        cmocka_unit_test(stopping_during_discovery_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
