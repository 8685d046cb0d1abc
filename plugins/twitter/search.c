/* SPDX-License-Identifier: MIT */
/* Recent search for one tag: fills what the stream missed. */
#include "search.h"
#include "account.h"
#include "again.h"
#include "backoff.h"
#include "budget.h"
#include "inbox.h"
#include "mem.h"
#include "search_page.h"
#include "search_row.h"
#include "snowflake.h"
#include <inttypes.h>

enum { PAGES_MAX = 20, PAGE_POSTS = 100, PAGE_POSTS_MIN = 10, TOKEN_MAX_BYTES = 4096 };
static const int64_t OVERLAP_MS = 120 * 1000, SETTLE_MS = 45 * 1000, SPACING_MS = 15 * 1000, MINUTE_MS = 60 * 1000,
                     LATE_INDEX_MS = 4 * 60 * 1000, FLOOR_MS = (6LL * 24 * 60 + 23 * 60 + 50) * MINUTE_MS;

struct search {
    struct twitter *twitter;
    struct client *client;
    char *tag;
    struct search_row row;
    int64_t from_ms, to_ms; /* to_ms: the window has closed, last search */
    int64_t gap_ms;         /* earliest start of a search in this window, for the last one */
    int64_t hole_ms; /* where the stream's last gap began, to look once more at what the index had late; 0: none */
    int64_t hole_due_ms;
    bool active, connected, filled;
    int64_t last_ms, again_ms; /* last start; one more wanted then */
    struct hr_timer *timer;    /* chat clock: next search */
    struct hr_timer *retry;    /* network clock: same page again */
    struct hr_request *request;
    struct backoff backoff;
    struct search_pages pages; /* of the walk under way */
    char since[SNOWFLAKE_SIZE], start_time[32], end_time[32];
    char *next;        /* token of the next page, or NULL */
    bool whole_window; /* X called our since_id too old */
};

void search_since(const char *cursor, int64_t from_ms, int64_t now_ms, char id[24], int64_t *start_ms)
{
    int64_t since = cursor[0] != '\0' ? snowflake_ms(cursor) - OVERLAP_MS : 0, floor = now_ms - FLOOR_MS;
    id[0] = '\0';
    if (since > from_ms && since > floor) {
        snowflake_at(since, id);
    } else {
        *start_ms = from_ms > floor ? from_ms : floor;
    }
}

/* ---- what outlives a restart ----------------------------------------------------------- */

static void save(struct search *search)
{
    search_row_save(&search->row, search->twitter, search->tag);
}

static void note_window(struct search *search, int64_t from_ms, int64_t to_ms)
{
    if (search->row.open_from_ms != from_ms || search->row.open_to_ms != to_ms) {
        search->row.open_from_ms = from_ms;
        search->row.open_to_ms = to_ms;
        save(search);
    }
}

static void advance(struct search *search, const char *id)
{
    if (search->row.cursor[0] == '\0' || snowflake_compare(id, search->row.cursor) > 0) {
        snprintf(search->row.cursor, sizeof(search->row.cursor), "%s", id);
    }
}

/* ---- when ------------------------------------------------------------------------------ */

static int64_t now(struct search *search)
{
    return search->twitter->api->now_ms(search->twitter->bot);
}

static void on_due(void *arg);

static void run_at(struct search *search, int64_t at_ms)
{
    const struct hr_api *api = search->twitter->api;
    int64_t earliest = search->last_ms + SPACING_MS;
    api->timer_stop(search->timer);
    search->timer = NULL;
    if (api->timer_at(search->twitter->bot, at_ms > earliest ? at_ms : earliest, on_due, search, &search->timer) !=
        HR_OK) {
        api->log(search->twitter->bot, HR_ERROR, "no timer for the search of %s: what the stream misses stays missed",
                 search->tag);
    }
}

static void walk_end(struct search *search)
{
    search_pages_clear(&search->pages);
    mem_clear(&search->next);
    search->whole_window = false;
    if (!search->active) {
        return;
    }
    if (search->again_ms != 0) {
        run_at(search, search->again_ms);
        search->again_ms = 0;
    } else if (search->to_ms == 0 && !search->connected) {
        run_at(search, now(search) + MINUTE_MS);
    } else if (search->to_ms == 0 && search->hole_ms != 0) {
        run_at(search, search->hole_due_ms);
    }
}

/* ---- one page ---------------------------------------------------------------------------- */

static void ask(struct search *search);

static void on_retry(void *arg)
{
    struct search *search = arg;
    search->retry = NULL;
    ask(search);
}

static void retry_in(struct search *search, int64_t wait_ms)
{
    if (search->twitter->api->timer_in(search->twitter->bot, wait_ms, 0, on_retry, search, &search->retry) != HR_OK) {
        walk_end(search);
    }
}

static void start_walk(struct search *search);

static void failed(struct search *search, const struct problem *problem, int64_t reset_ms)
{
    struct twitter *twitter = search->twitter;
    int64_t wait_ms;
    switch (problem->kind) {
    case PROBLEM_RATE:
    case PROBLEM_SERVER:
        wait_ms =
            backoff_next_ms(&search->backoff, problem->kind == PROBLEM_RATE ? BACKOFF_RATE : BACKOFF_HTTP, reset_ms);
        if (problem->kind == PROBLEM_SERVER && wait_ms > MINUTE_MS) {
            wait_ms = MINUTE_MS; /* one request of 450 in 15 minutes, and people wait for what it finds */
        }
        twitter->api->log(twitter->bot, HR_WARN, "search for %s: %s (%d %s): again in %" PRId64 " s", search->tag,
                          problem_words(problem), problem->code, problem->detail, wait_ms / 1000);
        retry_in(search, wait_ms);
        return;
    case PROBLEM_PARAMETER:
        if (client_switch_dialect(search->client)) {
            start_walk(search);
            return;
        }
        break;
    case PROBLEM_SINCE:
        if (!search->whole_window) {
            twitter->api->log(
                twitter->bot, HR_INFO,
                "search for %s: our last post is older than the 7 days Twitter searches: reading from the "
                "start of the chat instead",
                search->tag);
            search->whole_window = true;
            start_walk(search);
            return;
        }
        break;
    case PROBLEM_AUTH:
    case PROBLEM_MONEY:
    case PROBLEM_CAP:
        if (account_refused(twitter->account, ACCOUNT_READ, problem)) {
            search_stop(search); /* the watch begins again when the account is let in */
        } else {
            retry_in(search, backoff_next_ms(&search->backoff, BACKOFF_HTTP, 0));
        }
        return;
    default: break;
    }
    twitter->api->log(twitter->bot, HR_ERROR, "search for %s: %s (%d %s: %s): posts the stream missed stay missing",
                      search->tag, problem_words(problem), problem->code, problem->title, problem->detail);
    walk_end(search);
}

static void deliver(struct search *search)
{
    struct twitter *twitter = search->twitter;
    const char *tag[] = {search->tag};
    size_t fresh = 0;
    search_pages_sort(&search->pages);
    for (size_t i = 0; i < search->pages.count; i++) {
        const struct search_item *item = &search->pages.item[i];
        fresh += inbox_take(twitter, item->data, item->includes, tag, 1) == HR_OK;
        advance(search, item->id);
    }
    search->filled = search->connected && search->again_ms == 0;
    if (search->to_ms != 0) {
        search->row.closed_ms = search->to_ms;
        search->active = false;
        again_begin(search->twitter->again, search->tag, search->from_ms);
    }
    save(search);
    twitter->api->log(twitter->bot, HR_INFO, "search for %s: %zu posts, %zu of them new", search->tag,
                      search->pages.count, fresh);
    if (search->next != NULL) {
        twitter->api->log(twitter->bot, HR_WARN, "search for %s: older posts were left unread: %s", search->tag,
                          search->pages.pages == PAGES_MAX ? "there are more than 2,000" : "the budget is used up");
    }
    search->backoff = (struct backoff){0};
    walk_end(search);
}

static void on_page(void *arg, const struct hr_reply *reply)
{
    struct search *search = arg;
    search->request = NULL;
    struct problem problem = client_problem(reply);
    if (problem.kind != PROBLEM_NONE) {
        failed(search, &problem, client_reset_ms(search->client, reply));
        return;
    }
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    if (root == NULL) {
        problem = (struct problem){.kind = PROBLEM_SERVER, .code = reply->code, .detail = "the answer is not JSON"};
        failed(search, &problem, 0);
        return;
    }
    const char *next = json_string_value(json_object_get(json_object_get(root, "meta"), "next_token"));
    mem_clear(&search->next);
    search->next = next != NULL && next[0] != '\0' && strlen(next) <= TOKEN_MAX_BYTES ? mem_dup(next) : NULL;
    inbox_count(search->twitter, root);
    search_pages_add(&search->pages, root);
    json_decref(root);
    account_worked(search->twitter->account, ACCOUNT_READ);
    bool more = search->next != NULL && search->pages.pages < PAGES_MAX && budget_stop(search->twitter->budget) == NULL;
    if (more) {
        ask(search);
    } else {
        deliver(search);
    }
}

static void ask(struct search *search)
{
    char query[600], size[8];
    int64_t left = budget_posts_left(search->twitter->budget);
    snprintf(query, sizeof(query), "%s -is:retweet", search->tag);
    snprintf(size, sizeof(size), "%d",
             left >= PAGE_POSTS      ? PAGE_POSTS
             : left > PAGE_POSTS_MIN ? (int)left
                                     : PAGE_POSTS_MIN);
    struct client_call call = {.method = "GET", .path = "/2/tweets/search/recent"};
    client_param(&call, "query", query);
    client_param(&call, "max_results", search->pages.pages == 0 ? size : search->pages.size);
    client_param(&call, "sort_order", "recency");
    if (search->since[0] != '\0') {
        client_param(&call, "since_id", search->since);
    } else {
        client_param(&call, "start_time", search->start_time);
    }
    if (search->end_time[0] != '\0') {
        client_param(&call, "end_time", search->end_time);
    }
    if (search->next != NULL) {
        client_param(&call, "next_token", search->next);
    }
    if (search->pages.pages == 0) {
        snprintf(search->pages.size, sizeof(search->pages.size), "%s", size);
    }
    client_fields(&call, client_dialect(search->client), false);
    if (client_start(search->client, &call, on_page, search, &search->request) != HR_OK) {
        retry_in(search, MINUTE_MS);
    }
}

static void print_time(char out[32], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
}

/* What was seen already is read again from here, for the index may have had more to come; 0: no need. */
static int64_t look_back(struct search *search, int64_t at_ms)
{
    int64_t from_ms = 0;
    if (search->to_ms != 0) {
        from_ms = search->gap_ms;
    } else if (search->hole_ms != 0 && at_ms >= search->hole_due_ms) {
        from_ms = search->hole_ms;
        search->hole_ms = 0;
    }
    return from_ms;
}

static void start_walk(struct search *search)
{
    int64_t start_ms = 0, at = now(search);
    const char *cursor = search->whole_window ? "" : search->row.cursor;
    char gap[SNOWFLAKE_SIZE] = "";
    search_pages_clear(&search->pages);
    mem_clear(&search->next);
    search->start_time[0] = search->end_time[0] = '\0';
    int64_t back_ms = look_back(search, at);
    if (back_ms != 0) {
        snowflake_at(back_ms + OVERLAP_MS, gap);
        cursor = cursor[0] != '\0' && snowflake_compare(gap, cursor) < 0 ? gap : cursor;
    }
    search_since(cursor, search->from_ms, at, search->since, &start_ms);
    int64_t begins_ms = search->since[0] != '\0' ? snowflake_ms(search->since) : start_ms;
    if (search->to_ms != 0) {
        print_time(search->end_time, search->to_ms);
    }
    if (search->since[0] == '\0') {
        print_time(search->start_time, start_ms);
        if (start_ms > search->from_ms) {
            search->twitter->api->log(
                search->twitter->bot, HR_WARN,
                "search for %s: posts before %s can't be read any more: Twitter only searches the "
                "last 7 days",
                search->tag, search->start_time);
        }
    }
    if (search->gap_ms == 0 || begins_ms < search->gap_ms) {
        search->gap_ms = begins_ms;
    }
    if (begins_ms >= (search->to_ms != 0 ? search->to_ms : at - SETTLE_MS)) {
        run_at(search, at + MINUTE_MS); /* nothing is searchable yet: X hides the last 30 s */
        return;
    }
    ask(search);
}

static void on_due(void *arg)
{
    struct search *search = arg;
    search->timer = NULL;
    if (search->request != NULL || search->retry != NULL) {
        search->again_ms = now(search) + SPACING_MS;
        return;
    }
    search->last_ms = now(search);
    if (budget_stop(search->twitter->budget) != NULL) {
        walk_end(search);
        return;
    }
    start_walk(search);
}

/* ---- public ------------------------------------------------------------------------------- */

struct search *search_new(struct twitter *twitter, struct client *client, const char *tag)
{
    struct search *search = mem_calloc(1, sizeof(*search));
    *search = (struct search){.twitter = twitter, .client = client, .tag = mem_dup(tag)};
    search_row_load(&search->row, twitter, tag);
    return search;
}

void search_stop(struct search *search)
{
    const struct hr_api *api = search->twitter->api;
    api->timer_stop(search->timer);
    api->timer_stop(search->retry);
    if (search->request != NULL) {
        api->net->http_cancel(search->request);
    }
    search->timer = search->retry = NULL;
    search->request = NULL;
    search->active = search->filled = search->connected = false;
    search->again_ms = 0;
    walk_end(search);
}

void search_free(struct search *search)
{
    if (search != NULL) {
        search_stop(search);
        free(search->tag);
        free(search);
    }
}

void search_open(struct search *search, int64_t from_ms, int64_t to_ms)
{
    /* The window was open when the bot ended: what it had taken then may never have reached the disk. */
    int64_t at = now(search);
    bool resumed = search->last_ms == 0 && search->row.open_from_ms == from_ms && at < search->row.open_to_ms;
    note_window(search, from_ms, to_ms);
    if (!search->active || search->to_ms != 0) {
        search_stop(search);
        search->active = true;
        search->gap_ms = search->to_ms == 0 && search->from_ms == from_ms ? search->gap_ms : 0;
        search->to_ms = 0;
        run_at(search, resumed ? at : (from_ms > at ? from_ms : at) + MINUTE_MS);
    }
    search->from_ms = from_ms;
}

void search_close(struct search *search, int64_t from_ms, int64_t to_ms)
{
    if (search->active && search->to_ms == to_ms) {
        return;
    }
    search_stop(search);
    search->gap_ms = search->from_ms == from_ms ? search->gap_ms : 0;
    search->active = true;
    search->from_ms = from_ms;
    search->to_ms = to_ms;
    note_window(search, from_ms, to_ms);
    run_at(search, to_ms + MINUTE_MS);
}

void search_connected(struct search *search, bool connected)
{
    if (!search->active || search->to_ms != 0 || search->connected == connected) {
        return;
    }
    search->connected = connected;
    search->filled = false;
    int64_t at = now(search), seen = search->row.cursor[0] != '\0' ? snowflake_ms(search->row.cursor) : 0;
    seen = seen > search->from_ms ? seen : search->from_ms;
    if (connected) {
        search->hole_ms = search->hole_ms != 0 && search->hole_ms < seen ? search->hole_ms : seen - OVERLAP_MS;
        search->hole_due_ms = at + LATE_INDEX_MS;
    }
    bool searches = search->request != NULL || search->retry != NULL;
    if (!connected) {
        run_at(search, at + MINUTE_MS);
    } else if (searches) {
        search->again_ms = at + SETTLE_MS; /* the one under way began too soon to close the gap */
    } else if (at - seen > MINUTE_MS) {
        run_at(search, at);                /* a long gap: what is searchable at once */
        search->again_ms = at + SETTLE_MS; /* and its last half minute when X shows it */
    } else {
        run_at(search, at + SETTLE_MS);
    }
}

void search_saw(struct search *search, const char *id)
{
    if (search->filled && snowflake_valid(id)) {
        advance(search, id);
        save(search);
    }
}

static void say_missed(struct search *search)
{
    char from[32], to[32];
    int64_t seen_ms = search->row.cursor[0] != '\0' ? snowflake_ms(search->row.cursor) : 0;
    bool within = seen_ms > search->row.open_from_ms && seen_ms < search->row.open_to_ms;
    print_time(from, within ? seen_ms : search->row.open_from_ms);
    print_time(to, search->row.open_to_ms);
    search->twitter->api->log(
        search->twitter->bot, HR_WARN,
        "posts with %s from %s to %s may have been missed: the bot was away, and it is too late to "
        "show them now; search for %s on x.com",
        search->tag, from, to, search->tag);
}

void search_resume(struct search *search)
{
    int64_t at = now(search), to_ms = search->row.open_to_ms;
    if (to_ms == 0 || search->row.closed_ms >= to_ms || at < to_ms || search->active) {
        return;
    }
    if (at < to_ms + SEARCH_LAST_MS) {
        search_close(search, search->row.open_from_ms, to_ms);
        return;
    }
    say_missed(search);
    search->row.closed_ms = to_ms;
    save(search);
}

int64_t search_closed_ms(struct search *search)
{
    return search->row.closed_ms;
}
