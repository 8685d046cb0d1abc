/* SPDX-License-Identifier: MIT */
/* Is a manifest sound? Read as data, before any code of the plugin runs. */
#ifndef HASHROOM_PLUGINS_CHECK_H
#define HASHROOM_PLUGINS_CHECK_H
#include <hashroom/network.h>

bool plugins_name_is_sound(const char *name); /* [a-z][a-z0-9]{0,30}, and none of the host's */
/* HR_EINVAL with a plain sentence in why: another ABI, wrong name, a table with holes. */
int plugins_check(const struct hr_plugin *plugin, const char *name, char *why, size_t why_size);
/* What was added to the manifest after the first release; NULL if the plugin was built before, or has none. */
const struct hr_tool *plugins_tools(const struct hr_plugin *plugin);
const struct hr_tool *plugins_tool(const struct hr_plugin *plugin, const char *name); /* or NULL */
#endif
