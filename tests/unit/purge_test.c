/* SPDX-License-Identifier: MIT */
/* What was kept long enough is emptied; it is still known, and lists made of it stay. */
#include "host_fixture.h"
#include "purge.h"

static const int64_t START_MS = 1790708400000, DAY_MS = 24LL * 3600 * 1000;

static int setup(void **state)
{
    struct fixture *f = fixture_new(NULL);
    clock_set(&f->app.clock, START_MS, 1);
    f->relay = true;
    *state = f;
    return 0;
}

static void at_day(struct fixture *f, double day)
{
    clock_set(&f->app.clock, START_MS + (int64_t)(day * (double)DAY_MS), 1);
    (void)purge_run(f->app.purge);
    fixture_turn(f);
}

static int64_t with_words(struct fixture *f)
{
    return fixture_number(f, "SELECT count(*) FROM message WHERE text <> '' AND name <> '' AND scope <> 'own'");
}

static void posts_go_after_a_day_and_peoples_words_after_thirty(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "from a person"), HR_OK);
    rooms_get(f->app.rooms, fixture_room(f, "b/one"))->hr.flags = HR_ROOM_SOCIAL;
    assert_int_equal(fixture_post(f, "b", "one", "k2", "ben", "a post"), HR_OK);
    fixture_turn(f);
    at_day(f, 0.9);
    assert_int_equal(with_words(f), 2);
    at_day(f, 1.1);
    assert_int_equal(with_words(f), 1);
    assert_int_equal(
        fixture_number(f, "SELECT text = 'from a person' FROM message WHERE name <> '' AND scope <> 'own'"), 1);
    at_day(f, 30.1);
    assert_int_equal(with_words(f), 0);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE lead <> ''"), 0);
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "from a person"), HR_EEXIST); /* still known */
}

static void a_part_that_is_settled_holds_no_words(void **state)
{
    struct fixture *f = *state;
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "two");
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "words"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM part WHERE length(body) > 0"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(posts_go_after_a_day_and_peoples_words_after_thirty),
        T(a_part_that_is_settled_holds_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
