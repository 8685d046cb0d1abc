/* SPDX-License-Identifier: MIT */
/* The state of the program, handed down; there are no file-level variables. */
#ifndef HASHROOM_APP_H
#define HASHROOM_APP_H
#include "arena.h"
#include "clock.h"
#include <hashroom/network.h>
#include <uv.h>

struct app {
    uv_loop_t *loop;
    struct clock clock;
    struct config *config;     /* what the operator wrote */
    struct store *store;
    struct turn *turn;
    struct control *control;   /* the socket for commands in a terminal; NULL: none */
    struct wal *wal;           /* keeps the database's log of changes small */
    struct boot *boot;         /* notices an old copy of the database */
    struct key *key;           /* the store key, outside the database */
    struct pages *pages;       /* what people without an account can open; NULL: nothing is */
    struct works *works;       /* long computations of plugins */
    struct timers *timers;
    struct http *http;
    struct streams *streams;
    struct plugins *plugins;   /* loaded images and running instances */
    struct rooms *rooms;       /* room rows and routes in memory */
    struct chats *chats;       /* the small record of each chat */
    struct messages *messages; /* the log */
    struct outbox *outbox;     /* deliveries and parts, pump, budgets */
    struct disk *disk;         /* warns before it is full */
    struct purge *purge;       /* empties what was kept long enough */
    struct commands *commands; /* names, roles, did-you-mean */
    struct arena arena;        /* of the callback that runs */
    int depth;                 /* of nested instance_enter() */
    int64_t started_ms;        /* wall clock */
    bool stopping;
    bool rehearsal;            /* private store, fast clock, full rooms */
    bool trial;                /* of doctor: private store, beside the bot that may run */
    int exit_code;
    const char *config_dir;
    struct terminal *terminal; /* who reads the keyboard; NULL: nobody */
};

/* Opens the store in config->state_dir (locked), makes the parts above, starts
 * the plugins and then the outbox. Before: loop, clock, plugins (loaded), config
 * without problems. On failure nothing is left open; err says what to do. */
int app_open(struct app *app, unsigned store_flags, char *err, size_t err_size);
/* Stops the plugins, commits, closes all; runs the loop until every handle is
 * gone. Leaves loop, plugins and config to the caller. */
void app_close(struct app *app);
#endif
