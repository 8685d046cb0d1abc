/* SPDX-License-Identifier: MIT */
/*
 * Follows deletions on X: subscribes to `post.delete` of each author shown, reads
 * the activity stream while the window is open, takes deleted posts out of the
 * rooms. Authors beyond X's limit are counted and named in the report.
 */
#ifndef TWITTER_DELETIONS_H
#define TWITTER_DELETIONS_H
#include "client.h"

struct deletions *deletions_new(struct twitter *twitter, struct client *client);
void deletions_free(struct deletions *deletions);
void deletions_open(struct deletions *deletions, bool open);
void deletions_author(struct deletions *deletions, const char *user_id); /* was shown; NULL deletions: switched off */
void deletions_report(struct deletions *deletions, struct hr_out *out);
#endif
