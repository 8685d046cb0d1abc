/* SPDX-License-Identifier: MIT */
/* Memory of the matrix plugin. */
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("matrix: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_new(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

char *mem_copy(const char *bytes, size_t len)
{
    char *copy = mem_new(len + 1);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

char *mem_dup(const char *text)
{
    return text == NULL ? NULL : mem_copy(text, strlen(text));
}

void mem_set(char **slot, const char *text)
{
    char *old = *slot;
    *slot = mem_dup(text); /* first: text may be part of old */
    free(old);
}

void *mem_grow(void *array, size_t count, size_t *cap, size_t item)
{
    if (count < *cap) {
        return array;
    }
    *cap = *cap ? *cap * 2 : 8;
    return checked(reallocarray(array, *cap, item));
}

void mem_add(struct mem_buf *buf, const char *bytes, size_t len)
{
    if (len > buf->max - buf->len) {
        len = buf->max - buf->len;
        buf->full = true;
    }
    if (len == 0) {
        return;
    }
    if (buf->len + len + 1 > buf->cap) {
        buf->cap = (buf->len + len + 1) * 2;
        buf->at = checked(realloc(buf->at, buf->cap));
    }
    memcpy(buf->at + buf->len, bytes, len);
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void mem_puts(struct mem_buf *buf, const char *text)
{
    mem_add(buf, text, strlen(text));
}

void mem_clear(struct mem_buf *buf)
{
    free(buf->at);
    *buf = (struct mem_buf){.max = buf->max};
}

const char *mem_text(const struct mem_buf *buf)
{
    return buf->at != NULL ? buf->at : "";
}
