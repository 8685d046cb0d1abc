/* SPDX-License-Identifier: MIT */
/*
 * The login of the account that posts, by OAuth 2.0: an access token that lasts
 * two hours, and a refresh token that X takes once and answers with a new pair.
 *
 * A new pair is committed before anything uses it, for requests leave after the
 * commit of the turn. That a renewal is on its way is committed before it
 * leaves: after a crash the same refresh token is sent once more, which is right
 * if X never saw it. If X had taken it, the new pair died with the answer; then
 * only a person can log in again, and is told so.
 */
#ifndef TWITTER_TOKEN_H
#define TWITTER_TOKEN_H
#include "client.h"

struct token;

enum token_state {
    TOKEN_READY,
    TOKEN_COMING, /* being renewed: try again in a moment */
    TOKEN_LOST,   /* a person has to log in again */
};

/* on_change: there is a new one (NULL), or it can't be had as things are. Takes up where the database left off. */
struct token *token_new(struct twitter *twitter, struct client *client,
                        void (*on_change)(void *arg, const struct problem *refused), void *arg);
void token_free(struct token *token);
/* Erases the logins of instances that are no longer configured. */
void token_forget_left(struct twitter *twitter);
void token_forget(struct twitter *twitter); /* erases that of this instance: it logs in otherwise now, or not at all */
enum token_state token_want(struct token *token); /* before each use; starts a renewal where one is due */
bool token_is_lost(const struct token *token);
void token_denied(struct token *token);           /* X said 401 to it: renew, whatever its age */
/* The first pair, off the answer to a login; false: there is none in it. */
bool token_take(struct token *token, const struct hr_reply *reply);
struct problem token_problem(const struct token *token); /* why TOKEN_LOST */
#endif
