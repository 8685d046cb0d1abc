/* SPDX-License-Identifier: MIT */
/*
 * Secrets in the plugin's tables: AES-256-GCM under a key that the host derives
 * from the store key, bound to what they are. What was stored before that is
 * plain, and is told apart by the sealed one's first word.
 */
#ifndef TWITTER_SEAL_H
#define TWITTER_SEAL_H
#include "twitter.h"

/* The text to store, the caller's; "" stays "". NULL: the host gives no key. what: such as "refresh". */
char *seal_close(struct twitter *twitter, const char *what, const char *secret);
/* The secret, the caller's; one stored plain comes as it is. NULL: sealed under another key, or as something else. */
char *seal_open(struct twitter *twitter, const char *what, const char *stored);
bool seal_is_plain(const char *stored); /* a secret that still has to be sealed */
#endif
