/* SPDX-License-Identifier: MIT */
/* What a status line is made of: networks and the reports of plugins. */
#include "api_status.h"
#include "api.h"
#include "buf.h"
#include "instance.h"
#include "network.h"
#include "plugins.h"

enum { MAX_REPORT_BYTES = 4096 };

int api_networks(struct hr_bot *bot, hr_network_fn *fn, void *arg)
{
    struct plugins *plugins = bot->app->plugins;
    for (struct hr_bot *at = plugins_each(plugins, NULL); at != NULL; at = plugins_each(plugins, at)) {
        if (at->network == NULL) {
            continue;
        }
        const struct hr_network_state state = {
            .size = sizeof(state),
            .name = at->network->name,
            .service = at->plugin->network->service,
            .up = at->network->up,
            .reason = at->network->reason == NULL ? "" : at->network->reason,
            .for_ms = clock_wall_ms() - at->network->since_ms,
            .trouble = at->network->trouble == NULL ? "" : at->network->trouble,
            .trouble_ago_ms = at->network->trouble == NULL ? 0 : clock_wall_ms() - at->network->trouble_ms,
        };
        const int status = fn(arg, &state);
        if (status < 0) {
            return status;
        }
    }
    return HR_OK;
}

struct report {
    struct hr_out out; /* first: the plugin is given its address */
    struct buf text;
};

static int collect(struct hr_out *out, const char *text, size_t len)
{
    struct report *report = (struct report *)out;
    return buf_add(&report->text, text, len);
}

int api_reports(struct hr_bot *bot, hr_report_fn *fn, void *arg)
{
    struct plugins *plugins = bot->app->plugins;
    int status = HR_OK;
    for (struct hr_bot *at = plugins_each(plugins, NULL); at != NULL && status >= 0; at = plugins_each(plugins, at)) {
        if (at->plugin->report == NULL || !at->started || at->stopping) {
            continue;
        }
        struct report report = {.out = {.write = collect}};
        buf_init(&report.text, MAX_REPORT_BYTES);
        instance_enter(at);
        at->plugin->report(at->state, &report.out);
        instance_leave(at, HR_OK);
        if (report.text.len > 0) {
            status = fn(arg, at->who, buf_str(&report.text));
        }
        buf_clear(&report.text);
    }
    return status;
}
