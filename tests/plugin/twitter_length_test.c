/* SPDX-License-Identifier: MIT */
/* The length of a post as X counts it, and what we refuse to post. */
#include "../../plugins/twitter/length.h"
#include "../../plugins/twitter/say.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void vectors_of_the_reference_count_alike(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int length;
    } table[] = {
        {"caf\xC3\xA9", 4},
        {"cafe\xCC\x81", 4},
        {"日本語", 6},
        {"👨‍👩‍👧‍👦", 2},
        {"🙋🏽", 2},
        {"🇬🇧", 2},
        {"1️⃣ Q1", 5},
        {"Привет", 6},
        {"हिन्दी", 6},
        {"ไทย", 3},
        {"العربية", 7},
        {"…", 2},
        {"→", 2},
        {"™", 2},
        {"©", 1},
        {"€5", 3},
        {"• bullet", 9},
        {"https://example.com/very/long/path?x=1 ok", 26},
        {"example.com", 23},
        {"foo.bar", 23},
        {"t.co/abc", 23},
        {"日本語https://example.com/x", 29},
        {"mail me@example.com", 19},
        {"https://localhost:8080/x", 24},
        {"https://example.test/x", 22},
        {"https://münchen.de/x", 23},
        {"\xE2\x80\x8B", 1},
        {"", 0},
        {"❤️", 2},
        {"🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2},
        {"🇬", 2},
        {"#️⃣", 2},
        {"👍🏽👍", 4},
        {"Ask the N.H.S. or e.g. a nurse, i.e. now", 40},
        {"Node.js and v1.2", 16},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        int length = length_weighted(table[i].text);
        if (length != table[i].length) {
            fail_msg("\"%s\" is %d, expected %d", table[i].text, length, table[i].length);
        }
    }
}

static void refused_characters_make_a_text_invalid(void **state)
{
    (void)state;
    assert_int_equal(length_weighted("a\xEF\xBF\xBE"), -1); /* U+FFFE */
    assert_int_equal(length_weighted("\xEF\xBB\xBF"), -1);  /* U+FEFF */
    assert_int_equal(length_weighted("\xFF"), -1);
}

static void a_missing_space_is_seen_as_an_address(void **state)
{
    (void)state;
    struct length_url url;
    assert_true(length_find_url("I like it.So do I", 0, &url));
    assert_int_equal(url.start, 7);
    assert_int_equal(url.end, 12);
    assert_true(length_find_url("(see example.org/a_(b).)", 0, &url));
    assert_int_equal(url.start, 5);
    assert_false(length_find_url("8.30pm, 3.5 stars... ok", 0, &url));
}

struct collect {
    struct hr_parts parts;
    int count;
    char body[4096];
};

static void collect_add(struct hr_parts *parts, const void *body, size_t len)
{
    struct collect *collect = (struct collect *)parts;
    collect->count++;
    snprintf(collect->body, sizeof(collect->body), "%.*s", (int)len, (const char *)body);
}

static const struct hr_room room = {
    .id = 1, .network = "x", .address = "#DPULO", .service = "Twitter", .chat = "dpulo"};

static int render(struct collect *collect, struct hr_delivery delivery, char *err, size_t err_size)
{
    *collect = (struct collect){.parts.add = collect_add};
    delivery.size = sizeof(delivery);
    delivery.room = &room;
    delivery.lead = delivery.lead != NULL ? delivery.lead : "";
    delivery.thread_remote = delivery.thread_remote != NULL ? delivery.thread_remote : "";
    const struct hr_delivery *one = &delivery;
    return say_render(NULL, &one, 1, &collect->parts, err, err_size);
}

static void the_tag_is_added_once(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "";
    assert_int_equal(render(&c, (struct hr_delivery){.text = "Question 1. Why?"}, err, sizeof(err)), HR_OK);
    assert_string_equal(c.body, "{\"text\":\"Question 1. Why? #DPULO\"}");
    assert_int_equal(render(&c, (struct hr_delivery){.text = "Welcome to #dpulo, all!"}, err, sizeof(err)), HR_OK);
    assert_string_equal(c.body, "{\"text\":\"Welcome to #dpulo, all!\"}");
    assert_int_equal(render(&c, (struct hr_delivery){.text = "#dpulox"}, err, sizeof(err)), HR_OK);
    assert_string_equal(c.body, "{\"text\":\"#dpulox #DPULO\"}");
}

static void a_thread_hangs_under_our_own_post(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "";
    struct hr_delivery delivery = {
        .text = "Two minutes left.", .say_flags = HR_SAY_THREAD, .thread_remote = "2105009737002090497"};
    assert_int_equal(render(&c, delivery, err, sizeof(err)), HR_OK);
    char *reply = say_reply_to(c.body), *text = say_text(c.body);
    assert_string_equal(reply, "2105009737002090497");
    assert_string_equal(text, "Two minutes left. #DPULO");
    free(reply);
    free(text);
}

static void too_long_is_refused_with_the_surplus(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "", text[400];
    memset(text, 'a', sizeof(text));
    text[273] = '\0'; /* with " #DPULO" exactly 280 */
    assert_int_equal(render(&c, (struct hr_delivery){.text = text}, err, sizeof(err)), HR_OK);
    assert_int_equal(c.count, 1);
    text[273] = 'a';
    text[276] = '\0';
    assert_int_equal(render(&c, (struct hr_delivery){.text = text}, err, sizeof(err)), HR_EINVAL);
    assert_int_equal(c.count, 0);
    assert_non_null(strstr(err, "too long for Twitter by 3 characters"));
    char *book = malloc(20001);
    assert_non_null(book);
    memset(book, 'a', 20000);
    book[20000] = '\0';
    assert_int_equal(render(&c, (struct hr_delivery){.text = book}, err, sizeof(err)), HR_EINVAL);
    assert_int_equal(c.count, 0); /* not the tag alone */
    free(book);
}

static void links_are_refused_with_the_reason(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "";
    assert_int_equal(render(&c, (struct hr_delivery){.text = "See https://example.org/x for more"}, err, sizeof(err)),
                     HR_EINVAL);
    assert_non_null(strstr(err, "\"https://example.org/x\" looks like a web address"));
    assert_int_equal(render(&c, (struct hr_delivery){.text = "I like it.So do I"}, err, sizeof(err)), HR_EINVAL);
    assert_int_equal(c.count, 0);
}

static void only_the_bots_own_words_are_posted(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "";
    assert_int_equal(render(&c, (struct hr_delivery){.text = "hello", .lead = "Ben on IRC"}, err, sizeof(err)), HR_OK);
    assert_int_equal(c.count, 0);
    assert_int_equal(render(&c, (struct hr_delivery){.act = HR_ACT_EDIT, .text = "hello"}, err, sizeof(err)), HR_OK);
    assert_int_equal(c.count, 0);
}

static void a_post_is_taken_back_by_its_id(void **state)
{
    (void)state;
    struct collect c;
    char err[256] = "";
    const char *target[] = {"2105009737002090497"};
    struct hr_delivery delivery = {.act = HR_ACT_REMOVE, .text = "", .target = target, .target_count = 1};
    assert_int_equal(render(&c, delivery, err, sizeof(err)), HR_OK);
    assert_string_equal(c.body, "2105009737002090497");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_reference_count_alike),
        cmocka_unit_test(refused_characters_make_a_text_invalid),
        cmocka_unit_test(a_missing_space_is_seen_as_an_address),
        cmocka_unit_test(the_tag_is_added_once),
        cmocka_unit_test(a_thread_hangs_under_our_own_post),
        cmocka_unit_test(too_long_is_refused_with_the_surplus),
        cmocka_unit_test(links_are_refused_with_the_reason),
        cmocka_unit_test(only_the_bots_own_words_are_posted),
        cmocka_unit_test(a_post_is_taken_back_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
