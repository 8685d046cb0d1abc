/* SPDX-License-Identifier: MIT */
/*
 * The TLS side of a client connection, apart from any socket: wire bytes go in,
 * wire bytes come out (OpenSSL memory BIOs). Chain and name are always checked,
 * TLS 1.2 at least; no application byte leaves before the handshake is done.
 */
#ifndef HASHROOM_TLS_H
#define HASHROOM_TLS_H
#include <hashroom/network.h>

struct tls;

/* NULL on failure (an unreadable certificate file): err says which and why. */
struct tls *tls_new(const struct hr_stream_target *target, char *err, size_t err_size);
void tls_free(struct tls *tls);
int tls_feed(struct tls *tls, const void *bytes, size_t len); /* from the wire; HR_ELIMIT */
/* 1: done; 0: needs more bytes; HR_EDENIED: refused, err says which check failed. */
int tls_handshake(struct tls *tls, char *err, size_t err_size);
/* Bytes read; 0: needs more; HR_ERETRY: the far side ended; HR_EDENIED: it refused us, err says why. */
int tls_read(struct tls *tls, void *bytes, size_t size, char *err, size_t err_size);
int tls_write(struct tls *tls, const void *bytes, size_t len); /* all of it; HR_ERETRY: broken */
void tls_end(struct tls *tls); /* says goodbye (close_notify) */
size_t tls_output(struct tls *tls, const char **bytes); /* what has to go out; tls_output_done() empties it */
void tls_output_done(struct tls *tls);
const char *tls_version(const struct tls *tls); /* "TLS 1.3" */
const char *tls_verify_words(long verify_result); /* why a certificate is refused; NULL for X509_V_OK */
#endif
