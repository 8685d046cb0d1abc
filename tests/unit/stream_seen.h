/* SPDX-License-Identifier: MIT */
/* What the tests of byte streams share: one owner that notes what it is told. */
#ifndef HASHROOM_STREAM_SEEN_H
#define HASHROOM_STREAM_SEEN_H
#include "net.h"
#include "buf.h"
#include "stream.h"
#include "tls.h"

struct seen {
    struct net net;
    struct hr_stream *stream;
    int opened, chunks, closed, status;
    char how[16], reason[320];
    struct buf got;
    int lines;       /* '\n' in got */
    bool close_in_opened, close_in_data, close_in_closed, sweep_in_data;
    const char *say; /* written in opened() */
    bool undo;       /* the callback fails */
};

static inline int setup(void **state)
{
    struct net_server *server = *state;
    struct seen *seen = xcalloc(1, sizeof(*seen));

    net_init(&seen->net, server);
    seen->net.app.streams = streams_new(&seen->net.app);
    buf_init(&seen->got, 16 * 1024 * 1024);
    *state = seen;
    return 0;
}

static inline int teardown(void **state)
{
    struct seen *seen = *state;
    struct net_server *server = seen->net.server;

    streams_sweep(&seen->net.bot);
    turn_finish(seen->net.app.turn);
    streams_free(seen->net.app.streams);
    net_clear(&seen->net);
    buf_clear(&seen->got);
    free(seen);
    *state = server;
    return 0;
}

static inline int say(struct seen *seen, const char *text)
{
    return streams_write(seen->stream, text, strlen(text));
}

static inline void on_opened(void *arg, const char *how)
{
    struct seen *seen = arg;

    seen->opened++;
    snprintf(seen->how, sizeof(seen->how), "%s", how);
    if (seen->say) {
        assert_int_equal(say(seen, seen->say), HR_OK);
    }
    if (seen->close_in_opened) {
        streams_close(seen->stream);
    }
}

static inline void on_data(void *arg, const char *bytes, size_t len)
{
    struct seen *seen = arg;

    assert_int_equal(seen->net.app.depth, 1);
    assert_true(len > 0 && len <= 64 * 1024);
    assert_int_equal(seen->closed, 0);
    seen->chunks++;
    assert_int_equal(buf_add(&seen->got, bytes, len), HR_OK);
    for (size_t i = 0; i < len; i++) {
        seen->lines += bytes[i] == '\n';
    }
    if (seen->close_in_data) {
        streams_close(seen->stream);
        seen->close_in_data = false;
    }
    if (seen->sweep_in_data) {
        streams_sweep(&seen->net.bot);
    }
}

static inline void on_closed(void *arg, int status, const char *reason)
{
    struct seen *seen = arg;

    seen->closed++;
    seen->status = status;
    snprintf(seen->reason, sizeof(seen->reason), "%s", reason);
    if (seen->close_in_closed) {
        streams_close(seen->stream);
    }
    seen->stream = NULL;
}

static const struct hr_stream_calls CALLS = {.opened = on_opened, .data = on_data, .closed = on_closed};

static inline struct hr_stream_target target_of(struct seen *seen, const char *door)
{
    static char ca_file[128];

    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", seen->net.server->dir);
    return (struct hr_stream_target){.size = sizeof(struct hr_stream_target), .host = "localhost",
                                     .port = net_port(&seen->net, door), .ca_file = ca_file};
}

static inline void open_target(struct seen *seen, const struct hr_stream_target *target)
{
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, target, &CALLS, seen, &seen->stream), HR_OK);
}

static inline void open_door(struct seen *seen, const char *door, bool plain)
{
    struct hr_stream_target target = target_of(seen, door);

    target.plain = plain;
    open_target(seen, &target);
}

static inline void expect_closed(struct seen *seen, int status, const char *words)
{
    net_until(&seen->net, &seen->closed, 1);
    if (!strstr(seen->reason, words)) {
        fail_msg("\"%s\" is not in \"%s\"", words, seen->reason);
    }
    assert_int_equal(seen->status, status);
}

static inline void expect_refused(void **state, const char *door, int status, const char *words)
{
    struct seen *seen = *state;

    open_door(seen, door, false);
    expect_closed(seen, status, words);
    assert_int_equal(seen->opened, 0);
}
#endif
