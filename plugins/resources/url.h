/* SPDX-License-Identifier: MIT */
/*
 * Web addresses in what people type: found, tidied, compared. Pure: no state, no
 * allocation; any valid UTF-8 goes in.
 *
 * Two addresses are the same resource when their keys are: http and https count
 * as one, so do example.org and www.example.org, and an address with and without
 * the slash at its end. Order of the query and the fragment make a difference.
 */
#ifndef RESOURCES_URL_H
#define RESOURCES_URL_H
#include <stdbool.h>
#include <stddef.h>

enum { URL_MAX_BYTES = 2000 };

struct url {
    char url[URL_MAX_BYTES + 16];  /* to show: tidy, with its scheme */
    char key[URL_MAX_BYTES + 16];  /* to compare */
    char site[256];                /* "example.org" */
};

/* The next thing at or after `text` that looks like a web address; NULL if there
 * is none. *len: its bytes, without the full stop, bracket or quote that belongs
 * to the sentence. */
const char *url_find(const char *text, size_t *len);
/* HR_EINVAL: not an address to list (no real host, a name or password in it, a
 * post, a picture of a post, a person in Matrix). */
int url_tidy(const char *raw, size_t len, struct url *out);

#endif
