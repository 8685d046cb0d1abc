/* SPDX-License-Identifier: MIT */
/*
 * What this network really takes. A server that answers our lines late and one by one holds them back (fakelag of Ergo,
 * penalties of InspIRCd and ngIRCd): we go at its pace then. One that closed the link for a flood is given half as
 * much. What was learned outlives the process, and goes back to the configured rate in steps.
 */
#ifndef IRC_RATE_H
#define IRC_RATE_H
#include <stdbool.h>
#include <stdint.h>

struct irc;
struct hr_out;

struct rate {
    int64_t line_ms;     /* for each line; 0: nothing learned */
    int64_t changed_ms;  /* network clock */
    int64_t answered_ms; /* the last line of ours was answered, network clock */
    int late;            /* answers in a row that came late and one by one */
    int64_t gap_ms;      /* between them, the sum */
};

void rate_load(struct irc *irc);
int64_t rate_line_ms(const struct irc *irc); /* what holds now; 0: no limit */
int rate_burst(const struct irc *irc);
void rate_on_answer(struct irc *irc, int64_t took_ms); /* the server answered a line of ours */
bool rate_is_flood(const char *reason);                /* of a closed link */
void rate_on_flood(struct irc *irc);
void rate_watch(struct irc *irc, int64_t now_ms);
void rate_report(const struct irc *irc, struct hr_out *out);
#endif
