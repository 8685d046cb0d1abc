/* SPDX-License-Identifier: MIT */
/*
 * Megolm sessions of others and of ourselves: taken, kept, used for decryption.
 * Found by room and session id alone. Each index belongs to one event for ever.
 * What has no key yet waits (1,000 events a room, 5 minutes for a command to
 * count), and is read when the key comes.
 */
#ifndef MATRIX_GROUP_IN_H
#define MATRIX_GROUP_IN_H

#include "crypto_room.h"

enum group_origin { /* better ones replace worse */
    GROUP_BACKUP = 0,    /* from the backup: anybody with its public key could have put it there */
    GROUP_FORWARDED = 1, /* from another own, cross-signed device */
    GROUP_DIRECT = 2,    /* from the sender's own device by Olm */
};

struct group_key { /* one session to take in; all borrowed */
    const char *room_id, *session;
    const char *key;       /* session_key of m.room_key, or the export format */
    bool exported;
    enum group_origin origin;
    const char *sender, *sender_curve, *sender_ed; /* who owns it; DIRECT: proven */
    bool shared_history;
};

void group_in_load(struct matrix *mx);
void group_in_stop(struct matrix *mx);
/* HR_OK also where ours is better; HR_EDENIED: it does not connect with the one we have, or is not what it says. */
int group_in_take(struct matrix *mx, const struct group_key *key);
int group_in_decrypt(struct mx_room *room, const struct event *event, uint32_t flags, struct e2ee_plain *out);
struct group_export {
    const char *room_id, *session, *sender_curve, *sender_ed;
    const char *exported; /* the key, in the export format; secret */
    uint32_t first_index;
    bool shared_history;
};
/* The session from an index on, or from its first known one if that is later; only of those that came
 * from their owners. out borrows from the cache until the next call. HR_ENOTFOUND. */
int group_in_export(struct matrix *mx, const char *room_id, const char *session, uint32_t from,
                    struct group_export *out, char key[RATCHET_EXPORTED_KEY]);

#endif
