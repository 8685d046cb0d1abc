/* SPDX-License-Identifier: MIT */
/* Hold, queue, ok, no, hide. */
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake *fake;
static uint64_t irc, twitter;

static int setup(void **state)
{
    (void)state;
    fake = fake_new(&hashroom_plugin);
    fake_chat(fake, "dpulo", "#DPULO");
    fake_chat(fake, "nhssm", "#NHSSM");
    irc = fake_room(fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    twitter = fake_room(fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL | HR_ROOM_UP);
    fake_sql(fake, "CREATE TABLE core_pub_message(id, network, author, name, handle, chat, flags, state);"
                   "CREATE TABLE core_pub_said(message, room, act, state, settled_ms)");
    return fake_start(fake);
}

static int teardown(void **state)
{
    (void)state;
    fake_free(fake);
    return 0;
}

/* A post of Twitter as the host would log and judge it. */
static uint64_t post(const char *name, const char *text, enum hr_verdict want)
{
    const uint64_t id = fake_message(fake, twitter, &(struct hr_person){.name = name}, text, 0);
    assert_int_equal(fake_judge(fake, id), want);
    return id;
}

/* What the log's published views would show. */
static void logged(uint64_t id, const char *author, const char *name, const char *state, bool said)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO core_pub_message VALUES(%d, 'x', '%s', '%s', '%s_h', 'dpulo', 0, '%s');"
                   "INSERT INTO core_pub_said SELECT %d, 1, 0, 'delivered', 0 WHERE %d",
                   (int)id, author, name, author, state, (int)id, said);
    fake_sql(fake, sql);
}

static void answers(const char *line, const char *want)
{
    assert_int_equal(fake_command(fake, irc, line), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, want);
}

static void posts_pass_until_hold_is_on(void **state)
{
    (void)state;
    post("Ben", "Hello", HR_PASS);
    answers("!hold", "Posts do not wait. To change this, type !hold on or !hold new");
    answers("!hold ON", "New posts from social networks wait now. To see them, type !queue");
    post("Ben", "Hello", HR_HOLD);
    answers("!hold", "All posts from social networks wait. To change this, type !hold off or !hold new");
    answers("!hold off", "New posts do not wait any more. 1 post still waits. To see it, type !queue");
    post("Ben", "Hello", HR_PASS);
}

static void people_in_rooms_are_never_held(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    const uint64_t id = fake_message(fake, irc, &(struct hr_person){.name = "Cy"}, "Hello", 0);
    assert_int_equal(fake_judge(fake, id), HR_PASS);
}

static void hold_new_lets_known_authors_pass(void **state)
{
    (void)state;
    assert_int_equal(fake_tell(fake, HR_EV_MESSAGE, post("Ben", "Hello", HR_PASS)), 0);
    answers("!hold new", "Posts from people who are new here wait now. To see them, type !queue");
    post("Ben", "Hello", HR_PASS);
    post("Eve", "Buy now", HR_HOLD);
    const uint64_t first = post("Fay", "Hello", HR_HOLD);
    assert_int_equal(fake_command(fake, irc, "!ok 2"), HR_OK);
    assert_int_equal(fake_tell(fake, HR_EV_MESSAGE, first), 0); /* as the host does when it is released */
    post("Fay", "Again", HR_PASS);
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    post("Fay", "And again", HR_PASS);
    post("Eve", "Buy now", HR_HOLD);
}

static void authors_of_the_log_are_known_when_the_table_is_new(void **state)
{
    (void)state;
    fake_stop(fake);
    logged(900, "ben", "Ben", "live", true);
    logged(901, "cy", "Cy", "hidden", false);
    logged(902, "di", "Di", "held", false);
    assert_int_equal(fake_start(fake), HR_OK);
    answers("!hold new", "Posts from people who are new here wait now. To see them, type !queue");
    post("Ben", "Hello", HR_PASS);
    post("Cy", "Buy now", HR_HOLD);
    post("Di", "Buy now", HR_HOLD);
}

static void who_is_known_is_no_list_of_names_and_has_an_end(void **state)
{
    (void)state;
    fake_sql(fake, "INSERT INTO moderation_known SELECT value, value FROM"
                   " (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 20000)"
                   " SELECT value FROM n)");
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_tell(fake, HR_EV_MESSAGE, post("Ben", "Hello", HR_PASS)), 0);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM moderation_known"), 19001);
    assert_int_equal(fake_number(fake, "SELECT min(seen_ms) FROM moderation_known"), 1001);
    assert_int_equal(fake_tell(fake, HR_EV_MESSAGE, post("Ben", "Hello", HR_PASS)), 0);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM moderation_known"), 19001);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM moderation_known WHERE typeof(who) <> 'integer'"), 0);
}

/* ---- too much at once ------------------------------------------------------------- */

static uint64_t line(const char *name, const char *text, uint32_t flags, enum hr_verdict want)
{
    const uint64_t id = fake_message(fake, irc, &(struct hr_person){.name = name}, text, flags);
    assert_int_equal(fake_judge(fake, id), want);
    return id;
}

static void many(const char *name, int count, enum hr_verdict want)
{
    for (int i = 0; i < count; i++) {
        line(name, "spam", 0, want);
    }
}

static void who_writes_many_lines_at_once_is_shown_slowly_and_the_others_are_not(void **state)
{
    (void)state;
    many("Cy", 8, HR_PASS);
    const uint64_t ninth = line("Cy", "nine", 0, HR_HOLD);
    assert_string_equal(fake_last(fake, FAKE_SAY)->text,
                        "One person wrote many lines at once. I show them in the other rooms more slowly.");
    assert_int_equal(fake_last(fake, FAKE_SAY)->room_count, 1);
    const uint64_t tenth = line("Cy", "ten", 0, HR_HOLD);
    assert_int_equal(fake_count(fake, FAKE_SAY), 1);
    many("Ben", 8, HR_PASS);
    fake_pass(fake, 5000);
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 1);
    assert_int_equal(fake_last(fake, FAKE_RELEASE)->message, ninth);
    line("Cy", "eleven", 0, HR_HOLD); /* behind those that wait */
    fake_pass(fake, 5000);
    assert_int_equal(fake_last(fake, FAKE_RELEASE)->message, tenth);
    fake_pass(fake, 60000);
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 3);
    assert_int_equal(fake_timers(fake), 0);
    many("Cy", 8, HR_PASS);
}

static void beyond_what_can_wait_lines_are_left_out_aloud_everywhere(void **state)
{
    (void)state;
    (void)fake_room(fake, "home", "!a:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    many("Cy", 8, HR_PASS);
    many("Cy", 30, HR_HOLD);
    many("Cy", 5, HR_HIDE);
    fake_pass(fake, 31 * 5000);
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 30);
    assert_string_equal(fake_last(fake, FAKE_SAY)->text,
                        "I left out 5 lines in the other rooms. One person wrote too many at once.");
    assert_int_equal(fake_last(fake, FAKE_SAY)->room_count, 2);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM moderation_flood"), 0);
}

static void a_long_message_counts_by_its_lines(void **state)
{
    (void)state;
    line("Cy", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10", 0, HR_PASS);
    line("Cy", "more", 0, HR_HOLD);
    line("Ben", "short", 0, HR_PASS);
}

static void operators_and_what_was_missed_are_not_slowed_down(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        line("Di", "fetched", HR_MSG_HISTORY, HR_PASS);
        const uint64_t id = fake_message(fake, irc, &(struct hr_person){.name = "Op", .power = 50}, "agenda", 0);
        assert_int_equal(fake_judge(fake, id), HR_PASS);
    }
}

static void people_behind_one_bridge_are_counted_each(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        line("bridge", "<ben> hello", 0, HR_PASS);
        line("bridge", "<cy> hello", 0, HR_PASS);
    }
    line("bridge", "<ben> hello", 0, HR_HOLD);
    line("bridge", "<di> hello", 0, HR_PASS);
}

static void lines_that_wait_survive_a_restart_but_not_their_author(void **state)
{
    (void)state;
    many("Cy", 8, HR_PASS);
    const uint64_t first = line("Cy", "one", 0, HR_HOLD), second = line("Cy", "two", 0, HR_HOLD);
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_tell(fake, HR_EV_REMOVE, first), 0);
    fake_pass(fake, 6000);
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 1);
    assert_int_equal(fake_last(fake, FAKE_RELEASE)->message, second);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM moderation_flood"), 0);
}

static void without_a_pace_nobody_is_slowed_down(void **state)
{
    (void)state;
    many("Cy", 8, HR_PASS);
    line("Cy", "held", 0, HR_HOLD);
    fake_stop(fake);
    fake_option(fake, "flood_pace", "0");
    assert_int_equal(fake_start(fake), HR_OK);
    many("Cy", 50, HR_PASS);
    fake_pass(fake, 1000);
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 1);
}

static void hold_is_for_one_chat(void **state)
{
    (void)state;
    const uint64_t other = fake_room(fake, "x", "#nhssm", "Twitter", "nhssm", HR_ROOM_SOCIAL | HR_ROOM_UP);
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    const uint64_t id = fake_message(fake, other, &(struct hr_person){.name = "Cy"}, "Hello", 0);
    assert_int_equal(fake_judge(fake, id), HR_PASS);
}

static void hold_and_queue_survive_a_restart(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    post("Ben", "One", HR_HOLD);
    fake_stop(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    post("Cy", "Two", HR_HOLD);
    answers("!queue", "2 posts wait. To let number 1 in, type !ok 1. To leave it out, type !no 1\n"
                      "1 Ben on Twitter: One; 2 Cy on Twitter: Two");
}

static void queue_is_short_and_shows_no_links(void **state)
{
    (void)state;
    answers("!queue", "No posts wait.");
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    for (int i = 0; i < 9; i++) {
        post("Somebody With A Very Long Name Indeed And More",
             "Look at https://spam.example/x now\nand at \xC3\xA9t\xC3\xA9 and then at many more words that go on and "
             "on",
             HR_HOLD);
    }
    assert_int_equal(fake_command(fake, irc, "!queue"), HR_OK);
    const char *text = fake_last(fake, FAKE_ANSWER)->text;
    assert_null(strstr(text, "https"));
    assert_non_null(strstr(text, "1 Somebody With A Very Long Name... on Twitter: Look at (link) now and at"));
    assert_non_null(strstr(text, "9 posts wait."));
    int lines = 0;
    for (const char *at = text; *at != '\0'; lines++) {
        assert_true(strcspn(at, "\n") <= 350);
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    assert_int_equal(lines, 3);
}

static void numbers_stay_until_settled(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    const uint64_t one = post("Ben", "One", HR_HOLD), two = post("Cy", "Two", HR_HOLD),
                   three = post("Di", "Three", HR_HOLD);
    answers("!ok 2", "Post 2 goes in.");
    assert_int_equal(fake_last(fake, FAKE_RELEASE)->message, two);
    answers("!ok 2", "No post with number 2 waits. To see which wait, type !queue");
    const uint64_t four = post("Eve", "Four", HR_HOLD);
    answers("!queue", "3 posts wait. To let number 1 in, type !ok 1. To leave it out, type !no 1\n"
                      "1 Ben on Twitter: One; 3 Di on Twitter: Three; 4 Eve on Twitter: Four");
    answers("!no 3", "Post 3 is left out.");
    assert_int_equal(fake_last(fake, FAKE_HIDE)->message, three);
    answers("!hide 4", "Post 4 is left out.");
    assert_int_equal(fake_last(fake, FAKE_HIDE)->message, four);
    answers("!ok #1", "Post 1 goes in.");
    assert_int_equal(fake_last(fake, FAKE_RELEASE)->message, one);
    post("Fay", "Five", HR_HOLD);
    assert_int_equal(fake_number(fake, "SELECT number FROM moderation_queue"), 5); /* not 1 again within the hour */
    answers("!ok all", "1 post goes in.");
    fake_pass(fake, 2 * 60 * 60 * 1000);
    post("Gus", "Six", HR_HOLD);
    assert_int_equal(fake_number(fake, "SELECT number FROM moderation_queue"), 1);
}

static void all_of_them_go_in_order(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    const uint64_t first = post("Ben", "One", HR_HOLD);
    post("Cy", "Two", HR_HOLD);
    const uint64_t last = post("Di", "Three", HR_HOLD);
    answers("!ok all", "3 posts go in.");
    assert_int_equal(fake_nth(fake, FAKE_RELEASE, 0)->message, first);
    assert_int_equal(fake_nth(fake, FAKE_RELEASE, 2)->message, last);
    answers("!no all", "No posts wait.");
    post("Ben", "One", HR_HOLD);
    post("Cy", "Two", HR_HOLD);
    answers("!no 4 5", "2 posts are left out.");
    assert_int_equal(fake_count(fake, FAKE_HIDE), 2);
}

static void a_post_taken_back_leaves_the_queue(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    const uint64_t id = post("Ben", "One", HR_HOLD);
    assert_int_equal(fake_tell(fake, HR_EV_REMOVE, id), HR_OK);
    answers("!queue", "No posts wait.");
}

static void a_full_queue_leaves_posts_out_and_says_so_once(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    for (int i = 0; i < 500; i++) {
        post("Ben", "One", HR_HOLD);
    }
    fake_forget(fake);
    post("Ben", "One", HR_HIDE);
    post("Ben", "One", HR_HIDE);
    assert_int_equal(fake_count(fake, FAKE_LOG), 1);
    answers("!ok all", "500 posts go in.");
}

static void bad_input_is_told_what_to_type(void **state)
{
    (void)state;
    answers("!hold maybe", "I did not understand that. Please type !hold on, !hold off or !hold new");
    answers("!ok", "Please say which post, by its number. For example, type !ok 3 or !ok all");
    answers("!no three", "Please say which post, by its number. For example, type !no 3 or !no all");
    answers("!ok 99999999999999999999", "Please say which post, by its number. For example, type !ok 3 or !ok all");
    answers("!ok -1", "Please say which post, by its number. For example, type !ok 3 or !ok all");
    answers("!hide", "Please say whose last message I should take away. For example, type !hide last Ben");
    answers("!hide last", "Please say whose last message I should take away. For example, type !hide last Ben");
    answers("!hide Ben", "Please say whose last message I should take away. For example, type !hide last Ben");
    answers("!hide last Zoe", "I have not shown a message from Zoe. Please type the name as you see it in the room.");
    answers("!hide 7", "No post with number 7 waits. To see which wait, type !queue");
    assert_int_equal(fake_count(fake, FAKE_HIDE) + fake_count(fake, FAKE_RELEASE), 0);
}

static void one_wrong_number_settles_nothing(void **state)
{
    (void)state;
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    post("Ben", "One", HR_HOLD);
    answers("!ok 1 9", "No post with number 9 waits. To see which wait, type !queue");
    assert_int_equal(fake_count(fake, FAKE_RELEASE), 0);
}

/* Message ids 1.. are known to the fake log. */
static void hide_last_finds_the_newest_of_that_name(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        post("Ben", "x", HR_PASS);
    }
    logged(1, "zoe", "Zo\xC3\xAB Smith", "live", true);
    logged(2, "zoe", "ZO\xC3\x8B SMITH", "live", true);
    logged(3, "zoe2", "Zoe Smithson", "live", true);
    logged(4, "ben", "Zoe Smith", "live", false); /* was never brought anywhere */
    logged(5, "ben", "Ben", "live", true);
    logged(6, "zoe", "Zoe Smith", "hidden", true);
    answers("!hide last zoe smith",
            "I took away the last message from ZO\xC3\x8B SMITH. Lines already shown on IRC stay there.");
    assert_int_equal(fake_last(fake, FAKE_HIDE)->message, 2);
    answers("!hide last ZOE", "I took away the last message from Zoe Smithson. Lines already shown on IRC stay there.");
    answers("!hide last @Ben_h", "I took away the last message from Ben. Lines already shown on IRC stay there.");
    assert_int_equal(fake_last(fake, FAKE_HIDE)->message, 5);
}

static void hide_in_answer_to_a_message_takes_that_one(void **state)
{
    (void)state;
    const uint64_t id = post("Ben", "Bad", HR_PASS);
    struct hr_message message = {
        .size = sizeof(message), .id = 99, .room = NULL, .author = {.name = "Asha"}, .reply_to = id};
    struct hr_room room = {.id = irc, .network = "libera", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    const struct hr_call call = {.size = sizeof(call),
                                 .message = &message,
                                 .room = &room,
                                 .chat = fake_chat_now(fake, "dpulo"),
                                 .name = "hide",
                                 .rest = "",
                                 .argc = 0};
    for (const struct hr_command *command = hashroom_plugin.commands; command->name != NULL; command++) {
        if (strcmp(command->name, "hide") == 0) {
            assert_int_equal(command->run(fake_state(fake), &call), HR_OK);
        }
    }
    assert_int_equal(fake_last(fake, FAKE_HIDE)->message, id);
}

static void report_tells_how_many_wait(void **state)
{
    (void)state;
    assert_int_equal(fake_report(fake), 0);
    answers("!hold on", "New posts from social networks wait now. To see them, type !queue");
    post("Ben", "One", HR_HOLD);
    assert_int_equal(fake_report(fake), 1);
    assert_string_equal(fake_last(fake, FAKE_OUT)->text, "1 post waits for a moderator in #DPULO.\n");
}

static void commands_carry_their_permissions(void **state)
{
    (void)state;
    for (const struct hr_command *command = hashroom_plugin.commands; command->name != NULL; command++) {
        const bool hold = strcmp(command->name, "hold") == 0;
        assert_string_equal(command->permission, hold ? "room.hold" : "room.moderate");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(posts_pass_until_hold_is_on),
        TEST(people_in_rooms_are_never_held),
        TEST(hold_new_lets_known_authors_pass),
        TEST(authors_of_the_log_are_known_when_the_table_is_new),
        TEST(who_is_known_is_no_list_of_names_and_has_an_end),
        TEST(hold_is_for_one_chat),
        TEST(hold_and_queue_survive_a_restart),
        TEST(queue_is_short_and_shows_no_links),
        TEST(numbers_stay_until_settled),
        TEST(all_of_them_go_in_order),
        TEST(a_post_taken_back_leaves_the_queue),
        TEST(a_full_queue_leaves_posts_out_and_says_so_once),
        TEST(bad_input_is_told_what_to_type),
        TEST(one_wrong_number_settles_nothing),
        TEST(hide_last_finds_the_newest_of_that_name),
        TEST(hide_in_answer_to_a_message_takes_that_one),
        TEST(report_tells_how_many_wait),
        TEST(commands_carry_their_permissions),
        TEST(who_writes_many_lines_at_once_is_shown_slowly_and_the_others_are_not),
        TEST(beyond_what_can_wait_lines_are_left_out_aloud_everywhere),
        TEST(a_long_message_counts_by_its_lines),
        TEST(operators_and_what_was_missed_are_not_slowed_down),
        TEST(people_behind_one_bridge_are_counted_each),
        TEST(lines_that_wait_survive_a_restart_but_not_their_author),
        TEST(without_a_pace_nobody_is_slowed_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
