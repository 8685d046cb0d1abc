/* SPDX-License-Identifier: MIT */
/* Words to lines: where they are cut, and how they begin. */
#include "../../plugins/irc/render.h"
#include "../../plugins/irc/split.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <utf8proc.h>

/* ---- cutting -------------------------------------------------------------------- */

static size_t first(const char *text, size_t max, size_t *next)
{
    return split_line(text, strlen(text), max, next);
}

static void split_prefers_the_end_of_a_sentence(void **state)
{
    (void)state;
    size_t next;
    const char *text = "One sentence here. Another one that is longer follows";
    assert_int_equal(first(text, 40, &next), strlen("One sentence here."));
    assert_string_equal(text + next, "Another one that is longer follows");
}

static void split_takes_a_space_where_no_sentence_ends(void **state)
{
    (void)state;
    size_t next;
    const char *text = "A. one two three four five six seven";
    assert_int_equal(first(text, 20, &next), strlen("A. one two three"));
    assert_string_equal(text + next, "four five six seven");
}

static void split_keeps_an_address_whole(void **state)
{
    (void)state;
    size_t next;
    const char *text = "read this: https://example.org/a.very/long?path=1&x=2.3 now";
    assert_int_equal(first(text, 46, &next), strlen("read this:"));
    assert_int_equal(strncmp(text + next, "https://", 8), 0);
    assert_int_equal(first(text + next, 46, &next), strlen("https://example.org/a.very/long?path=1&x=2.3"));
}

static void split_cuts_a_word_only_if_no_line_holds_it(void **state)
{
    (void)state;
    size_t next;
    const char *text = "Ben on Twitter: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_int_equal(first(text, 40, &next), 40);
    assert_int_equal(next, 40);
}

static void split_keeps_emoji_whole(void **state)
{
    (void)state;
    /* A family of four, joined, 25 bytes; twice. */
    const char *family =
        "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6"
        "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D\xF0\x9F\x91\xA6";
    size_t next, half = strlen(family) / 2;
    assert_int_equal(first(family, half + 5, &next), half);
}

static uint32_t seed;

static uint32_t number(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static size_t random_text(char *out, size_t size)
{
    static const char *const pieces[] = {
        "a",
        "word",
        "longer-word",
        " ",
        " ",
        " ",
        ". ",
        "! ",
        "? ",
        ", ",
        "e\xCC\x81",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "\xF0\x9F\x87\xAC\xF0\x9F\x87\xA7",
        "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD",
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
        "\xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7",
        "\xEA\xB0\x80",
        "\xE1\x84\x80\xE1\x85\xA1",
        " https://example.org/a.b?c=d#e ",
        " https://xn--80ak6aa92e.com/\xD0\xBF ",
        "\xCC\x81",
    };
    size_t len = 0, count = 1 + number(200);
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[number(sizeof pieces / sizeof *pieces)];
        if (len + strlen(piece) + 1 > size) {
            break;
        }
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    while (len && out[len - 1] == ' ') {
        len--;
    }
    out[len] = '\0';
    return len;
}

static bool grapheme_border(const char *text, size_t at, size_t len)
{
    utf8proc_int32_t last = -1, next, mode = 0;
    for (size_t i = 0; i < len;) {
        size_t step = (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(len - i), &next);
        bool border = last < 0 || utf8proc_grapheme_break_stateful(last, next, &mode);
        if (i == at) {
            return border;
        }
        last = next;
        i += step;
    }
    return true;
}

/* A space under an accent ends no word. */
static bool is_space(const char *text, size_t at)
{
    return text[at] == ' ' && strncmp(text + at + 1, "\xCC\x81", 2) != 0;
}

/* The word that a cut at `at` would go through, 0 if it goes between words. */
static size_t word_around(const char *text, size_t at, size_t len)
{
    size_t from = at, to = at;
    while (from > 0 && !is_space(text, from - 1)) {
        from--;
    }
    while (to < len && !is_space(text, to)) {
        to++;
    }
    return from < at && to > at ? to - from : 0;
}

static void split_joins_back_and_cuts_nothing_it_could_keep(void **state)
{
    (void)state;
    static char text[8192];
    for (seed = 1; seed < 4000000; seed += 1999) {
        uint32_t start = seed;
        size_t len = random_text(text, sizeof text), max = 40 + number(311), at = 0;
        while (at < len) {
            size_t next, end = split_line(text + at, len - at, max, &next);
            assert_true(end > 0 && end <= max && next >= end && next <= len - at);
            for (size_t i = end; i < next; i++) {
                assert_int_equal(text[at + i], ' '); /* nothing but spaces is left out */
            }
            assert_true(next == len - at || grapheme_border(text + at, end, len - at));
            assert_true(next == len - at || next != end || word_around(text, at + end, len) > max);
            at += next;
        }
        seed = start;
    }
}

static void split_survives_bytes_that_are_no_text(void **state)
{
    (void)state;
    char bytes[600];
    for (seed = 1; seed < 200000; seed += 997) {
        uint32_t start = seed;
        size_t len = 1 + number(sizeof bytes), at = 0;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)(1 + number(255));
        }
        while (at < len) {
            size_t next, end = split_line(bytes + at, len - at, 50, &next);
            assert_true(end > 0 && end <= 50 && next >= end && next <= len - at);
            at += next;
        }
        seed = start;
    }
}

/* ---- rendering --------------------------------------------------------------------- */

struct got {
    struct hr_parts parts;
    char line[80][512];
    size_t count;
};

static void add(struct hr_parts *parts, const void *body, size_t len)
{
    struct got *got = (struct got *)parts;
    assert_true(got->count < 80 && len < 512 && len > 0);
    memcpy(got->line[got->count], body, len);
    got->line[got->count++][len] = '\0';
}

static struct got rendered(struct hr_delivery delivery)
{
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    struct got got = {.parts = {.add = add}};
    char err[200] = "";
    delivery.size = sizeof delivery;
    delivery.room = &room;
    delivery.lead = delivery.lead ? delivery.lead : "";
    delivery.reply_name = delivery.reply_name ? delivery.reply_name : "";
    delivery.reply_remote = delivery.reply_remote ? delivery.reply_remote : "";
    delivery.reply_text = delivery.lead_url = "";
    assert_int_equal(render_within(RENDER_LINE_BYTES, &delivery, &got.parts, err, sizeof err), 0);
    return got;
}

static void a_line_begins_with_who_speaks(void **state)
{
    (void)state;
    struct got got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Twitter", .text = "hello"});
    assert_int_equal(got.count, 1);
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Ben on Twitter: hello");
    got =
        rendered((struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Matrix", .reply_name = "Asha", .text = "yes"});
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Ben on Matrix, replying to Asha: yes");
    got = rendered(
        (struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Matrix", .msg_flags = HR_MSG_EMOTE, .text = "waves"});
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Ben on Matrix (action): waves");
    got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .text = "Question 1 of 4."});
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Question 1 of 4.");
}

static void an_edit_is_a_correction(void **state)
{
    (void)state;
    struct got got = rendered(
        (struct hr_delivery){.act = HR_ACT_EDIT, .lead = "Ben on Matrix", .reply_name = "Asha", .text = "hello, all"});
    assert_int_equal(got.count, 1);
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Correction: Ben on Matrix: hello, all");
}

static void a_removal_is_said_only_while_people_may_answer_it(void **state)
{
    (void)state;
    struct hr_delivery delivery = {.act = HR_ACT_REMOVE, .lead = "Ben on Twitter", .text = "", .age_ms = 299999};
    struct got got = rendered(delivery);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :A message from Ben on Twitter was removed.");
    delivery.age_ms = 300000;
    got = rendered(delivery);
    assert_int_equal(got.count, 0);
}

static void each_line_of_a_text_is_a_line_and_the_first_has_the_name(void **state)
{
    (void)state;
    struct got got =
        rendered((struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Matrix", .text = "one\n\ntwo \nthree"});
    assert_int_equal(got.count, 3);
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :Ben on Matrix: one");
    assert_string_equal(got.line[1], "PRIVMSG #dpulo :two");
    assert_string_equal(got.line[2], "PRIVMSG #dpulo :three");
}

static void nothing_in_a_text_can_end_the_line(void **state)
{
    (void)state;
    struct got got = rendered((struct hr_delivery){
        .act = HR_ACT_SAY, .lead = "Ben\r\nQUIT on X", .text = "\1ACTION x\1\rQUIT :x\n\2bold\x1f\x7f"});
    for (size_t i = 0; i < got.count; i++) {
        for (const char *c = got.line[i]; *c; c++) {
            assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
        }
        assert_int_equal(strncmp(got.line[i], "PRIVMSG #dpulo :", 16), 0);
    }
    got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .text = "\1VERSION\1"});
    assert_string_equal(got.line[0], "PRIVMSG #dpulo :VERSION");
}

static void a_long_text_keeps_the_limit_and_has_no_numbers(void **state)
{
    (void)state;
    char text[2000];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = i % 7 == 6 ? ' ' : 'w';
    }
    text[sizeof text - 1] = '\0';
    struct got got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Matrix", .text = text});
    assert_true(got.count > 5 && got.count < 8);
    for (size_t i = 0; i < got.count; i++) {
        assert_true(strlen(got.line[i]) <= 16 + RENDER_LINE_BYTES);
        assert_null(strchr(got.line[i], '/'));
    }
}

static void a_flood_from_elsewhere_is_cut_aloud(void **state)
{
    (void)state;
    char text[40 * 4 + 1] = "";
    for (size_t i = 0; i < 40; i++) {
        (void)snprintf(text + i * 4, 5, "n%02zu\n", i);
    }
    struct got got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .lead = "Ben on Matrix", .text = text});
    assert_int_equal(got.count, 12);
    assert_string_equal(got.line[10], "PRIVMSG #dpulo :n10");
    assert_non_null(strstr(got.line[11], "The rest of this message is left out"));
    got = rendered((struct hr_delivery){.act = HR_ACT_SAY, .text = text});
    assert_int_equal(got.count, 40);
}

static void an_answer_carries_the_id_of_what_it_answers_once(void **state)
{
    (void)state;
    struct hr_delivery delivery = {
        .act = HR_ACT_SAY, .lead = "Ben on Matrix", .reply_name = "Asha", .reply_remote = "abc;1", .text = "yes\nI do"};
    struct got got = rendered(delivery);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.line[0], "@+draft/reply=abc\\:1;+reply=abc\\:1 PRIVMSG #dpulo :Ben on Matrix, replying to "
                                     "Asha: yes");
    assert_string_equal(got.line[1], "PRIVMSG #dpulo :I do");
    assert_string_equal(render_line(got.line[0]), "PRIVMSG #dpulo :Ben on Matrix, replying to Asha: yes");
    delivery.reply_remote = "not an id"; /* of IRC */
    assert_int_equal(strncmp(rendered(delivery).line[0], "PRIVMSG ", 8), 0);
    delivery.reply_remote = "abc";
    delivery.act = HR_ACT_EDIT;
    assert_int_equal(strncmp(rendered(delivery).line[0], "PRIVMSG ", 8), 0);
}

static void the_line_leaves_room_for_what_the_server_puts_in_front(void **state)
{
    (void)state;
    assert_int_equal(render_room(16, 10, 63, 50), 350);
    assert_true(render_room(30, 10, 63, 50) + 1 + 30 + 1 + 10 + 1 + 63 + 1 + 8 + 50 + 2 + 2 <= 512);
    assert_true(render_room(100, 100, 200, 50) >= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_prefers_the_end_of_a_sentence),
        cmocka_unit_test(split_takes_a_space_where_no_sentence_ends),
        cmocka_unit_test(split_keeps_an_address_whole),
        cmocka_unit_test(split_cuts_a_word_only_if_no_line_holds_it),
        cmocka_unit_test(split_keeps_emoji_whole),
        cmocka_unit_test(split_joins_back_and_cuts_nothing_it_could_keep),
        cmocka_unit_test(split_survives_bytes_that_are_no_text),
        cmocka_unit_test(a_line_begins_with_who_speaks),
        cmocka_unit_test(an_edit_is_a_correction),
        cmocka_unit_test(a_removal_is_said_only_while_people_may_answer_it),
        cmocka_unit_test(each_line_of_a_text_is_a_line_and_the_first_has_the_name),
        cmocka_unit_test(nothing_in_a_text_can_end_the_line),
        cmocka_unit_test(a_long_text_keeps_the_limit_and_has_no_numbers),
        cmocka_unit_test(a_flood_from_elsewhere_is_cut_aloud),
        cmocka_unit_test(an_answer_carries_the_id_of_what_it_answers_once),
        cmocka_unit_test(the_line_leaves_room_for_what_the_server_puts_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
