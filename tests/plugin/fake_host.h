/* SPDX-License-Identifier: MIT */
/*
 * A host for tests of plugins: what the plugin asks for is recorded, what the
 * outside does is played by the test. Needs SQLite and the two public headers,
 * nothing of the program.
 *
 *     struct fake *fake = fake_new(&hashroom_plugin);
 *     uint64_t room = fake_room(fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
 *     assert_int_equal(fake_start(fake), HR_OK);
 *     assert_int_equal(fake_command(fake, room, "!counter"), HR_OK);
 *     assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, "The counter is at 1.");
 *     fake_free(fake);
 *
 * Time stands still until fake_pass() or fake_chat_clock() moves it. A callback
 * that returns a negative status leaves no record and no row behind, as in the
 * program. Misuse of the API aborts with a sentence.
 */
#ifndef HASHROOM_FAKE_HOST_H
#define HASHROOM_FAKE_HOST_H

#include <hashroom/network.h>

struct fake;

#define FAKE_NOW_MS INT64_C(1669752000000) /* all clocks at first: Tuesday 29 November 2022, 20:00 UTC */

/* ---- what the plugin did --------------------------------------------------- */

enum fake_kind {
    FAKE_SAY = 1,
    FAKE_RELAY,
    FAKE_ANSWER,
    FAKE_CHAT_SET,
    FAKE_RELEASE,
    FAKE_HIDE,
    FAKE_DROP, /* hr_api */
    FAKE_LOG,
    FAKE_PROBLEM,
    FAKE_OUT,
    FAKE_POST,
    FAKE_EDIT,
    FAKE_REMOVE,
    FAKE_SENT,
    FAKE_UP,
    FAKE_DOWN,
    FAKE_LIMITS,
    FAKE_SEAL, /* address, number: 1 sealed */
    FAKE_SPEND, /* network */
    FAKE_HTTP,
    FAKE_HTTP_CANCEL,
    FAKE_STREAM_OPEN,
    FAKE_STREAM_WRITE,
    FAKE_STREAM_CLOSE,
    FAKE_TERMINAL,
    FAKE_QUIT,
    FAKE_PART, /* of fake_render() */
    FAKE_ASK,  /* what a tool asks: text, flags */
    FAKE_PAGE, /* page(): address is the path, number the code, key the type, name the file, text the bytes;
                  flags 1: a download; time_ms: keep_ms */
};

enum { FAKE_ROOMS_MAX = 32 };

struct fake_record { /* members that a kind doesn't have are 0, "" */
    enum fake_kind kind;
    uint64_t message; /* SAY, POST: its new id; RELAY, RELEASE, HIDE, EDIT, REMOVE: which */
    uint64_t rooms[FAKE_ROOMS_MAX];
    size_t room_count;
    uint64_t room;       /* the first of them */
    const char *address; /* POST, UP, DOWN: the room as given, "" for the whole network */
    const char *text;    /* words; LOG, PROBLEM, DOWN: the sentence; HTTP: body; STREAM_WRITE, PART: bytes */
    size_t len;          /* bytes of text */
    const char *lead, *lead_url;
    const char *key; /* SAY, POST; EDIT, REMOVE, SENT: id at the service */
    const char *revision;
    const char *author_id, *account, *name, *handle; /* POST; EDIT: author_id */
    int power;
    const char *url;              /* POST: permalink; HTTP: address; STREAM_OPEN: host */
    const char *method, *headers; /* HTTP; headers as "Name: value\n" */
    const char *reply_to, *reply_name, *reply_text, *media_url;
    const struct hr_link *links;
    size_t link_count;
    enum hr_priority priority;
    enum hr_level level; /* LOG */
    int64_t time_ms, expires_ms, retry_ms;
    uint32_t flags;
    uint64_t part;              /* SENT */
    int status;                 /* SENT */
    int number;                 /* SPEND: tokens; STREAM_OPEN: port */
    struct hr_chat chat;        /* CHAT_SET; its texts live as long as the fake */
    struct hr_limits limits;    /* LIMITS */
    struct hr_request *request; /* HTTP */
    struct hr_stream *stream;   /* STREAM_* */
};

size_t fake_count(const struct fake *fake, enum fake_kind kind);
const struct fake_record *fake_nth(const struct fake *fake, enum fake_kind kind, size_t nth); /* from 0; or NULL */
const struct fake_record *fake_last(const struct fake *fake, enum fake_kind kind);            /* or NULL */
/* The record whose text contains `piece`; kind 0: any. NULL if there is none. */
const struct fake_record *fake_with(const struct fake *fake, enum fake_kind kind, const char *piece);
void fake_forget(struct fake *fake); /* empties the list; records stay where they are until then */

/* ---- a plugin's life ---------------------------------------------------------- */

struct fake *fake_new(const struct hr_plugin *plugin);
void fake_free(struct fake *fake);                        /* stops it first; NULL is fine */
void fake_instance(struct fake *fake, const char *title); /* before fake_start() */
/* A value as written in a configuration file ("30s", "yes", "a, b" for a list);
 * a SECRET gets its content. Before fake_start(). */
void fake_option(struct fake *fake, const char *name, const char *value);
int fake_check(struct fake *fake); /* how many problems check() found: records FAKE_PROBLEM */
int fake_start(struct fake *fake); /* new schema steps, then start() */
void fake_stop(struct fake *fake); /* stop() and sweep; the database stays: fake_start() is a restart */
struct hr_bot *fake_bot(struct fake *fake);
const struct hr_api *fake_api(struct fake *fake);
void *fake_state(struct fake *fake);
int fake_report(struct fake *fake); /* records FAKE_OUT, returns how many */
/* A tool of the operator with its words; FAKE_OUT, FAKE_ASK. HR_ENOTFOUND: not in the table. */
int fake_tool(struct fake *fake, const char *name, int argc, const char *const *argv);
int fake_export(struct fake *fake, const char *name, const char *chat, const char *format); /* FAKE_OUT */

/* Pages are switched on: serve_url() says "https://pages.example.org/INSTANCE/". Before fake_start(). */
void fake_pages(struct fake *fake);
int fake_visit(struct fake *fake, const char *path); /* somebody opens it; FAKE_PAGE. HR_ENOTFOUND: nothing served */

/* ---- the world --------------------------------------------------------------- */

uint64_t fake_room(struct fake *fake, const char *network, const char *address, const char *service, const char *chat,
                   uint32_t flags); /* returns its id; chat may be "" */
void fake_room_flags(struct fake *fake, uint64_t room, uint32_t flags);
void fake_route(struct fake *fake, uint64_t from, uint64_t to); /* without any: all rooms of the chat to one another,
                                                                   none to social ones */
void fake_chat(struct fake *fake, const char *name, const char *tag);
/* The record as the `session` plugin would set it; tells EV_CHAT. */
void fake_chat_record(struct fake *fake, const struct hr_chat *record);
const struct hr_chat *fake_chat_now(struct fake *fake, const char *name); /* or NULL */
void fake_hosts(struct fake *fake, const char *names);                    /* what hosts() says */
void fake_allow(struct fake *fake, bool (*may)(const char *permission));  /* NULL: everything is allowed */
void fake_account(struct fake *fake, const char *account);                /* account_known() from now on */
void fake_trial(struct fake *fake); /* trial() says yes; before fake_start() */
void fake_private_limit(struct fake *fake, int rooms); /* allow_private() so many times; at first 100 */
/* Someone says something: logged, not told. author.name "Ben" gives id and handle "ben" where they are NULL. */
uint64_t fake_message(struct fake *fake, uint64_t room, const struct hr_person *author, const char *text,
                      uint32_t flags);
struct hr_message *fake_message_at(struct fake *fake, uint64_t message);     /* to fill in url, links, ...; or NULL */
int fake_tell(struct fake *fake, enum hr_event_kind kind, uint64_t message); /* event() about a logged message */
uint64_t fake_hear(struct fake *fake, uint64_t room, const char *name, const char *text); /* logged and told */
/* A network goes up or down: EV_NETWORK, and what networks() shows from now on. */
int fake_network(struct fake *fake, const char *network, bool up, const char *reason);
void fake_other_report(struct fake *fake, const char *who, const char *text); /* what reports() shows besides */
enum hr_verdict fake_judge(struct fake *fake, uint64_t message);
/* A command line of somebody called Asha, permission granted. HR_ENOTFOUND: not in the table. */
int fake_command(struct fake *fake, uint64_t room, const char *line);
int fake_command_by(struct fake *fake, uint64_t room, const char *name, const char *line);

int64_t fake_now_ms(const struct fake *fake);           /* chat clock */
void fake_pass(struct fake *fake, int64_t ms);          /* both clocks; timers run at their instants, in order */
void fake_chat_clock(struct fake *fake, int64_t at_ms); /* the chat clock alone, forward */
size_t fake_timers(const struct fake *fake);            /* how many wait */
int64_t fake_next_timer_ms(const struct fake *fake);    /* on its own clock; -1: none */

size_t fake_works(const struct fake *fake); /* computations of work() that wait */
size_t fake_work(struct fake *fake);        /* runs them, in order, with those they start; how many */
void fake_key(struct fake *fake, int number);               /* another store key: derive() gives other bytes */
void fake_store_id(struct fake *fake, const char *id);      /* as if an older copy of the database had been put back */

/* Runs SQL of the test in the plugin's database, without the plugin's limits. */
int fake_sql(struct fake *fake, const char *sql);
int64_t fake_number(struct fake *fake, const char *sql); /* first column of the first row, -1 if there is none */

/* ---- for plugins that speak to a network ----------------------------------------- */

/* Several as one part, for a network with HR_NET_MERGE. */
size_t fake_render_all(struct fake *fake, const struct hr_delivery *const *deliveries, size_t count);
size_t fake_render(struct fake *fake, const struct hr_delivery *delivery);      /* FAKE_PART; how many. Refused: 0 and
                                                                                   a FAKE_PROBLEM with the reason */
int fake_send(struct fake *fake, uint64_t id, uint64_t room, const char *body); /* first attempt, act SAY */
int fake_send_part(struct fake *fake, const struct hr_part *part);

/* Replies to a request that waits (record->request). */
void fake_reply(struct fake *fake, struct hr_request *request, int code, const char *body);
void fake_reply_full(struct fake *fake, struct hr_request *request, const struct hr_reply *reply);
/* A streamed one: opened() at first, then data(); end it with fake_reply_full(). Returns what data() said. */
int fake_reply_piece(struct fake *fake, struct hr_request *request, const char *bytes, size_t len);
struct hr_request *fake_request(struct fake *fake, const char *piece); /* the oldest that waits, its method and
                                                                          url ("GET https://...") contain it; or NULL */
struct hr_stream *fake_stream(struct fake *fake);                      /* the newest that is open, or NULL */
void fake_stream_opened(struct fake *fake, struct hr_stream *stream, const char *how);
void fake_stream_data(struct fake *fake, struct hr_stream *stream, const char *bytes, size_t len);
void fake_stream_closed(struct fake *fake, struct hr_stream *stream, int status, const char *reason);
void fake_type(struct fake *fake, const char *line); /* the person at the terminal; NULL: end of input */

#endif
