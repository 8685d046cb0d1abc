/* SPDX-License-Identifier: MIT */
/* A line that may have arrived: looked for in the room's history. */
#include "doubt.h"

#include "call.h"
#include "e2ee/e2ee.h"
#include "event.h"
#include "room.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 100, MAX_PAGES = 30, MAX_TOKEN = 1024, MAX_REPLY = 16 * 1024 * 1024 };

/* An event is dated by its age, so two clocks that differ do no harm; one that was set might. */
static const int64_t SAME_MS = 2000, BEFORE_MS = 60000;

struct doubt {
    struct matrix *mx;
    uint64_t part;
    int attempt;
    char *txn, *body, *address;
    size_t body_len;
    int64_t first_ms;
    json_t *event; /* what is looked for: type and content */
    char *from;    /* where the next page starts, or NULL */
    unsigned pages;
    struct call *call;
    struct doubt *next, **link;
};

static void doubt_free(struct doubt *doubt)
{
    *doubt->link = doubt->next;
    if (doubt->next != NULL) {
        doubt->next->link = doubt->link;
    }
    call_cancel(doubt->call);
    json_decref(doubt->event);
    free(doubt->txn);
    free(doubt->body);
    free(doubt->address);
    free(doubt->from);
    free(doubt);
}

static void settle(struct doubt *doubt, int status, const char *id, int64_t retry_ms, const char *reason)
{
    struct matrix *mx = doubt->mx;
    uint64_t part = doubt->part;
    doubt_free(doubt);
    mx->net->sent(mx->bot, part, status, id, retry_ms, reason);
}

/* ---- one page of history ------------------------------------------------------------- */

struct page {
    struct doubt *doubt;
    char found[256];
    bool vague;  /* something that may be it, and may not */
    bool before; /* the first try is later than this */
    size_t count;
};

static bool is_own_server(const struct matrix *mx, const char *sender)
{
    return strcmp(matrix_server(sender), matrix_server(mx->user)) == 0;
}

static int look_at(struct page *page, const struct event *event)
{
    struct doubt *doubt = page->doubt;
    struct matrix *mx = doubt->mx;
    const char *type = scan_text(doubt->event, "type");
    if (event->age_ms < 0 || !is_own_server(mx, event->sender)) {
        return HR_OK; /* whoever runs another server may date events as they like */
    }
    int64_t at_ms = mx->api->wall_ms(mx->bot) - event->age_ms;
    if (at_ms < doubt->first_ms - BEFORE_MS) {
        page->before = true;
        return HR_EEXIST;
    }
    if (strcmp(event->sender, mx->user) != 0 || type == NULL || strcmp(event->type, type) != 0) {
        return HR_OK;
    }
    bool same = json_equal(event->content, json_object_get(doubt->event, "content"));
    if (same && at_ms >= doubt->first_ms - SAME_MS) {
        memcpy(page->found, event->id, sizeof(page->found));
        return HR_EEXIST;
    }
    page->vague = page->vague || same || json_object_size(event->content) == 0; /* empty: somebody removed it */
    return HR_OK;
}

static int on_event(void *arg, struct scan json)
{
    struct page *page = arg;
    struct event event;
    char err[120];
    int rc = HR_OK;
    page->count++;
    if (event_read(&event, json, err, sizeof(err)) == HR_OK) {
        rc = look_at(page, &event);
    }
    event_clear(&event);
    return rc;
}

static int ask(struct doubt *doubt);

static void put_again(struct doubt *doubt)
{
    struct matrix *mx = doubt->mx;
    struct mx_room *room = room_by_address(mx, doubt->address);
    const struct hr_part part = {.size = sizeof(part),
                                 .id = doubt->part,
                                 .txn = doubt->txn,
                                 .body = doubt->body,
                                 .body_len = doubt->body_len,
                                 .attempt = doubt->attempt};
    mx->api->log(mx->bot, HR_INFO, "a line that was in doubt is not in %s; it is said again", doubt->address);
    int rc = room == NULL ? HR_ERETRY : send_again(mx, room, &part);
    if (rc < 0) {
        settle(doubt, rc, NULL, 0, "the room is not ready");
    } else {
        doubt_free(doubt);
    }
}

static void on_page(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct doubt *doubt = arg;
    struct page page = {.doubt = doubt};
    struct scan all = {reply->body, reply->body_len}, chunk;
    char end[MAX_TOKEN];
    if (reply->status == HR_ERETRY) {
        int64_t wait_ms = matrix_backoff_ms(mx, (unsigned)doubt->attempt);
        settle(doubt, HR_ERETRY, NULL, reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms, reply->words);
        return;
    }
    if (reply->status != HR_OK || scan_get(all, "chunk", &chunk) < 0) {
        settle(doubt, HR_EUNKNOWN, NULL, 0,
               mx->api->print(mx->bot, "it may have arrived, and the room's history can't be read (%s)", reply->words));
        return;
    }
    (void)scan_array(chunk, on_event, &page);
    bool more = scan_get_string(all, "end", end, sizeof(end)) == HR_OK &&
                (doubt->from == NULL || strcmp(end, doubt->from) != 0);
    if (page.found[0] != '\0') {
        mx->api->log(mx->bot, HR_INFO, "a line that was in doubt is in %s: %s", doubt->address, page.found);
        settle(doubt, HR_OK, page.found, 0, NULL);
    } else if (page.vague || (!page.before && more && ++doubt->pages >= MAX_PAGES)) {
        settle(doubt, HR_EUNKNOWN, NULL, 0, "it may have arrived, and the room's history does not tell");
    } else if (page.before || !more) {
        put_again(doubt);
    } else {
        mem_set(&doubt->from, end);
        if (ask(doubt) < 0) {
            settle(doubt, HR_ERETRY, NULL, 0, "the request could not be made");
        }
    }
}

static int ask(struct doubt *doubt)
{
    struct matrix *mx = doubt->mx;
    const struct mx_room *room = room_by_address(mx, doubt->address);
    if (room == NULL || room->id == NULL) {
        return HR_ERETRY;
    }
    const char *from = doubt->from == NULL ? "" : mx->api->print(mx->bot, "&from=%s", call_encode(mx, doubt->from));
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/rooms/%s/messages?dir=b&limit=%d%s",
                               call_encode(mx, room->id), PAGE, from),
        .max_bytes = MAX_REPLY,
        .raw = true,
        .handle = &doubt->call,
    };
    return call_start(mx, &request, on_page, NULL, doubt);
}

/* ---- the way in -------------------------------------------------------------------------- */

/* The event as it went out: in an encrypted room that is its ciphertext. */
static json_t *event_of(struct matrix *mx, const struct mx_room *room, const struct hr_part *part)
{
    json_t *sealed = room->encrypted ? e2ee_sealed(mx, part->txn) : NULL;
    if (room->encrypted) {
        return json_pack("{s:s, s:o}", "type", "m.room.encrypted", "content", sealed); /* NULL where there is none */
    }
    return json_loadb(part->body, part->body_len, 0, NULL);
}

int doubt_look_up(struct matrix *mx, const struct mx_room *room, const struct hr_part *part)
{
    json_t *event = event_of(mx, room, part);
    if (event == NULL || json_object_get(event, "content") == NULL) {
        json_decref(event);
        return HR_EUNKNOWN;
    }
    for (struct doubt *doubt = mx->doubts, *next; doubt != NULL; doubt = next) {
        next = doubt->next;
        if (doubt->part == part->id) { /* the network was down in between */
            doubt_free(doubt);
        }
    }
    struct doubt *doubt = mem_new(sizeof(*doubt));
    *doubt = (struct doubt){.mx = mx,
                            .part = part->id,
                            .attempt = part->attempt,
                            .txn = mem_dup(part->txn),
                            .body = mem_copy(part->body, part->body_len),
                            .body_len = part->body_len,
                            .address = mem_dup(room->address),
                            .first_ms = part->first_ms,
                            .event = event,
                            .next = mx->doubts,
                            .link = &mx->doubts};
    if (doubt->next != NULL) {
        doubt->next->link = &doubt->next;
    }
    mx->doubts = doubt;
    if (mx->token == NULL || !room->up || ask(doubt) < 0) {
        doubt_free(doubt);
        return HR_ERETRY;
    }
    return HR_OK;
}

void doubt_stop_all(struct matrix *mx)
{
    while (mx->doubts != NULL) {
        doubt_free(mx->doubts);
    }
}
