/* SPDX-License-Identifier: MIT */
/* Memory of one callback: nobody frees pieces, arena_reset() frees all. */
#ifndef HASHROOM_ARENA_H
#define HASHROOM_ARENA_H
#include <stdarg.h>
#include <stddef.h>

struct arena {
    struct arena_block *head;
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for anything */
char *arena_strdup(struct arena *arena, const char *text); /* NULL gives "" */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap);
void arena_reset(struct arena *arena); /* keeps one block for the next callback */
void arena_clear(struct arena *arena);
#endif
