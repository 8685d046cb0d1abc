/* SPDX-License-Identifier: MIT */
/*
 * DIR/hashroom.sock: how commands in a terminal reach the running bot. Only its own user and root can open it. One
 * request, a line of JSON, then one reply, a line of JSON, and the connection ends:
 *
 *   {"do": "tool", "name": "verify", "instance": "home", "args": ["@asha:example.org"]}     instance may be left out
 *   {"exit": 0, "text": "...", "ask": "...", "hidden": false, "wait": false}                  ask and wait if set
 *   {"do": "status"}
 *   {"exit": 0, "status": {...}}
 *
 * Bounds: 64 KiB a request, 32 words, 256 KiB of text, 8 connections, 10 seconds for each step of a connection.
 */
#ifndef HASHROOM_CONTROL_H
#define HASHROOM_CONTROL_H
#include "app.h"

enum { CONTROL_REQUEST_MAX = 64 * 1024, CONTROL_TEXT_MAX = 256 * 1024, CONTROL_ARGS_MAX = 32, CONTROL_CLIENTS_MAX = 8 };

struct control;

/* HR_EFAIL: why in err; the bot can run without. */
int control_open(struct control **out, struct app *app, char *err, size_t err_size);
void control_close(struct control *control); /* before the plugins stop; NULL is fine */
/* Runs a request, gives the reply's line (caller frees). For control.c and tests. */
char *control_run(struct app *app, const char *line, size_t len);
/* "DIR/hashroom.sock" by way of the open folder `dir_fd`: it fits into a socket's address however long DIR is. */
void control_address(int dir_fd, char *out, size_t out_size);
#endif
