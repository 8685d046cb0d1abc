/* SPDX-License-Identifier: MIT */
/*
 * The keys of our own device on the server: the signed device keys once, 50
 * one-time keys always, a fallback key renewed after use and each week. Made,
 * pickled, uploaded, marked as published, pickled: a crash at any place repeats
 * an upload, never a private half. Client-server API "Uploading encryption keys",
 * "One-time and fallback keys".
 */
#ifndef MATRIX_OWN_KEYS_H
#define MATRIX_OWN_KEYS_H

#include "e2ee_account.h"

enum { OWN_KEYS_ON_SERVER = 50 };

/* Uploads what the server lacks; done() once it has the device keys and at least one one-time key.
 * on_server: it shows the device's keys already. */
void own_keys_open(struct matrix *mx, bool on_server, void (*done)(struct matrix *mx));
void own_keys_stop(struct matrix *mx);
/* From each sync reply, also an empty one: count -1: the server said nothing (means 0);
 * fallback_unused false: the fallback key was given away. */
void own_keys_counts(struct matrix *mx, int count, bool fallback_unused);
void own_keys_fallback_used(struct matrix *mx); /* a message came that used the old one: forgotten an hour later */
/* Our signed device_keys object, as every Olm payload carries it (sender_device_keys). New
 * reference, for the loop's thread; not to be changed. */
json_t *own_keys_object(struct matrix *mx);

#endif
