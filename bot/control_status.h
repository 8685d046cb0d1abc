/* SPDX-License-Identifier: MIT */
/* How the bot is, for `hashroom status`: what only the running process knows. */
#ifndef HASHROOM_CONTROL_STATUS_H
#define HASHROOM_CONTROL_STATUS_H
#include "app.h"
#include <jansson.h>

/* version, process, since_ms, networks, rooms, reports, as docs/handbook/operators.md has them. The caller owns it. */
json_t *control_status(struct app *app);
#endif
