/* SPDX-License-Identifier: MIT */
/* A state folder in a unit test: store and turn on disk, as the bot has them, nothing else of the host. */
#ifndef HASHROOM_STATE_FIXTURE_H
#define HASHROOM_STATE_FIXTURE_H
#include "app.h"
#include "config.h"
#include "store.h"
#include "test.h"
#include "turn.h"
#include "xalloc.h"

struct state {
    char dir[64];
    uv_loop_t loop;
    struct config config;
    struct app app;
};

int state_setup(void **state); /* for cmocka */
int state_teardown(void **state);
void state_open(struct state *s);  /* store and turn; open after state_setup() */
void state_close(struct state *s); /* as at the end of the process */
char *state_path(struct state *s, const char *name); /* DIR/NAME; the caller frees */
char *state_read(struct state *s, const char *name); /* its content, "" if it isn't there; the caller frees */
void state_write(struct state *s, const char *name, const char *text); /* mode 600 */
void state_copy(struct state *s, const char *from, const char *to);
#endif
