/* SPDX-License-Identifier: MIT */
/* Reading X in the session's window: rules, stream, search, deletions, budget. */
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * 1000 };

struct fix {
    struct fake *fake;
    uint64_t room;
};

static const struct hr_chat window = {
    .size = sizeof(struct hr_chat),
    .name = "dpulo",
    .tag = "#DPULO",
    .read_from_ms = FAKE_NOW_MS + 10 * MINUTE,
    .read_to_ms = FAKE_NOW_MS + 100 * MINUTE,
};

static struct fix begin(const char *option, const char *value)
{
    static const char *const secrets[] = {"bearer_file", "consumer_key_file", "consumer_secret_file",
                                          "access_token_file", "access_secret_file"};
    struct fix fix = {.fake = fake_new(&hashroom_plugin)};
    fake_instance(fix.fake, "x");
    fake_option(fix.fake, "api_url", "http://127.0.0.1:1");
    for (size_t i = 0; i < 5; i++) {
        fake_option(fix.fake, secrets[i], "some-secret");
    }
    if (option != NULL) {
        fake_option(fix.fake, option, value);
    }
    fake_chat(fix.fake, "dpulo", "#DPULO");
    fix.room = fake_room(fix.fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    assert_int_equal(fake_start(fix.fake), HR_OK);
    return fix;
}

/* The window opens and the rule stands already. */
static struct hr_request *open_stream(struct fix *fix)
{
    fake_chat_record(fix->fake, &window);
    fake_pass(fix->fake, 10 * MINUTE);
    fake_reply(fix->fake, fake_request(fix->fake, "GET http://127.0.0.1:1/2/users/me"), 200,
               "{\"data\":{\"id\":\"77\",\"username\":\"dpulochat\",\"name\":\"Chat\"}}");
    fake_reply(fix->fake, fake_request(fix->fake, "/stream/rules"), 200,
               "{\"data\":[{\"id\":\"1\",\"value\":\"#dpulo -is:retweet\",\"tag\":\"hashroom #dpulo\"}],\"meta\":{}}");
    struct hr_request *stream = fake_request(fix->fake, "/2/tweets/search/stream?");
    assert_non_null(stream);
    return stream;
}

#define POST(id, words)                                                                                             \
    "{\"data\":{\"id\":\"" id "\",\"text\":\"" words                                                                \
    " #dpulo\",\"author_id\":\"900\",\"entities\":{\"hashtags\":[{\"start\":0,"                                     \
    "\"end\":6,\"tag\":\"DPULO\"}]}},\"includes\":{\"users\":[{\"id\":\"900\",\"username\":\"ana_reads\",\"name\":" \
    "\"Ana\"}]}}\r\n"

static void say(struct fix *fix, struct hr_request *stream, const char *line)
{
    assert_int_equal(fake_reply_piece(fix->fake, stream, line, strlen(line)), HR_OK);
}

static void drop(struct fix *fix, struct hr_request *stream)
{
    fake_reply_full(fix->fake, stream,
                    &(struct hr_reply){
                        .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "cut", .sent = true});
}

static void nothing_is_read_outside_the_window(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    fake_chat_record(fix.fake, &window);
    fake_pass(fix.fake, 9 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_HTTP), 0);
    fake_pass(fix.fake, 1 * MINUTE);
    assert_non_null(fake_request(fix.fake, "/stream/rules"));
    assert_non_null(fake_request(fix.fake, "GET http://127.0.0.1:1/2/activity/stream"));
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->headers, "Authorization: Bearer some-secret\n"));
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->headers, "User-Agent: hashroom/"));
    fake_free(fix.fake);
}

static void rules_are_made_ours_and_others_left_alone(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    fake_chat_record(fix.fake, &window);
    fake_pass(fix.fake, 10 * MINUTE);
    fake_reply(fix.fake, fake_request(fix.fake, "/stream/rules"), 200,
               "{\"data\":[{\"id\":\"5\",\"value\":\"#old -is:retweet\",\"tag\":\"hashroom #old\"},"
               "{\"id\":\"6\",\"value\":\"cats\",\"tag\":\"theirs\"}]}");
    assert_string_equal(fake_last(fix.fake, FAKE_HTTP)->text, "{\"delete\":{\"ids\":[\"5\"]}}");
    fake_reply(fix.fake, fake_request(fix.fake, "POST http://127.0.0.1:1/2/tweets/search/stream/rules"), 200,
               "{\"meta\":{}}");
    assert_string_equal(fake_last(fix.fake, FAKE_HTTP)->text,
                        "{\"add\":[{\"value\":\"#dpulo -is:retweet\",\"tag\":\"hashroom #dpulo\"}]}");
    fake_reply(fix.fake, fake_request(fix.fake, "POST http://127.0.0.1:1/2/tweets/search/stream/rules"), 200,
               "{\"errors\":[{\"value\":\"#dpulo -is:retweet\",\"title\":\"DuplicateRule\"}],\"meta\":{}}");
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_free(fix.fake);
}

static void posts_of_the_stream_are_shown_once(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "\r\n");
    say(&fix, stream, POST("2105009737002090497", "A1. Poems"));
    say(&fix, stream, POST("2105009737002090497", "A1. Poems"));
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 1);
    const struct fake_record *post = fake_last(fix.fake, FAKE_POST);
    assert_string_equal(post->address, "#dpulo");
    assert_string_equal(post->name, "Ana");
    assert_string_equal(post->url, "https://x.com/ana_reads/status/2105009737002090497");
    assert_int_equal(fake_number(fix.fake, "SELECT sum(cost) FROM twitter_ledger"), 5 + 10 + 1);
    fake_free(fix.fake);
}

static void a_newer_version_is_an_edit_and_an_older_one_nothing(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, POST("1000", "A1. first"));
    say(&fix, stream, POST("3000\",\"edit_history_tweet_ids\":[\"1000\",\"2000\",\"3000\"],\"x\":\"", "A1. third"));
    say(&fix, stream, POST("2000\",\"edit_history_tweet_ids\":[\"1000\",\"2000\"],\"x\":\"", "A1. second"));
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 1);
    assert_int_equal(fake_count(fix.fake, FAKE_EDIT), 1);
    assert_string_equal(fake_last(fix.fake, FAKE_EDIT)->text, "A1. third #dpulo");
    assert_string_equal(fake_last(fix.fake, FAKE_EDIT)->key, "1000");
    assert_string_equal(fake_last(fix.fake, FAKE_EDIT)->revision, "3000");
    fake_free(fix.fake);
}

static void quotes_without_the_tag_and_own_posts_are_left_out(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "{\"data\":{\"id\":\"5\",\"text\":\"look at #dpulo\",\"author_id\":\"900\"}}\r\n");
    say(&fix, stream,
        "{\"data\":{\"id\":\"6\",\"text\":\"Q1 #dpulo\",\"author_id\":\"77\",\"entities\":{\"hashtags\":[{\"tag\":"
        "\"dpulo\"}]}}}\r\n");
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 0);
    fake_free(fix.fake);
}

static void a_drop_connects_at_once_and_fills_the_gap(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "\r\n");
    fake_pass(fix.fake, 5 * MINUTE);
    fake_forget(fix.fake);
    drop(&fix, stream);
    fake_pass(fix.fake, 0);
    stream = fake_request(fix.fake, "/2/tweets/search/stream?");
    assert_non_null(stream);
    say(&fix, stream, "\r\n");
    drop(&fix, stream);
    fake_pass(fix.fake, 0); /* it lived: at once again */
    stream = fake_request(fix.fake, "/2/tweets/search/stream?");
    assert_non_null(stream);
    drop(&fix, stream);
    fake_pass(fix.fake, 0); /* it never stood: the second try still comes at once, the third waits */
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/recent?"));
    fake_free(fix.fake);
}

static void search_pages_come_in_order_of_time_with_one_cursor(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "\r\n");
    fake_pass(fix.fake, 4 * MINUTE);
    struct hr_request *search = fake_request(fix.fake, "/2/tweets/search/recent?");
    assert_non_null(search);
    const struct fake_record *asked = fake_last(fix.fake, FAKE_HTTP);
    assert_non_null(strstr(asked->url, "query=%23dpulo%20-is%3Aretweet"));
    assert_non_null(strstr(asked->url, "start_time=2022-11-29T20%3A10%3A00Z"));
    assert_null(strstr(asked->url, "since_id"));
    fake_reply(fix.fake, search, 200,
               "{\"data\":[{\"id\":\"1597700000000000003\",\"text\":\"c\",\"author_id\":\"9\",\"entities\":{"
               "\"hashtags\":[{\"tag\":\"dpulo\"}]}},"
               "{\"id\":\"1597700000000000002\",\"text\":\"b\",\"author_id\":\"9\",\"entities\":{\"hashtags\":[{"
               "\"tag\":\"dpulo\"}]}}],"
               "\"meta\":{\"next_token\":\"n1\",\"result_count\":2}}");
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 0);
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->url, "next_token=n1"));
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->url, "start_time=2022-11-29T20%3A10%3A00Z"));
    fake_reply(fix.fake, fake_request(fix.fake, "next_token=n1"), 200,
               "{\"data\":[{\"id\":\"1597700000000000001\",\"text\":\"a\",\"author_id\":\"9\",\"entities\":{"
               "\"hashtags\":[{\"tag\":\"dpulo\"}]}}],"
               "\"meta\":{\"result_count\":1}}");
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 3);
    assert_string_equal(fake_nth(fix.fake, FAKE_POST, 0)->text, "a");
    assert_string_equal(fake_nth(fix.fake, FAKE_POST, 2)->text, "c");
    assert_int_equal(fake_number(fix.fake, "SELECT cursor = '1597700000000000003' FROM twitter_cursor"), 1);
    fake_free(fix.fake);
}

static void the_window_is_searched_once_more_after_its_end(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "\r\n");
    fake_pass(fix.fake, 4 * MINUTE);
    fake_reply(fix.fake, fake_request(fix.fake, "/recent?"), 200, "{\"meta\":{\"result_count\":0}}");
    fake_pass(fix.fake, 86 * MINUTE);
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    assert_null(fake_request(fix.fake, "/2/activity/stream"));
    assert_null(fake_request(fix.fake, "/recent?"));
    fake_pass(fix.fake, 1 * MINUTE);
    assert_non_null(fake_request(fix.fake, "/recent?"));
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->url, "end_time=2022-11-29T21%3A40%3A00Z"));
    fake_reply(fix.fake, fake_request(fix.fake, "/recent?"), 200, "{\"meta\":{\"result_count\":0}}");
    fake_pass(fix.fake, 60 * MINUTE);
    assert_null(fake_request(fix.fake, "/recent?"));
    fake_free(fix.fake);
}

static void a_ghost_connection_is_closed_once(void **state)
{
    (void)state;
    static const char full[] = "{\"title\":\"ConnectionException\",\"connection_issue\":\"TooManyConnections\","
                               "\"type\":\"https://api.x.com/2/problems/streaming-connection\"}";
    struct fix fix = begin(NULL, NULL);
    fake_reply(fix.fake, open_stream(&fix), 429, full);
    fake_reply(fix.fake, fake_request(fix.fake, "DELETE http://127.0.0.1:1/2/connections/all"), 200, "{\"data\":{}}");
    fake_pass(fix.fake, 59 * SECOND);
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_pass(fix.fake, 1 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, "/2/tweets/search/stream?"), 429, full);
    assert_null(fake_request(fix.fake, "DELETE"));
    fake_pass(fix.fake, 119 * SECOND);
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_pass(fix.fake, 1 * SECOND);
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_free(fix.fake);
}

static size_t warnings(const struct fix *fix, const char *piece)
{
    size_t count = 0;
    const struct fake_record *line;
    for (size_t i = 0; (line = fake_nth(fix->fake, FAKE_LOG, i)) != NULL; i++) {
        count += line->level == HR_WARN && strstr(line->text, piece) != NULL;
    }
    return count;
}

static void an_x_that_is_away_is_told_once_a_minute(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    drop(&fix, open_stream(&fix));
    int tries = 0;
    for (int i = 0; i < 5 * 60; i++, fake_pass(fix.fake, 1 * SECOND)) {
        struct hr_request *stream = fake_request(fix.fake, "/2/tweets/search/stream?");
        tries += stream != NULL;
        if (stream != NULL) {
            drop(&fix, stream);
        }
    }
    assert_true(tries > 20);
    assert_in_range(warnings(&fix, "posts on Twitter: cut: connecting again"), 4, 5);
    for (int i = 0; i < 20 && fake_request(fix.fake, "/2/tweets/search/stream?") == NULL; i++) {
        fake_pass(fix.fake, 1 * SECOND);
    }
    fake_reply(fix.fake, fake_request(fix.fake, "/2/tweets/search/stream?"), 503, "{}");
    assert_int_equal(warnings(&fix, "connecting again in 5000 ms"), 1); /* another reason is told at once */
    fake_free(fix.fake);
}

static void a_429_is_not_tried_before_its_reset(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    char headers[64];
    snprintf(headers, sizeof(headers), "x-rate-limit-reset: %lld\n", (long long)(fake_now_ms(fix.fake) / 1000 + 300));
    fake_reply_full(fix.fake, stream,
                    &(struct hr_reply){.status = HR_OK,
                                       .code = 429,
                                       .body = "{}",
                                       .body_len = 2,
                                       .retry_ms = -1,
                                       .headers = headers,
                                       .error = "",
                                       .sent = true});
    fake_pass(fix.fake, 299 * SECOND);
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_pass(fix.fake, 1 * SECOND);
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_free(fix.fake);
}

static void without_rules_they_are_made_again(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    fake_reply(fix.fake, open_stream(&fix), 409, "{\"connection_issue\":\"RuleConfigurationIssue\"}");
    fake_reply(fix.fake, fake_request(fix.fake, "GET http://127.0.0.1:1/2/tweets/search/stream/rules"), 200,
               "{\"meta\":{}}");
    fake_reply(fix.fake, fake_request(fix.fake, "POST http://127.0.0.1:1/2/tweets/search/stream/rules"), 201,
               "{\"meta\":{}}");
    fake_pass(fix.fake, 5 * SECOND);
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    fake_free(fix.fake);
}

static void money_and_refusals_stop_the_stream(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    fake_reply(fix.fake, open_stream(&fix), 402, "{\"title\":\"CreditsDepleted\"}");
    fake_pass(fix.fake, 5 * MINUTE);
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    (void)fake_report(fix.fake);
    assert_non_null(fake_with(fix.fake, FAKE_OUT, "the credits at Twitter are used up"));
    fake_free(fix.fake);
}

static void deletions_are_subscribed_and_followed(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, POST("4000", "A1. Poems"));
    fake_reply(fix.fake, fake_request(fix.fake, "GET http://127.0.0.1:1/2/activity/subscriptions"), 200,
               "{\"meta\":{\"result_count\":0}}");
    assert_non_null(fake_with(
        fix.fake, FAKE_HTTP, "{\"event_type\":\"post.delete\",\"filter\":{\"user_id\":\"900\"},\"tag\":\"hashroom\"}"));
    fake_reply(fix.fake, fake_request(fix.fake, "POST http://127.0.0.1:1/2/activity/subscriptions"), 200,
               "{\"data\":{}}");
    say(&fix, stream, POST("4001", "A1. Novels"));
    assert_null(fake_request(fix.fake, "POST http://127.0.0.1:1/2/activity/subscriptions"));
    say(&fix, fake_request(fix.fake, "/2/activity/stream"),
        "{\"data\":{\"event_uuid\":\"-2\",\"event_type\":\"post.delete\",\"payload\":{\"id\":\"4000\",\"author_id\":"
        "\"900\"}}}\r\n");
    assert_int_equal(fake_count(fix.fake, FAKE_REMOVE), 1);
    assert_string_equal(fake_last(fix.fake, FAKE_REMOVE)->key, "4000");
    fake_free(fix.fake);
}

static void the_budget_stops_reading(void **state)
{
    (void)state;
    struct fix fix = begin("budget_day_cents", "2");
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, POST("4000", "A1. Poems")); /* 5 + 10, and 1 for our own account */
    assert_non_null(fake_with(fix.fake, FAKE_LOG, "Twitter has cost 1 cents today"));
    assert_non_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    say(&fix, stream, POST("4001", "A1. Novels"));
    assert_null(fake_request(fix.fake, "/2/tweets/search/stream?"));
    assert_non_null(fake_with(fix.fake, FAKE_LOG, "reading Twitter stops: today's budget of 2 cents is used up"));
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 2);
    (void)fake_report(fix.fake);
    assert_non_null(fake_with(fix.fake, FAKE_OUT, "Posts on Twitter are not read: today's budget"));
    fake_free(fix.fake);
}

static void the_other_dialect_is_tried_once(void **state)
{
    (void)state;
    static const char unknown[] =
        "{\"errors\":[{\"parameters\":{\"tweet.fields\":[]},\"message\":\"The query parameter "
        "[tweet.fields] is not one of [post.fields]\"}],\"title\":\"Invalid Request\"}";
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    say(&fix, stream, "\r\n");
    fake_pass(fix.fake, 4 * MINUTE);
    fake_reply(fix.fake, fake_request(fix.fake, "/recent?"), 400, unknown);
    struct hr_request *again = fake_request(fix.fake, "/recent?");
    assert_non_null(again);
    assert_non_null(strstr(fake_last(fix.fake, FAKE_HTTP)->url, "post.fields="));
    fake_reply(fix.fake, again, 400, unknown);
    assert_null(fake_request(fix.fake, "/recent?"));
    fake_free(fix.fake);
}

static void an_echo_settles_a_post_before_its_answer(void **state)
{
    (void)state;
    struct fix fix = begin(NULL, NULL);
    struct hr_request *stream = open_stream(&fix);
    assert_int_equal(fake_send(fix.fake, 3, fix.room, "{\"text\":\"Q1 fish & chips? #dpulo\"}"), HR_OK);
    say(&fix, stream,
        "{\"data\":{\"id\":\"1597700000000000009\",\"text\":\"Q1 fish &amp; chips? #dpulo\",\"author_id\":\"77\","
        "\"entities\":{\"hashtags\":[{\"tag\":\"dpulo\"}]}}}\r\n");
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->status, HR_OK);
    assert_string_equal(fake_last(fix.fake, FAKE_SENT)->key, "1597700000000000009");
    assert_null(fake_request(fix.fake, "POST http://127.0.0.1:1/2/tweets"));
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 0);
    fake_free(fix.fake);
}

static void partial_credentials_are_a_problem(void **state)
{
    (void)state;
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_option(fake, "bearer_file", "some-secret");
    assert_int_equal(fake_check(fake), 4);
    assert_non_null(fake_with(fake, FAKE_PROBLEM, "missing, though other credentials are given"));
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_read_outside_the_window),
        cmocka_unit_test(rules_are_made_ours_and_others_left_alone),
        cmocka_unit_test(posts_of_the_stream_are_shown_once),
        cmocka_unit_test(a_newer_version_is_an_edit_and_an_older_one_nothing),
        cmocka_unit_test(quotes_without_the_tag_and_own_posts_are_left_out),
        cmocka_unit_test(a_drop_connects_at_once_and_fills_the_gap),
        cmocka_unit_test(search_pages_come_in_order_of_time_with_one_cursor),
        cmocka_unit_test(the_window_is_searched_once_more_after_its_end),
        cmocka_unit_test(a_ghost_connection_is_closed_once),
        cmocka_unit_test(an_x_that_is_away_is_told_once_a_minute),
        cmocka_unit_test(a_429_is_not_tried_before_its_reset),
        cmocka_unit_test(without_rules_they_are_made_again),
        cmocka_unit_test(money_and_refusals_stop_the_stream),
        cmocka_unit_test(deletions_are_subscribed_and_followed),
        cmocka_unit_test(the_budget_stops_reading),
        cmocka_unit_test(the_other_dialect_is_tried_once),
        cmocka_unit_test(an_echo_settles_a_post_before_its_answer),
        cmocka_unit_test(partial_credentials_are_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
