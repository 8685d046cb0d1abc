/* SPDX-License-Identifier: MIT */
/*
 * What the operator wrote: DIR/hashroom.conf for the host and DIR/plugins/NAME.conf
 * for each plugin that is switched on (libconfuse syntax). Read once, checked as
 * a whole: the first syntax error of each file, then all errors of meaning, each
 * with file, line and the fix.
 *
 *   hashroom.conf
 *     name = "hashroom"            state = "/var/lib/hashroom"
 *     prefix = "!"                 contact = "who runs this bot"
 *     keep_posts = "1d"            keep_words = "30d"
 *     plugin_path = { "/usr/lib/hashroom" }
 *     pages { listen = "127.0.0.1:8780"  url = "https://media.example.org" }
 *     chat "dpulo" {
 *         tag = "#DPULO"           irc_to_irc = no
 *         room "libera/#dpulo" { pace = calm }
 *         room "home/!abc:example.org" { pace = full  power_host = 50 }
 *         room "x/#dpulo" { }
 *         route { from = "x/#dpulo"  to = { "libera/#dpulo" }  when = always | live }
 *     }
 *     role "host" { accounts = { "libera/asha", "home/@asha:example.org" }  names = { "Asha" }  chats = { "dpulo" } }
 *
 *   plugins/irc.conf
 *     instance "libera" { server = "irc.libera.chat"  ... }
 *   plugins/session.conf: a feature's instances bear the names of chats; a file
 *     without instances is one for the only chat
 *     instance "dpulo" { time = "20:00"  ... }
 *
 * Without `route` sections a chat is a full mesh: every room to every room where
 * people talk, but IRC to IRC only with irc_to_irc = yes, and nothing to social
 * rooms. With `route` sections these alone count.
 */
#ifndef HASHROOM_CONFIG_H
#define HASHROOM_CONFIG_H
#include "buf.h"

struct config_where { const char *file; int line; };

struct config_instance { /* one instance of a plugin */
    char *title;  /* "libera"; the plugin's name if the file has no instances */
    bool named;   /* was titled in the file */
    struct hr_value *values; /* parallel to plugin->options */
    int *lines;              /* line of each value, 0 for presets */
    struct config_where where;
};

struct config_plugin { /* one file of plugins/ */
    char *name, *file;
    const struct hr_plugin *plugin; /* NULL: could not be loaded (told as a problem) */
    struct config_instance *instance;
    size_t instance_count;
    bool switched_off; /* known, but not started (doctor, export) */
};

struct config_room {
    char *network, *address; /* from "network/address" */
    bool full;
    int power_host; /* Matrix power level that makes a host; 0: none */
    struct config_where where;
};

struct config_route {
    size_t from;      /* index into the chat's rooms */
    size_t *to, to_count;
    bool live_only;
    struct config_where where;
};

struct config_chat {
    char *name, *tag;
    bool irc_to_irc;
    struct config_room *room;
    size_t room_count;
    struct config_route *route;
    size_t route_count;
    struct config_where where;
};

struct config_role {
    char *name;              /* "host", "moderator", "planner", "admin" */
    char **accounts, **names, **chats; /* each ends in NULL; chats empty: all */
    struct config_where where;
};

struct config {
    char *dir, *state_dir, *name, *contact, *prefix;
    char *key; /* the store key as key_file holds it, 64 hex digits; "": hashroom.key beside the database */
    int64_t keep_posts_ms, keep_words_ms;
    char *pages_listen, *pages_url; /* section `pages`; "": none */
    char **plugin_path; /* ends in NULL */
    struct config_chat *chat;
    size_t chat_count;
    struct config_role *role;
    size_t role_count;
    struct config_plugin *plugin;
    size_t plugin_count;
    size_t problem_count;
    struct buf problems; /* "FILE:LINE: text. Fix." one per line */
    size_t warning_count;
    struct buf warnings; /* the same for what works but will disappoint */
    char *file;          /* DIR/hashroom.conf */
};

/* How the reader gets at manifests: the loader in the program, a table in tests.
 * hashroom.conf is read by then: config->plugin_path is what it says. */
typedef const struct hr_plugin *config_find_fn(void *arg, const struct config *config, const char *name, char *err,
                                               size_t err_size);

/* Always gives a config; it is usable only if problem_count is 0. Opens no
 * connection; reads secret files. `find` is called once for each plugins/NAME.conf. */
struct config *config_read(const char *dir, config_find_fn *find, void *arg);
void config_free(struct config *config);
void config_problem(struct config *config, struct config_where where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
char **config_strings(const char *const *list); /* a copy, ends in NULL; the caller frees it */
void config_strings_free(char **list);          /* NULL is fine */
void config_warning(struct config *config, struct config_where where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Value of an option; aborts if the plugin has no such option (a bug). */
const struct hr_value *config_value(const struct hr_plugin *plugin, const struct config_instance *instance, const char *name);
const struct config_instance *config_network(const struct config *config, const char *network,
                                             const struct hr_plugin **plugin); /* by title; or NULL */
#endif
