/* SPDX-License-Identifier: MIT */
/* A delivery becomes parts: rendered, frozen, claimed; the first one leaves after the commit. */
#include "claim.h"
#include "instance.h"
#include "log.h"
#include "merge.h"
#include "network.h"
#include "pace.h"
#include "plugins.h"
#include "pump_delivery.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

enum { PARTS_MAX = 64 };

/* ---- sending a frozen part --------------------------------------------------- */

struct send {
    struct outbox *outbox;
    uint64_t part;
};

static void do_send(void *arg)
{
    struct send send = *(struct send *)arg;
    free(arg);
    struct piece *piece;
    HASH_FIND(hh, send.outbox->pieces, &send.part, sizeof(send.part), piece);
    if (piece == NULL || !piece->in_flight || piece->room->network == NULL) {
        return; /* settled or taken back since */
    }
    struct hr_bot *bot = piece->room->network->bot;
    instance_enter(bot);
    struct arena *arena = instance_arena(bot);
    struct hr_part part = {
        .size = sizeof(part),
        .id = piece->id,
        .txn = arena_printf(arena, "%s.%llu", piece->store, (unsigned long long)piece->id),
        .room = &piece->room->hr,
        .act = piece->act,
        .body = arena_strndup(arena, piece->body, piece->body_len),
        .body_len = piece->body_len,
        .attempt = piece->attempt,
        .flags = piece->doubt ? HR_PART_DOUBT : 0,
        .first_ms = piece->first_ms,
        .priority = piece->claim->priority,
    };
    int rc = bot->plugin->network->send(bot->state, &part);
    instance_leave(bot, HR_OK);
    if (rc < 0) {
        outbox_sent(send.outbox, bot, send.part, rc, NULL, -1, NULL);
    }
}

void claim_launch(struct outbox *outbox, struct network *network, struct piece *piece, bool row_is_claimed)
{
    piece->in_flight = true;
    piece->attempt++;
    if (piece->first_ms == 0) {
        piece->first_ms = clock_wall_ms();
    }
    if (!row_is_claimed) {
        row_part_claimed(outbox, piece);
    }
    piece->room->lane.in_flight++;
    network->in_flight++;
    pace_spend(network, 1);
    struct send *send = xcalloc(1, sizeof(*send));
    *send = (struct send){.outbox = outbox, .part = piece->id};
    turn_effect(outbox->app->turn, do_send, free, send);
}

/* ---- rendering a delivery into parts ------------------------------------------- */

struct collect {
    struct hr_parts hr;
    struct {
        char *body;
        size_t len;
    } part[PARTS_MAX];
    size_t count;
    bool over;
};

static void collect_add(struct hr_parts *parts, const void *body, size_t len)
{
    struct collect *collect = (struct collect *)parts;
    if (len == 0 || collect->count == PARTS_MAX) {
        collect->over = true;
        return;
    }
    collect->part[collect->count].body = xstrndup(body, len);
    collect->part[collect->count++].len = len;
}

static void freeze(struct outbox *outbox, struct network *network, const struct item *const *items, size_t count,
                   struct collect *collect)
{
    struct claim *claim = lane_claim(count);
    claim->count = count;
    claim->pieces = (int)collect->count;
    claim->priority = items[0]->priority;
    for (size_t i = 0; i < count; i++) {
        claim->carried[i] = (struct carried){.delivery = items[i]->delivery, .message = items[i]->message};
        row_delivery_claimed(outbox, items[i]->delivery);
    }
    for (size_t i = 0; i < collect->count; i++) {
        struct piece *piece = xcalloc(1, sizeof(*piece));
        piece->store = xstrdup(store_id(outbox->app->store));
        piece->room = items[0]->room;
        piece->claim = claim;
        piece->act = items[0]->act;
        piece->body = collect->part[i].body;
        piece->body_len = collect->part[i].len;
        piece->id = row_part(outbox, piece->room, piece->act, piece->body, piece->body_len, i == 0, claim);
        lane_add_piece(outbox, piece);
        if (i == 0) {
            claim_launch(outbox, network, piece, true);
        }
    }
}

static void collect_reset(struct collect *collect)
{
    for (size_t i = 0; i < collect->count; i++) {
        free(collect->part[i].body);
    }
    collect->count = 0;
    collect->over = false;
}

/* Renders what the items have to say; an edit of a merged part says all of that part anew. */
static int render(struct outbox *outbox, struct hr_bot *bot, const struct item *const *items, size_t count,
                  struct collect *collect, char *err, size_t err_size)
{
    struct hr_delivery delivery[LANE_MERGE_MAX];
    const struct hr_delivery *list[LANE_MERGE_MAX];
    struct item sibling[LANE_MERGE_MAX];
    const struct item *said[LANE_MERGE_MAX];
    const struct item *first = items[0];
    size_t said_count = items[0]->act == HR_ACT_EDIT ? merge_siblings(outbox, items[0], sibling) : 0;
    for (size_t i = 0; i < said_count; i++) {
        said[i] = &sibling[i];
    }
    if (said_count > 1) {
        items = said;
        count = said_count;
    }
    for (size_t i = 0; i < count; i++) {
        int rc = pump_delivery(outbox, items[i], instance_arena(bot), &delivery[i]);
        if (rc != HR_OK) {
            snprintf(err, err_size, "what it says is no longer in the log");
            return rc;
        }
        delivery[i].changed = items[i]->message == first->message;
        list[i] = &delivery[i];
    }
    int rc = bot->plugin->network->render(bot->state, list, count, &collect->hr, err, err_size);
    if (rc == HR_OK && collect->over) {
        snprintf(err, err_size, "it needs more than %d lines", PARTS_MAX);
        return HR_ELIMIT;
    }
    return rc;
}

static void not_said(struct outbox *outbox, const struct item *item, int rc, const char *err)
{
    row_delivery_state(outbox, item->delivery, rc == HR_OK ? "expired" : "refused",
                       err[0] != '\0' ? err : "nothing to say here");
    if (rc != HR_OK) {
        log_line(HR_WARN, item->room->network->bot->who, "%s: a line can't be said here: %s", item->room->hr.address,
                 err);
    }
}

void claim_item(struct outbox *outbox, struct network *network, struct item *first, double tokens)
{
    struct hr_bot *bot = network->bot;
    char err[256] = "";
    const struct item *items[LANE_MERGE_MAX];
    size_t count = merge_gather(network, first, tokens, items);
    struct collect *collect = xcalloc(1, sizeof(*collect));
    collect->hr.add = collect_add;
    turn_write(outbox->app->turn); /* what has arrived is settled before it is asked what was said here */
    instance_enter(bot);
    int rc = render(outbox, bot, items, count, collect, err, sizeof(err));
    while (rc != HR_OK && count > 1) { /* too much at once, or one of them can't be said */
        collect_reset(collect);
        count = count * 3 / 4;
        rc = render(outbox, bot, items, count, collect, err, sizeof(err));
    }
    instance_leave(bot, HR_OK);
    struct room *room = first->room;
    enum hr_priority priority = first->priority;
    if (rc == HR_OK && collect->count > 0) {
        freeze(outbox, network, items, count, collect);
    } else {
        not_said(outbox, first, rc, err);
        collect_reset(collect);
        count = 1; /* the others come again by themselves */
    }
    free(collect);
    for (size_t i = 0; i < count; i++) {
        lane_pop(room, priority); /* they are the first of the lane */
    }
}
