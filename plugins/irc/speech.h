/* SPDX-License-Identifier: MIT */
/* What people say, to the host's post(). */
#ifndef IRC_SPEECH_H
#define IRC_SPEECH_H
#include "irc.h"

struct said { /* borrowed */
    const char *room;    /* address as the host knows it; a nick in private */
    const char *source;  /* nick!user@host */
    const char *account; /* "" if none or not known */
    const char *text, *key;
    const char *reply_to; /* id of what it answers, or NULL */
    int64_t time_ms;     /* chat clock */
    int64_t server_ms;   /* the server's clock, -1 if it does not say */
    uint32_t flags;
    int power;
};

void speech_on_text(struct irc *irc, const struct gate_event *event, const struct batch *batch);
void speech_post(struct irc *irc, const struct said *said);
#endif
