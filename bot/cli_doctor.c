/* SPDX-License-Identifier: MIT */
/*
 * `hashroom doctor`: connects to each network as the bot would, with a store of
 * its own, and says in plain words what works and what to do about the rest.
 */
#include "api.h"
#include "instance.h"
#include "key.h"
#include "log.h"
#include "network.h"
#include "plugins.h"
#include "room.h"
#include "run.h"
#include "store.h"
#include "xalloc.h"

/* ticks of 50 ms: 30 s, 5 s, 5 s */
enum { WAIT_TICKS = 600, ROOM_TICKS = 100, PARTING_TICKS = 100, REPORT_MAX_BYTES = 4096 };

#define SCARCE_RATE 0.5       /* parts a second: what three rooms can live with */
#define UNLIMITED_RATE 1000.0 /* no account gets that: the operator lifted the limit */

struct visit {
    struct app *app;
    int ticks, room_ticks, parting_ticks;
    bool failed, told;
};

/* ---- what is known by now --------------------------------------------------------- */

/* "not connected yet" is what the host writes; all else comes from the plugin. */
static bool has_answer(const struct hr_bot *bot)
{
    return !bot->started || bot->network->up || strcmp(bot->network->reason, "not connected yet") != 0;
}

static bool all_answered(struct app *app)
{
    for (struct hr_bot *bot = plugins_each(app->plugins, NULL); bot; bot = plugins_each(app->plugins, bot)) {
        if (!has_answer(bot)) {
            return false;
        }
    }
    return true;
}

static bool rooms_answered(struct app *app)
{
    for (struct room *room = rooms_next(app->rooms, NULL); room; room = rooms_next(app->rooms, room)) {
        if (room->network && room->network->up && !room->up && !room->down_reason) {
            return false;
        }
    }
    return true;
}

/* ---- what is printed ------------------------------------------------------------------ */

struct report {
    struct hr_out out; /* first: the plugin is given its address */
    struct buf text;
};

static int collect(struct hr_out *out, const char *text, size_t len)
{
    return buf_add(&((struct report *)out)->text, text, len);
}

static void print_report(struct hr_bot *bot)
{
    struct report report = {.out = {.write = collect}};
    if (!bot->plugin->report) {
        return;
    }
    buf_init(&report.text, REPORT_MAX_BYTES);
    instance_enter(bot);
    bot->plugin->report(bot->state, &report.out);
    instance_leave(bot, HR_OK);
    for (const char *at = buf_str(&report.text); *at;) {
        size_t len = strcspn(at, "\n");
        (void)printf("  %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    buf_clear(&report.text);
}

static size_t print_rooms(struct visit *visit, const struct hr_bot *bot)
{
    size_t count = 0;
    for (struct room *room = rooms_next(visit->app->rooms, NULL); room; room = rooms_next(visit->app->rooms, room)) {
        if (room->network != bot->network || !room->config) {
            continue;
        }
        count++;
        if (room->up) {
            bool is_social = (room->hr.flags & HR_ROOM_SOCIAL) != 0;
            (void)printf("  %s: %s.\n", room->hr.address, is_social ? "ready" : "the bot is in the room");
        } else {
            (void)printf("  %s: the bot is NOT in the room: %s.\n", room->hr.address,
                         room->down_reason ? room->down_reason : "no answer within 5 seconds");
            visit->failed = true;
        }
    }
    return count;
}

static void print_limits(const struct hr_bot *bot, size_t rooms)
{
    const struct hr_limits *limits = &bot->network->limits;
    if (limits->rate <= 0 || limits->rate >= UNLIMITED_RATE) {
        (void)printf("  It sends without a limit of its own.\n");
        return;
    }
    (void)printf("  It may send %.3g messages a second in the long run, and %.0f at once after a quiet time.\n",
                 limits->rate, limits->burst);
    if (rooms == 0 || limits->rate > SCARCE_RATE || strcmp(bot->plugin->network->service, "Matrix") != 0) {
        return;
    }
    (void)printf(
        "  For %zu room%s that is %s. To ask the administrator of the server: please lift the message limit for\n"
        "  this account (on Synapse: POST /_synapse/admin/v1/users/USER/override_ratelimit with\n"
        "  {\"messages_per_second\": 0, \"burst_count\": 0}), then write rate_ms = 0 into the instance.\n",
        rooms, rooms == 1 ? "" : "s", rooms > 3 ? "too little: questions would come late" : "enough, but tight");
}

static void print_network(struct visit *visit, struct hr_bot *bot)
{
    if (!bot->started) {
        (void)printf("%s (%s) does NOT work: it could not start; the line above says why.\n", bot->config->title,
                     bot->plugin->network->service);
        visit->failed = true;
        return;
    }
    if (!bot->network->up) {
        bool silent = !has_answer(bot);
        (void)printf("%s (%s) does NOT work: %s.\n", bot->config->title, bot->plugin->network->service,
                     silent ? "no answer within 30 seconds. Look at the server's address and at the firewall"
                            : bot->network->reason);
        visit->failed = true;
        return;
    }
    (void)printf("%s (%s) works.\n", bot->config->title, bot->plugin->network->service);
    print_limits(bot, print_rooms(visit, bot));
    print_report(bot);
}

static bool is_over(struct hr_bot *bot)
{
    const struct hr_network *network = bot->plugin->network;
    size_t needed = offsetof(struct hr_network, farewell) + sizeof(network->farewell);
    if (!bot->started || network->size < needed || !network->farewell) {
        return true;
    }
    instance_enter(bot);
    int rc = network->farewell(bot->state);
    instance_leave(bot, HR_OK);
    return rc != HR_ERETRY;
}

static void part(struct visit *visit)
{
    bool over = true;
    for (struct hr_bot *bot = plugins_each(visit->app->plugins, NULL); bot;
         bot = plugins_each(visit->app->plugins, bot)) {
        over = is_over(bot) && over;
    }
    if (over || visit->parting_ticks++ >= PARTING_TICKS) {
        visit->app->stopping = true;
        uv_stop(visit->app->loop);
    }
}

static void on_each(void *arg)
{
    struct visit *visit = arg;
    if (visit->told) {
        part(visit);
        return;
    }
    visit->ticks++;
    if (!all_answered(visit->app) && visit->ticks < WAIT_TICKS) {
        return;
    }
    if (!rooms_answered(visit->app) && visit->ticks < WAIT_TICKS && visit->room_ticks++ < ROOM_TICKS) {
        return;
    }
    size_t count = 0;
    for (struct hr_bot *bot = plugins_each(visit->app->plugins, NULL); bot;
         bot = plugins_each(visit->app->plugins, bot)) {
        print_network(visit, bot);
        count++;
    }
    if (count == 0) {
        (void)printf("No network is configured. Write a file for one into plugins/, for example irc.conf.\n");
        visit->failed = true;
    }
    (void)fflush(stdout);
    visit->told = true;
}

static bool is_network(const struct config_plugin *plugin, const void *arg)
{
    (void)arg;
    return plugin->plugin && plugin->plugin->network;
}

/* Before anything connects: without its key the bot wouldn't start. */
static void print_key(struct visit *visit)
{
    char text[1024];
    bool well = key_look(visit->app->config, text, sizeof(text));
    if (text[0] != '\0') {
        (void)printf("Store key: %s%s.\n", well ? "" : "the bot would NOT start: ", text);
    }
    visit->failed = !well;
}

int cli_doctor(struct cli *cli)
{
    struct app app = {0};
    bool restart = false;
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    run_harden();
    int code = cli_open(cli, &app);
    char *dir = code == CLI_OK ? cli_temp_make() : NULL;
    if (dir) {
        struct visit visit = {.app = &app};
        app.trial = true;
        print_key(&visit);
        free(app.config->state_dir);
        app.config->state_dir = xstrdup(dir);
        cli_keep_plugins(app.config, is_network, NULL);
        log_level(HR_ERROR);
        (void)fputs(buf_str(&app.config->warnings), stdout);
        (void)printf("Connecting; this takes up to 30 seconds.\n");
        (void)fflush(stdout);
        code = run_app(cli, &app, STORE_TEMPORARY, on_each, &visit, &restart);
        code = code == CLI_OK && visit.failed ? CLI_FAILED : code;
    } else if (code == CLI_OK) {
        code = CLI_FAILED;
    }
    cli_close(&app);
    cli_temp_remove(dir);
    return code;
}
