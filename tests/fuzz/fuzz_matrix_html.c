/* SPDX-License-Identifier: MIT */
/* Any bytes as a formatted body: bounded, whole characters from whole characters, no space at the end; a plain text
 * that is escaped comes back as it was. */
#include "../../plugins/matrix/html.h"

#include <hashroom/plugin.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BYTES = 16 * 1024 };

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static bool is_whole(const char *text, size_t len)
{
    utf8proc_int32_t point;
    for (size_t at = 0; at < len;) {
        utf8proc_ssize_t got =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &point);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

/* Without C1 controls and what is no character, which HTML has no place for. */
static bool is_plain(const char *text)
{
    utf8proc_int32_t point = 0;
    for (size_t len = strlen(text); len > 0;) {
        size_t step = (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &point);
        if ((point >= 0x7f && point < 0xa0) || (point & 0xfffe) == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef)) {
            return false;
        }
        text += step;
        len -= step;
    }
    return true;
}

static bool is_word(char c)
{
    return (unsigned char)c >= 0x80 || (c > ' ' && c < 0x7f && strchr("<>&", c) == NULL);
}

/* The words of data, escaped, with one space between them, inside <p>. */
static void escaped_words_come_back(const uint8_t *data, size_t size)
{
    struct mem_buf words = {.max = 4096}, html = {.max = 8 * 4096}, back = {.max = MAX_BYTES};
    mem_puts(&html, "<p>");
    for (size_t i = 0; i < size && words.len < 2000; i++) {
        char c = (char)data[i];
        bool space = !is_word(c) && words.len > 0 && words.at[words.len - 1] != ' ';
        if (strchr("<&>", c) != NULL && c != '\0') {
            mem_add(&words, &c, 1);
            mem_puts(&html, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
        } else if (is_word(c) || space) {
            mem_add(&words, space ? " " : &c, 1);
            mem_add(&html, space ? " " : &c, 1);
        }
    }
    mem_puts(&html, "</p>");
    while (words.len > 0 && words.at[words.len - 1] == ' ') {
        words.at[--words.len] = '\0';
    }
    if (is_whole(mem_text(&words), words.len) && is_plain(mem_text(&words))) {
        must(html_text(mem_text(&html), html.len, &back) == HR_OK, "refused");
        must(strcmp(mem_text(&back), mem_text(&words)) == 0, "other words come back");
    }
    mem_clear(&words);
    mem_clear(&html);
    mem_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem_buf text = {.max = MAX_BYTES};
    int rc = html_text((const char *)data, size, &text);
    must(rc == HR_OK || rc == HR_ELIMIT, "a status of no meaning");
    must(text.len <= MAX_BYTES && strlen(mem_text(&text)) <= text.len, "too long");
    if (rc == HR_OK) {
        must(text.len == 0 || strchr(" \n", text.at[text.len - 1]) == NULL, "a space at the end");
        /* gumbo's number of &#99999999999; runs over; the host cleans what it is given. */
        bool numbers = memmem(data, size, "&#", 2) != NULL;
        must(numbers || !is_whole((const char *)data, size) || is_whole(mem_text(&text), text.len),
             "a character is cut");
    }
    mem_clear(&text);
    escaped_words_come_back(data, size);
    return 0;
}
