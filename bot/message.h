/* SPDX-License-Identifier: MIT */
/*
 * The log: one row for each message, whoever wrote it. post() is the one way in:
 * clean, recognise (scope, key), insert, judge, then command or event.
 */
#ifndef HASHROOM_MESSAGE_H
#define HASHROOM_MESSAGE_H
#include "app.h"

struct messages *messages_new(struct app *app);
void messages_free(struct messages *messages);
int messages_post(struct messages *messages, struct hr_bot *from, const struct hr_post *post, uint64_t *id);
int messages_edit(struct messages *messages, struct hr_bot *from, const char *remote_id, const char *revision,
                  const char *text, size_t text_len, const char *author_id);
int messages_remove(struct messages *messages, struct hr_bot *from, const char *remote_id);
int messages_hide(struct messages *messages, uint64_t id);
int messages_release(struct messages *messages, uint64_t id);
/* The bot's own words; returns the row's id, 0 if `key` was said before. */
uint64_t messages_own(struct messages *messages, struct hr_bot *from, const struct hr_say *say, const char *chat);
int messages_read(struct messages *messages, struct arena *arena, uint64_t id, struct hr_message *out);
/* What a delivery says, with who is said to have said it; ENOTFOUND if the message is gone. */
int messages_read_said(struct messages *messages, struct arena *arena, uint64_t delivery, struct hr_message *out,
                       const char **lead, const char **lead_url);
int messages_read_flags(struct messages *messages, uint64_t id, uint32_t *flags, uint64_t *reply_to); /* no words */
/* Every id a network uses for a message. */
void messages_revision(struct messages *messages, const char *scope, const char *remote_id, uint64_t message);
uint64_t messages_by_remote(struct messages *messages, const char *scope, const char *remote_id); /* 0: unknown */
#endif
