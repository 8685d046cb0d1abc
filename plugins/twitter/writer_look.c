/* SPDX-License-Identifier: MIT */
/* Looks whether a doubtful post is there: our own timeline, then post again, ask again, or say unknown. */
#include "account.h"
#include "budget.h"
#include "mem.h"
#include "writer_job.h"

static const int64_t LOOK_MS = 8000, GIVE_UP_MS = 60 * 1000, DAY_MS = 24LL * 3600 * 1000;

static void look(struct job *job);

static void on_look_due(void *arg)
{
    struct job *job = arg;
    job->timer = NULL;
    look(job);
}

static bool too_late(const struct job *job)
{
    const struct twitter *twitter = job->writer->twitter;
    return twitter->api->monotonic_ms(twitter->bot) - job->doubt_ms >= GIVE_UP_MS;
}

void job_doubt(struct job *job, int64_t wait_ms)
{
    struct twitter *twitter = job->writer->twitter;
    bool blind = account_away(twitter->account, ACCOUNT_WRITE) && !job_is_late(job);
    if (job->doubt_ms == 0 || blind) { /* while X is away, nobody else can look there either */
        job->doubt_ms = twitter->api->monotonic_ms(twitter->bot);
    }
    if (too_late(job)) {
        job_settle(job, HR_EUNKNOWN, NULL, -1,
                   "nobody can say whether it came out on Twitter; please look, and post it if not");
    } else if (twitter->api->timer_in(twitter->bot, wait_ms, 0, on_look_due, job, &job->timer) != HR_OK) {
        job_settle(job, HR_EUNKNOWN, NULL, -1, "no timer to look for it with");
    }
}

void job_lost(struct job *job)
{
    struct twitter *twitter = job->writer->twitter;
    if (!job->lost) {
        twitter->api->log(twitter->bot, HR_WARN,
                          "it is not clear whether a post came out on Twitter: looking for it first");
    }
    job->lost = true;
    job_doubt(job, LOOK_MS);
}

/* The id of the post in `root` that is ours, or NULL. */
static const char *find(const struct job *job, const json_t *root)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(root, "data"), i, one)
    {
        struct post post;
        post_read(&post, one, json_object_get(root, "includes"));
        bool same = post.kind == POST_SHOW && job_same(job, post.wording.text) && post.time_ms > job->begun_ms - DAY_MS;
        post_clear(&post);
        if (same) {
            return json_string_value(json_object_get(one, "id"));
        }
    }
    return NULL;
}

static void absent(struct job *job)
{
    if (job_is_late(job)) {
        job_give_up(job);
    } else if (!job->refused) {
        job_post(job);
    } else if (!job->lost) {
        job_settle(job, HR_EFAIL, NULL, -1,
                   "Twitter refused it because the same words were posted lately; add a date or a number");
    } else {
        job_doubt(job, LOOK_MS);
    }
}

static void on_looked(void *arg, const struct hr_reply *reply)
{
    struct job *job = arg;
    struct twitter *twitter = job->writer->twitter;
    struct problem problem = client_problem(reply);
    job->request = NULL;
    account_heard(twitter->account, ACCOUNT_WRITE, reply->status == HR_OK);
    if (problem.kind == PROBLEM_PARAMETER && client_switch_dialect(job->writer->client)) {
        look(job);
        return;
    }
    if (problem.kind == PROBLEM_AUTH || problem.kind == PROBLEM_MONEY) {
        writer_refused(job->writer, &problem);
    }
    json_t *root = problem.kind == PROBLEM_NONE ? json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL) : NULL;
    if (root == NULL) {
        int64_t reset_ms = client_reset_ms(job->writer->client, reply);
        job_doubt(job, reset_ms > LOOK_MS ? reset_ms : LOOK_MS);
        return;
    }
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(root, "data"), i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        (void)(snowflake_valid(id) ? budget_read(twitter->budget, BUDGET_OWN_READ, id) : 0);
    }
    const char *id = find(job, root);
    if (id != NULL) {
        (void)budget_spend(twitter->budget, BUDGET_CREATE);
        job_settle(job, HR_OK, id, -1, NULL);
    } else {
        absent(job);
    }
    json_decref(root);
}

static void look(struct job *job)
{
    struct writer *writer = job->writer;
    const struct hr_api *api = writer->twitter->api;
    if (writer->own_id[0] == '\0' || !writer_may(writer)) {
        writer_ask_me(writer);
        job_doubt(job, LOOK_MS);
        return;
    }
    struct client_call call = {.method = "GET",
                               .auth = CLIENT_USER,
                               .path = api->print(writer->twitter->bot, "/2/users/%s/tweets", writer->own_id)};
    client_param(&call, "max_results", job->since[0] != '\0' ? "5" : "20");
    if (job->since[0] != '\0') {
        client_param(&call, "since_id", job->since);
    }
    client_fields(&call, client_dialect(writer->client), false);
    if (client_start(writer->client, &call, on_looked, job, &job->request) != HR_OK) {
        job_doubt(job, LOOK_MS);
    }
}
