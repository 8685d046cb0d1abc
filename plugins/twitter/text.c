/* SPDX-License-Identifier: MIT */
/* A growing string with a ceiling, and the few things we do with UTF-8 by code points. */
#include "text.h"
#include "mem.h"
#include <stdarg.h>
#include <utf8proc.h>

void text_init(struct text *text, size_t max_bytes)
{
    *text = (struct text){.max = max_bytes};
}

void text_clear(struct text *text)
{
    free(text->data);
    *text = (struct text){.max = text->max};
}

void text_add(struct text *text, const char *s, size_t len)
{
    if (len > text->max - text->len) {
        text->over = true;
        return;
    }
    if (text->len + len + 1 > text->cap) {
        size_t cap = (text->len + len + 1) * 2;
        text->data = mem_grow(text->data, cap, 1);
        text->cap = cap;
    }
    memcpy(text->data + text->len, s, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_str(struct text *text, const char *s)
{
    text_add(text, s, strlen(s));
}

void text_print(struct text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    int len = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (len < 0) {
        abort();
    }
    text_add(text, s, (size_t)len);
    free(s);
}

void text_trim(struct text *text)
{
    while (text->len > 0 && strchr(" \t\r\n", text->data[text->len - 1]) != NULL) {
        text->data[--text->len] = '\0';
    }
}

const char *text_get(const struct text *text)
{
    return text->data == NULL ? "" : text->data;
}

char *text_detach(struct text *text)
{
    char *s = text->data == NULL ? mem_dup("") : text->data;
    *text = (struct text){.max = text->max};
    return s;
}

void text_unescape(struct text *out, const char *s, size_t len)
{
    static const struct {
        const char *from, *to;
    } table[] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"},
    };
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; s[i] == '&' && k < sizeof(table) / sizeof(*table); k++) {
            size_t n = strlen(table[k].from);
            if (n <= len - i && memcmp(s + i, table[k].from, n) == 0) {
                text_add(out, s + start, i - start);
                text_str(out, table[k].to);
                i += n - 1;
                start = i + 1;
                break;
            }
        }
    }
    text_add(out, s + start, len - start);
}

size_t text_offset(const char *s, size_t len, size_t point)
{
    size_t i = 0;
    for (; i < len; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80 && point-- == 0) {
            break;
        }
    }
    return i;
}

char *text_normal(const char *s)
{
    utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)s);
    char *from = nfc != NULL ? (char *)nfc : mem_dup(s);
    size_t len = 0;
    for (size_t i = 0; from[i] != '\0'; i++) {
        if (strchr(" \t\r\n", from[i]) != NULL) {
            if (len > 0 && from[len - 1] != ' ') {
                from[len++] = ' ';
            }
        } else {
            from[len++] = from[i];
        }
    }
    from[len > 0 && from[len - 1] == ' ' ? len - 1 : len] = '\0';
    return from;
}
