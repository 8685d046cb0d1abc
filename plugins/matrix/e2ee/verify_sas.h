/* SPDX-License-Identifier: MIT */
/* One verification: the messages of the method m.sas.v1, from request to done. */
#ifndef MATRIX_VERIFY_SAS_H
#define MATRIX_VERIFY_SAS_H

#include "people.h"
#include "sas.h"

enum verify_step {
    VERIFY_ASKED,    /* the keys of the other side are being looked up */
    VERIFY_READY,    /* they may start */
    VERIFY_ACCEPTED, /* we wait for their ephemeral key */
    VERIFY_SHOWN,    /* both sides look at the same, or not */
    VERIFY_AGREED,   /* our operator said yes: we wait for their MAC */
    VERIFY_DONE,     /* both MACs were good: we wait for their "done" */
};

struct verification {
    struct matrix *mx;
    char *user, *device;      /* the other side */
    char *room_id;            /* NULL: by to-device events */
    char *transaction;        /* id of the request */
    enum verify_step step;
    struct peer peer;         /* the device, as it was when it began */
    char master[BASE64_KEY];  /* the identity it shows, as it was then; "" if it has none */
    struct ratchet_sas *sas;
    json_t *start;            /* content of their m.key.verification.start */
    char their_key[BASE64_KEY];
    struct sas_code code;
    json_t *mac;              /* theirs, if it came before our operator had answered */
    char *shown_to;           /* account of the administrator who was shown it last in a private message, or NULL */
    struct hr_timer *timer;
    bool told;                /* the log has such a line of that person already */
    struct verification *next;
};

/* Begins: looks up their keys, then answers that we are ready. */
void verify_sas_begin(struct verification *verification);
/* One message of it; type without "m.key.verification.". */
void verify_sas_message(struct verification *verification, const char *type, const json_t *content);
/* What the operator said. May end and free it. */
void verify_sas_answer(struct verification *verification, bool same);
/* Tells the other side why it is over, and ends it. */
void verify_sas_cancel(struct verification *verification, const char *code, const char *reason);
/* Provided by verify.c: takes it off the list and frees it. */
void verify_end(struct verification *verification);
/* Is it still there? Something asynchronous came back. */
struct verification *verify_find(struct matrix *mx, const char *user, const char *transaction);
/* The list, newest first: the one after `at` (NULL: the first), or NULL. */
struct verification *verify_next(struct matrix *mx, const struct verification *at);
/* Sends any message of it: suffix as above; takes content. */
void verify_sas_send(struct verification *verification, const char *suffix, json_t *content);

#endif
