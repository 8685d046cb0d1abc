/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: the keys of our own device and of our
 * identity, in memory from e2ee_start() to e2ee_stop(). Reached as mx->e2ee.
 */
#ifndef MATRIX_E2EE_ACCOUNT_H
#define MATRIX_E2EE_ACCOUNT_H

#include "cross_signing_keys.h"
#include "device_keys.h"
#include "e2ee.h"
#include "ratchet.h"

enum {
    E2EE_TOLD = 128,       /* refusals remembered, so that the same one is not told again */
    E2EE_TOLD_AN_HOUR = 60, /* lines in the log: then the 1st, 2nd, 4th ... */
};

struct e2ee {
    struct matrix *mx;
    uint8_t pickle_key[32];     /* derived by the host from a key outside the database */
    struct ratchet_account *account; /* NULL before e2ee_open(); ratchet_account_identity() has our keys */
    bool strict;                /* option `strict`: nothing to, nothing from devices nobody signed */
    bool open;                  /* keys are on the server; false again while the account logs in anew */
    bool lost;                  /* the stored keys can't be used: an older copy of the database, another store key */
    char *why;                  /* encryption can't be used until the operator does something; or NULL */
    char *device;               /* whose keys `account` has, or NULL */
    struct call *opening;       /* asks what the server shows of us */
    struct hr_timer *timer;
    unsigned tries;
    void (*ready)(struct matrix *mx);
    struct own_keys *own_keys;  /* state of each file that keeps some; NULL while it has none */
    struct own_identity *identity;
    struct people *people;
    struct to_device *to_device;
    struct olm_sessions *olm;
    struct crypto_rooms *rooms;
    struct group_outs *group_out;
    struct group_ins *group_in;
    struct group_lates *late;
    struct verifications *verify;
    struct backup *backup;
    struct recovery *recovery;
    struct recovery_use *use;
    unsigned changes;             /* rises whenever devices, identities or members change: who has to have a
                                     room's key is looked up again only then */
    unsigned answers;             /* to key requests, since */
    int64_t answers_since_ms;     /* ... monotonic */
    unsigned refused, unreadable; /* for the status line */
    uint64_t told[E2EE_TOLD];     /* hashes of the last refusals that were logged: each is told once */
    unsigned told_count, told_lines; /* all of them; since told_ms */
    int64_t told_ms;              /* monotonic */
};

/* Pickles the account into its row: after every call that changed it, in the same callback. */
int e2ee_account_save(struct matrix *mx);
/* Encryption can't be used, for a reason the operator has to remove; the rest of the account works. */
void e2ee_close(struct matrix *mx, const char *why);
/* "The 1st, 2nd, 4th ... time": may this be logged again? Counts in *count. */
bool e2ee_worth_a_line(unsigned *count);
/* A line for the operator about something hostile or broken: the same words are told once, and who makes many
 * different ones does not flood the log. */
void e2ee_refuse(struct matrix *mx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
