/* SPDX-License-Identifier: MIT */
/*
 * Other people's devices and identities: who is tracked, whose list is outdated,
 * what /keys/query said. A change that comes while a query is under way is not
 * lost: each user has a generation, and a reply only counts for the one it was
 * asked in. Replies are checked on the thread pool, in pieces, and written by
 * the loop. Client-server API "Tracking the device list for a user".
 *
 * An identity (master key) is pinned at first sight. Another one later means
 * TRUST_CHANGED: told once, no keys and no rights for that person until
 * people_accept().
 */
#ifndef MATRIX_PEOPLE_H
#define MATRIX_PEOPLE_H

#include "e2ee_account.h"

struct peer { /* one device of somebody */
    char user[256], device[256];
    char curve[44], ed[44];
    enum trust trust;
    bool own; /* another device of our account */
};

enum {
    PEOPLE_MAX = 20000,      /* tracked */
    PEOPLE_MAX_DEVICES = 200, /* of one user; more are left aside */
};

int people_load(struct matrix *mx);
void people_wake(struct matrix *mx); /* requests may go from now on */
void people_stop(struct matrix *mx);
int people_track(struct matrix *mx, const char *user);   /* outdated at first; ours is always tracked */
bool people_tracked(struct matrix *mx, const char *user);
int people_untrack(struct matrix *mx, const char *user); /* shares no encrypted room any more */
void people_outdated(struct matrix *mx, const char *user);  /* device_lists.changed; not tracked: ignored */
void people_all_outdated(struct matrix *mx); /* nobody knows what changed: the place in the sync was lost */

typedef void people_fn(struct matrix *mx, void *arg);
/* Users who are not tracked are from now on. done(arg) once the devices of these users are known as far as they can be: at
 * once if nothing is outdated, else after the queries, at the latest after 10 s (a
 * dead server keeps nobody waiting; its users stay outdated and are asked again
 * with back-off). drop(arg) instead, from people_stop(). */
void people_fresh(struct matrix *mx, const char *const *users, size_t count, people_fn *done, void (*drop)(void *arg),
                  void *arg);

/* Every device of a user that may get keys at all (not ours in use here, not one
 * without identity keys). fn: 0 to go on. */
int people_devices(struct matrix *mx, const char *user, int (*fn)(void *arg, const struct peer *peer), void *arg);
int people_by_curve(struct matrix *mx, const char *user, const char *curve, struct peer *out); /* HR_ENOTFOUND */
int people_device(struct matrix *mx, const char *user, const char *device, struct peer *out);  /* HR_ENOTFOUND */
/* A device that proves itself: device_keys that are signed by themselves (device_keys_read()) but not in the
 * list yet. Its trust by the identity known of its user; nothing is kept. */
void people_judge(struct matrix *mx, const struct device_keys *keys, const json_t *object, struct peer *out);
/* The pinned master key (base64), or NULL; callback's arena. */
const char *people_master(struct matrix *mx, const char *user);
/* The one the server shows now: another one if it changed. As above. */
const char *people_shown_master(struct matrix *mx, const char *user);
bool people_changed(struct matrix *mx, const char *user);
void people_verified(struct matrix *mx, const char *user); /* SAS went well */
bool people_is_verified(struct matrix *mx, const char *user); /* ... with the identity they show now */
/* The identity shown now becomes the pinned one; not verified. HR_ENOTFOUND: nothing changed there. */
int people_accept(struct matrix *mx, const char *user);
#endif
