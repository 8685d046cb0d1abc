/* SPDX-License-Identifier: MIT */
/* At the end of each turn: what may go now is chosen; the commit lets it leave. */
#include "calm.h"
#include "claim.h"
#include "instance.h"
#include "log.h"
#include "message.h"
#include "network.h"
#include "outbox_rows.h"
#include "pace.h"
#include "plugins.h"
#include "pump_delivery.h"
#include "room.h"
#include "turn.h"
#include "xalloc.h"

enum { REPLY_WAIT_MS = 5000, NEVER_MS = 3600 * 1000 };

/* ---- choosing ---------------------------------------------------------------- */

struct choice {
    struct piece *piece; /* a frozen part that waits, or */
    struct item *item;
    enum hr_priority priority;
    uint64_t order;
};

/* May the first item of a lane be rendered now? If not, wake_ms says when to look again. */
static bool item_is_ready(struct outbox *outbox, const struct item *item, int64_t now_ms, int64_t *wake_ms)
{
    if (item->act != HR_ACT_SAY) {
        return !pump_say_is_open(outbox, item->message, item->room) &&
               !pump_removal_is_open(outbox, item->message, item->room) &&
               (item->act != HR_ACT_REMOVE || !pump_words_are_open(outbox, item->message, item->room));
    }
    if (item->priority == HR_POSTS) {
        int64_t wait_ms = calm_wait_ms(outbox, item);
        if (wait_ms > 0) {
            *wake_ms = now_ms + wait_ms < *wake_ms ? now_ms + wait_ms : *wake_ms;
            return false;
        }
    }
    if (item->reply_to != 0 && now_ms < item->made_ms + REPLY_WAIT_MS &&
        pump_say_is_open(outbox, item->reply_to, item->room)) {
        *wake_ms = item->made_ms + REPLY_WAIT_MS < *wake_ms ? item->made_ms + REPLY_WAIT_MS : *wake_ms;
        return false;
    }
    return true;
}

static void expire_heads(struct outbox *outbox, struct room *room)
{
    int64_t now = clock_chat_ms(&outbox->app->clock);
    for (int p = 0; p < LANE_PRIORITIES; p++) {
        struct item *item;
        while ((item = room->lane.head[p]) != NULL && item->expires_ms != 0 && item->expires_ms <= now) {
            row_delivery_state(outbox, item->delivery, "expired", "its time had passed");
            log_line(HR_INFO, room->network->bot->who, "%s: a line was left out, its time had passed",
                     room->hr.address);
            lane_pop(room, (enum hr_priority)p);
        }
    }
    calm_leave_out(outbox, room, now);
}

static bool room_choice(struct outbox *outbox, struct room *room, int64_t now_ms, int64_t *wake_ms, struct choice *out)
{
    const struct hr_limits *limits = &room->network->limits;
    expire_heads(outbox, room);
    if (!room->up || (limits->window > 0 && room->lane.in_flight >= limits->window)) {
        return false;
    }
    for (struct piece *piece = room->lane.piece; piece != NULL; piece = piece->next) {
        if (!piece->in_flight && !piece->arrived) { /* a line that has begun is finished first */
            *out = (struct choice){.piece = piece, .priority = HR_QUESTION, .order = 0};
            return true;
        }
    }
    for (int p = 0; p < LANE_PRIORITIES; p++) {
        struct item *item = room->lane.head[p];
        if (item != NULL && item_is_ready(outbox, item, now_ms, wake_ms)) {
            *out = (struct choice){.item = item, .priority = item->priority, .order = item->delivery};
            return true;
        }
    }
    return false;
}

static bool choose(struct outbox *outbox, struct network *network, int64_t now_ms, int64_t *wake_ms,
                   struct choice *best, int *room_count)
{
    bool found = false;
    *room_count = 0;
    for (struct room *room = rooms_next(outbox->app->rooms, NULL); room != NULL;
         room = rooms_next(outbox->app->rooms, room)) {
        struct choice choice = {0};
        if (room->network != network) {
            continue;
        }
        *room_count += room->config != NULL;
        if ((room->lane.total > 0 || room->lane.piece != NULL) && room_choice(outbox, room, now_ms, wake_ms, &choice) &&
            (!found || choice.priority < best->priority ||
             (choice.priority == best->priority && choice.order < best->order))) {
            *best = choice;
            found = true;
        }
    }
    return found;
}

static void pump_network(struct outbox *outbox, struct network *network, int64_t now_ms, int64_t *wake_ms)
{
    if (now_ms < network->blocked_until_ms) {
        *wake_ms = network->blocked_until_ms < *wake_ms ? network->blocked_until_ms : *wake_ms;
        return;
    }
    pace_fill(network, now_ms);
    struct choice choice = {0};
    int rooms;
    while ((network->limits.window_all <= 0 || network->in_flight < network->limits.window_all) &&
           choose(outbox, network, now_ms, wake_ms, &choice, &rooms)) {
        double need = pace_need(network, choice.priority, rooms);
        if (!pace_may(network, need)) {
            int64_t when = pace_when_ms(network, need, now_ms);
            *wake_ms = when < *wake_ms ? when : *wake_ms;
            return;
        }
        if (choice.piece != NULL) {
            claim_launch(outbox, network, choice.piece, false);
        } else {
            calm_note(outbox, choice.item);
            claim_item(outbox, network, choice.item, pace_tokens(network) - need + 1);
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct outbox *outbox = timer->data;
    turn_touch(outbox->app->turn);
}

void pump_run(void *arg)
{
    struct outbox *outbox = arg;
    if (!outbox->started || outbox->closing) {
        return;
    }
    int64_t now_ms = clock_monotonic_ms(), wake_ms = now_ms + NEVER_MS;
    if (outbox->next_changes) { /* drops the rest of a refused line, puts lines of a removed part first: no lane may
                                   change so while one looks at it */
        turn_write(outbox->app->turn);
        outbox_settle_arrived(outbox);
    }
    calm_ceiling(outbox);
    if (outbox->any_lost) {
        outbox->any_lost = false;
        outbox_restate(outbox, NULL);
    }
    for (struct hr_bot *bot = plugins_each(outbox->app->plugins, NULL); bot != NULL;
         bot = plugins_each(outbox->app->plugins, bot)) {
        if (bot->network != NULL && bot->network->up && bot->started && !bot->stopping) {
            pump_network(outbox, bot->network, now_ms, &wake_ms);
        }
    }
    calm_tell(outbox, now_ms, &wake_ms);
    if (outbox_settling_is_due(outbox, now_ms, &wake_ms)) {
        turn_write(outbox->app->turn);
        outbox_settle_arrived(outbox);
    }
    uv_timer_start(&outbox->timer, on_timer, (uint64_t)(wake_ms - now_ms), 0);
}
