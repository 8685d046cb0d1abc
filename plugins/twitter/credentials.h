/* SPDX-License-Identifier: MIT */
/* Which credentials the configuration gives, and what is wrong with them. */
#ifndef TWITTER_CREDENTIALS_H
#define TWITTER_CREDENTIALS_H
#include "twitter.h"

enum credentials {
    CREDENTIALS_NONE,   /* or not enough: hand mode */
    CREDENTIALS_OAUTH1, /* keys that last */
    CREDENTIALS_OAUTH2, /* a login that is renewed */
};

enum credentials credentials_kind(struct hr_bot *bot, const struct hr_api *api);
void credentials_check(struct hr_bot *bot, const struct hr_api *api); /* tells api->problem() */
#endif
