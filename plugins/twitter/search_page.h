/* SPDX-License-Identifier: MIT */
/* The pages of one search, newest first as X gives them, turned round into order of time. */
#ifndef TWITTER_SEARCH_PAGE_H
#define TWITTER_SEARCH_PAGE_H
#include <jansson.h>
#include <stddef.h>

struct search_item {
    const json_t *data, *includes; /* within a page */
    const char *id;
};

struct search_pages { /* zero is empty */
    json_t *roots;    /* array that keeps the pages */
    size_t pages;
    struct search_item *item;
    size_t count;
    char size[8]; /* max_results of the first page: the others must say the same */
};

void search_pages_add(struct search_pages *pages, json_t *root); /* shares root; posts without an id are left out */
void search_pages_sort(struct search_pages *pages);              /* oldest first */
void search_pages_clear(struct search_pages *pages);
#endif
