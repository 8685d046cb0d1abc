/* SPDX-License-Identifier: MIT */
/* `hashroom plugins`: what there is, what it can say, what it can be asked. */
#include "cli.h"
#include "command_texts.h"
#include "plugins.h"
#include "plugins_check.h"
#include "words.h"

/* One line: the lines of a template are set apart by " // ". */
static void print_text(struct arena *arena, const struct hr_text *text)
{
    (void)printf("%s\t", text->id);
    for (const char *c = words_sample(arena, text); *c; c++) {
        if (*c == '\n') {
            (void)fputs(" // ", stdout);
        } else {
            (void)putchar(*c);
        }
    }
    (void)putchar('\n');
}

static int print_texts(void *arg, const char *name, const struct hr_plugin *plugin, const char *err)
{
    struct arena *arena = arg;
    if (!plugin) {
        (void)fprintf(stderr, "%s: left out: %s\n", name, err);
        return HR_OK;
    }
    for (const struct hr_text *text = plugin->texts; text && text->id; text++) {
        print_text(arena, text);
    }
    arena_reset(arena);
    return HR_OK;
}

static void print_table(const struct hr_command *commands, const char *owner)
{
    for (const struct hr_command *command = commands; command && command->name; command++) {
        (void)printf("!%s%s%s\t%s\t%s\t%s\n", command->name, command->usage[0] ? " " : "", command->usage,
                     command->permission ? command->permission : "everyone", command->help, owner);
    }
}

static int print_commands(void *arg, const char *name, const struct hr_plugin *plugin, const char *err)
{
    (void)arg;
    if (!plugin) {
        (void)fprintf(stderr, "%s: left out: %s\n", name, err);
        return HR_OK;
    }
    print_table(plugin->commands, plugin->name);
    return HR_OK;
}

static int print_plugin(void *arg, const char *name, const struct hr_plugin *plugin, const char *err)
{
    size_t *count = arg;
    ++*count;
    if (plugin) {
        (void)printf("%-12s %-8s %s\n", name, plugin->version, plugin->help);
        for (const struct hr_tool *tool = plugins_tools(plugin); tool && tool->name; tool++) {
            (void)printf("%21s hashroom %s%s%s\n", "", tool->name, tool->usage[0] ? " " : "", tool->usage);
        }
    } else {
        (void)printf("%-12s %-8s can't be used: %s\n", name, "-", err);
    }
    return HR_OK;
}

int cli_plugins(struct cli *cli)
{
    bool texts = cli_flag(cli, "--texts"), commands = cli_flag(cli, "--commands");
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    struct app app = {0};
    struct arena arena = {0};
    size_t count = 0;
    cli_open_plugins(cli, &app);
    if (texts) {
        for (const struct hr_text *text = command_texts; text->id; text++) {
            print_text(&arena, text);
        }
        (void)plugins_list(app.plugins, print_texts, &arena);
    } else if (commands) {
        print_table(command_own, "hashroom");
        (void)plugins_list(app.plugins, print_commands, NULL);
    } else {
        (void)plugins_list(app.plugins, print_plugin, &count);
        if (count == 0) {
            (void)printf("There is no plugin in %s\n", cli->plugin_path[0] ? cli->plugin_path[0] : "(no folder)");
        }
    }
    arena_clear(&arena);
    cli_close(&app);
    return CLI_OK;
}
