/* SPDX-License-Identifier: MIT */
/*
 * What the files of Olm sessions share. Sessions that exist are used on the
 * loop's thread alone, in slices; only sessions that nobody knows yet are made and
 * used on another thread. So no session is ever used in two places.
 */
#ifndef MATRIX_OLM_INSIDE_H
#define MATRIX_OLM_INSIDE_H

#include "olm_session.h"

enum {
    OLM_KEPT = 5,            /* sessions with a device */
    OLM_CLAIM_AT_ONCE = 100, /* devices in a request, and in a slice of work */
    OLM_SLICES = 4,          /* being worked on */
    OLM_DEAD_SERVERS = 64,
    OLM_NO_KEY_MS = 600000, /* a device without one-time key is not asked for again */
};

struct olm_send;
struct olm_slice;

struct olm_dead { /* a server that did not answer ours */
    char server[256];
    int64_t until_ms; /* monotonic */
};

struct olm_sessions {
    struct olm_send *sends, **sends_end; /* oldest first */
    struct olm_slice *slices;
    size_t working;
    struct call *claim;
    struct hr_timer *timer; /* goes on with the oldest that has something to do */
    bool soon;
    struct olm_dead dead[OLM_DEAD_SERVERS];
    size_t dead_count;
    unsigned remembered; /* messages since what is old was last removed */
};

/* ---- rows: olm_store.c ---- */
struct olm_row {
    struct ratchet_session *session;
    int64_t created_ms;
};
/* Most recently used first; at most `most`. ratchet_session_free() each. */
size_t olm_store_load(struct matrix *mx, const char *curve, struct olm_row *out, size_t most);
/* After each use, in the same callback. used: it decrypted something, or is new. */
int olm_store_save(struct matrix *mx, const char *curve, struct ratchet_session *session, bool used);
int olm_store_put(struct matrix *mx, const char *curve, const char *id, const char *pickle, bool used);
int64_t olm_store_newest_ms(struct matrix *mx, const char *curve); /* when the newest was made; 0: none */
bool olm_store_seen(struct matrix *mx, const char *hash);
void olm_store_remember(struct matrix *mx, const char *hash);
/* Columns of matrix_peer: wall clock, 0: never. */
int64_t olm_store_peer_ms(struct matrix *mx, const struct peer *peer, const char *column);
void olm_store_set_peer_ms(struct matrix *mx, const struct peer *peer, const char *column, int64_t ms);

/* ---- olm_send.c ---- */
enum olm_state { OLM_TODO, OLM_CLAIM, OLM_CLAIMING, OLM_REACHED, OLM_MISSED };

struct olm_send {
    struct matrix *mx;
    char *type;
    char *payload;      /* JSON up to the recipient, without the closing bracket */
    struct peer *peer;
    enum olm_state *state;
    size_t count, next; /* next: first one not looked at */
    size_t waiting;     /* of slices */
    bool fresh;         /* new sessions, whatever there is */
    int64_t begun_ms;   /* monotonic */
    unsigned tries;
    olm_many_fn *done;
    void (*drop)(void *arg);
    void *arg;
    struct olm_send *next_send;
};

int olm_send_start(struct matrix *mx, const struct peer *peers, size_t count, const char *type, const json_t *content,
                   bool fresh, olm_many_fn *done, void (*drop)(void *arg), void *arg);
void olm_send_plan(struct matrix *mx, int64_t wait_ms);
void olm_send_settle(struct olm_send *send, size_t n, enum olm_state state);
/* The text that goes into Olm: payload and who it is for. Any thread; free() it. */
char *olm_send_plaintext(const char *payload, const struct peer *peer);
/* Queues the message; nothing else is done with its session. */
int olm_send_queue(struct matrix *mx, const struct peer *peer, int type, const char *body);

/* ---- olm_claim.c ---- */
/* Asks for one-time keys of devices in state OLM_CLAIM, if no request is under way. */
void olm_claim_next(struct matrix *mx);
bool olm_claim_is_dead(struct matrix *mx, const char *user);
void olm_claim_stop(struct matrix *mx);

#endif
