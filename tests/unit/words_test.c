/* SPDX-License-Identifier: MIT */
/* Templates of the bot's own words. */
#include "words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct hr_text texts[] = {
    {"T07", "Question {n} of {of}: {text}\nTo answer, start your message with A{n}.", "n=2;of=4;text=Is a=b?"},
    {"T05", "Welcome. {host} Bye.\n{extra}", "host=;extra=x"},
    {"end", "One. {more}", NULL},
    {"odd", "{ {} {a b} {n", "n=1"},
    {0},
};

static struct arena arena;

static const char *fill(const char *id, ...)
{
    va_list ap;
    va_start(ap, id);
    const char *said = words_fill(&arena, texts, id, "!", ap);
    va_end(ap);
    return said;
}

static void places_are_filled_each_time_they_stand(void **state)
{
    (void)state;
    assert_string_equal(fill("T07", "n", "2", "of", "4", "text", "Why?", NULL),
                        "Question 2 of 4: Why?\nTo answer, start your message with A2.");
}

static void values_are_not_filled_again(void **state)
{
    (void)state;
    assert_string_equal(fill("T07", "n", "2", "of", "4", "text", "{n} {of} {evil}", NULL),
                        "Question 2 of 4: {n} {of} {evil}\nTo answer, start your message with A2.");
}

static void an_empty_place_leaves_no_gap(void **state)
{
    (void)state;
    assert_string_equal(fill("T05", "host", "", "extra", "", NULL), "Welcome. Bye.\n");
    assert_string_equal(fill("T05", "host", "Hi.", "extra", "x", NULL), "Welcome. Hi. Bye.\nx");
    assert_string_equal(fill("end", "more", "", NULL), "One.");
    assert_string_equal(fill("end", "more", "Two.", NULL), "One. Two.");
}

static void braces_that_are_no_place_stay(void **state)
{
    (void)state;
    assert_string_equal(fill("odd", NULL), "{ {} {a b} {n");
}

static void samples_fill_a_template(void **state)
{
    (void)state;
    assert_string_equal(words_sample(&arena, &texts[0]),
                        "Question 2 of 4: Is a=b?\nTo answer, start your message with A2.");
    assert_string_equal(words_sample(&arena, &texts[1]), "Welcome. Bye.\nx");
    assert_string_equal(words_sample(&arena, &texts[2]), "One. {more}"); /* the linter will see the brace */
}

static void another_prefix_is_said_in_commands_only(void **state)
{
    (void)state;
    assert_string_equal(words_prefix(&arena, "Hello! Type !help or !{name}\n!now", "."),
                        "Hello! Type .help or .{name}\n.now");
    assert_string_equal(words_prefix(&arena, "wow!now !1", "."), "wow!now !1");
    assert_string_equal(words_prefix(&arena, "Type !help", "!"), "Type !help");
}

static void very_long_values_end_somewhere(void **state)
{
    (void)state;
    static char huge[100000];
    memset(huge, 'x', sizeof(huge) - 1);
    assert_true(strlen(fill("end", "more", huge, NULL)) < 17 * 1024);
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_each_time_they_stand),
        cmocka_unit_test(values_are_not_filled_again),
        cmocka_unit_test(an_empty_place_leaves_no_gap),
        cmocka_unit_test(braces_that_are_no_place_stay),
        cmocka_unit_test(samples_fill_a_template),
        cmocka_unit_test(another_prefix_is_said_in_commands_only),
        cmocka_unit_test(very_long_values_end_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
