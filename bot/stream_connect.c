/* SPDX-License-Identifier: MIT */
/* Byte streams: looks up the name, tries each address in turn. */
#include "address.h"
#include "instance.h"
#include "stream_state.h"
#include "xalloc.h"

static int64_t left_ms(const struct hr_stream *stream)
{
    return stream->deadline_ms - clock_monotonic_ms();
}

static void on_wire_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void stream_drop_wire(struct hr_stream *stream)
{
    if (stream->wire) {
        stream->wire->stream = NULL;
        uv_close((uv_handle_t *)&stream->wire->tcp, on_wire_closed);
        stream->wire = NULL;
    }
}

static void on_connect(uv_connect_t *request, int status)
{
    struct stream_wire *wire = request->data;
    struct hr_stream *stream = wire->stream;

    if (!stream) {
        return;
    }
    if (status < 0) {
        stream_connect_next(stream, uv_strerror(status));
        return;
    }
    (void)uv_tcp_nodelay(&wire->tcp, 1);
    (void)uv_tcp_keepalive(&wire->tcp, 1, 60);
    stream_arm(stream, left_ms(stream));
    stream_connected(stream);
}

void stream_connect_next(struct hr_stream *stream, const char *why)
{
    const struct hr_stream_target *target = &stream->target;

    stream_drop_wire(stream);
    stream->state = STREAM_CONNECTING;
    while (stream->address_next < stream->address_count && left_ms(stream) > 0) {
        const struct sockaddr *address = (const struct sockaddr *)&stream->address[stream->address_next++];
        struct stream_wire *wire = xcalloc(1, sizeof(*wire));
        int result;

        wire->stream = stream;
        wire->tcp.data = wire->connect.data = wire->shutdown.data = wire;
        BUG_IF(uv_tcp_init(stream->timer.loop, &wire->tcp) != 0);
        stream->wire = wire;
        result = uv_tcp_connect(&wire->connect, &wire->tcp, address, on_connect);
        if (result == 0) {
            /* A silent address gets its share of the time, not all of it. */
            stream_arm(stream, left_ms(stream) / (int64_t)(stream->address_count - stream->address_next + 1));
            return;
        }
        why = uv_strerror(result);
        stream_drop_wire(stream);
    }
    stream_fail(stream, HR_ERETRY, "can't connect to %s port %d: %s", target->host, target->port, why);
}

/* The family of the first (the resolver's preference), then the other, in turn. */
static void take_addresses(struct hr_stream *stream, const struct addrinfo *found)
{
    const struct addrinfo *next[2] = {found, found};
    int family[2] = {found->ai_family, found->ai_family == AF_INET6 ? AF_INET : AF_INET6};
    bool here_only = stream->target.plain && !stream->target.allow_plain;

    for (int turn = 0; (next[0] || next[1]) && stream->address_count < STREAM_MAX_ADDRESSES; turn = !turn) {
        const struct addrinfo *address = next[turn];

        while (address && (address->ai_family != family[turn] || address->ai_addrlen > sizeof(stream->address[0]) ||
                           (here_only && !address_points_here(address->ai_addr)))) {
            address = address->ai_next;
        }
        next[turn] = address ? address->ai_next : NULL;
        if (address) {
            memcpy(&stream->address[stream->address_count++], address->ai_addr, address->ai_addrlen);
        }
    }
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct stream_lookup *lookup = request->data;
    struct hr_stream *stream = lookup->stream;

    if (stream) {
        stream->lookup = NULL;
    }
    if (stream && stream->state == STREAM_RESOLVING) {
        if (status == 0 && found) {
            take_addresses(stream, found);
        }
        if (stream->address_count > 0) {
            stream_connect_next(stream, "no answer");
        } else if (status == UV_EAI_NONAME || status == UV_EAI_NODATA) {
            stream_fail(stream, HR_ERETRY, "there is no machine named %s", stream->target.host);
        } else {
            stream_fail(stream, HR_ERETRY, "can't look up the name %s: %s", stream->target.host,
                        status < 0 ? uv_strerror(status) : "no address that may be used");
        }
    }
    uv_freeaddrinfo(found);
    free(lookup);
}

void stream_connect(struct hr_stream *stream)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct stream_lookup *lookup = xcalloc(1, sizeof(*lookup));
    char port[8];
    int result;

    snprintf(port, sizeof(port), "%d", stream->target.port);
    stream->deadline_ms = clock_monotonic_ms() + stream->target.connect_timeout_ms;
    stream->state = STREAM_RESOLVING;
    lookup->request.data = lookup;
    lookup->stream = stream;
    result = uv_getaddrinfo(stream->timer.loop, &lookup->request, on_lookup, stream->target.host, port, &hints);
    if (result < 0) {
        free(lookup);
        stream_fail(stream, HR_ERETRY, "can't look up the name %s: %s", stream->target.host, uv_strerror(result));
        return;
    }
    stream->lookup = lookup;
    stream_arm(stream, stream->target.connect_timeout_ms);
}
