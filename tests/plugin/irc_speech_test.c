/* SPDX-License-Identifier: MIT */
/* Who said what, where, with which rights; and that an own echo is never a post. */
#include "fake_irc.h"

static const struct fake_record *post(struct fake *fake)
{
    const struct fake_record *record = fake_last(fake, FAKE_POST);
    assert_non_null(record);
    return record;
}

static void a_line_of_a_person_is_posted(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":asha!a@h PRIVMSG #DPulo :!start now");
    assert_string_equal(post(fake)->address, "#dpulo");
    assert_string_equal(post(fake)->name, "asha");
    assert_string_equal(post(fake)->author_id, "asha!a@h");
    assert_string_equal(post(fake)->account, "");
    assert_string_equal(post(fake)->text, "!start now");
    assert_int_equal(post(fake)->power, 50);
    assert_int_equal(post(fake)->flags, 0);
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :hi");
    assert_int_equal(post(fake)->power, 0);
    irc_line(fake, ":asha!a@h MODE #dpulo +v-o ben asha");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :hi again");
    assert_int_equal(post(fake)->power, 10);
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :no more");
    assert_int_equal(post(fake)->power, 0);
}

static void notices_actions_and_private_words_are_marked(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "");
    irc_line(fake, ":ben!b@h NOTICE #dpulo :psst");
    assert_int_equal(post(fake)->flags, HR_MSG_NOTICE);
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :\1ACTION waves\1");
    assert_int_equal(post(fake)->flags, HR_MSG_EMOTE);
    assert_string_equal(post(fake)->text, "waves");
    irc_line(fake, ":ben!b@h PRIVMSG hashroom :help");
    assert_int_equal(post(fake)->flags, HR_MSG_PRIVATE);
    assert_string_equal(post(fake)->address, "ben");
    size_t count = fake_count(fake, FAKE_POST);
    irc_line(fake, ":NickServ!s@services NOTICE hashroom :You are not registered");
    irc_line(fake, ":s NOTICE hashroom :*** server words");
    irc_line(fake, ":s PRIVMSG #dpulo :server words");
    irc_line(fake, ":ben!b@h PRIVMSG @#dpulo :to the operators alone");
    irc_line(fake, ":ben!b@h PRIVMSG #elsewhere :not ours");
    irc_line(fake, ":ben!b@h PRIVMSG hashroo :not us");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :\1VERSION\1");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :\1DCC SEND x 0 1 2\1");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo");
    irc_line(fake, ":ben!b@h JOIN #dpulo");
    irc_line(fake, ":ben!b@h PART #dpulo :bye");
    assert_int_equal(fake_count(fake, FAKE_POST), count);
}

static void tags_give_account_id_and_age(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags server-time account-tag");
    irc_line(fake, "@time=2022-11-29T20:00:00.000Z;account=asha;msgid=abc-1 :asha_!a@h PRIVMSG #dpulo :hello");
    assert_string_equal(post(fake)->account, "asha");
    assert_string_equal(post(fake)->author_id, "asha");
    assert_string_equal(post(fake)->name, "asha_");
    assert_string_equal(post(fake)->key, "abc-1");
    assert_int_equal(post(fake)->time_ms, FAKE_NOW_MS);
    /* Who takes the nick has not the account: the tag decides, and its absence too. */
    irc_line(fake, ":asha!x@y PRIVMSG #dpulo :!end");
    assert_string_equal(post(fake)->account, "");
    assert_false(irc_sent(fake, "WHOIS"));
    irc_line(fake, "@time=2999-01-01T00:00:00Z;msgid=bad\\sid\\r :ben!b@h PRIVMSG #dpulo :from the future");
    assert_int_equal(post(fake)->time_ms, FAKE_NOW_MS);
    assert_string_equal(post(fake)->key, "");
    irc_line(fake, "@time=garbage;bot :ben!b@h PRIVMSG #dpulo :x");
    assert_int_equal(post(fake)->time_ms, FAKE_NOW_MS);
    assert_int_equal(post(fake)->flags, HR_MSG_BOT);
}

static void what_was_said_before_we_came_is_history(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_welcome(fake);
    irc_line(fake, "@time=2022-11-29T20:00:00.000Z :hashroom!h@host JOIN #dpulo");
    irc_line(fake, "@time=2022-11-29T19:59:59.000Z :asha!a@h PRIVMSG #dpulo :!end");
    assert_int_equal(post(fake)->flags, HR_MSG_HISTORY);
    assert_int_equal(post(fake)->time_ms, FAKE_NOW_MS - 1000);
    irc_line(fake, "@time=2022-11-29T20:00:00.500Z :asha!a@h PRIVMSG #dpulo :live");
    assert_int_equal(post(fake)->flags, 0);
}

static void a_history_batch_is_history_and_changes_nothing_that_is(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "batch message-tags");
    irc_line(fake, "BATCH +outer chathistory #dpulo");
    irc_line(fake, "@batch=outer BATCH +inner netjoin");
    irc_line(fake, "@batch=outer :asha!a@h PRIVMSG #dpulo :!end");
    assert_int_equal(post(fake)->flags, HR_MSG_HISTORY);
    irc_line(fake, "@batch=inner :asha!a@h PRIVMSG #dpulo :!end");
    assert_int_equal(post(fake)->flags, HR_MSG_HISTORY);
    irc_line(fake, "@batch=outer :asha!a@h KICK #dpulo hashroom :long ago");
    irc_line(fake, "@batch=outer :hashroom!h@host NICK :other");
    irc_line(fake, "@batch=outer :asha!a@h MODE #dpulo +o ben");
    irc_line(fake, "@batch=outer :hashroom!h@host PRIVMSG #dpulo :own words of old");
    assert_null(fake_last(fake, FAKE_DOWN));
    irc_line(fake, "BATCH -outer");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :live");
    assert_int_equal(post(fake)->flags, 0);
    assert_int_equal(post(fake)->power, 0);
}

static void too_many_open_batches_make_history_not_commands(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "batch");
    char line[100];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(line, sizeof line, "BATCH +b%d chathistory #dpulo", i);
        irc_line(fake, line);
    }
    irc_line(fake, "@batch=b99 :asha!a@h PRIVMSG #dpulo :!end");
    assert_int_equal(post(fake)->flags, HR_MSG_HISTORY);
}

/* ---- accounts without the tag ---------------------------------------------------- */

static void a_line_waits_for_one_whois(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "account-notify");
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :!start");
    irc_expect(fake, "WHOIS asha");
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :second");
    irc_line(fake, ":asha!a@h NOTICE #dpulo :third");
    irc_line(fake, ":ben!b@h NOTICE #dpulo :not held up");
    assert_int_equal(fake_count(fake, FAKE_POST), 1);
    assert_true(fake_report(fake) >= 2);
    irc_line(fake, ":s 311 hashroom asha a h * :Asha");
    irc_line(fake, ":s 330 hashroom asha AshaAccount :is logged in as");
    irc_line(fake, ":s 318 hashroom asha :End of /WHOIS list");
    assert_int_equal(fake_count(fake, FAKE_POST), 4);
    assert_string_equal(fake_nth(fake, FAKE_POST, 1)->text, "!start");
    assert_string_equal(fake_nth(fake, FAKE_POST, 1)->account, "AshaAccount");
    assert_string_equal(fake_nth(fake, FAKE_POST, 2)->text, "second");
    assert_string_equal(fake_nth(fake, FAKE_POST, 3)->text, "third");
    fake_forget(fake);
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :known now");
    assert_string_equal(post(fake)->account, "AshaAccount");
    assert_false(irc_sent(fake, "WHOIS"));
}

static void an_account_is_forgotten_at_nick_quit_and_part(void **state)
{
    static const char *const ends[] = {":asha!a@h NICK :asha2", ":asha!a@h QUIT :x", ":asha!a@h PART #dpulo",
                                       ":ben!b@h KICK #dpulo asha"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct fake *fake = irc_new();
        irc_ready(fake, "account-notify");
        irc_line(fake, ":asha!a@h ACCOUNT boss");
        irc_line(fake, ":asha!a@h PRIVMSG #dpulo :one");
        assert_string_equal(post(fake)->account, "boss");
        irc_line(fake, ends[i]);
        fake_forget(fake);
        irc_line(fake, ":asha!evil@h JOIN #dpulo");
        irc_line(fake, ":asha!evil@h PRIVMSG #dpulo :!end");
        irc_expect(fake, "WHOIS asha");
        assert_int_equal(fake_count(fake, FAKE_POST), 0);
        irc_line(fake, ":s 318 hashroom asha :End");
        assert_string_equal(post(fake)->account, "");
        fake_free(fake);
    }
    *state = NULL;
}

static void who_takes_the_nick_while_we_ask_gets_nothing(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "account-notify");
    irc_line(fake, ":mallory!m@h JOIN #dpulo");
    irc_line(fake, ":mallory!m@h PRIVMSG #dpulo :!end");
    irc_line(fake, ":s 330 hashroom mallory asha :is logged in as"); /* asked too late: of whom is this? */
    irc_line(fake, ":mallory!m@h NICK :mall");
    assert_string_equal(post(fake)->text, "!end");
    assert_string_equal(post(fake)->account, "");
    irc_line(fake, ":s 330 hashroom mallory asha :is logged in as");
    irc_line(fake, ":s 318 hashroom mallory :End");
    assert_int_equal(fake_count(fake, FAKE_POST), 1);
}

static void a_new_nick_is_asked_about_anew(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "account-notify");
    irc_line(fake, ":asha!a@h ACCOUNT boss");
    irc_line(fake, ":asha!a@h NICK :asha2");
    irc_line(fake, ":asha2!a@h PRIVMSG #dpulo :!end");
    irc_expect(fake, "WHOIS asha2");
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
}

static void extended_join_and_whox_tell_accounts(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :extended-join account-notify");
    irc_line(fake, ":s CAP * ACK :extended-join account-notify");
    irc_line(fake, ":s 001 hashroom :Welcome");
    irc_line(fake, ":s 005 hashroom WHOX BOT=B PREFIX=(qaohv)~&@%+ :are supported");
    irc_line(fake, ":s 376 hashroom :End");
    irc_expect(fake, "MODE hashroom +B\r\n");
    irc_line(fake, ":hashroom!h@host JOIN #dpulo * :real");
    irc_expect(fake, "WHO #dpulo %tcnfa,152\r\n");
    irc_line(fake, ":s 353 hashroom = #dpulo :hashroom ~asha!a@h helper");
    irc_line(fake, ":s 354 hashroom 152 #dpulo asha H~ boss");
    irc_line(fake, ":s 354 hashroom 152 #dpulo helper HB 0");
    irc_line(fake, ":s 354 hashroom 999 #dpulo asha H fake");
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :one");
    assert_string_equal(post(fake)->account, "boss");
    assert_int_equal(post(fake)->power, 50);
    irc_line(fake, ":helper!b@h PRIVMSG #dpulo :beep");
    assert_int_equal(post(fake)->flags, HR_MSG_BOT);
    irc_line(fake, ":ben!b@h JOIN #dpulo ben :Ben");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :two");
    assert_string_equal(post(fake)->account, "ben");
    irc_line(fake, ":ben!b@h ACCOUNT *");
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :three");
    assert_string_equal(post(fake)->account, "");
    assert_false(irc_sent(fake, "WHOIS"));
}

static void a_whois_without_answer_ends_after_ten_seconds(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "account-notify");
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :!start");
    irc_line(fake, ":s 330 hashroom asha boss :is logged in as");
    fake_pass(fake, 16000);
    assert_string_equal(post(fake)->text, "!start");
    assert_string_equal(post(fake)->account, "");
}

static void who_floods_while_we_ask_is_not_kept(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "account-notify");
    char line[100];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(line, sizeof line, ":asha!a@h PRIVMSG #dpulo :%d", i);
        irc_line(fake, line);
    }
    assert_true(fake_count(fake, FAKE_POST) >= 9);
    for (size_t i = 0; i < fake_count(fake, FAKE_POST); i++) {
        (void)snprintf(line, sizeof line, "%zu", i);
        assert_string_equal(fake_nth(fake, FAKE_POST, i)->text, line);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(line, sizeof line, ":p%d!a@h PRIVMSG #dpulo :hi", i);
        irc_line(fake, line);
    }
    assert_true(fake_count(fake, FAKE_POST) > 80);
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "cut");
    assert_int_equal(fake_count(fake, FAKE_POST), 120);
}

static void a_network_without_services_is_not_asked(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "multi-prefix");
    irc_line(fake, ":asha!a@h PRIVMSG #dpulo :!start");
    assert_false(irc_sent(fake, "WHOIS"));
    assert_string_equal(post(fake)->account, "");
}

static void hostile_lines_and_bytes_pass_without_harm(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags batch echo-message");
    static const char bytes[] =
        "NICK x\r\n:s NOTICE \r\n:s 000 x\r\n:bob MODE bob\r\nQUIT\r\n:n QUIT\r\n:n!u@h KICK #dpulo\r\n:s 353\r\n:s "
        "354 a 152\r\n"
        ":s 352 a b c d e f\r\n:s 005\r\n:s 330 x\r\n:s 318\r\n:s 401\r\n:s 404 x\r\nBATCH\r\nBATCH +\r\nBATCH "
        "-\r\nFAIL\r\nFAIL PRIVMSG\r\n"
        "PING\r\nPONG\r\nCAP\r\nCAP * LS\r\nCAP * ACK :\r\nAUTHENTICATE\r\nACCOUNT\r\nCHGHOST\r\n:hashroom CHGHOST "
        "x\r\nINVITE\r\n"
        ":a!b@c PRIVMSG #dpulo :nul\0here\r\n:a!b@c PRIVMSG #dpulo :cr\rQUIT :x\r\n@;;;=;\\ :a!b@c PRIVMSG\r\n"
        "\x00\x01\x02\r\n:hashroom!h@host PRIVMSG\r\n:hashroom!h@host JOIN\r\n:hashroom!h@host PRIVMSG #dpulo\r\n:s "
        "001\r\n:s 433\r\n";
    fake_stream_data(fake, fake_stream(fake), bytes, sizeof bytes - 1);
    assert_non_null(fake_stream(fake));
    assert_int_equal(fake_count(fake, FAKE_POST), 0);
    irc_line(fake, ":ben!b@h PRIVMSG #dpulo :\xff\xfe\xc3(");
    assert_int_equal(fake_count(fake, FAKE_POST), 1); /* the host makes text of it */
    for (size_t i = 0; i < fake_count(fake, FAKE_STREAM_WRITE); i++) {
        assert_null(strstr(fake_nth(fake, FAKE_STREAM_WRITE, i)->text, "QUIT"));
    }
}

static void replies_and_redactions_name_the_message(void **state)
{
    struct fake *fake = *state = irc_new();
    irc_ready(fake, "message-tags account-tag draft/message-redaction");
    irc_line(fake, "@msgid=one :asha!a@h PRIVMSG #dpulo :first");
    irc_line(fake, "@msgid=two;+draft/reply=one :ben!b@h PRIVMSG #dpulo :second");
    assert_string_equal(post(fake)->reply_to, "one");
    irc_line(fake, ":asha!a@h REDACT #dpulo one :oops");
    assert_string_equal(fake_last(fake, FAKE_REMOVE)->key, "one");
}

static void a_private_room_needs_leave(void **state)
{
    struct fake *fake = *state = irc_new();
    fake_private_limit(fake, 1);
    irc_ready(fake, "");
    irc_line(fake, ":ben!b@h PRIVMSG hashroom :one");
    assert_int_equal(fake_count(fake, FAKE_POST), 1);
    irc_line(fake, ":cara!b@h PRIVMSG hashroom :two");
    assert_int_equal(fake_count(fake, FAKE_POST), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_of_a_person_is_posted),
        TEST(notices_actions_and_private_words_are_marked),
        TEST(tags_give_account_id_and_age),
        TEST(what_was_said_before_we_came_is_history),
        TEST(a_history_batch_is_history_and_changes_nothing_that_is),
        TEST(too_many_open_batches_make_history_not_commands),
        TEST(a_line_waits_for_one_whois),
        TEST(an_account_is_forgotten_at_nick_quit_and_part),
        TEST(who_takes_the_nick_while_we_ask_gets_nothing),
        TEST(a_new_nick_is_asked_about_anew),
        TEST(extended_join_and_whox_tell_accounts),
        TEST(a_whois_without_answer_ends_after_ten_seconds),
        TEST(who_floods_while_we_ask_is_not_kept),
        TEST(a_network_without_services_is_not_asked),
        TEST(hostile_lines_and_bytes_pass_without_harm),
        TEST(replies_and_redactions_name_the_message),
        TEST(a_private_room_needs_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
