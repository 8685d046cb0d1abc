/* SPDX-License-Identifier: MIT */
/* Hands events to the plugins that asked for them, and asks the judges. */
#include "event.h"
#include "instance.h"
#include "plugins.h"

void event_tell(struct app *app, const struct hr_event *event)
{
    app->depth++; /* what the event points to may be in the arena: it stays until the last one has heard */
    for (struct hr_bot *bot = plugins_each(app->plugins, NULL); bot != NULL; bot = plugins_each(app->plugins, bot)) {
        if (!bot->started || bot->stopping || !(bot->plugin->events & HR_EV(event->kind)) ||
            bot->plugin->event == NULL) {
            continue;
        }
        instance_enter(bot);
        instance_leave(bot, bot->plugin->event(bot->state, event));
    }
    if (--app->depth == 0) {
        arena_reset(&app->arena);
    }
}

enum hr_verdict event_judge(struct app *app, const struct hr_message *message)
{
    enum hr_verdict worst = HR_PASS;
    for (struct hr_bot *bot = plugins_each(app->plugins, NULL); bot != NULL; bot = plugins_each(app->plugins, bot)) {
        if (!bot->started || bot->stopping || bot->plugin->judge == NULL) {
            continue;
        }
        instance_enter(bot);
        enum hr_verdict verdict = bot->plugin->judge(bot->state, message);
        instance_leave(bot, HR_OK);
        worst = verdict > worst ? verdict : worst;
    }
    return worst;
}
