/* SPDX-License-Identifier: MIT */
/* Posting: by the API with every doubtful outcome, by hand, and not at all in a rehearsal. */
#include "../../plugins/twitter/hand.h"
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * 1000 };

#define BODY "{\"text\":\"Question 1. Why? #dpulo\"}"
#define CREATE "POST http://127.0.0.1:1/2/tweets"
#define TIMELINE "GET http://127.0.0.1:1/2/users/77/tweets?"
#define FOUND "{\"data\":[{\"id\":\"1597700000000000009\",\"text\":\"Question 1. Why? #dpulo\",\"author_id\":\"77\"}]}"
#define TWICE "{\"detail\":\"You are not allowed to create a Tweet with duplicate content.\",\"title\":\"Forbidden\"}"

struct fix {
    struct fake *fake;
    uint64_t room;
};

static struct fix begin(bool api)
{
    static const char *const secrets[] = {"bearer_file", "consumer_key_file", "consumer_secret_file",
                                          "access_token_file", "access_secret_file"};
    struct fix fix = {.fake = fake_new(&hashroom_plugin)};
    fake_instance(fix.fake, "x");
    fake_option(fix.fake, "api_url", "http://127.0.0.1:1");
    for (size_t i = 0; api && i < 5; i++) {
        fake_option(fix.fake, secrets[i], "some-secret");
    }
    fake_chat(fix.fake, "dpulo", "#DPULO");
    fix.room = fake_room(fix.fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    assert_int_equal(fake_start(fix.fake), HR_OK);
    return fix;
}

/* One part is on its way. */
static struct fix starting(uint32_t flags)
{
    struct fix fix = begin(true);
    struct hr_part part = {.size = sizeof(part),
                           .id = 1,
                           .txn = "s.1",
                           .room = fake_api(fix.fake)->room(fake_bot(fix.fake), fix.room),
                           .act = HR_ACT_SAY,
                           .body = BODY,
                           .body_len = strlen(BODY),
                           .attempt = 1,
                           .flags = flags,
                           .first_ms = FAKE_NOW_MS};
    assert_int_equal(fake_send_part(fix.fake, &part), HR_OK);
    return fix;
}

/* And X has told us who we are. */
static struct fix sending(uint32_t flags)
{
    struct fix fix = starting(flags);
    fake_reply(fix.fake, fake_request(fix.fake, "/2/users/me"), 200,
               "{\"data\":{\"id\":\"77\",\"username\":\"dpulochat\"}}");
    return fix;
}

static void fail_with(struct fix *fix, const char *request, bool sent)
{
    fake_reply_full(
        fix->fake, fake_request(fix->fake, request),
        &(struct hr_reply){
            .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "timeout", .sent = sent});
}

static void expect(struct fix *fix, int status, const char *id)
{
    assert_int_equal(fake_count(fix->fake, FAKE_SENT), 1);
    assert_int_equal(fake_last(fix->fake, FAKE_SENT)->status, status);
    assert_string_equal(fake_last(fix->fake, FAKE_SENT)->key, id);
    assert_null(fake_request(fix->fake, CREATE));
    fake_free(fix->fake);
}

static void a_post_is_signed_and_settled_with_its_id(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    const struct fake_record *http = fake_with(fix.fake, FAKE_HTTP, BODY);
    assert_string_equal(http->text, BODY);
    assert_non_null(strstr(http->headers, "Authorization: OAuth oauth_consumer_key=\"some-secret\""));
    assert_non_null(strstr(http->headers, "Content-Type: application/json\n"));
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 201, "{\"data\":{\"id\":\"2000\",\"text\":\"x\"}}");
    assert_int_equal(fake_number(fix.fake, "SELECT cost FROM twitter_ledger WHERE kind = 'posts made'"), 15);
    expect(&fix, HR_OK, "2000");
}

static void what_surely_never_left_is_tried_again(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, false);
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->retry_ms, 5000);
    expect(&fix, HR_ERETRY, "");
}

static void a_lost_answer_is_found_in_the_timeline(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    assert_null(fake_request(fix.fake, TIMELINE));
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(
        fix.fake, fake_request(fix.fake, TIMELINE), 200,
        "{\"data\":[{\"id\":\"1597700000000000009\",\"text\":\"Question 1.  Why? #dpulo\",\"author_id\":\"77\"}]}");
    expect(&fix, HR_OK, "1597700000000000009");
}

static void a_lost_post_that_is_not_there_is_posted_again(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{\"result_count\":0}}");
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 201, "{\"data\":{\"id\":\"2001\"}}");
    expect(&fix, HR_OK, "2001");
}

static void a_fault_of_x_is_doubtful_too(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 503, "{\"title\":\"Service Unavailable\"}");
    fake_pass(fix.fake, 8 * SECOND);
    assert_null(fake_request(fix.fake, CREATE));
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{}}");
    assert_non_null(fake_request(fix.fake, CREATE));
    fake_free(fix.fake);
}

static void after_a_restart_it_looks_before_it_posts(void **state)
{
    (void)state;
    struct fix fix = sending(HR_PART_DOUBT);
    assert_null(fake_request(fix.fake, CREATE));
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, FOUND);
    expect(&fix, HR_OK, "1597700000000000009");
}

static void words_of_last_week_are_not_taken_for_ours(void **state)
{
    (void)state;
    struct fix fix = sending(HR_PART_DOUBT);
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(
        fix.fake, fake_request(fix.fake, TIMELINE), 200,
        "{\"data\":[{\"id\":\"1595000000000000009\",\"text\":\"Question 1. Why? #dpulo\",\"author_id\":\"77\"}]}");
    assert_non_null(fake_request(fix.fake, CREATE));
    fake_free(fix.fake);
}

static void without_a_clear_answer_for_a_minute_it_is_unknown(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    for (int i = 0; i < 12 && fake_count(fix.fake, FAKE_SENT) == 0; i++) {
        fake_pass(fix.fake, 8 * SECOND);
        if (fake_request(fix.fake, TIMELINE) != NULL) {
            fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 503, "{}");
        }
    }
    expect(&fix, HR_EUNKNOWN, "");
}

/* Nobody answers for `ms`. */
static void away(struct fix *fix, const char *request, int64_t ms)
{
    for (int64_t passed = 0; passed < ms && fake_count(fix->fake, FAKE_SENT) == 0; passed += 8 * SECOND) {
        fake_pass(fix->fake, 8 * SECOND);
        if (fake_request(fix->fake, request) != NULL) {
            fail_with(fix, request, true);
        }
    }
}

static void while_x_is_away_for_minutes_it_is_looked_for(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    away(&fix, TIMELINE, 5 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_SENT), 0);
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{}}"); /* not done yet, ... */
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 403, TWICE);             /* ... and now it is */
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, FOUND);
    expect(&fix, HR_OK, "1597700000000000009");
}

static void after_a_restart_it_is_looked_for_while_x_is_away(void **state)
{
    (void)state;
    struct fix fix = starting(HR_PART_DOUBT);
    fail_with(&fix, "/2/users/me", true);
    away(&fix, "/2/users/me", 5 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_SENT), 0);
    fake_free(fix.fake);
}

static void when_x_stays_away_it_is_unknown_in_the_end(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    away(&fix, TIMELINE, 9 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_SENT), 0);
    away(&fix, TIMELINE, 3 * MINUTE);
    expect(&fix, HR_EUNKNOWN, "");
}

static void the_same_words_as_before_are_refused_with_the_reason(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 403, TWICE);
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{}}");
    assert_non_null(strstr(fake_last(fix.fake, FAKE_SENT)->text, "add a date or a number"));
    expect(&fix, HR_EFAIL, "");
}

static void a_question_whose_thread_is_gone_is_posted_on_its_own(void **state)
{
    (void)state;
    struct fix fix = begin(true);
    assert_int_equal(
        fake_send(fix.fake, 1, fix.room, "{\"text\":\"Q2: Why? #dpulo\",\"reply\":{\"in_reply_to_tweet_id\":\"12\"}}"),
        HR_OK);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 403,
               "{\"detail\":\"You attempted to reply to a Tweet that is deleted or not visible to "
               "you.\",\"title\":\"Forbidden\"}");
    assert_non_null(fake_with(fix.fake, FAKE_HTTP, "{\"text\":\"Q2: Why? #dpulo\"}"));
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 201, "{\"data\":{\"id\":\"1597700000000000009\"}}");
    expect(&fix, HR_OK, "1597700000000000009");
}

static void a_double_after_a_lost_answer_means_it_landed(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fail_with(&fix, CREATE, true);
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{}}"); /* the timeline is late */
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 403, "{\"detail\":\"duplicate content\"}");
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, "{\"meta\":{}}");
    assert_null(fake_request(fix.fake, CREATE));
    fake_pass(fix.fake, 8 * SECOND);
    fake_reply(fix.fake, fake_request(fix.fake, TIMELINE), 200, FOUND);
    expect(&fix, HR_OK, "1597700000000000009");
}

static void a_429_waits_for_its_reset(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    char headers[64];
    snprintf(headers, sizeof(headers), "x-rate-limit-reset: %lld\n", (long long)(FAKE_NOW_MS / 1000 + 400));
    fake_reply_full(fix.fake, fake_request(fix.fake, CREATE),
                    &(struct hr_reply){.status = HR_OK,
                                       .code = 429,
                                       .body = "{}",
                                       .body_len = 2,
                                       .retry_ms = -1,
                                       .headers = headers,
                                       .error = "",
                                       .sent = true});
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->retry_ms, 400000);
    expect(&fix, HR_ERETRY, "");
}

static void without_money_posting_stops_aloud(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 402, "{\"title\":\"CreditsDepleted\"}");
    assert_non_null(strstr(fake_last(fix.fake, FAKE_DOWN)->text, "the credits at Twitter are used up"));
    size_t ups = fake_count(fix.fake, FAKE_UP), downs = fake_count(fix.fake, FAKE_DOWN);
    for (int i = 0; i < 2; i++) {
        fake_pass(fix.fake, 60 * MINUTE);
        fake_reply(fix.fake, fake_request(fix.fake, "/2/users/me"), 402, "{\"title\":\"CreditsDepleted\"}");
    }
    assert_int_equal(fake_count(fix.fake, FAKE_DOWN), downs);
    assert_int_equal(fake_count(fix.fake, FAKE_UP), ups);
    fake_pass(fix.fake, 60 * MINUTE);
    fake_reply(fix.fake, fake_request(fix.fake, "/2/users/me"), 200, "{\"data\":{\"id\":\"77\"}}");
    assert_int_equal(fake_count(fix.fake, FAKE_UP), ups + 1);
    expect(&fix, HR_ERETRY, "");
}

static void one_401_is_forgiven_a_second_is_not(void **state)
{
    (void)state;
    struct fix fix = sending(0);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 401, "{\"title\":\"Unauthorized\"}");
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->status, HR_ERETRY);
    assert_int_equal(fake_count(fix.fake, FAKE_DOWN), 0);
    assert_int_equal(fake_send(fix.fake, 2, fix.room, BODY), HR_OK);
    fake_reply(fix.fake, fake_request(fix.fake, CREATE), 401, "{\"title\":\"Unauthorized\"}");
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->status, HR_ERETRY);
    assert_non_null(strstr(fake_last(fix.fake, FAKE_DOWN)->text, "refused the credentials"));
    fake_free(fix.fake);
}

static void a_post_is_taken_back(void **state)
{
    (void)state;
    struct fix fix = begin(true);
    struct hr_part part = {.size = sizeof(part),
                           .id = 1,
                           .txn = "s.1",
                           .room = fake_api(fix.fake)->room(fake_bot(fix.fake), fix.room),
                           .act = HR_ACT_REMOVE,
                           .body = "2000",
                           .body_len = 4,
                           .attempt = 1};
    assert_int_equal(fake_send_part(fix.fake, &part), HR_OK);
    fake_reply(fix.fake, fake_request(fix.fake, "DELETE http://127.0.0.1:1/2/tweets/2000"), 404, "{}");
    expect(&fix, HR_OK, "");
}

/* ---- by hand -------------------------------------------------------------------------------- */

static void a_host_posts_by_hand_and_gives_the_link_back(void **state)
{
    (void)state;
    struct fix fix = begin(false);
    uint64_t room = fake_room(fix.fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    assert_int_equal(fake_command(fix.fake, room, "!post"), HR_OK);
    assert_string_equal(fake_last(fix.fake, FAKE_ANSWER)->text, "Nothing waits to be posted on Twitter.");
    assert_int_equal(fake_send(fix.fake, 7, fix.room, BODY), HR_OK);
    assert_non_null(fake_with(fix.fake, FAKE_LOG, "!post"));
    (void)fake_report(fix.fake);
    assert_non_null(fake_with(fix.fake, FAKE_OUT, "To see it, type !post"));
    assert_int_equal(fake_command(fix.fake, room, "!post"), HR_OK);
    assert_string_equal(
        fake_last(fix.fake, FAKE_ANSWER)->text,
        "Please post this on Twitter, then type !posted and the link of your post.\nQuestion 1. Why? #dpulo");
    assert_int_equal(fake_command(fix.fake, room, "!posted done"), HR_OK);
    assert_int_equal(fake_count(fix.fake, FAKE_SENT), 0);
    assert_int_equal(fake_command(fix.fake, room, "!posted https://x.com/dpulochat/status/2105009737002090497?s=20"),
                     HR_OK);
    assert_int_equal(fake_last(fix.fake, FAKE_SENT)->part, 7);
    expect(&fix, HR_OK, "2105009737002090497");
}

static void what_nobody_posts_is_given_up(void **state)
{
    (void)state;
    struct fix fix = begin(false);
    assert_int_equal(fake_send(fix.fake, 7, fix.room, BODY), HR_OK);
    fake_pass(fix.fake, 15 * MINUTE);
    assert_string_equal(fake_last(fix.fake, FAKE_SENT)->text, "nobody posted it on Twitter within 15 minutes");
    expect(&fix, HR_EFAIL, "");
}

static void links_are_read_from_all_of_xs_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"https://x.com/a/status/12", "x.com/a/status/12/photo/1",
                                       "http://twitter.com/i/status/12#m",
                                       "https://mobile.twitter.com/a/status/12?s=20"};
    static const char *const bad[] = {"https://evil.example/x.com/status/12", "https://x.com/a",
                                      "https://x.com/a/status/", "12", "https://x.com/a/status/123456789012345678901"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        char *id = hand_link_id(good[i]);
        assert_string_equal(id, "12");
        free(id);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_null(hand_link_id(bad[i]));
    }
}

/* ---- a file plays X --------------------------------------------------------------------------- */

static const char feed_lines[] =
    "{\"data\":{\"id\":\"1\",\"text\":\"one\"}}\n"
    "not json\n"
    "\n"
    "{\"data\":{\"id\":\"2\",\"text\":\"RT @a: one\",\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"1\"}]}}\n"
    "{\"data\":[{\"id\":\"3\",\"text\":\"two\"},{\"id\":\"4\",\"text\":\"three\"}],\"includes\":{}}\n"
    "{\"errors\":[]}\n"
    "{\"data\":{\"id\":\"5\",\"text\":\"four\"}}";

static struct fix feeding(void)
{
    char path[] = "/tmp/hashroom-feed-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, feed_lines, sizeof(feed_lines) - 1), sizeof(feed_lines) - 1);
    close(fd);
    struct fix fix = {.fake = fake_new(&hashroom_plugin)};
    fake_instance(fix.fake, "x");
    fake_option(fix.fake, "feed", path);
    fake_chat(fix.fake, "dpulo", "#DPULO");
    fix.room = fake_room(fix.fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    assert_int_equal(fake_start(fix.fake), HR_OK);
    unlink(path);
    return fix;
}

static struct hr_chat session(uint64_t id)
{
    return (struct hr_chat){.size = sizeof(struct hr_chat),
                            .name = "dpulo",
                            .tag = "#DPULO",
                            .session = id,
                            .starts_ms = FAKE_NOW_MS,
                            .ends_ms = FAKE_NOW_MS + 60 * MINUTE};
}

static void the_feed_is_spread_over_the_session(void **state)
{
    (void)state;
    struct fix fix = feeding();
    assert_non_null(fake_with(fix.fake, FAKE_LOG, "feed line 2: not JSON"));
    assert_non_null(fake_with(fix.fake, FAKE_LOG, "feed line 6: has no \"data\""));
    fake_pass(fix.fake, 10 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 0);
    struct hr_chat chat = session(1);
    chat.ends_ms += 10 * MINUTE;
    fake_chat_record(fix.fake, &chat);
    for (size_t i = 0; i <= 4; i++) {
        assert_int_equal(fake_count(fix.fake, FAKE_POST), i);
        fake_pass(fix.fake, 12 * MINUTE);
    }
    assert_string_equal(fake_nth(fix.fake, FAKE_POST, 0)->text, "one");
    assert_string_equal(fake_nth(fix.fake, FAKE_POST, 3)->text, "four");
    assert_int_equal(fake_nth(fix.fake, FAKE_POST, 3)->time_ms, FAKE_NOW_MS + 58 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_HTTP), 0);
    fake_free(fix.fake);
}

static void a_session_that_ends_early_shows_the_rest_of_the_feed(void **state)
{
    (void)state;
    struct fix fix = feeding();
    struct hr_chat chat = session(1);
    fake_chat_record(fix.fake, &chat);
    fake_pass(fix.fake, 13 * MINUTE);
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 1);
    chat = session(0);
    fake_chat_record(fix.fake, &chat);
    assert_int_equal(fake_count(fix.fake, FAKE_POST), 4);
    fake_free(fix.fake);
}

static void a_rehearsal_posts_nothing(void **state)
{
    (void)state;
    struct fix fix = feeding();
    assert_int_equal(fake_send(fix.fake, 9, fix.room, BODY), HR_OK);
    expect(&fix, HR_OK, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_is_signed_and_settled_with_its_id),
        cmocka_unit_test(what_surely_never_left_is_tried_again),
        cmocka_unit_test(a_lost_answer_is_found_in_the_timeline),
        cmocka_unit_test(a_lost_post_that_is_not_there_is_posted_again),
        cmocka_unit_test(a_fault_of_x_is_doubtful_too),
        cmocka_unit_test(after_a_restart_it_looks_before_it_posts),
        cmocka_unit_test(words_of_last_week_are_not_taken_for_ours),
        cmocka_unit_test(without_a_clear_answer_for_a_minute_it_is_unknown),
        cmocka_unit_test(while_x_is_away_for_minutes_it_is_looked_for),
        cmocka_unit_test(after_a_restart_it_is_looked_for_while_x_is_away),
        cmocka_unit_test(when_x_stays_away_it_is_unknown_in_the_end),
        cmocka_unit_test(the_same_words_as_before_are_refused_with_the_reason),
        cmocka_unit_test(a_question_whose_thread_is_gone_is_posted_on_its_own),
        cmocka_unit_test(a_double_after_a_lost_answer_means_it_landed),
        cmocka_unit_test(a_429_waits_for_its_reset),
        cmocka_unit_test(without_money_posting_stops_aloud),
        cmocka_unit_test(one_401_is_forgiven_a_second_is_not),
        cmocka_unit_test(a_post_is_taken_back),
        cmocka_unit_test(a_host_posts_by_hand_and_gives_the_link_back),
        cmocka_unit_test(what_nobody_posts_is_given_up),
        cmocka_unit_test(links_are_read_from_all_of_xs_addresses),
        cmocka_unit_test(the_feed_is_spread_over_the_session),
        cmocka_unit_test(a_session_that_ends_early_shows_the_rest_of_the_feed),
        cmocka_unit_test(a_rehearsal_posts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
