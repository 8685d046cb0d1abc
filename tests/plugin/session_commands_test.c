/* SPDX-License-Identifier: MIT */
/* What hosts and everybody may type, before, during and after the hour. */
#include "session_world.h"

static void before_the_chat_every_answer_says_when_it_is(void **state)
{
    struct world *world = *state;
    const char *none = "There is no chat now. The next chat is Tuesday 29 November at 8:30pm UK time.";
    const char *const lines[] = {"!now", "!next", "!again", "!extend 5", "!pause", "!resume", "!skip", "!end"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        assert_string_equal(answer_to(world, lines[i]), none);
    }
    assert_string_equal(answer_to(world, "!when"),
                        "The next #DPULO chat is Tuesday 29 November, 8:30pm to 9:30pm UK time. Topic: Access to Work. "
                        "To see the questions, type !questions");
    assert_string_equal(answer_to(world, "!questions"),
                        "The questions for Tuesday 29 November:\nQuestion 1: What works?\nQuestion 2: What helps?\n"
                        "Question 3: What is slow?\nQuestion 4: What comes next?");
    assert_string_equal(answer_to(world, "!topic"), "The topic is Access to Work.");
}

static void a_host_runs_the_evening_with_five_words(void **state)
{
    struct world *world = *state;
    until(world, -1);
    assert_string_equal(answer_to(world, "!start"), "");
    assert_int_equal(said(world, "Welcome"), 1);
    until(world, 3);
    assert_int_equal(said(world, "has not arrived"), 0);
    assert_string_equal(answer_to(world, "!next"), "");
    assert_int_equal(said(world, "Question 1 of 4"), 1);
    assert_true(record(world)->quiet_until_ms >= fake_now_ms(world->fake) + 15000);
    assert_string_equal(answer_to(world, "!extend 5"), "");
    assert_int_equal(said(world, "We have 5 more minutes on question 1."), 1);
    until(world, 3 + 12 + 4.9);
    assert_int_equal(said(world, "Question 2 of 4"), 0);
    until(world, 3 + 12 + 5);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
    assert_string_equal(answer_to(world, "!pause 10"), "");
    assert_int_equal(said(world, "The chat is paused for 10 minutes."), 1);
    until(world, 40);
    assert_int_equal(said(world, "The chat has started again. We are on question 2 of 4."), 1);
    assert_int_equal(said(world, "Question 3 of 4"), 0);
    until(world, 20 + 10 + 12);
    assert_int_equal(said(world, "Question 3 of 4"), 1);
    assert_string_equal(answer_to(world, "!end"), "");
    assert_int_equal(said(world, "has ended"), 1);
    until(world, 120);
    assert_int_equal(said(world, "Question 4 of 4"), 0);
    assert_int_equal(said(world, "has ended"), 1);
}

static void start_takes_over_from_the_autopilot(void **state)
{
    struct world *world = *state;
    until(world, 1);
    assert_string_equal(answer_to(world, "!start"),
                        "You lead the chat now. The questions still come on time. To go on sooner, type !next");
    until(world, 6);
    assert_int_equal(said(world, "has not arrived"), 0);
    assert_int_equal(said(world, "Question 1 of 4"), 1);
}

static void start_long_before_needs_a_second_word(void **state)
{
    struct world *world = *state;
    until(world, 70);
    fake_pass(world->fake, 2 * DAY);
    fake_forget(world->fake);
    assert_string_equal(answer_to(world, "!start"),
                        "The chat starts on Tuesday 6 December at 8:30pm UK time. To start it now, type !start now");
    assert_string_equal(answer_to(world, "!start now"), "");
    assert_int_equal(said(world, "Welcome"), 1);
    fake_pass(world->fake, 2 * HOUR);
    assert_string_equal(answer_to(world, "!when"),
                        "The next #DPULO chat is Tuesday 6 December, 8:30pm to 9:30pm UK time.");
}

static void an_early_start_is_not_started_again_on_time(void **state)
{
    struct world *world = *state;
    until(world, -20);
    assert_string_equal(answer_to(world, "!start"), "");
    until(world, -5);
    assert_string_equal(answer_to(world, "!end"), "");
    until(world, 10);
    assert_int_equal(said(world, "Welcome"), 1);
    assert_int_equal(said(world, "starts in 10 minutes"), 0);
}

static void a_number_beyond_all_measure_is_answered_with_what_to_type(void **state)
{
    struct world *world = *state;
    until(world, 6);
    int64_t ends_ms = record(world)->ends_ms;
    assert_string_not_equal(answer_to(world, "!extend 9223372036854775807"), "");
    assert_string_not_equal(answer_to(world, "!pause -9223372036854775808"), "");
    assert_int_equal(record(world)->ends_ms, ends_ms);
}

static void twenty_extensions_and_no_more(void **state)
{
    struct world *world = *state;
    until(world, 6);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(answer_to(world, "!extend 5"), "");
    }
    assert_non_null(strstr(answer_to(world, "!extend 5"), "made longer 20 times"));
    assert_int_equal(record(world)->ends_ms, START_MS + 160 * MINUTE);
    until(world, 116.9);
    assert_int_equal(record(world)->question, 1);
    until(world, 117);
    assert_int_equal(record(world)->question, 2);
    until(world, 160);
    assert_int_equal(said(world, "has ended"), 1);
}

static void after_an_extension_the_warning_comes_again(void **state)
{
    struct world *world = *state;
    until(world, 16);
    assert_int_equal(said(world, "Question 2 comes in 2 minutes"), 1);
    (void)answer_to(world, "!extend");
    until(world, 20);
    assert_int_equal(said(world, "Question 2 comes in 2 minutes"), 2);
    until(world, 22);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
}

static void wrong_numbers_get_one_plain_sentence(void **state)
{
    struct world *world = *state;
    until(world, 6);
    const char *const extend[] = {"!extend 0", "!extend 31", "!extend many", "!extend -5",
                                  "!extend 99999999999999999999"};
    for (size_t i = 0; i < sizeof(extend) / sizeof(*extend); i++) {
        assert_string_equal(answer_to(world, extend[i]),
                            "To add time, type !extend and the minutes, from 1 to 30. For example: !extend 5");
    }
    assert_string_equal(answer_to(world, "!extend 3 minutes"), "");
    assert_int_equal(said(world, "We have 3 more minutes on question 1."), 1);
    assert_non_null(strstr(answer_to(world, "!pause 61"), "from 1 to 60"));
    assert_non_null(strstr(answer_to(world, "!resume"), "not paused"));
}

static void skip_leaves_out_the_question_that_comes(void **state)
{
    struct world *world = *state;
    until(world, 6);
    assert_string_equal(answer_to(world, "!skip"), "Question 2 is left out. Question 3 comes next.");
    until(world, 17);
    assert_int_equal(said(world, "Question 2 of 4"), 0);
    assert_int_equal(said(world, "Question 3 of 4"), 1);
    assert_string_equal(answer_to(world, "!skip"), "Question 4 is left out. No question comes after it.");
    assert_non_null(strstr(answer_to(world, "!skip"), "No question is left to skip"));
    assert_string_equal(answer_to(world, "!next"),
                        "There are no more questions. The chat ends at 9:30pm UK time. To end it now, type !end");
    until(world, 60);
    assert_int_equal(said(world, "has ended"), 1);
}

static void again_says_the_question_in_the_same_words(void **state)
{
    struct world *world = *state;
    until(world, 1);
    assert_non_null(strstr(answer_to(world, "!again"), "No question is open yet"));
    until(world, 6);
    (void)answer_to(world, "!again");
    assert_int_equal(said(world, "Question 1 of 4: What works?\nTo answer, start your message with A1."), 2);
    assert_int_equal(said(world, "Q1: "), 1);
}

static void now_says_what_is_open_and_how_long(void **state)
{
    struct world *world = *state;
    until(world, 2);
    assert_string_equal(answer_to(world, "!now"),
                        "The #DPULO chat has started. The first question comes in about 3 minutes.");
    until(world, 10);
    assert_string_equal(answer_to(world, "!now"),
                        "The #DPULO chat is on question 1 of 4: What works?\n"
                        "There are about 7 minutes left. To answer, start your message with A1.");
    (void)answer_to(world, "!pause");
    assert_non_null(strstr(answer_to(world, "!now"), "\nThe chat is paused. To answer"));
    (void)answer_to(world, "!resume");
    until(world, 55);
    assert_non_null(strstr(answer_to(world, "!now"), "\nThe chat ends in about 5 minutes. To answer"));
}

static void only_hosts_end_but_anyone_in_the_overrun(void **state)
{
    struct world *world = *state;
    fake_option(world->fake, "autopilot", "no");
    assert_int_equal(fake_start(world->fake), 0);
    until(world, 0);
    (void)answer_to(world, "!start");
    until(world, 30);
    fake_allow(world->fake, nothing_is_allowed);
    assert_string_equal(answer_to(world, "!end"), "Only hosts can use !end. The host is Asha.");
    until(world, 61);
    assert_int_equal(said(world, "has ended"), 0);
    assert_string_equal(answer_to(world, "!end"), "");
    assert_int_equal(said(world, "has ended"), 1);
}

static void questions_are_added_changed_moved_dropped(void **state)
{
    struct world *world = *state;
    assert_string_equal(answer_to(world, "!q add  What   else?"), "Saved as question 5.");
    assert_string_equal(answer_to(world, "!q 2 What really helps?"), "Saved as question 2.");
    assert_string_equal(answer_to(world, "!q move 5 1"), "Question 5 is now question 1.");
    assert_string_equal(answer_to(world, "!q drop 4"), "Question 4 is removed. 4 questions are left.");
    assert_string_equal(answer_to(world, "!q"),
                        "The questions for Tuesday 29 November:\nQuestion 1: What else?\nQuestion 2: What works?\n"
                        "Question 3: What really helps?\nQuestion 4: What comes next?");
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), 0); /* what a host planned outlives the file */
    assert_non_null(strstr(answer_to(world, "!questions"), "Question 1: What else?"));
}

static void hints_say_what_to_change(void **state)
{
    struct world *world = *state;
    assert_string_equal(
        answer_to(world, "!q add Tell us more"),
        "Saved as question 5. It works best with one question mark. To change it, type !q 5 and the new text.");
    assert_string_equal(
        answer_to(world, "!q 5 Why? When?"),
        "Saved as question 5. It asks 2 things. One is easier to answer. To change it, type !q 5 and the new text.");
    char line[300] = "!q add ";
    memset(line + 7, 'a', 201);
    line[7 + 201] = '\0';
    assert_string_equal(answer_to(world, line),
                        "This question has 201 characters. The most is 200. Please make it shorter and send it again.");
    assert_non_null(strstr(answer_to(world, "!q move 3"), "!q move 3 1"));
    assert_non_null(strstr(answer_to(world, "!q frobnicate"), "!q add"));
    assert_non_null(strstr(answer_to(world, "!q add"), "!q add"));
    assert_string_equal(answer_to(world, "!q drop 9"), "There is no question 9. To see the questions, type !q");
    assert_non_null(strstr(answer_to(world, "!q drop 99999999999999999999"), "!q add"));
}

static void two_hundred_wide_letters_fit(void **state)
{
    struct world *world = *state;
    char line[16 + 200 * 4] = "!q add ";
    size_t len = strlen(line);
    for (int i = 0; i < 200; i++) {
        memcpy(line + len, "\xf0\x9d\x94\xb8", 5);
        len += 4;
    }
    assert_non_null(strstr(answer_to(world, line), "Saved as question 5."));
    assert_int_equal(fake_number(world->fake, "SELECT length(text) FROM session_question WHERE n = 5"), 200);
}

static void twelve_questions_are_the_most(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 8; i++) {
        assert_non_null(strstr(answer_to(world, "!q add More?"), "Saved"));
    }
    assert_non_null(strstr(answer_to(world, "!q add More?"), "12 questions already"));
}

static void what_was_asked_stays_as_it_was(void **state)
{
    struct world *world = *state;
    until(world, 6);
    assert_string_equal(answer_to(world, "!q 1 Other?"),
                        "Question 1 was asked already, so it stays. To add another, type !q add and the text.");
    assert_non_null(strstr(answer_to(world, "!q move 3 1"), "asked already"));
    assert_string_equal(answer_to(world, "!q add A fifth?"), "Saved as question 5.");
    until(world, 54);
    assert_int_equal(said(world, "Question 5 of 5: A fifth?"), 1);
    until(world, 65);
    assert_int_equal(said(world, "has ended"), 1);
}

static void the_topic_is_set_by_hosts_and_seen_by_all(void **state)
{
    struct world *world = *state;
    assert_string_equal(answer_to(world, "!topic What is a DPULO?"), "Saved. The topic is What is a DPULO?");
    fake_allow(world->fake, nothing_is_allowed);
    assert_string_equal(answer_to(world, "!topic Cats"),
                        "Only hosts can use !topic to set the topic. The host is Asha.");
    assert_string_equal(answer_to(world, "!topic"), "The topic is What is a DPULO?");
    until(world, 0);
    assert_int_equal(said(world, "The topic is What is a DPULO? Your host is Asha."), 1);
}

static void the_next_plan_is_empty_after_a_chat(void **state)
{
    struct world *world = *state;
    until(world, 70);
    assert_string_equal(answer_to(world, "!topic"), "No topic is set yet.");
    assert_string_equal(answer_to(world, "!questions"), "No questions are planned yet.");
    assert_non_null(strstr(answer_to(world, "!q add Next week?"), "Saved as question 1."));
    assert_string_equal(
        answer_to(world, "!when"),
        "The next #DPULO chat is Tuesday 6 December, 8:30pm to 9:30pm UK time. To see the questions, type !questions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(before_the_chat_every_answer_says_when_it_is),
        T(a_host_runs_the_evening_with_five_words),
        T(start_takes_over_from_the_autopilot),
        T(start_long_before_needs_a_second_word),
        T(an_early_start_is_not_started_again_on_time),
        T(a_number_beyond_all_measure_is_answered_with_what_to_type),
        T(twenty_extensions_and_no_more),
        T(after_an_extension_the_warning_comes_again),
        T(wrong_numbers_get_one_plain_sentence),
        T(skip_leaves_out_the_question_that_comes),
        T(again_says_the_question_in_the_same_words),
        T(now_says_what_is_open_and_how_long),
        T_UNSTARTED(only_hosts_end_but_anyone_in_the_overrun),
        T(questions_are_added_changed_moved_dropped),
        T(hints_say_what_to_change),
        T(two_hundred_wide_letters_fit),
        T(twelve_questions_are_the_most),
        T(what_was_asked_stays_as_it_was),
        T(the_topic_is_set_by_hosts_and_seen_by_all),
        T(the_next_plan_is_empty_after_a_chat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
