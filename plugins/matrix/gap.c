/* SPDX-License-Identifier: MIT */
/* Messages that a reply of the long poll left out. */
#include "gap.h"

#include "batch.h"
#include "call.h"
#include "event.h"
#include "filter.h"
#include "member.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 100, MAX_TRIES = 6, MAX_TOKEN = 1024, MAX_REPLY = 16 * 1024 * 1024 };

static void fetch(struct gap *gap);

struct gap *gap_new(struct matrix *mx, struct mx_room *room, const char *from, const char *to, const char *known)
{
    struct gap *gap = mem_new(sizeof(*gap));
    *gap = (struct gap){
        .mx = mx, .no = ++mx->gap_no, .room = room, .from = mem_dup(from), .to = mem_dup(to), .known = mem_dup(known)};
    return gap;
}

void gap_free(struct gap *gap)
{
    if (gap == NULL) {
        return;
    }
    for (size_t i = 0; i < gap->count; i++) {
        free(gap->event[i]);
    }
    gap->mx->api->timer_stop(gap->timer);
    gap->mx->gap_bytes -= gap->bytes;
    free(gap->event);
    free(gap->len);
    free(gap->from);
    free(gap->to);
    free(gap->known);
    free(gap);
}

static void finish(struct gap *gap)
{
    gap->ended = true;
    gap->done(gap->mx);
}

static int on_event(void *arg, struct scan json)
{
    struct gap *gap = arg;
    char id[256];
    if (gap->known != NULL && scan_get_string(json, "event_id", id, sizeof(id)) == HR_OK &&
        strcmp(id, gap->known) == 0) {
        gap->ended = true;
        return HR_EEXIST;
    }
    if (gap->count == GAP_MAX_EVENTS || gap->bytes + json.len > GAP_MAX_BYTES ||
        gap->mx->gap_bytes + json.len > GAP_MAX_BYTES_ALL) {
        matrix_error(gap->mx, "more than %zu messages in %s while away: the older ones are left out", gap->count,
                     gap->room->address);
        gap->ended = gap->lost = true;
        return HR_ELIMIT;
    }
    size_t cap = gap->cap;
    gap->event = mem_grow(gap->event, gap->count, &gap->cap, sizeof(*gap->event));
    gap->len = mem_grow(gap->len, gap->count, &cap, sizeof(*gap->len));
    gap->event[gap->count] = mem_copy(json.at, json.len);
    gap->len[gap->count++] = json.len;
    gap->bytes += json.len;
    gap->mx->gap_bytes += json.len;
    return HR_OK;
}

static int on_state(void *arg, struct scan json)
{
    struct gap *gap = arg;
    struct event event;
    char err[120];
    if (event_read(&event, json, err, sizeof(err)) == HR_OK && strcmp(event.type, "m.room.member") == 0) {
        member_event(gap->room, &event);
    }
    event_clear(&event);
    return HR_OK;
}

static void on_timer(void *arg)
{
    struct gap *gap = arg;
    gap->timer = NULL;
    fetch(gap);
}

static void on_page(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct gap *gap = batch_gap(mx, (uintptr_t)arg);
    struct scan all = {reply->body, reply->body_len}, chunk, state;
    char end[MAX_TOKEN];
    if (gap == NULL) {
        return; /* given up in the meantime */
    }
    size_t before = gap->count;
    if (reply->status == HR_ERETRY && ++gap->tries < MAX_TRIES) {
        int64_t wait_ms = matrix_backoff_ms(mx, gap->tries);
        wait_ms = reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms;
        if (mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, gap, &gap->timer) == HR_OK) {
            return;
        }
    }
    if (reply->status != HR_OK || scan_get(all, "chunk", &chunk) < 0) {
        matrix_error(mx, "messages of %s while away could not be fetched (%s): some are left out", gap->room->address,
                     reply->words);
        gap->lost = true;
        finish(gap);
        return;
    }
    if (scan_get(all, "state", &state) == HR_OK) {
        (void)scan_array(state, on_state, gap);
    }
    (void)scan_array(chunk, on_event, gap);
    if (gap->ended || gap->count == before || scan_get_string(all, "end", end, sizeof(end)) < 0 ||
        strcmp(end, gap->from) == 0) {
        finish(gap);
        return;
    }
    mem_set(&gap->from, end);
    gap->tries = 0;
    fetch(gap);
}

static void fetch(struct gap *gap)
{
    struct matrix *mx = gap->mx;
    const char *to = gap->to == NULL ? "" : mx->api->print(mx->bot, "&to=%s", call_encode(mx, gap->to));
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/messages?dir=b&limit=%d&from=%s%s&filter=%s",
                               call_encode(mx, gap->room->id), PAGE, call_encode(mx, gap->from), to,
                               call_encode(mx, "{\"types\":" FILTER_TYPES ",\"lazy_load_members\":true}")),
        .max_bytes = MAX_REPLY,
        .raw = true,
    };
    if (call_start(mx, &request, on_page, NULL, (void *)gap->no) < 0) {
        matrix_error(mx, "messages of %s while away could not be asked for: some are left out", gap->room->address);
        gap->lost = true;
        finish(gap);
    }
}

static int on_room(void *arg, const struct hr_room *hr)
{
    const struct gap *gap = arg;
    struct matrix *mx = gap->mx;
    if (strcmp(hr->address, gap->room->address) != 0) {
        return HR_OK;
    }
    const struct hr_say say = {
        .size = sizeof(say),
        .text = gap->count > 0 ? mx->api->words(mx->bot, "gap_older", NULL) : mx->api->words(mx->bot, "gap_all", NULL),
        .priority = HR_TIMING,
        .key = mx->api->print(mx->bot, "gap %s", gap->known != NULL ? gap->known : ""), /* once, also after a kill */
    };
    (void)mx->api->say(mx->bot, &hr->id, 1, &say, NULL);
    return HR_EEXIST;
}

void gap_tell_loss(struct gap *gap)
{
    if (gap->lost && !gap->room->private) {
        (void)gap->mx->net->rooms(gap->mx->bot, on_room, gap);
    }
}

void gap_start(struct gap *gap, void (*done)(struct matrix *mx))
{
    gap->done = done;
    fetch(gap);
}
