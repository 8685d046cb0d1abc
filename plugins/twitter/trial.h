/* SPDX-License-Identifier: MIT */
/*
 * What `hashroom doctor` wants to know: does X take the credentials? Asks once
 * with those for reading and once with those for posting; the network is up when
 * both are good, else down with the reason. A login that is renewed is not tried:
 * that would use up the refresh token of the bot that runs.
 */
#ifndef TWITTER_TRIAL_H
#define TWITTER_TRIAL_H
#include "client.h"

struct trial;

struct trial *trial_new(struct twitter *twitter, struct client *client); /* asks at once */
void trial_free(struct trial *trial);
void trial_report(struct trial *trial, struct hr_out *out);
#endif
