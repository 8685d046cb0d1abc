/* SPDX-License-Identifier: MIT */
/* The running bot: from a checked configuration to the end of the loop. */
#ifndef HASHROOM_RUN_H
#define HASHROOM_RUN_H
#include "app.h"

/* What every command that starts plugins does first: SIGPIPE ignored, no core
 * dumps, files private to the user. */
void run_harden(void);
/* Folders in which plugins are looked for: config->plugin_path, else beside the
 * executable, else the installed one. Ends in NULL; free with run_path_free(). */
char **run_plugin_path(char *const *configured);
void run_path_free(char **path);
/* Runs until SIGTERM, SIGINT, quit() or a fatal failure. app: loop, clock,
 * plugins, config are set. watch (may be NULL) is called when all is started.
 * Returns the exit code; RUN_AGAIN: SIGHUP, the configuration is well. */
enum { RUN_AGAIN = -1 };
int run_loop(struct app *app, unsigned store_flags, void (*started)(void *arg), void *arg);
#endif
