/* SPDX-License-Identifier: MIT */
/* Each line of the server to the one that handles it. */
#ifndef IRC_INBOUND_H
#define IRC_INBOUND_H
#include "irc.h"

void inbound_line(struct irc *irc, char *line, size_t len);
/* What the gate calls. */
void inbound_event(void *arg, const struct gate_event *event);
#endif
