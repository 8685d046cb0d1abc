/* SPDX-License-Identifier: MIT */
/* The configuration as a whole: read, asked, freed; problems are collected here. */
#include "config_inside.h"
#include "xalloc.h"

enum { PROBLEMS_MAX_BYTES = 256 * 1024 };

static void add_line(struct buf *buf, size_t *count, struct config_where where, const char *fmt, va_list ap)
{
    CLEANUP_FREE char *text = xvasprintf(fmt, ap);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            *c = ' '; /* one problem is one line, whatever a file name holds */
        }
    }
    size_t len = strlen(text);
    bool ended = len > 0 && strchr(".?!", text[len - 1]);
    (*count)++;
    (void)buf_addf(buf, "%s:%d: %s%s\n", where.file, where.line, text, ended ? "" : ".");
}

void config_problem(struct config *config, struct config_where where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_line(&config->problems, &config->problem_count, where, fmt, ap);
    va_end(ap);
}

void config_warning(struct config *config, struct config_where where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_line(&config->warnings, &config->warning_count, where, fmt, ap);
    va_end(ap);
}

struct config *config_read(const char *dir, config_find_fn *find, void *arg)
{
    struct config *config = xcalloc(1, sizeof *config);
    buf_init(&config->problems, PROBLEMS_MAX_BYTES);
    buf_init(&config->warnings, PROBLEMS_MAX_BYTES);
    config->dir = xstrdup(dir);
    config->file = xasprintf("%s/hashroom.conf", dir);
    config_read_host(config);
    config_read_plugins(config, find, arg);
    config_check(config);
    return config;
}

char **config_strings(const char *const *list)
{
    size_t count = 0;
    while (list && list[count]) {
        count++;
    }
    char **copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = xstrdup(list[i]);
    }
    return copy;
}

void config_strings_free(char **list)
{
    for (char **at = list; at && *at; at++) {
        free(*at);
    }
    free(list);
}

static void chat_clear(struct config_chat *chat)
{
    for (size_t i = 0; i < chat->room_count; i++) {
        free(chat->room[i].network);
        free(chat->room[i].address);
    }
    for (size_t i = 0; i < chat->route_count; i++) {
        free(chat->route[i].to);
    }
    free(chat->room);
    free(chat->route);
    free(chat->name);
    free(chat->tag);
}

static void plugin_clear(struct config_plugin *plugin)
{
    size_t options = plugin->plugin ? config_option_count(plugin->plugin->options) : 0;
    for (size_t i = 0; i < plugin->instance_count; i++) {
        struct config_instance *instance = &plugin->instance[i];
        for (size_t o = 0; o < options; o++) {
            config_value_clear(&instance->values[o]);
        }
        free(instance->values);
        free(instance->lines);
        free(instance->title);
    }
    free(plugin->instance);
    free(plugin->name);
    free(plugin->file);
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    for (size_t i = 0; i < config->chat_count; i++) {
        chat_clear(&config->chat[i]);
    }
    for (size_t i = 0; i < config->role_count; i++) {
        struct config_role *role = &config->role[i];
        config_strings_free(role->accounts);
        config_strings_free(role->names);
        config_strings_free(role->chats);
        free(role->name);
    }
    for (size_t i = 0; i < config->plugin_count; i++) {
        plugin_clear(&config->plugin[i]);
    }
    free(config->chat);
    free(config->role);
    free(config->plugin);
    config_strings_free(config->plugin_path);
    buf_clear(&config->problems);
    buf_clear(&config->warnings);
    free(config->dir);
    free(config->state_dir);
    free(config->name);
    free(config->contact);
    free(config->pages_listen);
    free(config->pages_url);
    if (config->key) {
        explicit_bzero(config->key, strlen(config->key));
    }
    free(config->key);
    free(config->prefix);
    free(config->file);
    free(config);
}

const struct hr_value *config_value(const struct hr_plugin *plugin, const struct config_instance *instance,
                                    const char *name)
{
    for (size_t i = 0; plugin->options && plugin->options[i].name; i++) {
        if (strcmp(plugin->options[i].name, name) == 0) {
            return &instance->values[i];
        }
    }
    bug_abort(plugin->name, 0, name); /* a plugin asked for an option that isn't in its table */
}

const struct config_instance *config_network(const struct config *config, const char *network,
                                             const struct hr_plugin **plugin)
{
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct config_plugin *file = &config->plugin[p];
        for (size_t i = 0; file->plugin && file->plugin->network && i < file->instance_count; i++) {
            if (strcmp(file->instance[i].title, network) == 0) {
                if (plugin) {
                    *plugin = file->plugin;
                }
                return &file->instance[i];
            }
        }
    }
    return NULL;
}
