/* SPDX-License-Identifier: MIT */
/* X's post objects, in both dialects, become the words that rooms see. */
#include "../../plugins/twitter/post.h"
#include "../../plugins/twitter/snowflake.h"
#include "../../plugins/twitter/tag.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct sample {
    json_t *json;
    struct post post;
};

/* {"data": {...}, "includes": {...}} or the data alone. */
static struct sample sample(const char *text)
{
    json_error_t error;
    struct sample sample = {.json = json_loads(text, 0, &error)};
    if (sample.json == NULL) {
        fail_msg("line %d: %s", error.line, error.text);
    }
    const json_t *data = json_object_get(sample.json, "data");
    post_read(&sample.post, data != NULL ? data : sample.json, json_object_get(sample.json, "includes"));
    return sample;
}

static void done(struct sample *sample)
{
    post_clear(&sample->post);
    json_decref(sample->json);
}

#define TEXT(sample) ((sample).post.wording.text)

static void plain_post_is_decoded_once(void **state)
{
    (void)state;
    struct sample s = sample("{\"id\":\"2105009737002090497\",\"text\":\"Q1 &amp;amp; tea \\u2615 &lt;b&gt; #dpulo\","
                             "\"author_id\":\"9001\",\"created_at\":\"2026-09-29T19:00:05.250Z\","
                             "\"edit_history_tweet_ids\":[\"2105009737002090497\"]}");
    assert_int_equal(s.post.kind, POST_SHOW);
    assert_string_equal(TEXT(s), "Q1 &amp; tea \xE2\x98\x95 <b> #dpulo");
    assert_string_equal(s.post.key, "2105009737002090497");
    assert_string_equal(s.post.url, "https://x.com/i/status/2105009737002090497");
    assert_int_equal(s.post.time_ms, 1790708405250);
    assert_int_equal(s.post.flags, 0);
    done(&s);
}

static void author_comes_from_includes(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"data\":{\"id\":\"11\",\"text\":\"hello\",\"author_id\":\"9002\"},\"includes\":{\"users\":["
               "{\"id\":\"9001\",\"username\":\"other\",\"name\":\"Other\"},"
               "{\"id\":\"9002\",\"username\":\"ben_w\",\"name\":\"Ben W.\"}]}}");
    assert_string_equal(s.post.name, "Ben W.");
    assert_string_equal(s.post.handle, "ben_w");
    assert_string_equal(s.post.author_id, "9002");
    assert_string_equal(s.post.url, "https://x.com/ben_w/status/11");
    struct hr_post out = post_for_room(&s.post, "#dpulo");
    assert_string_equal(out.author.id, "9002");
    assert_string_equal(out.author.account, "");
    assert_string_equal(out.room, "#dpulo");
    done(&s);
}

static void a_post_without_its_author_is_not_lost(void **state)
{
    (void)state;
    struct sample s = sample("{\"data\":{\"id\":\"11\",\"text\":\"hello\"}}");
    struct hr_post out = post_for_room(&s.post, "#dpulo");
    assert_string_equal(out.author.id, "unknown");
    assert_string_equal(out.author.name, "Somebody");
    done(&s);
}

static void links_are_unwound_and_keep_their_title(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"id\":\"12\",\"text\":\"A2 my list: https://t.co/AbCdEf1234 #dpulo\",\"entities\":{\"urls\":[{"
               "\"start\":12,\"end\":35,\"url\":\"https://t.co/AbCdEf1234\","
               "\"expanded_url\":\"https://books.example/my?utm_source=x\","
               "\"unwound_url\":\"https://books.example/my\",\"title\":\"My &amp; your list\"}]}}");
    assert_string_equal(TEXT(s), "A2 my list: https://books.example/my #dpulo");
    assert_int_equal(s.post.wording.link_count, 1);
    assert_string_equal(s.post.wording.links[0].url, "https://books.example/my");
    assert_string_equal(s.post.wording.links[0].title, "My & your list");
    done(&s);
}

static void offsets_count_code_points_of_escaped_text(void **state)
{
    (void)state;
    /* a family emoji is 7 code points, &amp; is 5: UTF-16 or decoded counting would miss both links */
    struct sample s = sample(
        "{\"id\":\"13\",\"text\":\"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D"
        "\xF0\x9F\x91\xA6 &amp; https://t.co/aaaaaaaaaa &lt; https://t.co/aaaaaaaaaa\",\"entities\":{\"urls\":["
        "{\"start\":43,\"end\":66,\"url\":\"https://t.co/aaaaaaaaaa\",\"expanded_url\":\"https://b.example/\"},"
        "{\"start\":14,\"end\":37,\"url\":\"https://t.co/aaaaaaaaaa\",\"expanded_url\":\"https://a.example/\"}]}}");
    assert_string_equal(TEXT(s), "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7\xE2\x80\x8D"
                                 "\xF0\x9F\x91\xA6 & https://a.example/ < https://b.example/");
    done(&s);
}

static void wrong_offsets_are_not_believed(void **state)
{
    (void)state;
    struct sample s = sample(
        "{\"id\":\"14\",\"text\":\"see https://t.co/bbbbbbbbbb ok\",\"entities\":{\"urls\":["
        "{\"start\":1,\"end\":20,\"url\":\"https://t.co/bbbbbbbbbb\",\"expanded_url\":\"https://b.example/x\"},"
        "{\"start\":-5,\"end\":99999999,\"url\":\"https://t.co/nowhere000\",\"expanded_url\":\"https://c.example/\"},"
        "{\"start\":\"x\",\"url\":7},[],null]}}");
    assert_string_equal(TEXT(s), "see https://b.example/x ok");
    done(&s);
}

static void a_link_that_is_no_web_address_stays_short(void **state)
{
    (void)state;
    struct sample s = sample(
        "{\"id\":\"15\",\"text\":\"see https://t.co/bbbbbbbbbb\",\"entities\":{\"urls\":["
        "{\"start\":4,\"end\":27,\"url\":\"https://t.co/bbbbbbbbbb\",\"expanded_url\":\"javascript:alert(1)\"}]}}");
    assert_string_equal(TEXT(s), "see https://t.co/bbbbbbbbbb");
    done(&s);
}

static void pictures_are_said_in_words(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"data\":{\"id\":\"16\",\"text\":\"A1 this one #dpulo https://t.co/PhOtO12345\",\"author_id\":\"9\","
               "\"attachments\":{\"media_keys\":[\"3_1\",\"3_2\",\"16_3\",\"13_4\"]},\"entities\":{\"urls\":["
               "{\"start\":19,\"end\":42,\"url\":\"https://t.co/PhOtO12345\",\"expanded_url\":\"https://x.com/lee/"
               "status/16/photo/1\",\"media_key\":\"3_1\"},"
               "{\"start\":19,\"end\":42,\"url\":\"https://t.co/PhOtO12345\",\"expanded_url\":\"https://x.com/lee/"
               "status/16/photo/1\",\"media_key\":\"3_2\"}]}},"
               "\"includes\":{\"media\":[{\"media_key\":\"3_2\",\"type\":\"photo\"},"
               "{\"media_key\":\"3_1\",\"type\":\"photo\",\"alt_text\":\"Three books\\non a table\"},"
               "{\"media_key\":\"16_3\",\"type\":\"animated_gif\",\"alt_text\":\"a wave\"}]}}");
    assert_string_equal(TEXT(s), "A1 this one #dpulo (Image: Three books on a table) (Image with no description.) "
                                 "(Moving image: a wave) (Video with no description.)");
    assert_int_equal(s.post.wording.link_count, 0);
    done(&s);
}

static void a_picture_without_words_is_still_a_post(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"id\":\"17\",\"text\":\"https://t.co/PhOtO12345\",\"entities\":{\"urls\":[{\"start\":0,\"end\":23,"
               "\"url\":\"https://t.co/PhOtO12345\",\"expanded_url\":\"https://x.com/lee/status/17/video/1\"}]}}");
    assert_string_equal(TEXT(s), "(Video with no description.)");
    done(&s);
}

static void reply_loses_the_names_x_put_in_front(void **state)
{
    (void)state;
    struct sample s = sample(
        "{\"id\":\"18\",\"text\":\"@dpulochat @ana A1. @bo Short stories #dpulo\",\"in_reply_to_user_id\":\"77\","
        "\"referenced_tweets\":[{\"type\":\"replied_to\",\"id\":\"10\"}],\"display_text_range\":[16,44],"
        "\"entities\":{\"mentions\":[{\"start\":0,\"end\":10,\"username\":\"dpulochat\",\"id\":\"77\"}]}}");
    assert_string_equal(TEXT(s), "A1. @bo Short stories #dpulo");
    assert_string_equal(s.post.reply_to, "10");
    assert_string_equal(s.post.reply_name, "dpulochat");
    done(&s);
}

static void range_that_would_cut_words_is_not_believed(void **state)
{
    (void)state;
    struct sample s = sample("{\"id\":\"19\",\"text\":\"Short stories #dpulo\",\"display_text_range\":[6,20]}");
    assert_string_equal(TEXT(s), "Short stories #dpulo");
    done(&s);
}

static void quote_ends_with_the_quoted_post(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"id\":\"20\",\"text\":\"This. https://t.co/QuOtE12345\",\"referenced_tweets\":[{\"type\":\"quoted\","
               "\"id\":\"2105009737002090498\"}],\"entities\":{\"urls\":[{\"start\":6,\"end\":29,\"url\":\"https://"
               "t.co/QuOtE12345\","
               "\"expanded_url\":\"https://x.com/ana_reads/status/2105009737002090498\"}]}}");
    assert_string_equal(TEXT(s), "This. https://x.com/ana_reads/status/2105009737002090498");
    assert_int_equal(s.post.wording.link_count, 0);
    done(&s);
    s = sample("{\"id\":\"21\",\"text\":\"This.\",\"referenced_posts\":[{\"type\":\"quoted\",\"id\":"
               "\"2105009737002090498\"}]}");
    assert_string_equal(TEXT(s), "This. https://x.com/i/status/2105009737002090498");
    done(&s);
}

static void long_form_is_preferred_in_both_dialects(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"id\":\"22\",\"text\":\"A3. Reading aloud \xE2\x80\xA6 https://t.co/LoNgPoSt12\",\"note_tweet\":"
               "{\"text\":\"A3. Reading aloud, in full &amp; at length "
               "#dpulo\",\"entities\":{\"hashtags\":[{\"tag\":\"dpulo\"}]}}}");
    assert_string_equal(TEXT(s), "A3. Reading aloud, in full & at length #dpulo");
    assert_true(tag_in_post(s.json, "#DPULO"));
    done(&s);
    s = sample("{\"id\":\"23\",\"text\":\"short\",\"note_post\":{\"text\":\"long\"},\"note_tweet\":null}");
    assert_string_equal(TEXT(s), "long");
    done(&s);
}

static void edits_share_the_key_of_the_first_version(void **state)
{
    (void)state;
    struct sample s =
        sample("{\"id\":\"2105011527918977032\",\"text\":\"A2.\",\"edit_history_tweet_ids\":[\"2105011400000000001\","
               "\"2105011527918977032\"]}");
    assert_string_equal(s.post.key, "2105011400000000001");
    assert_string_equal(s.post.id, "2105011527918977032");
    assert_int_equal(s.post.flags, HR_MSG_EDITED);
    done(&s);
    s = sample("{\"id\":\"2105011527918977032\",\"text\":\"A2.\",\"edit_history_post_ids\":[\"2105011400000000001\"]}");
    assert_string_equal(s.post.key, "2105011400000000001");
    done(&s);
}

static void what_may_not_be_shown_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum post_kind kind;
    } table[] = {
        {"{\"id\":\"1\",\"text\":\"RT @a: b\",\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"2\"}]}",
         POST_RETWEET},
        {"{\"id\":\"1\",\"text\":\"b\",\"referenced_posts\":[{\"type\":\"retweeted\",\"id\":\"2\"}]}", POST_RETWEET},
        {"{\"id\":\"1\",\"text\":\"b\",\"withheld\":{\"country_codes\":[\"DE\"],\"scope\":\"tweet\"}}", POST_WITHHELD},
        {"{\"data\":{\"id\":\"1\",\"text\":\"b\",\"author_id\":\"5\"},\"includes\":{\"users\":[{\"id\":\"5\","
         "\"protected\":true}]}}",
         POST_PROTECTED},
        {"{\"id\":1,\"text\":\"b\"}", POST_BROKEN},
        {"{\"id\":\"12a\",\"text\":\"b\"}", POST_BROKEN},
        {"{\"id\":\"1\"}", POST_BROKEN},
        {"{\"id\":\"1\",\"text\":\"\"}", POST_BROKEN},
        {"[]", POST_BROKEN},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct sample s = sample(table[i].json);
        assert_int_equal(s.post.kind, table[i].kind);
        done(&s);
    }
}

static void sensitive_posts_are_marked(void **state)
{
    (void)state;
    struct sample s = sample("{\"id\":\"1\",\"text\":\"b\",\"possibly_sensitive\":true}");
    assert_int_equal(s.post.flags, HR_MSG_SENSITIVE);
    done(&s);
}

static void hashtag_is_matched_on_entities_whatever_its_case(void **state)
{
    (void)state;
    struct sample s = sample("{\"id\":\"1\",\"text\":\"#DPULO\",\"entities\":{\"hashtags\":[{\"tag\":\"DPULO\"},{"
                             "\"tag\":\"Caf\xC3\x89\"}]}}");
    assert_true(tag_in_post(s.json, "#dpulo"));
    assert_true(tag_in_post(s.json, "#caf\xC3\xA9"));
    assert_false(tag_in_post(s.json, "#dpul"));
    done(&s);
    s = sample("{\"id\":\"1\",\"text\":\"a quote: the tag #dpulo is only in its text\"}");
    assert_false(tag_in_post(s.json, "#dpulo"));
    done(&s);
}

static void room_addresses_are_hashtags(void **state)
{
    (void)state;
    static const char *const good[] = {"#dpulo", "#DPULO", "#a1", "#1a", "#_x", "#\xE6\x97\xA5\xE6\x9C\xAC"};
    static const char *const bad[] = {"dpulo", "#", "#123", "#a-b", "#a b", "#a.b", "##a", "#\xFF", ""};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(tag_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(tag_valid(bad[i]));
    }
}

static void ids_carry_their_time_and_compare_as_numbers(void **state)
{
    (void)state;
    char id[SNOWFLAKE_SIZE];
    snowflake_at(1790708400000, id);
    assert_string_equal(id, "2105009715409846272");
    assert_int_equal(snowflake_ms(id), 1790708400000);
    assert_true(snowflake_compare("9", "10") < 0);
    assert_true(snowflake_compare("010", "10") == 0);
    assert_true(snowflake_valid("9223372036854775807"));
    assert_false(snowflake_valid("12345678901234567890"));
    assert_false(snowflake_valid(""));
    assert_false(snowflake_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_post_is_decoded_once),
        cmocka_unit_test(author_comes_from_includes),
        cmocka_unit_test(a_post_without_its_author_is_not_lost),
        cmocka_unit_test(links_are_unwound_and_keep_their_title),
        cmocka_unit_test(offsets_count_code_points_of_escaped_text),
        cmocka_unit_test(wrong_offsets_are_not_believed),
        cmocka_unit_test(a_link_that_is_no_web_address_stays_short),
        cmocka_unit_test(pictures_are_said_in_words),
        cmocka_unit_test(a_picture_without_words_is_still_a_post),
        cmocka_unit_test(reply_loses_the_names_x_put_in_front),
        cmocka_unit_test(range_that_would_cut_words_is_not_believed),
        cmocka_unit_test(quote_ends_with_the_quoted_post),
        cmocka_unit_test(long_form_is_preferred_in_both_dialects),
        cmocka_unit_test(edits_share_the_key_of_the_first_version),
        cmocka_unit_test(what_may_not_be_shown_is_left_out),
        cmocka_unit_test(sensitive_posts_are_marked),
        cmocka_unit_test(hashtag_is_matched_on_entities_whatever_its_case),
        cmocka_unit_test(room_addresses_are_hashtags),
        cmocka_unit_test(ids_carry_their_time_and_compare_as_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
