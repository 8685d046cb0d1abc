/* SPDX-License-Identifier: MIT */
/*
 * One request to the homeserver: address, token, errors of the standard form.
 * The token stands in a header only. A refused token is handled here for all:
 * while a new one is fetched requests wait, and those it was refused to go again.
 */
#ifndef MATRIX_CALL_H
#define MATRIX_CALL_H

#include "matrix.h"

#include <jansson.h>

struct call_reply {
    int status;          /* HR_OK: a 2xx; HR_ERETRY: worth another try (no answer, 5xx, 429, token refused);
                            HR_EFAIL: the server refused; HR_EDENIED: TLS; HR_ELIMIT: too big */
    int code;            /* of HTTP, 0: none */
    const char *errcode; /* "M_FORBIDDEN", or "" */
    const char *words;   /* what went wrong, plain, or "" */
    int64_t retry_ms;    /* what the server asked for, capped at 10 minutes; -1: nothing */
    const json_t *json;  /* parsed reply, NULL where `raw` was asked for, or it is unreadable */
    const char *body;    /* raw */
    size_t body_len;
    const char *headers; /* "name: value\n", names in lower case */
    bool sent;           /* may have reached the server */
};
typedef void call_fn(struct matrix *mx, void *arg, const struct call_reply *reply);

struct call_request {
    const char *method; /* a constant */
    const char *path;          /* path and query, already encoded; or a whole address, with no_token */
    const char *body;          /* JSON, or NULL */
    const char *type;          /* of the body, a constant; NULL: JSON, and body_len is not read */
    size_t body_len;
    size_t max_bytes;          /* 0: 1 MiB */
    int64_t timeout_ms;        /* 0: 30 s */
    bool raw;                  /* the caller reads the body */
    bool no_token;             /* login, refresh, discovery */
    struct call **handle;      /* set while it is under way, NULL again before fn is called; may be NULL */
};

/* `drop` frees arg if the plugin stops first; may be NULL. */
int call_start(struct matrix *mx, const struct call_request *request, call_fn *fn, void (*drop)(void *arg), void *arg);
bool call_is_locked(const struct call_reply *reply); /* the account lives, but not now: wait minutes */
void call_resume_held(struct matrix *mx);            /* there is a new token */
void call_fail_held(struct matrix *mx, const char *words); /* no new token: HR_ERETRY for each that waits */
void call_cancel(struct call *call); /* fn is not called; NULL is fine */
void call_stop_all(struct matrix *mx);
/* Percent-encoded for a path segment or a query value; lives in the callback's arena. */
const char *call_encode(struct matrix *mx, const char *text);

#endif
