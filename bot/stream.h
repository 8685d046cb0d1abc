/* SPDX-License-Identifier: MIT */
/*
 * Byte streams with TLS for network plugins: libuv TCP and OpenSSL memory BIOs.
 * Names are resolved off the loop; IPv6 and IPv4 addresses are tried in turn.
 * Chain and name are checked, TLS 1.2 at least, nothing is sent before the
 * handshake is done. Writes leave after the turn's commit. A stream is gone when
 * its closed() has returned; streams_close() inside closed() is fine.
 */
#ifndef HASHROOM_STREAM_H
#define HASHROOM_STREAM_H
#include "app.h"

struct streams *streams_new(struct app *app);
/* Streams that were closed a moment ago still flush, for 2 s at most: run the loop. */
void streams_free(struct streams *streams);
/* HR_EINVAL: no host, no port; HR_ELIMIT: over 64 of one owner. All else comes with closed(). */
int streams_open(struct streams *streams, struct hr_bot *owner, const struct hr_stream_target *target,
                 const struct hr_stream_calls *calls, void *arg, struct hr_stream **out);
/* HR_EINVAL: not open; HR_ELIMIT: over 1 MiB unsent. */
int streams_write(struct hr_stream *stream, const void *bytes, size_t len);
void streams_close(struct hr_stream *stream);
void streams_sweep(struct hr_bot *owner);
#endif
