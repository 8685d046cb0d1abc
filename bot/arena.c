/* SPDX-License-Identifier: MIT */
/* Memory of one callback: blocks in a list, freed together. */
#include "arena.h"
#include "xalloc.h"
#include <stdalign.h>
#include <stdint.h>

enum { BLOCK_BYTES = 8192, KEEP_BYTES = 65536 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *block_new(struct arena_block *next, size_t size)
{
    struct arena_block *block = xmalloc(sizeof(*block) + size);
    block->next = next;
    block->used = 0;
    block->size = size;
    return block;
}

static size_t aligned(size_t size)
{
    BUG_IF(size > SIZE_MAX / 2);
    return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static void *take(struct arena *arena, size_t size)
{
    size_t need = aligned(size);
    if (arena->head == NULL || arena->head->size - arena->head->used < need) {
        arena->head = block_new(arena->head, need > BLOCK_BYTES ? need : BLOCK_BYTES);
    }
    void *ptr = arena->head->bytes + arena->head->used;
    arena->head->used += need;
    return ptr;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = take(arena, len + 1);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text == NULL ? arena_strndup(arena, "", 0) : arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
    va_list again;
    struct arena_block *head = arena->head;
    size_t left = head != NULL ? head->size - head->used : 0;
    char *text = head != NULL ? (char *)head->bytes + head->used : NULL;
    va_copy(again, ap);
    int len = vsnprintf(text, left, fmt, again); /* mostly it fits into what is left, and is printed once */
    va_end(again);
    BUG_IF(len < 0);
    if ((size_t)len < left) {
        return take(arena, (size_t)len + 1);
    }
    text = take(arena, (size_t)len + 1);
    BUG_IF(vsnprintf(text, (size_t)len + 1, fmt, ap) != len);
    return text;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(arena, fmt, ap);
    va_end(ap);
    return text;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = NULL;
    while (arena->head != NULL) {
        struct arena_block *next = arena->head->next;
        if (keep == NULL && arena->head->size <= KEEP_BYTES) {
            keep = arena->head;
        } else {
            free(arena->head);
        }
        arena->head = next;
    }
    if (keep != NULL) {
        keep->next = NULL;
        keep->used = 0;
    }
    arena->head = keep;
}

void arena_clear(struct arena *arena)
{
    while (arena->head != NULL) {
        struct arena_block *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
}
