/* SPDX-License-Identifier: MIT */
/* The door for foreign text. */
#include "utf8.h"
#include "utf8_table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CLEAN(text, want) check_clean(text, sizeof(text) - 1, want, 0)
#define LINE(text, want) check_clean(text, sizeof(text) - 1, want, UTF8_LINE)
#define NAME(text, want) check_name(text, sizeof(text) - 1, want)

static void check_clean(const char *text, size_t len, const char *want, unsigned flags)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(utf8_clean(&out, text, len, 4000, flags), 0);
    assert_string_equal(buf_str(&out), want);
    assert_true(utf8_valid(buf_str(&out), out.len));
    buf_clear(&out);
}

static void check_name(const char *text, size_t len, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(utf8_name(&out, text, len), 0);
    assert_string_equal(buf_str(&out), want);
    buf_clear(&out);
}

static void plain_text_of_many_scripts_is_untouched(void **state)
{
    (void)state;
    CLEAN("Caf\u00E9 \u4F60\u597D \u05E9\u05DC\u05D5\u05DD \U0001F600 na\u0308ive",
          "Caf\u00E9 \u4F60\u597D \u05E9\u05DC\u05D5\u05DD \U0001F600 na\u0308ive");
    CLEAN("", "");
}

static void overlong_forms_become_replacements(void **state)
{
    (void)state;
    CLEAN("a\xC0\x80z", "a\uFFFDz");
    CLEAN("a\xC0\xAFz", "a\uFFFDz");
    CLEAN("a\xE0\x80\xAFz", "a\uFFFDz");
    CLEAN("a\xF0\x80\x80\xAFz", "a\uFFFDz");
}

static void surrogates_and_too_large_become_replacements(void **state)
{
    (void)state;
    CLEAN("a\xED\xA0\x80z", "a\uFFFDz");
    CLEAN("a\xED\xBF\xBFz", "a\uFFFDz");
    CLEAN("a\xF4\x90\x80\x80z", "a\uFFFDz");
    CLEAN("a\xFF\xFEz", "a\uFFFDz");
    CLEAN("cut short \xE2\x82", "cut short \uFFFD");
    CLEAN("\x80start", "\uFFFDstart");
}

static void every_pair_of_bytes_gives_valid_text(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    for (unsigned i = 0; i < 0x10000; i++) {
        const char text[] = {'x', (char)(i >> 8), (char)(i & 0xFF), 'x'};
        buf_reset(&out);
        assert_int_equal(utf8_clean(&out, text, sizeof(text), 32, 0), 0);
        assert_true(utf8_valid(out.ptr, out.len));
        assert_null(memchr(out.ptr, 0, out.len));
        assert_null(memchr(out.ptr, '\r', out.len));
    }
    buf_clear(&out);
}

static void every_code_point_of_rule_nine_goes(void **state)
{
    (void)state;
    static const int32_t gone[][2] = {{0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x2069},
                                      {0xFEFF, 0xFEFF}, {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x115F, 0x115F},
                                      {0x180E, 0x180E}, {0x061C, 0x061C}, {0x3164, 0x3164}, {0xE0001, 0xE0001},
                                      {0x0001, 0x0008}, {0x000E, 0x001F}, {0x007F, 0x0084}, {0x0086, 0x009F}};
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        for (int32_t cp = gone[i][0]; cp <= gone[i][1]; cp++) {
            assert_true(utf8_is_hidden(cp));
            char text[8] = "a";
            size_t n = 1;
            if (cp < 0x80) {
                text[n++] = (char)cp;
            } else if (cp < 0x800) {
                text[n++] = (char)(0xC0 | cp >> 6);
                text[n++] = (char)(0x80 | (cp & 63));
            } else if (cp < 0x10000) {
                text[n++] = (char)(0xE0 | cp >> 12);
                text[n++] = (char)(0x80 | (cp >> 6 & 63));
                text[n++] = (char)(0x80 | (cp & 63));
            } else {
                text[n++] = (char)(0xF0 | cp >> 18);
                text[n++] = (char)(0x80 | (cp >> 12 & 63));
                text[n++] = (char)(0x80 | (cp >> 6 & 63));
                text[n++] = (char)(0x80 | (cp & 63));
            }
            text[n++] = 'z';
            check_clean(text, n, "az", 0);
        }
    }
}

static void nul_inside_goes(void **state)
{
    (void)state;
    CLEAN("a\0b", "ab");
}

static void irc_codes_go_with_their_colour_digits(void **state)
{
    (void)state;
    CLEAN("\x03"
          "04,05red\x03 end",
          "red end");
    CLEAN("\x03"
          "4red",
          "red");
    CLEAN("\x03"
          "4,red",
          ",red");
    CLEAN("\x03"
          "123",
          "3");
    CLEAN("\x03"
          ",5x",
          ",5x");
    CLEAN("\x04"
          "ff0000,00FF00x",
          "x");
    CLEAN("\x04"
          "ff00x",
          "ff00x");
    CLEAN("\x02"
          "bold\x0F \x1Dit\x1D \x1Fun\x1F \x16rev\x16 \x11mono\x1Estrike",
          "bold it un rev monostrike");
    CLEAN("\x01"
          "ACTION waves\x01",
          "ACTION waves");
}

static void line_ends_become_newlines(void **state)
{
    (void)state;
    CLEAN("a\r\nb\rc\nd\xC2\x85"
          "e\u2028f\u2029g",
          "a\nb\nc\nd\ne\nf\ng");
    CLEAN("a\n\r\nb", "a\n\nb");
    CLEAN("\r\n\n  a \t \r\n\n", "a");
    CLEAN("a  \n  b", "a\n  b");
    CLEAN("\n\n", "");
    LINE("a\r\n\r\nb \t c", "a b c");
    LINE("  a    b  ", "a b");
    LINE("QUIT\r\nPRIVMSG #x :y", "QUIT PRIVMSG #x :y");
}

static void bidi_overrides_go(void **state)
{
    (void)state;
    CLEAN("evil \u202Etxt.exe\u202C \u2066x\u2069", "evil txt.exe x");
}

static void emoji_stay_whole(void **state)
{
    (void)state;
    CLEAN("\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466",
          "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466");
    CLEAN("\U0001F469\U0001F3FD\u200D\U0001F4BB!", "\U0001F469\U0001F3FD\u200D\U0001F4BB!");
    CLEAN("\u2764\uFE0F\u200D\U0001F525", "\u2764\uFE0F\u200D\U0001F525");
    CLEAN("1\uFE0F\u20E3", "1\uFE0F\u20E3");
    CLEAN("\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F",
          "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F");
    CLEAN("\U0001F1EC\U0001F1E7", "\U0001F1EC\U0001F1E7");
}

static void joiners_outside_emoji_and_scripts_go(void **state)
{
    (void)state;
    CLEAN("n\u200Dick\u200Cname", "nickname");
    CLEAN("\U0001F600\u200Dx", "\U0001F600x");
    CLEAN("a\uFE0Fb", "ab");
    CLEAN("a\U000E0067", "a");
    CLEAN("\u200D\U0001F600", "\U0001F600");
    CLEAN("\U0001F600 \u200D\U0001F600", "\U0001F600 \U0001F600");
}

static void joiners_of_persian_and_indic_words_stay(void **state)
{
    (void)state;
    CLEAN("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645", "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645");
    CLEAN("\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937");
    CLEAN("\u0D9A\u0DCA\u200D\u0DBB", "\u0D9A\u0DCA\u200D\u0DBB");
    CLEAN("\u0645\u200C\u200C\u200C\u0645", "\u0645\u200C\u0645");
    CLEAN("\u0645\u200C", "\u0645");
}

static void endless_marks_are_cut_short(void **state)
{
    (void)state;
    struct buf in, out;
    buf_init(&in, 40000);
    buf_init(&out, 40000);
    (void)buf_adds(&in, "Z");
    for (int i = 0; i < 5000; i++) {
        (void)buf_adds(&in, "\u0301");
    }
    (void)buf_adds(&in, "!");
    assert_int_equal(utf8_clean(&out, in.ptr, in.len, 30000, 0), 0);
    assert_int_equal(out.len, 1 + 16 * 2 + 1);
    buf_reset(&in);
    buf_reset(&out);
    for (int i = 0; i < 2000; i++) {
        (void)buf_adds(&in, "\U0001F468\u200D");
    }
    assert_int_equal(utf8_clean(&out, in.ptr, in.len, 30000, 0), 0);
    assert_true(utf8_prefix(out.ptr, out.len, 100) >= 50);
    buf_clear(&in);
    buf_clear(&out);
}

static void cleaning_stops_on_a_grapheme_border(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    const char text[] = "ab\U0001F468\u200D\U0001F469"
                        "cd";
    for (size_t max = 0; max <= sizeof(text); max++) {
        buf_reset(&out);
        assert_int_equal(utf8_clean(&out, text, sizeof(text) - 1, max, 0), 0);
        const size_t want = max >= sizeof(text) - 1 ? sizeof(text) - 1 : max < 2 ? max : max < 13 ? 2 : max;
        assert_int_equal(out.len, want);
    }
    buf_reset(&out);
    assert_int_equal(utf8_clean(&out, "one two", 7, 5, 0), 0);
    assert_string_equal(buf_str(&out), "one t");
    buf_reset(&out);
    assert_int_equal(utf8_clean(&out, "one two", 7, 4, 0), 0);
    assert_string_equal(buf_str(&out), "one");
    buf_clear(&out);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 8);
    (void)buf_adds(&out, "abc");
    assert_int_equal(utf8_clean(&out, "0123456789", 10, 100, 0), HR_ELIMIT);
    assert_string_equal(buf_str(&out), "abc");
    assert_int_equal(out.len, 3);
    buf_clear(&out);
}

static void names_are_folded_and_lose_tricks(void **state)
{
    (void)state;
    NAME("Ben", "Ben");
    NAME("\U0001D401\U0001D41E\U0001D427", "Ben");
    NAME("\uFF22\uFF45\uFF4E", "Ben");
    NAME("\u202Eneb\u202C B\u200Ben", "neb Ben");
    NAME("Ben\r\nQUIT", "Ben QUIT");
    NAME("\x03"
         "04Ben\x03",
         "Ben");
    NAME("", "someone");
    NAME(" \u200B\u3164 ", "someone");
    NAME("\u00C1sa \U0001F600", "\u00C1sa \U0001F600");
}

static void names_lose_endings_of_networks(void **state)
{
    (void)state;
    NAME("Asha on Twitter", "Asha");
    NAME("Asha ON matrix:", "Asha");
    NAME("Asha on Twitter on IRC", "Asha");
    NAME("Asha (@asha) on Twitter", "Asha");
    NAME("Asha (@asha)", "Asha");
    NAME("Asha [@asha:example.org]", "Asha");
    NAME("Asha \U0001D428\U0001D427 \uFF34witter", "Asha");
    NAME("on Twitter", "someone");
    NAME("Anton Matrix", "Anton Matrix");
    NAME("Moon Twitter", "Moon Twitter");
    NAME("Ben (he)", "Ben (he)");
    NAME("Asha on Twitter: I resign. Ben", "Asha on Twitter I resign. Ben");
    NAME("Asha\uFF1A hello", "Asha hello");
    NAME("a:b", "a:b");
    NAME("::", "someone");
}

static void long_names_are_cut_whole(void **state)
{
    (void)state;
    struct buf in, out;
    buf_init(&in, 100000);
    buf_init(&out, 4096);
    for (int i = 0; i < 10000; i++) {
        (void)buf_adds(&in, "e\u0301");
    }
    assert_int_equal(utf8_name(&out, in.ptr, in.len), 0);
    assert_int_equal(utf8_length(out.ptr), 64);
    buf_reset(&out);
    buf_reset(&in);
    for (int i = 0; i < 100; i++) {
        (void)buf_adds(&in, "\U0001F469\u200D\U0001F4BB");
    }
    assert_int_equal(utf8_name(&out, in.ptr, in.len), 0);
    assert_true(out.len <= 200 && out.len % 11 == 0);
    buf_clear(&in);
    buf_clear(&out);
}

static void prefix_ends_on_a_grapheme(void **state)
{
    (void)state;
    const char text[] = "e\u0301\u0301x";
    assert_int_equal(utf8_prefix(text, 6, 6), 6);
    assert_int_equal(utf8_prefix(text, 6, 5), 5);
    assert_int_equal(utf8_prefix(text, 6, 4), 3); /* not even one fits: a code point border */
    assert_int_equal(utf8_prefix(text, 6, 0), 0);
    const char flags[] = "\U0001F1EC\U0001F1E7\U0001F1EB\U0001F1F7";
    assert_int_equal(utf8_prefix(flags, 16, 12), 8);
    assert_int_equal(utf8_prefix("\r\nx", 3, 1), 1);
}

static void validity_and_length(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("\u00E9", 2));
    assert_false(utf8_valid("\u00E9", 1));
    assert_false(utf8_valid("\xC0\x80", 2));
    assert_false(utf8_valid("\xED\xA0\x80", 3));
    assert_int_equal(utf8_length("\u00E9\U0001F600a"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_of_many_scripts_is_untouched),
        cmocka_unit_test(overlong_forms_become_replacements),
        cmocka_unit_test(surrogates_and_too_large_become_replacements),
        cmocka_unit_test(every_pair_of_bytes_gives_valid_text),
        cmocka_unit_test(every_code_point_of_rule_nine_goes),
        cmocka_unit_test(nul_inside_goes),
        cmocka_unit_test(irc_codes_go_with_their_colour_digits),
        cmocka_unit_test(line_ends_become_newlines),
        cmocka_unit_test(bidi_overrides_go),
        cmocka_unit_test(emoji_stay_whole),
        cmocka_unit_test(joiners_outside_emoji_and_scripts_go),
        cmocka_unit_test(joiners_of_persian_and_indic_words_stay),
        cmocka_unit_test(endless_marks_are_cut_short),
        cmocka_unit_test(cleaning_stops_on_a_grapheme_border),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(names_are_folded_and_lose_tricks),
        cmocka_unit_test(names_lose_endings_of_networks),
        cmocka_unit_test(long_names_are_cut_whole),
        cmocka_unit_test(prefix_ends_on_a_grapheme),
        cmocka_unit_test(validity_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
