/* SPDX-License-Identifier: MIT */
/* Each line sent gets exactly one answer: by label, by echo, by the PONG behind it. */
#include "fake_irc.h"

static int say(struct fake *fake, uint64_t part, const char *body)
{
    return fake_send(fake, part, 1, body);
}

static const struct fake_record *sent(struct fake *fake, uint64_t part)
{
    const struct fake_record *found = NULL;
    for (size_t i = 0; i < fake_count(fake, FAKE_SENT); i++) {
        const struct fake_record *record = fake_nth(fake, FAKE_SENT, i);
        if (record->part == part) {
            assert_null(found); /* answered twice */
            found = record;
        }
    }
    return found;
}

static void without_echo_a_ping_behind_each_line_answers(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    assert_int_equal(say(fake, 2, "PRIVMSG #dpulo :two"), 0);
    irc_expect(fake, "PRIVMSG #dpulo :one\r\n");
    irc_expect(fake, "PING :hr-b1\r\n");
    irc_expect(fake, "PING :hr-b2\r\n");
    assert_null(sent(fake, 1));
    irc_line(fake, ":s PONG s :hr-b1");
    assert_int_equal(sent(fake, 1)->status, HR_OK);
    assert_null(sent(fake, 2));
    irc_line(fake, ":s PONG s :hr-b2");
    assert_int_equal(sent(fake, 2)->status, HR_OK);
    irc_line(fake, ":s PONG s :hr-b2");
}

static void what_is_answered_goes_along_where_there_are_tags(void **state)
{
    static const char line[] = "@+draft/reply=m1;+reply=m1 PRIVMSG #dpulo :yes";
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags echo-message labeled-response batch");
    assert_int_equal(say(fake, 1, line), 0);
    assert_non_null(
        strstr(fake_last(fake, FAKE_STREAM_WRITE)->text, ";+draft/reply=m1;+reply=m1 PRIVMSG #dpulo :yes\r\n"));
    irc_line(fake, "@msgid=m2 :hashroom!h@host PRIVMSG #dpulo :yes");
    assert_int_equal(sent(fake, 1)->status, HR_OK);
    irc_line(fake, ":s CAP hashroom DEL :message-tags labeled-response");
    assert_int_equal(say(fake, 2, line), 0);
    irc_expect(fake, "PRIVMSG #dpulo :yes\r\n");
    assert_string_equal(fake_last(fake, FAKE_STREAM_WRITE)->text, "PRIVMSG #dpulo :yes\r\n");
}

static void a_numeric_before_the_pong_refuses_that_line_alone(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    assert_int_equal(say(fake, 2, "PRIVMSG #dpulo :two"), 0);
    irc_line(fake, ":s PONG s :hr-b1");
    irc_line(fake, ":s 404 hashroom #DPULO :Cannot send to channel (+m)");
    irc_line(fake, ":s PONG s :hr-b2");
    assert_int_equal(sent(fake, 1)->status, HR_OK);
    assert_int_equal(sent(fake, 2)->status, HR_EFAIL);
    assert_non_null(strstr(sent(fake, 2)->text, "voice"));
    assert_int_equal(fake_report(fake), 2); /* the room's state is shown, until a line goes through */
    assert_int_equal(say(fake, 3, "PRIVMSG #dpulo :three"), 0);
    irc_line(fake, ":s PONG s :hr-b3");
    assert_int_equal(sent(fake, 3)->status, HR_OK);
    assert_int_equal(fake_report(fake), 1);
}

static void labels_answer_in_any_order_and_give_the_id(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags batch echo-message labeled-response");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :same"), 0);
    assert_int_equal(say(fake, 2, "PRIVMSG #dpulo :same"), 0);
    assert_int_equal(say(fake, 3, "PRIVMSG #dpulo :same"), 0);
    irc_expect(fake, "@label=fake.2 PRIVMSG #dpulo :same\r\n");
    assert_false(irc_sent(fake, "PING :hr-b"));
    irc_line(fake, "@label=fake.2;msgid=id2 :hashroom!h@host PRIVMSG #dpulo :same");
    assert_string_equal(sent(fake, 2)->key, "id2");
    irc_line(fake, "@label=fake.1 :s 404 hashroom #dpulo :no");
    assert_int_equal(sent(fake, 1)->status, HR_EFAIL);
    irc_line(fake, "@label=fake.3 BATCH +r labeled-response");
    irc_line(fake, "@batch=r;msgid=id3 :hashroom!h@host PRIVMSG #dpulo :same");
    irc_line(fake, "BATCH -r");
    assert_string_equal(sent(fake, 3)->key, "id3");
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
}

static void a_labelled_fail_refuses(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags batch echo-message labeled-response");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    irc_line(fake, "@label=fake.1 :s FAIL PRIVMSG SPAM #dpulo :looks like spam");
    assert_int_equal(sent(fake, 1)->status, HR_EFAIL);
    assert_non_null(strstr(sent(fake, 1)->text, "looks like spam"));
}

static void an_echo_without_label_answers_even_if_words_were_changed(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags echo-message");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    assert_int_equal(say(fake, 2, "PRIVMSG #dpulo :two"), 0);
    irc_line(fake, "@msgid=b :hashroom!h@host PRIVMSG #dpulo :two");
    assert_string_equal(sent(fake, 2)->key, "b");
    irc_line(fake, "@msgid=a :hashroom!h@host PRIVMSG #dpulo :on*");
    assert_string_equal(sent(fake, 1)->key, "a");
    irc_line(fake, "@msgid=c :hashroom!h@host PRIVMSG #dpulo :of nobody");
    assert_int_equal(fake_count(fake, FAKE_SENT), 2);
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
}

static void a_line_not_shown_back_ends_as_unknown(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags echo-message");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    fake_pass(fake, 12000);
    irc_line(fake, ":s NOTICE hashroom :x");
    assert_false(irc_sent(fake, "PING :hr-b"));
    fake_pass(fake, 9000);
    irc_expect(fake, "PING :hr-b1\r\n");
    irc_line(fake, ":s PONG s :hr-b1");
    assert_int_equal(sent(fake, 1)->status, HR_EUNKNOWN);
}

static void lines_in_flight_when_the_link_ends_are_left_to_the_host(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "connection reset");
    assert_null(sent(fake, 1));
    assert_non_null(fake_with(fake, FAKE_DOWN, "connection reset"));
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), HR_ERETRY);
    fake_pass(fake, 5000);
    fake_stream_opened(fake, fake_stream(fake), "plain");
    irc_welcome(fake);
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), HR_ERETRY); /* not in the channel yet */
    irc_line(fake, ":hashroom!h@host JOIN #dpulo");
    fake_forget(fake);
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    struct hr_part part = {.size = sizeof part,
                           .id = 1,
                           .txn = "store.1",
                           .room = &room,
                           .act = HR_ACT_SAY,
                           .body = "PRIVMSG #dpulo :one",
                           .body_len = 19,
                           .attempt = 2,
                           .flags = HR_PART_DOUBT};
    assert_int_equal(fake_send_part(fake, &part), 0);
    irc_line(fake, ":s PONG s :hr-b2");
    assert_int_equal(sent(fake, 1)->status, HR_OK);
    assert_true(fake_report(fake) >= 2);
    assert_non_null(fake_with(fake, FAKE_OUT, "1 were sent again"));
}

static void a_private_line_in_doubt_says_that_it_may_come_twice(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    const struct hr_room room = {
        .id = 2, .network = "net", .address = "ben", .service = "IRC", .chat = "", .flags = HR_ROOM_PRIVATE};
    struct hr_part part = {.size = sizeof part,
                           .id = 1,
                           .txn = "store.1",
                           .room = &room,
                           .body = "PRIVMSG ben :3 wait.",
                           .body_len = 20,
                           .attempt = 2,
                           .flags = HR_PART_DOUBT,
                           .priority = HR_REPLY};
    assert_int_equal(fake_send_part(fake, &part), 0);
    irc_expect(fake, "PRIVMSG ben :You may have seen this already: 3 wait.\r\n");
    irc_line(fake, ":s PONG s :hr-b1");
    assert_int_equal(sent(fake, 1)->status, HR_OK);
    part.id = 2;
    part.flags = 0;
    assert_int_equal(fake_send_part(fake, &part), 0);
    irc_expect(fake, "PRIVMSG ben :3 wait.\r\n");
}

static void a_server_that_never_answers_is_left(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), 0);
    for (int i = 0; i < 14 && fake_stream(fake); i++) {
        irc_line(fake, ":s NOTICE hashroom :alive");
        fake_pass(fake, 10000);
    }
    assert_non_null(fake_with(fake, FAKE_DOWN, "not answered for a line"));
}

static void what_is_no_line_is_refused_for_good(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :a\r\nQUIT"), HR_EFAIL);
    assert_int_equal(say(fake, 2, "PRIVMSG #other :a"), HR_EFAIL);
    assert_int_equal(say(fake, 3, "QUIT"), HR_EFAIL);
    assert_false(irc_sent(fake, "QUIT"));
}

static void a_room_that_is_kicked_takes_no_line(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":asha!a@h KICK #dpulo hashroom :out");
    assert_int_equal(say(fake, 1, "PRIVMSG #dpulo :one"), HR_ERETRY);
    assert_false(irc_sent(fake, "PRIVMSG"));
}

static void a_private_line_to_nobody_is_refused(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    uint64_t room = fake_room(fake, "net", "ben", "IRC", "", HR_ROOM_PEOPLE | HR_ROOM_PRIVATE | HR_ROOM_UP);
    assert_int_equal(fake_send(fake, 9, room, "PRIVMSG ben :hello"), 0);
    irc_line(fake, ":s 401 hashroom ben :No such nick");
    assert_int_equal(sent(fake, 9)->status, HR_EFAIL);
}

static void rendered_lines_are_what_send_takes(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    struct hr_delivery delivery = {
        .size = sizeof delivery,
        .id = 1,
        .act = HR_ACT_SAY,
        .room = &room,
        .lead = "Ben on Matrix",
        .lead_url = "",
        .text = "one\ntwo",
        .reply_remote = "",
        .reply_name = "",
        .reply_text = "",
    };
    assert_int_equal(fake_render(fake, &delivery), 2);
    char first[200];
    (void)snprintf(first, sizeof first, "%s", fake_nth(fake, FAKE_PART, 0)->text);
    assert_int_equal(say(fake, 1, first), 0);
    irc_expect(fake, "PRIVMSG #dpulo :Ben on Matrix: one\r\n");
}

static void the_rate_can_be_lifted(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "rate_ms", "0");
    irc_ready(fake, "");
    assert_true(fake_last(fake, FAKE_LIMITS)->limits.rate > 1000);
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_echo_a_ping_behind_each_line_answers),
        TEST(what_is_answered_goes_along_where_there_are_tags),
        TEST(a_numeric_before_the_pong_refuses_that_line_alone),
        TEST(labels_answer_in_any_order_and_give_the_id),
        TEST(a_labelled_fail_refuses),
        TEST(an_echo_without_label_answers_even_if_words_were_changed),
        TEST(a_line_not_shown_back_ends_as_unknown),
        TEST(lines_in_flight_when_the_link_ends_are_left_to_the_host),
        TEST(a_private_line_in_doubt_says_that_it_may_come_twice),
        TEST(a_server_that_never_answers_is_left),
        TEST(what_is_no_line_is_refused_for_good),
        TEST(a_room_that_is_kicked_takes_no_line),
        TEST(a_private_line_to_nobody_is_refused),
        TEST(rendered_lines_are_what_send_takes),
        TEST(the_rate_can_be_lifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
