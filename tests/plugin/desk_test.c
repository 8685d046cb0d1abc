/* SPDX-License-Identifier: MIT */
/* !status and !stop. */
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake *fake;
static uint64_t room;
static struct hr_network_state networks[40];
static size_t network_count;
static const char *reports[40][2];
static size_t report_count;

static int each_network(struct hr_bot *bot, hr_network_fn *fn, void *arg)
{
    (void)bot;
    int status = 0;
    for (size_t i = 0; i < network_count && status >= 0; i++) {
        status = fn(arg, &networks[i]);
    }
    return status;
}

static int each_report(struct hr_bot *bot, hr_report_fn *fn, void *arg)
{
    (void)bot;
    int status = 0;
    for (size_t i = 0; i < report_count && status >= 0; i++) {
        status = fn(arg, reports[i][0], reports[i][1]);
    }
    return status;
}

static int setup(void **state)
{
    (void)state;
    network_count = report_count = 0;
    fake = fake_new(&hashroom_plugin);
    struct hr_api *api = (struct hr_api *)fake_api(fake);
    api->networks = each_network;
    api->reports = each_report;
    fake_chat(fake, "dpulo", "#DPULO");
    room = fake_room(fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    (void)fake_room(fake, "home", "!a:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    fake_sql(fake, "CREATE TABLE core_pub_delivery(network, address, room, state, act, priority, count, oldest_ms);"
                   "CREATE TABLE core_pub_said(message, room, act, state, settled_ms);"
                   "CREATE TABLE core_pub_room(id, network, address, private);"
                   "INSERT INTO core_pub_room VALUES(1, 'libera', '#dpulo', 0), (2, 'home', '!a:example.org', 0),"
                   " (3, 'libera', 'ben', 1), (4, 'libera', 'carol', 1)");
    return fake_start(fake);
}

static int teardown(void **state)
{
    (void)state;
    fake_free(fake);
    return 0;
}

static void network(const char *name, bool up, const char *reason, int64_t for_ms)
{
    networks[network_count++] = (struct hr_network_state){.size = sizeof(struct hr_network_state),
                                                          .name = name,
                                                          .service = "IRC",
                                                          .up = up,
                                                          .reason = reason,
                                                          .trouble = "",
                                                          .for_ms = for_ms};
}

static void answers(const char *line, const char *want)
{
    assert_int_equal(fake_command(fake, room, line), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, want);
}

static void status_says_what_is_wrong_first(void **state)
{
    (void)state;
    network("libera", true, "", 2 * 60 * 60 * 1000);
    network("home", false, "no answer from home.example.org, I try again in 30 s.", 90 * 1000);
    answers("!status", "home has not worked for 90 seconds: no answer from home.example.org, I try again in 30 s. "
                       "libera has worked for 2 hours.");
}

static void status_counts_what_waits_and_what_was_lost(void **state)
{
    (void)state;
    network("libera", true, "", 1000);
    fake_sql(fake, "INSERT INTO core_pub_delivery VALUES('libera', '#dpulo', 1, 'waiting', 0, 5, 11, 1669751940000),"
                   " ('libera', '#dpulo', 1, 'claimed', 0, 3, 1, 1669751990000), ('libera', '#dpulo', 1, 'delivered', "
                   "0, 3, 90, 1),"
                   " ('home', '!a:example.org', 2, 'waiting', 0, 3, 1, 1669751700000)");
    fake_sql(fake,
             "INSERT INTO core_pub_said VALUES(1, 1, 0, 'refused', 1669751000000), (2, 1, 0, 'unknown', 1669751000000),"
             " (3, 1, 0, 'unknown', 1669751000000), (4, 1, 0, 'refused', 5), (5, 1, 0, 'delivered', 1669751000000)");
    answers("!status", "1 message waits for #DPULO on home, for 5 minutes. 12 messages wait for #dpulo on libera, the "
                       "oldest for 60 seconds. "
                       "libera refused 1 of my messages today. I do not know if 2 of my messages today reached libera. "
                       "libera has worked for a moment.");
}

static void status_leaves_out_what_waits_for_a_moment_and_names_no_private_room(void **state)
{
    (void)state;
    network("libera", true, "", 1000);
    fake_sql(fake, "INSERT INTO core_pub_delivery VALUES('libera', '#dpulo', 1, 'waiting', 0, 5, 3, 1669751941000),"
                   " ('libera', 'ben', 3, 'waiting', 0, 3, 1, 1669751700000),"
                   " ('libera', 'carol', 4, 'claimed', 0, 3, 2, 1669751800000)");
    answers("!status", "3 private answers wait on libera, the oldest for 5 minutes. libera has worked for a moment.");
}

static void status_says_why_a_network_was_away_within_the_hour(void **state)
{
    (void)state;
    network("libera", true, "", 2 * 60 * 1000);
    networks[0].trouble = "the server closed the line.";
    networks[0].trouble_ago_ms = 3 * 60 * 1000;
    answers("!status", "libera has worked for 2 minutes. Before, it did not: the server closed the line.");
    networks[0].trouble_ago_ms = 2 * 60 * 60 * 1000;
    answers("!status", "libera has worked for 2 minutes.");
}

static void status_tells_rooms_it_is_not_in(void **state)
{
    (void)state;
    network("libera", true, "", 3 * 24 * 60 * 60 * 1000LL);
    fake_room_flags(fake, room, HR_ROOM_PEOPLE);
    answers("!status", "I am not in #dpulo on libera. libera has worked for 3 days.");
}

static void status_repeats_what_plugins_report(void **state)
{
    (void)state;
    network("libera", true, "", 60 * 60 * 1000);
    reports[0][0] = "irc/libera";
    reports[0][1] = "2 lines were said twice after a break\nAll well.\n";
    reports[1][0] = "moderation";
    reports[1][1] = "3 posts wait for a moderator in #DPULO. To see them, type !queue\n";
    report_count = 2;
    answers("!status", "libera has worked for 60 minutes. 2 lines were said twice after a break. All well. "
                       "3 posts wait for a moderator in #DPULO. To see them, type !queue");
    answers("!status LIBERA", "libera has worked for 60 minutes. 2 lines were said twice after a break. All well.");
    answers("!status matrx", "I know no network called matrx. To see all of them, type !status");
}

static void long_status_stays_in_three_lines(void **state)
{
    (void)state;
    static char names[40][24];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "network-number-%d", i);
        network(names[i], i % 2 == 0, "the server closed the line without a word, I try again soon", 1000 * i);
    }
    assert_int_equal(fake_command(fake, room, "!status"), HR_OK);
    const char *text = fake_last(fake, FAKE_ANSWER)->text;
    int lines = 1;
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        assert_true(strcspn(at, "\n") <= 350);
        lines += at[strcspn(at, "\n")] == '\n';
    }
    assert_int_equal(lines, 3);
    assert_non_null(strstr(text, "There is more. To see it, type for example: !status network-number-0"));
}

static void status_without_networks_says_so(void **state)
{
    (void)state;
    answers("!status", "I am on no network.");
}

static int drop_twelve(struct hr_bot *bot, uint64_t id, const char *reason)
{
    (void)bot;
    assert_int_equal(id, room);
    assert_string_equal(reason, "stopped by Asha");
    return 12;
}

static int drop_none(struct hr_bot *bot, uint64_t id, const char *reason)
{
    (void)bot;
    (void)id;
    (void)reason;
    return 0;
}

static void stop_says_how_many_were_dropped(void **state)
{
    (void)state;
    struct hr_api *api = (struct hr_api *)fake_api(fake);
    api->drop_waiting = drop_twelve;
    answers("!stop", "I dropped 12 messages that waited for this room.");
    api->drop_waiting = drop_none;
    answers("!stop", "No messages wait for this room.");
}

static void stop_in_private_says_where_to_type_it(void **state)
{
    (void)state;
    const uint64_t private_room =
        fake_room(fake, "libera", "asha", "IRC", "", HR_ROOM_PEOPLE | HR_ROOM_PRIVATE | HR_ROOM_UP);
    assert_int_equal(fake_command(fake, private_room, "!stop"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text,
                        "Please type !stop in the room that I should stop talking to.");
    assert_int_equal(fake_count(fake, FAKE_DROP), 0);
}

static void commands_carry_their_permissions(void **state)
{
    (void)state;
    assert_string_equal(hashroom_plugin.commands[1].permission, "chat.run");
    assert_string_equal(hashroom_plugin.commands[2].permission, "room.stop");
}

static void privacy_says_where_words_go(void **state)
{
    (void)state;
    const char *kept =
        " I keep words for some weeks at most, and links for the list of links. If something of yours has "
        "to go, take it back in your app, or ask a host.";
    char want[600];
    snprintf(want, sizeof(want), "What you say here is shown in 1 room on Matrix, too.%s", kept);
    answers("!privacy", want);
    fake_room_flags(fake, room, HR_ROOM_PEOPLE | HR_ROOM_UP | HR_ROOM_ENCRYPTED);
    snprintf(want, sizeof(want),
             "What you say here is shown in 1 room on Matrix, too. This room is encrypted, the others "
             "need not be. A host agreed to that.%s",
             kept);
    answers("!privacy", want);
    fake_room_flags(fake, room, HR_ROOM_PEOPLE | HR_ROOM_UP | HR_ROOM_ENCRYPTED | HR_ROOM_SEALED);
    answers("!privacy", "This room is encrypted. What you say here stays here, and I do not keep it. A host can change "
                        "that, and then I say so.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_says_what_is_wrong_first),
        TEST(status_counts_what_waits_and_what_was_lost),
        TEST(status_leaves_out_what_waits_for_a_moment_and_names_no_private_room),
        TEST(status_says_why_a_network_was_away_within_the_hour),
        TEST(status_tells_rooms_it_is_not_in),
        TEST(status_repeats_what_plugins_report),
        TEST(long_status_stays_in_three_lines),
        TEST(status_without_networks_says_so),
        TEST(stop_says_how_many_were_dropped),
        TEST(stop_in_private_says_where_to_type_it),
        TEST(commands_carry_their_permissions),
        TEST(privacy_says_where_words_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
