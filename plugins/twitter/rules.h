/* SPDX-License-Identifier: MIT */
/* Makes X's stream rules ours: one for each tag, those of other deployments left alone. */
#ifndef TWITTER_RULES_H
#define TWITTER_RULES_H
#include "client.h"

/* HR_OK: they stand. HR_ERETRY: try again, problem says when and why; HR_EFAIL: no use. */
typedef void rules_fn(void *arg, int status, const struct problem *problem, int64_t reset_ms);

struct rules *rules_new(struct twitter *twitter, struct client *client, rules_fn *fn, void *arg);
void rules_free(struct rules *rules);
/* The tags ("#dpulo") are copied. A reconciliation under way starts over. */
int rules_set(struct rules *rules, const char *const *tag, size_t count);
void rules_cancel(struct rules *rules);
#endif
