/* SPDX-License-Identifier: MIT */
/* Which pictures and files are carried, how a browser may show them, and whether the bytes are what they are called. */
#ifndef MATRIX_MEDIA_TYPE_H
#define MATRIX_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

struct media_type {
    const char *name;      /* "image/png" */
    const char *extension; /* "png" */
    bool shown;            /* by a browser; else only kept as a file */
    const char *magic;     /* how such a file begins, "." for any byte; several, separated by spaces; NULL: text */
};

/* What the sender calls it, parameters left aside; NULL: not carried. Pure, as all here. */
const struct media_type *media_type_of(const char *name);
/* Do the bytes begin as such a file does? */
bool media_type_fits(const struct media_type *type, const char *bytes, size_t len);

#endif
