/* SPDX-License-Identifier: MIT */
/* What may have arrived: looked up where that is possible, else a question is told instead of said twice. */
#include "host_fixture.h"
#include "outbox_rows.h"

static void a_question_in_doubt_is_told_instead_of_said_twice(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "Question 2 of 4: why?\nTo answer, type A2.", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "chatter", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    fixture_restart(f, false);
    assert_string_equal(f->last_event, "6:Question 2 of 4: why?\nTo answer, type A2.");
    f->answer = HR_OK;
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].body, "chatter");
    assert_int_equal(fixture_in_state(f, "unknown"), 1);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "Question 3", NULL), HR_OK);
    fixture_turn(f);
    network_down(fixture_bot(f, "a"), NULL, "cut");
    fixture_turn(f);
    assert_int_equal(fixture_in_state(f, "unknown"), 2);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM part WHERE state IN ('ready', 'claimed')"), 0);
}

/* The bot ends with a part in doubt, one that waits for its turn, and is started from an old copy of its database. */
static void a_part_of_a_copy_that_was_put_back_keeps_its_transaction(void **state)
{
    struct fixture *f = *state;
    char txn[64];
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "first line\nsecond line", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    snprintf(txn, sizeof(txn), "%s", f->sent[0].txn);
    turn_write(f->app.turn);
    store_renew_id(f->app.store);
    fixture_restart(f, false);
    f->answer = HR_OK;
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].txn, txn);
    assert_int_equal(strncmp(f->sent[1].txn, txn, 16), 0);
    assert_int_equal(f->sent[1].flags & HR_PART_DOUBT, HR_PART_DOUBT); /* what waited then may have left since */
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "said since", NULL), HR_OK);
    fixture_turn(f);
    assert_int_not_equal(strncmp(f->sent[2].txn, txn, 16), 0);
}

static void offer_history(struct fixture *f, bool offered)
{
    struct hr_limits limits = fixture_bot(f, "a")->network->limits;
    limits.flags = offered ? HR_NET_SAME_TXN : 0;
    network_limits(fixture_bot(f, "a"), &limits);
}

static void a_question_that_can_be_looked_up_comes_again_in_doubt(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    offer_history(f, true);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "Question 2", NULL), HR_OK);
    fixture_turn(f);
    network_down(fixture_bot(f, "a"), NULL, "cut");
    fixture_turn(f);
    assert_int_equal(fixture_in_state(f, "unknown"), 0);
    f->answer = HR_OK;
    network_up(fixture_bot(f, "a"), NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[1].body, "Question 2");
    assert_int_equal(f->sent[1].flags & HR_PART_DOUBT, HR_PART_DOUBT);
    assert_int_equal(f->sent[1].priority, HR_QUESTION);
    assert_int_equal(fixture_in_state(f, "delivered"), 1);
}

static void a_question_whose_look_up_fails_is_told(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    offer_history(f, true);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, "Question 2\nTo answer, type A2.", NULL), HR_OK);
    fixture_turn(f);
    network_down(fixture_bot(f, "a"), NULL, "cut");
    f->answer = HR_EUNKNOWN;
    network_up(fixture_bot(f, "a"), NULL);
    fixture_turn(f);
    assert_string_equal(f->last_event, "6:Question 2\nTo answer, type A2.");
    assert_int_equal(fixture_in_state(f, "unknown"), 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM part WHERE state IN ('ready', 'claimed')"), 0);
    assert_int_equal(fixture_bot(f, "a")->network->in_flight, 0);
    f->answer = HR_OK;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "chatter", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(fixture_in_state(f, "delivered"), 1);
}

static void settling_waits_longer_where_a_repeat_would_be_recognised(void **state)
{
    struct fixture *f = *state;
    int64_t wake_ms = INT64_MAX, arrived_ms;
    fixture_all_up(f);
    for (int readable = 0; readable <= 1; readable++) {
        offer_history(f, readable);
        assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "x", NULL), HR_OK);
        turn_finish(f->app.turn);
        assert_int_equal(f->app.outbox->arrived_count, 1);
        arrived_ms = f->app.outbox->arrived_ms;
        assert_int_equal(outbox_settling_is_due(f->app.outbox, arrived_ms + 50, &wake_ms), !readable);
        assert_true(outbox_settling_is_due(f->app.outbox, arrived_ms + 500, &wake_ms));
        turn_write(f->app.turn); /* what is open is settled */
        turn_finish(f->app.turn);
        assert_int_equal(f->app.outbox->arrived_count, 0);
    }
    assert_int_equal(wake_ms, arrived_ms + 500);
}

static void many_may_settle_at_once_where_they_can_be_looked_up(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    offer_history(f, true);
    uint64_t before = turn_commits(f->app.turn);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "x", NULL), HR_OK);
        turn_finish(f->app.turn);
    }
    assert_int_equal(turn_commits(f->app.turn), before + 4); /* none of its own to settle */
    offer_history(f, false);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "y", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/two", HR_TIMING, "z", NULL), HR_OK);
    turn_finish(f->app.turn);
    turn_finish(f->app.turn);
    assert_int_equal(fixture_in_state(f, "delivered"), 6);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_question_in_doubt_is_told_instead_of_said_twice),
        T(a_part_of_a_copy_that_was_put_back_keeps_its_transaction),
        T(a_question_that_can_be_looked_up_comes_again_in_doubt),
        T(a_question_whose_look_up_fails_is_told),
        T(settling_waits_longer_where_a_repeat_would_be_recognised),
        T(many_may_settle_at_once_where_they_can_be_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
