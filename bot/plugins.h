/* SPDX-License-Identifier: MIT */
/* Finds, loads and checks plugin images; starts, stops and sweeps instances. */
#ifndef HASHROOM_PLUGINS_H
#define HASHROOM_PLUGINS_H
#include "app.h"

struct plugins *plugins_new(struct app *app, const char *const *path); /* folders, ends in NULL; must outlive it */
void plugins_free(struct plugins *plugins);
/* The manifest of NAME.so, read without running code of the plugin. err: what
 * is wrong in a plain sentence (missing, no manifest, wrong ABI, bad table). */
const struct hr_plugin *plugins_load(struct plugins *plugins, const char *name, char *err, size_t err_size);
bool plugins_is_there(const struct plugins *plugins, const char *name); /* as a file, sound or not */
int plugins_list(struct plugins *plugins, int (*fn)(void *arg, const char *name, const struct hr_plugin *plugin, const char *err), void *arg);
/* Starts every instance of the configuration: schema, start(), commands. One
 * that fails is told to the operator and left out; the bot runs on. */
void plugins_start(struct plugins *plugins);
void plugins_stop(struct plugins *plugins); /* all, in reverse order, with sweep */
struct hr_bot *plugins_each(struct plugins *plugins, struct hr_bot *after); /* running ones; NULL: first */
#endif
