/* SPDX-License-Identifier: MIT */
/*
 * What the files of the resources plugin share: the list of links.
 *
 * A link has a number within its session, and the messages that hold it. It goes
 * when the last of them goes; its number is not given to another one. Who shared
 * it is not kept.
 */
#ifndef RESOURCES_H
#define RESOURCES_H
#include "url.h"
#include <hashroom/plugin.h>

enum {
    MAX_LINKS_A_MESSAGE = 20,
    MAX_LINKS_A_SESSION = 2000,
    MAX_TITLE_POINTS = 120,
    MAX_TITLE_BYTES = MAX_TITLE_POINTS * 4 + 1,
    MAX_SHOWN = 5,
    MAX_TOPICS = 12, /* question numbers an answer may name */
};

struct resources {
    struct hr_bot *bot;
    const struct hr_api *api;
    bool alone; /* nobody publishes sessions and questions here */
};

struct place { /* where a link belongs */
    const char *chat;
    int64_t session; /* 0: before the first one, or in the minutes before the next */
    int question;    /* open when it was shared; 0: none */
    int64_t time_ms;
};

struct link { /* borrowed until the callback returns */
    int64_t n, session;
    int question;
    const char *title, *url, *site;
    int64_t first_ms;
};

extern const char *const links_schema[];
extern const struct hr_text resources_texts[];

/* ---- links.c: the table -------------------------------------------------------------- */

/* *n: its number, also if it was there; HR_EDENIED: a host took it off the list;
 * HR_ELIMIT: the list is full. An empty title never replaces one. */
int links_add(struct resources *resources, const struct place *place, const struct url *url, const char *title,
              uint64_t message, int64_t *n);
int links_forget(struct resources *resources, uint64_t message);  /* the message is gone */
/* The message holds only what is added from now on; links_swept() drops the rest. */
int links_unmark(struct resources *resources, uint64_t message);
int links_sweep(struct resources *resources);                     /* links that no message holds */
int links_drop(struct resources *resources, const struct place *place, int64_t n);  /* HR_ENOTFOUND */
int links_title(struct resources *resources, const struct place *place, int64_t n, const char *title); /* HR_ENOTFOUND */
/* The session a message of this chat belongs to: the live one, else the last one
 * while late answers are welcome, else 0. */
struct place links_place(struct resources *resources, const struct hr_chat *chat, const struct hr_message *message);
int links_adopt(struct resources *resources, const struct hr_chat *chat); /* a session has begun */
/* Whether the session has this question; true if nobody says. */
bool links_has_question(struct resources *resources, int64_t session, int question);
/* Reads one number from what the session plugin publishes; preset where it isn't there. */
int64_t links_ask_session(struct resources *resources, const char *sql, const struct hr_value *args, size_t count, int64_t preset);
const char *links_clean_title(struct resources *resources, const char *title); /* one line, not too long, no full stop at the end */

typedef int link_fn(void *arg, const struct link *link);
/* The last `most` links, oldest of them first; word NULL: all of the place's
 * session, else those of the chat that hold the word. *all: how many there are. */
int links_last(struct resources *resources, const struct place *place, const char *word, int most, int64_t *all, link_fn *fn,
               void *arg);

/* ---- commands.c, export.c --------------------------------------------------------------- */

int run_links(void *state, const struct hr_call *call);
int run_link(void *state, const struct hr_call *call);
int export_last(void *state, const char *chat, const char *format, struct hr_out *out);
int export_all(void *state, const char *chat, const char *format, struct hr_out *out);

#endif
