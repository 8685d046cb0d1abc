/* SPDX-License-Identifier: MIT */
/*
 * The tool `hashroom twitter-login`: a person allows the application in a
 * browser and pastes the address it ends at; its code is changed for the first
 * pair of tokens (OAuth 2.0 with PKCE), within the 30 seconds X gives.
 */
#ifndef TWITTER_LOGIN_H
#define TWITTER_LOGIN_H
#include "token.h"

struct login;

struct login *login_new(struct twitter *twitter, struct client *client, struct token *token);
void login_free(struct login *login);
int login_run(struct login *login, int argc, const char *const *argv, struct hr_out *out); /* as hr_tool.run */
#endif
