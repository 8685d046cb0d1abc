/* SPDX-License-Identifier: MIT */
/* Memory that is there or the process ends: a bot with a durable outbox restarts better than it limps. */
#ifndef TWITTER_MEM_H
#define TWITTER_MEM_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void *mem_calloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);
    if (p == NULL) {
        abort();
    }
    return p;
}

static inline void *mem_grow(void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        abort();
    }
    void *p = realloc(old, count * size > 0 ? count * size : 1);
    if (p == NULL) {
        abort();
    }
    return p;
}

static inline char *mem_copy(const char *s, size_t len)
{
    char *p = mem_calloc(len + 1, 1);
    memcpy(p, s, len);
    return p;
}

static inline char *mem_dup(const char *s)
{
    return s == NULL ? NULL : mem_copy(s, strlen(s));
}

static inline void mem_clear(char **p) /* for CLEANUP */
{
    free(*p);
    *p = NULL;
}
#endif
