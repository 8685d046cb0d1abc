/* SPDX-License-Identifier: MIT */
/* One list of links, four ways to write it. export.c walks, a format writes. */
#ifndef RESOURCES_EXPORT_H
#define RESOURCES_EXPORT_H
#include "resources.h"

struct exporting {
    struct resources *resources;
    struct hr_out *out;
    const char *chat, *tag;
    bool many;        /* sessions: they get headings of their own */
    int64_t session;  /* of the line before, -1: none yet */
    int question;
    bool first;       /* line of its session */
    int64_t links;
};

struct line { /* one link, with what it belongs to */
    struct link link;
    const char *day, *topic, *question_text; /* or "" */
};

struct format {
    const char *name;
    void (*begin)(struct exporting *exporting, const struct line *first); /* NULL: there is no link at all */
    void (*session)(struct exporting *exporting, const struct line *line);
    void (*question)(struct exporting *exporting, const struct line *line);
    void (*link)(struct exporting *exporting, const struct line *line);
    void (*leave_question)(struct exporting *exporting);
    void (*leave_session)(struct exporting *exporting);
    void (*end)(struct exporting *exporting);
};

extern const struct format export_html, export_md, export_csv, export_json;

/* Writes text, each byte that needs it replaced. `replace` gives NULL for a byte that stays. */
void put(struct exporting *exporting, const char *text);
void put_escaped(struct exporting *exporting, const char *text, const char *(*replace)(unsigned char c));
const char *export_title(struct exporting *exporting, const struct line *line);    /* "Links of the #DPULO chat, ..." */
const char *export_question(struct exporting *exporting, const struct line *line); /* "Question 2: ...", "Other links" */
const char *export_time(struct exporting *exporting, int64_t ms);                  /* "2022-11-29T20:10:00Z" */

#endif
