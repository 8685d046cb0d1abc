/* SPDX-License-Identifier: MIT */
/* A picture or file from the homeserver: authenticated, bounded, decrypted off the loop, its hash compared first. */
#include "media.h"

#include "call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_MS = 45000 };

struct fetch {
    struct matrix *mx;
    media_fn *fn;
    void (*drop)(void *arg);
    void *arg;
    const struct media_type *type;
    bool sealed, redirected;
    struct attachment key;
    int status;
    char *bytes;
    size_t len;
};

static void fetch_free(struct fetch *fetch)
{
    attachment_clear(&fetch->key);
    free(fetch->bytes);
    free(fetch);
}

static void fetch_drop(void *arg)
{
    struct fetch *fetch = arg;
    if (fetch->drop != NULL) {
        fetch->drop(fetch->arg);
    }
    fetch_free(fetch);
}

static void end(struct fetch *fetch, int status)
{
    if (status == HR_OK && !media_type_fits(fetch->type, fetch->bytes, fetch->len)) {
        status = HR_EDENIED;
    }
    fetch->fn(fetch->mx, fetch->arg, status, status == HR_OK ? fetch->bytes : NULL, status == HR_OK ? fetch->len : 0);
    fetch_free(fetch);
}

static void on_thread(void *arg)
{
    struct fetch *fetch = arg;
    fetch->status = attachment_decrypt(&fetch->key, (uint8_t *)fetch->bytes, fetch->len);
}

static void on_decrypted(void *arg)
{
    struct fetch *fetch = arg;
    end(fetch, fetch->status);
}

static int launch(struct fetch *fetch, const char *path, bool elsewhere);

/* Some servers keep files elsewhere. Our token stays here. */
static bool goes_elsewhere(struct fetch *fetch, const struct call_reply *reply)
{
    bool redirect = reply->code >= 300 && reply->code < 400;
    for (const char *line = reply->headers; redirect && !fetch->redirected && line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (strncmp(line, "location: https://", 18) == 0) {
            const char *url = fetch->mx->api->print(fetch->mx->bot, "%.*s", (int)(len - 10), line + 10);
            fetch->redirected = true;
            return launch(fetch, url, true) == HR_OK;
        }
        line += len + (line[len] == '\n');
    }
    return false;
}

static void on_reply(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct fetch *fetch = arg;
    if (reply->status == HR_OK) {
        fetch->bytes = mem_copy(reply->body, reply->body_len);
        fetch->len = reply->body_len;
        if (!fetch->sealed) {
            end(fetch, HR_OK);
        } else if (mx->api->work(mx->bot, on_thread, on_decrypted, fetch_drop, fetch) < 0) {
            end(fetch, HR_ERETRY);
        }
    } else if (!goes_elsewhere(fetch, reply)) {
        bool gone = reply->code >= 300 && reply->code < 500 && reply->code != 429 && reply->code != 401;
        end(fetch, reply->status == HR_ELIMIT ? HR_ELIMIT : gone ? HR_ENOTFOUND : HR_ERETRY);
    }
}

static int launch(struct fetch *fetch, const char *path, bool elsewhere)
{
    struct matrix *mx = fetch->mx;
    const struct call_request request = {.method = "GET",
                                         .path = path,
                                         .raw = true,
                                         .no_token = elsewhere,
                                         .timeout_ms = TIMEOUT_MS,
                                         .max_bytes =
                                             (size_t)mx->api->option(mx->bot, "media_max_mb")->num * 1024 * 1024};
    return call_start(mx, &request, on_reply, fetch_drop, fetch);
}

void media_fetch(struct matrix *mx, const struct media_item *item, media_fn *fn, void (*drop)(void *arg), void *arg)
{
    struct fetch *fetch = mem_new(sizeof(*fetch));
    *fetch = (struct fetch){
        .mx = mx, .fn = fn, .drop = drop, .arg = arg, .type = item->type, .sealed = item->sealed, .key = item->key};
    const char *path =
        mx->api->print(mx->bot, "/_matrix/client/v1/media/download/%s/%s", call_encode(mx, item->server), item->media);
    if (mx->token == NULL || launch(fetch, path, false) < 0) {
        end(fetch, HR_ERETRY);
    }
}
