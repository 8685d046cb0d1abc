/* SPDX-License-Identifier: MIT */
/* What the bot learns about the rate a network takes, and how it forgets it. */
#include "fake_irc.h"

#define HISTORY "message-tags batch echo-message labeled-response server-time draft/chathistory"

static struct hr_limits limits(struct fake *fake)
{
    return fake_last(fake, FAKE_LIMITS)->limits;
}

static void be_flood(struct fake *fake, const char *reason)
{
    char line[200];
    (void)snprintf(line, sizeof line, "ERROR :Closing link: (hashroom@host) [%s]", reason);
    irc_line(fake, line);
    fake_pass(fake, 60 * 1000);
    fake_stream_opened(fake, fake_stream(fake), "plain");
    irc_line(fake, ":s CAP * LS :");
    irc_welcome(fake);
}

static void a_flood_halves_the_rate_and_it_is_said(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    assert_true(limits(fake).rate == 0.5 && limits(fake).burst == 5);
    be_flood(fake, "Excess Flood");
    assert_non_null(fake_with(fake, FAKE_DOWN, "took the bot for a flood"));
    assert_true(limits(fake).rate == 0.25 && limits(fake).burst == 2);
    (void)fake_report(fake);
    assert_non_null(fake_with(fake, FAKE_OUT, "one in 4.0 seconds now"));
    be_flood(fake, "RecvQ exceeded");
    be_flood(fake, "Excess Flood");
    be_flood(fake, "Excess Flood");
    assert_true(limits(fake).rate == 0.1 && limits(fake).burst == 1); /* never slower than one in ten seconds */
}

static void what_was_learned_outlives_the_process_and_goes_back_in_steps(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    be_flood(fake, "Excess Flood");
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_true(limits(fake).rate == 0.25);
    fake_stream_opened(fake, fake_stream(fake), "plain");
    irc_line(fake, ":s CAP * LS :");
    irc_welcome(fake);
    for (int i = 0; i < 12; i++) {
        fake_pass(fake, 55 * 1000);
        irc_line(fake, ":s PING :x");
    }
    assert_true(limits(fake).rate == 1000.0 / 3200);
    for (int i = 0; i < 60; i++) {
        fake_pass(fake, 55 * 1000);
        irc_line(fake, ":s PING :x");
    }
    assert_true(limits(fake).rate == 0.5 && limits(fake).burst == 5);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM irc_rate"), 0);
}

static void a_rate_that_is_configured_slower_by_now_holds(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    be_flood(fake, "Excess Flood");
    fake_stop(fake);
    fake_option(fake, "rate_ms", "5000");
    assert_int_equal(fake_start(fake), HR_OK);
    assert_true(limits(fake).rate == 0.2);
}

static void send(struct fake *fake, int number)
{
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    char txn[32], body[64];
    (void)snprintf(txn, sizeof txn, "store.%d", number);
    (void)snprintf(body, sizeof body, "PRIVMSG #dpulo :line %d", number);
    const struct hr_part part = {.size = sizeof part,
                                 .id = (uint64_t)number,
                                 .txn = txn,
                                 .room = &room,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .attempt = 1,
                                 .priority = HR_PEOPLE};
    assert_int_equal(fake_send_part(fake, &part), HR_OK);
}

static void echo(struct fake *fake, int number)
{
    char line[200];
    (void)snprintf(line, sizeof line, "@label=store.%d;msgid=m%d :hashroom!h@host PRIVMSG #dpulo :line %d", number,
                   number, number);
    irc_line(fake, line);
}

static void a_server_that_holds_lines_back_sets_the_pace(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "rate_ms", "200");
    irc_ready(fake, HISTORY);
    for (int i = 1; i <= 20; i++) {
        send(fake, i);
    }
    for (int i = 1; i <= 8; i++) {
        fake_pass(fake, 1500);
        echo(fake, i);
    }
    assert_non_null(fake_with(fake, FAKE_LOG, "holds the bot's lines back"));
    assert_true(limits(fake).rate == 1000.0 / 1650);
    for (int i = 9; i <= 20; i++) { /* the rest of what went before is no reason to go slower and slower */
        fake_pass(fake, 1500);
        echo(fake, i);
    }
    assert_true(limits(fake).rate == 1000.0 / 1650);
}

static void a_pause_of_the_machine_teaches_nothing(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "rate_ms", "200");
    irc_ready(fake, HISTORY);
    for (int i = 1; i <= 20; i++) {
        send(fake, i);
    }
    fake_pass(fake, 9000);
    for (int i = 1; i <= 20; i++) {
        echo(fake, i);
    }
    assert_true(limits(fake).rate == 5);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM irc_rate"), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flood_halves_the_rate_and_it_is_said),
        TEST(what_was_learned_outlives_the_process_and_goes_back_in_steps),
        TEST(a_rate_that_is_configured_slower_by_now_holds),
        TEST(a_server_that_holds_lines_back_sets_the_pace),
        TEST(a_pause_of_the_machine_teaches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
