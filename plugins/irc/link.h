/* SPDX-License-Identifier: MIT */
/*
 * The connection: opened, watched, lost, opened again after a pause that doubles
 * from 2 s to 45 s with chance in it, to 5 min where the server turns us away
 * with an ERROR. A refused certificate waits 2 to 3 minutes, a ban or a refused
 * login 15.
 */
#ifndef IRC_LINK_H
#define IRC_LINK_H
#include "irc.h"

int link_start(struct irc *irc);
void link_stop(struct irc *irc); /* says QUIT and closes */
/* Bytes and one line out, after the turn's commit. A line that holds CR or LF is refused. */
void link_bytes(struct irc *irc, const char *bytes, size_t len);
void link_line(struct irc *irc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends the link as soon as the callback that runs is done; the first reason counts. */
void link_end(struct irc *irc, enum link_end how, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void link_ready(struct irc *irc); /* login is done */
#endif
