/* SPDX-License-Identifier: MIT */
/* Whether X lets us in: refusals of the account, whose deletions are followed, how old a post is. */
#include "twitter_world.h"

#define RULES "GET http://127.0.0.1:1/2/tweets/search/stream/rules"
#define STREAM "GET http://127.0.0.1:1/2/tweets/search/stream?"
#define SUBSCRIPTIONS "http://127.0.0.1:1/2/activity/subscriptions"
#define RULE "{\"data\":[{\"id\":\"1\",\"value\":\"#dpulo -is:retweet\",\"tag\":\"hashroom #dpulo\"}]}"
#define POST(id, author)                                                                                            \
    "{\"data\":{\"id\":\"" id "\",\"text\":\"A1 #dpulo\",\"author_id\":\"" author                                   \
    "\",\"entities\":{\"hashtags\":[{\"start\":3,\"end\":9,\"tag\":\"dpulo\"}]}},\"includes\":{\"users\":[{\"id\":" \
    "\"" author "\",\"username\":\"p" author "\",\"name\":\"P\"}]}}\r\n"

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

static void a_post_is_not_looked_for_for_long_once_x_is_there_and_wants_money(void **state)
{
    (void)state;
    struct fake *fake = begin(false);
    assert_int_equal(post(fake), HR_OK);
    fake_reply(fake, fake_request(fake, ME), 200, WHO);
    lose(fake, CREATE, true);
    away(fake, TIMELINE, 2 * MINUTE);
    assert_int_equal(fake_count(fake, FAKE_SENT), 0);
    fake_reply(fake, reading(fake), 402, "{\"title\":\"CreditsDepleted\"}");
    away(fake, TIMELINE, 70 * SECOND);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_EUNKNOWN);
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
        cmocka_unit_test(a_post_is_not_looked_for_for_long_once_x_is_there_and_wants_money),
        cmocka_unit_test(a_question_that_could_not_go_for_ten_minutes_is_given_up),
        cmocka_unit_test(a_page_of_a_proxy_is_no_refusal_of_x),
        cmocka_unit_test(people_of_a_month_ago_are_let_go_here_and_at_x),
        cmocka_unit_test(the_list_of_people_has_an_end),
        cmocka_unit_test(a_post_that_comes_late_is_marked_as_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
