/* SPDX-License-Identifier: MIT */
/* Cuts a streamed reply into lines, wherever the pieces end. */
#include "lines.h"
#include "mem.h"

void lines_clear(struct lines *lines)
{
    free(lines->data);
    *lines = (struct lines){0};
}

static void keep(struct lines *lines, const char *bytes, size_t len)
{
    if (lines->too_long || len > LINES_MAX_BYTES - lines->len) {
        lines->too_long = true;
        return;
    }
    if (lines->len + len + 1 > lines->cap) {
        lines->cap = (lines->len + len + 1) * 2;
        lines->data = mem_grow(lines->data, lines->cap, 1);
    }
    memcpy(lines->data + lines->len, bytes, len);
    lines->len += len;
    lines->data[lines->len] = '\0';
}

void lines_feed(struct lines *lines, const char *bytes, size_t len, lines_fn *fn, void *arg)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t n = end == NULL ? len : (size_t)(end - bytes);
        keep(lines, bytes, n);
        if (end == NULL) {
            return;
        }
        bool too_long = lines->too_long;
        size_t whole = lines->len;
        lines->len = 0;
        lines->too_long = false;
        if (whole > 0 && lines->data[whole - 1] == '\r') {
            lines->data[--whole] = '\0';
        }
        if (!fn(arg, too_long ? NULL : whole > 0 ? lines->data : "", whole)) {
            return;
        }
        bytes += n + 1;
        len -= n + 1;
    }
}
