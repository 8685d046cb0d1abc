/* SPDX-License-Identifier: MIT */
/* Posts in a calm room: four a minute, none around a question, left out aloud after ten minutes. */
#include "host_fixture.h"

static const int64_t START_MS = 1790708400000;

static int setup(void **state)
{
    struct fixture *f =
        fixture_new("chat \"c\" {\n tag = \"#C\"\n room \"a/calm\" { }\n room \"a/full\" { pace = full }\n"
                    " room \"b/one\" { }\n}\n");
    struct hr_bot *a = fixture_bot(f, "a");
    clock_set(&f->app.clock, START_MS, 1);
    network_up(a, NULL);
    network_up(a, "calm");
    network_up(a, "full");
    fixture_turn(f);
    f->relay = true;
    f->relay_as = HR_POSTS;
    *state = f;
    return 0;
}

static void post(struct fixture *f, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(fixture_post(f, "b", "one", key, "ann", key), HR_OK);
    }
    fixture_turn(f);
}

static size_t said(const struct fixture *f, const char *room)
{
    size_t count = 0;
    for (size_t i = 0; i < f->sent_count; i++) {
        count += strcmp(f->sent[i].room, room) == 0;
    }
    return count;
}

static void pass(struct fixture *f, int64_t seconds)
{
    clock_set(&f->app.clock, clock_chat_ms(&f->app.clock) + seconds * 1000, 1);
    outbox_wake(f->app.outbox);
    fixture_turn(f);
}

static void four_a_minute_in_a_calm_room_and_all_in_a_full_one(void **state)
{
    struct fixture *f = *state;
    post(f, 0, 6);
    assert_int_equal(said(f, "a/full"), 6);
    assert_int_equal(said(f, "a/calm"), 1);
    for (size_t i = 1; i < 6; i++) {
        pass(f, 16);
        assert_int_equal(said(f, "a/calm"), i + 1);
    }
    assert_string_equal(f->sent[f->sent_count - 1].body, "Lead: k5");
}

static void what_people_say_is_not_held_back(void **state)
{
    struct fixture *f = *state;
    f->relay_as = HR_PEOPLE;
    post(f, 0, 6);
    assert_int_equal(said(f, "a/calm"), 6);
}

static void no_post_around_a_question(void **state)
{
    struct fixture *f = *state;
    struct hr_chat record = *(&chats_find(f->app.chats, "c")->hr);
    record.quiet_until_ms = START_MS + 20000;
    assert_int_equal(chats_set(f->app.chats, &record), HR_OK);
    post(f, 0, 1);
    assert_int_equal(f->sent_count, 0);
    pass(f, 21);
    assert_int_equal(f->sent_count, 2);
}

static void what_waited_ten_minutes_is_left_out_and_told(void **state)
{
    struct fixture *f = *state;
    post(f, 0, 4);
    assert_int_equal(said(f, "a/calm"), 1);
    pass(f, 601);
    assert_int_equal(said(f, "a/calm"), 1);
    assert_string_equal(f->last_event, "8:k3");
    assert_int_equal(f->last_count, 3);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state = 'named'"), 3);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM core_pub_left_out WHERE text LIKE 'k%'"), 3);
    int events = f->events;
    pass(f, 16);
    assert_int_equal(f->events, events); /* told once */
}

static void a_flood_is_told_of_in_one_note_each_ten_minutes(void **state)
{
    struct fixture *f = *state;
    post(f, 0, 4);
    pass(f, 60);
    post(f, 4, 4);
    pass(f, 541); /* the last two of the first four */
    assert_int_equal(f->last_count, 2);
    f->last_count = 0;
    pass(f, 100); /* the others, but the note was said just now */
    assert_int_equal(f->last_count, 0);
    pass(f, 501);
    assert_string_equal(f->last_event, "8:k7");
    assert_true(f->last_count >= 3);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state = 'named'"), 2 + f->last_count);
}

static void a_backlog_is_told_once_until_it_is_gone(void **state)
{
    struct fixture *f = *state;
    post(f, 0, 16);
    int events = f->events;
    post(f, 16, 2);
    assert_string_equal(f->last_event, "7:k1");
    assert_int_equal(f->events, events + 3);
    post(f, 18, 1);
    assert_int_equal(f->events, events + 4); /* the post itself */
}

static void a_room_nobody_can_reach_keeps_the_newest_thousand(void **state)
{
    struct fixture *f = *state;
    f->relay_as = HR_PEOPLE;
    network_down(fixture_bot(f, "a"), NULL, "gone");
    post(f, 0, 1005);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery d JOIN room r ON r.id = d.room WHERE"
                                       " r.address = 'full' AND state = 'named'"),
                     5);
    assert_int_equal(fixture_number(f, "SELECT min(d.id) = 11 FROM delivery d JOIN room r ON r.id = d.room WHERE"
                                       " r.address = 'calm' AND state = 'waiting'"),
                     1);
}

static void a_room_that_can_be_reached_loses_nothing_of_a_burst(void **state)
{
    struct fixture *f = *state;
    f->relay_as = HR_PEOPLE;
    post(f, 0, 2005);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state = 'expired'"), 0);
}

static void up_again(struct fixture *f)
{
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "full");
    network_up(fixture_bot(f, "a"), "calm");
    fixture_turn(f);
}

static void what_the_ceiling_dropped_can_be_read_and_is_told_after_a_restart(void **state)
{
    struct fixture *f = *state;
    f->relay_as = HR_PEOPLE;
    network_down(fixture_bot(f, "a"), NULL, "gone");
    post(f, 0, 1005);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM core_pub_left_out v JOIN room r ON r.id = v.room"
                                       " WHERE r.address = 'calm' AND text IN ('k0', 'k1', 'k2', 'k3', 'k4')"),
                     5);
    fixture_restart(f, true);
    f->answer = 1; /* nothing of the rest matters here */
    up_again(f);
    assert_int_equal(f->last_count, 5);
    assert_string_equal(f->last_event, "8:k4");
    fixture_restart(f, true);
    f->last_count = 0;
    f->answer = 1;
    up_again(f);
    assert_int_equal(f->last_count, 0); /* told once, over restarts too */
}

static void what_is_left_out_later_has_the_higher_number(void **state)
{
    struct fixture *f = *state;
    network_down(fixture_bot(f, "a"), NULL, "gone");
    f->relay_as = HR_PEOPLE;
    post(f, 0, 1000);
    f->relay_as = HR_POSTS;
    post(f, 1000, 1);
    pass(f, 601); /* the post, the newest of all, goes first */
    int64_t first = fixture_number(f, "SELECT max(id) FROM core_pub_left_out");
    f->relay_as = HR_PEOPLE;
    post(f, 1001, 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM core_pub_left_out WHERE text = 'k0'"), 2);
    assert_true(fixture_number(f, "SELECT min(id) FROM core_pub_left_out WHERE text = 'k0'") > first);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(four_a_minute_in_a_calm_room_and_all_in_a_full_one),
        T(what_people_say_is_not_held_back),
        T(no_post_around_a_question),
        T(what_waited_ten_minutes_is_left_out_and_told),
        T(a_flood_is_told_of_in_one_note_each_ten_minutes),
        T(a_backlog_is_told_once_until_it_is_gone),
        T(a_room_nobody_can_reach_keeps_the_newest_thousand),
        T(a_room_that_can_be_reached_loses_nothing_of_a_burst),
        T(what_the_ceiling_dropped_can_be_read_and_is_told_after_a_restart),
        T(what_is_left_out_later_has_the_higher_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
