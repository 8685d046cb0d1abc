/* SPDX-License-Identifier: MIT */
/* plugins/NAME.conf: which plugins are on, their instances and option values. */
#include "api.h"
#include "config_inside.h"
#include "instance.h"
#include "xalloc.h"
#include <dirent.h>
#include <errno.h>

enum { PLUGINS_MAX = 64, INSTANCES_MAX = 64, NAME_MAX_BYTES = 32 };

static bool is_plugin_name(const char *name, size_t len)
{
    return len > 0 && len < NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") >= len;
}

static int is_config(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static void add_instance(struct config_file *file, struct config_plugin *plugin, cfg_t *section, const char *title)
{
    size_t options = config_option_count(plugin->plugin->options);
    bool named = title != NULL;
    plugin->instance = xrealloc(plugin->instance, plugin->instance_count + 1, sizeof *plugin->instance);
    struct config_instance *instance = &plugin->instance[plugin->instance_count++];
    *instance = (struct config_instance){
        .title = xstrdup(named ? title : plugin->name),
        .named = named,
        .values = xcalloc(options + 1, sizeof *instance->values),
        .lines = xcalloc(options + 1, sizeof *instance->lines),
        .where = {plugin->file, named ? config_line(section) : 1},
    };
    CLEANUP_FREE char *what = named ? xasprintf("instance '%.60s'", title) : xstrdup("the file");
    config_values(file, section, plugin->plugin->options, what, instance->values, instance->lines);
}

static void tell_stray_options(struct config_file *file, const struct config_plugin *plugin)
{
    for (size_t i = 0; plugin->plugin->options && plugin->plugin->options[i].name; i++) {
        const char *name = plugin->plugin->options[i].name;
        if (config_count(file->root, name) > 0) {
            config_problem(file->config, (struct config_where){file->name, config_text(file->root, name, 0)->line},
                           "%s stands outside of the instances. Move it into an instance section", name);
        }
    }
}

static void read_instances(struct config_file *file, struct config_plugin *plugin)
{
    size_t count = config_count(file->root, "instance");
    if (count == 0) {
        add_instance(file, plugin, file->root, NULL);
        return;
    }
    tell_stray_options(file, plugin);
    for (size_t i = 0; i < count && i < INSTANCES_MAX; i++) {
        cfg_t *section = config_section(file->root, "instance", i);
        add_instance(file, plugin, section, config_title(section));
    }
    if (count > INSTANCES_MAX) {
        config_problem(file->config, (struct config_where){file->name, 1}, "more than %d instances. Remove some",
                       INSTANCES_MAX);
    }
}

/* The plugin's own look at values that depend on each other. */
static void run_check(struct config *config, const struct config_plugin *plugin)
{
    for (size_t i = 0; plugin->plugin->check && i < plugin->instance_count; i++) {
        struct app app = {.config = config};
        CLEANUP_FREE char *who = xasprintf("%s/%s", plugin->name, plugin->instance[i].title);
        struct hr_bot bot = {.app = &app, .plugin = plugin->plugin, .config = &plugin->instance[i], .who = who};
        plugin->plugin->check(&bot, api_table(false));
        arena_clear(&app.arena);
    }
}

static void read_file(struct config *config, const char *name, config_find_fn *find, void *arg)
{
    config->plugin = xrealloc(config->plugin, config->plugin_count + 1, sizeof *config->plugin);
    struct config_plugin *plugin = &config->plugin[config->plugin_count++];
    *plugin = (struct config_plugin){.name = xstrdup(name), .file = xasprintf("%s/plugins/%s.conf", config->dir, name)};
    char err[1024] = "";
    plugin->plugin = find(arg, config, name, err, sizeof err);
    if (!plugin->plugin) {
        config_problem(config, (struct config_where){plugin->file, 1}, "%s", err);
        return;
    }
    const struct config_part parts[] = {{.name = "instance", .title = "name", .options = plugin->plugin->options}, {0}};
    const struct config_part root = {.options = plugin->plugin->options, .parts = parts};
    struct config_file file = {.config = config, .name = plugin->file};
    size_t before = config->problem_count;
    config_file_read(&file, &root);
    if (file.root) {
        read_instances(&file, plugin);
        if (config->problem_count == before) {
            run_check(config, plugin);
        }
    }
    config_file_clear(&file);
}

static void read_entry(struct config *config, const struct dirent *entry, config_find_fn *find, void *arg)
{
    CLEANUP_FREE char *name = xstrndup(entry->d_name, strlen(entry->d_name) - 5);
    if (is_plugin_name(name, strlen(name))) {
        read_file(config, name, find, arg);
        return;
    }
    config_problem(config, (struct config_where){config->file, 1},
                   "plugins/%.60s: this is not the name of a plugin. Name the "
                   "file as its plugin is named, in small letters",
                   entry->d_name);
}

void config_read_plugins(struct config *config, config_find_fn *find, void *arg)
{
    CLEANUP_FREE char *folder = xasprintf("%s/plugins", config->dir);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_config, alphasort);
    if (count <= 0) {
        config_problem(config, (struct config_where){config->file, 1},
                       "no plugin is switched on: %s has no file that ends in "
                       ".conf. Make one for each plugin you want; `hashroom plugins` lists what there is",
                       folder);
    }
    if (count > PLUGINS_MAX) {
        config_problem(config, (struct config_where){config->file, 1}, "%s has more than %d files. Remove some", folder,
                       PLUGINS_MAX);
    }
    for (int i = 0; i < count; i++) {
        if (i < PLUGINS_MAX) {
            read_entry(config, entries[i], find, arg);
        }
        free(entries[i]);
    }
    free(entries);
}
