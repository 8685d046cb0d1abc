/* SPDX-License-Identifier: MIT */
/* Hashtags: the form of a room's address, and comparing them as X does. */
#include "tag.h"
#include "mem.h"
#include <utf8proc.h>

enum { TAG_MAX_BYTES = 280 };

static const char *bare(const char *tag)
{
    static const char wide[] = "\xEF\xBC\x83"; /* fullwidth # */
    if (tag[0] == '#') {
        return tag + 1;
    }
    return strncmp(tag, wide, 3) == 0 ? tag + 3 : tag;
}

static bool is_letter(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC: return true;
    default: return c == '_';
    }
}

bool tag_valid(const char *address)
{
    if (address[0] != '#' || strlen(address) > TAG_MAX_BYTES) {
        return false;
    }
    const utf8proc_uint8_t *s = (const utf8proc_uint8_t *)address + 1;
    bool letter = false;
    while (*s != '\0') {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate(s, -1, &c);
        if (n <= 0 || (!is_letter(c) && utf8proc_category(c) != UTF8PROC_CATEGORY_ND)) {
            return false;
        }
        letter = letter || is_letter(c);
        s += n;
    }
    return letter;
}

static char *folded(const char *tag)
{
    utf8proc_uint8_t *out = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)tag, 0, &out,
                                      UTF8PROC_NULLTERM | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    return n >= 0 ? (char *)out : mem_dup(tag);
}

bool tag_equal(const char *a, const char *b)
{
    if (strlen(a) > TAG_MAX_BYTES || strlen(b) > TAG_MAX_BYTES) {
        return false;
    }
    CLEANUP(mem_clear) char *x = folded(bare(a));
    CLEANUP(mem_clear) char *y = folded(bare(b));
    return strcmp(x, y) == 0;
}

static bool in_entities(const json_t *owner, const char *tag)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(json_object_get(owner, "entities"), "hashtags"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "tag"));
        if (name != NULL && tag_equal(name, tag)) {
            return true;
        }
    }
    return false;
}

bool tag_in_post(const json_t *post, const char *tag)
{
    return in_entities(post, tag) || in_entities(json_object_get(post, "note_tweet"), tag) ||
           in_entities(json_object_get(post, "note_post"), tag);
}
