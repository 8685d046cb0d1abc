/* SPDX-License-Identifier: MIT */
/* Is a manifest sound? */
#include "plugins_check.h"
#include "buf.h"
#include "config_inside.h"

enum { TABLE_MAX = 256, NAME_MAX_CHARS = 31 };

bool plugins_name_is_sound(const char *name)
{
    /* Tables are owned by the name in front of the first '_': no name has one, and these are taken. */
    static const char *const taken[] = {"core", "delivery", "host", "sqlite"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        if (strcmp(name, taken[i]) == 0) {
            return false;
        }
    }
    size_t len = strlen(name);
    return len >= 1 && len <= NAME_MAX_CHARS && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static int refuse(char *why, size_t why_size, const char *what, const char *name)
{
    snprintf(why, why_size, "%s%s%s", what, name != NULL ? ": " : "", name != NULL ? name : "");
    return HR_EINVAL;
}

static int check_options(const struct hr_option *option, char *why, size_t why_size)
{
    for (size_t i = 0; option != NULL && option[i].name != NULL; i++) {
        if (i == TABLE_MAX || option[i].help == NULL || option[i].type <= HR_NULL || option[i].type > HR_SECRET) {
            return refuse(why, why_size, "an option of the plugin has no help or no known type", option[i].name);
        }
        struct hr_value preset = {0};
        char err[256] = "";
        if (config_preset(&option[i], &preset, err, sizeof(err)) < 0) {
            return refuse(why, why_size, "the preset of an option doesn't fit its own table", option[i].name);
        }
        config_value_clear(&preset);
    }
    return HR_OK;
}

static int check_commands(const struct hr_command *command, char *why, size_t why_size)
{
    for (size_t i = 0; command != NULL && command[i].name != NULL; i++) {
        if (i == TABLE_MAX || command[i].run == NULL || command[i].help == NULL || command[i].example == NULL ||
            command[i].usage == NULL) {
            return refuse(why, why_size, "a command of the plugin lacks its function, help, usage or example",
                          command[i].name);
        }
    }
    return HR_OK;
}

static int check_texts(const struct hr_text *text, char *why, size_t why_size)
{
    for (size_t i = 0; text != NULL && text[i].id != NULL; i++) {
        if (i == TABLE_MAX || text[i].text == NULL) {
            return refuse(why, why_size, "a text of the plugin is empty", text[i].id);
        }
    }
    return HR_OK;
}

static bool tool_name_is_sound(const char *name)
{
    size_t len = strlen(name);
    return len >= 2 && len <= NAME_MAX_CHARS && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int check_tools(const struct hr_tool *tool, char *why, size_t why_size)
{
    for (size_t i = 0; tool != NULL && tool[i].name != NULL; i++) {
        if (i == TABLE_MAX || tool[i].run == NULL || tool[i].help == NULL || tool[i].usage == NULL ||
            !tool_name_is_sound(tool[i].name)) {
            return refuse(why, why_size, "a tool of the plugin lacks its function, help or usage, or has no sound name",
                          tool[i].name);
        }
    }
    return HR_OK;
}

static int check_network(const struct hr_network *network, char *why, size_t why_size)
{
    if (network == NULL) {
        return HR_OK;
    }
    if (network->size < sizeof(*network) || network->service == NULL || network->render == NULL ||
        network->send == NULL || network->check_room == NULL || network->room_flags == 0) {
        return refuse(why, why_size, "its network table lacks a member", NULL);
    }
    return HR_OK;
}

int plugins_check(const struct hr_plugin *plugin, const char *name, char *why, size_t why_size)
{
    if (plugin->abi != HR_ABI) {
        snprintf(
            why, why_size,
            "it was built for another hashroom (its ABI is %u, this one is %u). Build it again with this version's "
            "headers",
            plugin->abi, HR_ABI);
        return HR_EINVAL;
    }
    if (plugin->size < offsetof(struct hr_plugin, tools)) { /* what the first release had */
        return refuse(why, why_size, "its manifest is too short. Build it again with this version's headers", NULL);
    }
    if (plugin->name == NULL || strcmp(plugin->name, name) != 0) {
        return refuse(why, why_size, "the file must have the plugin's own name", plugin->name);
    }
    if (plugin->version == NULL || plugin->help == NULL || plugin->start == NULL || plugin->stop == NULL) {
        return refuse(why, why_size, "its manifest lacks version, help, start or stop", NULL);
    }
    int rc = check_options(plugin->options, why, why_size);
    rc = rc == HR_OK ? check_commands(plugin->commands, why, why_size) : rc;
    rc = rc == HR_OK ? check_texts(plugin->texts, why, why_size) : rc;
    rc = rc == HR_OK ? check_tools(plugins_tools(plugin), why, why_size) : rc;
    return rc == HR_OK ? check_network(plugin->network, why, why_size) : rc;
}

const struct hr_tool *plugins_tools(const struct hr_plugin *plugin)
{
    return plugin->size >= offsetof(struct hr_plugin, tools) + sizeof(plugin->tools) ? plugin->tools : NULL;
}

const struct hr_tool *plugins_tool(const struct hr_plugin *plugin, const char *name)
{
    const struct hr_tool *tool = plugins_tools(plugin);
    while (tool != NULL && tool->name != NULL && strcmp(tool->name, name) != 0) {
        tool++;
    }
    return tool != NULL && tool->name != NULL ? tool : NULL;
}
