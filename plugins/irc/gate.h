/* SPDX-License-Identifier: MIT */
/*
 * libircclient, kept away from the network. The library believes it holds a TCP
 * connection; under its descriptor lies one end of a socketpair of ours. Lines
 * that are certain to be safe for it are written out anew and fed to it one at a
 * time, and its callback has run when gate_line() returns. All others become
 * the same event by our own hand. What it formats is captured, and only exactly
 * one line is accepted. It never sees a byte of a server as it came.
 *
 * The library asks select() about its descriptor and dies above 1023, so one low
 * number is kept reserved from gate_new() on.
 */
#ifndef IRC_GATE_H
#define IRC_GATE_H
#include "wire.h"

struct gate;

struct gate_event {
    const struct wire *wire; /* the line with its tags */
    const char *command;     /* as in the line */
    const char *source;
    const char *const *param; /* of an action the text is already bare */
    size_t count;
    bool action;  /* CTCP ACTION */
    bool ctcp;    /* any other CTCP: nothing to read */
    bool library; /* came through libircclient */
};

/* Must not detach or free the gate. */
typedef void gate_event_fn(void *arg, const struct gate_event *event);

/* NULL with a sentence in err if no descriptor below 1024 is left. */
struct gate *gate_new(gate_event_fn *fn, void *arg, char *err, size_t err_size);
void gate_free(struct gate *gate);
/* One library session for one connection, once its nick is known. 0 or -1 with a sentence. */
int gate_attach(struct gate *gate, const char *nick, char *err, size_t err_size);
void gate_detach(struct gate *gate);
bool gate_attached(const struct gate *gate); /* false after it broke, too */
/* Exactly one event for the line, by either way. */
void gate_line(struct gate *gate, const struct wire *wire);
void gate_set_nick(struct gate *gate, const char *nick);

/* One line with CR LF into out, its length; 0 if the words would be anything but one line. */
size_t gate_msg(struct gate *gate, const char *target, const char *text, char *out, size_t size);
size_t gate_join(struct gate *gate, const char *channels, char *out, size_t size);
size_t gate_part(struct gate *gate, const char *channel, char *out, size_t size);
size_t gate_nick(struct gate *gate, const char *nick, char *out, size_t size);
size_t gate_whois(struct gate *gate, const char *nick, char *out, size_t size);

struct gate_counts {
    uint64_t fed, bypassed, swallowed, stray;
};
const struct gate_counts *gate_count(const struct gate *gate);
#endif
