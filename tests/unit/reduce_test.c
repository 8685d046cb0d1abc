/* SPDX-License-Identifier: MIT */
#include "reduce.h"
#include "test.h"

#define GRIN "\xF0\x9F\x98\x80"
#define HEART "\xE2\x9D\xA4\xEF\xB8\x8F"
#define PARTY "\xF0\x9F\x8E\x89"
#define SUN "\xE2\x98\x80\xEF\xB8\x8F"
#define FAMILY "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7"
#define FLAG "\xF0\x9F\x87\xAC\xF0\x9F\x87\xA7"

static void becomes(const char *text, const char *wanted)
{
    struct arena arena = {0};
    assert_string_equal(reduce_text(&arena, text, ""), wanted);
    arena_clear(&arena);
}

static void stays(const char *text)
{
    struct arena arena = {0};
    assert_ptr_equal(reduce_text(&arena, text, ""), text);
    arena_clear(&arena);
}

static void up_to_three_emoji_stay(void **state)
{
    (void)state;
    stays("Well done " PARTY);
    stays(GRIN " a " HEART " b " FAMILY);
    stays("Nothing here. \xC2\xA9 2022, 5 \xE2\x86\x92 6");
}

static void more_are_counted_and_a_run_of_one_is_one(void **state)
{
    (void)state;
    becomes(PARTY PARTY PARTY " Well done", PARTY " Well done");
    becomes(PARTY " " PARTY " " PARTY " Well done", PARTY " Well done");
    becomes(GRIN HEART PARTY SUN FAMILY FLAG, GRIN HEART PARTY " (3 more emoji)");
    becomes("a " GRIN " b " HEART " c " PARTY " d " SUN " e " FLAG " f",
            "a " GRIN " b " HEART " c " PARTY " d (2 more emoji) e f");
    becomes(GRIN HEART PARTY GRIN " https://example.org", GRIN HEART PARTY " (1 more emoji) https://example.org");
}

static void emoji_of_several_code_points_are_one_and_stay_whole(void **state)
{
    (void)state;
    becomes(FAMILY FAMILY, FAMILY);
    becomes(FLAG FLAG FLAG " x", FLAG " x");
    stays(FAMILY FLAG "1\xEF\xB8\x8F\xE2\x83\xA3");
}

static void a_picture_made_of_symbols_is_one_sentence(void **state)
{
    struct arena arena = {0};
    (void)state;
    becomes("/\\_/\\\n( o.o )\n> ^ <", "(Picture made of symbols. See the original.)");
    becomes("\xE2\x96\x88\xE2\x96\x88\xE2\x96\x88\xE2\x96\x88\n\xE2\x96\x88\xE2\x96\x91\xE2\x96\x91\xE2\x96\x88\n"
            "\xE2\x96\x88\xE2\x96\x88\xE2\x96\x88\xE2\x96\x88",
            "(Picture made of symbols. See the original.)");
    becomes("==========================================", "(Picture made of symbols. See the original.)");
    assert_string_equal(reduce_text(&arena, "=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-", "https://x.com/a/1"),
                        "(Picture made of symbols. See the original.) https://x.com/a/1");
    arena_clear(&arena);
}

static void words_lists_addresses_and_code_are_no_picture(void **state)
{
    (void)state;
    stays("- one\n- two\n- three and four");
    stays("https://example.org/a/b-c/d_e?f=g&h=i#j");
    stays("if (a[i] != 0) {\n    return b->next;\n}");
    stays("A1 We asked. #DPULO #NHSSM #AccessToWork");
    stays("----");
    stays("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xE4\xBD\xA0\xE5\xA5\xBD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_three_emoji_stay),
        cmocka_unit_test(more_are_counted_and_a_run_of_one_is_one),
        cmocka_unit_test(emoji_of_several_code_points_are_one_and_stay_whole),
        cmocka_unit_test(a_picture_made_of_symbols_is_one_sentence),
        cmocka_unit_test(words_lists_addresses_and_code_are_no_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
