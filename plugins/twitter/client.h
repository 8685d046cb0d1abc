/* SPDX-License-Identifier: MIT */
/* Requests to the X API: address, encoding, credentials, dialect. */
#ifndef TWITTER_CLIENT_H
#define TWITTER_CLIENT_H
#include "oauth.h"
#include "problem.h"
#include "twitter.h"

enum dialect { DIALECT_TWEET, DIALECT_POST };
enum client_auth {
    CLIENT_APP,  /* bearer token of the application */
    CLIENT_USER, /* the account that posts, by OAuth 1.0a or 2.0 */
    CLIENT_ID,   /* the application by its client id and secret: where tokens are renewed */
};

enum { CLIENT_PARAMS_MAX = 16 };

struct client_call {           /* {0} and set what is needed; strings live until client_start() returns */
    const char *method, *path; /* "/2/tweets" */
    enum client_auth auth;
    struct oauth_param param[CLIENT_PARAMS_MAX];
    size_t param_count;
    const char *body;                                      /* JSON, or NULL */
    bool form;                                             /* the parameters are the body */
    int (*data)(void *arg, const char *bytes, size_t len); /* streamed replies */
    void (*opened)(void *arg);
};

void client_param(struct client_call *call, const char *name, const char *value);
/* What is asked of each post. The stream speaks the older dialect whatever is set. */
void client_fields(struct client_call *call, enum dialect dialect, bool stream);

struct client *client_new(struct twitter *twitter);
void client_free(struct client *client);
/* Value of an option without space at its end; the caller frees. */
char *client_option(struct twitter *twitter, const char *name);
/* OAuth 2.0: the access token from now on; copied. */
void client_set_access(struct client *client, const char *access);
int client_start(struct client *client, const struct client_call *call, hr_http_fn *fn, void *arg,
                 struct hr_request **out);
enum dialect client_dialect(const struct client *client);
/* After a 400 about a parameter: true once, and the other dialect from now on. */
bool client_switch_dialect(struct client *client);

/* What a reply means; TLS and network failures are problems too. */
struct problem client_problem(const struct hr_reply *reply);
/* How long to wait after a 429, by its headers: 0 if they don't say. */
int64_t client_reset_ms(struct client *client, const struct hr_reply *reply);
#endif
