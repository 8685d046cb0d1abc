/* SPDX-License-Identifier: MIT */
/*
 * One curl multi handle on the loop (curl_multi_socket_action over uv_poll),
 * for all requests of all plugins. A transfer starts after the turn's commit.
 * TLS chain and name are always checked; redirects are followed only within the
 * same host, at most 3, and never with another method; only http and https;
 * plain http only to loopback. Proxy from the environment as curl does, but not
 * to loopback.
 */
#ifndef HASHROOM_HTTP_H
#define HASHROOM_HTTP_H
#include "app.h"

struct http *http_new(struct app *app);
void http_free(struct http *http); /* after all owners are swept */
/* HR_EINVAL: method, address or a header makes no sense; HR_ELIMIT: over 256 of
 * one owner, address over 8 KiB, headers over 64 KiB, body over 64 MiB. All else
 * comes with fn; the request is gone when fn has returned. A POST is never sent
 * twice. With data(), max_reply_bytes counts for replies that aren't 2xx. */
int http_start(struct http *http, struct hr_bot *owner, const struct hr_http *request, hr_http_fn *fn, void *arg,
               struct hr_request **out);
void http_cancel(struct hr_request *request); /* NULL is fine */
void http_sweep(struct hr_bot *owner);
/* Milliseconds of a Retry-After value (seconds or HTTP date); -1: none. Capped at a day. */
int64_t http_retry_after_ms(const char *value, int64_t wall_ms);
#endif
