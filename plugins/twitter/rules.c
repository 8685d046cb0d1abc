/* SPDX-License-Identifier: MIT */
/* Makes X's stream rules ours: look, take away what is stale, add what is missing. */
#include "rules.h"
#include "mem.h"
#include <jansson.h>

#define RULES_PATH "/2/tweets/search/stream/rules"
#define RULES_MARK "hashroom " /* begins the tag of each rule that is ours */

struct rules {
    struct twitter *twitter;
    struct client *client;
    rules_fn *fn;
    void *arg;
    char **tag;
    size_t count;
    json_t *add, *drop; /* what has to be done, or NULL */
    struct hr_request *request;
};

struct rules *rules_new(struct twitter *twitter, struct client *client, rules_fn *fn, void *arg)
{
    struct rules *rules = mem_calloc(1, sizeof(*rules));
    *rules = (struct rules){.twitter = twitter, .client = client, .fn = fn, .arg = arg};
    return rules;
}

static void forget(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->tag[i]);
    }
    free(rules->tag);
    rules->tag = NULL;
    rules->count = 0;
    json_decref(rules->add);
    json_decref(rules->drop);
    rules->add = rules->drop = NULL;
}

void rules_cancel(struct rules *rules)
{
    if (rules->request != NULL) {
        rules->twitter->api->net->http_cancel(rules->request);
        rules->request = NULL;
    }
    forget(rules);
}

void rules_free(struct rules *rules)
{
    if (rules != NULL) {
        rules_cancel(rules);
        free(rules);
    }
}

static void finish(struct rules *rules, int status, const struct problem *problem, int64_t reset_ms)
{
    forget(rules);
    rules->fn(rules->arg, status, problem, reset_ms);
}

static void next_step(struct rules *rules);

/* X answers 2xx with `errors` where a rule was not taken. A double is as good as a new one. */
static bool refused(struct rules *rules, const struct hr_reply *reply)
{
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    bool bad = false;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(root, "errors"), i, one)
    {
        const char *title = json_string_value(json_object_get(one, "title"));
        const char *why = json_string_value(json_array_get(json_object_get(one, "details"), 0));
        const char *value = json_string_value(json_object_get(one, "value"));
        if (title == NULL || strcmp(title, "DuplicateRule") != 0) {
            bad = true;
            rules->twitter->api->log(
                rules->twitter->bot, HR_ERROR,
                "Twitter refused the stream rule \"%s\": %s; posts with that tag come late, by search",
                value != NULL ? value : "?",
                why != NULL     ? why
                : title != NULL ? title
                                : "no reason");
        }
    }
    json_decref(root);
    return bad;
}

static void on_changed(void *arg, const struct hr_reply *reply)
{
    struct rules *rules = arg;
    rules->request = NULL;
    struct problem problem = client_problem(reply);
    if (reply->status == HR_OK && reply->code >= 200 && reply->code < 300) {
        (void)refused(rules, reply);
        next_step(rules);
        return;
    }
    bool again = problem.kind == PROBLEM_SERVER || problem.kind == PROBLEM_RATE;
    finish(rules, again ? HR_ERETRY : HR_EFAIL, &problem, client_reset_ms(rules->client, reply));
}

static void next_step(struct rules *rules)
{
    json_t *body = NULL;
    if (json_array_size(rules->drop) > 0) {
        body = json_pack("{s:{s:O}}", "delete", "ids", rules->drop);
        json_decref(rules->drop);
        rules->drop = NULL;
    } else if (json_array_size(rules->add) > 0) {
        body = json_pack("{s:O}", "add", rules->add);
        json_decref(rules->add);
        rules->add = NULL;
    }
    if (body == NULL) {
        finish(rules, HR_OK, NULL, 0);
        return;
    }
    CLEANUP(mem_clear) char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    struct client_call call = {.method = "POST", .path = RULES_PATH, .body = text};
    if (client_start(rules->client, &call, on_changed, rules, &rules->request) != HR_OK) {
        struct problem problem = {.kind = PROBLEM_SERVER, .detail = "the request could not be started"};
        finish(rules, HR_ERETRY, &problem, 0);
    }
}

static void plan(struct rules *rules, const json_t *have)
{
    bool *found = mem_calloc(rules->count, sizeof(*found));
    size_t i;
    json_t *one;
    rules->add = json_array();
    rules->drop = json_array();
    json_array_foreach(have, i, one)
    {
        const char *value = json_string_value(json_object_get(one, "value"));
        const char *tag = json_string_value(json_object_get(one, "tag"));
        bool wanted = false;
        for (size_t k = 0; k < rules->count && value != NULL; k++) {
            size_t len = strlen(rules->tag[k]);
            if (strncasecmp(value, rules->tag[k], len) == 0 && strcmp(value + len, " -is:retweet") == 0) {
                found[k] = wanted = true;
            }
        }
        if (!wanted && tag != NULL && strncmp(tag, RULES_MARK, strlen(RULES_MARK)) == 0) {
            json_array_append(rules->drop, json_object_get(one, "id"));
        }
    }
    for (size_t k = 0; k < rules->count; k++) {
        if (!found[k]) {
            json_array_append_new(rules->add, json_pack("{s:s+, s:s+}", "value", rules->tag[k], " -is:retweet", "tag",
                                                        RULES_MARK, rules->tag[k]));
        }
    }
    free(found);
}

static void on_list(void *arg, const struct hr_reply *reply)
{
    struct rules *rules = arg;
    rules->request = NULL;
    struct problem problem = client_problem(reply);
    if (reply->status != HR_OK || problem.kind != PROBLEM_NONE) {
        bool again = problem.kind == PROBLEM_SERVER || problem.kind == PROBLEM_RATE;
        finish(rules, again ? HR_ERETRY : HR_EFAIL, &problem, client_reset_ms(rules->client, reply));
        return;
    }
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    plan(rules, json_object_get(root, "data"));
    json_decref(root);
    next_step(rules);
}

int rules_set(struct rules *rules, const char *const *tag, size_t count)
{
    rules_cancel(rules);
    rules->tag = mem_calloc(count, sizeof(*rules->tag));
    rules->count = count;
    for (size_t i = 0; i < count; i++) {
        rules->tag[i] = mem_dup(tag[i]);
    }
    struct client_call call = {.method = "GET", .path = RULES_PATH};
    return client_start(rules->client, &call, on_list, rules, &rules->request);
}
