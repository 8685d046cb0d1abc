/* SPDX-License-Identifier: MIT */
/* Byte streams: the handshake, bytes in and out. */
#include "instance.h"
#include "stream_state.h"
#include "xalloc.h"

struct sending { /* what the kernel didn't take at once */
    uv_write_t request;
    size_t plain_len; /* how much of stream->unsent it stands for */
    char bytes[];
};

/* ---- out ------------------------------------------------------------------- */

/* The far side may have said why before it closed: an IRC server's ERROR line.
 * Reading finds that and the end; if it doesn't, the timer ends the stream. */
static void on_broken(struct hr_stream *stream, int error)
{
    if (stream->state != STREAM_OPEN) {
        stream_fail(stream, HR_ERETRY, "the connection to %s broke: %s", stream->target.host, uv_strerror(error));
    } else if (stream->broken == 0) {
        stream->broken = error;
        stream_arm(stream, STREAM_LAST_WORDS_MS);
    }
}

static void on_sent(uv_write_t *request, int status)
{
    struct sending *sending = request->data;
    struct stream_wire *wire = request->handle->data;
    struct hr_stream *stream = wire->stream;

    if (stream) {
        stream->unsent -= sending->plain_len;
        if (status < 0) {
            on_broken(stream, status);
        }
    }
    free(sending);
}

static void send_wire(struct hr_stream *stream, const char *bytes, size_t len, size_t plain_len)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    uv_stream_t *tcp = (uv_stream_t *)&stream->wire->tcp;
    struct sending *sending;
    int done, result;

    done = uv_try_write(tcp, &buf, 1);
    done = done < 0 ? 0 : done; /* an error comes again from uv_write() */
    if ((size_t)done == len) {
        stream->unsent -= plain_len;
        return;
    }
    sending = xmalloc(sizeof(*sending) + len - (size_t)done);
    sending->request.data = sending;
    sending->plain_len = plain_len;
    memcpy(sending->bytes, bytes + done, len - (size_t)done);
    buf = uv_buf_init(sending->bytes, (unsigned)(len - (size_t)done));
    result = uv_write(&sending->request, tcp, &buf, 1, on_sent);
    if (result < 0) {
        free(sending);
        stream->unsent -= plain_len;
        on_broken(stream, result);
    }
}

static void send_tls_output(struct hr_stream *stream, size_t plain_len)
{
    const char *bytes;
    size_t len = tls_output(stream->tls, &bytes);

    if (len > 0) {
        send_wire(stream, bytes, len, plain_len);
    }
    if (stream->tls) {
        tls_output_done(stream->tls);
    }
}

void stream_flush(struct hr_stream *stream)
{
    size_t plain_len = stream->plain.len;

    if (plain_len == 0 || !stream->wire) {
        return;
    }
    if (!stream->tls) {
        send_wire(stream, stream->plain.ptr, plain_len, plain_len);
    } else if (tls_write(stream->tls, stream->plain.ptr, plain_len) == HR_OK) {
        send_tls_output(stream, plain_len);
    } else {
        stream_fail(stream, HR_ERETRY, "the connection to %s broke: TLS can't send", stream->target.host);
    }
    buf_reset(&stream->plain);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request, (void)status; /* the end of the far side, or the timer, disposes of the stream */
}

void stream_goodbye(struct hr_stream *stream)
{
    if (stream->goodbye || !stream->wire) {
        return;
    }
    stream->goodbye = true;
    if (stream->tls) {
        tls_end(stream->tls);
        send_tls_output(stream, 0);
    }
    if (stream->wire && uv_shutdown(&stream->wire->shutdown, (uv_stream_t *)&stream->wire->tcp, on_shutdown) < 0) {
        stream_dispose(stream);
    }
}

/* ---- in -------------------------------------------------------------------- */

static void deliver(struct hr_stream *stream, const char *bytes, size_t len)
{
    struct hr_bot *owner = stream->owner;

    if (stream->calls.data && len > 0) {
        instance_enter(owner);
        stream->calls.data(stream->arg, bytes, len);
        instance_leave(owner, HR_OK);
    }
}

static void tell_opened(struct hr_stream *stream, const char *how)
{
    struct hr_bot *owner = stream->owner;

    uv_timer_stop(&stream->timer);
    stream->state = STREAM_OPEN;
    if (stream->calls.opened) {
        instance_enter(owner);
        stream->calls.opened(stream->arg, how);
        instance_leave(owner, HR_OK);
    }
}

/* All that TLS has, in chunks: one record may hold several lines, one line lie in several. */
static void read_tls(struct hr_stream *stream)
{
    char *chunk = stream->streams->plain_chunk;
    char err[256] = "";
    int result = 1;

    while (result > 0 && stream->state == STREAM_OPEN) {
        size_t len = 0;

        while (len < STREAM_CHUNK_BYTES &&
               (result = tls_read(stream->tls, chunk + len, STREAM_CHUNK_BYTES - len, err, sizeof(err))) > 0) {
            len += (size_t)result;
        }
        deliver(stream, chunk, len);
    }
    if (stream->state != STREAM_OPEN) {
        return;
    }
    if (result == HR_ERETRY) {
        stream_fail(stream, HR_ERETRY, "%s closed the connection", stream->target.host);
    } else if (result < 0) {
        stream_fail(stream, HR_EDENIED, "%s: %s", stream->target.host, err);
    } else {
        send_tls_output(stream, 0); /* answers of TLS itself (key update) */
    }
}

static void shake_hands(struct hr_stream *stream)
{
    char err[256];
    int result = tls_handshake(stream->tls, err, sizeof(err));

    send_tls_output(stream, 0); /* also the alert that says why we refuse */
    if (result < 0) {
        stream_fail(stream, HR_EDENIED, "TLS to %s port %d is refused: %s", stream->target.host, stream->target.port,
                    err);
    } else if (result == 1 && stream->state == STREAM_HANDSHAKE) {
        tell_opened(stream, tls_version(stream->tls));
    }
}

static void take_bytes(struct hr_stream *stream, const char *bytes, size_t len)
{
    if (!stream->tls) {
        deliver(stream, bytes, len);
        return;
    }
    if (tls_feed(stream->tls, bytes, len) != HR_OK) {
        stream_fail(stream, HR_ELIMIT, "%s sends TLS that never makes sense", stream->target.host);
        return;
    }
    if (stream->state == STREAM_HANDSHAKE) {
        shake_hands(stream);
    }
    if (stream->state == STREAM_OPEN) {
        read_tls(stream);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct stream_wire *wire = handle->data;

    (void)suggested;
    *buf = wire->stream ? uv_buf_init(wire->stream->streams->wire_chunk, STREAM_CHUNK_BYTES) : uv_buf_init(NULL, 0);
}

static void on_end(struct hr_stream *stream, ssize_t result)
{
    const char *host = stream->target.host;

    if (result != UV_EOF) {
        stream_fail(stream, HR_ERETRY, "the connection to %s broke: %s", host, uv_strerror((int)result));
    } else if (stream->state == STREAM_HANDSHAKE) {
        stream_fail(stream, HR_ERETRY, "%s closed the connection during the TLS handshake; is port %d the one for TLS?",
                    host, stream->target.port);
    } else {
        stream_fail(stream, HR_ERETRY, "%s closed the connection", host);
    }
}

static void on_read(uv_stream_t *tcp, ssize_t result, const uv_buf_t *buf)
{
    struct stream_wire *wire = tcp->data;
    struct hr_stream *stream = wire->stream;

    if (!stream || result == 0) {
        return;
    }
    stream_ref(stream);
    if (result < 0) {
        on_end(stream, result);
    } else if (stream->state != STREAM_CLOSING) { /* then it is read only to see the end */
        take_bytes(stream, buf->base, (size_t)result);
    }
    stream_unref(stream);
}

void stream_connected(struct hr_stream *stream)
{
    int result;

    stream_ref(stream);
    stream->state = STREAM_HANDSHAKE;
    result = uv_read_start((uv_stream_t *)&stream->wire->tcp, on_alloc, on_read);
    if (result < 0) {
        stream_fail(stream, HR_ERETRY, "can't read from %s: %s", stream->target.host, uv_strerror(result));
    } else if (stream->tls) {
        shake_hands(stream);
    } else {
        tell_opened(stream, "plain");
    }
    stream_unref(stream);
}
