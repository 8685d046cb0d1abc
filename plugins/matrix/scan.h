/* SPDX-License-Identifier: MIT */
/*
 * The raw pre-pass over replies of a server. It cuts a reply into its members
 * and single events without understanding what is inside them, so that nothing
 * anybody puts into an event can hide next_batch or the event beside it: no
 * recursion, no allocation, time linear in the length. Only the pieces go to
 * jansson, one by one, and only if they are small and flat enough.
 *
 * A `struct scan` is a slice of the reply; it lives as long as the reply does.
 */
#ifndef MATRIX_SCAN_H
#define MATRIX_SCAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    SCAN_MAX_DEPTH = 64,           /* nesting that may reach jansson */
    SCAN_MAX_VALUE = 256 * 1024,   /* bytes that may reach jansson: four times the largest event */
};

struct scan {
    const char *at;
    size_t len;
};

/* A negative result ends the walk and is returned. Keys that are no clean text
 * of at most 511 bytes are stepped over with their value. */
typedef int scan_member_fn(void *arg, const char *key, struct scan value);
typedef int scan_item_fn(void *arg, struct scan value);

/* 0, HR_EINVAL where the slice is not a whole object or array, or what fn said. */
int scan_object(struct scan json, scan_member_fn *fn, void *arg);
int scan_array(struct scan json, scan_item_fn *fn, void *arg);
/* The first member of that name: 0 or HR_ENOTFOUND. */
int scan_get(struct scan json, const char *key, struct scan *out);
/* A string without escapes, NUL-terminated. HR_EINVAL: not a string, or holds
 * NUL or half a surrogate pair; HR_ELIMIT: does not fit. */
int scan_string(struct scan value, char *out, size_t size);
/* scan_get() and scan_string() in one. */
int scan_get_string(struct scan json, const char *key, char *out, size_t size);
/* A whole number; `otherwise` where it is none or beyond 2^53. */
long long scan_number(struct scan value, long long otherwise);
bool scan_is(struct scan value, const char *literal); /* true, false, null */
/* Deepest nesting of brackets, 0 for a scalar. */
size_t scan_depth(struct scan json);
/* One value by jansson, or NULL with the reason in err. The caller owns it. */
json_t *scan_load(struct scan json, char *err, size_t err_size);

/* A text member of a parsed object that holds no NUL, or NULL. Borrowed. */
const char *scan_text(const json_t *object, const char *key);

#endif
