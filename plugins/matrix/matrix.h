/* SPDX-License-Identifier: MIT */
/*
 * What the files of the matrix plugin share: one account on one homeserver, and
 * its rooms. One thread, the host's loop; everything here lives from start() to
 * stop().
 *
 *   login ─▶ sync ─▶ batch ─▶ (gap) ─▶ room, member, inbound ─▶ post()
 *   render ─▶ (the host) ─▶ send ─▶ sent()
 */
#ifndef MATRIX_H
#define MATRIX_H

#include "mem.h"

#include <hashroom/network.h>

enum {
    MATRIX_MAX_ROOMS = 500,
    MATRIX_MAX_MEMBERS = 1000,  /* names remembered for each room */
    MATRIX_MAX_JOINING = 4,     /* requests to join at once */
    MATRIX_MAX_INVITES = 50,    /* undecided ones */
    MATRIX_MAX_PRIVATE_EACH = 3, /* private rooms one person may open */
    MATRIX_MAX_SEEN = 2048,     /* messages whose room is remembered */
    MATRIX_MANY_TRIES = 5,      /* failed in a row: perhaps the homeserver moved */
    MATRIX_MAX_WARNED = 64,     /* devices nobody signed that are remembered */
    MATRIX_LATE_MS = 120000,    /* older than this when it arrives: history, never a command */
};

#define MATRIX_NO_LIMIT 1e6 /* events per second, or at once */

struct call;

struct member {
    char *id, *name; /* name "" if the person set none */
    bool joined;
    uint64_t seen; /* of room.clock: the longest unseen one makes place */
};

struct power { /* who has which rights in a room */
    char **id;
    int *level;
    size_t count, cap;
    int preset;      /* everyone else */
    int say, say_sealed; /* what it takes to speak, and to speak encrypted */
    bool known;      /* there is a power_levels event; else the creator has 100 */
    char *creator;   /* sender of m.room.create */
    char **founder;  /* room version 12: rights without end, outside the list */
    size_t founder_count;
};

struct mx_room {
    struct matrix *mx;
    char *address;   /* as the host knows it: room id or alias of the configuration */
    char *id;        /* room id, NULL while the alias is not resolved */
    bool private;    /* opened by an invite, not by the configuration */
    char *inviter;   /* of a private one: who opened it, or NULL */
    int64_t active_ms; /* of a private one: when somebody last spoke there, chat clock */
    bool joined;     /* this run has seen it among the joined rooms */
    bool whole;      /* all of its state was read: rights and encryption are known */
    bool up;         /* the host was told that parts may go */
    bool encrypted;  /* once and for ever: nothing leaves in plain text */
    char *visibility; /* of its history, as its state says; NULL: not seen */
    bool told_plain; /* that somebody wrote in plain text there all the same */
    bool pin_notice; /* the notice that the room is carried elsewhere is to be pinned when it comes back */
    char *gone;      /* kicked or banned: why; stays out. NULL: not so */
    char *reason;    /* why it is down, plain words */
    char *last_event; /* newest event read, "" if none; NULL: never in there so far */
    bool unsaved;    /* last_event or active_ms are newer than its row; see sync_done() */
    char *successor; /* being followed after an upgrade, or NULL */
    char *via;       /* server that knows the successor */
    int tries;       /* of joining */
    bool joining;
    struct hr_timer *timer;
    struct member *member; /* sorted by id */
    size_t member_count, member_cap;
    uint64_t clock;
    struct power power;
};

struct seen { /* see seen.h */
    uint64_t hash;
    const struct mx_room *room;
    bool is_edit;
};

struct invite;
struct batch;
struct e2ee;

struct matrix {
    struct hr_bot *bot;
    const struct hr_api *api;
    const struct hr_network_api *net;
    char *name;       /* of the instance: first column of the tables */
    char *homeserver; /* without a slash at the end; "" while it is not known, see discover.h */
    char *server_name; /* that leads to it; NULL: the configuration names it */
    enum { STAYING, LOGGING_OUT, LOGGED_OUT } parting;
    bool begun;       /* logging in has begun */
    bool discovering;
    unsigned redirects;
    int64_t discovered_ms; /* monotonic: when it was last asked for */
    struct hr_timer *discover_timer;
    char *user;
    char *token, *device; /* NULL: not logged in */
    unsigned login_no;    /* which token a request went out with */
    char *refresh;        /* token that gets the next token, or NULL */
    int64_t expires_ms;   /* wall clock: end of the token, 0: not told */
    bool renewing;        /* a new token is on its way: requests wait */
    struct call *renewal; /* asking for it, or NULL */
    struct hr_timer *refresh_timer;
    unsigned refresh_tries;
    bool device_new;      /* the device id was made here and has not logged in yet */
    int64_t device_since_ms; /* wall clock: transaction ids of before mean nothing to the server */
    char *since;
    bool want_full;   /* the next sync has to bring all state */
    bool full;        /* the one under way does, and comes back at once */
    bool narrow;      /* the last one was too big: ask for the least */
    bool want_names;  /* the next one has to bring who all those are that speak in it */
    bool names;       /* the one under way does */
    bool news;        /* the reply that is read holds more than echoes of our own words */
    struct hr_timer *save_timer; /* `since` is newer than its row, or NULL */
    struct call *poll; /* the sync under way, or NULL */
    char *filter;      /* id of the one the server keeps, or NULL; see filter.h */
    bool filter_named; /* the sync under way goes by it */
    bool filter_asked;
    struct hr_timer *filter_timer;
    struct call *filter_call;
    bool recovering;  /* `since` was refused: find out what is new by the last events */
    bool up, stopped; /* stopped: waits for the operator */
    char *reason, *last_error;
    unsigned tries;   /* failed in a row: login or sync */
    struct hr_timer *timer;
    struct call *calls;
    struct mx_room **room;
    size_t room_count, room_cap;
    struct invite *invites;
    struct batch *batch; /* waits for the messages of a gap */
    uintptr_t gap_no;
    size_t gap_bytes;    /* of all gaps of the batch */
    struct seen seen[MATRIX_MAX_SEEN]; /* a ring */
    size_t seen_count;
    uint64_t unsigned_device[MATRIX_MAX_WARNED]; /* hashes of those the log has named; a ring */
    size_t unsigned_count;
    struct e2ee *e2ee; /* end-to-end encryption, e2ee/e2ee.h */
    unsigned bad_events, calls_refused;
    double rate, burst;  /* of the account, as learned; see budget.h */
    double rate_set, burst_set; /* as configured */
    int64_t limited_ms;  /* monotonic: last 429, 0: none */
    unsigned limited_count;
    struct hr_timer *budget_timer;
    struct hr_timer *private_timer;
    int64_t checked_ms;  /* monotonic: when a refusal last made us look which rooms we are in, 0: never */
    bool media_pages;    /* people without an account can open pictures, see media.h */
    int media_fetches;   /* under way for them */
    struct doubt *doubts; /* parts that are looked for in the history */
};

/* ---- small helpers, matrix.c ---- */
/* An error worth a status line: also logged. */
void matrix_error(struct matrix *mx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Without end of line and leading or trailing spaces; free() it. */
char *matrix_trim(const char *text);
/* 1 s, 2 s, 4 s ... 16 s, each between half and one and a half of it. */
int64_t matrix_backoff_ms(struct matrix *mx, unsigned tries);
/* When the next try comes, for people: the same words for all pauses of matrix_backoff_ms(). */
const char *matrix_next_try(struct matrix *mx, int64_t wait_ms);
/* The part behind the first colon, or "". */
const char *matrix_server(const char *id);
/* A column that may be NULL. Borrowed. */
const char *matrix_column(const struct hr_value *column);
/* The network is down: told to the host, who tells the operator, once for each reason. */
void matrix_down(struct matrix *mx, const char *reason);

#endif
