/* SPDX-License-Identifier: MIT */
/* What a network may do to us and around us: TLS asked for, kills, splits, capabilities that come and go. */
#include "fake_irc.h"

static const struct fake_record *opened(struct fake *fake)
{
    const struct fake_record *last = fake_last(fake, FAKE_STREAM_OPEN);
    assert_non_null(last);
    return last;
}

/* The link has ended; the next one is opened. */
static void come_again(struct fake *fake)
{
    fake_pass(fake, 10 * 60 * 1000);
    assert_non_null(fake_stream(fake));
}

static void a_server_that_asks_for_tls_gets_it_before_any_password(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "sasl", "plain");
    fake_option(fake, "sasl_account", "hashroom");
    fake_option(fake, "sasl_password_file", "secret");
    irc_start(fake);
    assert_true(opened(fake)->flags);
    irc_line(fake, ":s CAP * LS :sasl=PLAIN sts=port=6697,duration=2592000");
    assert_non_null(fake_with(fake, FAKE_DOWN, "asks for an encrypted connection"));
    assert_false(irc_sent(fake, "AUTHENTICATE"));
    assert_false(irc_sent(fake, "CAP REQ"));
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM irc_sts"), 0); /* plain text may be anybody's */
    come_again(fake);
    assert_int_equal(opened(fake)->number, 6697);
    assert_false(opened(fake)->flags);
}

static void without_tls_there_is_no_way_back(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :sts=port=6697");
    for (int i = 0; i < 3; i++) {
        come_again(fake);
        assert_false(opened(fake)->flags);
        fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "connection refused");
    }
}

static void a_policy_outlives_the_process_until_its_time(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :sts=port=7000");
    come_again(fake);
    fake_stream_opened(fake, fake_stream(fake), "TLS 1.3");
    irc_line(fake, ":s CAP * LS :sts=duration=86400,port=1");
    assert_int_equal(fake_number(fake, "SELECT port FROM irc_sts WHERE server = 'localhost'"), 7000);
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(opened(fake)->number, 7000);
    assert_false(opened(fake)->flags);
    fake_stop(fake);
    fake_pass(fake, INT64_C(86400) * 1000 + 1);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_true(opened(fake)->flags);
}

static void over_tls_a_policy_can_be_taken_back(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "tls", "yes");
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :sts=duration=3600");
    assert_int_equal(fake_number(fake, "SELECT port FROM irc_sts"), 6697);
    irc_line(fake, ":s CAP * NEW :sts=duration=0");
    assert_int_equal(fake_number(fake, "SELECT until_ms FROM irc_sts"), FAKE_NOW_MS);
}

static void a_broken_policy_is_none(void **state)
{
    static const char *const broken[] = {"sts",           "sts=",     "sts=port=0",     "sts=port=70000",
                                         "sts=port=66x",  "sts=port", "sts=xport=6697", "sts=port=99999999999999999999",
                                         "sts=duration=5"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct fake *fake = *state = irc_new();
        char line[200];
        irc_start(fake);
        (void)snprintf(line, sizeof line, ":s CAP * LS :%s", broken[i]);
        irc_line(fake, line);
        assert_null(fake_last(fake, FAKE_DOWN));
        irc_expect(fake, "CAP END");
        fake_free(fake);
        *state = NULL;
    }
}

static void after_a_kill_the_bot_waits_long(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":oper!o@h KILL hashroom :too loud");
    irc_line(fake, "ERROR :Closing Link: host (Killed (oper (too loud)))");
    assert_non_null(fake_with(fake, FAKE_DOWN, "the network's staff closed the bot's connection"));
    fake_forget(fake);
    fake_pass(fake, 14 * 60 * 1000);
    assert_null(fake_last(fake, FAKE_STREAM_OPEN));
    fake_pass(fake, 5 * 60 * 1000);
    assert_non_null(fake_last(fake, FAKE_STREAM_OPEN));
}

static void a_collision_of_nicks_is_no_kill(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, "ERROR :Closing Link: host (Killed (s (Nickname collision)))");
    fake_forget(fake);
    fake_pass(fake, 60 * 1000);
    assert_non_null(fake_last(fake, FAKE_STREAM_OPEN));
}

static void a_split_takes_the_accounts_of_those_who_went(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "batch message-tags extended-join account-notify");
    irc_line(fake, ":asha!a@h ACCOUNT asha");
    irc_line(fake, "BATCH +n netsplit a.example b.example");
    irc_line(fake, "@batch=n :asha!a@h QUIT :a.example b.example");
    irc_line(fake, "BATCH -n");
    irc_line(fake, "BATCH +j netjoin a.example b.example");
    irc_line(fake, "@batch=j :asha!x@elsewhere JOIN #dpulo * :somebody else");
    irc_line(fake, "BATCH -j");
    irc_line(fake, ":asha!x@elsewhere PRIVMSG #dpulo :!end");
    const struct fake_record *post = fake_last(fake, FAKE_POST);
    assert_string_equal(post->account, "");
    assert_int_equal(post->power, 0);
    assert_int_equal(post->flags, 0); /* a join batch is not history */
}

static void a_voice_left_after_deop_is_known_with_multi_prefix(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "multi-prefix");
    irc_line(fake, ":s 353 hashroom = #dpulo :@+cem");
    irc_line(fake, ":cem!c@h PRIVMSG #dpulo :one");
    assert_int_equal(fake_last(fake, FAKE_POST)->power, 50);
    irc_line(fake, ":asha!a@h MODE #dpulo -o cem");
    irc_line(fake, ":cem!c@h PRIVMSG #dpulo :two");
    assert_int_equal(fake_last(fake, FAKE_POST)->power, 10);
}

static void history_that_comes_and_goes_changes_what_may_be_in_doubt(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags server-time echo-message batch");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.flags, 0);
    irc_line(fake, ":s CAP hashroom NEW :draft/chathistory");
    irc_expect(fake, "CAP REQ :draft/chathistory\r\n");
    irc_line(fake, ":s CAP hashroom ACK :draft/chathistory");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.flags, HR_NET_SAME_TXN);
    assert_int_equal(fake_number(fake, "SELECT history FROM irc_network"), 1);
    irc_line(fake, ":s CAP hashroom DEL :draft/chathistory");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.flags, 0);
    assert_int_equal(fake_number(fake, "SELECT history FROM irc_network"), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_asks_for_tls_gets_it_before_any_password),
        TEST(without_tls_there_is_no_way_back),
        TEST(a_policy_outlives_the_process_until_its_time),
        TEST(over_tls_a_policy_can_be_taken_back),
        TEST(a_broken_policy_is_none),
        TEST(after_a_kill_the_bot_waits_long),
        TEST(a_collision_of_nicks_is_no_kill),
        TEST(a_split_takes_the_accounts_of_those_who_went),
        TEST(a_voice_left_after_deop_is_known_with_multi_prefix),
        TEST(history_that_comes_and_goes_changes_what_may_be_in_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
