/* SPDX-License-Identifier: MIT */
/* Bytes with a ceiling. Always NUL-terminated behind len (ptr may be NULL while empty). */
#ifndef HASHROOM_BUF_H
#define HASHROOM_BUF_H
#include <hashroom/plugin.h>

struct buf {
    char *ptr;
    size_t len, cap, max;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_clear(struct buf *buf); /* frees; zeroed and NULL are fine */
void buf_reset(struct buf *buf); /* empties, keeps the memory */
int buf_add(struct buf *buf, const void *bytes, size_t len); /* HR_ELIMIT: nothing added */
int buf_adds(struct buf *buf, const char *text);
int buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *buf, size_t len); /* drops the first len bytes */
const char *buf_str(const struct buf *buf);    /* never NULL */
char *buf_detach(struct buf *buf);             /* the caller frees; buf is empty again */
#endif
