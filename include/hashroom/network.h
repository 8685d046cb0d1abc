/* SPDX-License-Identifier: MIT */
/*
 * What a plugin that speaks to a network adds to plugin.h.
 *
 * In:   the plugin parses what arrives and calls post(), edit() or remove(). A
 *       sync token, cursor or since_id is saved with sql() in the same callback:
 *       it then stands in the transaction that holds the messages.
 * Out:  the host picks what may go next, calls render(), freezes the parts on
 *       disk, commits, calls send() for each; the plugin answers once, now or
 *       later, with sent(). Parts of one room come in order; the next one comes
 *       while earlier ones are unanswered only up to `window`.
 * Once: a part may come again after HR_ERETRY or a restart, with the same txn
 *       and body. HR_PART_DOUBT says an earlier try may have arrived: use the
 *       same key, look it up first, or answer HR_EUNKNOWN (DESIGN 4.3).
 */
#ifndef HASHROOM_NETWORK_H
#define HASHROOM_NETWORK_H

#include <hashroom/plugin.h>

/* ---- in ------------------------------------------------------------------- */

struct hr_post {
    uint32_t size;
    const char *room;     /* address; an unknown one is a private room if PRIVATE, else HR_ENOTFOUND */
    const char *key;      /* stable id at the service (event id, uri, first id of the
                             edit history); NULL: none, the host numbers it */
    const char *revision; /* id of this version; NULL: same as key */
    struct hr_person author;
    const char *text;     /* any bytes; the host makes them valid and clean */
    size_t text_len;
    const char *url;      /* permalink or NULL */
    const struct hr_link *links;
    size_t link_count;
    const char *reply_to;   /* id at the service of what it answers, or NULL */
    const char *reply_name; /* used where reply_to is not in the log, or NULL */
    const char *reply_text;
    int64_t time_ms;      /* when it was said */
    uint32_t flags;       /* HR_MSG_* */
    /* With HR_MSG_MEDIA: where people without an account open it for a while, or NULL. Said behind the text in rooms
     * of other services; no part of the text, so that neither the list of links nor an archive has it. */
    const char *media_url;
};

/* ---- out ------------------------------------------------------------------ */

enum hr_act { HR_ACT_SAY, HR_ACT_EDIT, HR_ACT_REMOVE };

struct hr_delivery { /* what has to be said in one room */
    uint32_t size;
    uint64_t id;
    enum hr_act act;
    const struct hr_room *room;
    enum hr_priority priority;
    const char *lead;     /* "Ben on Twitter", or "" */
    const char *lead_url; /* or "" */
    const char *text;     /* '\n' between lines; EDIT: the new text */
    uint32_t say_flags;   /* HR_SAY_* */
    uint32_t msg_flags;   /* HR_MSG_*: EMOTE, SENSITIVE */
    const char *reply_remote; /* id in this room of what it answers, or "" */
    const char *reply_name;   /* or "" */
    const char *reply_text;   /* or "" */
    const char *const *target; /* EDIT, REMOVE: ids of the parts said before, in order */
    size_t target_count;
    int64_t age_ms;       /* EDIT, REMOVE: time since it was said in this room */
    const char *thread_remote; /* SAY_THREAD: our own last post of the session here, or "" */
    /* HR_MSG_MEDIA, said at the same service (scope): the id it has there, to hand on the picture itself; else "" */
    const char *origin;
    const char *media_url; /* with origin: to be said where that fails, or "" */
    bool changed;          /* EDIT of several lines that stand in one part: this is the one */
};

/* Receives the parts of render(), in order; each is one line or one event and
 * costs one token. A part of 0 bytes is refused. */
struct hr_parts {
    void (*add)(struct hr_parts *parts, const void *body, size_t len);
};

enum { HR_PART_DOUBT = 1 << 0 }; /* an earlier try may have arrived */

struct hr_part {
    uint32_t size;
    uint64_t id;
    const char *txn; /* unique for ever, [A-Za-z0-9.]: the key for the far side */
    const struct hr_room *room;
    enum hr_act act;
    const char *body; /* as render() made it; NUL follows */
    size_t body_len;
    int attempt;      /* 1 is the first */
    uint32_t flags;
    int64_t first_ms; /* wall clock of the first attempt */
    enum hr_priority priority; /* a question in doubt that can't be looked up is answered with HR_EUNKNOWN */
};

struct hr_limits { /* declared at start, changed by limits() when learned */
    uint32_t size;
    double rate;     /* parts per second for the whole account */
    double burst;    /* tokens it can save up */
    int window;      /* parts in flight per room before the first is answered */
    int window_all;  /* the same for the account */
    uint32_t flags;  /* HR_NET_* that hold on this connection, besides those of the manifest */
};

struct hr_network {
    uint32_t size;
    const char *service; /* "IRC", "Matrix", "Twitter": as said in R18 */
    const char *scope;   /* identity space of ids: "matrix", "x"; NULL: one per instance
                            (an IRC network's msgids mean nothing elsewhere) */
    uint32_t room_flags; /* HR_ROOM_PEOPLE or HR_ROOM_SOCIAL */
    struct hr_limits limits;
    /* Is this a room address the network can have? On failure writes what is
     * wrong and what to write instead into err. Pure; called by `check`. */
    int (*check_room)(const char *address, char *err, size_t err_size);
    /* Pure: words to parts for one room, within the network's sizes. `count` is 1
     * but with HR_NET_MERGE: then several deliveries of one room and act become one
     * part, a paragraph each, the name first; act EDIT: the new words of that part.
     * No part: nothing to do here, the delivery ends as expired with that reason.
     * HR_EINVAL: can't be said (too long for a post): refused, reason in err. */
    int (*render)(void *state, const struct hr_delivery *const *deliveries, size_t count,
                  struct hr_parts *out, char *err, size_t err_size);
    int (*send)(void *state, const struct hr_part *part); /* negative: as sent() with it */
    uint32_t flags; /* HR_NET_* */
    /* The end of a visit (`doctor`): ends what would stay behind on the account, such as a session. HR_ERETRY while
     * that is under way: called again soon, for some seconds. Nothing else is called after it but stop(). May be NULL. */
    int (*farewell)(void *state);
};

enum { /* hr_network.flags, hr_limits.flags */
    HR_NET_MERGE = 1 << 1,    /* lines that wait together may go as one part */
    HR_NET_SAME_TXN = 1 << 0, /* a part sent again is recognised, or looked up first: never said twice.
                                 Without it a question in doubt becomes HR_EV_DOUBT instead of coming again. */
};

/* ---- HTTP: one request over the host's curl multi handle ---------------------- */

struct hr_request;

struct hr_http {
    uint32_t size;
    const char *method, *url;
    const char *const *headers; /* "Name: value", ends in NULL; may be NULL */
    const void *body;
    size_t body_len;
    size_t max_reply_bytes;     /* larger: HR_ELIMIT; 0: 1 MiB */
    int64_t timeout_ms;         /* whole transfer; 0: 30 s; -1: none (streams) */
    int64_t stall_ms;           /* no byte for so long: HR_ERETRY; 0: 30 s */
    const char *ca_file;        /* own certificate authority, or NULL: the system's */
    /* Streaming: called for each piece as it comes, instead of collecting the
     * body of a 2xx reply. A negative result cancels. NULL: collect. */
    int (*data)(void *arg, const char *bytes, size_t len);
    /* Streaming: called once when a 2xx status line is in. May be NULL. */
    void (*opened)(void *arg);
};

struct hr_reply {
    int status;      /* HR_OK: there is a reply, whatever its code; HR_ERETRY: no
                        connection, cut, timeout; HR_EDENIED: TLS refused; HR_ELIMIT */
    int code;        /* HTTP status, 0 if none */
    const char *body; /* NUL follows; may hold other NULs */
    size_t body_len;
    int64_t retry_ms; /* Retry-After, else -1 */
    const char *headers;  /* "name: value\n", names in lower case */
    const char *error;    /* plain words when status is not HR_OK, else "" */
    bool sent;            /* false: surely no byte of the request reached the peer */
};
typedef void hr_http_fn(void *arg, const struct hr_reply *reply); /* once; never after cancel; the request is gone then */

/* ---- byte streams: TCP, TLS unless told otherwise ------------------------------- */

struct hr_stream;

struct hr_stream_target {
    uint32_t size;
    const char *host;       /* name or address literal */
    int port;
    bool plain;             /* no TLS: refused but for loopback unless allow_plain */
    bool allow_plain;
    const char *ca_file;    /* or NULL */
    const char *cert_file, *key_file; /* client certificate, or NULL */
    int64_t connect_timeout_ms; /* 0: 20 s */
};

struct hr_stream_calls {
    void (*opened)(void *arg, const char *how); /* "TLS 1.3", "plain"; once */
    void (*data)(void *arg, const char *bytes, size_t len);
    /* Once, after failure or end, not after stream_close(). EDENIED: TLS refused. The stream is gone then. */
    void (*closed)(void *arg, int status, const char *reason);
};

struct hr_network_api {
    uint32_t size;
    int (*post)(struct hr_bot *bot, const struct hr_post *post, uint64_t *message); /* EEXIST: seen before */
    /* A new version of a message; HR_ENOTFOUND if it isn't in the log. */
    int (*edit)(struct hr_bot *bot, const char *remote_id, const char *revision, const char *text, size_t text_len,
                const char *author_id); /* must be the author, else EDENIED; NULL: known to be */
    int (*remove)(struct hr_bot *bot, const char *remote_id);
    void (*sent)(struct hr_bot *bot, uint64_t part, int status, const char *remote_id, int64_t retry_ms,
                 const char *reason); /* OK, ERETRY (retry_ms for the whole account), EFAIL: refused,
                                         EUNKNOWN (a question among people becomes HR_EV_DOUBT);
                                         remote_id and reason may be NULL */
    /* The network as a whole, or one room (address): may parts go now? Parts in flight
     * when the whole network goes down need no sent(): they come again, in doubt. */
    void (*up)(struct hr_bot *bot, const char *room);
    void (*down)(struct hr_bot *bot, const char *room, const char *reason); /* plain words, with what happens next */
    void (*limits)(struct hr_bot *bot, const struct hr_limits *limits);
    void (*spend)(struct hr_bot *bot, int tokens); /* cost outside parts: topics, receipts */
    /* Rooms this network serves by the configuration; also rooms private so far. */
    int (*rooms)(struct hr_bot *bot, hr_room_fn *fn, void *arg);
    bool (*allow_private)(struct hr_bot *bot, const char *address); /* may a private room open? counts them */

    int (*http)(struct hr_bot *bot, const struct hr_http *http, hr_http_fn *fn, void *arg, struct hr_request **out);
    void (*http_cancel)(struct hr_request *request);
    int (*stream_open)(struct hr_bot *bot, const struct hr_stream_target *target, const struct hr_stream_calls *calls,
                       void *arg, struct hr_stream **out);
    int (*stream_write)(struct hr_stream *stream, const void *bytes, size_t len); /* leaves after the commit */
    void (*stream_close)(struct hr_stream *stream); /* flushes what was written, then closes; NULL is fine */
    /* Reads lines the operator types (console). `line` NULL: end of input. */
    int (*terminal)(struct hr_bot *bot, void (*line)(void *arg, const char *text), void *arg);
    int (*terminal_write)(struct hr_bot *bot, const char *text, size_t len);
    void (*quit)(struct hr_bot *bot); /* console: the person leaves; ends a rehearsal */
    bool (*account_known)(struct hr_bot *bot, const char *account); /* named in any role here? */
    void (*seal)(struct hr_bot *bot, const char *room, bool sealed); /* an encrypted room, sealed or not; not kept over a
                                                                        restart: the network says it anew */
};

#endif
