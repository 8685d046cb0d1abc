/* SPDX-License-Identifier: MIT */
/* Memory of the matrix plugin: allocation that ends the process when there is none, and a bounded text buffer. */
#ifndef MATRIX_MEM_H
#define MATRIX_MEM_H

#include <stdbool.h>
#include <stddef.h>

void *mem_new(size_t size);                                    /* zeroed; free() it */
char *mem_copy(const char *bytes, size_t len);                 /* NUL follows; free() it */
char *mem_dup(const char *text);                               /* NULL stays NULL */
void mem_set(char **slot, const char *text);                   /* frees what was there, copies; text may be NULL */
void *mem_grow(void *array, size_t count, size_t *cap, size_t item); /* room for one more */

/* Text that grows up to max bytes; what goes beyond is cut off and `full` says so. */
struct mem_buf {
    char *at; /* NUL follows; NULL while empty */
    size_t len, cap, max;
    bool full;
};
void mem_add(struct mem_buf *buf, const char *bytes, size_t len);
void mem_puts(struct mem_buf *buf, const char *text);
void mem_clear(struct mem_buf *buf);
const char *mem_text(const struct mem_buf *buf); /* "" while empty */

#endif
