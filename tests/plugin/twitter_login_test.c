/* SPDX-License-Identifier: MIT */
/* The login at X that is renewed: what becomes of it, how it is kept, and when it is erased. */
#include "twitter_world.h"

#define PAIR(n)                                                                                                       \
    "{\"token_type\":\"bearer\",\"expires_in\":7200,\"access_token\":\"access-" n "\",\"refresh_token\":\"refresh-" n \
    "\"}"
#define GONE "{\"error\":\"invalid_request\",\"error_description\":\"Value passed for the token was invalid.\"}"
#define SHORT_PAIR /* to be renewed after three minutes */ \
    "{\"token_type\":\"bearer\",\"expires_in\":240,\"access_token\":\"access-1\",\"refresh_token\":\"refresh-1\"}"
#define FOUND "{\"data\":[{\"id\":\"1597700000000000009\",\"text\":\"Question 1. Why? #dpulo\",\"author_id\":\"77\"}]}"

static void a_post_waits_for_the_first_pair_and_goes_with_it(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    assert_int_equal(post(fake), HR_OK);
    assert_null(fake_request(fake, CREATE));
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_ERETRY);
    const struct fake_record *renewal = fake_with(fake, FAKE_HTTP, "grant_type=refresh_token&refresh_token=refresh-0");
    assert_non_null(renewal);
    assert_non_null(strstr(renewal->headers, "Authorization: Basic aWQlM0ExOmNsaWVudCUyMHNlY3JldA==\n"));
    assert_non_null(strstr(renewal->headers, "Content-Type: application/x-www-form-urlencoded\n"));
    assert_int_equal(fake_number(fake, "SELECT asked FROM twitter_token"), 1);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    assert_int_equal(
        fake_number(fake, "SELECT count(*) FROM twitter_token WHERE asked = 0 AND refresh LIKE 'sealed1:%'"), 1);
    assert_int_equal(post(fake), HR_OK);
    assert_non_null(strstr(fake_with(fake, FAKE_HTTP, BODY)->headers, "Authorization: Bearer access-1\n"));
    fake_pass(fake, 2 * HOUR - 5 * MINUTE); /* renewed before its end */
    assert_int_equal(post(fake), HR_OK);
    assert_non_null(fake_with(fake, FAKE_HTTP, "refresh_token=refresh-1"));
    fake_free(fake);
}

/* A restart with a post in doubt and an access token at its end, while X is away. */
static struct fake *restarted(void)
{
    struct fake *fake = begin(true);
    assert_int_equal(send_with(fake, 1, fake_now_ms(fake), HR_PART_DOUBT), HR_OK);
    assert_null(fake_request(fake, ME));
    return fake;
}

static void a_post_in_doubt_is_looked_for_while_x_does_not_answer_the_renewal(void **state)
{
    (void)state;
    struct fake *fake = restarted();
    away(fake, RENEW, 5 * MINUTE);
    assert_int_equal(fake_count(fake, FAKE_SENT), 0);
    fake_pass(fake, MINUTE); /* the next renewal is under way */
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    fake_reply(fake, fake_request(fake, ME), 200, WHO);
    fake_pass(fake, 8 * SECOND);
    fake_reply(fake, fake_request(fake, TIMELINE), 200, FOUND);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_OK);
    assert_string_equal(fake_last(fake, FAKE_SENT)->key, "1597700000000000009");
    fake_free(fake);
}

static void a_post_in_doubt_is_unknown_when_the_renewal_stays_without_an_answer(void **state)
{
    (void)state;
    struct fake *fake = restarted();
    away(fake, RENEW, 10 * MINUTE);
    assert_int_equal(fake_count(fake, FAKE_SENT), 0);
    away(fake, RENEW, 2 * MINUTE);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_EUNKNOWN);
    fake_free(fake);
}

/* A post's answer is lost, X stays away, and then it is there again and says this to the renewal that is due. */
static struct fake *back_with(int code, const char *body)
{
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, SHORT_PAIR);
    fake_reply(fake, fake_request(fake, ME), 200, WHO);
    fake_forget(fake);
    assert_int_equal(post(fake), HR_OK);
    lose(fake, CREATE, true);
    away(fake, TIMELINE, 3 * MINUTE + 10 * SECOND);
    assert_int_equal(fake_count(fake, FAKE_SENT), 0);
    fake_reply(fake, fake_request(fake, RENEW), code, body);
    return fake;
}

static void a_post_is_not_looked_for_for_long_once_x_takes_the_login_no_more(void **state)
{
    (void)state;
    struct fake *fake = back_with(400, GONE);
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "Twitter no longer takes the login"));
    fake_pass(fake, 70 * SECOND);
    assert_int_equal(fake_count(fake, FAKE_SENT), 1);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_EUNKNOWN);
    fake_free(fake);
}

static void a_post_is_found_with_the_login_that_x_renews_when_it_is_back(void **state)
{
    (void)state;
    struct fake *fake = back_with(200, PAIR("2"));
    fake_pass(fake, 8 * SECOND);
    fake_reply(fake, fake_request(fake, TIMELINE), 200, FOUND);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_OK);
    fake_free(fake);
}

static void a_refused_token_is_renewed_once_before_anybody_is_called(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    (void)post(fake);
    fake_reply(fake, fake_request(fake, CREATE), 401, "{\"title\":\"Unauthorized\"}");
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("2"));
    assert_int_equal(fake_count(fake, FAKE_DOWN), 0);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, CREATE), 401, "{\"title\":\"Unauthorized\"}");
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "refused the credentials"));
    fake_free(fake);
}

static void an_unclear_renewal_is_asked_once_more_and_its_loss_is_told(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    lose(fake, RENEW, true);
    assert_int_equal(fake_number(fake, "SELECT asked FROM twitter_token"), 1);
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 400, GONE);
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "the new login got lost on its way"));
    fake_pass(fake, 3 * HOUR);
    assert_null(fake_request(fake, RENEW));
    fake_stop(fake);
    fake_option(fake, "refresh_token_file", "refresh-new"); /* the operator logged in again */
    assert_int_equal(fake_start(fake), HR_OK);
    (void)post(fake);
    assert_non_null(fake_with(fake, FAKE_HTTP, "refresh_token=refresh-new"));
    fake_free(fake);
}

static void what_surely_never_left_is_no_loss(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    lose(fake, RENEW, false);
    assert_int_equal(fake_number(fake, "SELECT asked FROM twitter_token"), 0);
    fake_pass(fake, 5 * SECOND);
    fake_reply(fake, fake_request(fake, RENEW), 400, GONE);
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "Twitter no longer takes the login"));
    fake_free(fake);
}

static void half_an_answer_and_a_proxys_page_do_not_end_a_login(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 400, "<html>bad request</html>");
    fake_pass(fake, 5 * SECOND);
    fake_reply(fake, fake_request(fake, RENEW), 200, "{\"access_tok");
    fake_pass(fake, 10 * SECOND);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    assert_int_equal(fake_count(fake, FAKE_DOWN), 0);
    assert_int_equal(fake_number(fake, "SELECT asked + lost FROM twitter_token"), 0);
    fake_free(fake);
}

static void the_login_is_stored_sealed_and_found_again(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE access LIKE 'sealed1:%' AND refresh"
                                       " LIKE 'sealed1:%' AND access <> refresh"),
                     1);
    fake_stop(fake);
    fake_sql(fake, "UPDATE twitter_token SET ends_ms = 0");
    assert_int_equal(fake_start(fake), HR_OK);
    (void)post(fake);
    assert_non_null(fake_with(fake, FAKE_HTTP, "refresh_token=refresh-1"));
    fake_free(fake);
}

static void a_login_stored_plain_is_sealed_at_the_start(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    fake_stop(fake);
    fake_sql(fake, "UPDATE twitter_token SET access = 'access-7', refresh = 'refresh-7', ends_ms = 0");
    fake_sql(fake, "INSERT INTO twitter_token SELECT 'y', origin, access, refresh, 0, 0, 0 FROM twitter_token");
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'x' AND"
                                       " (instr(access, 'access') + instr(refresh, 'refresh')) > 0"),
                     0);
    (void)post(fake);
    assert_non_null(fake_with(fake, FAKE_HTTP, "refresh_token=refresh-7"));
    fake_stop(fake);
    fake_option(fake, "refresh_token_file", "refresh-new"); /* the operator logged in again */
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'x'"), 0);
    fake_free(fake);
}

static void a_login_under_a_key_that_was_given_up_is_told_and_not_tried(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    fake_stop(fake);
    fake_forget(fake);
    fake_key(fake, 2);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(logged(fake, "was encrypted with a store key that was given up"), 1);
    (void)post(fake);
    assert_null(fake_request(fake, RENEW));
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "twitter-login"));
    fake_free(fake);
}

static void the_login_of_an_instance_that_was_taken_out_is_erased(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    fake_sql(fake, "INSERT INTO twitter_token SELECT 'gone', origin, access, refresh, 0, 0, 0 FROM twitter_token");
    for (int run = 0; run < 2; run++) { /* it is told once */
        fake_stop(fake);
        fake_forget(fake);
        assert_int_equal(fake_start(fake), HR_OK);
        assert_int_equal(logged(fake, "\"gone\" is no longer in plugins/twitter.conf"), run == 0);
        assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'gone'"), 0);
        assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'x'"), 1);
    }
    fake_stop(fake);
    fake_instance(fake, "z"); /* nor does a name that only ends alike keep it */
    fake_sql(fake, "UPDATE twitter_token SET instance = 'zz'");
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'zz'"), 0);
    fake_free(fake);
}

static void the_login_of_an_instance_that_no_longer_logs_in_with_it_is_erased(void **state)
{
    static const char *const keys[] = {"consumer_key_file", "consumer_secret_file", "access_token_file",
                                       "access_secret_file"};
    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        struct fake *fake = begin(true);
        (void)post(fake);
        fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
        fake_stop(fake);
        fake_option(fake, "client_id", "");
        fake_option(fake, "client_secret_file", "");
        fake_option(fake, "refresh_token_file", "");
        fake_option(fake, "bearer_file", by_hand ? "" : "bearer-of-the-app");
        for (size_t i = 0; !by_hand && i < 4; i++) {
            fake_option(fake, keys[i], "some-secret");
        }
        for (int run = 0; run < 2; run++) { /* it is told once */
            fake_forget(fake);
            assert_int_equal(fake_start(fake), HR_OK);
            assert_int_equal(logged(fake, "\"x\" no longer logs in with client_id: its login is erased"), run == 0);
            assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'x'"), 0);
            fake_stop(fake);
        }
        fake_free(fake);
    }
}

static void what_is_sealed_opens_only_whole_and_as_what_it_is(void **state)
{
    (void)state;
    struct fake *fake = begin(true);
    (void)post(fake);
    fake_reply(fake, fake_request(fake, RENEW), 200, PAIR("1"));
    static const char *const broken[] = {
        "UPDATE twitter_token SET refresh = substr(refresh, 1, length(refresh) - 2)",
        "UPDATE twitter_token SET refresh = substr(refresh, 1, length(refresh) - 1) || 'x'",
        "UPDATE twitter_token SET refresh = 'sealed1:'",
        "UPDATE twitter_token SET refresh = access",
    };
    fake_sql(fake, "CREATE TABLE good AS SELECT * FROM twitter_token");
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        fake_stop(fake);
        fake_sql(fake, "DELETE FROM twitter_token");
        fake_sql(fake, "INSERT INTO twitter_token SELECT * FROM good");
        fake_sql(fake, broken[i]);
        fake_forget(fake);
        assert_int_equal(fake_start(fake), HR_OK);
        assert_int_equal(logged(fake, "log in again"), 1);
    }
    fake_free(fake);
}

static void only_one_way_to_log_in_may_be_given(void **state)
{
    (void)state;
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_option(fake, "bearer_file", "b");
    fake_option(fake, "client_id", "id");
    fake_option(fake, "access_token_file", "t");
    assert_int_equal(fake_check(fake), 1);
    assert_non_null(fake_with(fake, FAKE_PROBLEM, "two ways to log in are given"));
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_waits_for_the_first_pair_and_goes_with_it),
        cmocka_unit_test(a_post_in_doubt_is_looked_for_while_x_does_not_answer_the_renewal),
        cmocka_unit_test(a_post_in_doubt_is_unknown_when_the_renewal_stays_without_an_answer),
        cmocka_unit_test(a_post_is_not_looked_for_for_long_once_x_takes_the_login_no_more),
        cmocka_unit_test(a_post_is_found_with_the_login_that_x_renews_when_it_is_back),
        cmocka_unit_test(a_refused_token_is_renewed_once_before_anybody_is_called),
        cmocka_unit_test(an_unclear_renewal_is_asked_once_more_and_its_loss_is_told),
        cmocka_unit_test(what_surely_never_left_is_no_loss),
        cmocka_unit_test(half_an_answer_and_a_proxys_page_do_not_end_a_login),
        cmocka_unit_test(the_login_is_stored_sealed_and_found_again),
        cmocka_unit_test(a_login_stored_plain_is_sealed_at_the_start),
        cmocka_unit_test(a_login_under_a_key_that_was_given_up_is_told_and_not_tried),
        cmocka_unit_test(the_login_of_an_instance_that_was_taken_out_is_erased),
        cmocka_unit_test(the_login_of_an_instance_that_no_longer_logs_in_with_it_is_erased),
        cmocka_unit_test(what_is_sealed_opens_only_whole_and_as_what_it_is),
        cmocka_unit_test(only_one_way_to_log_in_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
