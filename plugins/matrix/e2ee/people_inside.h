/* SPDX-License-Identifier: MIT */
/* What the files of people share: everybody in memory, as the tables matrix_person and matrix_peer have them. */
#ifndef MATRIX_PEOPLE_INSIDE_H
#define MATRIX_PEOPLE_INSIDE_H

#include "people.h"

#include <uthash.h>

struct device {
    char *id;
    char curve[BASE64_KEY], ed[BASE64_KEY]; /* never change for an id */
    bool is_signed; /* by the self-signing key shown with it */
    bool gone;      /* no longer in the list: kept, so that nobody else comes under its id */
};

struct person { /* lives until people_stop(), so that pointers stay good */
    char *user;
    bool tracked, outdated, verified;
    bool asking;         /* a query is under way */
    bool alone;          /* the reply was too big with others */
    uint64_t generation; /* rises with each reason to ask again */
    unsigned tries;
    int64_t retry_ms;    /* monotonic: not asked again before; 0: at once */
    char master[BASE64_KEY], shown[BASE64_KEY], self_signing[BASE64_KEY]; /* pinned, of the last reply; or "" */
    struct device *device;
    size_t count, cap;
    UT_hash_handle hh;
};

struct waiter;
struct query;

struct people {
    struct person *by_user;
    size_t tracked;
    struct waiter *waiters;
    struct query *queries;
    size_t running;
    struct hr_timer *timer;
    bool soon; /* it goes off at the end of the turn */
    unsigned full;
};

/* What one reply of keys/query says of one user, checked; people_check.c. */
struct found_device {
    char *id;
    char curve[BASE64_KEY], ed[BASE64_KEY];
    bool is_signed;
};

struct found {
    char *user;
    bool present;        /* the reply speaks of this user */
    bool failed;         /* the user's server could not be asked */
    struct cross_signing_keys_public identity; /* master "": none */
    bool vouched;        /* our user-signing key has signed it */
    struct found_device *device;
    size_t count, cap;
    unsigned bad;        /* devices that were refused */
    const char *why;     /* ... the last of them: a constant */
    bool too_many;
};

struct check { /* handed to another thread as a whole */
    char *body;
    size_t len;
    char *our_user;
    struct cross_signing_keys_public ours; /* master "": we have none yet */
    struct found *found; /* for each user that was asked for */
    size_t count;
    bool broken;         /* no reply to keys/query at all */
};
void people_check(struct check *check); /* any thread */
void people_check_clear(struct check *check);

/* ---- people.c ---- */
struct person *people_find(struct matrix *mx, const char *user); /* or NULL */
int people_save(struct matrix *mx, const struct person *person);
struct device *people_find_device(struct person *person, const char *device); /* gone ones too; or NULL */
bool people_is_changed(const struct person *person);
/* ---- people_learn.c ---- */
void people_learn(struct matrix *mx, struct person *person, const struct found *found);
/* ---- people_query.c ---- */
void people_query_wake(struct matrix *mx);
void people_query_stop(struct matrix *mx);

#endif
