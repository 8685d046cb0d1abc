/* SPDX-License-Identifier: MIT */
/* Bytes with a ceiling, and the arena beside them. */
#include "arena.h"
#include "buf.h"
#include "status.h"
#include "test.h"

static void ceiling_is_kept_and_a_failed_add_changes_nothing(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 8);
    assert_int_equal(buf_adds(&buf, "12345"), HR_OK);
    assert_int_equal(buf_adds(&buf, "6789"), HR_ELIMIT);
    assert_string_equal(buf_str(&buf), "12345");
    assert_int_equal(buf_add(&buf, "678", 3), HR_OK);
    assert_int_equal(buf_add(&buf, "", 0), HR_OK);
    assert_int_equal(buf_add(&buf, "x", SIZE_MAX), HR_ELIMIT);
    assert_int_equal(buf.len, 8);
    buf_clear(&buf);
}

static void consume_keeps_the_rest(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_int_equal(buf_addf(&buf, "%s-%d", "line", 7), HR_OK);
    buf_consume(&buf, 5);
    assert_string_equal(buf_str(&buf), "7");
    buf_consume(&buf, 1);
    assert_string_equal(buf_str(&buf), "");
    buf_clear(&buf);
}

static void detach_gives_the_memory_away(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_int_equal(buf_adds(&buf, "mine"), HR_OK);
    char *text = buf_detach(&buf);
    assert_string_equal(text, "mine");
    assert_string_equal(buf_str(&buf), "");
    free(text);
    text = buf_detach(&buf);
    assert_string_equal(text, "");
    free(text);
}

static void arena_serves_small_and_large_and_starts_again(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (int round = 0; round < 3; round++) {
        char *small = arena_strdup(&arena, "small");
        unsigned char *large = arena_alloc(&arena, 200000);
        assert_int_equal(large[0] + large[199999], 0);
        large[199999] = 1;
        assert_string_equal(small, "small");
        assert_string_equal(arena_printf(&arena, "%05d", 42), "00042");
        assert_string_equal(arena_strdup(&arena, NULL), "");
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

static void statuses_have_names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(status_name(HR_ELIMIT), "HR_ELIMIT");
    assert_string_equal(status_text(HR_EDENIED), "not allowed");
    assert_string_equal(status_text(-99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ceiling_is_kept_and_a_failed_add_changes_nothing),
        cmocka_unit_test(consume_keeps_the_rest),
        cmocka_unit_test(detach_gives_the_memory_away),
        cmocka_unit_test(arena_serves_small_and_large_and_starts_again),
        cmocka_unit_test(statuses_have_names_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
