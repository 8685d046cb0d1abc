/* SPDX-License-Identifier: MIT */
/*
 * Whether X lets us in: the one place for what is wrong with the account, the
 * application or the money, rather than with one request. Reading and posting
 * are refused apart, for they go by different credentials; money stops both.
 * The operator gets one line, the rest of the bot goes on, and after `ask_again`
 * X is asked once more, until it says yes.
 */
#ifndef TWITTER_ACCOUNT_H
#define TWITTER_ACCOUNT_H
#include "problem.h"
#include "twitter.h"

enum account_side { ACCOUNT_READ, ACCOUNT_WRITE };

/* on_change: a side was refused, or it is time to ask again. */
struct account *account_new(struct twitter *twitter, void (*on_change)(void *arg, enum account_side side), void *arg);
void account_free(struct account *account);
/* A request of that side was refused. True: it is the account's fault, and the
 * side is closed; false: something else, or the one 401 that may be a fault of theirs. */
bool account_refused(struct account *account, enum account_side side, const struct problem *problem);
void account_worked(struct account *account, enum account_side side); /* X did what it does for nobody it refuses */
void account_ask(struct account *account, enum account_side side);    /* there is reason to ask again now */
void account_still(struct account *account, enum account_side side);  /* asked again, and no answer that tells */
bool account_lets(const struct account *account, enum account_side side); /* also while X is asked once more */
bool account_asks(const struct account *account, enum account_side side); /* refused before, being asked again */
/* The last request of that side had an answer of X, whatever it said, or none at all. */
void account_heard(struct account *account, enum account_side side, bool answered);
/* The last one had none: nobody can look there. Never of a side that is closed, for nothing could end it. */
bool account_away(const struct account *account, enum account_side side);
void account_report(struct account *account, struct hr_out *out);
#endif
