/* SPDX-License-Identifier: MIT */
/* One long reply of X, read line by line and kept open. */
#include "stream.h"
#include "backoff.h"
#include "lines.h"
#include "mem.h"
#include <inttypes.h>
#include <jansson.h>

enum state { STOPPED, CONNECTING, OPEN, WAITING, FOR_RULES };

static const int64_t ALIVE_MS = 20 * 1000; /* X's heartbeat */
static const int64_t TELL_MS = 60 * 1000;

struct stream {
    struct twitter *twitter;
    struct client *client;
    const char *name, *path;
    const struct stream_calls *calls;
    void *arg;
    enum state state;
    struct hr_request *request, *killing;
    struct hr_timer *timer;
    struct lines lines;
    struct backoff backoff;
    int64_t opened_ms; /* network clock */
    bool killed;       /* the ghost connection, once until we get in */
    bool full;         /* the stream's own line said: too many connections */
    char words[256];
    char told[160];  /* why it is not connected, as the log was warned last; "": never */
    int64_t told_ms; /* network clock */
};

struct stream *stream_new(struct twitter *twitter, struct client *client, const char *name, const char *path,
                          const struct stream_calls *calls, void *arg)
{
    struct stream *stream = mem_calloc(1, sizeof(*stream));
    *stream =
        (struct stream){.twitter = twitter, .client = client, .name = name, .path = path, .calls = calls, .arg = arg};
    return stream;
}

static void quiet(struct stream *stream)
{
    const struct hr_network_api *net = stream->twitter->api->net;
    if (stream->request != NULL) {
        net->http_cancel(stream->request);
    }
    if (stream->killing != NULL) {
        net->http_cancel(stream->killing);
    }
    stream->twitter->api->timer_stop(stream->timer);
    stream->request = stream->killing = NULL;
    stream->timer = NULL;
    lines_clear(&stream->lines);
}

void stream_free(struct stream *stream)
{
    if (stream != NULL) {
        quiet(stream);
        free(stream);
    }
}

void stream_stop(struct stream *stream)
{
    quiet(stream);
    stream->state = STOPPED;
    stream->words[0] = '\0';
    stream->backoff = (struct backoff){0};
    stream->killed = stream->full = false;
}

/* The same reason comes again with each try, every few seconds: it is a warning once a minute. */
static enum hr_level log_level(struct stream *stream, int64_t wait_ms, const char *why)
{
    int64_t now_ms = stream->twitter->api->monotonic_ms(stream->twitter->bot);
    if (wait_ms <= 1000) {
        return HR_INFO;
    }
    if (strncmp(stream->told, why, sizeof(stream->told) - 1) == 0 && now_ms - stream->told_ms < TELL_MS) {
        return HR_DEBUG;
    }
    snprintf(stream->told, sizeof(stream->told), "%s", why);
    stream->told_ms = now_ms;
    return HR_WARN;
}

static void connect_now(struct stream *stream);

static void on_wait_over(void *arg)
{
    struct stream *stream = arg;
    stream->timer = NULL;
    connect_now(stream);
}

static void connect_in(struct stream *stream, int64_t wait_ms, const char *why)
{
    struct twitter *twitter = stream->twitter;
    stream->state = WAITING;
    snprintf(stream->words, sizeof(stream->words), "not connected: %.150s; next try in %" PRId64 " s", why,
             (wait_ms + 999) / 1000);
    twitter->api->log(twitter->bot, log_level(stream, wait_ms, why), "%s: %s: connecting again in %" PRId64 " ms",
                      stream->name, why, wait_ms);
    if (twitter->api->timer_in(twitter->bot, wait_ms, 0, on_wait_over, stream, &stream->timer) != HR_OK) {
        stream->state = STOPPED;
        twitter->api->log(twitter->bot, HR_ERROR, "%s: no timer: stopped until the next session", stream->name);
    }
}

static void give_up(struct stream *stream, const struct problem *problem)
{
    struct twitter *twitter = stream->twitter;
    quiet(stream);
    stream->state = STOPPED;
    snprintf(stream->words, sizeof(stream->words), "stopped: %s", problem_words(problem));
    twitter->api->log(twitter->bot, HR_ERROR, "%s: %s (%d %s: %s); not tried again before the next session",
                      stream->name, problem_words(problem), problem->code, problem->title, problem->detail);
    stream->calls->given_up(stream->arg, problem_words(problem));
}

/* ---- the reply as it comes --------------------------------------------------------- */

static void on_opened(void *arg)
{
    struct stream *stream = arg;
    struct twitter *twitter = stream->twitter;
    stream->state = OPEN;
    stream->opened_ms = twitter->api->monotonic_ms(twitter->bot);
    stream->killed = stream->full = false;
    stream->words[0] = '\0';
    twitter->api->log(twitter->bot, HR_INFO, "%s: connected", stream->name);
    stream->calls->opened(stream->arg);
}

/* Lines without `data` are words about the connection; X closes it next. */
static void take_error(struct stream *stream, const json_t *root, const char *line, size_t len)
{
    struct twitter *twitter = stream->twitter;
    struct problem problem;
    problem_read(&problem, 200, line, len);
    stream->full = problem.kind == PROBLEM_CONNECTIONS;
    if (json_object_get(root, "errors") != NULL) {
        twitter->api->log(twitter->bot, HR_WARN, "%s: Twitter says: %s: %s", stream->name, problem.title,
                          problem.detail);
    } else {
        twitter->api->log(twitter->bot, HR_DEBUG, "%s: a line of a kind we don't know: passed over", stream->name);
    }
}

static bool on_line(void *arg, const char *line, size_t len)
{
    struct stream *stream = arg;
    struct twitter *twitter = stream->twitter;
    if (len == 0) {
        backoff_lived(&stream->backoff);
        return true;
    }
    json_t *root = line == NULL ? NULL : json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    if (root == NULL) {
        twitter->api->log(twitter->bot, HR_WARN, "%s: a line that is %s: passed over", stream->name,
                          line == NULL ? "longer than 1 MiB" : "not JSON");
    } else if (json_object_get(root, "data") == NULL) {
        take_error(stream, root, line, len);
    } else {
        stream->calls->line(stream->arg, root);
    }
    json_decref(root);
    return stream->request != NULL; /* stopped meanwhile */
}

static int on_data(void *arg, const char *bytes, size_t len)
{
    struct stream *stream = arg;
    struct twitter *twitter = stream->twitter;
    if (twitter->api->monotonic_ms(twitter->bot) - stream->opened_ms >= ALIVE_MS) {
        backoff_lived(&stream->backoff);
    }
    lines_feed(&stream->lines, bytes, len, on_line, stream);
    return HR_OK;
}

/* ---- its end ----------------------------------------------------------------------- */

static void on_killed(void *arg, const struct hr_reply *reply)
{
    struct stream *stream = arg;
    stream->killing = NULL;
    stream->twitter->api->log(stream->twitter->bot, HR_INFO, "%s: closing the other connection: answer %d",
                              stream->name, reply->code);
}

static void too_many(struct stream *stream, int64_t reset_ms)
{
    struct client_call call = {.method = "DELETE", .path = "/2/connections/all"};
    if (!stream->killed) {
        stream->killed = true;
        (void)client_start(stream->client, &call, on_killed, stream, &stream->killing);
    }
    connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_RATE, reset_ms), "another connection is still open");
}

static void refused(struct stream *stream, const struct problem *problem, int64_t reset_ms)
{
    switch (problem->kind) {
    case PROBLEM_CONNECTIONS: too_many(stream, reset_ms); return;
    case PROBLEM_RATE:
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_RATE, reset_ms), problem_words(problem));
        return;
    case PROBLEM_NO_RULES:
        stream->state = FOR_RULES;
        if (stream->calls->no_rules != NULL && stream->calls->no_rules(stream->arg)) {
            return;
        }
        break;
    case PROBLEM_AUTH:
    case PROBLEM_MONEY:
    case PROBLEM_CAP:
        if (stream->calls->refused(stream->arg, problem)) {
            stream_stop(stream);
            snprintf(stream->words, sizeof(stream->words), "stopped: %.200s", problem_words(problem));
            return;
        }
        break;
    case PROBLEM_SERVER: break;
    default: give_up(stream, problem); return;
    }
    connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_HTTP, 0), problem_words(problem));
}

static void on_end(void *arg, const struct hr_reply *reply)
{
    struct stream *stream = arg;
    int64_t reset_ms = client_reset_ms(stream->client, reply);
    stream->request = NULL;
    lines_clear(&stream->lines);
    if (stream->state == OPEN) {
        stream->calls->dropped(stream->arg);
    }
    if (reply->status == HR_EDENIED) {
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_HTTP, 0), reply->error);
    } else if (reply->status != HR_OK) {
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_DROP, 0), reply->error);
    } else if (reply->code < 200 || reply->code >= 300) {
        struct problem problem = client_problem(reply);
        refused(stream, &problem, reset_ms);
    } else if (stream->full) {
        too_many(stream, reset_ms);
    } else {
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_DROP, 0), "Twitter closed the connection");
    }
}

static void connect_now(struct stream *stream)
{
    struct client_call call = {
        .method = "GET",
        .path = stream->path,
        .data = on_data,
        .opened = on_opened,
    };
    if (stream->calls->no_rules != NULL) { /* the stream of posts says which fields it wants */
        client_fields(&call, DIALECT_TWEET, true);
    }
    stream->state = CONNECTING;
    snprintf(stream->words, sizeof(stream->words), "connecting");
    if (client_start(stream->client, &call, on_end, stream, &stream->request) != HR_OK) {
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_HTTP, 0), "the request could not be started");
    }
}

void stream_start(struct stream *stream)
{
    if (stream->state == FOR_RULES) { /* a second 409 in a row waits like any other error */
        connect_in(stream, backoff_next_ms(&stream->backoff, BACKOFF_HTTP, 0), "Twitter had lost our rules");
    } else if (stream->state == STOPPED) {
        connect_now(stream);
    }
}

bool stream_is_open(const struct stream *stream)
{
    return stream->state == OPEN;
}

bool stream_runs(const struct stream *stream)
{
    return stream->state != STOPPED;
}

const char *stream_words(const struct stream *stream)
{
    return stream->state == OPEN ? "connected" : stream->words[0] != '\0' ? stream->words : "closed";
}
