/* SPDX-License-Identifier: MIT */
/*
 * All deliveries not yet settled, and the pump that sends them: budget, order,
 * render, freeze, commit, send. Every delivery ends as delivered, named,
 * expired, refused or unknown.
 */
#ifndef HASHROOM_OUTBOX_H
#define HASHROOM_OUTBOX_H
#include "app.h"

struct network;
struct room;

struct outbox *outbox_new(struct app *app);
void outbox_free(struct outbox *outbox);
void outbox_start(struct outbox *outbox); /* after the networks: parts left claimed come again, in doubt */
/* reply_to: the message it answers, 0 if none: its delivery there is waited for a little. */
int outbox_say(struct outbox *outbox, uint64_t message, uint64_t reply_to, struct room *room, const struct hr_say *say);
/* Edit or removal follows the deliveries; one for safety goes before all that waits, else it has their priority. */
void outbox_changed(struct outbox *outbox, uint64_t message, enum hr_act act, bool safety);
void outbox_sent(struct outbox *outbox, struct hr_bot *from, uint64_t part, int status, const char *remote_id,
                 int64_t retry_ms, const char *reason);
int outbox_drop_waiting(struct outbox *outbox, uint64_t room, const char *reason); /* count */
/* It went down: what was on its way comes again, in doubt. */
void outbox_network_gone(struct outbox *outbox, struct network *network);
void outbox_wake(struct outbox *outbox); /* something may go now that could not before */
/* Counts for !status and doctor. */
struct outbox_counts { int64_t waiting, claimed, delivered, named, expired, refused, unknown, oldest_ms; };
void outbox_count(struct outbox *outbox, uint64_t room /* 0: all */, struct outbox_counts *out);
#endif
