/* SPDX-License-Identifier: MIT */
/* From the first byte to the greeting, and what happens when the link ends: a scripted server. */
#include "../../plugins/irc/login.h"
#include "fake_irc.h"
#include <cmocka.h>

static void without_capabilities_the_bot_gets_in(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_expect(fake, "CAP LS 302\r\n");
    irc_expect(fake, "NICK hashroom\r\n");
    irc_expect(fake, "USER hashroom 0 * :hashroom, a bot for hashtag chats\r\n");
    irc_line(fake, ":s 421 * CAP :Unknown command");
    irc_line(fake, ":s 001 hashroom :Welcome");
    irc_line(fake, ":s 422 hashroom :no MOTD");
    irc_expect(fake, "JOIN #dpulo\r\n");
    assert_string_equal(fake_last(fake, FAKE_UP)->address, "");
    irc_line(fake, ":hashroom!h@host JOIN #DPULO");
    assert_string_equal(fake_last(fake, FAKE_UP)->address, "#dpulo");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.window, 2);
}

static void capabilities_over_several_lines_are_requested_at_once(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s CAP * LS * :server-time multi-prefix sasl=PLAIN");
    assert_false(irc_sent(fake, "CAP REQ"));
    irc_line(fake, ":s CAP * LS :message-tags echo-message batch draft/chathistory unknown/cap=1");
    irc_expect(fake, "CAP REQ :message-tags server-time echo-message batch multi-prefix draft/chathistory\r\n");
    irc_line(fake, ":s CAP * ACK :message-tags server-time echo-message batch multi-prefix draft/chathistory");
    irc_expect(fake, "CAP END\r\n");
    irc_welcome(fake);
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.window, 64); /* own lines can be read back */
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.flags, HR_NET_SAME_TXN);
    irc_line(fake, ":s CAP hashroom DEL :echo-message");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.window, 2);
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.flags, 0);
    irc_line(fake, ":s CAP hashroom NEW :echo-message");
    irc_expect(fake, "CAP REQ :echo-message\r\n");
    irc_line(fake, ":s CAP hashroom ACK :echo-message");
    assert_int_equal(fake_last(fake, FAKE_LIMITS)->limits.window, 64);
}

static void a_refused_list_is_asked_for_one_by_one(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :server-time batch");
    irc_line(fake, ":s CAP * NAK :server-time batch");
    irc_expect(fake, "CAP REQ :server-time\r\n");
    irc_expect(fake, "CAP REQ :batch\r\n");
    irc_line(fake, ":s CAP * ACK :server-time");
    assert_false(irc_sent(fake, "CAP END"));
    irc_line(fake, ":s CAP * NAK :batch");
    irc_expect(fake, "CAP END\r\n");
}

static struct fake *with_sasl(void)
{
    struct fake *fake = irc_new();
    fake_option(fake, "sasl", "plain");
    fake_option(fake, "sasl_account", "hashbot");
    fake_option(fake, "sasl_password_file", "sesame");
    irc_start(fake);
    return fake;
}

static void sasl_plain_logs_in_before_the_greeting(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s CAP * LS :sasl=EXTERNAL,PLAIN");
    irc_expect(fake, "CAP REQ :sasl\r\n");
    irc_line(fake, ":s CAP * ACK :sasl");
    irc_expect(fake, "AUTHENTICATE PLAIN\r\n");
    irc_line(fake, "AUTHENTICATE +");
    irc_expect(fake, "AUTHENTICATE aGFzaGJvdABoYXNoYm90AHNlc2FtZQ==\r\n");
    assert_false(irc_sent(fake, "CAP END"));
    irc_line(fake, ":s 900 * * hashbot :You are now logged in");
    irc_line(fake, ":s 903 * :SASL authentication successful");
    irc_expect(fake, "CAP END\r\n");
    irc_welcome(fake);
    assert_string_equal(fake_last(fake, FAKE_UP)->address, "");
}

/* The bot is out, says why, and comes back no sooner than in 15 minutes. */
static void assert_out_for_long(struct fake *fake, const char *why)
{
    const struct fake_record *down = fake_last(fake, FAKE_DOWN);
    assert_non_null(down);
    assert_string_equal(down->address, "");
    assert_non_null(strstr(down->text, why));
    assert_null(fake_stream(fake));
    assert_null(fake_with(fake, FAKE_LOG, "sesame"));
    size_t opened = fake_count(fake, FAKE_STREAM_OPEN);
    fake_pass(fake, 15 * 60 * 1000 - 1);
    assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened);
    fake_pass(fake, 5 * 60 * 1000);
    assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened + 1);
}

static void a_server_without_sasl_is_left(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s CAP * LS :multi-prefix");
    irc_line(fake, ":s CAP * ACK :multi-prefix");
    assert_false(irc_sent(fake, "CAP END"));
    assert_out_for_long(fake, "offers no login with SASL");
}

static void a_server_that_knows_no_cap_does_not_get_the_bot_unauthenticated(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s 001 hashroom :Welcome");
    assert_false(irc_sent(fake, "JOIN"));
    assert_out_for_long(fake, "without its account");
}

static void a_refused_sasl_capability_ends_it(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s CAP * LS :sasl");
    irc_line(fake, ":s CAP * NAK :sasl");
    irc_line(fake, ":s CAP * NAK :sasl");
    assert_out_for_long(fake, "offers no login with SASL");
}

static void a_wrong_password_ends_it(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s CAP * LS :sasl=PLAIN");
    irc_line(fake, ":s CAP * ACK :sasl");
    irc_line(fake, "AUTHENTICATE +");
    irc_line(fake, ":s 904 hashroom :SASL authentication failed");
    assert_out_for_long(fake, "refused the account");
}

static void an_unknown_mechanism_is_told(void **state)
{
    struct fake *fake = *state = with_sasl();
    irc_line(fake, ":s CAP * LS :sasl=SCRAM-SHA-256,EXTERNAL");
    assert_out_for_long(fake, "does not know the login PLAIN");
}

static void sasl_external_answers_with_a_plus(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "sasl", "external");
    fake_option(fake, "tls", "yes");
    fake_option(fake, "cert_file", "/c");
    fake_option(fake, "key_file", "/k");
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :sasl");
    irc_line(fake, ":s CAP * ACK :sasl");
    irc_expect(fake, "AUTHENTICATE EXTERNAL\r\n");
    irc_line(fake, "AUTHENTICATE +");
    irc_expect(fake, "AUTHENTICATE +\r\n");
    irc_line(fake, ":s 903 * :ok");
    irc_expect(fake, "CAP END\r\n");
}

static void long_credentials_come_in_lines_of_400(void **state)
{
    (void)state;
    char password[300], out[2000];
    memset(password, 'p', sizeof password - 1);
    password[sizeof password - 1] = '\0';
    assert_true(sasl_plain("a", password, out, sizeof out));
    assert_int_equal(strlen(out), 404);
    assert_false(sasl_plain("a", password, out, 300));
    assert_true(sasl_plain("ab", "c", out, sizeof out));
    assert_string_equal(out, "YWIAYWIAYw==");
}

static void a_taken_nick_is_replaced_and_regained(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_option(fake, "nick_alternatives", "hashbot");
    irc_start(fake);
    irc_line(fake, ":s 433 * hashroom :Nickname is already in use");
    irc_expect(fake, "NICK hashbot\r\n");
    irc_line(fake, ":s 433 * hashbot :Nickname is already in use");
    irc_expect(fake, "NICK hashroom_\r\n");
    irc_line(fake, ":s 001 hashroom_ :Welcome");
    irc_line(fake, ":s 376 hashroom_ :End of MOTD");
    irc_line(fake, ":hashroom_!h@host JOIN #dpulo");
    fake_forget(fake);
    irc_line(fake, ":hashroom!x@y QUIT :gone");
    fake_pass(fake, 6000);
    irc_expect(fake, "NICK hashroom\r\n");
    irc_line(fake, ":hashroom_!h@host NICK :hashroom");
    fake_forget(fake);
    irc_line(fake, ":ben!b@h PRIVMSG hashroom :to you");
    assert_string_equal(fake_last(fake, FAKE_POST)->address, "ben");
    fake_pass(fake, 10 * 60 * 1000);
    assert_false(irc_sent(fake, "NICK hashroom\r\n"));
}

static void every_nick_taken_is_a_state_and_no_loop(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    for (int i = 0; i < 30 && fake_stream(fake); i++) {
        irc_line(fake, ":s 433 * x :Nickname is already in use");
    }
    assert_out_for_long(fake, "every nick the bot tried");
}

static void a_ban_is_a_state(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s 465 hashroom :You are banned from this server");
    assert_out_for_long(fake, "banned");
}

static void an_error_that_speaks_of_a_kline_is_a_ban(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, "ERROR :Closing Link: 127.0.0.1 (K-Lined)");
    assert_out_for_long(fake, "banned");
}

enum end { NOT_THERE, CUT_OFF, TURNED_AWAY };

/* A server that lets the bot in, is not there or breaks off is tried again within a minute; one that turns it away with
 * an ERROR has its rest. */
static void the_pause_doubles(struct fake *fake, enum end end, int64_t longest_ms)
{
    int64_t least = 2000;
    for (int i = 0; i < 12; i++) {
        if (end != NOT_THERE && i > 0) { /* irc_start() has opened the first */
            fake_stream_opened(fake, fake_stream(fake), "plain");
        }
        if (end == TURNED_AWAY) {
            irc_line(fake, "ERROR :Trying to reconnect too fast");
        } else {
            fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "connection refused");
        }
        size_t opened = fake_count(fake, FAKE_STREAM_OPEN);
        fake_pass(fake, least - 2001 > 0 ? least - 2001 : 0);
        assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened);
        fake_pass(fake, least / 2 + 2001);
        assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened + 1);
        least = least * 2 < longest_ms ? least * 2 : longest_ms;
    }
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text,
                           end == TURNED_AWAY ? "too fast); next try in " : "connection refused; next try in "));
}

static void the_pause_doubles_up_to_three_quarters_of_a_minute(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    the_pause_doubles(fake, NOT_THERE, 45000);
}

static void a_login_cut_off_without_a_word_is_no_refusal(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    the_pause_doubles(fake, CUT_OFF, 45000);
}

static void the_pause_doubles_up_to_five_minutes_where_the_server_turns_us_away(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    the_pause_doubles(fake, TURNED_AWAY, 300000);
}

static void a_minute_of_life_resets_the_pause(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    for (int i = 0; i < 8; i++) {
        fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "no");
        fake_pass(fake, 301000);
    }
    fake_stream_opened(fake, fake_stream(fake), "plain");
    irc_welcome(fake);
    fake_pass(fake, 30000);
    irc_line(fake, ":s NOTICE hashroom :x");
    fake_pass(fake, 31000);
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "cut");
    size_t opened = fake_count(fake, FAKE_STREAM_OPEN);
    fake_pass(fake, 3001);
    assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened + 1);
}

static void a_refused_certificate_is_looked_at_again_within_minutes(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    for (int i = 0; i < 10; i++) { /* however often */
        fake_stream_closed(fake, fake_stream(fake), HR_EDENIED, "the certificate is for another name");
        assert_string_equal(fake_last(fake, FAKE_DOWN)->text,
                            "localhost: the certificate is for another name; next try in 2 minutes");
        size_t opened = fake_count(fake, FAKE_STREAM_OPEN);
        fake_pass(fake, 119000);
        assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened);
        fake_pass(fake, 60000);
        assert_int_equal(fake_count(fake, FAKE_STREAM_OPEN), opened + 1);
    }
}

static void a_silent_server_is_asked_and_then_left(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    fake_forget(fake);
    fake_pass(fake, 59000);
    assert_false(irc_sent(fake, "PING :hr-alive"));
    fake_pass(fake, 7000);
    irc_expect(fake, "PING :hr-alive\r\n");
    fake_stream_data(fake, fake_stream(fake), ":", 1); /* any byte is life */
    fake_pass(fake, 100000);
    assert_non_null(fake_stream(fake));
    fake_pass(fake, 30000);
    assert_non_null(fake_with(fake, FAKE_DOWN, "silent"));
}

static void a_login_that_never_ends_is_given_up(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    for (int i = 0; i < 7; i++) {
        fake_pass(fake, 10000);
        if (fake_stream(fake)) {
            irc_line(fake, ":s NOTICE * :*** wait");
        }
    }
    assert_non_null(fake_with(fake, FAKE_DOWN, "did not finish the login"));
}

static void ping_is_answered_at_any_time(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, "PING :cookie with spaces");
    irc_expect(fake, "PONG :cookie with spaces\r\n");
    irc_line(fake, "@time=2026-01-01T00:00:00Z :s PING x");
    irc_expect(fake, "PONG :x\r\n");
}

static void after_a_kick_the_bot_stays_out_even_over_a_reconnect(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":asha!a@h KICK #dpulo hashroom :not now");
    assert_string_equal(fake_last(fake, FAKE_DOWN)->address, "#dpulo");
    assert_non_null(strstr(fake_last(fake, FAKE_DOWN)->text, "asha removed the bot"));
    irc_line(fake, ":asha!a@h INVITE hashroom #dpulo");
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "cut");
    fake_pass(fake, 10000);
    fake_forget(fake);
    fake_stream_opened(fake, fake_stream(fake), "plain");
    irc_welcome(fake);
    assert_false(irc_sent(fake, "JOIN"));
}

static void a_refused_join_is_a_state_of_the_room(void **state)
{
    static const char *const numerics[] = {"471", "473", "474", "475", "477"};
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++) {
        struct fake *fake = irc_new();
        irc_start(fake);
        irc_welcome(fake);
        char line[100];
        (void)snprintf(line, sizeof line, ":s %s hashroom #dpulo :Cannot join channel", numerics[i]);
        irc_line(fake, line);
        assert_string_equal(fake_last(fake, FAKE_DOWN)->address, "#dpulo");
        assert_true(fake_report(fake) >= 2);
        fake_free(fake);
    }
    *state = NULL;
}

static void a_channel_nobody_asked_for_is_left(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":hashroom!h@host JOIN ##forwarded");
    irc_expect(fake, "PART ##forwarded\r\n");
}

static size_t count_sent(struct fake *fake, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < fake_count(fake, FAKE_STREAM_WRITE); i++) {
        count += strstr(fake_nth(fake, FAKE_STREAM_WRITE, i)->text, text) != NULL;
    }
    return count;
}

static void many_channels_are_joined_in_one_line_and_asked_about_one_by_one(void **state)
{
    struct fake *fake = *state = irc_new();
    (void)fake_room(fake, "net", "#two", "IRC", "dpulo", HR_ROOM_PEOPLE);
    (void)fake_room(fake, "net", "#three", "IRC", "dpulo", HR_ROOM_PEOPLE);
    irc_start(fake);
    irc_line(fake, ":s 001 hashroom :Welcome");
    irc_line(fake, ":s 005 hashroom WHOX :are supported");
    irc_line(fake, ":s 376 hashroom :End");
    irc_expect(fake, "JOIN #dpulo,#two,#three\r\n");
    assert_int_equal(fake_report(fake), 4); /* three of them: not in yet */
    irc_line(fake, ":hashroom!h@host JOIN #dpulo");
    irc_line(fake, ":hashroom!h@host JOIN #two");
    irc_line(fake, ":hashroom!h@host JOIN #three");
    assert_int_equal(count_sent(fake, "WHO #"), 1);
    fake_pass(fake, 5000);
    assert_int_equal(count_sent(fake, "WHO #"), 2);
    fake_pass(fake, 30000);
    assert_int_equal(count_sent(fake, "WHO #"), 3);
}

static int problems_with(const char *name, const char *value, const char *name2, const char *value2)
{
    struct fake *fake = irc_new();
    fake_option(fake, name, value);
    if (name2) {
        fake_option(fake, name2, value2);
    }
    int count = fake_check(fake);
    fake_free(fake);
    return count;
}

static void wrong_configuration_is_told_with_the_fix(void **state)
{
    *state = NULL;
    assert_int_equal(problems_with("port", "6667", NULL, NULL), 0);
    assert_int_equal(problems_with("sasl", "plain", NULL, NULL), 2);
    assert_int_equal(problems_with("sasl", "external", NULL, NULL), 1);
    assert_int_equal(problems_with("sasl", "digest", NULL, NULL), 1);
    assert_int_equal(problems_with("nick", "hash room", NULL, NULL), 1);
    assert_int_equal(problems_with("nick", "#hash", NULL, NULL), 1);
    assert_int_equal(problems_with("nick_alternatives", "ok, 1no", NULL, NULL), 1);
    assert_int_equal(problems_with("server", "irc.example.org", NULL, NULL), 1); /* tls = no is in irc_new() */
    assert_int_equal(problems_with("server", "irc.example.org", "allow_plain", "yes"), 0);
    assert_int_equal(problems_with("server", "irc.example.org/6697", "tls", "yes"), 1);
    assert_int_equal(problems_with("username", "a b", NULL, NULL), 1);
    assert_int_equal(problems_with("cert_file", "/c", NULL, NULL), 1);
}

static void a_room_address_is_judged(void **state)
{
    *state = NULL;
    char err[300];
    int (*check)(const char *, char *, size_t) = hashroom_plugin.network->check_room;
    assert_int_equal(check("#dpulo", err, sizeof err), 0);
    assert_int_equal(check("dpulo", err, sizeof err), HR_EINVAL);
    assert_non_null(strstr(err, "\"#dpulo\""));
    static const char *const bad[] = {
        "", "#", "#a b", "#a,b", "#a\1", "#a:b", "#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(check(bad[i], err, sizeof err), HR_EINVAL);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_capabilities_the_bot_gets_in),
        TEST(capabilities_over_several_lines_are_requested_at_once),
        TEST(a_refused_list_is_asked_for_one_by_one),
        TEST(sasl_plain_logs_in_before_the_greeting),
        TEST(a_server_without_sasl_is_left),
        TEST(a_server_that_knows_no_cap_does_not_get_the_bot_unauthenticated),
        TEST(a_refused_sasl_capability_ends_it),
        TEST(a_wrong_password_ends_it),
        TEST(an_unknown_mechanism_is_told),
        TEST(sasl_external_answers_with_a_plus),
        TEST(long_credentials_come_in_lines_of_400),
        TEST(a_taken_nick_is_replaced_and_regained),
        TEST(every_nick_taken_is_a_state_and_no_loop),
        TEST(a_ban_is_a_state),
        TEST(an_error_that_speaks_of_a_kline_is_a_ban),
        TEST(the_pause_doubles_up_to_three_quarters_of_a_minute),
        TEST(a_login_cut_off_without_a_word_is_no_refusal),
        TEST(the_pause_doubles_up_to_five_minutes_where_the_server_turns_us_away),
        TEST(a_minute_of_life_resets_the_pause),
        TEST(a_refused_certificate_is_looked_at_again_within_minutes),
        TEST(a_silent_server_is_asked_and_then_left),
        TEST(a_login_that_never_ends_is_given_up),
        TEST(ping_is_answered_at_any_time),
        TEST(after_a_kick_the_bot_stays_out_even_over_a_reconnect),
        TEST(a_refused_join_is_a_state_of_the_room),
        TEST(a_channel_nobody_asked_for_is_left),
        TEST(many_channels_are_joined_in_one_line_and_asked_about_one_by_one),
        TEST(wrong_configuration_is_told_with_the_fix),
        TEST(a_room_address_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
