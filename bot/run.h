/* SPDX-License-Identifier: MIT */
/*
 * The running bot: signals, systemd, the test clock, the loop. Used by `run` and
 * by `rehearse`.
 */
#ifndef HASHROOM_RUN_H
#define HASHROOM_RUN_H
#include "cli.h"

/* No core dumps, no SIGPIPE, files for the owner alone. */
void run_harden(void);
/* Opens the app (which has its configuration), runs the loop until SIGTERM, SIGINT
 * or a quit, stops it cleanly. `each` (may be NULL) is called on the loop every
 * 50 ms of real time. Returns the exit code; *restart: SIGHUP found a sound configuration. */
int run_app(struct cli *cli, struct app *app, unsigned store_flags, void (*each)(void *arg), void *arg, bool *restart);
#endif
