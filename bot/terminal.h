/* SPDX-License-Identifier: MIT */
/* Lines the operator types and lines shown to them: behind terminal() of network.h. */
#ifndef HASHROOM_TERMINAL_H
#define HASHROOM_TERMINAL_H
#include "app.h"

int terminal_open(struct hr_bot *owner, void (*line)(void *arg, const char *text), void *arg); /* HR_EEXIST: one at a time */
int terminal_write(struct hr_bot *owner, const char *text, size_t len); /* leaves after the commit */
void terminal_sweep(struct hr_bot *owner);
#endif
