/* SPDX-License-Identifier: MIT */
/* Comparing names, cutting texts short. */
#include "moderation.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

char *fold(const char *text)
{
    utf8proc_uint8_t *folded = NULL;
    const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded,
                                            UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                                UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
    return n < 0 ? NULL : (char *)folded;
}

int fold_match(const char *name, const char *wanted)
{
    const size_t len = strlen(wanted);
    if (len == 0 || strncmp(name, wanted, len) != 0) {
        return 0;
    }
    return name[len] == '\0' ? 2 : name[len] == ' ' ? 1 : 0;
}

size_t fold_excerpt(const char *text, size_t max_bytes)
{
    const size_t len = strcspn(text, "\n");
    if (len <= max_bytes) {
        return len;
    }
    size_t border = 0, space = 0, at = 0;
    utf8proc_int32_t cp = 0, last = 0, state = 0;
    while (at <= max_bytes) {
        const utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &cp);
        if (n <= 0) {
            break;
        }
        if (at > 0 && utf8proc_grapheme_break_stateful(last, cp, &state)) {
            border = at;
            space = cp == ' ' ? at : space;
        }
        last = cp;
        at += (size_t)n;
    }
    return space > max_bytes / 2 ? space : border;
}

int64_t read_number(const char *text)
{
    int64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6 || text[digits] != '\0') {
        return -1;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number;
}
