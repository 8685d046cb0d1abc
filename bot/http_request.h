/* SPDX-License-Identifier: MIT */
/*
 * Inside of http*.c. http.c: the multi handle on the loop, life and end of a
 * request; http_copy.c: what was asked; http_request.c: one transfer, what curl
 * calls; http_reply.c: words for failures, Retry-After.
 *
 * curl's callbacks only collect; plugins are called after curl has returned, so
 * that they may cancel anything.
 */
#ifndef HASHROOM_HTTP_REQUEST_H
#define HASHROOM_HTTP_REQUEST_H
#include "buf.h"
#include "http.h"
#include <curl/curl.h>

enum {
    HTTP_MAX_URL_BYTES = 8 * 1024,
    HTTP_MAX_HEADER_BYTES = 64 * 1024, /* each way */
    HTTP_MAX_BODY_BYTES = 64 * 1024 * 1024,
    HTTP_MAX_PENDING_BYTES = 4 * 1024 * 1024, /* streamed and not yet handed on: curl reads at most 1.6 MB at once */
    HTTP_CHUNK_BYTES = 64 * 1024,
    HTTP_MAX_PER_OWNER = 256,
    HTTP_MAX_REDIRECTS = 3,
};

enum http_state {
    HTTP_QUEUED,  /* waits for the commit of the turn that asked for it */
    HTTP_RUNNING, /* in the multi handle */
    HTTP_DONE,    /* its end is about to be told */
    HTTP_GONE,    /* told or cancelled */
};

struct hr_request {
    struct http *http;
    struct hr_bot *owner;
    struct hr_http in; /* its pointers are ours, but for the functions */
    hr_http_fn *fn;
    void *arg;
    enum http_state state;
    bool queued; /* the turn still holds it */
    bool busy;   /* a function that is calling the plugin holds it */
    bool ready;  /* in http->ready */
    CURL *easy;
    struct curl_slist *headers;
    bool here;  /* the peer is this machine */
    char *host; /* of the address: for words; the address itself may hold secrets */
    char curl_error[CURL_ERROR_SIZE];
    int64_t end_ms;  /* monotonic: end of timeout_ms; 0: none */
    int64_t last_ms; /* monotonic: last byte either way; 0: not connected */
    curl_off_t progress;
    int tries;       /* how often the request was about to be written: above 0 it may have reached the peer */
    int redirects;
    struct buf head; /* header lines of the last reply */
    size_t head_total;
    struct buf body; /* collected, or streamed and not yet handed on */
    int code;
    int64_t retry_ms;
    bool streaming, opened_due;
    int status;      /* outcome decided here rather than by curl; HR_OK: none */
    char error[384];
    struct hr_request *prev, *next;             /* in owner->requests */
    struct hr_request *all_prev, *all_next;     /* in http->all */
    struct hr_request *ready_prev, *ready_next; /* in http->ready */
};

/* Copies and checks; HR_EINVAL, HR_ELIMIT. What only the peer's address forbids
 * is set as the request's outcome. */
int http_request_copy(struct hr_request *request, const struct hr_http *from, const char *contact);
bool http_same_origin(const char *from, const char *to); /* scheme, host and port */
void http_request_clear(struct hr_request *request);
void http_request_prepare(struct hr_request *request); /* makes the easy handle */
/* After a transfer: the next address if the reply is a redirect that is followed
 * (the caller adds the handle again), else false. */
bool http_request_redirect(struct hr_request *request);
void http_request_result(struct hr_request *request, CURLcode result); /* sets state, status, error */
void http_request_fail(struct hr_request *request, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int64_t http_request_stall_ms(const struct hr_request *request);

void http_ready(struct hr_request *request); /* there is something to tell its owner */
void http_watch_stall(struct http *http, int64_t stall_ms);

/* What a failure of curl means for the caller (an hr_status), and how to say it
 * after "HOST: ". `words` may be the text of curl_error. */
int http_curl_status(CURLcode result, long verify_result, const char *curl_error, const char **words);
#endif
