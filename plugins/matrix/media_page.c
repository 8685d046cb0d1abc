/* SPDX-License-Identifier: MIT */
/* What is behind the address of a picture: signed, for some days, as long as the message stands. */
#include "media.h"

#include "e2ee/curve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID = BASE64_SIZE(MEDIA_ID_BYTES) - 1 };

static const int64_t keep_ms = 60000; /* in memory, for the many who open it at once */

struct visit {
    struct matrix *mx;
    char *path;
    const struct media_type *type;
    char *name;
    int64_t expires_ms;
};

static void visit_free(void *arg)
{
    struct visit *visit = arg;
    visit->mx->media_fetches--;
    free(visit->path);
    free(visit->name);
    free(visit);
}

static int say(struct matrix *mx, const char *path, int code, const char *text)
{
    const struct hr_page page = {
        .size = sizeof(page), .code = code, .type = "text/plain; charset=utf-8", .bytes = text, .len = strlen(text)};
    return mx->api->page(mx->bot, path, &page);
}

static int say_gone(struct matrix *mx, const char *path)
{
    return say(mx, path, 404, "There is nothing here, or its time is over. People in the room can post it again.\n");
}

static void on_bytes(struct matrix *mx, void *arg, int status, char *bytes, size_t len)
{
    struct visit *visit = arg;
    int64_t left_ms = visit->expires_ms - mx->api->now_ms(mx->bot);
    const struct hr_page page = {.size = sizeof(page),
                                 .code = 200,
                                 .type = visit->type->name,
                                 .file_name = visit->name,
                                 .download = !visit->type->shown,
                                 .bytes = bytes,
                                 .len = len,
                                 .keep_ms = left_ms < keep_ms ? left_ms : keep_ms};
    int rc = HR_OK;
    if (status == HR_OK) {
        rc = mx->api->page(mx->bot, visit->path, &page);
        status = rc < 0 ? HR_ERETRY : HR_OK; /* memory is full */
    }
    if (status == HR_ELIMIT) {
        (void)say(mx, visit->path, 413, "This file is too big to be shown here.\n");
    } else if (status == HR_EDENIED) {
        mx->api->log(mx->bot, HR_WARN, "a file is not what it was said to be (hash or type); nobody was given it");
        (void)say(mx, visit->path, 415, "This file is not what it was said to be. It is not given out.\n");
    } else if (status == HR_ENOTFOUND) {
        (void)say_gone(mx, visit->path);
    } else if (status < 0) {
        (void)say(mx, visit->path, 503, "The server does not give this file now. Try again in a minute.\n");
    }
    visit_free(visit);
}

static int find(struct matrix *mx, const char *path, struct media_item *item)
{
    char id[ID + 1];
    (void)snprintf(id, sizeof(id), "%s", path);
    int rc = media_find(mx, id, NULL, item);
    if (rc < 0) {
        return rc;
    }
    const char *want = media_path(mx, item);
    if (strlen(want) == strlen(path) && curve_equal(want, path, strlen(path))) {
        return HR_OK;
    }
    attachment_clear(&item->key);
    return HR_ENOTFOUND;
}

void media_forget(struct matrix *mx, const struct media_item *item)
{
    if (mx->media_pages) {
        (void)say_gone(mx, media_path(mx, item));
    }
}

int media_page(void *arg, const char *path)
{
    struct matrix *mx = arg;
    struct media_item item;
    int rc = find(mx, path, &item);
    if (rc == HR_ENOTFOUND) {
        return say_gone(mx, path);
    }
    if (rc < 0) {
        return rc;
    }
    if (mx->media_fetches >= MEDIA_MAX_FETCHES || mx->token == NULL) {
        attachment_clear(&item.key);
        return say(mx, path, 503, "Not now. Try again in a minute.\n");
    }
    struct visit *visit = mem_new(sizeof(*visit));
    *visit = (struct visit){
        .mx = mx, .path = mem_dup(path), .type = item.type, .name = mem_dup(item.name), .expires_ms = item.expires_ms};
    mx->media_fetches++;
    media_fetch(mx, &item, on_bytes, visit_free, visit);
    attachment_clear(&item.key);
    return HR_OK;
}
