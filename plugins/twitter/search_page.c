/* SPDX-License-Identifier: MIT */
/* The pages of one search, turned round into order of time. */
#include "search_page.h"
#include "mem.h"
#include "snowflake.h"

enum { ITEMS_MAX = 10000 };

void search_pages_add(struct search_pages *pages, json_t *root)
{
    size_t i;
    json_t *one;
    pages->roots = pages->roots == NULL ? json_array() : pages->roots;
    json_array_append(pages->roots, root);
    pages->pages++;
    json_array_foreach(json_object_get(root, "data"), i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        if (snowflake_valid(id) && pages->count < ITEMS_MAX) {
            pages->item = mem_grow(pages->item, pages->count + 1, sizeof(*pages->item));
            pages->item[pages->count++] =
                (struct search_item){.data = one, .includes = json_object_get(root, "includes"), .id = id};
        }
    }
}

static int by_id(const void *a, const void *b)
{
    return snowflake_compare(((const struct search_item *)a)->id, ((const struct search_item *)b)->id);
}

void search_pages_sort(struct search_pages *pages)
{
    if (pages->count > 0) {
        qsort(pages->item, pages->count, sizeof(*pages->item), by_id);
    }
}

void search_pages_clear(struct search_pages *pages)
{
    json_decref(pages->roots);
    free(pages->item);
    *pages = (struct search_pages){0};
}
