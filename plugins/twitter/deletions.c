/* SPDX-License-Identifier: MIT */
/* Follows deletions on X, by its Activity API. */
#include "deletions.h"
#include "backoff.h"
#include "mem.h"
#include "snowflake.h"
#include "stream.h"

enum { SUBSCRIPTIONS_MAX = 1500 };
static const int64_t MIN_WAIT_MS = 60 * 1000;

struct deletions {
    struct twitter *twitter;
    struct client *client;
    struct stream *stream;
    bool open;
    bool refused;                /* X takes no more subscriptions in this window */
    char author[SNOWFLAKE_SIZE]; /* being subscribed to */
    struct hr_request *request;
    struct hr_timer *timer; /* after a 429 or a fault */
    struct backoff backoff;
};

static int64_t number(struct deletions *deletions, const char *sql);

/* ---- the stream ------------------------------------------------------------------------- */

static void on_line(void *arg, const json_t *line)
{
    struct deletions *deletions = arg;
    struct twitter *twitter = deletions->twitter;
    const json_t *data = json_object_get(line, "data");
    const char *type = json_string_value(json_object_get(data, "event_type"));
    const char *id = json_string_value(json_object_get(json_object_get(data, "payload"), "id"));
    if (type == NULL || strcmp(type, "post.delete") != 0 || !snowflake_valid(id)) {
        return;
    }
    int status = twitter->api->net->remove(twitter->bot, id);
    twitter->api->log(twitter->bot, HR_DEBUG, "post %s was deleted on Twitter%s", id,
                      status == HR_OK ? "" : "; it is not shown here");
}

static void on_change(void *arg)
{
    (void)arg; /* nothing can be made up for: X keeps no deletions for later */
}

static void on_given_up(void *arg, const char *words)
{
    struct deletions *deletions = arg;
    deletions->twitter->api->log(deletions->twitter->bot, HR_ERROR,
                                 "deletions on Twitter are not followed (%s): take posts away with !hide if asked",
                                 words);
}

static const struct stream_calls calls = {
    .opened = on_change, .dropped = on_change, .line = on_line, .given_up = on_given_up};

/* ---- subscriptions, one request at a time -------------------------------------------------- */

static void next_author(struct deletions *deletions);

static void on_wait_over(void *arg)
{
    struct deletions *deletions = arg;
    deletions->timer = NULL;
    next_author(deletions);
}

static void wait_ms(struct deletions *deletions, int64_t ms)
{
    (void)deletions->twitter->api->timer_in(deletions->twitter->bot, ms, 0, on_wait_over, deletions, &deletions->timer);
}

static int mark(struct deletions *deletions, const char *author)
{
    struct hr_value args[] = {HR_V_STR(deletions->twitter->api->instance(deletions->twitter->bot)), HR_V_STR(author)};
    return deletions->twitter->api->sql(deletions->twitter->bot,
                                        "UPDATE twitter_author SET watched = 1 WHERE instance = ?1 AND user_id = ?2",
                                        args, 2, NULL, NULL);
}

static void on_subscribed(void *arg, const struct hr_reply *reply)
{
    struct deletions *deletions = arg;
    struct problem problem = client_problem(reply);
    deletions->request = NULL;
    bool there = strcasestr(problem.detail, "already") != NULL || strcasestr(problem.title, "duplicate") != NULL;
    if (problem.kind == PROBLEM_NONE || there) {
        deletions->backoff = (struct backoff){0};
        (void)mark(deletions, deletions->author);
        next_author(deletions);
    } else if (problem.kind == PROBLEM_RATE || problem.kind == PROBLEM_CONNECTIONS) {
        int64_t reset_ms = client_reset_ms(deletions->client, reply);
        wait_ms(deletions, reset_ms > MIN_WAIT_MS ? reset_ms : MIN_WAIT_MS);
    } else if (problem.kind == PROBLEM_SERVER) {
        wait_ms(deletions, backoff_next_ms(&deletions->backoff, BACKOFF_HTTP, 0));
    } else {
        deletions->refused = true;
        deletions->twitter->api->log(
            deletions->twitter->bot, HR_ERROR,
            "Twitter takes no subscription to deletions (%d %s: %s): those of further people are "
            "not followed in this session",
            problem.code, problem.title, problem.detail);
    }
}

static int take_author(void *arg, const struct hr_value *column, size_t count)
{
    struct deletions *deletions = arg;
    if (count == 1) {
        snprintf(deletions->author, sizeof(deletions->author), "%s", column[0].str);
    }
    return HR_OK;
}

static void next_author(struct deletions *deletions)
{
    struct twitter *twitter = deletions->twitter;
    if (!deletions->open || deletions->refused || deletions->request != NULL || deletions->timer != NULL ||
        number(deletions, "SELECT count(*) FROM twitter_author WHERE instance = ?1 AND watched = 1") >=
            SUBSCRIPTIONS_MAX) {
        return;
    }
    deletions->author[0] = '\0';
    (void)twitter->api->sql(
        twitter->bot, "SELECT user_id FROM twitter_author WHERE instance = ?1 AND watched = 0 ORDER BY rowid LIMIT 1",
        (struct hr_value[]){HR_V_STR(twitter->api->instance(twitter->bot))}, 1, take_author, deletions);
    if (deletions->author[0] == '\0') {
        return;
    }
    json_t *body = json_pack("{s:s, s:{s:s}, s:s}", "event_type", "post.delete", "filter", "user_id", deletions->author,
                             "tag", "hashroom");
    CLEANUP(mem_clear) char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    struct client_call call = {.method = "POST", .path = "/2/activity/subscriptions", .body = text};
    if (client_start(deletions->client, &call, on_subscribed, deletions, &deletions->request) != HR_OK) {
        wait_ms(deletions, MIN_WAIT_MS);
    }
}

static int take_number(void *arg, const struct hr_value *column, size_t count)
{
    *(int64_t *)arg = count == 1 ? column[0].num : 0;
    return HR_OK;
}

static int64_t number(struct deletions *deletions, const char *sql)
{
    int64_t n = 0;
    struct hr_value args[] = {HR_V_STR(deletions->twitter->api->instance(deletions->twitter->bot))};
    (void)deletions->twitter->api->sql(deletions->twitter->bot, sql, args, 1, take_number, &n);
    return n;
}

/* ---- public ---------------------------------------------------------------------------------- */

struct deletions *deletions_new(struct twitter *twitter, struct client *client)
{
    struct deletions *deletions = mem_calloc(1, sizeof(*deletions));
    *deletions = (struct deletions){.twitter = twitter, .client = client};
    deletions->stream = stream_new(twitter, client, "deletions on Twitter", "/2/activity/stream", &calls, deletions);
    return deletions;
}

static void quiet(struct deletions *deletions)
{
    const struct hr_api *api = deletions->twitter->api;
    if (deletions->request != NULL) {
        api->net->http_cancel(deletions->request);
    }
    api->timer_stop(deletions->timer);
    deletions->request = NULL;
    deletions->timer = NULL;
}

void deletions_free(struct deletions *deletions)
{
    if (deletions != NULL) {
        quiet(deletions);
        stream_free(deletions->stream);
        free(deletions);
    }
}

void deletions_open(struct deletions *deletions, bool open)
{
    if (deletions == NULL || deletions->open == open) {
        return;
    }
    deletions->open = open;
    deletions->refused = false;
    if (open) {
        stream_start(deletions->stream);
        next_author(deletions);
    } else {
        quiet(deletions);
        stream_stop(deletions->stream);
    }
}

void deletions_author(struct deletions *deletions, const char *user_id)
{
    if (deletions == NULL) {
        return;
    }
    struct hr_value args[] = {HR_V_STR(deletions->twitter->api->instance(deletions->twitter->bot)), HR_V_STR(user_id)};
    (void)deletions->twitter->api->sql(deletions->twitter->bot,
                                       "INSERT INTO twitter_author(instance, user_id, watched) VALUES(?1, ?2, 0)"
                                       " ON CONFLICT DO NOTHING",
                                       args, 2, NULL, NULL);
    next_author(deletions);
}

void deletions_report(struct deletions *deletions, struct hr_out *out)
{
    const struct hr_api *api = deletions->twitter->api;
    int64_t left = number(deletions, "SELECT count(*) FROM twitter_author WHERE instance = ?1 AND watched = 0");
    if (deletions->open && !stream_is_open(deletions->stream)) {
        api->out(out, "Deletions on Twitter are not followed just now: %s.\n", stream_words(deletions->stream));
    }
    if (deletions->open && left > 0) {
        api->out(out, "Deletions of %lld people on Twitter are not followed yet.\n", (long long)left);
    }
}
