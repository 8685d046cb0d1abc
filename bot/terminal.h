/* SPDX-License-Identifier: MIT */
/*
 * Lines the operator types and lines shown to them: behind terminal() of network.h.
 * Input and output may be a terminal, a pipe, a file or /dev/null. When output
 * breaks (its reader is gone) the end of input is reported too.
 */
#ifndef HASHROOM_TERMINAL_H
#define HASHROOM_TERMINAL_H
#include "app.h"

/* line(NULL) is the end of input, once. HR_EEXIST: one at a time. */
int terminal_open(struct hr_bot *owner, void (*line)(void *arg, const char *text), void *arg);
int terminal_open_on(struct hr_bot *owner, int in_fd, int out_fd, void (*line)(void *arg, const char *text), void *arg);
/* Leaves after the commit; keeps what the output doesn't take yet. HR_ELIMIT
 * over 1 MiB kept; HR_ENOTFOUND: not open. */
int terminal_write(struct hr_bot *owner, const char *text, size_t len);
void terminal_sweep(struct hr_bot *owner); /* shows what is left, waiting at most 5 s for each piece */
#endif
