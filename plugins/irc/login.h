/* SPDX-License-Identifier: MIT */
/*
 * From the first byte to the end of the greeting: CAP, SASL, nick, 005. With
 * SASL configured the bot is in with its account or not at all.
 */
#ifndef IRC_LOGIN_H
#define IRC_LOGIN_H
#include "irc.h"

void login_start(struct irc *irc);
void login_on_cap(struct irc *irc, const struct gate_event *event);
void login_on_authenticate(struct irc *irc, const struct gate_event *event);
void login_on_error(struct irc *irc, const struct gate_event *event);
/* True if the numeric was one of the login's own. */
bool login_on_numeric(struct irc *irc, int numeric, const struct gate_event *event);
void login_on_nick(struct irc *irc, const struct gate_event *event);
void login_nick(struct irc *irc, const char *nick); /* asks for another nick, once we are in */

/* caps.c */
void caps_start(struct irc *irc);
void caps_end(struct irc *irc); /* CAP END, once */
/* sasl.c */
void sasl_start(struct irc *irc);
bool sasl_wanted(const struct irc *irc);
/* The mechanism of the configuration, "PLAIN" or "EXTERNAL", or "". */
const char *sasl_mechanism(const struct irc *irc);
bool sasl_on_numeric(struct irc *irc, int numeric, const struct gate_event *event);
/* Base64 of the PLAIN message in lines of AUTHENTICATE; pure. False if it is too long. */
bool sasl_plain(const char *account, const char *password, char *out, size_t size);
#endif
