/* SPDX-License-Identifier: MIT */
/*
 * What X costs, counted by us: a ledger by UTC day in the database, each post
 * and person read counted once a day. Over the soft limit hosts are told once;
 * over the hard limit reading stops until the day, or the month, is over. What
 * the bot posts is counted and never stopped: a chat needs its questions.
 */
#ifndef TWITTER_BUDGET_H
#define TWITTER_BUDGET_H
#include "twitter.h"

enum budget_kind {
    BUDGET_POST_READ,
    BUDGET_USER_READ,
    BUDGET_OWN_READ,
    BUDGET_CREATE,
    BUDGET_DELETE,
};

struct budget *budget_new(struct twitter *twitter);
void budget_free(struct budget *budget);
/* A post or person was read; the same id on the same day is free. */
int budget_read(struct budget *budget, enum budget_kind kind, const char *id);
int budget_spend(struct budget *budget, enum budget_kind kind);
/* NULL: go on reading; else why not, plain words. */
const char *budget_stop(struct budget *budget);
int64_t budget_posts_left(struct budget *budget); /* how many posts may still be read; INT64_MAX: no limit */
void budget_report(struct budget *budget, struct hr_out *out);
int64_t budget_month_start(int64_t day); /* days since 1970 of the first of that day's month */
#endif
