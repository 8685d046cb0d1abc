/* SPDX-License-Identifier: MIT */
/* Whether X lets us in, and as whom: refusals of the account, the login that is renewed, whose deletions are followed.
 */
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define RENEW "POST http://127.0.0.1:1/2/oauth2/token"
#define CREATE "POST http://127.0.0.1:1/2/tweets"
#define ME "GET http://127.0.0.1:1/2/users/me"
#define RULES "GET http://127.0.0.1:1/2/tweets/search/stream/rules"
#define STREAM "GET http://127.0.0.1:1/2/tweets/search/stream?"
#define SUBSCRIPTIONS "http://127.0.0.1:1/2/activity/subscriptions"
#define BODY "{\"text\":\"Question 1. Why? #dpulo\"}"
#define PAIR(n)                                                                                                       \
    "{\"token_type\":\"bearer\",\"expires_in\":7200,\"access_token\":\"access-" n "\",\"refresh_token\":\"refresh-" n \
    "\"}"
#define GONE "{\"error\":\"invalid_request\",\"error_description\":\"Value passed for the token was invalid.\"}"
#define RULE "{\"data\":[{\"id\":\"1\",\"value\":\"#dpulo -is:retweet\",\"tag\":\"hashroom #dpulo\"}]}"
#define POST(id, author)                                                                                            \
    "{\"data\":{\"id\":\"" id "\",\"text\":\"A1 #dpulo\",\"author_id\":\"" author                                   \
    "\",\"entities\":{\"hashtags\":[{\"start\":3,\"end\":9,\"tag\":\"dpulo\"}]}},\"includes\":{\"users\":[{\"id\":" \
    "\"" author "\",\"username\":\"p" author "\",\"name\":\"P\"}]}}\r\n"

static struct fake *begin(bool oauth2)
{
    static const char *const oauth1[] = {"consumer_key_file", "consumer_secret_file", "access_token_file",
                                         "access_secret_file"};
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_instance(fake, "x");
    fake_option(fake, "api_url", "http://127.0.0.1:1");
    fake_option(fake, "bearer_file", "bearer-of-the-app");
    for (size_t i = 0; !oauth2 && i < 4; i++) {
        fake_option(fake, oauth1[i], "some-secret");
    }
    if (oauth2) {
        fake_option(fake, "client_id", "id:1");
        fake_option(fake, "client_secret_file", "client secret");
        fake_option(fake, "refresh_token_file", "refresh-0\n");
    }
    fake_chat(fake, "dpulo", "#DPULO");
    (void)fake_room(fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    assert_int_equal(fake_start(fake), HR_OK);
    return fake;
}

static void window(struct fake *fake)
{
    fake_chat_record(fake, &(struct hr_chat){.size = sizeof(struct hr_chat),
                                             .name = "dpulo",
                                             .tag = "#DPULO",
                                             .read_from_ms = fake_now_ms(fake),
                                             .read_to_ms = fake_now_ms(fake) + 10 * HOUR});
}

static struct hr_request *reading(struct fake *fake)
{
    window(fake);
    fake_reply(fake, fake_request(fake, RULES), 200, RULE);
    struct hr_request *stream = fake_request(fake, STREAM);
    assert_non_null(stream);
    return stream;
}

static int send_again(struct fake *fake, int attempt, int64_t first_ms)
{
    struct hr_part part = {.size = sizeof(part),
                           .id = 1,
                           .txn = "s.1",
                           .room = fake_api(fake)->room(fake_bot(fake), 1),
                           .act = HR_ACT_SAY,
                           .body = BODY,
                           .body_len = strlen(BODY),
                           .attempt = attempt,
                           .first_ms = first_ms};
    return fake_send_part(fake, &part);
}

static int post(struct fake *fake)
{
    return send_again(fake, 1, fake_now_ms(fake));
}

static void lose(struct fake *fake, const char *request, bool sent)
{
    fake_reply_full(fake, fake_request(fake, request),
                    &(struct hr_reply){
                        .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "cut", .sent = sent});
}

static size_t logged(struct fake *fake, const char *piece)
{
    size_t n = 0;
    for (size_t i = 0; i < fake_count(fake, FAKE_LOG); i++) {
        n += strstr(fake_nth(fake, FAKE_LOG, i)->text, piece) != NULL;
    }
    return n;
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void money_closes_both_sides_in_one_line_and_is_asked_for_each_hour(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    fake_reply(fake, reading(fake), 402, "{\"title\":\"CreditsDepleted\"}");
    assert_int_equal(fake_count(fake, FAKE_DOWN), 1);
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text,
                           "Twitter is neither read nor posted to: the credits at Twitter are used up; top them up"));
    fake_pass(fake, HOUR - SECOND);
    assert_null(fake_request(fake, RULES));
    fake_pass(fake, SECOND);
    fake_reply(fake, fake_request(fake, RULES), 200, RULE);
    fake_reply(fake, fake_request(fake, STREAM), 402, "{\"title\":\"CreditsDepleted\"}");
    fake_reply(fake, fake_request(fake, ME), 402, "{\"title\":\"CreditsDepleted\"}");
    assert_int_equal(fake_count(fake, FAKE_DOWN), 1);
    (void)fake_report(fake);
    assert_non_null(fake_with(fake, FAKE_OUT, "Twitter is neither read nor posted to: the credits"));
    fake_pass(fake, HOUR);
    fake_reply(fake, fake_request(fake, RULES), 200, RULE);
    fake_reply_piece(fake, fake_request(fake, STREAM), "\r\n", 2);
    fake_reply(fake, fake_request(fake, ME), 200, "{\"data\":{\"id\":\"77\"}}");
    assert_int_equal(logged(fake, "Twitter can be read again"), 1);
    assert_int_equal(logged(fake, "Twitter can be posted to again"), 1);
    assert_string_equal(fake_last(fake, FAKE_UP)->address, "");
    fake_free(fake);
}

static void what_x_means_is_said_with_what_to_do(void **state)
{
    static const struct {
        int code;
        const char *body, *words;
    } table[] = {
        {403, "{\"title\":\"Forbidden\",\"type\":\"https://api.twitter.com/2/problems/user-suspended\"}",
         "Twitter has suspended or locked the account; sign in at x.com"},
        {403, "{\"errors\":[{\"code\":326,\"message\":\"this account is temporarily locked\"}]}",
         "Twitter has suspended or locked the account"},
        {403, "{\"title\":\"Client Forbidden\",\"type\":\"https://api.twitter.com/2/problems/client-forbidden\"}",
         "attach it to a project"},
        {403, "{\"title\":\"SpendCapReached\",\"reset_date\":\"2026-12-12\",\"type\":\"x/credits\"}",
         "the spending limit of this billing cycle is reached"},
        {429, "{\"title\":\"UsageCapExceeded\",\"type\":\"https://api.twitter.com/2/problems/usage-capped\"}",
         "the month's reading allowance at Twitter is used up; buy more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct fake *fake = begin(false);
        fake_reply(fake, reading(fake), table[i].code, table[i].body);
        assert_non_null(fake_with(fake, 0, table[i].words));
        fake_pass(fake, 10 * MINUTE);
        assert_null(fake_request(fake, STREAM));
        fake_free(fake);
    }
}

static void reading_that_is_refused_leaves_posting_alone(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    struct hr_request *stream = reading(fake);
    fake_reply(fake, stream, 401, "{\"title\":\"Unauthorized\"}");
    fake_pass(fake, 5 * SECOND); /* one is forgiven */
    fake_reply(fake, fake_request(fake, STREAM), 401, "{\"title\":\"Unauthorized\"}");
    assert_int_equal(logged(fake, "Twitter is not read: Twitter refused the credentials"), 1);
    assert_int_equal(fake_count(fake, FAKE_DOWN), 0);
    assert_int_equal(post(fake), HR_OK);
    assert_non_null(fake_request(fake, CREATE));
    fake_free(fake);
}

static void a_question_that_could_not_go_for_ten_minutes_is_given_up(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    int64_t first_ms = fake_now_ms(fake);
    fake_pass(fake, 9 * MINUTE);
    assert_int_equal(send_again(fake, 2, first_ms), HR_OK);
    fake_reply(fake, fake_request(fake, CREATE), 429, "{\"title\":\"Too Many Requests\"}");
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_ERETRY);
    fake_pass(fake, 2 * MINUTE);
    assert_int_equal(send_again(fake, 3, first_ms), HR_OK);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_EFAIL);
    assert_null(fake_request(fake, CREATE));
    fake_free(fake);
}

static void a_page_of_a_proxy_is_no_refusal_of_x(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    assert_int_equal(post(fake), HR_OK);
    fake_reply(fake, fake_request(fake, ME), 200, "{\"data\":{\"id\":\"77\"}}");
    fake_reply(fake, fake_request(fake, CREATE), 403, "<html>proxy</html>");
    assert_int_equal(fake_count(fake, FAKE_SENT), 0); /* it is looked for instead */
    fake_pass(fake, 8 * SECOND);
    assert_non_null(fake_request(fake, "/2/users/77/tweets?"));
    fake_free(fake);
}

/* ---- the login that is renewed ------------------------------------------------------------------ */

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
        fake_pass(fake, 1);
        assert_int_equal(logged(fake, "\"gone\" is no longer in plugins/twitter.conf"), run == 0);
        assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'gone'"), 0);
        assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'x'"), 1);
    }
    fake_stop(fake);
    fake_instance(fake, "z"); /* nor does a name that only ends alike keep it */
    fake_sql(fake, "UPDATE twitter_token SET instance = 'zz'");
    assert_int_equal(fake_start(fake), HR_OK);
    fake_pass(fake, 1);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_token WHERE instance = 'zz'"), 0);
    fake_free(fake);
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

/* ---- whose deletions are followed ------------------------------------------------------------------ */

static void people_of_a_month_ago_are_let_go_here_and_at_x(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    struct hr_request *stream = reading(fake);
    fake_reply(fake, fake_request(fake, "GET " SUBSCRIPTIONS), 200, "{\"meta\":{}}");
    assert_int_equal(fake_reply_piece(fake, stream, POST("4000", "900"), strlen(POST("4000", "900"))), HR_OK);
    fake_reply(fake, fake_request(fake, "POST " SUBSCRIPTIONS), 201, "{\"data\":{}}");
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_author WHERE watched = 1"), 1);
    fake_pass(fake, 31 * (int64_t)DAY);
    window(fake);
    fake_reply(
        fake, fake_request(fake, "GET " SUBSCRIPTIONS), 200,
        "{\"data\":[{\"subscription_id\":\"5\",\"event_type\":\"post.delete\",\"filter\":{\"user_id\":\"900\"},"
        "\"tag\":\"hashroom\"},{\"subscription_id\":\"6\",\"event_type\":\"post.delete\",\"filter\":{\"user_id\":"
        "\"901\"},\"tag\":\"others\"}]}");
    assert_non_null(fake_request(fake, "DELETE " SUBSCRIPTIONS "?ids=5"));
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_author"), 0);
    fake_free(fake);
}

static void the_list_of_people_has_an_end(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    assert_int_equal(fake_sql(fake, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)"
                                    " INSERT INTO twitter_author(instance, user_id, watched, seen_ms)"
                                    " SELECT 'x', i, 0, 1669752000000 + i FROM n"),
                     HR_OK);
    (void)reading(fake);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_author"), 1000);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM twitter_author WHERE user_id = '6000'"), 1);
    fake_free(fake);
}

/* ---- ages ---------------------------------------------------------------------------------------------- */

static void a_post_that_comes_late_is_marked_as_history(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    struct hr_request *stream = reading(fake);
    static const char *const lines[] = {
        "{\"data\":{\"id\":\"4000\",\"created_at\":\"2022-11-29T19:59:30.000Z\",\"text\":\"A1 #dpulo\",\"entities\":{"
        "\"hashtags\":[{\"start\":3,\"end\":9,\"tag\":\"dpulo\"}]}}}\r\n",
        "{\"data\":{\"id\":\"4001\",\"created_at\":\"2022-11-29T19:55:00.000Z\",\"text\":\"A2 #dpulo\",\"entities\":{"
        "\"hashtags\":[{\"start\":3,\"end\":9,\"tag\":\"dpulo\"}]}}}\r\n"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fake_reply_piece(fake, stream, lines[i], strlen(lines[i])), HR_OK);
        assert_int_equal(fake_last(fake, FAKE_POST)->flags & HR_MSG_HISTORY, i == 0 ? 0 : HR_MSG_HISTORY);
    }
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_closes_both_sides_in_one_line_and_is_asked_for_each_hour),
        cmocka_unit_test(what_x_means_is_said_with_what_to_do),
        cmocka_unit_test(reading_that_is_refused_leaves_posting_alone),
        cmocka_unit_test(a_question_that_could_not_go_for_ten_minutes_is_given_up),
        cmocka_unit_test(a_page_of_a_proxy_is_no_refusal_of_x),
        cmocka_unit_test(a_post_waits_for_the_first_pair_and_goes_with_it),
        cmocka_unit_test(a_refused_token_is_renewed_once_before_anybody_is_called),
        cmocka_unit_test(an_unclear_renewal_is_asked_once_more_and_its_loss_is_told),
        cmocka_unit_test(what_surely_never_left_is_no_loss),
        cmocka_unit_test(half_an_answer_and_a_proxys_page_do_not_end_a_login),
        cmocka_unit_test(the_login_is_stored_sealed_and_found_again),
        cmocka_unit_test(a_login_stored_plain_is_sealed_at_the_start),
        cmocka_unit_test(a_login_under_a_key_that_was_given_up_is_told_and_not_tried),
        cmocka_unit_test(the_login_of_an_instance_that_was_taken_out_is_erased),
        cmocka_unit_test(what_is_sealed_opens_only_whole_and_as_what_it_is),
        cmocka_unit_test(only_one_way_to_log_in_may_be_given),
        cmocka_unit_test(people_of_a_month_ago_are_let_go_here_and_at_x),
        cmocka_unit_test(the_list_of_people_has_an_end),
        cmocka_unit_test(a_post_that_comes_late_is_marked_as_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
