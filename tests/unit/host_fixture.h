/* SPDX-License-Identifier: MIT */
/*
 * A whole host in a unit test: real store, turn, log, outbox, timers; a network
 * plugin `fake` that lives in the test and writes down what it is given.
 */
#ifndef HASHROOM_HOST_FIXTURE_H
#define HASHROOM_HOST_FIXTURE_H
#include "app.h"
#include "chat.h"
#include "command.h"
#include "config.h"
#include "instance.h"
#include "message.h"
#include "network.h"
#include "outbox.h"
#include "plugins.h"
#include "room.h"
#include "store.h"
#include "test.h"
#include "turn.h"
#include "xalloc.h"

enum { FIXTURE_SENT_MAX = 512 };

struct fixture_sent { /* one call of send() */
    uint64_t part;
    char room[64], body[512], txn[64];
    enum hr_act act;
    int attempt;
    uint32_t flags;
    enum hr_priority priority;
};

struct fixture {
    char dir[64];
    uv_loop_t loop;
    struct app app;
    struct fixture_sent sent[FIXTURE_SENT_MAX];
    size_t sent_count;
    int answer;          /* what send() answers at once; HR_OK: settles itself; 1: says nothing */
    bool fail_event;     /* the feature's event() fails after it has said something */
    int events;
    char last_event[256];
    enum hr_verdict verdict;
    bool relay;          /* the feature relays by the routes */
    enum hr_priority relay_as;
    int last_count;      /* of the last event */
};

/* conf: hashroom.conf (state is added), NULL: two networks `a` and `b` (people), one chat, rooms a/one, a/two, b/one. */
struct fixture *fixture_new(const char *conf);
void fixture_free(struct fixture *f);
/* For cmocka: fixture_new(NULL) and its end. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_all_up(struct fixture *f); /* both networks, all three rooms */
int64_t fixture_in_state(struct fixture *f, const char *state); /* deliveries */
void fixture_restart(struct fixture *f, bool clean); /* clean false: as after kill -9 */
void fixture_turn(struct fixture *f);                /* ends the turn */
struct hr_bot *fixture_bot(struct fixture *f, const char *title);
/* post() by network `title`, inside its callback. */
int fixture_post(struct fixture *f, const char *title, const char *room, const char *key, const char *name, const char *text);
int fixture_say(struct fixture *f, const char *room, enum hr_priority priority, const char *text, const char *key);
int64_t fixture_number(struct fixture *f, const char *sql); /* first column of the first row; -1 if none */
uint64_t fixture_room(struct fixture *f, const char *where); /* "a/one" */
#endif
