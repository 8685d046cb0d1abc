/* SPDX-License-Identifier: MIT */
/* Byte streams for network plugins: what plugins call, life and end of a stream. */
#include "address.h"
#include "instance.h"
#include "stream_state.h"
#include "turn.h"
#include "xalloc.h"
#include <stdarg.h>
#include <utlist.h>

static const int64_t CONNECT_TIMEOUT_MS = 20000, MAX_TIMEOUT_MS = 3600 * 1000;

struct chunk { /* one streams_write(), until the turn is committed or undone */
    struct hr_stream *stream;
    size_t len;
    char bytes[];
};

struct streams *streams_new(struct app *app)
{
    struct streams *streams = xcalloc(1, sizeof(*streams));

    streams->app = app;
    streams->wire_chunk = xmalloc(STREAM_CHUNK_BYTES);
    streams->plain_chunk = xmalloc(STREAM_CHUNK_BYTES);
    return streams;
}

/* Streams that still say goodbye keep it until they have. */
static void streams_end(struct streams *streams)
{
    if (streams->freed && !streams->all) {
        free(streams->wire_chunk);
        free(streams->plain_chunk);
        free(streams);
    }
}

void streams_free(struct streams *streams)
{
    struct hr_stream *stream, *next;

    if (!streams) {
        return;
    }
    DL_FOREACH_SAFE2(streams->all, stream, next, all_next)
    {
        if (stream->state != STREAM_CLOSING) {
            stream_dispose(stream);
        }
    }
    streams->freed = true;
    streams_end(streams);
}

static void target_copy(struct hr_stream_target *to, const struct hr_stream_target *from)
{
    *to = *from;
    to->host = xstrdup(from->host);
    to->ca_file = xstrdup(from->ca_file);
    to->cert_file = xstrdup(from->cert_file);
    to->key_file = xstrdup(from->key_file);
    if (to->connect_timeout_ms <= 0) {
        to->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    } else if (to->connect_timeout_ms > MAX_TIMEOUT_MS) {
        to->connect_timeout_ms = MAX_TIMEOUT_MS;
    }
}

static void target_clear(struct hr_stream_target *target)
{
    free((char *)target->host);
    free((char *)target->ca_file);
    free((char *)target->cert_file);
    free((char *)target->key_file);
}

void stream_ref(struct hr_stream *stream)
{
    stream->refs++;
}

void stream_unref(struct hr_stream *stream)
{
    BUG_IF(stream->refs < 1);
    if (--stream->refs == 0) {
        buf_clear(&stream->plain);
        target_clear(&stream->target);
        free(stream);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    stream_unref(handle->data);
}

static void stream_leave_owner(struct hr_stream *stream)
{
    if (stream->owner) {
        DL_DELETE(stream->owner->streams, stream);
        stream->owner = NULL;
    }
}

void stream_dispose(struct hr_stream *stream)
{
    if (stream->state == STREAM_GONE) {
        return;
    }
    stream->state = STREAM_GONE;
    stream_leave_owner(stream);
    DL_DELETE2(stream->streams->all, stream, all_prev, all_next);
    stream_drop_wire(stream);
    if (stream->lookup) {
        stream->lookup->stream = NULL;
        (void)uv_cancel((uv_req_t *)&stream->lookup->request);
        stream->lookup = NULL;
    }
    tls_free(stream->tls);
    stream->tls = NULL;
    uv_close((uv_handle_t *)&stream->timer, on_timer_closed);
    streams_end(stream->streams);
}

static void tell_closed(struct hr_stream *stream)
{
    struct hr_bot *owner = stream->owner;

    stream_ref(stream);
    instance_enter(owner);
    if (stream->calls.closed) {
        stream->calls.closed(stream->arg, stream->fail_status, stream->fail_reason);
    }
    instance_leave(owner, HR_OK);
    stream_dispose(stream);
    stream_unref(stream);
}

static void on_timer(uv_timer_t *timer)
{
    struct hr_stream *stream = timer->data;

    switch (stream->state) {
    case STREAM_FAILED: tell_closed(stream); break;
    case STREAM_RESOLVING:
        stream_fail(stream, HR_ERETRY, "looking up the name %s took too long", stream->target.host);
        break;
    case STREAM_CONNECTING: stream_connect_next(stream, "no answer"); break;
    case STREAM_HANDSHAKE:
        stream_fail(stream, HR_ERETRY, "%s doesn't answer the TLS handshake; is port %d the one for TLS?",
                    stream->target.host, stream->target.port);
        break;
    case STREAM_CLOSING: stream_dispose(stream); break;
    case STREAM_OPEN:
        stream_fail(stream, HR_ERETRY, "the connection to %s broke: %s", stream->target.host,
                    uv_strerror(stream->broken));
        break;
    case STREAM_QUEUED:
    case STREAM_GONE: break;
    }
}

void stream_arm(struct hr_stream *stream, int64_t delay_ms)
{
    uv_update_time(stream->timer.loop);
    uv_timer_start(&stream->timer, on_timer, delay_ms < 0 ? 0 : (uint64_t)delay_ms, 0);
}

/* Told from the timer, never from inside a call of the plugin or an effect. */
void stream_fail(struct hr_stream *stream, int status, const char *fmt, ...)
{
    va_list ap;

    if (stream->state == STREAM_CLOSING) {
        stream_dispose(stream);
        return;
    }
    if (stream->state >= STREAM_FAILED) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(stream->fail_reason, sizeof(stream->fail_reason), fmt, ap);
    va_end(ap);
    stream->fail_status = status;
    stream->state = STREAM_FAILED;
    stream_drop_wire(stream);
    stream_arm(stream, 0);
}

static void begin(void *arg)
{
    struct hr_stream *stream = arg;
    struct hr_stream_target *target = &stream->target;
    char err[256];

    if (stream->state == STREAM_QUEUED) {
        if (target->plain && !target->allow_plain && !address_is_loopback(target->host)) {
            stream_fail(stream, HR_EDENIED,
                        "the connection to %s would not be encrypted; "
                        "without TLS hashroom connects to this machine only",
                        target->host);
        } else if (!target->plain && !(stream->tls = tls_new(target, err, sizeof(err)))) {
            stream_fail(stream, HR_EINVAL, "%s", err);
        } else {
            stream_connect(stream);
        }
    }
    stream_unref(stream);
}

static void begin_undone(void *arg)
{
    struct hr_stream *stream = arg;

    stream_fail(stream, HR_ERETRY, "the step that asked for the connection failed");
    stream_unref(stream);
}

static bool host_is_clean(const char *host)
{
    size_t len = strlen(host);

    for (size_t i = 0; i < len; i++) {
        if (host[i] <= ' ' || host[i] > '~') {
            return false;
        }
    }
    return len > 0 && len <= 253;
}

int streams_open(struct streams *streams, struct hr_bot *owner, const struct hr_stream_target *given,
                 const struct hr_stream_calls *calls, void *arg, struct hr_stream **out)
{
    struct hr_stream_target target = {0};
    struct hr_stream *stream;
    int count = 0;

    if (given->size < offsetof(struct hr_stream_target, plain) || !calls) {
        return HR_EINVAL;
    }
    memcpy(&target, given, given->size < sizeof(target) ? given->size : sizeof(target));
    if (!target.host || !host_is_clean(target.host) || target.port < 1 || target.port > 65535) {
        return HR_EINVAL;
    }
    DL_COUNT(owner->streams, stream, count);
    if (count >= STREAM_MAX_PER_OWNER) {
        return HR_ELIMIT;
    }
    stream = xcalloc(1, sizeof(*stream));
    stream->streams = streams;
    stream->owner = owner;
    stream->calls = *calls;
    stream->arg = arg;
    stream->refs = 2; /* the timer's and begin()'s */
    target_copy(&stream->target, &target);
    buf_init(&stream->plain, STREAM_MAX_UNSENT_BYTES);
    BUG_IF(uv_timer_init(streams->app->loop, &stream->timer) != 0);
    stream->timer.data = stream;
    DL_APPEND(owner->streams, stream);
    DL_APPEND2(streams->all, stream, all_prev, all_next);
    turn_effect(streams->app->turn, begin, begin_undone, stream);
    if (out) {
        *out = stream;
    }
    return HR_OK;
}

static void chunk_settle(struct chunk *chunk, bool keep)
{
    struct hr_stream *stream = chunk->stream;

    stream->queued--;
    if (keep && (stream->state == STREAM_OPEN || stream->state == STREAM_CLOSING)) {
        BUG_IF(buf_add(&stream->plain, chunk->bytes, chunk->len) != HR_OK); /* unsent has the same ceiling */
    } else {
        stream->unsent -= chunk->len;
    }
    free(chunk);
    if (stream->queued == 0 && (stream->state == STREAM_OPEN || stream->state == STREAM_CLOSING)) {
        stream_flush(stream); /* the last one of this turn: all together */
        if (stream->state == STREAM_CLOSING) {
            stream_goodbye(stream);
        }
    }
    stream_unref(stream);
}

static void chunk_release(void *arg)
{
    chunk_settle(arg, true);
}

static void chunk_undo(void *arg)
{
    chunk_settle(arg, false);
}

int streams_write(struct hr_stream *stream, const void *bytes, size_t len)
{
    struct chunk *chunk;

    if (stream->state == STREAM_FAILED) {
        return HR_OK; /* lost like bytes on the way; closed() is about to say why */
    }
    if (stream->state != STREAM_OPEN) {
        return HR_EINVAL;
    }
    if (len > STREAM_MAX_UNSENT_BYTES - stream->unsent) {
        return HR_ELIMIT;
    }
    if (len == 0) {
        return HR_OK;
    }
    chunk = xmalloc(sizeof(*chunk) + len);
    chunk->stream = stream;
    chunk->len = len;
    memcpy(chunk->bytes, bytes, len);
    stream->unsent += len;
    stream->queued++;
    stream_ref(stream);
    turn_effect(stream->streams->app->turn, chunk_release, chunk_undo, chunk);
    return HR_OK;
}

void streams_close(struct hr_stream *stream)
{
    if (!stream || stream->state >= STREAM_CLOSING) {
        return;
    }
    if (stream->state != STREAM_OPEN) {
        stream_dispose(stream);
        return;
    }
    stream_leave_owner(stream);
    stream->state = STREAM_CLOSING;
    stream_arm(stream, STREAM_FLUSH_MS);
    if (stream->queued == 0) {
        stream_goodbye(stream);
    }
}

void streams_sweep(struct hr_bot *owner)
{
    while (owner->streams) {
        streams_close(owner->streams);
    }
}
