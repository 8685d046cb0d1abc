/* SPDX-License-Identifier: MIT */
/* Memory that never fails: out of memory ends the process with a message. */
#ifndef HASHROOM_XALLOC_H
#define HASHROOM_XALLOC_H
#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t count, size_t size); /* checks count * size */
char *xstrdup(const char *text);                      /* NULL gives NULL */
char *xstrndup(const char *text, size_t len);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap);

/* A broken invariant: aborts with file and line, also in release builds. */
#define BUG_IF(condition) \
    do { if (condition) { bug_abort(__FILE__, __LINE__, #condition); } } while (0)
_Noreturn void bug_abort(const char *file, int line, const char *what);

/* Locals that own: `CLEANUP_FREE char *text = ...;` */
void cleanup_free(void *ptr_to_ptr);
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#endif
