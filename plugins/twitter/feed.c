/* SPDX-License-Identifier: MIT */
/* A file that plays X. */
#include "feed.h"
#include "mem.h"
#include "reader.h"
#include <errno.h>
#include <sys/stat.h>

enum { POSTS_MAX = 20000, LINE_MAX_BYTES = 1024 * 1024, FILE_MAX_BYTES = 64 * 1024 * 1024 };
static const int64_t HOUR_MS = 3600 * 1000;

struct feed {
    struct twitter *twitter;
    struct post *post;
    size_t count, next;
    char *chat; /* whose session runs, or NULL */
    int64_t ends_ms;
    struct hr_timer *timer;
};

static void take_post(struct feed *feed, const json_t *data, const json_t *includes, size_t line)
{
    struct twitter *twitter = feed->twitter;
    struct post post;
    post_read(&post, data, includes);
    if (post.kind != POST_SHOW || feed->count == POSTS_MAX) {
        if (post.kind == POST_BROKEN || feed->count == POSTS_MAX) {
            twitter->api->log(twitter->bot, HR_WARN, "feed line %zu: %s: left out", line,
                              post.kind == POST_BROKEN ? "a post without id or words"
                                                       : "more posts than a feed may hold");
        }
        post_clear(&post);
        return;
    }
    feed->post = mem_grow(feed->post, feed->count + 1, sizeof(*feed->post));
    feed->post[feed->count++] = post;
}

static void take_line(struct feed *feed, const char *text, size_t len, size_t line)
{
    struct twitter *twitter = feed->twitter;
    size_t i;
    json_t *one;
    json_error_t error;
    while (len > 0 && strchr("\r\n \t", text[len - 1]) != NULL) {
        len--;
    }
    if (len == 0) {
        return;
    }
    json_t *json = len > LINE_MAX_BYTES ? NULL : json_loadb(text, len, JSON_ALLOW_NUL, &error);
    const json_t *data = json_object_get(json, "data"), *includes = json_object_get(json, "includes");
    if (len > LINE_MAX_BYTES) {
        twitter->api->log(twitter->bot, HR_WARN, "feed line %zu: longer than 1 MiB: left out", line);
    } else if (json == NULL) {
        twitter->api->log(twitter->bot, HR_WARN, "feed line %zu: not JSON (%s): left out", line, error.text);
    } else if (json_is_object(data)) {
        take_post(feed, data, includes, line);
    } else if (json_is_array(data)) {
        json_array_foreach(data, i, one)
        {
            take_post(feed, one, includes, line);
        }
    } else {
        twitter->api->log(twitter->bot, HR_WARN, "feed line %zu: has no \"data\" with a post in it: left out", line);
    }
    json_decref(json);
}

struct feed *feed_new(struct twitter *twitter, const char *path, char *err, size_t err_size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(err, err_size, "%s can't be read: %s", path, strerror(errno));
        return NULL;
    }
    struct stat stat;
    if (fstat(fileno(file), &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_MAX_BYTES) {
        snprintf(err, err_size, "%s is not a file of at most 64 MiB", path);
        fclose(file);
        return NULL;
    }
    struct feed *feed = mem_calloc(1, sizeof(*feed));
    feed->twitter = twitter;
    char *line = NULL;
    size_t cap = 0, number = 0;
    for (ssize_t len; (len = getline(&line, &cap, file)) >= 0;) {
        take_line(feed, line, (size_t)len, ++number);
    }
    free(line);
    fclose(file);
    return feed;
}

void feed_free(struct feed *feed)
{
    if (feed == NULL) {
        return;
    }
    feed->twitter->api->timer_stop(feed->timer);
    for (size_t i = 0; i < feed->count; i++) {
        post_clear(&feed->post[i]);
    }
    free(feed->post);
    free(feed->chat);
    free(feed);
}

struct find_room {
    const char *chat, *address;
};

static int find_room(void *arg, const struct hr_room *room)
{
    struct find_room *find = arg;
    if (find->address == NULL && strcmp(room->chat, find->chat) == 0) {
        find->address = room->address;
    }
    return HR_OK;
}

static void show_next(struct feed *feed)
{
    struct twitter *twitter = feed->twitter;
    struct find_room find = {.chat = feed->chat};
    struct post *post = &feed->post[feed->next++];
    (void)twitter->api->net->rooms(twitter->bot, find_room, &find);
    if (find.address != NULL) {
        post->time_ms = twitter->api->now_ms(twitter->bot); /* it plays now, whenever it was written */
        (void)reader_take(twitter, post, find.address);
    }
}

static void schedule(struct feed *feed);

static void on_time(void *arg)
{
    struct feed *feed = arg;
    feed->timer = NULL;
    if (feed->next < feed->count) {
        show_next(feed);
    }
    schedule(feed);
}

/* The posts left share the time left evenly, with a gap before the end too. */
static void schedule(struct feed *feed)
{
    struct twitter *twitter = feed->twitter;
    twitter->api->timer_stop(feed->timer);
    feed->timer = NULL;
    if (feed->chat == NULL || feed->next == feed->count) {
        return;
    }
    int64_t now = twitter->api->now_ms(twitter->bot), left = feed->ends_ms - now;
    int64_t gap = left > 0 ? left / (int64_t)(feed->count - feed->next + 1) : 0;
    if (twitter->api->timer_at(twitter->bot, now + gap, on_time, feed, &feed->timer) != HR_OK) {
        twitter->api->log(twitter->bot, HR_ERROR, "no timer for the feed: the rest of it comes when the session ends");
    }
}

static void session_over(struct feed *feed)
{
    while (feed->next < feed->count) {
        show_next(feed);
    }
    schedule(feed);
    free(feed->chat);
    feed->chat = NULL;
}

static int64_t end_of(const struct feed *feed, const struct hr_chat *chat)
{
    int64_t ends = chat->size >= offsetof(struct hr_chat, ends_ms) + sizeof(chat->ends_ms) ? chat->ends_ms : 0;
    return ends > 0 ? ends : feed->twitter->api->now_ms(feed->twitter->bot) + HOUR_MS;
}

void feed_chat(struct feed *feed, const struct hr_chat *chat)
{
    if (feed->chat != NULL && strcmp(feed->chat, chat->name) == 0) {
        if (chat->session == 0) {
            session_over(feed);
        } else if (chat->size >= sizeof(*chat) && chat->ends_ms > 0 && chat->ends_ms != feed->ends_ms) {
            feed->ends_ms = chat->ends_ms;
            schedule(feed);
        }
        return;
    }
    struct find_room find = {.chat = chat->name};
    (void)feed->twitter->api->net->rooms(feed->twitter->bot, find_room, &find);
    if (feed->chat != NULL || chat->session == 0 || find.address == NULL) {
        return;
    }
    while (feed->next < feed->count && reader_seen(feed->twitter, feed->post[feed->next].key)) {
        feed->next++; /* a restart in mid-session goes on where it was */
    }
    feed->chat = mem_dup(chat->name);
    feed->ends_ms = end_of(feed, chat);
    schedule(feed);
}

size_t feed_left(const struct feed *feed)
{
    return feed->count - feed->next;
}

size_t feed_count(const struct feed *feed)
{
    return feed->count;
}
