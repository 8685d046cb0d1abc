/* SPDX-License-Identifier: MIT */
/* How far a tag has been read, as the database keeps it. */
#ifndef TWITTER_SEARCH_ROW_H
#define TWITTER_SEARCH_ROW_H
#include "snowflake.h"
#include "twitter.h"

struct search_row {
    char cursor[SNOWFLAKE_SIZE];      /* all up to here was seen; "" for nothing */
    int64_t closed_ms;                /* end of the last window that was searched to its end */
    int64_t open_from_ms, open_to_ms; /* the window that was opened last */
};

void search_row_load(struct search_row *row, struct twitter *twitter, const char *tag);
void search_row_save(const struct search_row *row, struct twitter *twitter, const char *tag);
#endif
