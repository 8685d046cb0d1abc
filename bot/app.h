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
    struct timers *timers;
    struct http *http;
    struct streams *streams;
    struct plugins *plugins;   /* loaded images and running instances */
    struct rooms *rooms;       /* room rows and routes in memory */
    struct chats *chats;       /* the small record of each chat */
    struct messages *messages; /* the log */
    struct outbox *outbox;     /* deliveries and parts, pump, budgets */
    struct commands *commands; /* names, roles, did-you-mean */
    struct arena arena;        /* of the callback that runs */
    int depth;                 /* of nested instance_enter() */
    bool stopping;
    bool rehearsal;            /* private store, fast clock, full rooms */
    int exit_code;
    const char *config_dir;
    struct terminal *terminal; /* who reads the keyboard; NULL: nobody */
};
#endif
