/* SPDX-License-Identifier: MIT */
/* How the bot is, for `hashroom status`: what only the running process knows. */
#include "control_status.h"
#include "api_status.h"
#include "instance.h"
#include "network.h"
#include "pace.h"
#include "plugins.h"
#include "room.h"
#include <math.h>
#include <unistd.h>

#define UNLIMITED_RATE 1000.0 /* no account gets that: the operator lifted the limit */

static json_t *words(const char *text)
{
    json_t *string = json_string(text == NULL ? "" : text);
    return string == NULL ? json_string("") : string; /* no valid UTF-8: a library's words */
}

static json_t *budget(struct network *network)
{
    const struct hr_limits *limits = &network->limits;
    int64_t now_ms = clock_monotonic_ms();
    pace_fill(network, now_ms);
    bool limited = limits->rate > 0 && limits->rate < UNLIMITED_RATE;
    return json_pack("{s:b, s:f, s:f, s:f, s:s, s:I, s:i}", "limited", limited, "level",
                     limited ? pace_tokens(network) : limits->burst, "rate", limits->rate, "burst", limits->burst,
                     "from", network->limits_from, "blocked_ms",
                     (json_int_t)(network->blocked_until_ms > now_ms ? network->blocked_until_ms - now_ms : 0),
                     "in_flight", network->in_flight);
}

static json_t *networks(struct app *app)
{
    json_t *list = json_array();
    int64_t now_ms = clock_wall_ms();
    for (struct hr_bot *bot = plugins_each(app->plugins, NULL); bot != NULL; bot = plugins_each(app->plugins, bot)) {
        struct network *network = bot->network;
        if (bot->plugin->network == NULL) {
            continue;
        }
        json_t *one = json_pack("{s:s, s:s}", "name", bot->config->title, "service", bot->plugin->network->service);
        (void)json_object_set_new(one, "up", json_boolean(network != NULL && network->up));
        if (network == NULL) {
            (void)json_object_set_new(one, "reason", json_string("it could not start; the log says why"));
        } else {
            (void)json_object_set_new(one, "reason", words(network->reason));
            (void)json_object_set_new(one, "for_ms", json_integer(now_ms - network->since_ms));
            (void)json_object_set_new(one, "trouble", words(network->trouble));
            (void)json_object_set_new(one, "trouble_ago_ms",
                                      json_integer(network->trouble == NULL ? 0 : now_ms - network->trouble_ms));
            (void)json_object_set_new(one, "budget", budget(network));
        }
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *rooms(struct app *app)
{
    json_t *list = json_array();
    for (struct room *room = rooms_next(app->rooms, NULL); room != NULL; room = rooms_next(app->rooms, room)) {
        if (room->config != NULL) {
            (void)json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:b, s:o}", "id", (json_int_t)room->hr.id,
                                                        "network", room->hr.network, "address", room->hr.address,
                                                        "chat", room->hr.chat, "up", (int)room->up, "reason",
                                                        words(room->down_reason)));
        }
    }
    return list;
}

static int add_report(void *arg, const char *who, const char *text)
{
    return json_array_append_new(arg, json_pack("{s:s, s:o}", "who", who, "text", words(text)));
}

json_t *control_status(struct app *app)
{
    struct hr_bot asking = {.app = app};
    json_t *reports = json_array();
    (void)api_reports(&asking, add_report, reports);
    return json_pack("{s:b, s:s, s:i, s:I, s:o, s:o, s:o}", "running", 1, "version", HASHROOM_VERSION, "process",
                     (int)getpid(), "for_ms", (json_int_t)(clock_wall_ms() - app->started_ms), "networks",
                     networks(app), "rooms", rooms(app), "reports", reports);
}
