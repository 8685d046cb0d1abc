/* SPDX-License-Identifier: MIT */
/*
 * Olm sessions with single devices: at most 5 a device, the one used that last
 * decrypted something. A message that can't be read makes one new session an hour
 * and device (m.dummy); one read before is recognised by its hash and makes none.
 * "Recovering from undecryptable messages".
 */
#ifndef MATRIX_OLM_SESSION_H
#define MATRIX_OLM_SESSION_H

#include "e2ee_account.h"
#include "people.h"

int olm_session_load(struct matrix *mx);
void olm_session_wake(struct matrix *mx); /* requests may go from now on */
void olm_session_stop(struct matrix *mx);

/* Decrypts content of an m.room.encrypted to-device event; all checks done. The
 * caller owns *payload. HR_EEXIST: seen before; HR_EDENIED: refused (logged); HR_ENOTFOUND:
 * no session fits (unwedging has begun where it is due). peer is filled on HR_OK; its device is "" where the device
 * is in no list yet and did not prove itself: then curve and ed are what the message claims, to be
 * compared with the list when it is known. */
int olm_session_decrypt(struct matrix *mx, const char *sender, const json_t *content, json_t **payload,
                        struct peer *peer);

/* The same content to many devices. Missing sessions are claimed (10 s at most for a
 * server), made and used on the thread pool in slices, saved and queued
 * with to_device.h; then done() once, never before this returns. `reached` got it, `missed` have no one-time key
 * left, or nobody can ask for one now. done may be NULL, drop too. drop(arg) from olm_session_stop() at the latest. */
typedef void olm_many_fn(struct matrix *mx, void *arg, const struct peer *reached, size_t reached_count,
                         const struct peer *missed, size_t missed_count);
int olm_session_send(struct matrix *mx, const struct peer *peers, size_t count, const char *type,
                     const json_t *content, olm_many_fn *done, void (*drop)(void *arg), void *arg);

#endif
