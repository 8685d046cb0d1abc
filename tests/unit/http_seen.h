/* SPDX-License-Identifier: MIT */
/* What the tests of HTTP share: one owner that notes what it is told. */
#ifndef HASHROOM_HTTP_SEEN_H
#define HASHROOM_HTTP_SEEN_H
#include "net.h"
#include "buf.h"
#include "http.h"

struct answer { /* what one request brought */
    struct seen *seen;
    struct hr_request *request;
    int calls, opened, pieces, status, code;
    bool sent, cancel_in_opened, cancel_in_data, fail_in_data, sweep_in_data, cancel_in_end, again_in_end;
    int64_t retry_ms;
    char error[384], header[2048];
    struct buf body;
};

struct seen {
    struct net net;
    struct answer one, all[8];
    int calls;
};

static inline int setup(void **state)
{
    struct net_server *server = *state;
    struct seen *seen = xcalloc(1, sizeof(*seen));

    net_init(&seen->net, server);
    seen->net.app.http = http_new(&seen->net.app);
    seen->one.seen = seen;
    buf_init(&seen->one.body, 8 * 1024 * 1024);
    for (size_t i = 0; i < 8; i++) {
        seen->all[i].seen = seen;
        buf_init(&seen->all[i].body, 8 * 1024 * 1024);
    }
    *state = seen;
    return 0;
}

static inline int teardown(void **state)
{
    struct seen *seen = *state;
    struct net_server *server = seen->net.server;

    http_sweep(&seen->net.bot);
    turn_finish(seen->net.app.turn);
    http_free(seen->net.app.http);
    net_clear(&seen->net);
    buf_clear(&seen->one.body);
    for (size_t i = 0; i < 8; i++) {
        buf_clear(&seen->all[i].body);
    }
    free(seen);
    *state = server;
    return 0;
}

static inline void on_end(void *arg, const struct hr_reply *reply)
{
    struct answer *answer = arg;

    assert_int_equal(answer->seen->net.app.depth, 1);
    answer->calls++;
    answer->seen->calls++;
    answer->status = reply->status;
    answer->code = reply->code;
    answer->sent = reply->sent;
    answer->retry_ms = reply->retry_ms;
    snprintf(answer->error, sizeof(answer->error), "%s", reply->error);
    snprintf(answer->header, sizeof(answer->header), "%s", reply->headers);
    assert_int_equal(reply->body[reply->body_len], '\0');
    assert_int_equal(buf_add(&answer->body, reply->body, reply->body_len), HR_OK);
    if (answer->cancel_in_end) {
        http_cancel(answer->request);
    }
}

static inline int on_data(void *arg, const char *bytes, size_t len)
{
    struct answer *answer = arg;

    assert_true(len > 0 && len <= 64 * 1024);
    assert_int_equal(answer->opened, 1);
    answer->pieces++;
    assert_int_equal(buf_add(&answer->body, bytes, len), HR_OK);
    if (answer->cancel_in_data) {
        http_cancel(answer->request);
    }
    if (answer->sweep_in_data) {
        http_sweep(&answer->seen->net.bot);
    }
    return answer->fail_in_data ? HR_EINVAL : HR_OK;
}

static inline void on_opened(void *arg)
{
    struct answer *answer = arg;

    answer->opened++;
    if (answer->cancel_in_opened) {
        http_cancel(answer->request);
    }
}

static const char *url_of(struct seen *seen, const char *door, const char *path)
{
    static char url[16 * 1024];

    snprintf(url, sizeof(url), "%s://localhost:%d/%s", strncmp(door, "https", 5) == 0 ? "https" : "http",
             net_port(&seen->net, door), path);
    return url;
}

static inline struct hr_http get_of(struct seen *seen, const char *door, const char *path)
{
    static char ca_file[128];

    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", seen->net.server->dir);
    return (struct hr_http){.size = sizeof(struct hr_http), .method = "GET", .url = url_of(seen, door, path),
                            .ca_file = ca_file};
}

static inline int start(struct seen *seen, struct answer *answer, const struct hr_http *http)
{
    return http_start(seen->net.app.http, &seen->net.bot, http, on_end, answer, &answer->request);
}

static inline struct answer *fetch(struct seen *seen, const struct hr_http *http)
{
    struct answer *answer = &seen->one;

    buf_reset(&answer->body);
    answer->calls = 0;
    assert_int_equal(start(seen, answer, http), HR_OK);
    net_until(&seen->net, &answer->calls, 1);
    assert_int_equal(answer->calls, 1);
    assert_null(seen->net.bot.requests);
    return answer;
}

static inline struct answer *fetch_path(struct seen *seen, const char *door, const char *path)
{
    struct hr_http http = get_of(seen, door, path);

    return fetch(seen, &http);
}

static inline void expect(const struct answer *answer, int status, const char *words)
{
    if (!strstr(answer->error, words)) {
        fail_msg("\"%s\" is not in \"%s\"", words, answer->error);
    }
    assert_int_equal(answer->status, status);
}

static inline bool body_has(const struct answer *answer, const char *text)
{
    return strstr(buf_str(&answer->body), text) != NULL;
}
#endif
