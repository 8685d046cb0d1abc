/* SPDX-License-Identifier: MIT */
/* Memory of this plugin: out of memory ends the process, nothing here returns NULL. */
#ifndef IRC_MEM_H
#define IRC_MEM_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *mem_check(void *memory)
{
    if (!memory) {
        fputs("irc: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static inline void *mem_new(size_t size) /* zeroed; the caller frees */
{
    return mem_check(calloc(1, size));
}

static inline char *mem_copy(const char *text)
{
    return mem_check(strdup(text));
}
#endif
