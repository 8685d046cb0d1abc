/* SPDX-License-Identifier: MIT */
#include "near.h"
#include "test.h"
#include <string.h>

static void distance_counts_letters_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(near_distance("", ""), 0);
    assert_int_equal(near_distance("next", "next"), 0);
    assert_int_equal(near_distance("nxt", "next"), 1);
    assert_int_equal(near_distance("nexxt", "next"), 1);
    assert_int_equal(near_distance("enxt", "next"), 1);
    assert_int_equal(near_distance("Sever", "server"), 1);
    assert_int_equal(near_distance("abc", "xyz"), 3);
    assert_int_equal(near_distance("", "abc"), 3);
}

static void overlong_words_are_near_nothing(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'a', sizeof word);
    word[sizeof word - 1] = '\0';
    struct near near = {.word = word};
    near_offer(&near, word);
    assert_null(near.best);
}

static void nearest_of_several_is_offered(void **state)
{
    (void)state;
    struct near near = {.word = "libra"};
    near_offer(&near, "liberta");
    near_offer(&near, "libera");
    near_offer(&near, "oftc");
    assert_string_equal(near.best, "libera");
    struct near far = {.word = "xy"};
    near_offer(&far, "libera");
    assert_null(far.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_letters_and_swaps),
        cmocka_unit_test(overlong_words_are_near_nothing),
        cmocka_unit_test(nearest_of_several_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
