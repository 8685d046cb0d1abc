/* SPDX-License-Identifier: MIT */
/* Timers on both clocks: order, repetition, stopping from inside, sweeping. */
#include "test.h"
#include "app.h"
#include "instance.h"
#include "timer.h"
#include "xalloc.h"
#include <unistd.h>

struct fixture {
    struct app app;
    uv_loop_t loop;
    struct hr_bot bot, other;
    struct hr_timer *timer[4];
    char trace[64]; /* one letter for each callback */
    int runs;
};

struct note {
    struct fixture *f;
    char letter;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    uv_loop_init(&f->loop);
    f->app.loop = &f->loop;
    assert_int_equal(clock_init(&f->app.clock, NULL), HR_OK);
    f->app.timers = timers_new(&f->app);
    f->bot = (struct hr_bot){.app = &f->app, .who = "test"};
    f->other = (struct hr_bot){.app = &f->app, .who = "other"};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    timers_sweep(&f->bot);
    timers_sweep(&f->other);
    timers_free(f->app.timers);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    arena_clear(&f->app.arena);
    free(f);
    return 0;
}

static void add_letter(struct fixture *f, char letter)
{
    size_t len = strlen(f->trace);

    assert_true(len + 1 < sizeof(f->trace));
    f->trace[len] = letter;
}

static void on_note(void *arg)
{
    struct note *note = arg;

    assert_int_equal(note->f->app.depth, 1); /* inside instance_enter() */
    add_letter(note->f, note->letter);
}

static void one_shots_come_in_the_order_of_their_time_and_free_themselves(void **state)
{
    struct fixture *f = *state;
    struct note a = {f, 'a'}, b = {f, 'b'}, c = {f, 'c'}, d = {f, 'd'};

    assert_int_equal(timers_in(f->app.timers, &f->bot, 30, 0, on_note, &c, NULL), HR_OK);
    assert_int_equal(timers_in(f->app.timers, &f->bot, 0, 0, on_note, &a, NULL), HR_OK);
    assert_int_equal(timers_in(f->app.timers, &f->other, 10, 0, on_note, &b, NULL), HR_OK);
    assert_int_equal(timers_in(f->app.timers, &f->bot, 60, 0, on_note, &d, NULL), HR_OK);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_string_equal(f->trace, "abcd");
    assert_null(f->bot.timers);
    assert_null(f->other.timers);
}

static void on_third_stop(void *arg)
{
    struct fixture *f = arg;

    if (++f->runs == 3) {
        timers_stop(f->timer[0]);
        timers_stop(f->timer[0]); /* still alive inside its callback */
    }
}

static void a_repeating_timer_stops_itself(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(timers_in(f->app.timers, &f->bot, 1, 2, on_third_stop, f, &f->timer[0]), HR_OK);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->runs, 3);
}

static void on_stop_the_others(void *arg)
{
    struct fixture *f = arg;

    f->runs++;
    timers_stop(f->timer[1]);
    timers_stop(f->timer[2]);
    timers_stop(NULL);
}

static void a_callback_stops_timers_that_are_due_with_it(void **state)
{
    struct fixture *f = *state;
    struct note b = {f, 'b'}, c = {f, 'c'};

    timers_in(f->app.timers, &f->bot, 1, 0, on_stop_the_others, f, &f->timer[0]);
    timers_in(f->app.timers, &f->bot, 1, 0, on_note, &b, &f->timer[1]);
    timers_in(f->app.timers, &f->bot, 500000, 0, on_note, &c, &f->timer[2]);
    usleep(5000); /* both are due in one tick */
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->runs, 1);
    assert_string_equal(f->trace, "");
}

static void on_sweep(void *arg)
{
    struct fixture *f = arg;

    f->runs++;
    timers_sweep(&f->bot);
}

static void a_sweep_inside_a_callback_ends_all_of_that_owner_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct note b = {f, 'b'}, c = {f, 'c'};

    timers_in(f->app.timers, &f->bot, 1, 1, on_sweep, f, NULL);
    timers_in(f->app.timers, &f->bot, 1, 0, on_note, &b, NULL);
    timers_at(f->app.timers, &f->bot, 0, on_note, &b, NULL);
    timers_in(f->app.timers, &f->other, 20, 0, on_note, &c, NULL);
    usleep(5000);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->runs, 1);
    assert_string_equal(f->trace + strlen(f->trace) - 1, "c");
    assert_null(f->bot.timers);
}

static void on_again(void *arg)
{
    struct fixture *f = arg;

    if (++f->runs < 50) {
        timers_in(f->app.timers, &f->bot, 0, 0, on_again, f, NULL);
    }
}

static void a_timer_that_starts_itself_at_once_leaves_the_loop_turning(void **state)
{
    struct fixture *f = *state;

    timers_in(f->app.timers, &f->bot, 0, 0, on_again, f, NULL);
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_true(f->runs < 50);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->runs, 50);
}

static void a_past_instant_comes_next_turn(void **state)
{
    struct fixture *f = *state;
    struct note a = {f, 'a'};

    timers_at(f->app.timers, &f->bot, 1, on_note, &a, NULL);
    assert_string_equal(f->trace, "");
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_string_equal(f->trace, "a");
}

static void chat_timers_follow_the_chat_clock(void **state)
{
    struct fixture *f = *state;
    struct note a = {f, 'a'}, b = {f, 'b'};
    int64_t start_ms = INT64_C(1700000000000);

    clock_set(&f->app.clock, start_ms, 1);
    timers_clock_changed(f->app.timers);
    timers_at(f->app.timers, &f->bot, start_ms + 3600 * 1000, on_note, &b, NULL);
    timers_at(f->app.timers, &f->bot, start_ms + 1800 * 1000, on_note, &a, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_string_equal(f->trace, "");
    clock_set(&f->app.clock, start_ms + 1800 * 1000, 1); /* set forward: the first is due now */
    timers_clock_changed(f->app.timers);
    while (!f->trace[0]) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_string_equal(f->trace, "a");
    clock_set(&f->app.clock, start_ms + 1800 * 1000, 100000); /* half an hour in 18 ms */
    timers_clock_changed(f->app.timers);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_string_equal(f->trace, "ab");
}

static void nonsense_is_refused(void **state)
{
    struct fixture *f = *state;
    struct hr_timer *timer = NULL;
    int status = HR_OK, count = 0;

    assert_int_equal(timers_in(f->app.timers, &f->bot, 1, -1, on_sweep, f, &timer), HR_EINVAL);
    assert_int_equal(timers_in(f->app.timers, &f->bot, 1, 0, NULL, f, &timer), HR_EINVAL);
    assert_null(timer);
    assert_int_equal(timers_in(f->app.timers, &f->bot, INT64_MAX, INT64_C(1000), on_sweep, f, &timer), HR_OK);
    assert_int_equal(timers_at(f->app.timers, &f->bot, INT64_MAX, on_sweep, f, &timer), HR_OK);
    while (count < 10000 && (status = timers_in(f->app.timers, &f->bot, 100000, 0, on_sweep, f, NULL)) == HR_OK) {
        count++;
    }
    assert_int_equal(status, HR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_shots_come_in_the_order_of_their_time_and_free_themselves),
        TEST(a_repeating_timer_stops_itself),
        TEST(a_callback_stops_timers_that_are_due_with_it),
        TEST(a_sweep_inside_a_callback_ends_all_of_that_owner_and_no_other),
        TEST(a_timer_that_starts_itself_at_once_leaves_the_loop_turning),
        TEST(a_past_instant_comes_next_turn),
        TEST(chat_timers_follow_the_chat_clock),
        TEST(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
