/* SPDX-License-Identifier: MIT */
/* `hashroom export NAME`: what a plugin kept, on stdout. Works beside a running bot. */
#include "api.h"
#include "cli.h"
#include "instance.h"
#include "plugins.h"
#include "store.h"
#include "xalloc.h"
#include <sys/stat.h>

struct wanted {
    const char *name; /* NULL: list all */
    const struct config_plugin *file;
    const struct hr_export *export;
};

static int write_out(struct hr_out *out, const char *text, size_t len)
{
    (void)out;
    return fwrite(text, 1, len, stdout) == len ? HR_OK : HR_EFAIL;
}

static void find_export(const struct config *config, struct wanted *wanted)
{
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct hr_plugin *plugin = config->plugin[p].plugin;
        for (const struct hr_export *e = plugin ? plugin->exports : NULL; e && e->name; e++) {
            if (!wanted->name) {
                (void)fprintf(stderr, "  %s: %s Formats: %s\n", e->name, e->help, e->formats);
            } else if (!wanted->export && strcmp(e->name, wanted->name) == 0) {
                wanted->file = &config->plugin[p];
                wanted->export = e;
            }
        }
    }
}

/* The format that was asked for, or the first; NULL if the export has no such one. Caller frees. */
static char *pick_format(const struct hr_export *export, const char *asked)
{
    for (const char *at = export->formats; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (!asked || (strlen(asked) == len && strncmp(asked, at, len) == 0)) {
            return xstrndup(at, len);
        }
        at += len;
    }
    return NULL;
}

static const char *pick_chat(const struct config *config, const char *asked)
{
    for (size_t i = 0; asked && i < config->chat_count; i++) {
        if (strcmp(config->chat[i].name, asked) == 0) {
            return config->chat[i].name;
        }
    }
    return !asked && config->chat_count == 1 ? config->chat[0].name : NULL;
}

static bool is_wanted(const struct config_plugin *plugin, const void *arg)
{
    return strcmp(plugin->name, arg) == 0;
}

static int run_export(struct app *app, const struct wanted *wanted, const char *chat, const char *format,
                      const char *dir)
{
    char err[1024] = "";
    free(app->config->state_dir);
    app->config->state_dir = xstrdup(dir);
    CLEANUP_FREE char *name = xstrdup(wanted->file->name);
    const struct hr_export *export = wanted->export;
    cli_keep_plugins(app->config, is_wanted, name);
    if (app_open(app, STORE_TEMPORARY, err, sizeof err) < 0) {
        (void)fprintf(stderr, "hashroom: %s\n", err);
        return CLI_FAILED;
    }
    struct hr_out out = {.write = write_out};
    struct hr_bot *bot = plugins_each(app->plugins, NULL);
    int status = HR_EFAIL;
    if (bot && bot->started) {
        instance_enter(bot);
        status = export->run(bot->state, chat, format, &out);
        instance_leave(bot, status);
    }
    app_close(app);
    return status < 0 ? CLI_FAILED : CLI_OK;
}

static int export_into(struct app *app, struct wanted *wanted, const char *asked_chat, const char *asked_format)
{
    if (wanted->name) {
        find_export(app->config, wanted);
    }
    if (!wanted->export) {
        if (wanted->name) {
            (void)cli_wrong("there is no export '%s'. There are:", wanted->name);
        } else {
            (void)cli_wrong("write the name of what is to be exported. There are:");
        }
        wanted->name = NULL;
        find_export(app->config, wanted);
        return CLI_WRONG;
    }
    CLEANUP_FREE char *format = pick_format(wanted->export, asked_format);
    const char *chat = pick_chat(app->config, asked_chat);
    if (!format) {
        return cli_wrong("'%s' has no format '%s'. There are: %s", wanted->export->name, asked_format,
                         wanted->export->formats);
    }
    if (!chat) {
        return cli_wrong("%s. Write --chat and the name of a chat section",
                         asked_chat ? "there is no such chat" : "there are several chats");
    }
    char *dir = cli_temp_make();
    CLEANUP_FREE char *copy = xasprintf("%s/hashroom.db", dir == NULL ? "" : dir);
    int code = CLI_FAILED;
    /* start() may write, and the bot may be running: the export works on a copy. */
    if (dir && cli_copy_database(app->config->state_dir, copy) == HR_OK) {
        code = run_export(app, wanted, chat, format, dir);
    }
    cli_temp_remove(dir);
    return code;
}

int cli_export(struct cli *cli)
{
    bool wrong = false;
    const char *chat = cli_option(cli, "--chat", &wrong), *format = cli_option(cli, "--format", &wrong);
    if (wrong || !cli_no_more(cli, 1)) {
        return CLI_WRONG;
    }
    struct app app = {0};
    struct wanted wanted = {.name = cli->argc > 0 ? cli->argv[0] : NULL};
    (void)umask(077);
    int code = cli_open(cli, &app);
    if (code == CLI_OK) {
        code = export_into(&app, &wanted, chat, format);
    }
    cli_close(&app);
    return code;
}
