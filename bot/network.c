/* SPDX-License-Identifier: MIT */
/* One configured network: up or down, as a whole and room by room. */
#include "network.h"
#include "event.h"
#include "instance.h"
#include "log.h"
#include "outbox.h"
#include "room.h"
#include "xalloc.h"

void network_attach(struct hr_bot *bot)
{
    const struct hr_network *manifest = bot->plugin->network;
    if (manifest == NULL) {
        return;
    }
    struct network *network = xcalloc(1, sizeof(*network));
    network->bot = bot;
    network->name = bot->config->title;
    network->scope = xasprintf(manifest->scope != NULL ? "%s" : "%s:%s",
                               manifest->scope != NULL ? manifest->scope : bot->plugin->name, network->name);
    network->limits = manifest->limits;
    network->limits_from = "preset";
    network->tokens = manifest->limits.burst;
    network->filled_ms = clock_monotonic_ms();
    network->since_ms = clock_wall_ms();
    network->reason = xstrdup("not connected yet");
    bot->network = network;
    struct rooms *rooms = bot->app->rooms;
    for (struct room *room = rooms_next(rooms, NULL); room != NULL; room = rooms_next(rooms, room)) {
        if (strcmp(room->hr.network, network->name) == 0) {
            room->network = network;
        }
    }
}

void network_detach(struct hr_bot *bot)
{
    struct network *network = bot->network;
    if (network == NULL) {
        return;
    }
    if (bot->app->outbox != NULL) {
        outbox_network_gone(bot->app->outbox, network);
    }
    struct rooms *rooms = bot->app->rooms;
    for (struct room *room = rooms_next(rooms, NULL); room != NULL; room = rooms_next(rooms, room)) {
        if (room->network == network) {
            room->network = NULL;
        }
    }
    free((char *)network->scope);
    free(network->reason);
    free(network->trouble);
    free(network);
    bot->network = NULL;
}

bool network_same_txn(const struct network *network)
{
    return ((network->bot->plugin->network->flags | network->limits.flags) & HR_NET_SAME_TXN) != 0;
}

void network_limits(struct hr_bot *bot, const struct hr_limits *limits)
{
    struct network *network = bot->network;
    struct hr_limits known = {0};
    memcpy(&known, limits, limits->size < sizeof(known) ? limits->size : sizeof(known));
    if (known.burst > network->limits.burst || network->tokens > known.burst) {
        network->tokens = known.burst;
    }
    network->limits = known;
    network->limits_from = bot->started ? "learned" : "configuration"; /* what start() says is written down */
    outbox_wake(bot->app->outbox);
}

static void room_state(struct room *room, bool up, const char *reason)
{
    room->up = up;
    free(room->down_reason);
    room->down_reason = reason == NULL ? NULL : xstrdup(reason);
    room->hr.flags = up ? room->hr.flags | HR_ROOM_UP : room->hr.flags & ~(uint32_t)HR_ROOM_UP;
}

void network_up(struct hr_bot *bot, const char *address)
{
    struct network *network = bot->network;
    if (address != NULL) {
        struct room *room = rooms_find(bot->app->rooms, network->name, address);
        if (room != NULL && !room->up) {
            room_state(room, true, NULL);
            outbox_wake(bot->app->outbox);
        }
        return;
    }
    if (network->up) {
        return;
    }
    network->up = true;
    network->since_ms = clock_wall_ms();
    free(network->reason);
    network->reason = NULL;
    log_line(HR_INFO, bot->who, "connected");
    outbox_wake(bot->app->outbox);
    event_tell(bot->app, &(struct hr_event){.size = sizeof(struct hr_event),
                                            .kind = HR_EV_NETWORK,
                                            .network = network->name,
                                            .up = true,
                                            .reason = ""});
}

void network_seal(struct hr_bot *bot, const char *address, bool sealed)
{
    struct room *room = rooms_find(bot->app->rooms, bot->network->name, address);
    if (room != NULL) {
        room->hr.flags |= HR_ROOM_ENCRYPTED;
        room->hr.flags = sealed ? room->hr.flags | HR_ROOM_SEALED : room->hr.flags & ~(uint32_t)HR_ROOM_SEALED;
    }
}

void network_down(struct hr_bot *bot, const char *address, const char *reason)
{
    struct network *network = bot->network;
    if (address != NULL) {
        struct room *room = rooms_find(bot->app->rooms, network->name, address);
        if (room != NULL) {
            if (room->down_reason == NULL || strcmp(room->down_reason, reason) != 0) {
                log_line(HR_WARN, bot->who, "%s: %s", address, reason);
            }
            room_state(room, false, reason);
        }
        return;
    }
    bool told = !network->up && network->reason != NULL && strcmp(network->reason, reason) == 0;
    bool was_up = network->up;
    network->up = false;
    if (was_up) {
        network->since_ms = clock_wall_ms();
    }
    free(network->reason);
    network->reason = xstrdup(reason);
    free(network->trouble);
    network->trouble = xstrdup(reason);
    network->trouble_ms = clock_wall_ms();
    if (!told) {
        log_line(HR_WARN, bot->who, "%s", reason);
    }
    if (was_up) {
        outbox_network_gone(bot->app->outbox, network);
        event_tell(bot->app, &(struct hr_event){.size = sizeof(struct hr_event),
                                                .kind = HR_EV_NETWORK,
                                                .network = network->name,
                                                .up = false,
                                                .reason = network->reason});
    }
}
