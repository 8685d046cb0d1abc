/* SPDX-License-Identifier: MIT */
/* Posts for the bot. */
#include "account.h"
#include "budget.h"
#include "length.h"
#include "mem.h"
#include "say.h"
#include "text.h"
#include "token.h"
#include "writer_job.h"

static const int64_t NO_WAY_MS = 5000, RATE_MS = 60 * 1000, LOOK_MS = 8000, TOKEN_MS = 2000, LATE_MS = 10 * 60 * 1000;

/* ---- our own account ------------------------------------------------------------------- */

static int take_last(void *arg, const struct hr_value *column, size_t count)
{
    struct writer *writer = arg;
    if (count == 1 && snowflake_valid(column[0].str)) {
        snprintf(writer->last, sizeof(writer->last), "%s", column[0].str);
    }
    return HR_OK;
}

static void note_own(struct writer *writer, const char *id)
{
    const struct hr_api *api = writer->twitter->api;
    if (id == NULL || (writer->last[0] != '\0' && snowflake_compare(id, writer->last) <= 0)) {
        return;
    }
    snprintf(writer->last, sizeof(writer->last), "%s", id);
    struct hr_value args[] = {HR_V_STR(api->instance(writer->twitter->bot)), HR_V_STR(id)};
    (void)api->sql(
        writer->twitter->bot,
        "INSERT INTO twitter_own(instance, last_id) VALUES(?1, ?2) ON CONFLICT(instance) DO UPDATE SET last_id = ?2",
        args, 2, NULL, NULL);
}

void writer_refused(struct writer *writer, const struct problem *problem)
{
    struct twitter *twitter = writer->twitter;
    if (problem->code == 401 && twitter->token != NULL) {
        token_denied(twitter->token);
    }
    if (!account_refused(twitter->account, ACCOUNT_WRITE, problem)) {
        account_still(twitter->account, ACCOUNT_WRITE);
    }
}

bool writer_may(struct writer *writer)
{
    struct twitter *twitter = writer->twitter;
    enum token_state state = twitter->token == NULL ? TOKEN_READY : token_want(twitter->token);
    if (state == TOKEN_LOST) {
        struct problem problem = token_problem(twitter->token);
        writer_refused(writer, &problem);
    }
    return state == TOKEN_READY && account_lets(twitter->account, ACCOUNT_WRITE);
}

static void on_me(void *arg, const struct hr_reply *reply)
{
    struct writer *writer = arg;
    struct problem problem = client_problem(reply);
    writer->me = NULL;
    account_heard(writer->twitter->account, ACCOUNT_WRITE, reply->status == HR_OK);
    json_t *root = problem.kind == PROBLEM_NONE ? json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL) : NULL;
    const char *id = json_string_value(json_object_get(json_object_get(root, "data"), "id"));
    if (snowflake_valid(id)) {
        snprintf(writer->own_id, sizeof(writer->own_id), "%s", id);
        (void)budget_read(writer->twitter->budget, BUDGET_OWN_READ, id);
        account_worked(writer->twitter->account, ACCOUNT_WRITE);
    } else { /* asked again when it is needed */
        writer_refused(writer, &problem);
    }
    json_decref(root);
}

void writer_ask_me(struct writer *writer)
{
    struct client_call call = {.method = "GET", .path = "/2/users/me", .auth = CLIENT_USER};
    bool known = writer->own_id[0] != '\0' && !account_asks(writer->twitter->account, ACCOUNT_WRITE);
    if (writer->me == NULL && !known && writer_may(writer) &&
        client_start(writer->client, &call, on_me, writer, &writer->me) != HR_OK) {
        account_still(writer->twitter->account, ACCOUNT_WRITE);
    }
}

/* ---- a job's life ------------------------------------------------------------------------ */

static void job_free(struct job *job)
{
    const struct hr_api *api = job->writer->twitter->api;
    struct job **at = &job->writer->first;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    if (job->request != NULL) {
        api->net->http_cancel(job->request);
    }
    api->timer_stop(job->timer);
    free(job->body);
    free(job->text);
    free(job);
}

void job_settle(struct job *job, int status, const char *id, int64_t retry_ms, const char *reason)
{
    struct twitter *twitter = job->writer->twitter;
    uint64_t part = job->part;
    char copy[SNOWFLAKE_SIZE] = "";
    if (snowflake_valid(id)) {
        snprintf(copy, sizeof(copy), "%s", id);
        note_own(job->writer, copy);
    }
    job_free(job);
    twitter->api->net->sent(twitter->bot, part, status, copy[0] != '\0' ? copy : NULL, retry_ms, reason);
}

bool job_same(const struct job *job, const char *text)
{
    CLEANUP(mem_clear) char *normal = text_normal(text);
    return job->text != NULL && strcmp(normal, job->text) == 0;
}

/* What went wrong with the account, not with this post: it waits with the others, and not for ever. */
static void account_trouble(struct job *job, const struct problem *problem)
{
    struct writer *writer = job->writer;
    job_settle(job, HR_ERETRY, NULL, problem->kind == PROBLEM_CAP ? RATE_MS : NO_WAY_MS, problem_words(problem));
    writer_refused(writer, problem);
}

bool job_is_late(const struct job *job)
{
    struct twitter *twitter = job->writer->twitter;
    return !job->remove && twitter->api->wall_ms(twitter->bot) - job->first_ms > LATE_MS;
}

void job_give_up(struct job *job)
{
    job_settle(job, HR_EFAIL, NULL, -1, "Twitter did not take it for 10 minutes, and its time is over");
}

/* Takes the thread out of the request; false: there is none. */
static bool leave_thread(struct job *job)
{
    json_t *body = job->remove ? NULL : json_loads(job->body, 0, NULL);
    bool left = json_object_del(body, "reply") == 0;
    char *text = left ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text != NULL) {
        free(job->body);
        job->body = text;
    }
    return text != NULL;
}

static void refused(struct job *job, const struct problem *problem, int64_t reset_ms)
{
    struct twitter *twitter = job->writer->twitter;
    switch (problem->kind) {
    case PROBLEM_RATE:
        job_settle(job, HR_ERETRY, NULL, reset_ms > RATE_MS ? reset_ms : RATE_MS, problem_words(problem));
        return;
    case PROBLEM_AUTH:
    case PROBLEM_MONEY:
    case PROBLEM_CAP: account_trouble(job, problem); return;
    case PROBLEM_DUPLICATE:
        job->refused = true; /* ours from a doubtful try, or words of another day */
        job_doubt(job, LOOK_MS);
        return;
    case PROBLEM_SERVER: job_lost(job); return;
    default:
        if (leave_thread(job)) { /* the post above it may be gone: a question on its own is better than none */
            job_post(job);
            return;
        }
        job_settle(job, HR_EFAIL, NULL, -1,
                   twitter->api->print(twitter->bot, "%s: %s", problem_words(problem),
                                       problem->detail[0] != '\0' ? problem->detail : problem->title));
    }
}

/* No request can go now: back to the host, who comes again. */
static bool held_back(struct job *job)
{
    struct twitter *twitter = job->writer->twitter;
    if (twitter->token == NULL || token_want(twitter->token) == TOKEN_READY) {
        return false;
    }
    struct writer *writer = job->writer;
    job_settle(job, HR_ERETRY, NULL, TOKEN_MS, "the login at Twitter is being renewed");
    (void)writer_may(writer);
    return true;
}

static void on_posted(void *arg, const struct hr_reply *reply)
{
    struct job *job = arg;
    struct writer *writer = job->writer;
    struct problem problem = client_problem(reply);
    job->request = NULL;
    account_heard(writer->twitter->account, ACCOUNT_WRITE, reply->status == HR_OK);
    if (reply->status != HR_OK) {
        if (reply->sent) {
            job_lost(job);
        } else {
            job_settle(job, HR_ERETRY, NULL, NO_WAY_MS, reply->error);
        }
        return;
    }
    if (problem.kind != PROBLEM_NONE) {
        refused(job, &problem, client_reset_ms(writer->client, reply));
        return;
    }
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    const char *id = json_string_value(json_object_get(json_object_get(root, "data"), "id"));
    if (snowflake_valid(id)) {
        (void)budget_spend(writer->twitter->budget, BUDGET_CREATE);
        account_worked(writer->twitter->account, ACCOUNT_WRITE);
        job_settle(job, HR_OK, id, -1, NULL);
    } else {
        job_lost(job); /* 201 without an id: it is there, we don't know where */
    }
    json_decref(root);
}

void job_post(struct job *job)
{
    struct client_call call = {.method = "POST", .path = "/2/tweets", .auth = CLIENT_USER, .body = job->body};
    if (held_back(job)) {
        return;
    }
    if (client_start(job->writer->client, &call, on_posted, job, &job->request) != HR_OK) {
        job_settle(job, HR_ERETRY, NULL, NO_WAY_MS, "the request could not be started");
    }
}

static void on_removed(void *arg, const struct hr_reply *reply)
{
    struct job *job = arg;
    struct problem problem = client_problem(reply);
    job->request = NULL;
    account_heard(job->writer->twitter->account, ACCOUNT_WRITE, reply->status == HR_OK);
    if (problem.kind == PROBLEM_NONE || problem.kind == PROBLEM_GONE) {
        if (problem.kind == PROBLEM_NONE) {
            (void)budget_spend(job->writer->twitter->budget, BUDGET_DELETE);
        }
        job_settle(job, HR_OK, NULL, -1, NULL);
    } else if (problem.kind == PROBLEM_SERVER) { /* deleting twice does no harm */
        job_settle(job, HR_ERETRY, NULL, RATE_MS, problem_words(&problem));
    } else {
        refused(job, &problem, client_reset_ms(job->writer->client, reply));
    }
}

static void job_remove(struct job *job)
{
    const struct hr_api *api = job->writer->twitter->api;
    struct client_call call = {.method = "DELETE",
                               .auth = CLIENT_USER,
                               .path = api->print(job->writer->twitter->bot, "/2/tweets/%s", job->body)};
    if (held_back(job)) {
        return;
    }
    if (client_start(job->writer->client, &call, on_removed, job, &job->request) != HR_OK) {
        job_settle(job, HR_ERETRY, NULL, NO_WAY_MS, "the request could not be started");
    }
}

int writer_send(struct writer *writer, const struct hr_part *part)
{
    const struct hr_api *api = writer->twitter->api;
    CLEANUP(mem_clear) char *text = part->act == HR_ACT_REMOVE ? NULL : say_text(part->body);
    bool remove = part->act == HR_ACT_REMOVE && snowflake_valid(part->body);
    if (!remove && text == NULL) {
        return HR_EFAIL;
    }
    struct job *job = mem_calloc(1, sizeof(*job));
    *job = (struct job){.writer = writer,
                        .part = part->id,
                        .remove = remove,
                        .body = mem_dup(part->body),
                        .text = text == NULL ? NULL : text_normal(text),
                        .next = writer->first,
                        .begun_ms = api->now_ms(writer->twitter->bot),
                        .first_ms = part->first_ms};
    writer->first = job;
    writer_ask_me(writer);
    if (remove) {
        job_remove(job);
    } else if ((part->flags & HR_PART_DOUBT) != 0) {
        job_lost(job); /* the stream, connecting again, may show it first */
    } else if (part->attempt > 1 && job_is_late(job)) {
        job_give_up(job);
    } else {
        memcpy(job->since, writer->last, sizeof(job->since));
        job_post(job);
    }
    return HR_OK;
}

/* ---- public -------------------------------------------------------------------------------- */

struct writer *writer_new(struct twitter *twitter, struct client *client)
{
    struct writer *writer = mem_calloc(1, sizeof(*writer));
    *writer = (struct writer){.twitter = twitter, .client = client};
    (void)twitter->api->sql(twitter->bot, "SELECT last_id FROM twitter_own WHERE instance = ?1",
                            (struct hr_value[]){HR_V_STR(twitter->api->instance(twitter->bot))}, 1, take_last, writer);
    return writer;
}

void writer_free(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    while (writer->first != NULL) {
        job_free(writer->first);
    }
    if (writer->me != NULL) {
        writer->twitter->api->net->http_cancel(writer->me);
    }
    free(writer);
}

void writer_begin(struct writer *writer)
{
    if (writer->twitter->token != NULL && token_is_lost(writer->twitter->token)) {
        (void)writer_may(writer);
    }
}

void writer_prepare(struct writer *writer)
{
    writer_ask_me(writer);
}

void writer_account(struct writer *writer)
{
    if (account_asks(writer->twitter->account, ACCOUNT_WRITE)) {
        writer_ask_me(writer);
    }
}

void writer_token(struct writer *writer, const struct problem *problem)
{
    if (problem != NULL) {
        writer_refused(writer, problem);
        return;
    }
    account_ask(writer->twitter->account, ACCOUNT_WRITE);
    writer_ask_me(writer);
}

bool writer_is_own(struct writer *writer, const struct post *post)
{
    bool ours = writer->own_id[0] != '\0' && strcmp(post->author_id, writer->own_id) == 0;
    if (!ours && writer->own_id[0] != '\0') {
        return false;
    }
    for (struct job *job = writer->first; job != NULL; job = job->next) {
        if (!job->remove && job_same(job, post->wording.text) &&
            (job->since[0] == '\0' || snowflake_compare(post->id, job->since) > 0)) {
            (void)budget_spend(writer->twitter->budget, BUDGET_CREATE);
            job_settle(job, HR_OK, post->id, -1, NULL); /* the echo was faster than the answer */
            return true;
        }
    }
    return ours;
}
