/* SPDX-License-Identifier: MIT */
/*
 * One configured IRC network. `struct irc` is handed down; who does what:
 *
 *   link      connects, waits, connects again; bytes out, liveness
 *   inbound   each line to the one that handles it
 *   caps, sasl, scram, sts, login   from the first byte to the end of the greeting
 *   channels  which rooms we are in, and why not
 *   members   who is in them, under which account, with which rights
 *   identity  one WHOIS while a line of somebody unknown waits
 *   history   what became of our lines, and what was said while we were away
 *   rate      how many lines the network really takes
 *   record    what outlives the process
 *   speech    what people say, to post()
 *   render, split       words to lines (pure)
 *   flights   lines on their way, until the server has answered for each
 *   gate, wire, tags, isupport   the protocol itself, without a connection
 */
#ifndef IRC_IRC_H
#define IRC_IRC_H
#include "channels.h"
#include "flights.h"
#include "gate.h"
#include "history.h"
#include "identity.h"
#include "isupport.h"
#include "members.h"
#include "rate.h"
#include "scram.h"
#include "sts.h"
#include "wire.h"
#include <hashroom/network.h>

enum { /* capabilities we know */
    CAP_MESSAGE_TAGS = 1 << 0,
    CAP_SERVER_TIME = 1 << 1,
    CAP_ACCOUNT_TAG = 1 << 2,
    CAP_ACCOUNT_NOTIFY = 1 << 3,
    CAP_EXTENDED_JOIN = 1 << 4,
    CAP_ECHO_MESSAGE = 1 << 5,
    CAP_LABELS = 1 << 6,
    CAP_BATCH = 1 << 7,
    CAP_MULTI_PREFIX = 1 << 8,
    CAP_CHGHOST = 1 << 9,
    CAP_SASL = 1 << 10,
    CAP_REDACTION = 1 << 11,
    CAP_HISTORY = 1 << 12,
    CAP_EVENT_PLAYBACK = 1 << 13, /* without it Ergo puts joins into words of its own */
};

enum phase {
    PHASE_WAITING,     /* for the next try */
    PHASE_CONNECTING,
    PHASE_REGISTERING, /* connected; CAP, SASL, nick */
    PHASE_READY,
};

struct login {
    unsigned offered;       /* CAP_* */
    char mechanisms[128];   /* value of the sasl capability */
    int requests;           /* CAP REQ not answered */
    bool one_by_one;        /* a REQ for all was refused: each by itself */
    bool listed, ended;     /* CAP LS is complete; CAP END is sent */
    bool sasl_answered, sasl_ok;
    char sasl_in[2 * SCRAM_TEXT]; /* base64 of the server so far */
    struct scram scram;
    int nick_tries;
};

enum { BATCHES = 16 };
struct batch {
    char ref[64], label[65];
    bool history;
    bool asked; /* the answer to our own question */
};

struct record { /* as it stands in the tables */
    bool history;
    char nick[WIRE_NAME_BYTES];
};

enum link_end { LINK_STAYS, LINK_RETRY, LINK_UNTRUSTED, LINK_SLOW };

struct irc {
    struct hr_bot *bot;
    const struct hr_api *api;
    const struct hr_network_api *net;

    enum phase phase;
    struct hr_stream *stream;
    struct framer framer;
    bool in_data;            /* inside the stream's callback: end the link afterwards */
    enum link_end ending;
    char reason[400];        /* why we are not ready, plain words */
    struct hr_timer *retry, *tick;
    int tries;               /* since the last link that held */
    bool told_off;           /* by an ERROR on this link */
    int64_t opened_ms, ready_ms, heard_ms; /* network clock */
    bool asked_alive;
    int64_t welcome_ms;      /* clock of the server at 001: what was said before is history */
    int64_t who_ms;          /* last WHO */
    int64_t regain_ms;       /* next try for the nick we want */

    unsigned caps;
    struct login login;
    struct isupport support;
    struct gate *gate;
    char nick[WIRE_NAME_BYTES], user[WIRE_NAME_BYTES], host[WIRE_HOST_BYTES]; /* ours, as others see us */
    char was[WIRE_NAME_BYTES];     /* our nick in the connection before */
    char account[WIRE_NAME_BYTES]; /* ours at the services, or "" */
    struct batch batch[BATCHES];

    struct channels channels;
    struct members members;
    struct identity identity;
    struct flights flights;
    struct history history;
    struct record record;
    struct rate rate;
    struct sts sts;

    uint64_t hostile; /* lines that were no IRC */
};

/* Configured value, "" if there is none; lives until the callback returns. */
const char *irc_option(const struct irc *irc, const char *name);
bool irc_is_me(const struct irc *irc, const char *nick);
void irc_limits(struct irc *irc); /* tells the host what this link can carry */
#endif
