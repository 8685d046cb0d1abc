/* SPDX-License-Identifier: MIT */
/* Follows deletions on X, by its Activity API. */
#include "deletions.h"
#include "account.h"
#include "mem.h"
#include "snowflake.h"
#include "stream.h"
#include "subscriptions.h"

struct deletions {
    struct twitter *twitter;
    struct client *client;
    struct stream *stream;
    bool open;
    bool denied; /* the stream once heard 401: that may be a fault of theirs */
    struct subscriptions *subscriptions;
};

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

static bool on_refused(void *arg, const struct problem *problem)
{
    struct deletions *deletions = arg;
    bool once = problem->code == 401 && !deletions->denied;
    deletions->denied = true;
    if (!once && account_lets(deletions->twitter->account, ACCOUNT_READ)) {
        deletions->twitter->api->log(deletions->twitter->bot, HR_WARN,
                                     "deletions on Twitter are not followed: %s (%d %s)", problem_words(problem),
                                     problem->code, problem->title);
    }
    return !once;
}

static void on_given_up(void *arg, const char *words)
{
    struct deletions *deletions = arg;
    deletions->twitter->api->log(deletions->twitter->bot, HR_ERROR,
                                 "deletions on Twitter are not followed (%s): take posts away with !hide if asked",
                                 words);
}

static const struct stream_calls calls = {
    .opened = on_change, .dropped = on_change, .line = on_line, .refused = on_refused, .given_up = on_given_up};

/* ---- public ---------------------------------------------------------------------------------- */

struct deletions *deletions_new(struct twitter *twitter, struct client *client)
{
    struct deletions *deletions = mem_calloc(1, sizeof(*deletions));
    *deletions = (struct deletions){.twitter = twitter, .client = client};
    deletions->subscriptions = subscriptions_new(twitter, client);
    deletions->stream = stream_new(twitter, client, "deletions on Twitter", "/2/activity/stream", &calls, deletions);
    return deletions;
}

void deletions_free(struct deletions *deletions)
{
    if (deletions != NULL) {
        subscriptions_free(deletions->subscriptions);
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
    deletions->denied = false;
    subscriptions_open(deletions->subscriptions, open);
    if (open) {
        stream_start(deletions->stream);
    } else {
        stream_stop(deletions->stream);
    }
}

void deletions_author(struct deletions *deletions, const char *user_id)
{
    if (deletions != NULL) {
        subscriptions_author(deletions->subscriptions, user_id);
    }
}

void deletions_report(struct deletions *deletions, struct hr_out *out)
{
    const struct hr_api *api = deletions->twitter->api;
    int64_t left = subscriptions_missing(deletions->subscriptions);
    if (deletions->open && !stream_is_open(deletions->stream)) {
        api->out(out, "Deletions on Twitter are not followed just now: %s.\n", stream_words(deletions->stream));
    }
    if (deletions->open && left > 0) {
        api->out(out, "Deletions of %lld people on Twitter are not followed yet.\n", (long long)left);
    }
}
