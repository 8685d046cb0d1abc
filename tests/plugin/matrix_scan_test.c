/* SPDX-License-Identifier: MIT */
/* The pre-pass finds next_batch and the good events whatever stands beside them. */
#include "matrix_test.h"

#include "../../plugins/matrix/event.h"
#include "../../plugins/matrix/scan.h"

/* ---- a small source of chance, the same in each run ------------------------------------ */

static unsigned dice(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* ---- poison ------------------------------------------------------------------------------- */

static char *nested(size_t depth)
{
    char *text = malloc(depth * 6 + 3);
    char *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < depth; i++) {
        at = (char *)memcpy(at, "{\"a\":", 5) + 5;
    }
    *at++ = '1';
    memset(at, '}', depth);
    at[depth] = '\0';
    return text;
}

static char *huge(void)
{
    size_t len = 600000;
    char *text = malloc(len + 3);
    assert_non_null(text);
    memset(text, 'x', len + 2);
    text[0] = text[len + 1] = '"';
    text[len + 2] = '\0';
    return text;
}

struct poison {
    const char *name;
    char *text;    /* a value inside of a content */
    bool readable; /* jansson takes it: the event counts */
};

static size_t poisons(struct poison *out)
{
    const struct {
        const char *name, *text;
        bool readable;
    } plain[] = {
        {"NUL in a value", "\"a\\u0000b\"", true},
        {"NUL in a key", "{\"a\\u0000b\":1}", false},
        {"integer beyond int64", "9223372036854775808", false},
        {"integer of 100 digits",
         "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111", false},
        {"2^53 + 1", "9007199254740993", true},
        {"float", "1.5", true},
        {"float beyond double", "1e400", false},
        {"lone high surrogate", "\"\\ud800\"", false},
        {"lone low surrogate", "\"\\udc00\"", false},
        {"surrogates turned round", "\"\\udc00\\ud800\"", false},
        {"brackets in a string", "\"}]}{[\\\"]}\"", true},
        {"next_batch in a string", "\"\\\"next_batch\\\":\\\"evil\\\"\"", true},
        {"next_batch deeper", "{\"next_batch\":\"evil\"}", true},
        {"backslashes before a quote", "\"\\\\\\\\\"", true},
        {"invalid UTF-8", "\"\xff\xfe\"", false},
    };
    size_t count = sizeof(plain) / sizeof(plain[0]);
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct poison){plain[i].name, strdup(plain[i].text), plain[i].readable};
    }
    out[count++] = (struct poison){"nested 3000 deep", nested(3000), false};
    out[count++] = (struct poison){"nested 900 deep", nested(900), false};
    out[count++] = (struct poison){"nested 100000 deep", nested(100000), false};
    out[count++] = (struct poison){"600 kB", huge(), false};
    return count;
}

static void poisons_free(struct poison *poison, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(poison[i].text);
    }
}

static char *reply_with(const char *content_value, bool next_last, size_t number)
{
    char *text = NULL;
    const char *next = "\"next_batch\":\"s2\"";
    assert_true(
        asprintf(&text,
                 "{%s%s\"to_device\":{\"events\":[{\"type\":\"m.x\",\"sender\":\"@e:x\",\"content\":{\"v\":%s}}]},"
                 "\"rooms\":{\"join\":{\"" ROOM "\":{\"timeline\":{\"events\":["
                 "{\"type\":\"m.room.message\",\"sender\":\"@e:x\",\"event_id\":\"$bad%zu\",\"content\":"
                 "{\"msgtype\":\"m.text\",\"body\":\"odd\",\"v\":%s}}," TEXT("$good%zu", ASHA, "good") "]}}}}%s%s}",
                 next_last ? "" : next, next_last ? "" : ",", content_value, number, content_value, number,
                 next_last ? "," : "", next_last ? next : "") > 0);
    return text;
}

static void next_batch_is_found_beside_every_poison(void **state)
{
    (void)state;
    struct poison poison[40];
    size_t count = poisons(poison);
    for (size_t i = 0; i < count * 2; i++) {
        char *text = reply_with(poison[i / 2].text, i % 2, i), next[64] = "";
        if (scan_get_string((struct scan){text, strlen(text)}, "next_batch", next, sizeof(next)) != HR_OK ||
            strcmp(next, "s2") != 0) {
            fail_msg("%s: next_batch is \"%s\"", poison[i / 2].name, next);
        }
        free(text);
    }
    poisons_free(poison, count);
}

static void poisoned_events_are_skipped_and_their_neighbours_read(void **state)
{
    (void)state;
    struct poison poison[40];
    size_t count = poisons(poison);
    struct world *world = world_open();
    for (size_t i = 0; i < count; i++) {
        char *text = reply_with(poison[i].text, true, i);
        fake_forget(world->fake);
        reply(world, fake_request(world->fake, "/v3/sync"), 200, text);
        if (fake_request(world->fake, "since=s2") == NULL) {
            fail_msg("%s: reading stopped", poison[i].name);
        }
        bool read = fake_with(world->fake, FAKE_POST, "odd") != NULL;
        if (fake_with(world->fake, FAKE_POST, "good") == NULL || read != poison[i].readable) {
            fail_msg("%s: read %d, wanted %d", poison[i].name, read, poison[i].readable);
        }
        free(text);
    }
    poisons_free(poison, count);
    world_free(world);
}

static void a_flood_of_bad_events_is_logged_in_few_lines(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_forget(world->fake);
    for (int i = 0; i < 200; i++) {
        sync_events(world, EVENT("$bad", ASHA, "{\"a\\u0000b\":1}"));
    }
    size_t lines = 0;
    for (size_t i = 0; i < fake_count(world->fake, FAKE_LOG); i++) {
        lines += strstr(fake_nth(world->fake, FAKE_LOG, i)->text, "can't be read") != NULL;
    }
    assert_in_range(lines, 1, 10);
    world_free(world);
}

static void an_unreadable_neighbour_in_unsigned_does_not_hide_the_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world,
                "{\"type\":\"m.room.message\",\"sender\":\"" ASHA "\",\"event_id\":\"$1\",\"unsigned\":{\"age\":5,"
                "\"m.relations\":{\"m.thread\":{\"latest_event\":{\"content\":{\"a\\u0000\":1e400}}}}},"
                "\"content\":{\"msgtype\":\"m.text\",\"body\":\"still here\"}}");
    assert_string_equal(last_post(world)->text, "still here");
    world_free(world);
}

/* ---- properties ------------------------------------------------------------------------------ */

/* Any JSON jansson can write, cut by the scanner, gives the same members. */
static json_t *any_value(unsigned *seed, int depth)
{
    static const char *const texts[] = {"", "a\"b", "\\", "\\\"", "}{", "\xF0\x9F\x98\x80", "line\nline", "][,:"};
    switch (dice(seed, depth > 0 ? 7 : 5)) {
    case 0: return json_null();
    case 1: return json_true();
    case 2: return json_integer((json_int_t)dice(seed, 1000000) - 500000);
    case 3: return json_real(dice(seed, 1000) / 8.0);
    case 4: return json_string(texts[dice(seed, 8)]);
    case 5: {
        json_t *array = json_array();
        for (unsigned i = dice(seed, 5); i > 0; i--) {
            json_array_append_new(array, any_value(seed, depth - 1));
        }
        return array;
    }
    default: {
        json_t *object = json_object();
        for (unsigned i = dice(seed, 5); i > 0; i--) {
            char key[16];
            snprintf(key, sizeof(key), "%s%u", texts[dice(seed, 8)], i);
            json_object_set_new(object, key, any_value(seed, depth - 1));
        }
        return object;
    }
    }
}

static int on_member(void *arg, const char *key, struct scan value)
{
    json_t **left = arg;
    char err[120];
    json_t *read = scan_load(value, err, sizeof(err));
    assert_non_null(read);
    assert_true(json_equal(read, json_object_get(*left, key)));
    assert_int_equal(json_object_del(*left, key), 0);
    json_decref(read);
    return HR_OK;
}

static void cutting_gives_what_a_parser_gives(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 3000; round++) {
        json_t *object = json_object();
        for (unsigned i = dice(&seed, 6); i > 0; i--) {
            char key[16];
            snprintf(key, sizeof(key), "k%u", i);
            json_object_set_new(object, key, any_value(&seed, 4));
        }
        char *text = json_dumps(object, round % 2 ? JSON_INDENT(2) : JSON_COMPACT | JSON_ENSURE_ASCII);
        assert_int_equal(scan_object((struct scan){text, strlen(text)}, on_member, &object), HR_OK);
        assert_int_equal(json_object_size(object), 0);
        free(text);
        json_decref(object);
    }
}

static int on_nothing(void *arg, const char *key, struct scan value)
{
    (void)key;
    const struct scan *all = arg;
    assert_true(value.at >= all->at && value.at + value.len <= all->at + all->len);
    return HR_OK;
}

static int on_item(void *arg, struct scan value)
{
    return on_nothing(arg, "", value);
}

/* Broken replies: whatever a byte is changed into, the walk ends and stays inside. */
static void changed_and_cut_replies_stay_within_bounds(void **state)
{
    (void)state;
    static const char odd[] = "\"\\{}[],:0x\0 \n";
    unsigned seed = 11;
    char *text = reply_with("{\"k\":[1,\"\\u00e4\\ud83d\\ude00\",{\"d\":null}]}", true, 1);
    size_t len = strlen(text);
    for (int round = 0; round < 20000; round++) {
        size_t cut = dice(&seed, (unsigned)len) + 1;
        char *copy = malloc(cut), out[32];
        struct event event;
        char err[120];
        assert_non_null(copy);
        memcpy(copy, text, cut);
        for (unsigned i = dice(&seed, 4); i > 0; i--) {
            copy[dice(&seed, (unsigned)cut)] = odd[dice(&seed, sizeof(odd) - 1)];
        }
        struct scan all = {copy, cut};
        (void)scan_object(all, on_nothing, &all);
        (void)scan_array(all, on_item, &all);
        (void)scan_string(all, out, sizeof(out));
        (void)scan_depth(all);
        (void)event_read(&event, all, err, sizeof(err));
        event_clear(&event);
        free(copy);
    }
    free(text);
}

static void strings_lose_their_escapes(void **state)
{
    (void)state;
    const struct {
        const char *json, *text;
        int rc;
    } table[] = {
        {"\"plain\"", "plain", HR_OK},
        {"\"\\u0041\\n\\t\\/\\\\\\\"\"", "A\n\t/\\\"", HR_OK},
        {"\"\\u00e4\\u20ac\\ud83d\\ude00\"", "ä€😀", HR_OK},
        {"\"\\u0000\"", NULL, HR_EINVAL},
        {"\"\\ud83d\"", NULL, HR_EINVAL},
        {"\"\\ud83dx\"", NULL, HR_EINVAL},
        {"\"\\x\"", NULL, HR_EINVAL},
        {"12", NULL, HR_EINVAL},
        {"\"", NULL, HR_EINVAL},
        {"\"0123456789abcdef\"", NULL, HR_ELIMIT},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char out[16];
        assert_int_equal(scan_string((struct scan){table[i].json, strlen(table[i].json)}, out, sizeof(out)),
                         table[i].rc);
        if (table[i].rc == HR_OK) {
            assert_string_equal(out, table[i].text);
        }
    }
}

static void numbers_out_of_range_are_none(void **state)
{
    (void)state;
    const struct {
        const char *json;
        long long number;
    } table[] = {
        {"0", 0},
        {"-5", -5},
        {"9007199254740992", 9007199254740992LL},
        {"9007199254740993", -1},
        {"1.5", -1},
        {"99999999999999999999", -1},
        {"-", -1},
        {"\"1\"", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(scan_number((struct scan){table[i].json, strlen(table[i].json)}, -1), table[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_batch_is_found_beside_every_poison),
        cmocka_unit_test(poisoned_events_are_skipped_and_their_neighbours_read),
        cmocka_unit_test(a_flood_of_bad_events_is_logged_in_few_lines),
        cmocka_unit_test(an_unreadable_neighbour_in_unsigned_does_not_hide_the_event),
        cmocka_unit_test(cutting_gives_what_a_parser_gives),
        cmocka_unit_test(changed_and_cut_replies_stay_within_bounds),
        cmocka_unit_test(strings_lose_their_escapes),
        cmocka_unit_test(numbers_out_of_range_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
