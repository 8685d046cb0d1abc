/* SPDX-License-Identifier: MIT */
/* Lines that share a part: when, in what order, and what becomes of them when one is edited or taken back. */
#include "host_fixture.h"

/* Room a/one with a bucket that holds tokens for little more than nothing. */
static int setup(void **state)
{
    struct fixture *f = fixture_new(NULL);
    struct hr_bot *a = fixture_bot(f, "a");
    a->network->limits =
        (struct hr_limits){.size = sizeof(struct hr_limits), .rate = 0.0001, .burst = 10, .window = 1, .window_all = 8};
    a->network->tokens = 0;
    f->relay = true;
    *state = f;
    return 0;
}

static void five_posts(struct fixture *f)
{
    static const char *const keys[] = {"k1", "k2", "k3", "k4", "k5"};
    static const char *const texts[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(fixture_post(f, "b", "one", keys[i], "ann", texts[i]), HR_OK);
    }
    fixture_turn(f);
}

static void up(struct fixture *f, double tokens)
{
    struct hr_bot *a = fixture_bot(f, "a");
    a->network->tokens = tokens;
    network_up(a, NULL);
    network_up(a, "one");
    fixture_turn(f);
}

static int change(struct fixture *f, const char *key, const char *text)
{
    struct hr_bot *b = fixture_bot(f, "b");
    instance_enter(b);
    int rc = text == NULL ? messages_remove(f->app.messages, b, key)
                          : messages_edit(f->app.messages, b, key, text, text, strlen(text), "ann");
    instance_leave(b, HR_OK);
    fixture_turn(f);
    return rc;
}

static int64_t in_state(struct fixture *f, const char *state)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM delivery d JOIN room r ON r.id = d.room WHERE r.address = 'one'"
             " AND r.network = 'a' AND d.state = '%s'",
             state);
    return fixture_number(f, sql);
}

static void what_waits_for_one_token_goes_as_one_part(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 5);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].body, "one | two | three | four | five");
    assert_int_equal(in_state(f, "delivered"), 5);
}

static void with_tokens_for_all_each_goes_alone(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 10);
    assert_true(f->sent_count >= 5);
    assert_string_equal(f->sent[0].body, "Lead: one");
    assert_string_equal(f->sent[4].body, "Lead: five");
}

static void numbered_posts(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        char key[16], text[16];
        snprintf(key, sizeof(key), "k%d", i);
        snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(fixture_post(f, "b", "one", key, "ann", text), HR_OK);
    }
    fixture_turn(f);
}

static void more_than_a_hundred_go_as_two_in_order(void **state)
{
    struct fixture *f = *state;
    numbered_posts(f, 104);
    up(f, 6);
    assert_int_equal(f->sent_count, 2);
    assert_true(strncmp(f->sent[0].body, "0 | 1 | 2 | 3 | ", 16) == 0);
    assert_non_null(strstr(f->sent[0].body, " | 98 | 99"));
    assert_string_equal(f->sent[1].body, "100 | 101 | 102 | 103");
}

static void up_to_sixty_go_thirty_at_a_time(void **state)
{
    struct fixture *f = *state;
    numbered_posts(f, 60);
    up(f, 6);
    assert_int_equal(f->sent_count, 2);
    assert_non_null(strstr(f->sent[0].body, " | 28 | 29"));
    assert_null(strstr(f->sent[0].body, " | 30"));
    assert_true(strncmp(f->sent[1].body, "30 | 31", 7) == 0);
}

static void a_server_that_has_fallen_behind_gets_many_in_one_part_though_it_knows_no_limit(void **state)
{
    struct fixture *f = *state;
    fixture_bot(f, "a")->network->limits.rate = 0;
    numbered_posts(f, 21);
    up(f, 10);
    assert_int_equal(f->sent_count, 1);
    assert_non_null(strstr(f->sent[0].body, "0 | 1 | 2"));
}

static void an_edit_says_the_merged_part_anew(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 6);
    assert_int_equal(change(f, "k2", "zwei"), HR_OK);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[1].body, "Correction: one | zwei | three | four | five @r1");
}

static void taking_one_back_takes_the_part_back_and_says_the_rest(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 10 - 4); /* the part, the redaction, the rest */
    assert_int_equal(f->sent_count, 1);
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[1].body, "Removed: Lead: r1");
    assert_string_equal(f->sent[2].body, "one | two | four | five");
    assert_int_equal(in_state(f, "waiting") + in_state(f, "claimed"), 0);
    /* and again: only the new part is taken back */
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k1", NULL), HR_OK);
    assert_int_equal(f->sent_count, 5);
    assert_string_equal(f->sent[3].body, "Removed: Lead: r3");
    assert_string_equal(f->sent[4].body, "two | four | five");
}

/* The server has answered what was sent as number `n`. */
static void answered(struct fixture *f, size_t n, int status)
{
    struct hr_bot *a = fixture_bot(f, "a");
    a->network->tokens = 10;
    f->answer = HR_OK;
    instance_enter(a);
    outbox_sent(f->app.outbox, a, f->sent[n].part, status, NULL, -1, "the test says so");
    instance_leave(a, HR_OK);
    fixture_turn(f);
    fixture_turn(f);
}

static void a_refused_removal_says_nothing_twice(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 10 - 4);
    fixture_bot(f, "a")->network->tokens = 10;
    f->answer = 1;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    assert_int_equal(f->sent_count, 2); /* the rest waits for the answer */
    answered(f, 1, HR_EFAIL);
    assert_int_equal(f->sent_count, 2);
    assert_int_equal(in_state(f, "refused"), 1);
    assert_int_equal(in_state(f, "delivered"), 5);
    assert_int_equal(change(f, "k1", NULL), HR_OK); /* the part still is what there is to take back */
    assert_int_equal(f->sent_count, 4);
    assert_string_equal(f->sent[2].body, "Removed: Lead: r1");
    assert_string_equal(f->sent[3].body, "two | four | five");
}

static void what_changes_while_a_part_is_taken_back_is_said_with_the_rest(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    fixture_bot(f, "a")->network->limits.window = 4;
    up(f, 10 - 4);
    f->answer = 1;
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    assert_int_equal(change(f, "k2", "zwei"), HR_OK);
    assert_int_equal(change(f, "k5", NULL), HR_OK);
    assert_int_equal(f->sent_count, 2);
    answered(f, 1, HR_OK);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[2].body, "one | zwei | four");
    assert_int_equal(in_state(f, "waiting") + in_state(f, "claimed"), 0);
}

static void a_removal_left_claimed_says_the_rest_after_a_restart(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 10 - 4);
    f->answer = 1;
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    fixture_restart(f, false);
    f->answer = HR_OK;
    up(f, 10);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].body, "Removed: Lead: r1");
    assert_string_equal(f->sent[1].body, "one | two | four | five");
}

static void an_edit_that_holds_the_words_is_taken_back_with_them(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    up(f, 10 - 4);
    assert_int_equal(change(f, "k2", "zwei"), HR_OK);
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    assert_int_equal(f->sent_count, 5);
    assert_string_equal(f->sent[2].body, "Removed: Lead: r1");
    assert_string_equal(f->sent[3].body, "Removed: Lead: r2");
    assert_string_equal(f->sent[4].body, "one | zwei | four | five");
}

static void an_edit_still_on_its_way_is_waited_for_and_taken_back_too(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    fixture_bot(f, "a")->network->limits.window = 4;
    up(f, 10 - 4);
    f->answer = 1;
    assert_int_equal(change(f, "k2", "zwei"), HR_OK);
    assert_int_equal(f->sent_count, 2);
    fixture_bot(f, "a")->network->tokens = 10;
    assert_int_equal(change(f, "k3", NULL), HR_OK);
    assert_int_equal(f->sent_count, 2); /* nobody knows the edit's id yet */
    f->answer = HR_OK;
    fixture_bot(f, "a")->network->tokens = 10;
    struct hr_bot *a = fixture_bot(f, "a");
    instance_enter(a);
    outbox_sent(f->app.outbox, a, f->sent[1].part, HR_OK, "r2", -1, NULL);
    instance_leave(a, HR_OK);
    fixture_turn(f);
    fixture_turn(f);
    assert_string_equal(f->sent[2].body, "Removed: Lead: r1");
    assert_string_equal(f->sent[3].body, "Removed: Lead: r2");
    assert_string_equal(f->sent[4].body, "one | zwei | four | five");
}

static void a_merged_part_left_claimed_comes_again_whole(void **state)
{
    struct fixture *f = *state;
    five_posts(f);
    f->answer = 1;
    up(f, 5);
    assert_int_equal(f->sent_count, 1);
    fixture_restart(f, false);
    f->answer = HR_OK;
    up(f, 10);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].body, "one | two | three | four | five");
    assert_int_equal(in_state(f, "delivered"), 5);
}

static void one_that_cannot_be_said_does_not_hold_the_others(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "too long", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "too long", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "fine", NULL), HR_OK);
    up(f, 10);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].body, "fine");
    assert_int_equal(in_state(f, "refused"), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(what_waits_for_one_token_goes_as_one_part),
        T(with_tokens_for_all_each_goes_alone),
        T(more_than_a_hundred_go_as_two_in_order),
        T(up_to_sixty_go_thirty_at_a_time),
        T(a_server_that_has_fallen_behind_gets_many_in_one_part_though_it_knows_no_limit),
        T(an_edit_says_the_merged_part_anew),
        T(taking_one_back_takes_the_part_back_and_says_the_rest),
        T(a_refused_removal_says_nothing_twice),
        T(what_changes_while_a_part_is_taken_back_is_said_with_the_rest),
        T(a_removal_left_claimed_says_the_rest_after_a_restart),
        T(an_edit_that_holds_the_words_is_taken_back_with_them),
        T(an_edit_still_on_its_way_is_waited_for_and_taken_back_too),
        T(a_merged_part_left_claimed_comes_again_whole),
        T(one_that_cannot_be_said_does_not_hold_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
