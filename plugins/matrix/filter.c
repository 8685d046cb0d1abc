/* SPDX-License-Identifier: MIT */
/* What of the stream is asked for. */
#include "filter.h"

#include "mem.h"

#include <stdlib.h>

static const int64_t KEEP_AFTER_MS = 5000; /* first of all the bot reads */

static const char *written_out(struct matrix *mx, bool names, int limit)
{
    /* Names are stored nowhere. The server sends each once; which it sent before a restart we don't know, and ask again
     * then with redundant members. Not always: Synapse takes each of them for somebody new whose keys have changed. */
    return mx->api->print(mx->bot,
                          "{\"presence\":{\"types\":[]},\"account_data\":{\"types\":[]},\"room\":{"
                          "\"account_data\":{\"types\":[]},\"ephemeral\":{\"types\":[]},"
                          "\"state\":{\"types\":" FILTER_TYPES ",\"lazy_load_members\":true,"
                          "\"include_redundant_members\":%s},"
                          "\"timeline\":{\"types\":" FILTER_TYPES ",\"limit\":%d,\"lazy_load_members\":true}}}",
                          names ? "true" : "false", limit);
}

const char *filter_value(struct matrix *mx, bool names, int limit)
{
    mx->filter_named = mx->filter != NULL && !names && limit == FILTER_LIMIT;
    return call_encode(mx, mx->filter_named ? mx->filter : written_out(mx, names, limit));
}

static void on_kept(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    const char *id = reply->status == HR_OK ? json_string_value(json_object_get(reply->json, "filter_id")) : NULL;
    (void)arg;
    if (id != NULL && id[0] != '\0' && id[0] != '{' && strlen(id) <= 255) { /* a brace would make it a filter */
        mem_set(&mx->filter, id);
    }
}

static void on_time(void *arg)
{
    struct matrix *mx = arg;
    mx->filter_timer = NULL;
    struct call_request request = {
        .method = "POST",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/user/%s/filter", call_encode(mx, mx->user)),
        .body = written_out(mx, false, FILTER_LIMIT),
        .handle = &mx->filter_call,
    };
    (void)call_start(mx, &request, on_kept, NULL, NULL); /* if not, it is written out as before */
}

void filter_keep(struct matrix *mx)
{
    if (!mx->filter_asked) {
        mx->filter_asked = mx->api->timer_in(mx->bot, KEEP_AFTER_MS, 0, on_time, mx, &mx->filter_timer) == HR_OK;
    }
}

bool filter_lost(struct matrix *mx, const struct call_reply *reply)
{
    if (!mx->filter_named || reply->errcode[0] == '\0' || (reply->code != 400 && reply->code != 404)) {
        return false; /* a proxy's page is no verdict of the server */
    }
    mem_set(&mx->filter, NULL);
    return true;
}

void filter_stop(struct matrix *mx)
{
    mx->api->timer_stop(mx->filter_timer);
    mx->filter_timer = NULL;
    call_cancel(mx->filter_call);
    mem_set(&mx->filter, NULL); /* it belongs to the account */
    mx->filter_asked = false;
}
