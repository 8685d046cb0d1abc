/* SPDX-License-Identifier: MIT */
/*
 * Text and entities of a post that don't fit each other: any offsets, overlaps,
 * ends before starts, short links that stand elsewhere or nowhere, ranges that
 * cut words. Whatever comes: the words are valid UTF-8, an address is an
 * address, and without entities the text is shown as it is.
 *
 * Input: a byte of switches, a byte with the number of entities, seven bytes for
 * each (start, end: 16 bits; where its link stands: 16 bits; kind), two bytes of
 * the visible range, then the text; bytes from 128 on stand for longer characters.
 */
#include "../../plugins/twitter/mem.h"
#include "../../plugins/twitter/post.h"
#include "../../plugins/twitter/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTITIES_MAX = 12, ENTITY_BYTES = 7, TEXT_MAX = 600 };
enum { LONG_FORM = 1, OTHER_DIALECT = 2, RANGE = 4, QUOTE = 8, MEDIA = 16 };

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static char *words_of(const uint8_t *data, size_t size)
{
    static const char *const wide[] = {"\u00e9", "\u2615", "\U0001F469\u200D\U0001F52C", "&amp;",
                                       "\u4e2d", "&lt;",   "https://t.co/aB3dE5fG7h",    "@ana_reads "};
    struct text text;
    text_init(&text, TEXT_MAX * 32);
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 128) {
            text_str(&text, wide[data[i] % 8]);
        } else {
            text_add(&text, data[i] < ' ' && data[i] != '\n' ? " " : (const char *)&data[i], 1);
        }
    }
    return text_detach(&text);
}

static json_t *url_entity(const uint8_t *entity, const char *text)
{
    static const char *const targets[] = {"https://books.example/list?a=1&b=2",
                                          "javascript:alert(1)",
                                          "https://x.com/ana_reads/status/2105009737002090498",
                                          "https://x.com/ana_reads/status/2105009737002090498/photo/1",
                                          "http://two words.example/",
                                          ""};
    int start = entity[0] << 8 | entity[1], end = entity[2] << 8 | entity[3];
    size_t len = strlen(text), at = (size_t)(entity[4] << 8 | entity[5]);
    int kind = entity[6];
    CLEANUP(mem_clear)
    char *literal = (kind & 1) != 0 && at < len ? mem_copy(text + at, len - at < 23 ? len - at : 23)
                                                : mem_dup("https://t.co/aB3dE5fG7h");
    json_t *url = json_object();
    json_object_set_new(url, "start", json_integer((kind & 2) != 0 ? -start : start));
    json_object_set_new(url, "end", json_integer(end));
    json_object_set_new(url, "url", json_string(literal)); /* NULL where it cuts a character: as if it were not there */
    json_object_set_new(url, "expanded_url", json_string(targets[(kind >> 2) % 6]));
    if ((kind & 64) != 0) {
        json_object_set_new(url, "unwound_url", json_string(targets[(kind >> 3) % 6]));
        json_object_set_new(url, "title", json_string("A &amp; title"));
    }
    if ((kind & 128) != 0) {
        json_object_set_new(url, "media_key", json_string("3_1"));
    }
    return url;
}

static void look(const struct post *post, const char *text, uint8_t switches, size_t entities)
{
    json_t *valid = json_string(post->wording.text);
    must(valid != NULL, "the words are valid UTF-8");
    json_decref(valid);
    must(post->wording.text[0] != '\0', "a post that is shown has words");
    for (size_t i = 0; i < post->wording.link_count; i++) {
        const char *url = post->wording.links[i].url;
        must(strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0, "a link is an address");
        must(strpbrk(url, " \t\r\n") == NULL, "an address has no space");
        must(post->wording.links[i].title != NULL, "a link has a title, if an empty one");
    }
    bool own = text[0] != '\0' || (switches & LONG_FORM) == 0; /* an empty long form is none */
    if (own && entities == 0 && (switches & (RANGE | QUOTE | MEDIA)) == 0) {
        struct text plain;
        text_init(&plain, TEXT_MAX * 32);
        text_unescape(&plain, text + strspn(text, " \n"), strlen(text + strspn(text, " \n")));
        text_trim(&plain);
        must(strcmp(text_get(&plain), post->wording.text) == 0, "without entities the text is shown as it is");
        text_clear(&plain);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > TEXT_MAX) {
        return 0;
    }
    uint8_t switches = data[0];
    size_t entities = data[1] % ENTITIES_MAX, at = 2 + entities * ENTITY_BYTES;
    if (at + 2 > size) {
        return 0;
    }
    CLEANUP(mem_clear) char *text = words_of(data + at + 2, size - at - 2);
    json_t *urls = json_array(), *post = json_pack("{s:s, s:s, s:s}", "id", "2105009737002090497", "author_id", "900",
                                                   "text", (switches & LONG_FORM) != 0 ? "short\u2026" : text);
    for (size_t i = 0; i < entities; i++) {
        json_array_append_new(urls, url_entity(data + 2 + i * ENTITY_BYTES, text));
    }
    json_t *holder = json_pack("{s:o}", "urls", urls);
    if ((switches & LONG_FORM) != 0) {
        json_object_set_new(post, (switches & OTHER_DIALECT) != 0 ? "note_post" : "note_tweet",
                            json_pack("{s:s, s:o}", "text", text, "entities", holder));
    } else {
        json_object_set_new(post, "entities", holder);
    }
    if ((switches & RANGE) != 0) {
        json_object_set_new(post, "display_text_range", json_pack("[i, i]", (int)data[at], (int)data[at + 1]));
    }
    if ((switches & QUOTE) != 0) {
        json_object_set_new(post, "referenced_tweets",
                            json_pack("[{s:s, s:s}]", "type", "quoted", "id", "2105009737002090498"));
    }
    if ((switches & MEDIA) != 0) {
        json_object_set_new(post, "attachments", json_pack("{s:[s]}", "media_keys", "3_1"));
    }
    struct post read;
    post_read(&read, post, NULL);
    if (read.kind == POST_SHOW) {
        look(&read, text, switches, entities);
    }
    post_clear(&read);
    json_decref(post);
    return 0;
}
