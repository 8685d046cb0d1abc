/* SPDX-License-Identifier: MIT */
/* Reads X while a session's window is open, and only then. */
#include "watch.h"
#include "account.h"
#include "backoff.h"
#include "budget.h"
#include "deletions.h"
#include "inbox.h"
#include "mem.h"
#include "rules.h"
#include "search.h"
#include "stream.h"
#include "writer.h"

enum { TAGS_MAX = 50 };

struct tag {
    char *address, *chat;
    int64_t from_ms, to_ms; /* window of the chat's session, 0: none */
    bool open;
    struct search *search;
};

struct watch {
    struct twitter *twitter;
    struct client *client;
    struct tag tag[TAGS_MAX];
    size_t count;
    const char *open_tag[TAGS_MAX]; /* addresses of the open ones */
    size_t open_count;
    struct rules *rules;
    struct stream *stream;
    struct hr_timer *timer;       /* chat clock: next opening or closing, or midnight after a budget stop */
    struct hr_timer *rules_timer; /* network clock */
    struct backoff backoff;       /* of the rules */
    bool broke;                   /* the budget has stopped reading */
};

static void update(struct watch *watch);

/* ---- the stream of posts -------------------------------------------------------------- */

static void tell_searches(struct watch *watch, bool connected)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->tag[i].open) {
            search_connected(watch->tag[i].search, connected);
        }
    }
}

static void on_opened(void *arg)
{
    struct watch *watch = arg;
    account_worked(watch->twitter->account, ACCOUNT_READ);
    tell_searches(watch, true);
}

static void on_dropped(void *arg)
{
    tell_searches(arg, false);
}

static void on_line(void *arg, const json_t *line)
{
    struct watch *watch = arg;
    const json_t *data = json_object_get(line, "data");
    const char *id = json_string_value(json_object_get(data, "id"));
    inbox_count(watch->twitter, line);
    (void)inbox_take(watch->twitter, data, json_object_get(line, "includes"), watch->open_tag, watch->open_count);
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->tag[i].open && id != NULL) {
            search_saw(watch->tag[i].search, id);
        }
    }
    if (!watch->broke && budget_stop(watch->twitter->budget) != NULL) {
        update(watch);
    }
}

static void set_rules(struct watch *watch)
{
    watch->twitter->api->timer_stop(watch->rules_timer);
    watch->rules_timer = NULL;
    if (rules_set(watch->rules, watch->open_tag, watch->open_count) != HR_OK) {
        watch->twitter->api->log(watch->twitter->bot, HR_ERROR,
                                 "the stream's rules can't be asked for: posts come by search alone");
    }
}

static bool on_no_rules(void *arg)
{
    set_rules(arg);
    return true;
}

static bool on_refused(void *arg, const struct problem *problem)
{
    struct watch *watch = arg;
    return account_refused(watch->twitter->account, ACCOUNT_READ, problem);
}

static void on_given_up(void *arg, const char *words)
{
    struct watch *watch = arg;
    (void)words;
    tell_searches(watch, false);
}

static const struct stream_calls calls = {
    .opened = on_opened,
    .dropped = on_dropped,
    .line = on_line,
    .no_rules = on_no_rules,
    .refused = on_refused,
    .given_up = on_given_up,
};

static void on_rules_due(void *arg)
{
    struct watch *watch = arg;
    watch->rules_timer = NULL;
    set_rules(watch);
}

static void on_rules(void *arg, int status, const struct problem *problem, int64_t reset_ms)
{
    struct watch *watch = arg;
    struct twitter *twitter = watch->twitter;
    if (status == HR_OK) {
        watch->backoff = (struct backoff){0};
        stream_start(watch->stream);
        return;
    }
    if (account_refused(twitter->account, ACCOUNT_READ, problem)) {
        return;
    }
    bool again = status == HR_ERETRY || problem->kind == PROBLEM_AUTH; /* the one 401 */
    twitter->api->log(twitter->bot, HR_ERROR, "the stream's rules could not be set: %s (%d %s: %s); %s",
                      problem_words(problem), problem->code, problem->title, problem->detail,
                      again ? "tried again shortly" : "not tried again before the next session");
    if (again) {
        enum backoff_why why = problem->kind == PROBLEM_RATE ? BACKOFF_RATE : BACKOFF_HTTP;
        (void)twitter->api->timer_in(twitter->bot, backoff_next_ms(&watch->backoff, why, reset_ms), 0, on_rules_due,
                                     watch, &watch->rules_timer);
    }
}

/* ---- opening and closing --------------------------------------------------------------- */

static void on_time(void *arg)
{
    struct watch *watch = arg;
    watch->timer = NULL;
    update(watch);
}

static void set_timer(struct watch *watch, int64_t now_ms)
{
    const struct hr_api *api = watch->twitter->api;
    static const int64_t day_ms = 24LL * 3600 * 1000;
    int64_t next = watch->broke ? (now_ms / day_ms + 1) * day_ms : INT64_MAX;
    for (size_t i = 0; i < watch->count; i++) {
        const struct tag *tag = &watch->tag[i];
        int64_t at = now_ms < tag->from_ms ? tag->from_ms : now_ms < tag->to_ms ? tag->to_ms : INT64_MAX;
        next = at < next ? at : next;
    }
    api->timer_stop(watch->timer);
    watch->timer = NULL;
    if (next != INT64_MAX && api->timer_at(watch->twitter->bot, next, on_time, watch, &watch->timer) != HR_OK) {
        api->log(watch->twitter->bot, HR_ERROR, "no timer for the session's window: Twitter is not read");
    }
}

static void tag_update(struct watch *watch, struct tag *tag, int64_t now_ms)
{
    bool may = !watch->broke && account_lets(watch->twitter->account, ACCOUNT_READ);
    bool open = tag->from_ms <= now_ms && now_ms < tag->to_ms && may;
    if (open) {
        search_open(tag->search, tag->from_ms, tag->to_ms);
    } else if (tag->open && !may) {
        search_stop(tag->search);
    } else if (tag->to_ms != 0 && tag->to_ms <= now_ms && now_ms < tag->to_ms + SEARCH_LAST_MS && may &&
               search_closed_ms(tag->search) < tag->to_ms) {
        search_close(tag->search, tag->from_ms, tag->to_ms);
    }
    tag->open = open;
    if (open) {
        watch->open_tag[watch->open_count++] = tag->address;
    }
}

static void open_up(struct watch *watch)
{
    struct twitter *twitter = watch->twitter;
    twitter->api->log(twitter->bot, HR_INFO, "reading Twitter now: %zu hashtag%s", watch->open_count,
                      watch->open_count == 1 ? "" : "s");
    writer_prepare(twitter->writer);
    deletions_open(twitter->deletions, true);
    set_rules(watch);
}

static void shut(struct watch *watch)
{
    struct twitter *twitter = watch->twitter;
    twitter->api->log(twitter->bot, HR_INFO, "no longer reading Twitter");
    rules_cancel(watch->rules);
    twitter->api->timer_stop(watch->rules_timer);
    watch->rules_timer = NULL;
    stream_stop(watch->stream);
    deletions_open(twitter->deletions, false);
}

static void check_budget(struct watch *watch)
{
    struct twitter *twitter = watch->twitter;
    const char *stop = budget_stop(twitter->budget);
    if (stop != NULL && !watch->broke) {
        twitter->api->log(twitter->bot, HR_ERROR, "reading Twitter stops: %s", stop);
    }
    watch->broke = stop != NULL;
}

static void update(struct watch *watch)
{
    const char *before[TAGS_MAX];
    size_t before_count = watch->open_count;
    int64_t now_ms = watch->twitter->api->now_ms(watch->twitter->bot);
    memcpy(before, watch->open_tag, sizeof(before));
    check_budget(watch);
    watch->open_count = 0;
    for (size_t i = 0; i < watch->count; i++) {
        tag_update(watch, &watch->tag[i], now_ms);
    }
    bool same =
        before_count == watch->open_count && memcmp(before, watch->open_tag, before_count * sizeof(*before)) == 0;
    if (!same && watch->open_count > 0) {
        if (before_count == 0) {
            open_up(watch);
        } else {
            set_rules(watch);
        }
        if (stream_is_open(watch->stream)) {
            tell_searches(watch, true);
        }
    } else if (!same) {
        shut(watch);
    }
    set_timer(watch, now_ms);
}

void watch_account(struct watch *watch)
{
    update(watch);
}

void watch_chat(struct watch *watch, const struct hr_chat *chat)
{
    int64_t now_ms = watch->twitter->api->now_ms(watch->twitter->bot);
    for (size_t i = 0; i < watch->count; i++) {
        struct tag *tag = &watch->tag[i];
        if (strcmp(tag->chat, chat->name) != 0) {
            continue;
        }
        if (tag->open && (chat->read_to_ms <= now_ms || chat->read_from_ms > now_ms)) {
            tag->to_ms = now_ms; /* over sooner than planned: the last search is of what was */
        } else {
            tag->from_ms = chat->read_from_ms;
            tag->to_ms = chat->read_to_ms;
        }
    }
    update(watch);
}

/* ---- public ------------------------------------------------------------------------------ */

static int add_tag(void *arg, const struct hr_room *room)
{
    struct watch *watch = arg;
    if (watch->count == TAGS_MAX) {
        watch->twitter->api->log(watch->twitter->bot, HR_WARN, "%s is one hashtag too many: it is not read",
                                 room->address);
        return HR_OK;
    }
    watch->tag[watch->count++] = (struct tag){
        .address = mem_dup(room->address),
        .chat = mem_dup(room->chat),
        .search = search_new(watch->twitter, watch->client, room->address),
    };
    return HR_OK;
}

static int add_chat(void *arg, const struct hr_chat *chat)
{
    watch_chat(arg, chat);
    return HR_OK;
}

struct watch *watch_new(struct twitter *twitter, struct client *client)
{
    struct watch *watch = mem_calloc(1, sizeof(*watch));
    *watch = (struct watch){.twitter = twitter, .client = client};
    watch->rules = rules_new(twitter, client, on_rules, watch);
    watch->stream = stream_new(twitter, client, "posts on Twitter", "/2/tweets/search/stream", &calls, watch);
    (void)twitter->api->net->rooms(twitter->bot, add_tag, watch);
    (void)twitter->api->chats(twitter->bot, add_chat, watch);
    for (size_t i = 0; i < watch->count; i++) {
        if (!watch->tag[i].open) {
            search_resume(watch->tag[i].search);
        }
    }
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL) {
        return;
    }
    watch->twitter->api->timer_stop(watch->timer);
    watch->twitter->api->timer_stop(watch->rules_timer);
    for (size_t i = 0; i < watch->count; i++) {
        search_free(watch->tag[i].search);
        free(watch->tag[i].address);
        free(watch->tag[i].chat);
    }
    stream_free(watch->stream);
    rules_free(watch->rules);
    free(watch);
}

void watch_report(struct watch *watch, struct hr_out *out)
{
    const struct hr_api *api = watch->twitter->api;
    if (!account_lets(watch->twitter->account, ACCOUNT_READ)) {
        return; /* the account says it */
    }
    if (watch->open_count == 0) {
        api->out(out, "Posts on Twitter are read around each session. None is on now.\n");
        return;
    }
    api->out(out, "Posts on Twitter: %s.\n", stream_words(watch->stream));
}
