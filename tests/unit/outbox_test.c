/* SPDX-License-Identifier: MIT */
/* From said to settled: order, once, budget, edits and removals, restarts; every delivery in one outcome. */
#include "host_fixture.h"

static void waits_until_network_and_room_are_up(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "hello", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 0);
    network_up(fixture_bot(f, "a"), NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 0);
    network_up(fixture_bot(f, "a"), "one");
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].body, "hello");
    assert_int_equal(fixture_in_state(f, "delivered"), 1);
}

static void a_line_that_may_go_is_claimed_in_the_turn_that_logs_it(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    uint64_t before = turn_commits(f->app.turn);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "hello", NULL), HR_OK);
    turn_finish(f->app.turn);
    assert_int_equal(turn_commits(f->app.turn), before + 1);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_in_state(f, "claimed"), 1);
}

static void settling_joins_the_next_turn(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    uint64_t before = turn_commits(f->app.turn);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "hello", NULL), HR_OK);
    turn_finish(f->app.turn);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_in_state(f, "claimed"), 1); /* it has arrived; no transaction of its own for that */
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "world", NULL), HR_OK);
    turn_finish(f->app.turn);
    assert_int_equal(turn_commits(f->app.turn), before + 2);
    assert_int_equal(fixture_in_state(f, "delivered"), 1);
    fixture_restart(f, true); /* a clean end leaves nothing open */
    assert_int_equal(fixture_in_state(f, "delivered"), 2);
}

static void one_in_flight_keeps_the_order(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof(text), "line %d", i);
        assert_int_equal(fixture_say(f, "a/one", HR_TIMING, text, NULL), HR_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        fixture_turn(f);
        assert_int_equal(f->sent_count, i + 1);
        outbox_sent(f->app.outbox, fixture_bot(f, "a"), f->sent[i].part, HR_OK, NULL, -1, NULL);
    }
    fixture_turn(f);
    assert_string_equal(f->sent[0].body, "line 0");
    assert_string_equal(f->sent[2].body, "line 2");
    assert_int_equal(fixture_in_state(f, "delivered"), 3);
}

static void questions_overtake_what_waits(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "chatter", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_REPLY, "reply", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "question", NULL), HR_OK);
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[0].body, "question");
    assert_string_equal(f->sent[1].body, "reply");
    assert_string_equal(f->sent[2].body, "chatter");
}

static void said_once_by_key(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "question", "s1:q1"), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "question", "s1:q1"), HR_EEXIST);
    fixture_restart(f, true);
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "question", "s1:q1"), HR_EEXIST);
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 1);
}

static void a_retry_comes_again_with_the_same_txn_and_body(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = HR_ERETRY;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "again", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "after", NULL), HR_OK);
    fixture_turn(f); /* a slow machine may have come to the retry already: it was asked for in 1 ms */
    size_t tries = f->sent_count;
    assert_true(tries >= 1);
    f->answer = HR_OK;
    usleep(5000); /* the network clock can't be set */
    outbox_wake(f->app.outbox);
    fixture_turn(f);
    assert_int_equal(f->sent_count, tries + 2);
    for (size_t i = 0; i <= tries; i++) {
        assert_string_equal(f->sent[i].body, "again");
        assert_string_equal(f->sent[i].txn, f->sent[0].txn);
        assert_int_equal(f->sent[i].attempt, i + 1);
        assert_int_equal(f->sent[i].flags & HR_PART_DOUBT, 0);
    }
    assert_string_equal(f->sent[tries + 1].body, "after");
}

static void a_refused_line_drops_its_rest_and_goes_on(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = HR_EFAIL;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "one\ntwo\nthree", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_in_state(f, "refused"), 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM part WHERE state = 'dropped'"), 2);
    f->answer = HR_OK;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "too long", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "fine", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    assert_int_equal(fixture_in_state(f, "refused"), 2);
    assert_int_equal(fixture_number(f, "SELECT reason = 'it is too long' FROM delivery WHERE id = 2"), 1);
}

static void lines_about_time_expire(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *bot = fixture_bot(f, "feature");
    struct hr_say say = {.size = sizeof(say), .text = "in 10 minutes", .priority = HR_TIMING, .expires_ms = 1};
    uint64_t message = messages_own(f->app.messages, bot, &say, "c");
    assert_int_equal(outbox_say(f->app.outbox, message, 0, rooms_get(f->app.rooms, fixture_room(f, "a/one")), &say),
                     HR_OK);
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(fixture_in_state(f, "expired"), 1);
}

static void one_dead_network_changes_nothing_for_the_other(void **state)
{
    struct fixture *f = *state;
    network_up(fixture_bot(f, "b"), NULL);
    network_up(fixture_bot(f, "b"), "one");
    for (int i = 0; i < 50; i++) {
        assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "stuck", NULL), HR_OK);
    }
    assert_int_equal(fixture_say(f, "b/one", HR_PEOPLE, "free", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].room, "b/one");
}

static void the_budget_is_kept_for_the_account_over_its_rooms(void **state)
{
    struct fixture *f = *state;
    struct hr_limits limits = {.size = sizeof(limits), .rate = 0.001, .burst = 10, .window = 4, .window_all = 8};
    struct hr_bot *a = fixture_bot(f, "a");
    a->network->limits = limits;
    a->network->tokens = 10;
    for (int i = 0; i < 900; i++) {
        assert_int_equal(fixture_say(f, i % 2 ? "a/one" : "a/two", HR_POSTS, "post", NULL), HR_OK);
    }
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 3); /* a hundred lines a part; 2 rooms: posts leave 7 of 10 in the bucket */
    for (int i = 0; i < 500; i++) {
        assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "people", NULL), HR_OK);
    }
    fixture_turn(f);
    assert_int_equal(f->sent_count, 6); /* people leave 4 */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fixture_say(f, "a/one", HR_REPLY, "reply", NULL), HR_OK);
    }
    fixture_turn(f);
    assert_int_equal(f->sent_count, 8); /* replies leave 2 */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(fixture_say(f, "a/two", HR_QUESTION, "question", NULL), HR_OK);
    }
    fixture_turn(f);
    assert_int_equal(f->sent_count, 10); /* questions empty it */
}

static void a_restart_gives_no_fresh_burst(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *a = fixture_bot(f, "a");
    fixture_all_up(f);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "q", NULL), HR_OK);
    }
    fixture_turn(f);
    assert_int_equal(f->sent_count, 4);
    a->network->limits = (struct hr_limits){.size = sizeof(struct hr_limits), .rate = 0.1, .burst = 10};
    struct outbox *outbox = f->app.outbox;
    outbox_start(outbox);
    assert_true(a->network->tokens < 6.5 && a->network->tokens > 5.5);
}

static void after_a_crash_a_claimed_part_comes_again_in_doubt(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "first\nsecond", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "third", NULL), HR_OK);
    fixture_turn(f);
    char txn[64];
    snprintf(txn, sizeof(txn), "%s", f->sent[0].txn);
    fixture_restart(f, false);
    f->answer = HR_OK;
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[0].body, "first");
    assert_string_equal(f->sent[0].txn, txn);
    assert_int_equal(f->sent[0].flags & HR_PART_DOUBT, HR_PART_DOUBT);
    assert_string_equal(f->sent[1].body, "second");
    assert_int_equal(f->sent[1].flags & HR_PART_DOUBT, 0);
    assert_string_equal(f->sent[2].body, "third");
    assert_int_equal(fixture_in_state(f, "delivered"), 2);
}

static void a_network_that_goes_down_takes_its_parts_back(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "x", NULL), HR_OK);
    fixture_turn(f);
    network_down(fixture_bot(f, "a"), NULL, "the connection was cut; trying again in 2 s");
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    f->answer = HR_OK;
    network_up(fixture_bot(f, "a"), NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    assert_int_equal(f->sent[1].flags & HR_PART_DOUBT, HR_PART_DOUBT);
    assert_int_equal(fixture_in_state(f, "delivered"), 1);
}

static void a_late_answer_counts_once(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "x", NULL), HR_OK);
    fixture_turn(f);
    struct hr_bot *a = fixture_bot(f, "a");
    outbox_sent(f->app.outbox, a, f->sent[0].part, HR_EUNKNOWN, NULL, -1, "nobody knows");
    outbox_sent(f->app.outbox, a, f->sent[0].part, HR_OK, NULL, -1, NULL);
    fixture_turn(f);
    assert_int_equal(fixture_in_state(f, "unknown"), 1);
    assert_int_equal(a->network->in_flight, 0);
}

static void what_still_waits_can_be_dropped(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "1", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_POSTS, "2", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/two", HR_POSTS, "3", NULL), HR_OK);
    assert_int_equal(outbox_drop_waiting(f->app.outbox, fixture_room(f, "a/one"), "stopped"), 2);
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_in_state(f, "expired"), 2);
    struct outbox_counts counts;
    outbox_count(f->app.outbox, 0, &counts);
    assert_int_equal(counts.expired, 2);
    assert_int_equal(counts.delivered, 1);
    assert_int_equal(counts.waiting, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(waits_until_network_and_room_are_up),
        T(a_line_that_may_go_is_claimed_in_the_turn_that_logs_it),
        T(settling_joins_the_next_turn),
        T(one_in_flight_keeps_the_order),
        T(questions_overtake_what_waits),
        T(said_once_by_key),
        T(a_retry_comes_again_with_the_same_txn_and_body),
        T(a_refused_line_drops_its_rest_and_goes_on),
        T(lines_about_time_expire),
        T(one_dead_network_changes_nothing_for_the_other),
        T(the_budget_is_kept_for_the_account_over_its_rooms),
        T(a_restart_gives_no_fresh_burst),
        T(after_a_crash_a_claimed_part_comes_again_in_doubt),
        T(a_network_that_goes_down_takes_its_parts_back),
        T(a_late_answer_counts_once),
        T(what_still_waits_can_be_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
