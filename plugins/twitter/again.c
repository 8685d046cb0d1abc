/* SPDX-License-Identifier: MIT */
/* A second look at the posts of a chat when it is over. */
#include "again.h"
#include "account.h"
#include "backoff.h"
#include "inbox.h"
#include "mem.h"
#include "post.h"
#include "reader.h"
#include "snowflake.h"

enum { IDS_MAX = 5000, PAGE_IDS = 100, TRIES_MAX = 5 };
static const int64_t DAY_MS = 24LL * 3600 * 1000;

struct again {
    struct twitter *twitter;
    struct client *client;
    char *tag;
    json_t *ids;  /* still to be asked for */
    size_t asked; /* of them, in the request under way */
    int tries;
    size_t gone;
    struct hr_request *request;
    struct hr_timer *timer; /* network clock */
    struct backoff backoff;
};

static void ask(struct again *again);

struct again *again_new(struct twitter *twitter, struct client *client)
{
    struct again *again = mem_calloc(1, sizeof(*again));
    *again = (struct again){.twitter = twitter, .client = client, .ids = json_array()};
    return again;
}

static void stop(struct again *again)
{
    if (again->request != NULL) {
        again->twitter->api->net->http_cancel(again->request);
    }
    again->twitter->api->timer_stop(again->timer);
    again->request = NULL;
    again->timer = NULL;
    json_array_clear(again->ids);
    mem_clear(&again->tag);
    again->tries = 0;
    again->gone = 0;
}

void again_free(struct again *again)
{
    if (again != NULL) {
        stop(again);
        json_decref(again->ids);
        free(again);
    }
}

static void remove_post(struct again *again, const char *id)
{
    if (snowflake_valid(id) && again->twitter->api->net->remove(again->twitter->bot, id) == HR_OK) {
        again->gone++;
    }
}

static void take_post(struct again *again, const json_t *data, const json_t *includes)
{
    struct post post;
    post_read(&post, data, includes);
    if (post.kind == POST_SHOW) {
        (void)reader_take(again->twitter, &post, again->tag); /* a newer version is an edit */
    } else if (post.kind == POST_WITHHELD || post.kind == POST_PROTECTED) {
        remove_post(again, post.key);
    }
    post_clear(&post);
}

/* Gone, or its author was suspended or protects it now. */
static void take_error(struct again *again, const json_t *error)
{
    const char *type = json_string_value(json_object_get(error, "type"));
    const char *parameter = json_string_value(json_object_get(error, "parameter"));
    const char *last = type == NULL ? NULL : strrchr(type, '/');
    if (last != NULL && parameter != NULL && strcmp(parameter, "ids") == 0 &&
        (strcmp(last, "/resource-not-found") == 0 || strcmp(last, "/not-authorized-for-resource") == 0)) {
        remove_post(again, json_string_value(json_object_get(error, "resource_id")));
    }
}

static void take_page(struct again *again, const json_t *root)
{
    size_t i;
    json_t *one;
    inbox_count(again->twitter, root);
    json_array_foreach(json_object_get(root, "data"), i, one)
    {
        take_post(again, one, json_object_get(root, "includes"));
    }
    json_array_foreach(json_object_get(root, "errors"), i, one)
    {
        take_error(again, one);
    }
    for (i = 0; i < again->asked; i++) {
        json_array_remove(again->ids, 0);
    }
    again->backoff = (struct backoff){0};
}

static void on_due(void *arg)
{
    struct again *again = arg;
    again->timer = NULL;
    ask(again);
}

static void give_up(struct again *again, const struct problem *problem)
{
    again->twitter->api->log(
        again->twitter->bot, HR_WARN,
        "%zu posts were not looked at once more (%s): take away with !hide what is gone on Twitter",
        json_array_size(again->ids), problem_words(problem));
    stop(again);
}

static void on_page(void *arg, const struct hr_reply *reply)
{
    struct again *again = arg;
    struct problem problem = client_problem(reply);
    again->request = NULL;
    json_t *root = problem.kind == PROBLEM_NONE ? json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL) : NULL;
    if (root != NULL) {
        take_page(again, root);
        json_decref(root);
        ask(again);
        return;
    }
    problem.kind = problem.kind == PROBLEM_NONE ? PROBLEM_SERVER : problem.kind;
    bool later = problem.kind == PROBLEM_SERVER || problem.kind == PROBLEM_RATE;
    if (problem.kind == PROBLEM_PARAMETER && client_switch_dialect(again->client)) {
        ask(again);
    } else if (!later || ++again->tries == TRIES_MAX) {
        give_up(again, &problem);
    } else {
        enum backoff_why why = problem.kind == PROBLEM_RATE ? BACKOFF_RATE : BACKOFF_HTTP;
        int64_t wait_ms = backoff_next_ms(&again->backoff, why, client_reset_ms(again->client, reply));
        (void)again->twitter->api->timer_in(again->twitter->bot, wait_ms, 0, on_due, again, &again->timer);
    }
}

static void ask(struct again *again)
{
    struct text ids;
    size_t left = json_array_size(again->ids);
    again->asked = left < PAGE_IDS ? left : PAGE_IDS;
    if (left == 0 || !account_lets(again->twitter->account, ACCOUNT_READ)) {
        if (again->gone > 0) {
            again->twitter->api->log(again->twitter->bot, HR_INFO, "%zu posts are no longer shown on Twitter: removed",
                                     again->gone);
        }
        stop(again);
        return;
    }
    text_init(&ids, PAGE_IDS * (SNOWFLAKE_SIZE + 1));
    for (size_t i = 0; i < again->asked; i++) {
        text_print(&ids, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(again->ids, i)));
    }
    CLEANUP(mem_clear) char *list = text_detach(&ids);
    struct client_call call = {.method = "GET", .path = "/2/tweets"};
    client_param(&call, "ids", list);
    client_fields(&call, client_dialect(again->client), false);
    if (client_start(again->client, &call, on_page, again, &again->request) != HR_OK) {
        stop(again);
    }
}

static int take_id(void *arg, const struct hr_value *column, size_t count)
{
    struct again *again = arg;
    if (count == 1 && snowflake_valid(column[0].str) && json_array_size(again->ids) < IDS_MAX) {
        json_array_append_new(again->ids, json_string(column[0].str));
    }
    return HR_OK;
}

void again_begin(struct again *again, const char *tag, int64_t from_ms)
{
    if (again == NULL) {
        return;
    }
    const struct hr_api *api = again->twitter->api;
    bool busy = json_array_size(again->ids) > 0; /* with another tag's: these join */
    struct hr_value args[] = {HR_V_STR(api->instance(again->twitter->bot)),
                              HR_V_INT(api->now_ms(again->twitter->bot) / DAY_MS), HR_V_INT(from_ms)};
    if (!busy) {
        again->tag = mem_dup(tag);
    }
    (void)api->sql(again->twitter->bot, /* the mark: looked at again today */
                   "INSERT INTO twitter_read(instance, day, kind, id) SELECT ?1, ?2, 9, s.newest FROM twitter_seen s"
                   " JOIN twitter_read r ON r.id = s.newest WHERE r.instance = ?1 AND r.day = ?2 AND r.kind = 0"
                   " AND s.seen_ms >= ?3 ORDER BY s.newest ON CONFLICT DO NOTHING RETURNING id",
                   args, 3, take_id, again);
    if (!busy) {
        ask(again);
    }
}
