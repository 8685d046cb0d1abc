/* SPDX-License-Identifier: MIT */
/* A picture from one Matrix room into another: fetched, encrypted anew where the room is, uploaded, sent. */
#include "media.h"

#include "call.h"
#include "e2ee/curve.h"
#include "room.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 3, UPLOAD_MS = 60000 };

struct copy {
    struct matrix *mx;
    struct hr_part part; /* txn is ours; room and body are not set */
    char *txn, *address;
    json_t *event; /* as render() made it: words to fall back on */
    struct media_item item;
    bool seal; /* for an encrypted room */
    struct attachment key;
    int status;
    uint8_t *bytes;
    size_t len;
};

static void copy_free(void *arg)
{
    struct copy *copy = arg;
    attachment_clear(&copy->item.key);
    attachment_clear(&copy->key);
    json_decref(copy->event);
    free(copy->txn);
    free(copy->address);
    free(copy->bytes);
    free(copy);
}

/* ---- contents ----------------------------------------------------------------------- */

static json_t *media_content(const struct copy *copy, const char *uri)
{
    const struct media_item *item = &copy->item;
    const char *caption = scan_text(json_object_get(copy->event, "media"), "caption");
    json_t *info = json_pack("{s:s, s:I}", "mimetype", item->type->name, "size", (json_int_t)copy->len);
    if (item->width > 0 && item->height > 0) {
        json_object_set_new(info, "w", json_integer((json_int_t)item->width));
        json_object_set_new(info, "h", json_integer((json_int_t)item->height));
    }
    const char *name =
        item->name[0] != '\0' ? item->name : copy->mx->api->print(copy->mx->bot, "file.%s", item->type->extension);
    json_t *content = json_pack("{s:s, s:s, s:s, s:o, s:{}}", "msgtype", item->kind, "body",
                                caption != NULL ? caption : name, "filename", name, "info", info, "m.mentions");
    if (copy->seal) {
        json_object_set_new(content, "file", attachment_json(&copy->key, uri));
    } else {
        json_object_set_new(content, "url", json_string(uri));
    }
    return content;
}

/* The event with the picture in place of the words, related to others as they are. */
static json_t *picture_event(const struct copy *copy, const char *uri)
{
    json_t *content = media_content(copy, uri), *words = json_object_get(copy->event, "content");
    json_t *relates = json_object_get(words, "m.relates_to");
    if (json_object_get(words, "m.new_content") != NULL) {
        json_t *fresh = json_deep_copy(content);
        json_object_set_new(content, "m.new_content", fresh);
    }
    if (relates != NULL) {
        json_object_set(content, "m.relates_to", relates);
    }
    return json_pack("{s:s, s:o}", "type", "m.room.message", "content", content);
}

/* ---- the end -------------------------------------------------------------------------- */

static void finish(struct copy *copy, const json_t *event)
{
    struct matrix *mx = copy->mx;
    struct mx_room *room = room_by_address(mx, copy->address);
    bool fits =
        room != NULL && room->up && mx->token != NULL && (event == copy->event || room->encrypted == copy->seal);
    int rc = fits ? send_event(mx, room, &copy->part, event) : HR_ERETRY;
    if (rc < 0) {
        mx->net->sent(mx->bot, copy->part.id, rc, NULL, rc == HR_ERETRY ? 2000 : 0, "the picture could not be sent");
    }
    copy_free(copy);
}

/* Not now: again, some times; then the words alone, which name the picture and where it can be opened. */
static void failed(struct copy *copy, int status)
{
    struct matrix *mx = copy->mx;
    if (status == HR_ERETRY && copy->part.attempt < MAX_TRIES) {
        mx->net->sent(mx->bot, copy->part.id, HR_ERETRY, NULL, 5000, "the picture could not be fetched or uploaded");
        copy_free(copy);
        return;
    }
    mx->api->log(mx->bot, HR_INFO, "a picture is handed on to %s in words alone (status %d)", copy->address, status);
    finish(copy, copy->event);
}

static void on_uploaded(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct copy *copy = arg;
    char server[256], media[256];
    const char *uri = scan_text(reply->json, "content_uri");
    (void)mx;
    if (reply->status != HR_OK || !media_uri(uri, server, media)) {
        failed(copy, reply->status == HR_EFAIL ? HR_EFAIL : HR_ERETRY);
        return;
    }
    json_t *event = picture_event(copy, uri);
    finish(copy, event);
    json_decref(event);
}

static void upload(struct copy *copy)
{
    struct matrix *mx = copy->mx;
    const struct call_request request = {.method = "POST",
                                         .path = "/_matrix/media/v3/upload",
                                         .body = (const char *)copy->bytes,
                                         .body_len = copy->len,
                                         .type = copy->seal ? "application/octet-stream" : copy->item.type->name,
                                         .timeout_ms = UPLOAD_MS};
    if (mx->token == NULL || call_start(mx, &request, on_uploaded, copy_free, copy) < 0) {
        failed(copy, HR_ERETRY);
    }
}

static void on_thread(void *arg)
{
    struct copy *copy = arg;
    attachment_encrypt(&copy->key, copy->bytes, copy->len);
}

static void on_encrypted(void *arg)
{
    upload(arg);
}

static void on_bytes(struct matrix *mx, void *arg, int status, char *bytes, size_t len)
{
    struct copy *copy = arg;
    const struct mx_room *room = room_by_address(mx, copy->address);
    if (status < 0 || len == 0) {
        failed(copy, status < 0 ? status : HR_ENOTFOUND);
        return;
    }
    copy->bytes = (uint8_t *)mem_copy(bytes, len);
    copy->len = len;
    copy->seal = room != NULL && room->encrypted;
    if (!copy->seal) {
        upload(copy);
    } else if (mx->api->work(mx->bot, on_thread, on_encrypted, copy_free, copy) < 0) {
        failed(copy, HR_ERETRY);
    }
}

int media_copy(struct mx_room *room, const struct hr_part *part, const json_t *event)
{
    struct matrix *mx = room->mx;
    struct copy *copy = mem_new(sizeof(*copy));
    const char *origin = scan_text(json_object_get(event, "media"), "origin");
    json_t *sealed = room->encrypted ? e2ee_sealed(mx, part->txn) : NULL; /* an earlier try is sent as it was */
    bool made = sealed != NULL;
    json_decref(sealed);
    if (made || origin == NULL || media_find(mx, NULL, origin, &copy->item) < 0) {
        free(copy);
        return send_event(mx, room, part, event);
    }
    copy->mx = mx;
    copy->txn = mem_dup(part->txn);
    copy->address = mem_dup(room->address);
    copy->event = json_deep_copy(event);
    copy->part = *part;
    copy->part.txn = copy->txn;
    copy->part.room = NULL;
    copy->part.body = NULL;
    copy->part.body_len = 0;
    media_fetch(mx, &copy->item, on_bytes, copy_free, copy);
    return HR_OK;
}
