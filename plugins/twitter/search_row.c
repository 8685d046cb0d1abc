/* SPDX-License-Identifier: MIT */
/* How far a tag has been read, as the database keeps it. */
#include "search_row.h"
#include <stdio.h>

static int take(void *arg, const struct hr_value *column, size_t count)
{
    struct search_row *row = arg;
    if (count == 4 && (column[0].str[0] == '\0' || snowflake_valid(column[0].str))) {
        snprintf(row->cursor, sizeof(row->cursor), "%s", column[0].str);
        row->closed_ms = column[1].num;
        row->open_from_ms = column[2].num;
        row->open_to_ms = column[3].num;
    }
    return HR_OK;
}

void search_row_load(struct search_row *row, struct twitter *twitter, const char *tag)
{
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)), HR_V_STR(tag)};
    *row = (struct search_row){0};
    (void)twitter->api->sql(twitter->bot,
                            "SELECT cursor, closed_ms, open_from_ms, open_to_ms FROM twitter_cursor"
                            " WHERE instance = ?1 AND tag = ?2",
                            args, 2, take, row);
}

void search_row_save(const struct search_row *row, struct twitter *twitter, const char *tag)
{
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)),
                              HR_V_STR(tag),
                              HR_V_STR(row->cursor),
                              HR_V_INT(row->closed_ms),
                              HR_V_INT(row->open_from_ms),
                              HR_V_INT(row->open_to_ms)};
    (void)twitter->api->sql(
        twitter->bot,
        "INSERT INTO twitter_cursor(instance, tag, cursor, closed_ms, open_from_ms, open_to_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(instance, tag) DO UPDATE SET cursor = ?3, closed_ms = ?4,"
        " open_from_ms = ?5, open_to_ms = ?6",
        args, 6, NULL, NULL);
}
