/* SPDX-License-Identifier: MIT */
/* The hour on autopilot: reminders, welcome, questions on time, warnings, the end. */
#include "session_world.h"

static void nobody_acts_and_the_hour_runs(void **state)
{
    struct world *world = *state;
    until(world, 70);
    assert_int_equal(said(world, "Welcome to the #DPULO chat. The topic is Access to Work. Your host is Asha."), 1);
    assert_int_equal(said(world, "There are 4 questions, with about 12 minutes for each one. You can answer late."), 1);
    assert_int_equal(said(world, "The host has not arrived."), 1);
    assert_int_equal(said(world, "Please say hello"), 1);
    assert_int_equal(said(world, "Question 1 of 4: What works?\nTo answer, start your message with A1."), 1);
    assert_int_equal(said(world, "Question 2 of 4: What helps?\n"), 1);
    assert_int_equal(said(world, "Question 3 of 4: What is slow?\n"), 1);
    assert_int_equal(said(world, "Question 4 of 4: What comes next?\n"), 1);
    assert_int_equal(said(world, "We are on question 2 of 4: What helps? To answer, start with A2."), 1);
    assert_int_equal(said(world, "Question 3 comes in 2 minutes. You can still answer question 2 later."), 1);
    assert_int_equal(said(world, "This is the last question. The chat ends in 19 minutes."), 1);
    assert_int_equal(said(world, "This is the last question. The chat ends in 2 minutes."), 1);
    assert_int_equal(
        said(world,
             "The #DPULO chat has ended. Thank you. You can still answer any question until Tuesday 6 December."),
        1);
    assert_int_equal(said(world, "The next chat is Tuesday 6 December at 8:30pm UK time."), 1);
    assert_null(fake_with(world->fake, FAKE_SAY, "shared"));
    assert_int_equal(record(world)->session, 0);
}

static void a_question_without_its_mark_is_repeated_as_a_sentence(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "questions", "{ \"Say what helps\" }");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 70);
    assert_int_equal(said(world, "Question 1 of 1: Say what helps\n"), 1);
    assert_int_equal(said(world, "We are on question 1 of 1: Say what helps. To answer, start with A1."), 1);
}

static void questions_come_at_their_minute(void **state)
{
    struct world *world = *state;
    const double at[] = {5, 17, 29, 41};
    for (int n = 1; n <= 4; n++) {
        char head[32];
        (void)snprintf(head, sizeof(head), "Question %d of 4", n);
        until(world, at[n - 1] - 0.01);
        assert_int_equal(said(world, head), 0);
        until(world, at[n - 1]);
        assert_int_equal(said(world, head), 1);
        assert_int_equal(record(world)->question, n);
    }
    until(world, 59.9);
    assert_int_equal(said(world, "has ended"), 0);
    until(world, 60);
    assert_int_equal(said(world, "has ended"), 1);
}

static void a_question_goes_to_all_rooms_of_people_at_once_and_as_a_post(void **state)
{
    struct world *world = *state;
    until(world, 5);
    const struct fake_record *rooms = fake_with(world->fake, FAKE_SAY, "Question 1 of 4");
    assert_int_equal(rooms->room_count, 2);
    assert_int_equal(rooms->priority, HR_QUESTION);
    assert_true(rooms->flags & HR_SAY_TEXT);
    assert_int_equal(rooms->expires_ms, START_MS + 17 * MINUTE);
    const struct fake_record *post = fake_with(world->fake, FAKE_SAY, "Q1: ");
    assert_string_equal(post->text, "Q1: What works? #DPULO");
    assert_int_equal(post->room, world->x);
    assert_int_equal(post->room_count, 1);
    assert_true(post->flags & HR_SAY_THREAD);
}

static void posts_are_quiet_around_a_question(void **state)
{
    struct world *world = *state;
    until(world, 4.9);
    assert_true(record(world)->quiet_until_ms < fake_now_ms(world->fake));
    until(world, 5 - 5.0 / 60);
    assert_int_equal(record(world)->quiet_until_ms, START_MS + 5 * MINUTE + 15000);
    until(world, 5);
    assert_int_equal(record(world)->quiet_until_ms, START_MS + 5 * MINUTE + 15000);
}

static int64_t said_ms(struct world *world, size_t nth)
{
    return fake_message_at(world->fake, fake_nth(world->fake, FAKE_SAY, nth)->message)->logged_ms;
}

static void at_most_six_unasked_lines_in_ten_minutes(void **state)
{
    struct world *world = *state;
    until(world, 70);
    size_t count = fake_count(world->fake, FAKE_SAY);
    for (size_t i = 0; i < count; i++) {
        int lines = 0;
        for (size_t k = i; k < count; k++) {
            const struct fake_record *say = fake_nth(world->fake, FAKE_SAY, k);
            if (say->priority == HR_QUESTION || said_ms(world, k) - said_ms(world, i) >= 10 * MINUTE) {
                continue;
            }
            lines++;
            for (const char *c = say->text; *c; c++) {
                lines += *c == '\n';
            }
        }
        assert_true(lines <= 6);
    }
}

static void reminders_come_before_and_only_once(void **state)
{
    struct world *world = *state;
    until(world, -10);
    assert_int_equal(said(world, "The #DPULO chat starts in 10 minutes."), 1);
    assert_int_equal(said(world, "Reminder"), 0);
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), 0);
    until(world, -1);
    assert_int_equal(said(world, "starts in 10 minutes"), 1);
    until(world, 70);
    fake_forget(world->fake);
    fake_pass(world->fake, 7 * DAY - 70 * MINUTE - DAY);
    assert_int_equal(
        said(world, "Reminder: the #DPULO chat is tomorrow, Tuesday 6 December, 8:30pm to 9:30pm UK time."), 1);
    fake_pass(world->fake, 23 * HOUR);
    assert_int_equal(said(world, "Reminder: the #DPULO chat starts in 1 hour, at 8:30pm UK time."), 1);
    assert_int_equal(fake_last(world->fake, FAKE_SAY)->flags & HR_SAY_TEXT, HR_SAY_TEXT);
}

static void a_reminder_says_topic_and_where_the_questions_are(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "time", "21:00");
    assert_int_equal(fake_start(world->fake), 0);
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text,
                        "Reminder: the #DPULO chat starts in 1 hour, at 9pm UK time. Topic: Access to Work. "
                        "To see the questions, type !questions");
}

static void a_reminder_late_by_more_than_a_fifth_is_left_out(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "time", "20:45"); /* 1 hour before was 15 minutes ago */
    assert_int_equal(fake_start(world->fake), 0);
    assert_int_equal(said(world, "Reminder"), 0);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "reminder 1 hour before the chat is left out"));
}

static void a_reminder_a_little_late_says_the_true_time(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "time", "20:50");
    assert_int_equal(fake_start(world->fake), 0);
    assert_int_equal(said(world, "starts in 50 minutes, at 8:50pm UK time."), 1);
}

static void posts_are_read_from_15_minutes_before_to_30_after(void **state)
{
    struct world *world = *state;
    assert_int_equal(record(world)->read_from_ms, START_MS - 15 * MINUTE);
    assert_int_equal(record(world)->read_to_ms, START_MS + 90 * MINUTE);
    until(world, 30);
    assert_int_equal(record(world)->read_from_ms, START_MS - 15 * MINUTE);
    assert_int_equal(record(world)->starts_ms, START_MS);
    assert_int_equal(record(world)->ends_ms, START_MS + HOUR);
    until(world, 80);
    assert_int_equal(record(world)->read_to_ms, START_MS + 90 * MINUTE);
    until(world, 91);
    assert_int_equal(record(world)->read_from_ms, START_MS + 7 * DAY - 15 * MINUTE);
}

static void posts_are_read_through_a_long_pause(void **state)
{
    struct world *world = *state;
    until(world, 55);
    (void)answer_to(world, "!pause 60");
    assert_int_equal(record(world)->read_to_ms, START_MS + 150 * MINUTE);
    until(world, 60);
    (void)answer_to(world, "!resume");
    assert_int_equal(record(world)->read_to_ms, START_MS + 95 * MINUTE);
}

static void the_end_counts_the_links(void **state)
{
    struct world *world = *state;
    until(world, 50);
    fake_sql(world->fake, "INSERT INTO links VALUES(1, 9)");
    until(world, 60);
    assert_int_equal(said(world, "\nPeople shared 9 links. To see them, type !links\n"), 1);
}

static void without_questions_the_chat_is_open(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "questions", "{ }");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 70);
    assert_int_equal(said(world, "Question"), 0);
    assert_int_equal(said(world, "uestions"), 0);
    assert_int_equal(said(world, "The chat ends in 2 minutes."), 1);
    assert_int_equal(said(world, "has ended. Thank you.\nThe next chat"), 1);
}

static void many_questions_share_the_hour(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "questions", "{ \"A?\", \"B?\", \"C?\", \"D?\", \"E?\", \"F?\", \"G?\", \"H?\" }");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 60);
    assert_int_equal(said(world, "Question 8 of 8: H?"), 1);
    assert_int_equal(said(world, "There are 8 questions, with about 6 minutes for each one."), 1);
    assert_int_equal(said(world, "has ended"), 1);
}

static void a_chat_over_midnight_is_one_session(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "time", "23:30");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 3 * 60 + 45);
    assert_int_equal(record(world)->session, 1);
    assert_int_equal(record(world)->question, 4);
    assert_string_equal(answer_to(world, "!when"),
                        "The #DPULO chat is on now. It ends at 12:30am UK time.\n"
                        "The next #DPULO chat is Tuesday 6 December, 11:30pm to 12:30am UK time.");
    until(world, 4 * 60 + 1);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM session_run"), 1);
}

/* Sunday 26 March 2023: the clocks go forward. */
static void the_clock_change_is_said_on_friday_and_the_chat_stays_at_its_time(void **state)
{
    struct world *world = *state;
    fake_chat_clock(world->fake, INT64_C(1679601600000)); /* Thursday 23 March 2023, 20:00 */
    fake_forget(world->fake);
    fake_pass(world->fake, 24 * HOUR);
    assert_int_equal(said(world, "clocks change"), 0);
    fake_pass(world->fake, 31 * MINUTE);
    assert_int_equal(said(world, "The clocks change this weekend. The chat is still at 8:30pm UK time."), 1);
    fake_pass(world->fake, 3 * DAY);
    assert_int_equal(said(world, "clocks change"), 1);
    fake_chat_clock(world->fake, INT64_C(1680031799000)); /* Tuesday 28 March, 19:29:59 UTC: 1 s to 8:30pm */
    assert_int_equal(record(world)->session, 0);
    fake_pass(world->fake, 1000);
    assert_int_not_equal(record(world)->session, 0);
}

static void two_sessions_have_two_ids(void **state)
{
    struct world *world = *state;
    until(world, 10);
    assert_int_equal(record(world)->session, 1);
    until(world, 7 * 24 * 60 + 10);
    assert_int_equal(record(world)->session, 2);
    assert_int_equal(said(world, "Question 1 of 4"), 1); /* presets are for the first one */
}

static void a_bot_that_comes_late_starts_late_but_not_too_late(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "time", "19:45");
    assert_int_equal(fake_start(world->fake), 0);
    assert_int_equal(said(world, "Welcome"), 1);
    fake_stop(world->fake);
    struct world *other = world_new();
    fake_option(other->fake, "time", "19:15");
    assert_int_equal(fake_start(other->fake), 0);
    assert_int_equal(said(other, "Welcome"), 0);
    fake_free(other->fake);
    free(other);
}

static void without_autopilot_a_host_starts_and_it_ends_itself(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "autopilot", "no");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 5);
    assert_int_equal(said(world, "Welcome"), 0);
    assert_string_equal(
        answer_to(world, "!now"),
        "The chat was planned for 8:30pm UK time. It has not started yet. A host starts it with !start");
    assert_string_equal(answer_to(world, "!start"), "");
    until(world, 40);
    assert_int_equal(said(world, "Question"), 0);
    assert_string_equal(answer_to(world, "!next"), "");
    assert_int_equal(said(world, "Question 1 of 4"), 1);
    until(world, 94);
    assert_int_equal(said(world, "has ended"), 0);
    until(world, 95);
    assert_int_equal(said(world, "has ended"), 1);
}

static int problems(struct world *world)
{
    fake_forget(world->fake);
    return fake_check(world->fake);
}

static void wrong_options_are_told_with_the_fix(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "rule", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU");
    assert_int_equal(problems(world), 1);
    assert_non_null(fake_with(world->fake, FAKE_PROBLEM, "first = "));
    fake_option(world->fake, "first", "2022-11-29");
    fake_option(world->fake, "reminders", "{ \"1 day\" }");
    assert_int_equal(problems(world), 1);
    fake_option(world->fake, "reminders", "{ \"1d\" }");
    fake_option(world->fake, "zone", "Europe/Londn");
    assert_int_equal(problems(world), 1);
    fake_option(world->fake, "zone", "America/New_York");
    fake_option(world->fake, "time", "8pm");
    assert_int_equal(problems(world), 1);
    fake_option(world->fake, "time", "20:00");
    fake_option(world->fake, "welcome", "20m");
    fake_option(world->fake, "length", "20m");
    assert_int_equal(problems(world), 1);
    fake_option(world->fake, "length", "60m");
    assert_int_equal(problems(world), 0);
}

static void a_chat_nobody_configured_is_told(void **state)
{
    struct world *world = *state;
    fake_instance(world->fake, "other");
    assert_int_equal(fake_start(world->fake), HR_ENOTFOUND);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "there is no chat \"other\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nobody_acts_and_the_hour_runs),
        T_UNSTARTED(a_question_without_its_mark_is_repeated_as_a_sentence),
        T(questions_come_at_their_minute),
        T(a_question_goes_to_all_rooms_of_people_at_once_and_as_a_post),
        T(posts_are_quiet_around_a_question),
        T(at_most_six_unasked_lines_in_ten_minutes),
        T(reminders_come_before_and_only_once),
        T_UNSTARTED(a_reminder_says_topic_and_where_the_questions_are),
        T_UNSTARTED(a_reminder_late_by_more_than_a_fifth_is_left_out),
        T_UNSTARTED(a_reminder_a_little_late_says_the_true_time),
        T(posts_are_read_from_15_minutes_before_to_30_after),
        T(posts_are_read_through_a_long_pause),
        T(the_end_counts_the_links),
        T_UNSTARTED(without_questions_the_chat_is_open),
        T_UNSTARTED(many_questions_share_the_hour),
        T_UNSTARTED(a_chat_over_midnight_is_one_session),
        T(the_clock_change_is_said_on_friday_and_the_chat_stays_at_its_time),
        T(two_sessions_have_two_ids),
        T_UNSTARTED(a_bot_that_comes_late_starts_late_but_not_too_late),
        T_UNSTARTED(without_autopilot_a_host_starts_and_it_ends_itself),
        T_UNSTARTED(wrong_options_are_told_with_the_fix),
        T_UNSTARTED(a_chat_nobody_configured_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
