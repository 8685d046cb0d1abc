/* SPDX-License-Identifier: MIT */
/* One post off the API: counted, recognised, matched with a room. */
#include "inbox.h"
#include "budget.h"
#include "deletions.h"
#include "reader.h"
#include "snowflake.h"
#include "tag.h"
#include "writer.h"

enum { COUNTED_MAX = 1000 };
static const int64_t LATE_MS = 2 * 60 * 1000;

static void count_list(struct twitter *twitter, const json_t *list, enum budget_kind kind)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        if (snowflake_valid(id) && i < COUNTED_MAX) {
            (void)budget_read(twitter->budget, kind, id);
        }
    }
}

void inbox_count(struct twitter *twitter, const json_t *root)
{
    const json_t *data = json_object_get(root, "data"), *includes = json_object_get(root, "includes");
    const char *id = json_string_value(json_object_get(data, "id"));
    if (snowflake_valid(id)) {
        (void)budget_read(twitter->budget, BUDGET_POST_READ, id);
    }
    count_list(twitter, data, BUDGET_POST_READ);
    count_list(twitter, json_object_get(includes, "tweets"), BUDGET_POST_READ);
    count_list(twitter, json_object_get(includes, "posts"), BUDGET_POST_READ);
    count_list(twitter, json_object_get(includes, "users"), BUDGET_USER_READ);
}

static const char *room_of(const json_t *data, const char *const *tag, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tag_in_post(data, tag[i])) {
            return tag[i];
        }
    }
    return NULL;
}

int inbox_take(struct twitter *twitter, const json_t *data, const json_t *includes, const char *const *tag,
               size_t count)
{
    const char *address = room_of(data, tag, count);
    struct post post;
    int status = HR_EEXIST;
    post_read(&post, data, includes);
    if (twitter->api->now_ms(twitter->bot) - post.time_ms > LATE_MS) {
        post.flags |= HR_MSG_HISTORY; /* the rooms are told its age */
    }
    if (post.kind == POST_SHOW && address != NULL && !writer_is_own(twitter->writer, &post)) {
        status = reader_take(twitter, &post, address);
        if (status == HR_OK && post.author_id[0] != '\0') {
            deletions_author(twitter->deletions, post.author_id);
        }
    }
    if ((post.kind == POST_WITHHELD || post.kind == POST_PROTECTED) && reader_seen(twitter, post.key)) {
        (void)twitter->api->net->remove(twitter->bot, post.key); /* it was shown before */
    }
    post_clear(&post);
    return status;
}
