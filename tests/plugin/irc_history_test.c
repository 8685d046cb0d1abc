/* SPDX-License-Identifier: MIT */
/* After an absence: what became of our own lines, and what people said meanwhile. */
#include "fake_irc.h"

#define CAPS "message-tags server-time account-tag echo-message batch draft/chathistory"

static const struct hr_room room = {.id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};

/* Logged in with history and in the channel at 20:`minute`. */
static void come_in(struct fake *fake, int minute)
{
    char line[200];
    irc_line(fake, ":s CAP * LS :" CAPS);
    irc_line(fake, ":s CAP * ACK :" CAPS);
    irc_line(fake, ":s 001 hashroom :Welcome");
    irc_line(fake, ":s 005 hashroom CHATHISTORY=100 :are supported");
    irc_line(fake, ":s 376 hashroom :End of MOTD");
    (void)snprintf(line, sizeof line, "@time=2022-11-29T20:%02d:00.000Z :hashroom!h@host JOIN #dpulo", minute);
    irc_line(fake, line);
}

static void cut(struct fake *fake, int64_t away_ms)
{
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "connection reset");
    fake_pass(fake, away_ms);
    fake_forget(fake);
    fake_stream_opened(fake, fake_stream(fake), "plain");
}

static int again(struct fake *fake, uint64_t id, const char *body, enum hr_priority priority)
{
    struct hr_part part = {.size = sizeof part,
                           .id = id,
                           .txn = "store.1",
                           .room = &room,
                           .act = HR_ACT_SAY,
                           .body = body,
                           .body_len = strlen(body),
                           .attempt = 2,
                           .flags = HR_PART_DOUBT,
                           .priority = priority};
    return fake_send_part(fake, &part);
}

static bool up(struct fake *fake)
{
    const struct fake_record *last = fake_last(fake, FAKE_UP);
    return last && strcmp(last->address, "#dpulo") == 0;
}

/* Settled: "one" (id a1). Cut off: "two", "two", "three". Back at 20:05, the own lines are asked for. */
static struct fake *cut_off(void)
{
    struct fake *fake = irc_new();
    irc_start(fake);
    come_in(fake, 0);
    assert_true(up(fake)); /* never here before: nothing to read */
    assert_int_equal(fake_send(fake, 1, 1, "PRIVMSG #dpulo :one"), 0);
    irc_line(fake, "@msgid=a1;time=2022-11-29T20:00:30.000Z :hashroom!h@host PRIVMSG #dpulo :one");
    assert_int_equal(fake_send(fake, 2, 1, "PRIVMSG #dpulo :two"), 0);
    assert_int_equal(fake_send(fake, 3, 1, "PRIVMSG #dpulo :two"), 0);
    assert_int_equal(fake_send(fake, 4, 1, "PRIVMSG #dpulo :three"), 0);
    cut(fake, 5 * 60 * 1000);
    come_in(fake, 5);
    assert_false(up(fake));
    irc_expect(fake, "CHATHISTORY AROUND #dpulo msgid=a1 100\r\n");
    return fake;
}

static void each_own_line_found_settles_one_part(void **state)
{
    struct fake *fake = *state = cut_off();
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a0 :hashroom!h@host PRIVMSG #dpulo :three"); /* before the last settled one */
    irc_line(fake, "@batch=h;msgid=a1 :hashroom!h@host PRIVMSG #dpulo :one");
    irc_line(fake, "@batch=h;msgid=a2 :hashroom!h@host PRIVMSG #dpulo :two");
    irc_line(fake, "@batch=h;msgid=a3 :ben!b@host PRIVMSG #dpulo :three");
    irc_line(fake, "BATCH -h");
    assert_false(up(fake));
    irc_expect(fake, "CHATHISTORY AFTER #dpulo timestamp=2022-11-29T19:59:55.000Z 100\r\n");
    irc_line(fake, "BATCH +i chathistory #dpulo");
    irc_line(fake, "BATCH -i");
    assert_true(up(fake));
    fake_forget(fake);
    assert_int_equal(again(fake, 2, "PRIVMSG #dpulo :two", HR_QUESTION), 0);
    assert_int_equal(fake_last(fake, FAKE_SENT)->part, 2);
    assert_int_equal(fake_last(fake, FAKE_SENT)->status, HR_OK);
    assert_string_equal(fake_last(fake, FAKE_SENT)->key, "a2");
    assert_false(irc_sent(fake, "PRIVMSG"));
    assert_int_equal(again(fake, 3, "PRIVMSG #dpulo :two", HR_QUESTION), 0);
    irc_expect(fake, "PRIVMSG #dpulo :two\r\n");
    assert_int_equal(again(fake, 4, "PRIVMSG #dpulo :three", HR_QUESTION), 0);
    irc_expect(fake, "PRIVMSG #dpulo :three\r\n");
    assert_int_equal(fake_count(fake, FAKE_SENT), 1);
    assert_true(fake_report(fake) > 0);
    assert_non_null(fake_with(fake, FAKE_OUT, "1 lines of the bot that had arrived"));
    assert_non_null(fake_with(fake, FAKE_OUT, "0 were sent again"));
}

static void a_long_history_is_read_page_by_page(void **state)
{
    struct fake *fake = *state = cut_off();
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a1 :hashroom!h@host PRIVMSG #dpulo :one");
    for (int i = 0; i < 50; i++) {
        char line[200];
        (void)snprintf(line, sizeof line, "@batch=h;msgid=b%d :ben!b@host PRIVMSG #dpulo :x", i);
        irc_line(fake, line);
    }
    irc_line(fake, "BATCH -h");
    irc_expect(fake, "CHATHISTORY AFTER #dpulo msgid=b49 100\r\n");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a4 :hashroom!h@host PRIVMSG #dpulo :three");
    irc_line(fake, "BATCH -h");
    irc_expect(fake, "CHATHISTORY AFTER #dpulo timestamp=");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "BATCH -h");
    assert_int_equal(again(fake, 4, "PRIVMSG #dpulo :three", HR_PEOPLE), 0);
    assert_string_equal(fake_last(fake, FAKE_SENT)->key, "a4");
}

static void where_the_history_is_gone_a_question_is_unknown(void **state)
{
    struct fake *fake = *state = cut_off();
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "BATCH -h");
    assert_non_null(fake_with(fake, FAKE_LOG, "does not reach back far enough"));
    irc_line(fake, "FAIL CHATHISTORY INVALID_TARGET LATEST #dpulo :Messages could not be retrieved");
    assert_true(up(fake));
    assert_int_equal(again(fake, 2, "PRIVMSG #dpulo :two", HR_QUESTION), HR_EUNKNOWN);
    assert_false(irc_sent(fake, "PRIVMSG"));
    assert_int_equal(again(fake, 3, "PRIVMSG #dpulo :two", HR_PEOPLE), 0);
    irc_expect(fake, "PRIVMSG #dpulo :two\r\n");
    assert_true(fake_report(fake) > 0);
    assert_non_null(fake_with(fake, FAKE_OUT, "1 were sent again"));
}

static void a_server_that_does_not_answer_is_not_waited_for(void **state)
{
    struct fake *fake = *state = cut_off();
    for (int i = 0; i < 8 && !up(fake); i++) {
        irc_line(fake, ":s NOTICE hashroom :alive");
        fake_pass(fake, 5000);
    }
    assert_true(up(fake));
    assert_int_equal(fake_send(fake, 9, 1, "PRIVMSG #dpulo :nine"), 0);
}

static void what_was_missed_is_posted_as_history_before_what_is_live(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    come_in(fake, 0);
    irc_line(fake, "@msgid=p1;time=2022-11-29T20:01:00.000Z :ben!b@host PRIVMSG #dpulo :seen");
    cut(fake, 5 * 60 * 1000);
    come_in(fake, 5);
    assert_false(up(fake));
    irc_expect(fake, "CHATHISTORY AFTER #dpulo timestamp=2022-11-29T20:00:55.000Z 100\r\n");
    irc_line(fake, "@msgid=p4;time=2022-11-29T20:05:01.000Z :ben!b@host PRIVMSG #dpulo :!status");
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=p2;time=2022-11-29T20:02:00.000Z :ben!b@host PRIVMSG #dpulo :!next");
    irc_line(fake, "@batch=h;msgid=j1;time=2022-11-29T20:02:10.000Z :cem!c@host JOIN #dpulo");
    irc_line(fake, "@batch=h;msgid=o1;time=2022-11-29T20:02:20.000Z :hashroom!h@host PRIVMSG #dpulo :our own");
    irc_line(fake, "@batch=h;msgid=p3;time=2022-11-29T20:03:00.000Z :cem!c@host PRIVMSG #dpulo :missed");
    irc_line(fake, "@batch=h;msgid=p4;time=2022-11-29T20:05:01.000Z :ben!b@host PRIVMSG #dpulo :!status");
    irc_line(fake, "BATCH -h");
    assert_true(up(fake));
    assert_int_equal(fake_count(fake, FAKE_POST), 3);
    assert_string_equal(fake_nth(fake, FAKE_POST, 0)->text, "!next");
    assert_true(fake_nth(fake, FAKE_POST, 0)->flags & HR_MSG_HISTORY);
    assert_string_equal(fake_nth(fake, FAKE_POST, 1)->text, "missed");
    assert_true(fake_nth(fake, FAKE_POST, 1)->flags & HR_MSG_HISTORY);
    assert_int_equal(fake_nth(fake, FAKE_POST, 1)->time_ms, FAKE_NOW_MS + 3 * 60 * 1000);
    assert_string_equal(fake_nth(fake, FAKE_POST, 2)->text, "!status");
    assert_int_equal(fake_nth(fake, FAKE_POST, 2)->flags & HR_MSG_HISTORY, 0);
}

/* Cut off for five minutes, and back; another room hears this one. */
static uint64_t away(struct fake *fake)
{
    uint64_t other = fake_room(fake, "home", "!a:b", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    irc_start(fake);
    come_in(fake, 0);
    irc_line(fake, "@msgid=p1;time=2022-11-29T20:01:00.000Z :ben!b@host PRIVMSG #dpulo :seen");
    cut(fake, 5 * 60 * 1000);
    come_in(fake, 5);
    return other;
}

enum { PAGES = 5 }; /* that are read from the oldest on */

static void full_page(struct fake *fake, int page)
{
    irc_line(fake, "BATCH +h chathistory #dpulo");
    for (int i = 0; i < 100; i++) {
        char line[200];
        (void)snprintf(line, sizeof line,
                       "@batch=h;msgid=b%d-%d;time=2022-11-29T20:02:00.000Z :ben!b@h PRIVMSG #dpulo :x", page, i);
        irc_line(fake, line);
    }
    irc_line(fake, "BATCH -h");
}

static void what_was_missed_is_read_page_by_page(void **state)
{
    struct fake *fake = *state = irc_new();
    (void)away(fake);
    full_page(fake, 0);
    assert_false(up(fake));
    irc_expect(fake, "CHATHISTORY AFTER #dpulo msgid=b0-99 100\r\n");
    full_page(fake, 1);
    irc_expect(fake, "CHATHISTORY AFTER #dpulo msgid=b1-99 100\r\n");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "BATCH -h");
    assert_true(up(fake));
    assert_int_equal(fake_count(fake, FAKE_POST), 200);
    assert_int_equal(fake_count(fake, FAKE_SAY), 0);
}

static void more_than_can_be_fetched_is_said_in_the_other_rooms(void **state)
{
    struct fake *fake = *state = irc_new();
    uint64_t other = away(fake);
    for (int page = 0; page < PAGES; page++) {
        assert_false(up(fake));
        full_page(fake, page);
    }
    irc_expect(fake, "CHATHISTORY LATEST #dpulo msgid=b4-99 100\r\n");
    full_page(fake, PAGES);
    assert_true(up(fake));
    assert_int_equal(fake_count(fake, FAKE_SAY), 1);
    assert_int_equal(fake_last(fake, FAKE_SAY)->room, other);
    assert_non_null(strstr(fake_last(fake, FAKE_SAY)->text, "leave out some"));
}

static void a_history_that_does_not_answer_is_said_in_the_other_rooms(void **state)
{
    struct fake *fake = *state = irc_new();
    uint64_t other = away(fake);
    fake_pass(fake, 25 * 1000);
    assert_true(up(fake));
    assert_int_equal(fake_count(fake, FAKE_SAY), 1);
    assert_int_equal(fake_last(fake, FAKE_SAY)->room, other);
    assert_non_null(strstr(fake_last(fake, FAKE_SAY)->text, "could not read"));
}

static void a_restart_remembers_what_was_seen_and_what_is_offered(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    come_in(fake, 0);
    irc_line(fake, "@msgid=p1;time=2022-11-29T20:01:00.000Z :ben!b@host PRIVMSG #dpulo :seen");
    fake_stop(fake);
    (void)fake_sql(fake, "INSERT INTO core_pub_part VALUES(1, 'net', '#dpulo', 'delivered', 'a0'),"
                         " (2, 'net', '#dpulo', 'delivered', 'a1'), (3, 'net', '#dpulo', 'claimed', NULL),"
                         " (4, 'other', '#dpulo', 'delivered', 'z')");
    fake_forget(fake);
    irc_start(fake);
    assert_int_equal(fake_nth(fake, FAKE_LIMITS, 0)->limits.flags, HR_NET_SAME_TXN); /* before the connection */
    come_in(fake, 10);
    irc_expect(fake, "CHATHISTORY AROUND #dpulo msgid=a1 100\r\n");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a1 :hashroom!h@host PRIVMSG #dpulo :one");
    irc_line(fake, "BATCH -h");
    irc_expect(fake, "CHATHISTORY AFTER #dpulo timestamp=2022-11-29T20:00:55.000Z 100\r\n");
}

static void after_a_long_absence_an_hour_is_read(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    come_in(fake, 0);
    fake_stop(fake);
    fake_forget(fake);
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :" CAPS);
    irc_line(fake, ":s CAP * ACK :" CAPS);
    irc_welcome(fake);
    irc_line(fake, "@time=2022-11-30T20:00:00.000Z :hashroom!h@host JOIN #dpulo");
    irc_expect(fake, "CHATHISTORY AFTER #dpulo timestamp=2022-11-30T19:00:00.000Z 200\r\n");
}

static void lines_under_the_nick_of_before_are_ours(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    come_in(fake, 0);
    assert_int_equal(fake_send(fake, 1, 1, "PRIVMSG #dpulo :one"), 0);
    cut(fake, 60 * 1000);
    irc_line(fake, ":s CAP * LS :" CAPS);
    irc_line(fake, ":s CAP * ACK :" CAPS);
    irc_line(fake, ":s 433 * hashroom :taken");
    irc_line(fake, ":s 001 hashroom_ :Welcome");
    irc_line(fake, ":s 376 hashroom_ :End of MOTD");
    irc_line(fake, "@time=2022-11-29T20:01:00.000Z :hashroom_!h@host JOIN #dpulo");
    irc_expect(fake, "CHATHISTORY LATEST #dpulo * 200\r\n");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a1 :hashroom!h@host PRIVMSG #dpulo :one");
    irc_line(fake, "BATCH -h");
    assert_int_equal(again(fake, 1, "PRIVMSG #dpulo :one", HR_PEOPLE), 0);
    assert_string_equal(fake_last(fake, FAKE_SENT)->key, "a1");
}

static void a_kick_while_reading_leaves_nothing_open(void **state)
{
    struct fake *fake = *state = cut_off();
    irc_line(fake, "@time=2022-11-29T20:05:01.000Z :ben!b@host PRIVMSG #dpulo :held");
    irc_line(fake, ":asha!a@host KICK #dpulo hashroom :out");
    irc_line(fake, "BATCH +h chathistory #dpulo");
    irc_line(fake, "@batch=h;msgid=a1 :hashroom!h@host PRIVMSG #dpulo :one");
    irc_line(fake, "BATCH -h");
    assert_false(up(fake));
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_own_line_found_settles_one_part),
        TEST(a_long_history_is_read_page_by_page),
        TEST(where_the_history_is_gone_a_question_is_unknown),
        TEST(a_server_that_does_not_answer_is_not_waited_for),
        TEST(what_was_missed_is_posted_as_history_before_what_is_live),
        TEST(what_was_missed_is_read_page_by_page),
        TEST(more_than_can_be_fetched_is_said_in_the_other_rooms),
        TEST(a_history_that_does_not_answer_is_said_in_the_other_rooms),
        TEST(a_restart_remembers_what_was_seen_and_what_is_offered),
        TEST(after_a_long_absence_an_hour_is_read),
        TEST(lines_under_the_nick_of_before_are_ours),
        TEST(a_kick_while_reading_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
