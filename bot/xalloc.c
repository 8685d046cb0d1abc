/* SPDX-License-Identifier: MIT */
/* Memory that never fails, and the end of the process where it would. */
#include "xalloc.h"

static void *checked(void *ptr)
{
    if (ptr == NULL) {
        fputs("hashroom: out of memory; the process ends, a restart resumes from the database\n", stderr);
        abort();
    }
    return ptr;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size > 0 ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *xrealloc(void *ptr, size_t count, size_t size)
{
    size_t total;
    BUG_IF(__builtin_mul_overflow(count, size, &total));
    return checked(realloc(ptr, total > 0 ? total : 1));
}

char *xstrdup(const char *text)
{
    return text == NULL ? NULL : xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

char *xvasprintf(const char *fmt, va_list ap)
{
    char *text = NULL;
    BUG_IF(vasprintf(&text, fmt, ap) < 0);
    return text;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return text;
}

_Noreturn void bug_abort(const char *file, int line, const char *what)
{
    fprintf(stderr, "hashroom: a bug: %s:%d: %s\n", file, line, what);
    abort();
}

void cleanup_free(void *ptr_to_ptr)
{
    void *ptr;
    memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
    free(ptr);
}
