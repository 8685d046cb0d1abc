/* SPDX-License-Identifier: MIT */
/*
 * Reads X while a session's window is open, and only then: each post costs
 * money. Follows the chat records; opens and closes rules, stream, search and
 * deletions; stops when the budget is used up.
 */
#ifndef TWITTER_WATCH_H
#define TWITTER_WATCH_H
#include "client.h"

struct watch *watch_new(struct twitter *twitter, struct client *client); /* one tag for each room of the network */
void watch_free(struct watch *watch);
void watch_chat(struct watch *watch, const struct hr_chat *chat); /* its record changed */
void watch_account(struct watch *watch); /* X closed or opened the account for reading */
void watch_report(struct watch *watch, struct hr_out *out);
#endif
