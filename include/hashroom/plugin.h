/* SPDX-License-Identifier: MIT */
/*
 * The whole contract between hashroom and a plugin. Plugins that speak to a
 * network include network.h as well.
 *
 * A plugin is a shared object that exports one constant, `hashroom_plugin`.
 * The host reads it before any plugin code runs, then calls start() once for
 * each `instance` in the plugin's configuration file, or once if the file has
 * none. All a plugin can do is in `struct hr_api`; it links against nothing of
 * the host.
 *
 * Threads:  every function here is called on, and must be called from, the one
 *           loop thread. No call blocks.
 * Turn:     what a callback writes (say, relay, post, sql, chat_set, ...) is one
 *           savepoint of the turn's transaction; a callback that returns a
 *           negative status is undone as a whole. Bytes and requests leave only
 *           after the commit.
 * Text:     UTF-8, NUL-terminated, no control characters but '\n'. The host
 *           cleans what post() brings in; inside, nobody checks again.
 * Time:     int64_t milliseconds. `at`/`time` are instants since the Unix epoch
 *           on the chat clock, `delay` is relative.
 * Borrowed: what a callback receives, and what print(), words(), option(),
 *           chat() and room() return, lives until that callback returns. The
 *           host copies what it is given.
 * Results:  0 is success, negative is an `enum hr_status`. A call that fails
 *           has done nothing and calls nothing back.
 */
#ifndef HASHROOM_PLUGIN_H
#define HASHROOM_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rises only when something already here changes meaning. New members go at
 * the end of a struct and are guarded by its `size`. */
#define HR_ABI 1u

#define HR_STATUS_MAP(X)                                        \
    X(HR_OK,         0, "ok")                                   \
    X(HR_EINVAL,    -1, "not valid")                            \
    X(HR_ENOTFOUND, -2, "no such thing")                        \
    X(HR_EDENIED,   -3, "not allowed")                          \
    X(HR_ELIMIT,    -4, "over a limit")                         \
    X(HR_ERETRY,    -5, "failed for now, try again later")      \
    X(HR_EFAIL,     -6, "failed for good")                      \
    X(HR_EEXIST,    -7, "already there")                        \
    X(HR_EUNKNOWN,  -8, "sent, but nobody can say if it came")

enum hr_status {
#define X(name, value, text) name = (value),
    HR_STATUS_MAP(X)
#undef X
};

#ifdef __clang__ /* it knows the attribute for functions only, not for pointers to them */
#define HR_SENTINEL
#else
#define HR_SENTINEL __attribute__((sentinel))
#endif

struct hr_bot;   /* one running instance of a plugin; pass it back */
struct hr_timer; /* owned by the host, swept when the instance stops */
struct hr_out;   /* where report() and export write lines */

/* ---- rooms, people, messages --------------------------------------------- */

enum { /* hr_room.flags */
    HR_ROOM_PEOPLE = 1 << 0,  /* people talk and command here (IRC, Matrix, console) */
    HR_ROOM_SOCIAL = 1 << 1,  /* a hashtag on a social network */
    HR_ROOM_PRIVATE = 1 << 2, /* a conversation with one person */
    HR_ROOM_FULL = 1 << 3,    /* pace "full"; else "calm" */
    HR_ROOM_UP = 1 << 4,      /* the bot is in the room now */
    HR_ROOM_SEALED = 1 << 5,  /* encrypted, and nobody agreed that its words leave it: commands and the bot's
                                 own words only; nothing is carried in or out, nothing people say is kept */
    HR_ROOM_ENCRYPTED = 1 << 6, /* encrypted end to end; not sealed: a host agreed that its words are carried on */
};

struct hr_room {
    uint64_t id;         /* stable over restarts */
    const char *network; /* name of the configured network (instance) */
    const char *address; /* channel, room id, hashtag, nick or user id */
    const char *service; /* "IRC", "Matrix", "Twitter": as said in R18 */
    const char *chat;    /* name of its chat, or "" */
    uint32_t flags;
};

struct hr_person {
    const char *id;      /* stable at the service; nick!user@host where nothing better is */
    const char *account; /* proven identity that roles are tied to, or "" */
    const char *name;    /* as shown to people */
    const char *handle;  /* without @, or "" */
    int power;           /* rights in the room: 50 and more is an operator */
};

struct hr_link {
    const char *url;   /* where it really leads: shorteners resolved by the source */
    const char *title; /* or "" */
};

enum { /* hr_message.flags, hr_post.flags */
    HR_MSG_OWN = 1 << 0,       /* the bot's own words */
    HR_MSG_NOTICE = 1 << 1,    /* IRC NOTICE, m.notice: never a command */
    HR_MSG_EMOTE = 1 << 2,     /* /me */
    HR_MSG_HISTORY = 1 << 3,   /* fetched later: never a command */
    HR_MSG_COMMAND = 1 << 4,   /* was a command (set by the host): never relayed */
    HR_MSG_PRIVATE = 1 << 5,   /* said to the bot alone: never relayed */
    HR_MSG_BOT = 1 << 6,       /* written by another bot or bridge */
    HR_MSG_SENSITIVE = 1 << 7, /* marked so by its author or network */
    HR_MSG_EDITED = 1 << 8,
    HR_MSG_WEAK = 1 << 9,      /* who said it is proven well enough to chat and to host, not to change the
                                  operation: no permission that role.h calls grave (Matrix: not from a signed
                                  device in an encrypted room) */
    HR_MSG_MEDIA = 1 << 10,    /* holds a picture or file; text describes it */
};

struct hr_message {
    uint32_t size;
    uint64_t id;      /* its row in the log */
    const struct hr_room *room; /* where it was said; NULL for what the bot says to many */
    struct hr_person author;
    const char *text; /* plain text, '\n' between lines */
    const char *url;  /* permalink, or "" */
    const struct hr_link *links; /* those the source named; text may hold more */
    size_t link_count;
    uint64_t reply_to;        /* message id, 0 if none or not known */
    const char *reply_name;   /* whom it answers, or "" */
    const char *reply_text;   /* start of what it answers, or "" */
    int64_t time_ms;   /* when it was said, by its source */
    int64_t logged_ms; /* when it was logged, chat clock */
    const char *chat;  /* chat of its room, or "" */
    uint64_t session;  /* session that was live, 0 if none */
    int question;      /* question that was open, 0 if none */
    uint32_t flags;
    const char *media_url; /* where a picture or file can be opened for a while, or "" */
};

/* ---- events -------------------------------------------------------------- */

enum hr_event_kind {
    HR_EV_MESSAGE = 1, /* logged (or released from hold): not a command, not private */
    HR_EV_EDIT,        /* message->text is the new text */
    HR_EV_REMOVE,      /* gone at its source, or hidden; message->text is empty */
    HR_EV_CHAT,        /* the chat record changed */
    HR_EV_NETWORK,     /* a network went up or down */
    HR_EV_DOUBT,       /* the bot's own question may or may not have been said in `room` before the
                          connection or the process broke; it is not said again by itself */
    HR_EV_BACKLOG,     /* more than 15 posts wait for `room`, which is calm; told once until none wait */
    HR_EV_LEFT_OUT,    /* `count` posts for `room` had waited 10 minutes and are not said: say so. They
                          stand in the view core_pub_left_out; message is the last of them */
};
#define HR_EV(kind) (UINT32_C(1) << (kind)) /* for hr_plugin.events */

struct hr_event {
    uint32_t size;
    enum hr_event_kind kind;
    const struct hr_message *message; /* MESSAGE, EDIT, REMOVE */
    const struct hr_chat *chat;       /* CHAT; else the chat of the message, or NULL */
    const char *network;              /* NETWORK */
    bool up;                          /* NETWORK */
    const char *reason;               /* NETWORK down: plain words */
    const struct hr_room *room;       /* DOUBT, BACKLOG, LEFT_OUT */
    int count;                        /* BACKLOG, LEFT_OUT */
};

/* What a feature may decide about a message in the turn that logs it. The
 * strictest verdict wins; HIDE and HOLD stop the event and the relaying. */
enum hr_verdict { HR_PASS, HR_HOLD, HR_HIDE };

/* ---- the chat ------------------------------------------------------------- */

struct hr_chat {
    uint32_t size;
    const char *name;  /* as in the configuration */
    const char *tag;   /* display form, "#DPULO" */
    uint64_t session;  /* id of the live session, 0 if none; ids only rise */
    int question;      /* open question, 0 if none */
    int64_t quiet_until_ms; /* no relayed post before this instant (R27) */
    int64_t read_from_ms, read_to_ms; /* social networks are read in this window */
    int64_t starts_ms, ends_ms; /* planned start and end of the live session; 0: none or not known */
};

/* ---- commands -------------------------------------------------------------- */

struct hr_call { /* one command line, already split, permission granted */
    uint32_t size;
    const struct hr_message *message;
    const struct hr_room *room;  /* where to answer */
    const struct hr_chat *chat;  /* NULL if the room belongs to none */
    const char *name;            /* the command's own name, also if an alias was typed */
    const char *rest;            /* everything after the command word, trimmed */
    int argc;                    /* words of rest, without .,;:!? at their ends */
    const char *const *argv;
    bool in_private;
};

enum { /* hr_command.flags */
    HR_CMD_CARD = 1 << 0,    /* shown on the !help card */
    HR_CMD_NO_CHAT = 1 << 1, /* works where there is no chat */
    HR_CMD_HOSTS = 1 << 2,   /* on the card of those who may run the chat */
};

struct hr_command {
    const char *name;       /* "next", without prefix */
    const char *aliases;    /* words separated by spaces, or NULL */
    const char *usage;      /* "[minutes]", or "" */
    const char *help;       /* one sentence, to say aloud */
    const char *example;    /* "!extend 5" */
    const char *permission; /* one of role.h's names, NULL: everyone */
    uint32_t flags;
    int (*run)(void *state, const struct hr_call *call);
};

/* ---- options, texts, exports: what a plugin declares ------------------------ */

enum hr_type { HR_NULL, HR_BOOL, HR_INT, HR_DURATION, HR_STR, HR_LIST, HR_SECRET, HR_REAL, HR_BLOB };

struct hr_value {
    enum hr_type type;
    int64_t num;             /* BOOL, INT, DURATION (ms) */
    const char *str;         /* STR, SECRET (the content of the file), BLOB */
    size_t len;              /* BLOB: bytes; STR from sql(): bytes */
    const char *const *list; /* LIST, ends in NULL */
    double real;             /* REAL */
};
#define HR_V_INT(n) ((struct hr_value){.type = HR_INT, .num = (n)})
#define HR_V_STR(s) ((struct hr_value){.type = HR_STR, .str = (s)})
#define HR_V_BLOB(p, n) ((struct hr_value){.type = HR_BLOB, .str = (p), .len = (n)})

struct hr_option {
    const char *name;
    enum hr_type type;   /* SECRET: the value is a path or "credential:NAME" */
    const char *preset;  /* as written in a file; NULL: must be given */
    int64_t min, max;    /* numbers and durations (ms), inclusive; 0,0: any */
    const char *help;    /* one sentence, with the unit */
    const char *example; /* for the example file; NULL: the preset */
};

struct hr_text { /* a template of the bot's own words: a design decision */
    const char *id;     /* "T07" */
    const char *text;   /* with {name} places */
    const char *sample; /* "n=2;of=4;..." for the output linter, or NULL */
};

struct hr_export { /* `hashroom export NAME --format F` */
    const char *name;
    const char *help;
    const char *formats; /* "html md csv json", the first is the preset */
    int (*run)(void *state, const char *chat, const char *format, struct hr_out *out);
};

enum {                       /* api->ask() */
    HR_ASK_HIDDEN = 1 << 0, /* what is typed isn't shown: a secret */
    HR_ASK_WAIT = 1 << 1,   /* nothing is typed: the tool is called again in a second with the same words */
};

/* A command of the operator in a terminal: `hashroom NAME words`. It runs in the bot that runs, as a callback like any
 * other; what it gives to api->out() is printed, and says what was done or what to do. HR_OK: `hashroom` ends with 0;
 * HR_EINVAL: the words are wrong, 2; any other: 1. It can ask something with api->ask(): then it is called again
 * with what was typed as one more word, so all it has to know stands in its words or in the plugin's own state. */
struct hr_tool {
    const char *name;  /* "verify": small letters, digits, '-'; no command of hashroom itself */
    const char *usage; /* "USER [yes | no]", or "" */
    const char *help;  /* a sentence or two */
    int (*run)(void *state, int argc, const char *const *argv, struct hr_out *out);
};

struct hr_api;
struct hr_network; /* network.h */

struct hr_plugin {
    uint32_t abi, size; /* HR_ABI, sizeof(struct hr_plugin) */
    const char *name, *version, *help;
    uint32_t events;                   /* HR_EV(...) | ...: what event() is called for */
    const struct hr_option *options;   /* these tables end in a zero entry, or are NULL */
    const struct hr_command *commands;
    const struct hr_text *texts;
    const struct hr_export *exports;
    const char *const *schema; /* SQL steps, each run once in order; tables carry
                                  the prefix NAME_, published views NAME_pub_ */
    const struct hr_network *network; /* NULL in a feature plugin */

    /* Looks at option values that depend on each other; calls api->problem()
     * for each fault. Only option(), problem(), print() work here. May be NULL. */
    void (*check)(struct hr_bot *bot, const struct hr_api *api);
    int (*start)(struct hr_bot *bot, const struct hr_api *api, void **state);
    void (*stop)(void *state);
    int (*event)(void *state, const struct hr_event *event);
    enum hr_verdict (*judge)(void *state, const struct hr_message *message);
    void (*report)(void *state, struct hr_out *out); /* lines for !status, plain words */

    const struct hr_tool *tools; /* ends in a zero entry, or is NULL */
};

#define HR_PLUGIN_HEADER .abi = HR_ABI, .size = (uint32_t)sizeof(struct hr_plugin)

extern const struct hr_plugin hashroom_plugin __attribute__((visibility("default")));

/* ---- what a plugin can do ---------------------------------------------------- */

enum hr_level { HR_DEBUG, HR_INFO, HR_WARN, HR_ERROR };

/* In this order they get the account's budget (DESIGN 4.4). */
enum hr_priority {
    HR_SAFETY, HR_QUESTION, HR_TIMING, HR_REPLY, HR_PEOPLE, HR_POSTS, HR_ACK,
};

enum { /* hr_say.flags */
    HR_SAY_TEXT = 1 << 0,   /* m.text on Matrix, else m.notice (R33) */
    HR_SAY_ALONE = 1 << 2,  /* shares no event with other lines (set by the host for pictures) */
    HR_SAY_THREAD = 1 << 1, /* social: reply under our own last post of this session */
};

struct hr_say {
    uint32_t size;
    const char *text;   /* one template; '\n' between its lines */
    const char *lead;   /* "Ben on Twitter", said before the text; NULL: none */
    const char *lead_url; /* where the lead links to, or NULL */
    enum hr_priority priority;
    int64_t expires_ms; /* chat clock; 0: never */
    const char *key;    /* said once: a second say() of this plugin with the same
                           key does nothing and returns HR_EEXIST; NULL: no key */
    uint32_t flags;
};

typedef void hr_timer_fn(void *arg);
typedef void hr_work_fn(void *arg);
/* Called for each row; a negative result ends the query and is returned. */
typedef int hr_row_fn(void *arg, const struct hr_value *column, size_t count);
typedef int hr_room_fn(void *arg, const struct hr_room *room);

struct hr_network_state {
    uint32_t size;
    const char *name, *service; /* "libera", "IRC" */
    bool up;
    const char *reason; /* why down, plain words, or "" */
    int64_t for_ms;     /* up or down for so long */
    const char *trouble;    /* the last reason it was down, also while it is up; "" if it never was in this run */
    int64_t trouble_ago_ms; /* when that was */
};
typedef int hr_network_fn(void *arg, const struct hr_network_state *network);
typedef int hr_report_fn(void *arg, const char *who, const char *text);

struct hr_page { /* page() */
    uint32_t size;
    int code;              /* of HTTP: 200, 404, 410, ... */
    const char *type;      /* "image/png": the plugin has made sure that it is one */
    const char *file_name; /* proposed to who keeps it, any UTF-8; or NULL */
    bool download;         /* to be kept as a file, never shown */
    const void *bytes;     /* copied */
    size_t len;
    int64_t keep_ms;       /* in memory, network clock; 0: asked for again the next time */
};
typedef int hr_page_fn(void *arg, const char *path);

struct hr_api {
    uint32_t size;

    /* -- always allowed -- */
    void (*log)(struct hr_bot *bot, enum hr_level level, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
    const char *(*print)(struct hr_bot *bot, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
    /* Fills a template of this plugin: words(bot, "T07", "n", "2", NULL). Pairs of
     * name and value, then NULL. A missing place is a bug and aborts. */
    const char *(*words)(struct hr_bot *bot, const char *id, ...) HR_SENTINEL;
    const struct hr_value *(*option)(struct hr_bot *bot, const char *name); /* never NULL */
    const char *(*instance)(struct hr_bot *bot); /* its title in the file, else the plugin's name */
    void (*problem)(struct hr_bot *bot, const char *option, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
    void (*out)(struct hr_out *out, const char *fmt, ...) /* one line or piece; keeps '\n' */
        __attribute__((format(printf, 2, 3)));

    /* -- clocks and timers -- */
    int64_t (*now_ms)(struct hr_bot *bot);       /* chat clock */
    int64_t (*monotonic_ms)(struct hr_bot *bot); /* network clock: timeouts, back-off */
    int64_t (*wall_ms)(struct hr_bot *bot);      /* system clock: signatures only */
    /* Once, at an instant of the chat clock (a past one: next turn). */
    int (*timer_at)(struct hr_bot *bot, int64_t at_ms, hr_timer_fn *fn, void *arg, struct hr_timer **out);
    /* On the network clock; repeat_ms 0: once. */
    int (*timer_in)(struct hr_bot *bot, int64_t delay_ms, int64_t repeat_ms, hr_timer_fn *fn, void *arg,
                    struct hr_timer **out);
    void (*timer_stop)(struct hr_timer *timer); /* NULL is fine; also inside its callback.
                                                   A one-shot timer frees itself after its
                                                   callback: clear your pointer there. */
    int (*random)(struct hr_bot *bot, void *out, size_t len);

    /* -- rooms and chats -- */
    const struct hr_room *(*room)(struct hr_bot *bot, uint64_t id);           /* or NULL */
    const struct hr_chat *(*chat)(struct hr_bot *bot, const char *name);      /* or NULL */
    int (*rooms)(struct hr_bot *bot, const char *chat, hr_room_fn *fn, void *arg); /* each room of a chat */
    /* Rooms a message of `from` has to go to now, by the routes. */
    int (*routes)(struct hr_bot *bot, uint64_t from, hr_room_fn *fn, void *arg);
    int (*chats)(struct hr_bot *bot, int (*fn)(void *arg, const struct hr_chat *chat), void *arg);
    int (*chat_set)(struct hr_bot *bot, const struct hr_chat *chat); /* `session` plugin only */

    /* -- saying things -- */
    /* One message of the bot to `count` rooms; `message` (may be NULL) gets its id. */
    int (*say)(struct hr_bot *bot, const uint64_t *rooms, size_t count, const struct hr_say *say,
               uint64_t *message);
    /* Hands somebody's message on; say->text is ignored: the log's text is used,
     * and follows later edits and removals by itself. */
    int (*relay)(struct hr_bot *bot, uint64_t message, uint64_t room, const struct hr_say *say);
    /* Answers a command where it was asked; one line per '\n'. */
    int (*answer)(struct hr_bot *bot, const struct hr_call *call, const char *text);
    bool (*may)(struct hr_bot *bot, const struct hr_call *call, const char *permission);
    const char *(*hosts)(struct hr_bot *bot, const char *chat); /* "Asha" or "Asha or Ben": names to say; "" if none known */

    /* -- judging what was said -- */
    int (*message)(struct hr_bot *bot, uint64_t id, struct hr_message *out); /* from the log */
    int (*release)(struct hr_bot *bot, uint64_t message); /* a held one goes its way */
    int (*hide)(struct hr_bot *bot, uint64_t message);    /* removes it from every room it went to */
    int (*drop_waiting)(struct hr_bot *bot, uint64_t room, const char *reason); /* !stop; returns how many */

    /* -- the one database: own tables, others' NAME_pub_ views; no WITH, a subquery
     *    does the same; args bind ?1.. -- */
    int (*sql)(struct hr_bot *bot, const char *sql, const struct hr_value *args, size_t count,
               hr_row_fn *row, void *arg);

    /* -- networks only: see network.h; NULL for a feature plugin -- */
    const struct hr_network_api *net;

    /* -- for a status line -- */
    int (*networks)(struct hr_bot *bot, hr_network_fn *fn, void *arg); /* each configured network that runs */
    /* What every plugin's report() says, piece by piece; `who` is "irc/libera". */
    int (*reports)(struct hr_bot *bot, hr_report_fn *fn, void *arg);

    /* A secret that came later than the options (a token): no log line shows it from now on. */
    void (*secret)(struct hr_bot *bot, const char *text);

    /* -- long computations, keys -- */
    /* Runs work(arg) on another thread, once this callback is committed: it touches nothing but `arg` and calls
     * nothing of the host. Then done(arg) on the loop, a callback like any other (savepoint, turn). If the callback
     * that asked is undone, or the instance stops before, drop(arg) (may be NULL) comes instead, before stop() and
     * after work() has ended: it frees what arg owns and calls nothing of the host. One of done and drop comes, once.
     * The host runs few at a time, in the order they were asked for. HR_ELIMIT: 64 are not done yet. */
    int (*work)(struct hr_bot *bot, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop, void *arg);
    /* Key material for what this instance encrypts in its tables: `len` (1 to 64) bytes of HKDF-SHA256 from the store
     * key, which is kept outside the database; the same for the same plugin, instance and purpose, over restarts
     * and from backups. After `hashroom new-key` they are others: then what was encrypted can't be read any more, and
     * the plugin starts anew. In rehearsals, doctor and export the key is a throwaway one. HR_EINVAL: no purpose, or
     * one over 200 bytes, or len. */
    int (*derive)(struct hr_bot *bot, const char *purpose, void *out, size_t len);
    /* 16 letters and digits that name this database. Another one than at the last start: an older copy was put back
     * (a backup). What the far side must never see twice, such as transaction ids and ratchets, then starts anew. */
    const char *(*store_id)(struct hr_bot *bot);

    /* In a tool: the operator is asked this, and the tool is called again with the answer as its last word; flags
     * HR_ASK_*. The last question of a call counts, and none if the call fails. HR_EDENIED: `out` is of no tool. */
    int (*ask)(struct hr_out *out, uint32_t flags, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

    /* `hashroom doctor` or a rehearsal, beside the bot that runs, with a store that is thrown away: nothing may be used
     * up that can be had only once (a refresh token); doctor wants every credential tried that can be. */
    bool (*trial)(struct hr_bot *bot);

    /* -- pages for people without an account: section `pages` of hashroom.conf -- */
    /* This instance serves pages: fn(arg, path) is a callback that is asked for each path that is not in memory, once
     * however many wait for it, and answers with page(), now or within a minute. A negative status is said to them as
     * a failure. HR_ENOTFOUND: the operator has switched on no pages; then none of this is called. */
    int (*serve)(struct hr_bot *bot, hr_page_fn *fn, void *arg);
    /* Put a path behind it and people can open it: "https://media.example.org/home/". NULL: nothing is served. */
    const char *(*serve_url)(struct hr_bot *bot);
    /* What is found at `path` (letters, digits, -._~/, 200 bytes): for those who wait, after the commit, and for
     * keep_ms for those who come. Takes the place of what was kept. HR_ELIMIT: memory is full, nobody was answered. */
    int (*page)(struct hr_bot *bot, const char *path, const struct hr_page *page);

    /* The names of all instances of this plugin in the configuration, whether they run or not, each between spaces,
     * which no name has: " home work ". What was kept for others may be erased. Lives in the callback's arena. */
    const char *(*instances)(struct hr_bot *bot);
};

/* Is `fn`, added after the first release, in the running host? */
#define HR_HAS(api, fn) ((api)->size >= offsetof(struct hr_api, fn) + sizeof((api)->fn))

#endif
