/* SPDX-License-Identifier: MIT */
/* The fake host's own state, shared by its source files. Tests use fake_host.h alone. */
#ifndef HASHROOM_FAKE_INSIDE_H
#define HASHROOM_FAKE_INSIDE_H

#include "fake_host.h"
#include <sqlite3.h>
#include <stdarg.h>

struct hr_bot {
    struct fake *fake;
};

struct hr_out {
    struct fake *fake;
    bool may_ask;
};

struct hr_timer {
    struct fake *fake;
    struct hr_timer *next;
    bool chat; /* at_ms is on the chat clock, else on the network clock */
    bool gone; /* stopped while it ran: freed afterwards */
    bool running;
    int64_t at_ms, repeat_ms;
    uint64_t order; /* of two at one instant the older runs first */
    hr_timer_fn *fn;
    void *arg;
};

struct hr_request {
    struct fake *fake;
    struct hr_request *next;
    char *line;          /* "GET https://..." */
    struct hr_http http; /* only the callbacks are used */
    bool opened;
    hr_http_fn *fn;
    void *arg;
};

struct hr_stream {
    struct fake *fake;
    struct hr_stream *next;
    struct hr_stream_calls calls;
    void *arg;
    bool closed; /* kept until the fake goes, so that late writes are seen */
};

struct fake_piece { /* one allocation of a list that is freed as a whole */
    struct fake_piece *next;
    _Alignas(max_align_t) char bytes[];
};

struct fake_entry {
    struct fake_record record;
    struct fake_piece *memory;
};

struct fake_work {
    hr_work_fn *work, *done, *drop;
    void *arg;
    int depth; /* of the callback that asked, while it may still be undone; 0: committed */
};

struct fake_log_row {
    struct hr_message message;
    char *key, *revision, *remote;
};

struct fake_network_state {
    struct hr_network_state state;
    int64_t since_ms, trouble_ms;
};

struct fake_setting {
    const struct hr_option *option;
    char *text; /* NULL: the preset */
    struct hr_value value;
};

struct fake {
    const struct hr_plugin *plugin;
    struct hr_bot bot;
    struct hr_out out;
    struct hr_api api;
    struct hr_network_api net;
    char *instance;
    void *state;
    bool started;
    int depth;                  /* of callbacks; print() and words() live until it is 0 again */
    struct fake_piece *scratch; /* print(), words() */
    struct fake_piece *kept;    /* lives as long as the fake */
    struct fake_setting *settings;
    size_t setting_count;
    struct fake_entry **entries;
    size_t entry_count;
    struct hr_room **rooms;
    size_t room_count;
    struct hr_chat **chats;
    size_t chat_count;
    uint64_t (*routes)[2];
    size_t route_count;
    struct fake_log_row **log;
    size_t log_count;
    char **said; /* keys of say() */
    size_t said_count;
    char **accounts;
    size_t account_count;
    char *hosts;
    struct fake_network_state *networks;
    size_t network_count;
    const char *(*reports)[2]; /* who, text */
    size_t report_count;
    bool (*may)(const char *permission);
    int private_left;
    bool trial;
    int64_t chat_ms, mono_ms;
    struct hr_timer *timers;
    uint64_t timer_order;
    struct fake_work *works; /* oldest first */
    size_t work_count;
    bool pages;
    hr_page_fn *page_fn;
    void *page_arg;
    int key;
    char *store_id;
    struct hr_request *requests;
    struct hr_stream *streams;
    void (*line)(void *arg, const char *text);
    void *line_arg;
    sqlite3 *db;
    int schema_done;
    bool guarded; /* plugin's own SQL: other tables are read-only */
};

_Noreturn void fake_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *fake_alloc(struct fake_piece **list, size_t size);     /* zeroed */
char *fake_copy(struct fake_piece **list, const char *text); /* NULL gives "" */
char *fake_copy_bytes(struct fake_piece **list, const char *text, size_t len);
void fake_drop_list(struct fake_piece **list);
void *fake_grow(void *array, size_t count, size_t size); /* room for one more, zeroed */
#define FAKE_PUSH(array, count) ((array) = fake_grow((array), (count), sizeof *(array)), &(array)[(count)++])

/* A new record; its texts go into the list it returns through `memory`. */
struct fake_record *fake_record_add(struct fake *fake, enum fake_kind kind, struct fake_piece ***memory);
void fake_enter(struct fake *fake);                         /* around each call into the plugin */
int fake_leave(struct fake *fake, size_t mark, int status); /* mark: entry_count before */
struct fake_log_row *fake_log_find(struct fake *fake, uint64_t message);
struct fake_log_row *fake_log_add(struct fake *fake);
struct fake_log_row *fake_log_remote(struct fake *fake, const char *remote);
struct hr_room *fake_room_find(struct fake *fake, const char *address);
void fake_fill_api(struct fake *fake);                                  /* fake_api.c */
void fake_fill_network(struct fake *fake);                              /* fake_net.c */
const struct hr_value *fake_value(struct fake *fake, const char *name); /* fake_option.c */
void fake_settings_init(struct fake *fake);
void fake_settings_clear(struct fake *fake);
const char *fake_words(struct fake *fake, const char *id, va_list ap); /* fake_option.c */
int fake_timer_add(struct fake *fake, bool chat, int64_t at_ms, int64_t repeat_ms, hr_timer_fn *fn, void *arg,
                   struct hr_timer **out); /* fake_time.c */
void fake_timer_stop(struct hr_timer *timer);
void fake_timers_clear(struct fake *fake);
int fake_work_add(struct fake *fake, hr_work_fn *work, hr_work_fn *done, hr_work_fn *drop, void *arg); /* fake_work.c */
void fake_works_leave(struct fake *fake, bool keep); /* at the end of each callback */
void fake_works_clear(struct fake *fake);
int fake_derive(struct fake *fake, const char *purpose, void *out, size_t len);
void fake_fill_pages(struct fake *fake); /* fake_page.c */
void fake_db_open(struct fake *fake); /* fake_sql.c */
int fake_db_schema(struct fake *fake);
int fake_db_run(struct fake *fake, const char *sql, const struct hr_value *args, size_t count, hr_row_fn *row,
                void *arg);
void fake_net_clear(struct fake *fake);

#endif
