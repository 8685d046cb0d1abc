/* SPDX-License-Identifier: MIT */
/* Bytes with a ceiling. */
#include "buf.h"
#include "xalloc.h"
#include <stdarg.h>

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_clear(struct buf *buf)
{
    if (buf != NULL) {
        free(buf->ptr);
        *buf = (struct buf){.max = buf->max};
    }
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    if (buf->ptr != NULL) {
        buf->ptr[0] = '\0';
    }
}

int buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (len > buf->max || buf->len > buf->max - len) {
        return HR_ELIMIT;
    }
    if (buf->len + len + 1 > buf->cap) {
        size_t cap = buf->cap < 64 ? 64 : buf->cap;
        while (cap < buf->len + len + 1) {
            cap *= 2;
        }
        buf->ptr = xrealloc(buf->ptr, cap, 1);
        buf->cap = cap;
    }
    if (len > 0) {
        memcpy(buf->ptr + buf->len, bytes, len);
    }
    buf->len += len;
    buf->ptr[buf->len] = '\0';
    return HR_OK;
}

int buf_adds(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

int buf_addf(struct buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    CLEANUP_FREE char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return buf_adds(buf, text);
}

void buf_consume(struct buf *buf, size_t len)
{
    BUG_IF(len > buf->len);
    if (len == 0) {
        return;
    }
    buf->len -= len;
    memmove(buf->ptr, buf->ptr + len, buf->len + 1);
}

const char *buf_str(const struct buf *buf)
{
    return buf->ptr == NULL ? "" : buf->ptr;
}

char *buf_detach(struct buf *buf)
{
    char *ptr = buf->ptr == NULL ? xstrdup("") : buf->ptr;
    *buf = (struct buf){.max = buf->max};
    return ptr;
}
