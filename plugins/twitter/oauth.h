/* SPDX-License-Identifier: MIT */
/* OAuth 1.0a with HMAC-SHA1: the Authorization header of one request. Pure. */
#ifndef TWITTER_OAUTH_H
#define TWITTER_OAUTH_H
#include "text.h"
#include <stdint.h>

struct oauth_keys {
    const char *consumer_key, *consumer_secret, *token, *token_secret;
};

struct oauth_param { /* not yet encoded */
    const char *name, *value;
};

/* Percent-encoding by RFC 3986: all but A-Z a-z 0-9 - . _ ~ */
void oauth_encode(struct text *out, const char *s);
/* params: of the query, and of a form; JSON bodies are not signed. The caller
 * frees; NULL: the library failed. */
char *oauth_signature(const struct oauth_keys *keys, const char *method, const char *url,
                      const struct oauth_param *params, size_t count, const char *nonce, int64_t timestamp);
/* `Authorization: OAuth ...`; the caller frees; NULL as above. */
char *oauth_header(const struct oauth_keys *keys, const char *method, const char *url, const struct oauth_param *params,
                   size_t count, const char *nonce, int64_t timestamp);
#endif
