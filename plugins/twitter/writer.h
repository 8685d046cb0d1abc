/* SPDX-License-Identifier: MIT */
/*
 * Posts for the bot. X has no key that makes a post unique, so a doubtful one is
 * looked for, first on the stream, then in our own timeline, and only posted
 * again if it is not there. After a minute in which X answers and does not say,
 * or lets nobody in, the outcome is unknown and said so; a post that X could not
 * be reached about is looked for until its time, ten minutes, is over, and then
 * for that minute.
 */
#ifndef TWITTER_WRITER_H
#define TWITTER_WRITER_H
#include "client.h"
#include "post.h"

struct writer *writer_new(struct twitter *twitter, struct client *client);
void writer_free(struct writer *writer);
void writer_begin(struct writer *writer); /* the network is up: says at once if nobody has logged in */
int writer_send(struct writer *writer, const struct hr_part *part);
void writer_prepare(struct writer *writer); /* asks X who we are, once: also tells whether the keys are right */
/* Is this post our own? Settles the part it is the echo of. */
bool writer_is_own(struct writer *writer, const struct post *post);
void writer_account(struct writer *writer); /* the account was closed, or is asked again */
void writer_token(struct writer *writer, const struct problem *refused); /* a new login came (NULL), or none */
#endif
