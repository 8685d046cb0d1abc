/* SPDX-License-Identifier: MIT */
/*
 * Messages between devices. Outgoing ones stand in the table matrix_to_device in
 * the transaction that turned their ratchets, and go out again with the same
 * transaction id after a crash, until the server took them; order of one
 * recipient is kept. Incoming ones are handed on by type; what must be encrypted
 * and is not is dropped. "Send-to-device messaging".
 */
#ifndef MATRIX_TO_DEVICE_H
#define MATRIX_TO_DEVICE_H

#include "e2ee_account.h"
#include "people.h"

enum { TO_DEVICE_AT_ONCE = 250 }; /* messages in one request, as other clients do */

int to_device_load(struct matrix *mx); /* what the last run could not send */
void to_device_stop(struct matrix *mx);
void to_device_wake(struct matrix *mx);   /* requests may go from now on */
void to_device_forget(struct matrix *mx); /* they were of another device of ours */
/* One message of `type` to a device ("*" for all of a user); content is borrowed and must not change until
 * to_device_flush() of the same callback. HR_ELIMIT: too big, or too much waits. */
int to_device_add(struct matrix *mx, const char *type, const char *user, const char *device, const json_t *content);
int to_device_flush(struct matrix *mx);
/* fn(arg) once everything queued so far was taken by the server, or refused for good; at once
 * if nothing waits. drop(arg) from to_device_stop(). */
void to_device_after(struct matrix *mx, people_fn *fn, void (*drop)(void *arg), void *arg);
/* The array to_device.events of a sync reply: to_device_in.c. */
void to_device_take(struct matrix *mx, struct scan events);

/* What an encrypted message brought, after all checks of "Validation of incoming
 * decrypted events". The sender's device is `peer`; known to the device list or
 * proven by sender_device_keys. */
struct to_device_secret {
    const struct peer *peer;
    const char *type;
    const json_t *content;
};

#endif
