/* SPDX-License-Identifier: MIT */
/*
 * A running instance of a plugin, `struct hr_bot` to the plugin: the owner to
 * which timers, requests, streams and commands are tied, so that one sweep
 * makes stopping it safe.
 */
#ifndef HASHROOM_INSTANCE_H
#define HASHROOM_INSTANCE_H
#include "app.h"
#include "arena.h"
#include "config.h"

struct hr_bot {
    struct app *app;
    const struct hr_plugin *plugin;
    const struct config_instance *config; /* option values, title */
    void *state;    /* the plugin's own */
    char *who;      /* "irc/libera": for log lines */
    bool started, stopping;
    bool failed;    /* start() failed or a callback broke: reported, left alone */
    struct network *network; /* network plugins: see network.h of the host; else NULL */
    struct hr_timer *timers;     /* lists by owner; each module sweeps its own */
    struct hr_work *works;
    int work_count;
    struct hr_request *requests;
    struct hr_stream *streams;
    struct hr_bot *next;
    struct plugin_stmt *sql_cache; /* plugin_sql.c */
    int entered;          /* calls into it that have not come back */
    int64_t entered_ms;   /* monotonic, of the outermost of them */
};

/* Around every call into a plugin. Enter opens a savepoint; leave keeps it if
 * status >= 0, else undoes it and logs; frees the callback's arena when the
 * outermost call ends; names callbacks over 50 ms in the log. They nest. */
void instance_enter(struct hr_bot *bot);
void instance_leave(struct hr_bot *bot, int status);
struct arena *instance_arena(struct hr_bot *bot); /* of the callback that runs */
#endif
