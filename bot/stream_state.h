/* SPDX-License-Identifier: MIT */
/*
 * Inside of stream*.c. stream.c: what plugins call, life and end of a stream;
 * stream_connect.c: name, addresses, TCP; stream_io.c: bytes in and out.
 *
 * A stream is freed when nothing refers to it any more: its timer handle, each
 * queued write, and a function that is calling the plugin each hold one reference.
 */
#ifndef HASHROOM_STREAM_STATE_H
#define HASHROOM_STREAM_STATE_H
#include "buf.h"
#include "stream.h"
#include "tls.h"

enum {
    STREAM_CHUNK_BYTES = 64 * 1024,
    STREAM_MAX_UNSENT_BYTES = 1024 * 1024,
    STREAM_MAX_ADDRESSES = 8,
    STREAM_MAX_PER_OWNER = 64,
    STREAM_FLUSH_MS = 2000,
    STREAM_LAST_WORDS_MS = 1000,
};

enum stream_state {
    STREAM_QUEUED,     /* waits for the commit of the turn that asked for it */
    STREAM_RESOLVING,
    STREAM_CONNECTING,
    STREAM_HANDSHAKE,
    STREAM_OPEN,
    STREAM_FAILED,     /* closed() is about to be called from the timer */
    STREAM_CLOSING,    /* the plugin has let go; what was written goes out */
    STREAM_GONE,
};

struct stream_wire { /* one TCP connection; outlives its stream until libuv has closed it */
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    struct hr_stream *stream; /* NULL: given up */
};

struct stream_lookup { /* outlives its stream: a lookup that runs can't be stopped */
    uv_getaddrinfo_t request;
    struct hr_stream *stream; /* NULL: given up */
};

struct hr_stream {
    struct streams *streams;
    struct hr_bot *owner;
    struct hr_stream_calls calls;
    void *arg;
    struct hr_stream_target target; /* its texts are ours */
    enum stream_state state;
    int refs;
    uv_timer_t timer;
    struct stream_lookup *lookup;
    struct stream_wire *wire;
    struct sockaddr_storage address[STREAM_MAX_ADDRESSES];
    size_t address_count, address_next;
    int64_t deadline_ms; /* monotonic: until it has to be open */
    struct tls *tls;     /* NULL: plain */
    struct buf plain;    /* released by the turn, not yet on its way */
    size_t unsent;       /* bytes the plugin wrote that the kernel hasn't taken */
    int queued;          /* writes that wait for the commit */
    bool goodbye;        /* the end of our side is on its way */
    int broken;          /* libuv's error of a write; last words may still be readable */
    int fail_status;
    char fail_reason[320];
    struct hr_stream *prev, *next;         /* in owner->streams */
    struct hr_stream *all_prev, *all_next; /* in streams->all */
};

struct streams {
    struct app *app;
    struct hr_stream *all;
    char *wire_chunk, *plain_chunk; /* STREAM_CHUNK_BYTES each: one read is handled at a time */
    bool freed;
};

void stream_ref(struct hr_stream *stream);
void stream_unref(struct hr_stream *stream);
void stream_fail(struct hr_stream *stream, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void stream_dispose(struct hr_stream *stream); /* ends it without a word */
void stream_arm(struct hr_stream *stream, int64_t delay_ms);

void stream_connect(struct hr_stream *stream); /* looks the name up, then tries each address */
void stream_connect_next(struct hr_stream *stream, const char *why); /* the address before failed: why */
void stream_drop_wire(struct hr_stream *stream);

void stream_connected(struct hr_stream *stream); /* TCP is there */
void stream_flush(struct hr_stream *stream);
void stream_goodbye(struct hr_stream *stream); /* after the last write: tells the far side we are done */
#endif
