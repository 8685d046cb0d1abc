/* SPDX-License-Identifier: MIT */
/* A restart in mid-session goes on where the database stands; nothing is asked twice. */
#include "session_world.h"

static void down_for(struct world *world, int64_t ms)
{
    fake_stop(world->fake);
    fake_pass(world->fake, ms);
    assert_int_equal(fake_start(world->fake), 0);
}

static void killed_before_a_question_and_back_after_it(void **state)
{
    struct world *world = *state;
    until(world, 17 - 1.0 / 60);
    down_for(world, 3 * MINUTE);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
    assert_int_equal(said(world,
                          "I was away for 3 minutes. We are on question 2 of 4. I have read what was typed on Matrix. "
                          "Lines typed on IRC in that time may be missing."),
                     1);
    const struct fake_record *away = fake_with(world->fake, FAKE_SAY, "I was away");
    assert_true(away->message < fake_with(world->fake, FAKE_SAY, "Question 2 of 4")->message);
    until(world, 28.9);
    assert_int_equal(said(world, "Question 3 of 4"), 0);
    until(world, 29); /* the plan still holds */
    assert_int_equal(said(world, "Question 3 of 4"), 1);
    until(world, 61);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
    assert_int_equal(said(world, "has ended"), 1);
    assert_int_equal(said(world, "I was away"), 1);
}

static void a_short_absence_is_not_told(void **state)
{
    struct world *world = *state;
    until(world, 17 - 1.0 / 60);
    down_for(world, 20000);
    assert_int_equal(said(world, "I was away"), 0);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
}

static void away_within_a_question_is_told_once(void **state)
{
    struct world *world = *state;
    until(world, 8);
    down_for(world, 2 * MINUTE);
    down_for(world, 0);
    down_for(world, 1000);
    assert_int_equal(said(world, "We are on question 1 of 4. I have read"), 1);
    assert_int_equal(said(world, "Question 1 of 4"), 1);
    until(world, 12);
    assert_int_equal(said(world, "We are on question 1 of 4: What works?"), 1); /* half-time */
}

static void after_half_an_hour_away_questions_are_still_all_asked(void **state)
{
    struct world *world = *state;
    until(world, 10);
    down_for(world, 30 * MINUTE);
    assert_int_equal(said(world, "I was away for 30 minutes. We are on question 2 of 4."), 1);
    until(world, 100);
    for (int n = 1; n <= 4; n++) {
        char head[32];
        (void)snprintf(head, sizeof(head), "Question %d of 4", n);
        assert_int_equal(said(world, head), 1);
    }
    assert_int_equal(said(world, "has ended"), 1);
}

static void away_over_the_end_says_the_end(void **state)
{
    struct world *world = *state;
    until(world, 50);
    down_for(world, 20 * MINUTE);
    assert_int_equal(said(world, "I was away"), 0);
    assert_int_equal(said(world, "has ended"), 1);
    assert_int_equal(record(world)->session, 0);
}

static void away_over_the_end_asks_nothing_more(void **state)
{
    struct world *world = *state;
    until(world, 10);
    down_for(world, 55 * MINUTE);
    assert_int_equal(said(world, "Question 2 of 4"), 0);
    assert_int_equal(said(world, "Q2: "), 0);
    assert_int_equal(said(world, "has ended"), 1);
    assert_int_equal(record(world)->session, 0);
}

static void away_for_a_day_ends_without_a_word(void **state)
{
    struct world *world = *state;
    until(world, 50);
    down_for(world, DAY);
    assert_int_equal(said(world, "has ended"), 0);
    assert_int_equal(record(world)->session, 0);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "has ended while I was away"));
}

static void a_pause_outlives_a_restart(void **state)
{
    struct world *world = *state;
    until(world, 10);
    assert_string_equal(answer_to(world, "!pause 10"), "");
    until(world, 12);
    down_for(world, 2 * MINUTE);
    assert_int_equal(said(world, "I was away for 2 minutes. The chat is paused."), 1);
    until(world, 20);
    assert_int_equal(said(world, "The chat has started again. We are on question 1 of 4."), 1);
    until(world, 27);
    assert_int_equal(said(world, "Question 2 of 4"), 1);
}

static void a_restart_at_any_moment_asks_each_question_once(void **state)
{
    struct world *world = *state;
    int64_t step = 7 * 1000 + 131;
    until(world, -2);
    while (fake_now_ms(world->fake) < START_MS + 65 * MINUTE) {
        fake_pass(world->fake, step);
        down_for(world, 900);
    }
    for (int n = 1; n <= 4; n++) {
        char head[32];
        (void)snprintf(head, sizeof(head), "Question %d of 4", n);
        assert_int_equal(said(world, head), 1);
        (void)snprintf(head, sizeof(head), "Q%d: ", n);
        assert_int_equal(said(world, head), 1);
    }
    assert_int_equal(said(world, "Welcome"), 1);
    assert_int_equal(said(world, "has ended"), 1);
    assert_int_equal(said(world, "I was away"), 0);
}

static void a_restart_keeps_one_timer(void **state)
{
    struct world *world = *state;
    until(world, 20);
    down_for(world, 1000);
    assert_int_equal(fake_timers(world->fake), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(killed_before_a_question_and_back_after_it),
        T(a_short_absence_is_not_told),
        T(away_within_a_question_is_told_once),
        T(after_half_an_hour_away_questions_are_still_all_asked),
        T(away_over_the_end_says_the_end),
        T(away_over_the_end_asks_nothing_more),
        T(away_for_a_day_ends_without_a_word),
        T(a_pause_outlives_a_restart),
        T(a_restart_at_any_moment_asks_each_question_once),
        T(a_restart_keeps_one_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
