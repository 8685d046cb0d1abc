/* SPDX-License-Identifier: MIT */
/* What can only be seen when all files are read: names that must fit together. */
#include "config_inside.h"
#include "near.h"
#include "role.h"
#include <hashroom/network.h>

enum { DEFAULT_LIMIT_ROOMS = 3 };
#define DEFAULT_LIMIT_RATE 0.5 /* parts a second: servers that grant less are noticed above three rooms */

/* A file that could not be read would make all its networks look unknown. */
static bool has_broken_plugin(const struct config *config)
{
    for (size_t i = 0; i < config->plugin_count; i++) {
        if (!config->plugin[i].plugin || config->plugin[i].instance_count == 0) {
            return true;
        }
    }
    return false;
}

static const struct config_instance *next_network(const struct config *config, size_t *plugin, size_t *instance)
{
    for (; *plugin < config->plugin_count; ++*plugin, *instance = 0) {
        const struct config_plugin *file = &config->plugin[*plugin];
        if (file->plugin && file->plugin->network && *instance < file->instance_count) {
            return &file->instance[(*instance)++];
        }
    }
    return NULL;
}

static void tell_unknown_network(struct config *config, struct config_where where, const char *what,
                                 const char *network)
{
    struct near near = {.word = network};
    size_t plugin = 0, instance = 0;
    const struct config_instance *known;
    while ((known = next_network(config, &plugin, &instance))) {
        near_offer(&near, known->title);
    }
    if (near.best) {
        config_problem(config, where, "%s: there is no network '%.60s'. Did you mean '%s'?", what, network, near.best);
    } else if (!has_broken_plugin(config)) {
        config_problem(config, where,
                       "%s: there is no network '%.60s'. Write instance \"%.60s\" { ... } into the file of its "
                       "plugin, for example plugins/irc.conf",
                       what, network, network);
    }
}

/* ---- instances -------------------------------------------------------------------- */

static bool is_title(const char *title)
{
    size_t len = strspn(title, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return len > 0 && len <= 32 && !title[len];
}

/* Where else is the title used? Networks share one space of names, a feature's instances have their own. */
static const struct config_instance *find_twin(const struct config *config, size_t plugin, size_t instance)
{
    const struct config_plugin *own = &config->plugin[plugin];
    for (size_t p = 0; p <= plugin; p++) {
        const struct config_plugin *file = &config->plugin[p];
        bool shared = p == plugin || (own->plugin->network && file->plugin && file->plugin->network);
        size_t end = p == plugin ? instance : file->instance_count;
        for (size_t i = 0; shared && i < end; i++) {
            if (strcmp(file->instance[i].title, own->instance[instance].title) == 0) {
                return &file->instance[i];
            }
        }
    }
    return NULL;
}

static void check_instances(struct config *config)
{
    for (size_t p = 0; p < config->plugin_count; p++) {
        for (size_t i = 0; i < config->plugin[p].instance_count; i++) {
            const struct config_instance *instance = &config->plugin[p].instance[i], *twin = find_twin(config, p, i);
            if (twin) {
                config_problem(config, instance->where,
                               "instance '%.60s': the name is taken by %s:%d. Give each its own name", instance->title,
                               twin->where.file, twin->where.line);
            } else if (!is_title(instance->title)) {
                config_problem(config, instance->where,
                               "instance '%.60s' is not a name. Write 1 to 32 letters, digits, . _ or -",
                               instance->title);
            }
        }
    }
}

static bool has_chat(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->chat_count; i++) {
        if (strcmp(config->chat[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A feature has one instance a chat, with the chat's name. */
static void check_feature_instances(struct config *config)
{
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct config_plugin *file = &config->plugin[p];
        for (size_t i = 0; file->plugin && !file->plugin->network && i < file->instance_count; i++) {
            const struct config_instance *instance = &file->instance[i];
            if (!instance->named || config->chat_count == 0 || has_chat(config, instance->title)) {
                continue;
            }
            struct near near = {.word = instance->title};
            for (size_t c = 0; c < config->chat_count; c++) {
                near_offer(&near, config->chat[c].name);
            }
            config_problem(config, instance->where, "instance '%.60s': there is no chat of that name. %s%s%s",
                           instance->title,
                           near.best ? "Did you mean '" : "Name the instance like a chat of hashroom.conf",
                           near.best ? near.best : "", near.best ? "'?" : "");
        }
    }
}

/* ---- rooms ---------------------------------------------------------------------------- */

static bool same_room(const struct config_room *a, const struct config_room *b)
{
    if (strcmp(a->network, b->network) != 0) {
        return false;
    }
    return a->address[0] == '#' ? strcasecmp(a->address, b->address) == 0 : strcmp(a->address, b->address) == 0;
}

static void check_twice(struct config *config, size_t c, size_t r)
{
    const struct config_room *room = &config->chat[c].room[r];
    for (size_t i = 0; i <= c; i++) {
        const struct config_chat *chat = &config->chat[i];
        for (size_t j = 0; j < (i == c ? r : chat->room_count); j++) {
            if (same_room(room, &chat->room[j])) {
                config_problem(config, room->where,
                               "room '%.40s/%.80s' is already in the chat %s (line %d). A room belongs to "
                               "one chat and stands there once: remove one",
                               room->network, room->address, chat->name, chat->room[j].where.line);
                return;
            }
        }
    }
}

static void check_room(struct config *config, const struct config_room *room)
{
    const struct hr_plugin *plugin = NULL;
    if (!config_network(config, room->network, &plugin)) {
        tell_unknown_network(config, room->where, "room", room->network);
        return;
    }
    char err[512] = "";
    if (plugin->network->check_room && plugin->network->check_room(room->address, err, sizeof err) < 0) {
        config_problem(config, room->where, "room '%.40s/%.80s': %s", room->network, room->address, err);
    }
    if (room->power_host > 0 && strcmp(plugin->network->service, "IRC") == 0) {
        config_problem(
            config, room->where,
            "room '%.40s/%.80s': power_host is not for IRC, where being operator of a channel proves nothing "
            "about a person. Name the hosts by their accounts: role \"host\" { accounts = { \"%.40s/NAME\" } }",
            room->network, room->address, room->network);
    }
}

static const char *service_of(const struct config *config, const struct config_room *room)
{
    const struct hr_plugin *plugin = NULL;
    return config_network(config, room->network, &plugin) ? plugin->network->service : "";
}

static void check_irc_routes(struct config *config, const struct config_chat *chat)
{
    for (size_t i = 0; !chat->irc_to_irc && i < chat->route_count; i++) {
        const struct config_route *route = &chat->route[i];
        for (size_t t = 0; t < route->to_count; t++) {
            if (strcmp(service_of(config, &chat->room[route->from]), "IRC") == 0 &&
                strcmp(service_of(config, &chat->room[route->to[t]]), "IRC") == 0) {
                config_problem(config, route->where,
                               "route: it goes from IRC to IRC, and many networks want to be asked first. "
                               "If they agree, write irc_to_irc = yes into the chat");
                break;
            }
        }
    }
}

static void check_chats(struct config *config)
{
    for (size_t c = 0; c < config->chat_count; c++) {
        const struct config_chat *chat = &config->chat[c];
        for (size_t i = 0; i < c; i++) {
            if (strcmp(config->chat[i].name, chat->name) == 0) {
                config_problem(config, chat->where,
                               "chat '%s' is there twice (line %d has it too). Join the two or rename one", chat->name,
                               config->chat[i].where.line);
            }
        }
        if (chat->room_count == 0) {
            config_problem(config, chat->where,
                           "the chat %s has no room. Write one for each place it happens in: room "
                           "\"libera/#dpulo\" { }",
                           chat->name);
        }
        for (size_t r = 0; r < chat->room_count; r++) {
            check_twice(config, c, r);
            check_room(config, &chat->room[r]);
        }
        check_irc_routes(config, chat);
    }
}

/* ---- roles ------------------------------------------------------------------------------- */

static void check_role_name(struct config *config, const struct config_role *role)
{
    static const char *const names[] = {"host", "guest", "moderator", "planner", "admin"};
    struct near near = {.word = role->name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(role->name, names[i]) == 0) {
            return;
        }
        near_offer(&near, names[i]);
    }
    config_problem(config, role->where,
                   "there is no role '%.40s'. %s%s%sThe roles are host, guest, moderator, planner and admin",
                   role->name, near.best ? "Did you mean '" : "", near.best ? near.best : "", near.best ? "'? " : "");
}

static void check_account(struct config *config, const struct config_role *role, const char *account)
{
    const char *slash = strchr(account, '/');
    char network[64];
    if (!slash || slash == account || !slash[1] || (size_t)(slash - account) >= sizeof network) {
        config_problem(config, role->where,
                       "role %.40s: '%.80s' is not NETWORK/ACCOUNT. Write for example \"libera/asha\"", role->name,
                       account);
        return;
    }
    memcpy(network, account, (size_t)(slash - account));
    network[slash - account] = '\0';
    if (!config_network(config, network, NULL)) {
        char what[64];
        (void)snprintf(what, sizeof what, "role %.40s", role->name);
        tell_unknown_network(config, role->where, what, network);
    }
}

static void check_roles(struct config *config)
{
    for (size_t i = 0; i < config->role_count; i++) {
        const struct config_role *role = &config->role[i];
        check_role_name(config, role);
        for (char **account = role->accounts; *account; account++) {
            check_account(config, role, *account);
        }
        for (char **chat = role->chats; *chat; chat++) {
            if (!has_chat(config, *chat) && config->chat_count > 0) {
                config_problem(config, role->where,
                               "role %.40s: there is no chat '%.60s'. Write the name of a chat section of "
                               "this file",
                               role->name, *chat);
            }
        }
    }
}

/* ---- what works but will disappoint --------------------------------------------------------- */

/* Whoever wrote a rate knows of it. */
static bool has_own_rate(const struct hr_plugin *plugin, const struct config_instance *instance)
{
    for (size_t i = 0; plugin->options && plugin->options[i].name; i++) {
        if (strncmp(plugin->options[i].name, "rate", 4) == 0 && instance->lines[i] > 0) {
            return true;
        }
    }
    return false;
}

static size_t rooms_of(const struct config *config, const char *network)
{
    size_t count = 0;
    for (size_t c = 0; c < config->chat_count; c++) {
        for (size_t r = 0; r < config->chat[c].room_count; r++) {
            count += strcmp(config->chat[c].room[r].network, network) == 0;
        }
    }
    return count;
}

static void warn_about_budgets(struct config *config)
{
    for (size_t p = 0; p < config->plugin_count; p++) {
        const struct config_plugin *file = &config->plugin[p];
        for (size_t i = 0; file->plugin && file->plugin->network && i < file->instance_count; i++) {
            const struct hr_limits *limits = &file->plugin->network->limits;
            size_t rooms = rooms_of(config, file->instance[i].title);
            if (limits->rate > 0 && limits->rate <= DEFAULT_LIMIT_RATE && rooms > DEFAULT_LIMIT_ROOMS &&
                !has_own_rate(file->plugin, &file->instance[i])) {
                config_warning(
                    config, file->instance[i].where,
                    "%s: %zu rooms share one account, and by default the server "
                    "takes %.1f messages a second from it. Questions may come late: ask its administrator for a "
                    "higher limit, or keep to %d rooms",
                    file->instance[i].title, rooms, limits->rate, DEFAULT_LIMIT_ROOMS);
            }
        }
    }
}

/* A network that no chat uses connects, and then nobody hears of it. */
static void warn_about_idle(struct config *config)
{
    size_t plugin = 0, instance = 0;
    const struct config_instance *network;
    while (config->chat_count > 0 && (network = next_network(config, &plugin, &instance))) {
        if (rooms_of(config, network->title) == 0) {
            config_warning(config, network->where,
                           "%s: no chat has a room on this network, so the bot has nothing to do there. Write into the "
                           "chat in hashroom.conf: room \"%s/ADDRESS\" { }",
                           network->title, network->title);
        }
    }
}

static bool has_host(const struct config *config, const struct config_chat *chat)
{
    for (size_t r = 0; r < chat->room_count; r++) {
        if (chat->room[r].power_host > 0) {
            return true;
        }
    }
    for (size_t i = 0; i < config->role_count; i++) {
        const struct config_role *role = &config->role[i];
        bool here = role->chats[0] == NULL;
        for (char **name = role->chats; *name; name++) {
            here = here || strcmp(*name, chat->name) == 0;
        }
        if (here && role->accounts[0] && role_has("chat.run", role->name)) {
            return true;
        }
    }
    return false;
}

static void warn_about_hosts(struct config *config)
{
    for (size_t c = 0; c < config->chat_count; c++) {
        if (!has_host(config, &config->chat[c])) {
            config_warning(config, config->chat[c].where,
                           "nobody can lead the chat %s: no role host has an account. Write into this file: role "
                           "\"host\" { accounts = { \"NETWORK/ACCOUNT\" } }",
                           config->chat[c].name);
        }
    }
}

void config_check(struct config *config)
{
    check_instances(config);
    check_feature_instances(config);
    check_chats(config);
    check_roles(config);
    warn_about_budgets(config);
    warn_about_idle(config);
    warn_about_hosts(config);
}
