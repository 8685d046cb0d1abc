/* SPDX-License-Identifier: MIT */
/* Templates of the bot's own words: filling {places}. */
#include "words.h"
#include "buf.h"
#include "xalloc.h"
#include <ctype.h>
#include <string.h>

enum { MAX_PAIRS = 24, MAX_WORDS_BYTES = 16 * 1024 };

struct pair {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Bytes of the {place} at text, with braces; 0 if it is none. */
static size_t place_len(const char *text)
{
    size_t n = 1;
    while (text[0] == '{' && is_name(text[n])) {
        n++;
    }
    return text[0] == '{' && n > 1 && text[n] == '}' ? n + 1 : 0;
}

static const struct pair *pair_find(const struct pair *pairs, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].name_len == len && memcmp(pairs[i].name, name, len) == 0) {
            return &pairs[i];
        }
    }
    return NULL;
}

static bool ends_in_gap(const struct buf *out)
{
    return out->len == 0 || out->ptr[out->len - 1] == ' ' || out->ptr[out->len - 1] == '\n';
}

/* Leaves out one of the two spaces around an empty place, or the one before a line's end. */
static const char *skip_empty(struct buf *out, const char *text)
{
    if (*text == ' ' && ends_in_gap(out)) {
        return text + 1;
    }
    if ((*text == 0 || *text == '\n') && out->len > 0 && out->ptr[out->len - 1] == ' ') {
        out->ptr[--out->len] = 0;
    }
    return text;
}

/* missing_ok: a place without a value stays as it is written. */
static const char *fill(struct arena *arena, const char *text, const struct pair *pairs, size_t count, bool missing_ok)
{
    struct buf out;
    buf_init(&out, MAX_WORDS_BYTES);
    int status = 0;
    while (*text != 0 && status == 0) {
        const size_t n = place_len(text);
        const struct pair *pair = n == 0 ? NULL : pair_find(pairs, count, text + 1, n - 2);
        BUG_IF(n > 0 && pair == NULL && !missing_ok);
        if (pair == NULL) {
            const size_t plain = n == 0 ? 1 + strcspn(text + 1, "{") : n;
            status = buf_add(&out, text, plain);
            text += plain;
            continue;
        }
        status = buf_add(&out, pair->value, pair->value_len);
        text += n;
        if (pair->value_len == 0) {
            text = skip_empty(&out, text);
        }
    }
    const char *said = arena_strndup(arena, buf_str(&out), out.len); /* over the limit: what fitted */
    buf_clear(&out);
    return said;
}

const char *words_fill(struct arena *arena, const struct hr_text *texts, const char *id, const char *prefix, va_list ap)
{
    while (texts != NULL && texts->id != NULL && strcmp(texts->id, id) != 0) {
        texts++;
    }
    BUG_IF(texts == NULL || texts->id == NULL);
    struct pair pairs[MAX_PAIRS];
    size_t count = 0;
    const char *name;
    while ((name = va_arg(ap, const char *)) != NULL) {
        BUG_IF(count == MAX_PAIRS);
        const char *value = va_arg(ap, const char *);
        BUG_IF(value == NULL);
        pairs[count++] = (struct pair){name, value, strlen(name), strlen(value)};
    }
    return fill(arena, words_prefix(arena, texts->text, prefix), pairs, count, false);
}

const char *words_sample(struct arena *arena, const struct hr_text *text)
{
    struct pair pairs[MAX_PAIRS];
    size_t count = 0;
    const char *at = text->sample == NULL ? "" : text->sample;
    while (*at != 0 && count < MAX_PAIRS) {
        const size_t len = strcspn(at, ";");
        const size_t name_len = strcspn(at, "=;");
        if (name_len < len) {
            pairs[count++] = (struct pair){at, at + name_len + 1, name_len, len - name_len - 1};
        }
        at += len + (at[len] == ';');
    }
    return fill(arena, text->text, pairs, count, true);
}

const char *words_prefix(struct arena *arena, const char *text, const char *prefix)
{
    if (strcmp(prefix, "!") == 0 || strchr(text, '!') == NULL) {
        return text;
    }
    struct buf out;
    buf_init(&out, MAX_WORDS_BYTES);
    for (const char *at = text; *at != 0; at++) {
        const bool starts = at == text || at[-1] == ' ' || at[-1] == '\n';
        const bool command = *at == '!' && starts && (isalpha((unsigned char)at[1]) || at[1] == '{');
        if ((command ? buf_adds(&out, prefix) : buf_add(&out, at, 1)) < 0) {
            break;
        }
    }
    const char *said = arena_strndup(arena, buf_str(&out), out.len);
    buf_clear(&out);
    return said;
}
