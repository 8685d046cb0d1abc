/* SPDX-License-Identifier: MIT */
/* A plugin for hashroom: answers !counter with how often it was asked, also after a restart. */
#include <hashroom/plugin.h>
#include <stdlib.h>

struct counter_state {
    struct hr_bot *bot; /* who we are to the host: the first argument of each call */
    const struct hr_api *api;
};

/* ---- what the host reads before any code here runs ------------------------------- */

static const struct hr_option options[] = {
    {.name = "step", .type = HR_INT, .preset = "1", .min = 1, .max = 1000, .help = "How much each !counter adds."},
    {0},
};

/* All words are here: `hashroom plugins --texts` shows them with the sample values. */
static const struct hr_text texts[] = {
    {"count", "The counter is at {n}.", "n=3"},
    {0},
};

/* Each step runs once. Change the tables with a new step behind the old ones. */
static const char *const schema[] = {
    "CREATE TABLE counter_count (chat TEXT PRIMARY KEY, n INTEGER NOT NULL)",
    NULL,
};

/* ---- the command -------------------------------------------------------------------- */

static int read_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return HR_OK;
}

/* What is written here stands in one transaction with the answer: both happen, or neither. */
static int run_counter(void *state, const struct hr_call *call)
{
    struct counter_state *self = state;
    const struct hr_api *api = self->api;
    const struct hr_value args[] = {
        HR_V_STR(call->chat ? call->chat->name : ""),
        HR_V_INT(api->option(self->bot, "step")->num),
    };
    int64_t n = 0;
    int status = api->sql(self->bot,
                          "INSERT INTO counter_count (chat, n) VALUES (?1, ?2)"
                          " ON CONFLICT (chat) DO UPDATE SET n = n + ?2",
                          args, 2, NULL, NULL);
    if (status == HR_OK) {
        status = api->sql(self->bot, "SELECT n FROM counter_count WHERE chat = ?1", args, 1, read_number, &n);
    }
    if (status < 0) {
        return status;
    }
    const char *number = api->print(self->bot, "%lld", (long long)n);
    return api->answer(self->bot, call, api->words(self->bot, "count", "n", number, NULL));
}

static const struct hr_command commands[] = {
    {
        .name = "counter",
        .usage = "",
        .help = "I count how often I am asked.",
        .example = "!counter",
        .permission = NULL, /* everyone; "chat.run" would be hosts alone */
        .flags = HR_CMD_NO_CHAT,
        .run = run_counter,
    },
    {0},
};

/* ---- a command of the operator: hashroom counter-reset -------------------------------- */

/* Asked for in a terminal, run in the bot. The question's answer comes back as one more word. */
static int run_reset(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct counter_state *self = state;
    const struct hr_api *api = self->api;
    if (argc == 0) {
        return api->ask(out, 0, "Set the counter of every chat to 0? (yes or no)");
    }
    if (argc > 1 || argv[0][0] != 'y') {
        api->out(out, "Nothing was changed.\n");
        return argc > 1 ? HR_EINVAL : HR_OK;
    }
    api->out(out, "Every counter is at 0.\n");
    return api->sql(self->bot, "DELETE FROM counter_count", NULL, 0, NULL, NULL);
}

static const struct hr_tool tools[] = {
    {.name = "counter-reset", .usage = "[yes]", .help = "Sets the counter of every chat to 0.", .run = run_reset},
    {0},
};

/* ---- start and stop -------------------------------------------------------------------- */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct counter_state *self = calloc(1, sizeof *self);
    if (!self) {
        return HR_EFAIL;
    }
    self->bot = bot;
    self->api = api;
    *state = self;
    return HR_OK;
}

static void stop(void *state)
{
    free(state); /* timers and commands are swept by the host */
}

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,   .name = "counter",    .version = "0.1", .help = "Counts how often it is asked.",
    .options = options, .commands = commands, .texts = texts,   .schema = schema,
    .start = start,     .stop = stop,         .tools = tools,
};
