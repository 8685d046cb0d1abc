/* SPDX-License-Identifier: MIT */
/*
 * `hashroom rehearse`: a whole chat in this terminal. The chat clock stands
 * shortly before each reminder, then shortly before the start, then runs through
 * the hour at the chosen speed. It ends by itself when the chat is over and all
 * was said.
 */
#include "api.h"
#include "chat.h"
#include "instance.h"
#include "log.h"
#include "outbox.h"
#include "plugins.h"
#include "rehearsal.h"
#include "run.h"
#include "store.h"
#include "timer.h"
#include "turn.h"
#include "xalloc.h"
#include <jansson.h>
#include <unistd.h>

enum { LINKS_MAX_BYTES = 256 * 1024, CALM_TICKS = 10 /* of 50 ms: nothing more comes */, QUIET_MAX_TICKS = 600 };

#define MINUTE_MS INT64_C(60000)

static const struct {
    int64_t before_ms, until_ms;
} stages[] = {
    /* time to the start, at its beginning and end */
    {24 * 60 * MINUTE_MS + 5000, 24 * 60 * MINUTE_MS - MINUTE_MS},
    {60 * MINUTE_MS + 5000, 59 * MINUTE_MS},
    {10 * MINUTE_MS + 5000, 9 * MINUTE_MS},
    {30000, -INT64_MAX},
};

struct stage_play {
    const struct rehearsal *rehearsal;
    struct app *app;
    size_t stage;
    bool live, over;
    int calm_ticks, over_ticks;
    struct buf links;
};

/* ---- the clock ------------------------------------------------------------------------- */

/* Only ever forward: at a high speed a stage may be over before it was looked at. */
static void enter_stage(struct stage_play *play)
{
    struct app *app = play->app;
    int64_t at_ms = play->rehearsal->starts_ms - stages[play->stage].before_ms;
    if (play->stage == 0 || clock_chat_ms(&app->clock) < at_ms) {
        clock_set(&app->clock, at_ms, play->rehearsal->speed);
        if (app->timers) {
            timers_clock_changed(app->timers);
            turn_touch(app->turn);
        }
    }
}

static void move_clock(struct stage_play *play)
{
    int64_t left_ms = play->rehearsal->starts_ms - clock_chat_ms(&play->app->clock);
    if (play->stage + 1 < sizeof stages / sizeof *stages && left_ms <= stages[play->stage].until_ms) {
        play->stage++;
        enter_stage(play);
    }
}

/* ---- the end ------------------------------------------------------------------------------ */

struct link_out {
    struct hr_out out; /* first: the plugin is given its address */
    struct buf *text;
};

static int add_links(struct hr_out *out, const char *text, size_t len)
{
    return buf_add(((struct link_out *)out)->text, text, len);
}

static void collect_links(struct stage_play *play)
{
    struct link_out out = {.out = {.write = add_links}, .text = &play->links};
    for (struct hr_bot *bot = plugins_each(play->app->plugins, NULL); bot;
         bot = plugins_each(play->app->plugins, bot)) {
        for (const struct hr_export *e = bot->started ? bot->plugin->exports : NULL; e && e->name; e++) {
            if (strcmp(e->name, "links") == 0) {
                instance_enter(bot);
                instance_leave(bot, e->run(bot->state, "rehearsal", "json", &out.out));
            }
        }
    }
}

static bool has_waiting(struct app *app)
{
    struct outbox_counts counts;
    outbox_count(app->outbox, 0, &counts);
    return counts.waiting + counts.claimed > 0;
}

static void look_for_end(struct stage_play *play)
{
    struct chat *chat = chats_only(play->app->chats);
    bool live = chat && chat->hr.session != 0;
    play->over = play->over || (play->live && !live);
    play->live = live;
    if (!play->over || live) {
        play->over = play->over && !live; /* a host may start it again */
        play->calm_ticks = 0;
        return;
    }
    play->calm_ticks = has_waiting(play->app) ? 0 : play->calm_ticks + 1;
    if (play->calm_ticks >= CALM_TICKS || ++play->over_ticks > QUIET_MAX_TICKS) {
        collect_links(play);
        play->app->stopping = true;
        uv_stop(play->app->loop);
    }
}

static void on_each(void *arg)
{
    struct stage_play *play = arg;
    move_clock(play);
    look_for_end(play);
}

/* ---- the command ------------------------------------------------------------------------- */

static const char *text_of(const json_t *link, const char *name)
{
    const char *text = json_string_value(json_object_get(link, name));
    return text ? text : "";
}

static void print_session(const json_t *session, const char *lead)
{
    json_int_t question = -1;
    size_t i;
    const json_t *link;
    json_array_foreach(json_object_get(session, "links"), i, link)
    {
        json_int_t asked = json_integer_value(json_object_get(link, "question"));
        if (asked > 0 && asked != question) {
            (void)printf("%sQuestion %" JSON_INTEGER_FORMAT ": %s\n", lead, asked, text_of(link, "question_text"));
        } else if (asked != question) {
            (void)printf("%sWithout a question\n", lead);
        }
        question = asked;
        bool titled = text_of(link, "title")[0] != '\0';
        (void)printf("%s  %" JSON_INTEGER_FORMAT " %s%s%s\n", lead, json_integer_value(json_object_get(link, "number")),
                     text_of(link, "title"), titled ? ": " : "", text_of(link, "url"));
    }
}

/* The list as the export gives it, for the eye: each link under the question it was shared at. */
static void print_links(const struct buf *links)
{
    const char *lead = isatty(STDOUT_FILENO) ? "" : "links | ";
    json_t *root = json_loadb(buf_str(links), links->len, 0, NULL);
    size_t i;
    const json_t *session;
    if (json_array_size(json_object_get(root, "sessions")) > 0) {
        (void)printf("%s%sLinks people shared\n", lead[0] ? "" : "\n", lead);
    }
    json_array_foreach(json_object_get(root, "sessions"), i, session)
    {
        print_session(session, lead);
    }
    json_decref(root);
}

static int play_it(struct cli *cli, const struct rehearsal *rehearsal, struct app *app)
{
    struct stage_play play = {.rehearsal = rehearsal, .app = app};
    bool restart = false;
    buf_init(&play.links, LINKS_MAX_BYTES);
    app->rehearsal = true;
    enter_stage(&play);
    if (isatty(STDOUT_FILENO)) {
        (void)printf(
            "A rehearsal of a whole chat, %g times faster than life. You are a host in it: type !help to see what\n"
            "you can do, or just talk. To leave, type !quit\n\n",
            rehearsal->speed);
        (void)fflush(stdout);
    }
    int code = run_app(cli, app, STORE_TEMPORARY, on_each, &play, &restart);
    print_links(&play.links);
    buf_clear(&play.links);
    return code;
}

int cli_rehearse(struct cli *cli)
{
    struct rehearsal rehearsal;
    struct app app = {0};
    run_harden();
    int code = rehearsal_init(&rehearsal, cli);
    char *dir = code == CLI_OK ? cli_temp_make() : NULL;
    if (code == CLI_OK) {
        code = dir && rehearsal_write(&rehearsal, cli, dir) == HR_OK ? CLI_OK : CLI_FAILED;
    }
    if (code == CLI_OK) {
        (void)unsetenv("HASHROOM_CLOCK"); /* it has a clock of its own */
        cli->config_dir = dir;
        log_level(HR_WARN);
        code = cli_open(cli, &app);
    }
    if (code == CLI_OK) {
        code = play_it(cli, &rehearsal, &app);
    }
    cli_close(&app);
    cli_temp_remove(dir);
    rehearsal_clear(&rehearsal);
    return code;
}
