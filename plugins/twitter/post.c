/* SPDX-License-Identifier: MIT */
/* One X post, in either dialect of the API, as hashroom shows it. */
#include "post.h"
#include "mem.h"
#include "snowflake.h"
#include "text.h"

static const char *str(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Lists are searched in full only up to this: a page has at most 100 posts and their users. */
enum { INCLUDED_MAX = 2000, REPLY_MAX_BYTES = 32 * 1024 };

const json_t *post_included(const json_t *list, const char *id)
{
    size_t i;
    json_t *one;
    if (id == NULL) {
        return NULL;
    }
    json_array_foreach(list, i, one)
    {
        const char *have = str(one, "id");
        if (i >= INCLUDED_MAX) {
            break;
        }
        if (have != NULL && strcmp(have, id) == 0) {
            return one;
        }
    }
    return NULL;
}

static const json_t *user(const json_t *includes, const char *id)
{
    return post_included(json_object_get(includes, "users"), id);
}

/* Both dialects call it by another name. */
static const json_t *either(const json_t *object, const char *tweet, const char *post)
{
    const json_t *found = json_object_get(object, tweet);
    return found != NULL && !json_is_null(found) ? found : json_object_get(object, post);
}

static const char *reference(const json_t *data, const char *type)
{
    size_t i;
    json_t *one;
    json_array_foreach(either(data, "referenced_tweets", "referenced_posts"), i, one)
    {
        const char *have = str(one, "type"), *id = str(one, "id");
        if (have != NULL && strcmp(have, type) == 0 && snowflake_valid(id)) {
            return id;
        }
    }
    return NULL;
}

int64_t post_time_ms(const char *rfc3339)
{
    int y, mo, d, h, mi, s, end = 0;
    if (rfc3339 == NULL || sscanf(rfc3339, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &end) != 6) {
        return -1;
    }
    struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s};
    int64_t ms = (int64_t)timegm(&tm) * 1000;
    int scale = 100;
    if (rfc3339[end] == '.') {
        for (const char *p = rfc3339 + end + 1; *p >= '0' && *p <= '9'; p++, scale /= 10) {
            ms += (*p - '0') * scale;
        }
    }
    return ms;
}

static enum post_kind judge(const json_t *data, const json_t *includes)
{
    const json_t *withheld = json_object_get(data, "withheld");
    if (!snowflake_valid(str(data, "id")) || !json_is_string(json_object_get(data, "text"))) {
        return POST_BROKEN;
    }
    if (reference(data, "retweeted") != NULL || reference(data, "reposted") != NULL) {
        return POST_RETWEET;
    }
    if (json_is_object(withheld)) {
        return POST_WITHHELD;
    }
    const json_t *author = user(includes, str(data, "author_id"));
    return json_is_true(json_object_get(author, "protected")) ? POST_PROTECTED : POST_SHOW;
}

/* What a reply answers, as far as the answer carries it. */
static void read_reply(struct post *post, const json_t *data, const json_t *includes)
{
    const char *id = reference(data, "replied_to"), *to = str(data, "in_reply_to_user_id");
    if (id == NULL) {
        return;
    }
    const json_t *parent = post_included(either(includes, "tweets", "posts"), id);
    to = to != NULL ? to : str(parent, "author_id");
    const char *name = str(user(includes, to), "name");
    size_t i;
    json_t *mention;
    json_array_foreach(json_object_get(json_object_get(data, "entities"), "mentions"), i, mention)
    {
        const char *who = str(mention, "id");
        if (name == NULL && to != NULL && who != NULL && strcmp(who, to) == 0) {
            name = str(mention, "username");
        }
    }
    post->reply_to = mem_dup(id);
    post->reply_name = mem_dup(name);
    if (str(parent, "text") != NULL) {
        struct text plain;
        text_init(&plain, REPLY_MAX_BYTES);
        text_unescape(&plain, str(parent, "text"), strlen(str(parent, "text")));
        post->reply_text = text_detach(&plain);
    }
}

static void read_author(struct post *post, const json_t *data, const json_t *includes)
{
    const char *id = str(data, "author_id");
    const json_t *author = user(includes, id);
    const char *name = str(author, "name"), *handle = str(author, "username");
    handle = handle != NULL &&
                     strspn(handle, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(handle)
                 ? handle
                 : "";
    post->author_id = mem_dup(snowflake_valid(id) ? id : "");
    post->handle = mem_dup(handle);
    post->name = mem_dup(name != NULL && name[0] != '\0' ? name : handle[0] != '\0' ? handle : "Somebody");
}

static const char *first_version(const json_t *data)
{
    const char *first =
        json_string_value(json_array_get(either(data, "edit_history_tweet_ids", "edit_history_post_ids"), 0));
    return snowflake_valid(first) ? first : str(data, "id");
}

void post_read(struct post *post, const json_t *data, const json_t *includes)
{
    *post = (struct post){.kind = judge(data, includes)};
    if (post->kind == POST_BROKEN || post->kind == POST_RETWEET) {
        return;
    }
    post->id = mem_dup(str(data, "id"));
    post->key = mem_dup(first_version(data));
    if (post->kind != POST_SHOW) {
        return;
    }
    const char *id = post->id, *quoted = reference(data, "quoted");
    const json_t *original = post_included(either(includes, "tweets", "posts"), quoted);
    post->time_ms = post_time_ms(str(data, "created_at"));
    if (post->time_ms < 0) {
        post->time_ms = snowflake_ms(id);
    }
    if (json_is_true(json_object_get(data, "possibly_sensitive"))) {
        post->flags |= HR_MSG_SENSITIVE;
    }
    if (strcmp(post->id, post->key) != 0) {
        post->flags |= HR_MSG_EDITED;
    }
    read_author(post, data, includes);
    read_reply(post, data, includes);
    wording_read(&post->wording, data, includes, quoted, str(user(includes, str(original, "author_id")), "username"));
    struct text url;
    text_init(&url, 256);
    text_print(&url, "https://x.com/%s/status/%s", post->handle[0] != '\0' ? post->handle : "i", post->id);
    post->url = text_detach(&url);
    if (post->wording.text[0] == '\0') {
        post->kind = POST_BROKEN;
    }
}

void post_clear(struct post *post)
{
    char *own[] = {post->id,  post->key,      post->author_id,  post->name,      post->handle,
                   post->url, post->reply_to, post->reply_name, post->reply_text};
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
        free(own[i]);
    }
    wording_clear(&post->wording);
    *post = (struct post){0};
}

struct hr_post post_for_room(const struct post *post, const char *address)
{
    return (struct hr_post){
        .size = sizeof(struct hr_post),
        .room = address,
        .key = post->key,
        .revision = post->id,
        .author = {.id = post->author_id[0] != '\0' ? post->author_id : "unknown", /* a field that wasn't asked for */
                   .account = "",
                   .name = post->name,
                   .handle = post->handle},
        .text = post->wording.text,
        .text_len = strlen(post->wording.text),
        .url = post->url,
        .links = post->wording.links,
        .link_count = post->wording.link_count,
        .reply_to = post->reply_to,
        .reply_name = post->reply_name,
        .reply_text = post->reply_text,
        .time_ms = post->time_ms,
        .flags = post->flags,
    };
}
