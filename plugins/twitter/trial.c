/* SPDX-License-Identifier: MIT */
/* What `hashroom doctor` wants to know. */
#include "trial.h"
#include "credentials.h"
#include "mem.h"

struct trial {
    struct twitter *twitter;
    struct client *client;
    struct hr_request *reading, *posting;
    char handle[32]; /* who posts */
    char trouble[400];
};

static void finish(struct trial *trial)
{
    const struct hr_network_api *net = trial->twitter->api->net;
    if (trial->trouble[0] != '\0') {
        net->down(trial->twitter->bot, NULL, trial->trouble);
    } else if (trial->reading == NULL && trial->posting == NULL) {
        net->up(trial->twitter->bot, NULL);
    }
}

static void take(struct trial *trial, const struct hr_reply *reply, const char *what, const char *options)
{
    struct problem problem = client_problem(reply);
    if (problem.kind != PROBLEM_NONE && trial->trouble[0] == '\0') {
        snprintf(trial->trouble, sizeof(trial->trouble), "%s: %s (%d %s); it goes by %s", what, problem_words(&problem),
                 problem.code, problem.detail[0] != '\0' ? problem.detail : problem.title, options);
    }
}

static void on_reading(void *arg, const struct hr_reply *reply)
{
    struct trial *trial = arg;
    trial->reading = NULL;
    take(trial, reply, "Twitter can't be read", "bearer_file");
    finish(trial);
}

static void on_posting(void *arg, const struct hr_reply *reply)
{
    struct trial *trial = arg;
    trial->posting = NULL;
    take(trial, reply, "nothing can be posted on Twitter",
         "the four files from consumer_key_file to access_secret_file");
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    const char *handle = json_string_value(json_object_get(json_object_get(root, "data"), "username"));
    if (handle != NULL && strlen(handle) < sizeof(trial->handle)) {
        snprintf(trial->handle, sizeof(trial->handle), "%s", handle);
    }
    json_decref(root);
    finish(trial);
}

struct trial *trial_new(struct twitter *twitter, struct client *client)
{
    struct trial *trial = mem_calloc(1, sizeof(*trial));
    *trial = (struct trial){.twitter = twitter, .client = client};
    struct client_call rules = {.method = "GET", .path = "/2/tweets/search/stream/rules"};
    struct client_call me = {.method = "GET", .path = "/2/users/me", .auth = CLIENT_USER};
    bool keys = credentials_kind(twitter->bot, twitter->api) == CREDENTIALS_OAUTH1;
    if (client_start(client, &rules, on_reading, trial, &trial->reading) != HR_OK ||
        (keys && client_start(client, &me, on_posting, trial, &trial->posting) != HR_OK)) {
        snprintf(trial->trouble, sizeof(trial->trouble), "Twitter can't be asked: look at api_url");
        finish(trial);
    }
    return trial;
}

void trial_free(struct trial *trial)
{
    if (trial != NULL) {
        const struct hr_network_api *net = trial->twitter->api->net;
        if (trial->reading != NULL) {
            net->http_cancel(trial->reading);
        }
        if (trial->posting != NULL) {
            net->http_cancel(trial->posting);
        }
        free(trial);
    }
}

void trial_report(struct trial *trial, struct hr_out *out)
{
    const struct hr_api *api = trial->twitter->api;
    if (trial->handle[0] != '\0') {
        api->out(out, "It reads Twitter, and posts as @%s.\n", trial->handle);
    } else {
        api->out(out,
                 "It reads Twitter. Whether it can post is not tried here, for that would use up the login of the bot "
                 "that runs: ask that bot with !status.\n");
    }
}
