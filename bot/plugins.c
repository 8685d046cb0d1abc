/* SPDX-License-Identifier: MIT */
/* Loads plugin images and looks them over before any of their code runs; starts and stops their instances. */
#include "plugins.h"
#include "api.h"
#include "command.h"
#include "config.h"
#include "http.h"
#include "instance.h"
#include "log.h"
#include "near.h"
#include "network.h"
#include "pages.h"
#include "plugin_sql.h"
#include "plugins_check.h"
#include "status.h"
#include "stream.h"
#include "terminal.h"
#include "timer.h"
#include "turn.h"
#include "work.h"
#include "xalloc.h"
#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

enum { KNOWN_MAX_BYTES = 512 };

struct image {
    char *name;
    void *handle;
    const struct hr_plugin *plugin; /* NULL: it was refused, why says it */
    char *why;
    struct image *next;
};

struct plugins {
    struct app *app;
    const char *const *path;
    struct image *images;
    struct hr_bot *first, **last;
};

struct plugins *plugins_new(struct app *app, const char *const *path)
{
    struct plugins *plugins = xcalloc(1, sizeof(*plugins));
    plugins->app = app;
    plugins->path = path;
    plugins->last = &plugins->first;
    return plugins;
}

void plugins_free(struct plugins *plugins)
{
    if (plugins == NULL) {
        return;
    }
    BUG_IF(plugins->first != NULL);
    while (plugins->images != NULL) {
        struct image *image = plugins->images;
        plugins->images = image->next;
#ifndef __SANITIZE_ADDRESS__ /* a closed image would leave stacks without names */
        if (image->handle != NULL) {
            dlclose(image->handle);
        }
#endif
        free(image->name);
        free(image->why);
        free(image);
    }
    free(plugins);
}

/* ---- images ------------------------------------------------------------------- */

static char *find_file(const struct plugins *plugins, const char *name)
{
    for (size_t i = 0; plugins->path[i] != NULL; i++) {
        char *file = xasprintf("%s/%s.so", plugins->path[i], name);
        if (access(file, R_OK) == 0) {
            return file;
        }
        free(file);
    }
    return NULL;
}

bool plugins_is_there(const struct plugins *plugins, const char *name)
{
    CLEANUP_FREE char *file = plugins_name_is_sound(name) ? find_file(plugins, name) : NULL;
    return file != NULL;
}

static int is_image(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

/* "there is no plugin ircc in /usr/lib/hashroom. Did you mean irc? There are: irc, matrix" */
static char *say_missing(const struct plugins *plugins, const char *name)
{
    struct buf known;
    struct near near = {.word = name};
    buf_init(&known, KNOWN_MAX_BYTES);
    for (size_t i = 0; plugins->path[i] != NULL; i++) {
        struct dirent **entry = NULL;
        int count = scandir(plugins->path[i], &entry, is_image, alphasort);
        for (int e = 0; e < count; e++) {
            int len = (int)strlen(entry[e]->d_name) - 3;
            entry[e]->d_name[len] = '\0';
            near_offer(&near, entry[e]->d_name);
            (void)buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", entry[e]->d_name);
        }
        char *best = near.best != NULL ? xstrdup(near.best) : NULL;
        for (int e = 0; e < count; e++) {
            free(entry[e]);
        }
        free(entry);
        if (best != NULL) {
            char *why = xasprintf("there is no plugin %s. Did you mean %s? In %s there are: %s", name, best,
                                  plugins->path[i], buf_str(&known));
            free(best);
            buf_clear(&known);
            return why;
        }
    }
    char *why = xasprintf("there is no plugin %s in %s. There are: %s", name,
                          plugins->path[0] == NULL ? "(no folder)" : plugins->path[0],
                          known.len > 0 ? buf_str(&known) : "none");
    buf_clear(&known);
    return why;
}

static void open_image(const struct plugins *plugins, struct image *image)
{
    CLEANUP_FREE char *file = plugins_name_is_sound(image->name) ? find_file(plugins, image->name) : NULL;
    if (file == NULL) {
        image->why = say_missing(plugins, image->name);
        return;
    }
    image->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (image->handle == NULL) {
        image->why = xasprintf("%s can't be loaded: %s", file, dlerror());
        return;
    }
    const struct hr_plugin *plugin = dlsym(image->handle, "hashroom_plugin");
    char why[256] = "it exports no hashroom_plugin: it isn't a hashroom plugin";
    if (plugin != NULL && plugins_check(plugin, image->name, why, sizeof(why)) == HR_OK) {
        image->plugin = plugin;
        return;
    }
    image->why = xasprintf("%s: %s", file, why);
}

const struct hr_plugin *plugins_load(struct plugins *plugins, const char *name, char *err, size_t err_size)
{
    struct image *image = plugins->images;
    while (image != NULL && strcmp(image->name, name) != 0) {
        image = image->next;
    }
    if (image == NULL) {
        image = xcalloc(1, sizeof(*image));
        image->name = xstrdup(name);
        image->next = plugins->images;
        plugins->images = image;
        open_image(plugins, image);
    }
    if (image->plugin == NULL) {
        snprintf(err, err_size, "%s", image->why);
    }
    return image->plugin;
}

int plugins_list(struct plugins *plugins,
                 int (*fn)(void *arg, const char *name, const struct hr_plugin *plugin, const char *err), void *arg)
{
    int rc = HR_OK;
    for (size_t i = 0; plugins->path[i] != NULL && rc >= 0; i++) {
        struct dirent **entry = NULL;
        int count = scandir(plugins->path[i], &entry, is_image, alphasort);
        for (int e = 0; e < count; e++) {
            CLEANUP_FREE char *name = xstrndup(entry[e]->d_name, strlen(entry[e]->d_name) - 3);
            CLEANUP_FREE char *found = find_file(plugins, name);
            CLEANUP_FREE char *here = xasprintf("%s/%s.so", plugins->path[i], name);
            if (rc >= 0 && found != NULL && strcmp(found, here) == 0) { /* an earlier folder hides it */
                char err[512] = "";
                const struct hr_plugin *plugin = plugins_load(plugins, name, err, sizeof(err));
                rc = fn(arg, name, plugin, err);
            }
            free(entry[e]);
        }
        free(entry);
    }
    return rc;
}

/* ---- instances ------------------------------------------------------------------ */

static struct hr_bot *bot_new(struct plugins *plugins, const struct hr_plugin *plugin,
                              const struct config_instance *config)
{
    struct hr_bot *bot = xcalloc(1, sizeof(*bot));
    bot->app = plugins->app;
    bot->plugin = plugin;
    bot->config = config;
    bot->who = config->named ? xasprintf("%s/%s", plugin->name, config->title) : xstrdup(plugin->name);
    *plugins->last = bot;
    plugins->last = &bot->next;
    return bot;
}

static void bot_sweep(struct hr_bot *bot)
{
    commands_sweep(bot->app->commands, bot);
    timers_sweep(bot);
    http_sweep(bot);
    streams_sweep(bot);
    terminal_sweep(bot);
    works_sweep(bot);
    pages_sweep(bot->app->pages, bot);
    plugin_sql_sweep(bot);
}

static void bot_start(struct hr_bot *bot)
{
    char err[512] = "";
    if (plugin_sql_migrate(bot, err, sizeof(err)) != HR_OK) {
        log_line(HR_ERROR, bot->who, "its tables can't be made: %s. It is left out; the rest goes on", err);
        bot->failed = true;
        return;
    }
    network_attach(bot);
    instance_enter(bot);
    int rc = bot->plugin->start(bot, api_table(bot->network != NULL), &bot->state);
    instance_leave(bot, rc);
    if (rc < 0) {
        log_line(HR_ERROR, bot->who, "it could not start: %s. It is left out; the rest goes on", status_text(rc));
        bot_sweep(bot);
        network_detach(bot);
        bot->failed = true;
        return;
    }
    bot->started = true;
    commands_add(bot->app->commands, bot);
}

void plugins_start(struct plugins *plugins)
{
    const struct config *config = plugins->app->config;
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct config_plugin *file = &config->plugin[p];
        for (size_t i = 0; file->plugin != NULL && !file->switched_off && i < file->instance_count; i++) {
            bot_start(bot_new(plugins, file->plugin, &file->instance[i]));
        }
    }
}

static void bot_stop(struct hr_bot *bot)
{
    bot->stopping = true;
    if (bot->started) {
        works_sweep(bot); /* before stop(): what a thread works on may be freed there */
        instance_enter(bot);
        bot->plugin->stop(bot->state);
        instance_leave(bot, HR_OK);
        turn_finish(bot->app->turn); /* what it wrote last may still leave */
        bot_sweep(bot);
        network_detach(bot);
        bot->started = false;
    }
}

/* From the last to the first: features came after the networks they spoke on or before them, both work. */
static void stop_after(struct hr_bot *bot)
{
    if (bot == NULL) {
        return;
    }
    stop_after(bot->next);
    bot_stop(bot);
}

void plugins_stop(struct plugins *plugins)
{
    for (struct hr_bot *bot = plugins->first; bot != NULL; bot = bot->next) {
        bot->stopping = true; /* no events to those who wait for their turn */
    }
    stop_after(plugins->first); /* the list is walked meanwhile: freed when all have stopped */
    for (struct hr_bot *bot = plugins->first, *next; bot != NULL; bot = next) {
        next = bot->next;
        free(bot->who);
        free(bot);
    }
    plugins->first = NULL;
    plugins->last = &plugins->first;
}

struct hr_bot *plugins_each(struct plugins *plugins, struct hr_bot *after)
{
    return after == NULL ? plugins->first : after->next;
}
