/* SPDX-License-Identifier: MIT */
/* What the commands share: configuration, loader, data files; and `check`. */
#include "cli.h"
#include "key.h"
#include "log.h"
#include "plugins.h"
#include "xalloc.h"
#include <unistd.h>

/* Where the program looks for plugins: what the configuration says, else beside
 * the program (a build tree, an installed tree wherever it was moved), else where
 * it was to be installed. */
static char **make_path(const struct cli *cli, const struct config *config)
{
    if (config && config->plugin_path[0]) {
        return config_strings((const char *const *)config->plugin_path);
    }
    CLEANUP_FREE char *beside = xasprintf("%s/plugins", cli->exe_dir);
    CLEANUP_FREE char *installed = xasprintf("%s/../lib/hashroom", cli->exe_dir);
    const char *path[] = {HASHROOM_LIBDIR, NULL};
    path[0] = access(installed, X_OK) == 0 ? installed : path[0];
    path[0] = access(beside, X_OK) == 0 ? beside : path[0];
    return config_strings(path);
}

struct finder {
    struct cli *cli;
    struct app *app;
    size_t refused; /* files that are there but are no sound plugin */
};

static const struct hr_plugin *find(void *arg, const struct config *config, const char *name, char *err,
                                    size_t err_size)
{
    struct finder *finder = arg;
    if (!finder->app->plugins) {
        config_strings_free(finder->cli->plugin_path);
        finder->cli->plugin_path = make_path(finder->cli, config);
        finder->app->plugins = plugins_new(finder->app, (const char *const *)finder->cli->plugin_path);
    }
    const struct hr_plugin *plugin = plugins_load(finder->app->plugins, name, err, err_size);
    finder->refused += !plugin && plugins_is_there(finder->app->plugins, name);
    return plugin;
}

/* Returns how many of the problems are plugins that were refused. */
static size_t read_config(struct cli *cli, struct app *app)
{
    struct finder finder = {cli, app, 0};
    app->config_dir = cli->config_dir;
    app->config = config_read(cli->config_dir, find, &finder);
    if (!app->plugins) {
        cli->plugin_path = make_path(cli, NULL);
        app->plugins = plugins_new(app, (const char *const *)cli->plugin_path);
    }
    return finder.refused;
}

static void log_lines(enum hr_level level, const struct buf *lines)
{
    for (const char *at = buf_str(lines); *at;) {
        size_t len = strcspn(at, "\n");
        log_line(level, NULL, "%.*s", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

int cli_open(struct cli *cli, struct app *app)
{
    const char *clock_file = getenv("HASHROOM_CLOCK");
    if (clock_init(&app->clock, clock_file && clock_file[0] ? clock_file : NULL) < 0) {
        return cli_wrong("the clock file %s can't be read. It holds one line: WALL_MS CHAT_MS SPEED", clock_file);
    }
    size_t refused = read_config(cli, app);
    if (app->config->problem_count > refused) {
        (void)fputs(buf_str(&app->config->problems), stderr);
        return CLI_WRONG;
    }
    if (refused > 0) { /* one bad plugin doesn't silence the chat */
        log_lines(HR_ERROR, &app->config->problems);
        log_line(HR_ERROR, NULL, "what is named above is left out; the rest goes on");
    }
    app->loop = xcalloc(1, sizeof *app->loop);
    BUG_IF(uv_loop_init(app->loop) != 0);
    return CLI_OK;
}

void cli_close(struct app *app)
{
    if (app->loop) {
        (void)uv_run(app->loop, UV_RUN_DEFAULT);
        BUG_IF(uv_loop_close(app->loop) != 0);
        free(app->loop);
    }
    config_free(app->config);
    plugins_free(app->plugins);
    *app = (struct app){0};
}

bool cli_config_is_well(struct cli *cli, struct app *app)
{
    struct cli fresh_cli = *cli;
    struct app fresh = {.clock = app->clock};
    fresh_cli.plugin_path = NULL;
    (void)read_config(&fresh_cli, &fresh);
    bool well = fresh.config->problem_count == 0;
    log_lines(HR_ERROR, &fresh.config->problems);
    config_free(fresh.config);
    plugins_free(fresh.plugins);
    config_strings_free(fresh_cli.plugin_path);
    return well;
}

void cli_open_plugins(struct cli *cli, struct app *app)
{
    CLEANUP_FREE char *file = xasprintf("%s/hashroom.conf", cli->config_dir);
    if (access(file, R_OK) == 0) {
        (void)read_config(cli, app);
    } else {
        cli->plugin_path = make_path(cli, NULL);
        app->plugins = plugins_new(app, (const char *const *)cli->plugin_path);
    }
}

char *cli_data(const struct cli *cli, const char *installed, const char *source)
{
    char *places[] = {
        xasprintf("%s/../%s", cli->exe_dir, source),    /* build/ */
        xasprintf("%s/../../%s", cli->exe_dir, source), /* build/san/ */
        xasprintf("%s/../share/hashroom/%s", cli->exe_dir, installed),
        xasprintf("%s/%s", HASHROOM_DATADIR, installed),
    };
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!found && access(places[i], R_OK) == 0) {
            found = places[i];
        } else {
            free(places[i]);
        }
    }
    return found;
}

bool cli_has_plugin(const struct cli *cli, const char *name)
{
    char **path = make_path(cli, NULL);
    CLEANUP_FREE char *file = xasprintf("%s/%s.so", path[0], name);
    config_strings_free(path);
    return access(file, R_OK) == 0;
}

int cli_check(struct cli *cli)
{
    struct app app = {0};
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    (void)read_config(cli, &app);
    const struct config *config = app.config;
    char key[1024] = "";
    if (config->problem_count == 0 && !key_look(config, key, sizeof key)) {
        config_problem(app.config, (struct config_where){config->file, 1}, "%s", key);
    }
    size_t problems = config->problem_count, rooms = 0;
    (void)fputs(buf_str(&config->problems), stdout);
    (void)fputs(buf_str(&config->warnings), stdout);
    for (size_t i = 0; i < config->chat_count; i++) {
        rooms += config->chat[i].room_count;
    }
    if (problems > 0) {
        (void)printf("%zu problem%s. Nothing was started.\n", problems, problems == 1 ? "" : "s");
    } else {
        (void)printf("The configuration is in order: %zu chat%s, %zu room%s. To try the connections: hashroom doctor\n",
                     config->chat_count, config->chat_count == 1 ? "" : "s", rooms, rooms == 1 ? "" : "s");
    }
    cli_close(&app);
    return problems > 0 ? CLI_WRONG : CLI_OK;
}
