/* SPDX-License-Identifier: MIT */
/*
 * End-to-end encryption of one account: the door for the rest of the plugin.
 * No file outside this folder includes another header of it, but for the tables
 * of the operator's tools and the pure layer (attachments, hashes, base64).
 *
 * Every ratchet is written with sql() in the callback that turned it, and so
 * stands on disk before the request that carries what it made (network.h). What
 * is sent to devices waits in a table of its own until the server took it. See
 * docs/e2ee.md for the way of a message and for what each file does.
 */
#ifndef MATRIX_E2EE_H
#define MATRIX_E2EE_H

#include "../event.h"
#include "../matrix.h"
#include "../scan.h"

/* How far the device that sent something is proven to belong to its user. */
enum trust {
    TRUST_NONE,     /* the device is not known, or its owner has not signed it */
    TRUST_SIGNED,   /* signed by the identity pinned at first sight */
    TRUST_VERIFIED, /* ... which a person has compared with ours */
    TRUST_CHANGED,  /* the user shows another identity than the pinned one */
};

/* ---- life: matrix.c, login.c ------------------------------------------------------- */

/* Reads what the tables keep. Before login. Negative: words are logged, the account can't start. */
int e2ee_start(struct matrix *mx);
void e2ee_stop(struct matrix *mx); /* also after a failed start */
/* The keys of the device that logged in last can't be used (an older copy of the database was put back): log in as
 * a new device if possible. */
bool e2ee_needs_device(const struct matrix *mx);
/* Logged in as mx->device. Brings the device's and the cross-signing keys to the
 * server, then calls ready() once: only then rooms are read and joined. A server
 * that is away is asked again until it answers. A new device (or a store that
 * was restored) gets new keys here. */
void e2ee_open(struct matrix *mx, void (*ready)(struct matrix *mx));
void e2ee_rest(struct matrix *mx); /* the session ends: asks the server for nothing more by itself */
/* Why encrypted rooms can't be used until the operator does something, or NULL. */
const char *e2ee_closed(const struct matrix *mx);
/* What the status line says: identity, devices, what could not be read. */
void e2ee_report(struct matrix *mx, struct hr_out *out);

/* ---- in: batch.c, inbound.c ---------------------------------------------------------- */

/* The parts of a sync reply that are no rooms: to_device, device_lists, counts of
 * one-time keys. In the turn of the batch and before its rooms are read, since
 * it brings their keys. */
void e2ee_sync(struct matrix *mx, struct scan reply);
/* State of a room that decides about keys (encryption, history visibility,
 * members), in order. Any room; what does not matter is left aside. */
void e2ee_state(struct mx_room *room, const struct event *event);
/* An encrypted room whose way of encryption is known: parts may go. */
bool e2ee_may_speak(struct mx_room *room);
/* Who agreed that an encrypted room is carried to other networks; "": nobody. Callback's arena. */
const char *e2ee_agreed(struct mx_room *room);
int e2ee_agree(struct mx_room *room, const char *who); /* "": takes it back */
/* An m.key.verification.* event of a room, or an m.room.message with such a msgtype; plain or decrypted. */
void e2ee_verification(struct mx_room *room, const struct event *event);
/* The timeline had a gap: members may have come and gone unseen. */
void e2ee_gap(struct mx_room *room);

struct e2ee_plain {
    struct event event;  /* as if it had been said in plain text: type, content with m.relates_to of
                            the outside; event_clear() it */
    enum trust trust;
    bool direct;         /* the key came from the sender's own device: else nobody is proven */
    char device[256];    /* of the sender, or "" */
};
/* An m.room.encrypted event of a timeline. HR_OK; HR_ERETRY: its key is not
 * here yet: kept, inbound_plain() follows when it comes, or never; HR_EDENIED:
 * refused, logged; HR_EEXIST: the same event was read before (fine, go on). */
int e2ee_decrypt(struct mx_room *room, const struct event *event, uint32_t flags, struct e2ee_plain *out);

/* ---- out: send.c ---------------------------------------------------------------------- */

/* Encrypts the event of a part for the room's devices and sends it; answers
 * with sent() as send_part() does. The ciphertext is made once: a part that
 * comes again goes out as it was. */
int e2ee_send(struct mx_room *room, const struct hr_part *part, const char *type, const json_t *content);

/* The identity (master key) a user shows now, or NULL. Callback's arena. */
const char *e2ee_identity(struct matrix *mx, const char *user);
/* The content of the m.room.encrypted event that a part went out as, or NULL: it never did, from this
 * device. The caller owns it. */
json_t *e2ee_sealed(struct matrix *mx, const char *txn);

#endif
