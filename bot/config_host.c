/* SPDX-License-Identifier: MIT */
/* hashroom.conf: the bot itself, its chats with rooms and routes, its roles. */
#include "config_inside.h"
#include "key.h"
#include "xalloc.h"

enum { CHATS_MAX = 64, ROOMS_MAX = 256, ROLES_MAX = 64, OPTIONS_MAX = 8 };

#define DAY_MS (24LL * 3600 * 1000)

static const struct hr_option file_options[] = {
    {.name = "name",
     .type = HR_STR,
     .preset = "hashroom",
     .help = "What people call the bot: \"hashroom: help\" works as \"!help\" does."},
    {.name = "state",
     .type = HR_STR,
     .preset = "/var/lib/hashroom",
     .help = "Folder for the database, for this bot alone. The bot makes it if it may."},
    {.name = "key_file",
     .type = HR_SECRET,
     .preset = "",
     .example = "/etc/hashroom/store.key",
     .help = "File with the key for what plugins encrypt in the database, made with: openssl rand -hex 32. Empty: "
             "hashroom.key in the folder of state, which the bot makes. Never keep it together with a backup."},
    {.name = "prefix",
     .type = HR_STR,
     .preset = "!",
     .help = "The sign in front of a command, one of ! ? . , + - ~ $ % & :"},
    {.name = "contact",
     .type = HR_STR,
     .preset = "",
     .example = "the chat's hosts, hosts@example.org",
     .help = "Who runs this bot and how to reach them. Web services are told with each request; for IRC write it into "
             "realname of plugins/irc.conf."},
    {.name = "keep_posts",
     .type = HR_DURATION,
     .preset = "1d",
     .min = 3600 * 1000,
     .max = 30 * DAY_MS,
     .help = "How long the words of posts from social networks are kept. Their links stay in the list."},
    {.name = "keep_words",
     .type = HR_DURATION,
     .preset = "30d",
     .min = DAY_MS,
     .max = 365 * DAY_MS,
     .help = "How long the words of people in the rooms are kept. Their links stay in the list."},
    {.name = "plugin_path",
     .type = HR_LIST,
     .preset = "{}",
     .example = "{ \"/usr/local/lib/hashroom\" }",
     .help = "Folders to look for plugins in. Empty: beside the program, else where it was installed."},
    {0},
};

static const struct hr_option chat_options[] = {
    {.name = "tag",
     .type = HR_STR,
     .example = "#DPULO",
     .help = "The hashtag as people write it, each word with a capital letter."},
    {.name = "irc_to_irc",
     .type = HR_BOOL,
     .preset = "no",
     .help = "Carry words from one IRC channel to another? Many IRC networks want to be asked first."},
    {0},
};

static const struct hr_option room_options[] = {
    {.name = "pace",
     .type = HR_STR,
     .preset = "calm",
     .help = "calm: at most 4 posts from social networks a minute, few emoji, no pictures made of symbols. full: all "
             "of it, as "
             "fast as the network allows."},
    {.name = "power_host",
     .type = HR_INT,
     .preset = "0",
     .min = 0,
     .max = 100,
     .example = "50",
     .help = "Matrix only: who has this power level in the room is a host of the chat. 0: nobody by power level."},
    {0},
};

static const struct hr_option route_options[] = {
    {.name = "from", .type = HR_STR, .example = "twitter/#dpulo", .help = "The room that is listened to."},
    {.name = "to", .type = HR_LIST, .example = "{ \"irc/#dpulo\" }", .help = "The rooms that hear it."},
    {.name = "when", .type = HR_STR, .preset = "always", .help = "always, or live: only while a chat is on."},
    {0},
};

static const struct hr_option role_options[] = {
    {.name = "accounts",
     .type = HR_LIST,
     .example = "{ \"irc/asha\" }",
     .help = "Who has the role: NETWORK/ACCOUNT. On IRC this is the account people sign in to with NickServ, never a "
             "nick. On Matrix it is the user id, for example \"matrix/@asha:example.org\"."},
    {.name = "names",
     .type = HR_LIST,
     .preset = "{}",
     .example = "{ \"Asha\" }",
     .help = "What these people are called, for sentences such as: Your host is Asha."},
    {.name = "chats",
     .type = HR_LIST,
     .preset = "{}",
     .example = "{ \"dpulo\" }",
     .help = "The chats in which they have the role. Empty: all."},
    {0},
};

static const struct config_sample room_samples[] = {
    {"matrix/#dpulo:example.org",
     "A room on Matrix, by its address, or by its id that begins with ! (in Element: Settings of the room, General and "
     "Advanced). Invite the bot to a private room. In one with encryption a host types !bridge encrypted yes."},
    {"twitter/#dpulo", "The hashtag on Twitter: posts come from here while a chat is on, and questions go there."},
    {0},
};

static const struct config_part chat_parts[] = {
    {.name = "room",
     .title = "irc/#dpulo",
     .options = room_options,
     .help =
         "A place where the chat happens: NETWORK/ADDRESS. The network is the name of an instance in plugins/irc.conf, "
         "plugins/matrix.conf and so on. On IRC the address is a channel.",
     .samples = room_samples},
    {.name = "route",
     .options = route_options,
     .optional = true,
     .help =
         "Who hears whom. Without routes all rooms hear each other, but for what irc_to_irc says. With routes these "
         "alone count."},
    {0},
};

static const struct config_part file_parts[] = {
    {.name = "pages",
     .options = config_pages_options,
     .optional = true,
     .help = "Where people without an account open pictures and files of Matrix rooms, if plugins/matrix.conf allows "
             "it. Plain HTTP: put a web server in front of it that does TLS (handbook for operators)."},
    {.name = "chat",
     .title = "dpulo",
     .options = chat_options,
     .parts = chat_parts,
     .help = "A weekly chat. The name is for this file and for commands; people see the tag."},
    {.name = "role",
     .title = "host",
     .options = role_options,
     .help =
         "Who may do what, one section for each role. host and guest lead the chat, moderator holds and hides posts, "
         "planner sets topic and questions, admin does all of it."},
    {0},
};

const struct config_part config_host_part = {.options = file_options, .parts = file_parts};

/* ---- helpers ----------------------------------------------------------------------- */

struct values { /* of one section */
    const struct hr_option *options;
    struct hr_value value[OPTIONS_MAX];
    int line[OPTIONS_MAX];
};

static void values_read(struct values *values, struct config_file *file, cfg_t *section,
                        const struct hr_option *options, const char *what)
{
    *values = (struct values){.options = options};
    BUG_IF(config_option_count(options) > OPTIONS_MAX);
    config_values(file, section, options, what, values->value, values->line);
}

static size_t place(const struct values *values, const char *name)
{
    for (size_t i = 0; values->options[i].name; i++) {
        if (strcmp(values->options[i].name, name) == 0) {
            return i;
        }
    }
    bug_abort(__FILE__, __LINE__, name);
}

static const struct hr_value *get(const struct values *values, const char *name)
{
    return &values->value[place(values, name)];
}

static struct config_where where(const struct config_file *file, const struct values *values, const char *name,
                                 cfg_t *section)
{
    int line = values->line[place(values, name)];
    bool is_root = strcmp(section->name, "root") == 0;
    return (struct config_where){file->name, line ? line : is_root ? 1 : config_line(section)};
}

static void values_clear(struct values *values)
{
    for (size_t i = 0; values->options[i].name; i++) {
        config_value_clear(&values->value[i]);
    }
}

static bool is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return len > 0 && len <= 32 && !text[len];
}

/* ---- the file itself --------------------------------------------------------------------- */

static void check_prefix(struct config *config, struct config_where at)
{
    const char *prefix = config->prefix;
    if (prefix[0] == '#' || prefix[0] == '@') {
        config_problem(config, at,
                       "prefix: '%.8s' begins the names of %s, so it can't begin a command. Write: prefix = \"!\"",
                       prefix, prefix[0] == '#' ? "channels and hashtags" : "people");
    } else if (strlen(prefix) != 1 || !strchr("!?.,+-~$%&:", prefix[0])) {
        config_problem(config, at, "prefix: '%.8s' is not one of ! ? . , + - ~ $ %% & : Write: prefix = \"!\"", prefix);
    }
}

static void read_root(struct config *config, struct config_file *file)
{
    struct values values;
    values_read(&values, file, file->root, file_options, "the file");
    config->name = xstrdup(get(&values, "name")->str);
    config->state_dir = xstrdup(get(&values, "state")->str);
    config->prefix = xstrdup(get(&values, "prefix")->str);
    config->contact = xstrdup(get(&values, "contact")->str);
    config->key = xstrdup(get(&values, "key_file")->str);
    config->keep_posts_ms = get(&values, "keep_posts")->num;
    config->keep_words_ms = get(&values, "keep_words")->num;
    config_strings_free(config->plugin_path);
    config->plugin_path = config_strings(get(&values, "plugin_path")->list);
    check_prefix(config, where(file, &values, "prefix", file->root));
    if (!is_name(config->name)) {
        config_problem(config, where(file, &values, "name", file->root),
                       "name: '%.40s' is not a name. Write 1 to 32 letters "
                       "and digits without spaces",
                       config->name);
    }
    if (config->key[0] && !key_parse(config->key, (unsigned char[KEY_BYTES]){0})) {
        config_problem(config, where(file, &values, "key_file", file->root),
                       "key_file: the file doesn't hold 64 hex digits. A new one is made with: openssl rand -hex 32");
    }
    if (config->state_dir[0] != '/') {
        config_problem(config, where(file, &values, "state", file->root),
                       "state: '%.60s' is not a full path. Write the "
                       "whole path of the folder, from / on",
                       config->state_dir);
    }
    values_clear(&values);
}

static void read_role(struct config *config, struct config_file *file, cfg_t *section)
{
    struct values values;
    values_read(&values, file, section, role_options, "the role");
    config->role = xrealloc(config->role, config->role_count + 1, sizeof *config->role);
    config->role[config->role_count++] = (struct config_role){
        .name = xstrdup(config_title(section)),
        .accounts = config_strings(get(&values, "accounts")->list),
        .names = config_strings(get(&values, "names")->list),
        .chats = config_strings(get(&values, "chats")->list),
        .where = {file->name, config_line(section)},
    };
    values_clear(&values);
}

/* ---- chats ---------------------------------------------------------------------------------- */

static void read_room(struct config *config, struct config_file *file, cfg_t *section, struct config_chat *chat)
{
    struct values values;
    values_read(&values, file, section, room_options, "the room");
    const char *title = config_title(section), *slash = strchr(title, '/'), *pace = get(&values, "pace")->str;
    struct config_where at = {file->name, config_line(section)};
    if (strcmp(pace, "calm") != 0 && strcmp(pace, "full") != 0) {
        config_problem(config, where(file, &values, "pace", section),
                       "pace: '%.40s' is neither calm nor full. Write: "
                       "pace = calm",
                       pace);
    }
    if (!slash || slash == title || !slash[1]) {
        config_problem(config, at, "room '%.80s' is not NETWORK/ADDRESS. Write for example: room \"libera/#dpulo\" { }",
                       title);
    } else {
        chat->room[chat->room_count++] = (struct config_room){
            .network = xstrndup(title, (size_t)(slash - title)),
            .address = xstrdup(slash + 1),
            .full = strcmp(pace, "full") == 0,
            .power_host = (int)get(&values, "power_host")->num,
            .where = at,
        };
    }
    values_clear(&values);
}

/* A hashtag: # and letters, digits, _ of any script. */
static bool is_tag(const char *tag)
{
    if (tag[0] != '#' || !tag[1] || strlen(tag) > 100) {
        return false;
    }
    for (const char *c = tag + 1; *c; c++) {
        if ((unsigned char)*c < 0x80 &&
            !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *c)) {
            return false;
        }
    }
    return true;
}

static void read_chat(struct config *config, struct config_file *file, cfg_t *section)
{
    struct values values;
    values_read(&values, file, section, chat_options, "the chat");
    struct config_where at = {file->name, config_line(section)};
    config->chat = xrealloc(config->chat, config->chat_count + 1, sizeof *config->chat);
    struct config_chat *chat = &config->chat[config->chat_count++];
    *chat = (struct config_chat){
        .name = xstrdup(config_title(section)),
        .tag = xstrdup(get(&values, "tag")->str),
        .irc_to_irc = get(&values, "irc_to_irc")->num != 0,
        .where = at,
    };
    if (!is_name(chat->name)) {
        config_problem(config, at, "chat '%.40s' is not a name. Write 1 to 32 letters and digits without spaces",
                       chat->name);
    }
    if (chat->tag[0] && !is_tag(chat->tag)) {
        config_problem(config, where(file, &values, "tag", section),
                       "tag: '%.40s' is not a hashtag. Write # and then letters "
                       "and digits, in quotes",
                       chat->tag);
    }
    values_clear(&values);
    size_t rooms = config_count(section, "room");
    if (rooms > ROOMS_MAX) {
        config_problem(config, at, "the chat has more than %d rooms. Remove some", ROOMS_MAX);
        return;
    }
    chat->room = xcalloc(rooms + 1, sizeof *chat->room);
    for (size_t i = 0; i < rooms; i++) {
        read_room(config, file, config_section(section, "room", i), chat);
    }
    config_routes(config, chat, section, file);
}

void config_read_host(struct config *config)
{
    struct config_file file = {.config = config, .name = config->file};
    config_file_read(&file, &config_host_part);
    config_read_pages(config, &file);
    if (!file.root) {
        config->name = xstrdup("hashroom");
        config->prefix = xstrdup("!");
        config->state_dir = xstrdup("");
        config->contact = xstrdup("");
        config->key = xstrdup("");
        config->plugin_path = config_strings(NULL);
        config_file_clear(&file);
        return;
    }
    read_root(config, &file);
    size_t chats = config_count(file.root, "chat"), roles = config_count(file.root, "role");
    if (chats == 0 || chats > CHATS_MAX || roles > ROLES_MAX) {
        config_problem(config, (struct config_where){config->file, 1},
                       "the file has %zu chats and %zu roles. Write 1 to %d "
                       "chat sections and at most %d role sections; `hashroom example` shows one",
                       chats, roles, CHATS_MAX, ROLES_MAX);
    }
    for (size_t i = 0; i < chats && i < CHATS_MAX; i++) {
        read_chat(config, &file, config_section(file.root, "chat", i));
    }
    for (size_t i = 0; i < roles && i < ROLES_MAX; i++) {
        read_role(config, &file, config_section(file.root, "role", i));
    }
    config_file_clear(&file);
}

/* ---- routes ------------------------------------------------------------------------------------ */

struct route_ask {
    struct config *config;
    struct config_chat *chat;
    struct config_where at;
};

/* Index of a room of the chat by "network/address"; told if there is none. */
static bool find_room(const struct route_ask *ask, const char *written, size_t *index)
{
    for (size_t i = 0; i < ask->chat->room_count; i++) {
        const struct config_room *room = &ask->chat->room[i];
        size_t len = strlen(room->network);
        if (strncmp(written, room->network, len) == 0 && written[len] == '/' &&
            strcmp(written + len + 1, room->address) == 0) {
            *index = i;
            return true;
        }
    }
    struct buf known;
    buf_init(&known, 1024);
    for (size_t i = 0; i < ask->chat->room_count; i++) {
        (void)buf_addf(&known, "%s\"%s/%s\"", i ? ", " : "", ask->chat->room[i].network, ask->chat->room[i].address);
    }
    config_problem(ask->config, ask->at, "route: the chat %s has no room '%.80s'. Its rooms are %s", ask->chat->name,
                   written, buf_str(&known));
    buf_clear(&known);
    return false;
}

static const struct config_route *find_double(const struct config_chat *chat, const struct config_route *own, size_t to)
{
    for (size_t i = 0; i < chat->route_count; i++) {
        for (size_t t = 0; chat->route[i].from == own->from && t < chat->route[i].to_count; t++) {
            if (chat->route[i].to[t] == to) {
                return &chat->route[i];
            }
        }
    }
    for (size_t t = 0; t < own->to_count; t++) {
        if (own->to[t] == to) {
            return own;
        }
    }
    return NULL;
}

static void add_target(const struct route_ask *ask, struct config_route *route, const char *written)
{
    size_t to = 0;
    if (!find_room(ask, written, &to)) {
        return;
    }
    const struct config_route *twice = find_double(ask->chat, route, to);
    const struct config_room *from = &ask->chat->room[route->from];
    if (to == route->from) {
        config_problem(ask->config, ask->at, "route: '%.80s' would hear itself. Remove it from `to`", written);
    } else if (twice) {
        config_problem(ask->config, ask->at,
                       "route: from '%s/%s' to '%.80s' is there twice (line %d has it too), and each "
                       "line would come twice. Remove one",
                       from->network, from->address, written, twice->where.line);
    } else {
        route->to[route->to_count++] = to;
    }
}

static void read_route(const struct route_ask *ask, struct config_file *file, cfg_t *section)
{
    struct values values;
    values_read(&values, file, section, route_options, "the route");
    const char *when = get(&values, "when")->str, *from = get(&values, "from")->str;
    if (strcmp(when, "always") != 0 && strcmp(when, "live") != 0) {
        config_problem(ask->config, where(file, &values, "when", section),
                       "when: '%.40s' is neither always nor live. Write: "
                       "when = always",
                       when);
    }
    struct config_route route = {.live_only = strcmp(when, "live") == 0, .where = ask->at};
    const char *const *to = get(&values, "to")->list;
    size_t count = 0;
    while (to[count]) {
        count++;
    }
    route.to = xcalloc(count + 1, sizeof *route.to);
    if (from[0] && find_room(ask, from, &route.from)) {
        for (size_t i = 0; i < count; i++) {
            add_target(ask, &route, to[i]);
        }
        ask->chat->route[ask->chat->route_count++] = route;
    } else {
        free(route.to);
    }
    values_clear(&values);
}

void config_routes(struct config *config, struct config_chat *chat, cfg_t *section, struct config_file *file)
{
    size_t count = config_count(section, "route");
    chat->route = xcalloc(count + 1, sizeof *chat->route);
    for (size_t i = 0; i < count; i++) {
        cfg_t *route = config_section(section, "route", i);
        struct route_ask ask = {config, chat, {file->name, config_line(route)}};
        read_route(&ask, file, route);
    }
}
