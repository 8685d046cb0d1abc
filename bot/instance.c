/* SPDX-License-Identifier: MIT */
/* Around every call into a plugin: savepoint, arena, time taken. */
#include "instance.h"
#include "log.h"
#include "status.h"
#include "turn.h"
#include "xalloc.h"
#include <inttypes.h>

enum { SLOW_CALLBACK_MS = 50 };

void instance_enter(struct hr_bot *bot)
{
    struct app *app = bot->app;
    app->depth++;
    if (bot->entered++ == 0) {
        bot->entered_ms = clock_monotonic_ms();
    }
    if (app->turn) {
        turn_enter(app->turn);
    }
}

void instance_leave(struct hr_bot *bot, int status)
{
    struct app *app = bot->app;
    BUG_IF(app->depth <= 0 || bot->entered <= 0);
    if (app->turn) {
        turn_leave(app->turn, status >= 0);
    }
    if (status < 0) {
        log_line(HR_WARN, bot->who, "a step failed (%s); what it wrote is undone, the bot goes on",
                 status_text(status));
    }
    if (--bot->entered == 0) {
        int64_t took_ms = clock_monotonic_ms() - bot->entered_ms;
        if (took_ms > SLOW_CALLBACK_MS) {
            log_line(HR_WARN, bot->who, "a step took %" PRId64 " ms; everything else waited for it", took_ms);
        }
    }
    if (--app->depth == 0) {
        arena_reset(&app->arena);
    }
}

struct arena *instance_arena(struct hr_bot *bot)
{
    return &bot->app->arena;
}
