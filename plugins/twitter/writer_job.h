/* SPDX-License-Identifier: MIT */
/* Inside of the writer: one part on its way, shared by writer.c (asking X) and writer_look.c (looking for it). */
#ifndef TWITTER_WRITER_JOB_H
#define TWITTER_WRITER_JOB_H
#include "snowflake.h"
#include "writer.h"

struct job {
    struct writer *writer;
    uint64_t part;
    bool remove;
    char *body, *text;          /* text: normalised, to recognise it; NULL: a removal */
    char since[SNOWFLAKE_SIZE]; /* our newest post before it; "": not known */
    int64_t begun_ms;           /* chat clock */
    int64_t first_ms;           /* wall clock: first try */
    int64_t doubt_ms;           /* network clock: when doubt began, 0: none */
    bool lost;                  /* an earlier try may have come through */
    bool refused;               /* X said the same words are there already */
    struct hr_request *request;
    struct hr_timer *timer;
    struct job *next;
};

struct writer {
    struct twitter *twitter;
    struct client *client;
    struct job *first;
    char own_id[SNOWFLAKE_SIZE]; /* "" until X told us */
    char last[SNOWFLAKE_SIZE];   /* our newest post, "" if none is known */
    struct hr_request *me;
};

void job_post(struct job *job);
/* Ends it: tells the host, frees the job. reason may be NULL. */
void job_settle(struct job *job, int status, const char *id, int64_t retry_ms, const char *reason);
/* Looks for it after a while. Gives up after a minute in which X answers; while nobody reaches X, when it is late. */
void job_doubt(struct job *job, int64_t wait_ms);
void job_lost(struct job *job);                   /* no answer that says whether it is there */
bool job_same(const struct job *job, const char *text);
bool job_is_late(const struct job *job); /* its words belong to another hour */
void job_give_up(struct job *job);       /* for that */
/* May a request go by the account's name now? If not, it may soon, or the account is closed by then. */
bool writer_may(struct writer *writer);
void writer_refused(struct writer *writer, const struct problem *problem);
void writer_ask_me(struct writer *writer);
#endif
