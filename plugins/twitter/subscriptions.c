/* SPDX-License-Identifier: MIT */
/* Whose deletions X tells us. */
#include "subscriptions.h"
#include "backoff.h"
#include "mem.h"
#include "snowflake.h"

#define PATH "/2/activity/subscriptions"
#define MARK "hashroom" /* tag of each subscription that is ours */

enum {
    SUBSCRIPTIONS_MAX = 1500,
    KEPT_MAX = 1000,
    PEOPLE_MAX = 5000,
    PAGES_MAX = 10,
    DROP_MAX = 100,
    TOKEN_MAX_BYTES = 512
};
static const int64_t MIN_WAIT_MS = 60 * 1000, KEPT_MS = 30LL * 24 * 3600 * 1000;

struct subscriptions {
    struct twitter *twitter;
    struct client *client;
    bool open;
    bool compared;               /* with X's list, or it can't be had */
    bool refused;                /* X takes no more in this window */
    char author[SNOWFLAKE_SIZE]; /* being subscribed to */
    json_t *drop;                /* ids of subscriptions to let go */
    char *page;                  /* token of the next page of the list */
    int pages;
    struct hr_request *request;
    struct hr_timer *timer; /* after a 429 or a fault */
    struct backoff backoff;
};

static void next_step(struct subscriptions *s);

/* ---- the people, in the database ---------------------------------------------------------- */

static int run(struct subscriptions *s, const char *sql, const char *user_id, int64_t number, hr_row_fn *row, void *arg)
{
    const struct hr_api *api = s->twitter->api;
    struct hr_value args[] = {HR_V_STR(api->instance(s->twitter->bot)), HR_V_STR(user_id), HR_V_INT(number)};
    return api->sql(s->twitter->bot, sql, args, 3, row, arg);
}

static int take_number(void *arg, const struct hr_value *column, size_t count)
{
    *(int64_t *)arg = count == 1 ? column[0].num : 0;
    return HR_OK;
}

static int64_t number(struct subscriptions *s, const char *sql)
{
    int64_t n = 0;
    (void)run(s, sql, "", 0, take_number, &n);
    return n;
}

static int64_t now(struct subscriptions *s)
{
    return s->twitter->api->now_ms(s->twitter->bot);
}

static void forget_old(struct subscriptions *s)
{
    (void)run(s, "DELETE FROM twitter_author WHERE instance = ?1 AND seen_ms < ?3 AND ?2 = ''", "", now(s) - KEPT_MS,
              NULL, NULL);
    (void)run(s,
              "DELETE FROM twitter_author WHERE instance = ?1 AND ?2 = '' AND rowid NOT IN (SELECT rowid FROM"
              " twitter_author WHERE instance = ?1 ORDER BY seen_ms DESC LIMIT ?3)",
              "", KEPT_MAX, NULL, NULL);
}

static void note(struct subscriptions *s, const char *user_id)
{
    int64_t fresh = 0;
    (void)run(s, "UPDATE twitter_author SET seen_ms = ?3 WHERE instance = ?1 AND user_id = ?2", user_id, now(s), NULL,
              NULL);
    (void)run(s,
              "INSERT INTO twitter_author(instance, user_id, watched, seen_ms) VALUES(?1, ?2, 0, ?3)"
              " ON CONFLICT DO NOTHING RETURNING 1",
              user_id, now(s), take_number, &fresh);
    if (fresh != 0 &&
        number(s, "SELECT count(*) FROM twitter_author WHERE instance = ?1 AND ?2 = '' AND ?3 = 0") > PEOPLE_MAX) {
        (void)run(s,
                  "DELETE FROM twitter_author WHERE rowid IN (SELECT rowid FROM twitter_author WHERE instance = ?1 AND"
                  " user_id <> ?2 AND watched = ?3 ORDER BY seen_ms, rowid LIMIT 1)",
                  user_id, 0, NULL, NULL);
    }
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void on_wait_over(void *arg)
{
    struct subscriptions *s = arg;
    s->timer = NULL;
    next_step(s);
}

static void wait_ms(struct subscriptions *s, int64_t ms)
{
    (void)s->twitter->api->timer_in(s->twitter->bot, ms, 0, on_wait_over, s, &s->timer);
}

/* True: it will be tried again, by itself. */
static bool try_again(struct subscriptions *s, const struct problem *problem, const struct hr_reply *reply)
{
    if (problem->kind == PROBLEM_RATE || problem->kind == PROBLEM_CONNECTIONS) {
        int64_t reset_ms = client_reset_ms(s->client, reply);
        wait_ms(s, reset_ms > MIN_WAIT_MS ? reset_ms : MIN_WAIT_MS);
        return true;
    }
    if (problem->kind == PROBLEM_SERVER) {
        wait_ms(s, backoff_next_ms(&s->backoff, BACKOFF_HTTP, 0));
        return true;
    }
    return false;
}

/* ---- the list at X --------------------------------------------------------------------------- */

static void compare(struct subscriptions *s, const json_t *listed)
{
    size_t i;
    json_t *one;
    json_array_foreach(listed, i, one)
    {
        const char *type = json_string_value(json_object_get(one, "event_type"));
        const char *tag = json_string_value(json_object_get(one, "tag"));
        const char *id = json_string_value(json_object_get(one, "subscription_id"));
        const char *user = json_string_value(json_object_get(json_object_get(one, "filter"), "user_id"));
        int64_t known = 0;
        if (type == NULL || strcmp(type, "post.delete") != 0 || !snowflake_valid(id) || !snowflake_valid(user)) {
            continue;
        }
        (void)run(s,
                  "UPDATE twitter_author SET watched = 1 WHERE instance = ?1 AND user_id = ?2 AND ?3 = 0 RETURNING 1",
                  user, 0, take_number, &known);
        if (known == 0 && tag != NULL && strcmp(tag, MARK) == 0 && json_array_size(s->drop) < SUBSCRIPTIONS_MAX) {
            json_array_append_new(s->drop, json_string(id));
        }
    }
}

static void on_list(void *arg, const struct hr_reply *reply)
{
    struct subscriptions *s = arg;
    struct problem problem = client_problem(reply);
    s->request = NULL;
    json_t *root = problem.kind == PROBLEM_NONE ? json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL) : NULL;
    if (problem.kind == PROBLEM_NONE && root == NULL) {
        problem = (struct problem){.kind = PROBLEM_SERVER, .code = reply->code};
    }
    if (root == NULL) {
        if (!try_again(s, &problem, reply)) {
            s->compared = true; /* then we go by what we know */
            next_step(s);
        }
        return;
    }
    s->backoff = (struct backoff){0};
    if (s->pages++ == 0) { /* X knows better who is followed */
        (void)run(s, "UPDATE twitter_author SET watched = 0 WHERE instance = ?1 AND ?2 = '' AND ?3 = 0", "", 0, NULL,
                  NULL);
    }
    compare(s, json_object_get(root, "data"));
    const char *next = json_string_value(json_object_get(json_object_get(root, "meta"), "next_token"));
    mem_clear(&s->page);
    s->page = next != NULL && next[0] != '\0' && strlen(next) <= TOKEN_MAX_BYTES ? mem_dup(next) : NULL;
    json_decref(root);
    s->compared = s->page == NULL || s->pages == PAGES_MAX;
    next_step(s);
}

static void ask_list(struct subscriptions *s)
{
    struct client_call call = {.method = "GET", .path = PATH};
    client_param(&call, "max_results", "1000");
    if (s->page != NULL) {
        client_param(&call, "pagination_token", s->page);
    }
    if (client_start(s->client, &call, on_list, s, &s->request) != HR_OK) {
        wait_ms(s, MIN_WAIT_MS);
    }
}

/* ---- letting go ------------------------------------------------------------------------------- */

static void on_dropped(void *arg, const struct hr_reply *reply)
{
    struct subscriptions *s = arg;
    struct problem problem = client_problem(reply);
    s->request = NULL;
    if (try_again(s, &problem, reply)) {
        return;
    }
    for (int i = 0; i < DROP_MAX && json_array_size(s->drop) > 0; i++) { /* gone, or X won't: no matter */
        json_array_remove(s->drop, 0);
    }
    next_step(s);
}

static void drop_some(struct subscriptions *s)
{
    struct text ids;
    text_init(&ids, DROP_MAX * (SNOWFLAKE_SIZE + 1));
    for (size_t i = 0; i < json_array_size(s->drop) && i < DROP_MAX; i++) {
        text_print(&ids, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(s->drop, i)));
    }
    CLEANUP(mem_clear) char *list = text_detach(&ids);
    struct client_call call = {.method = "DELETE", .path = PATH};
    client_param(&call, "ids", list);
    if (client_start(s->client, &call, on_dropped, s, &s->request) != HR_OK) {
        wait_ms(s, MIN_WAIT_MS);
    }
}

/* ---- adding ------------------------------------------------------------------------------------ */

static void on_subscribed(void *arg, const struct hr_reply *reply)
{
    struct subscriptions *s = arg;
    struct problem problem = client_problem(reply);
    s->request = NULL;
    bool there = strcasestr(problem.detail, "already") != NULL || strcasestr(problem.title, "duplicate") != NULL;
    if (problem.kind == PROBLEM_NONE || there) {
        s->backoff = (struct backoff){0};
        (void)run(s, "UPDATE twitter_author SET watched = ?3 WHERE instance = ?1 AND user_id = ?2", s->author, 1, NULL,
                  NULL);
        next_step(s);
    } else if (!try_again(s, &problem, reply)) {
        s->refused = true;
        s->twitter->api->log(s->twitter->bot, HR_ERROR,
                             "Twitter takes no subscription to deletions (%d %s: %s): those of further people are "
                             "not followed in this session",
                             problem.code, problem.title, problem.detail);
    }
}

static int take_author(void *arg, const struct hr_value *column, size_t count)
{
    struct subscriptions *s = arg;
    if (count == 1) {
        snprintf(s->author, sizeof(s->author), "%s", column[0].str);
    }
    return HR_OK;
}

static void add_one(struct subscriptions *s)
{
    s->author[0] = '\0';
    if (number(s, "SELECT count(*) FROM twitter_author WHERE instance = ?1 AND watched = 1 AND ?2 = '' AND ?3 = 0") <
        SUBSCRIPTIONS_MAX) {
        (void)run(s,
                  "SELECT user_id FROM twitter_author WHERE instance = ?1 AND watched = ?3 AND ?2 = ''"
                  " ORDER BY rowid LIMIT 1",
                  "", 0, take_author, s);
    }
    if (s->author[0] == '\0') {
        return;
    }
    json_t *body =
        json_pack("{s:s, s:{s:s}, s:s}", "event_type", "post.delete", "filter", "user_id", s->author, "tag", MARK);
    CLEANUP(mem_clear) char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    struct client_call call = {.method = "POST", .path = PATH, .body = text};
    if (client_start(s->client, &call, on_subscribed, s, &s->request) != HR_OK) {
        wait_ms(s, MIN_WAIT_MS);
    }
}

static void next_step(struct subscriptions *s)
{
    if (!s->open || s->request != NULL || s->timer != NULL) {
        return;
    }
    if (!s->compared) {
        ask_list(s);
    } else if (json_array_size(s->drop) > 0) {
        drop_some(s);
    } else if (!s->refused) {
        add_one(s);
    }
}

/* ---- public ---------------------------------------------------------------------------------- */

struct subscriptions *subscriptions_new(struct twitter *twitter, struct client *client)
{
    struct subscriptions *s = mem_calloc(1, sizeof(*s));
    *s = (struct subscriptions){.twitter = twitter, .client = client, .drop = json_array()};
    return s;
}

static void quiet(struct subscriptions *s)
{
    const struct hr_api *api = s->twitter->api;
    if (s->request != NULL) {
        api->net->http_cancel(s->request);
    }
    api->timer_stop(s->timer);
    s->request = NULL;
    s->timer = NULL;
    s->pages = 0;
    s->compared = s->refused = false;
    json_array_clear(s->drop);
    mem_clear(&s->page);
}

void subscriptions_free(struct subscriptions *s)
{
    if (s != NULL) {
        quiet(s);
        json_decref(s->drop);
        free(s);
    }
}

void subscriptions_open(struct subscriptions *s, bool open)
{
    quiet(s);
    s->open = open;
    if (open) {
        forget_old(s);
        next_step(s);
    }
}

void subscriptions_author(struct subscriptions *s, const char *user_id)
{
    note(s, user_id);
    next_step(s);
}

int64_t subscriptions_missing(struct subscriptions *s)
{
    return number(s, "SELECT count(*) FROM twitter_author WHERE instance = ?1 AND watched = 0 AND ?2 = '' AND ?3 = 0");
}
