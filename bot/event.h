/* SPDX-License-Identifier: MIT */
/* Hands events to the plugins that asked for them, and asks the judges. */
#ifndef HASHROOM_EVENT_H
#define HASHROOM_EVENT_H
#include "app.h"

void event_tell(struct app *app, const struct hr_event *event);
enum hr_verdict event_judge(struct app *app, const struct hr_message *message); /* the strictest */
#endif
