/* SPDX-License-Identifier: MIT */
/* What an error of the X API means to us. */
#include "problem.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *str(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    return s != NULL ? s : "";
}

/* From the root, else from the first of `errors`; v1 bodies say `message`. */
static void take(char *out, size_t size, const json_t *root, const char *name, const char *other)
{
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *candidates[] = {str(root, name), str(first, name), str(first, other), str(root, other)};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates) && out[0] == '\0'; i++) {
        snprintf(out, size, "%s", candidates[i]);
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = (unsigned char)*p < ' ' || *p == 0x7F ? ' ' : *p;
    }
}

static bool has(const char *text, const char *piece)
{
    return strcasestr(text, piece) != NULL;
}

static enum problem_kind bad_request(const struct problem *problem, const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const json_t *parameters = json_object_get(first, "parameters");
    const char *message = str(first, "message");
    if (json_object_get(parameters, "since_id") != NULL || has(message, "'since_id' must be")) {
        return PROBLEM_SINCE;
    }
    bool names = has(message, ".fields") || has(message, "expansions") || has(problem->detail, ".fields") ||
                 has(problem->detail, "expansions");
    return names || (has(message, "query parameter") && has(message, "not one of")) ? PROBLEM_PARAMETER
                                                                                    : PROBLEM_REFUSED;
}

/* v2 has a type for it; older paths say it in words (codes 64 and 326). */
static bool is_suspended(const struct problem *problem)
{
    return strcmp(problem->type, "user-suspended") == 0 || has(problem->detail, "account is suspended") ||
           has(problem->detail, "account is temporarily locked");
}

static enum problem_kind forbidden(const struct problem *problem)
{
    if (has(problem->title, "SpendCapReached") || strcmp(problem->type, "credits") == 0) {
        return PROBLEM_MONEY;
    }
    if (strcmp(problem->type, "client-forbidden") == 0 || strcmp(problem->type, "unsupported-authentication") == 0 ||
        is_suspended(problem)) {
        return PROBLEM_AUTH;
    }
    return has(problem->detail, "duplicate content") ? PROBLEM_DUPLICATE : PROBLEM_REFUSED;
}

static enum problem_kind too_many(const struct problem *problem, const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    if (strcmp(problem->type, "usage-capped") == 0) {
        return PROBLEM_CAP;
    }
    bool connections = strcmp(problem->type, "streaming-connection") == 0 ||
                       has(problem->title, "ConnectionException") ||
                       has(str(root, "connection_issue"), "TooManyConnections") ||
                       has(str(first, "connection_issue"), "TooManyConnections");
    return connections ? PROBLEM_CONNECTIONS : PROBLEM_RATE;
}

static enum problem_kind classify(const struct problem *problem, const json_t *root)
{
    switch (problem->code) {
    case 400: return bad_request(problem, root);
    case 401: return PROBLEM_AUTH;
    case 402: return PROBLEM_MONEY;
    case 403: return forbidden(problem);
    case 404: return PROBLEM_GONE;
    case 409: return PROBLEM_NO_RULES;
    case 429: return too_many(problem, root);
    default: return problem->code >= 400 && problem->code < 500 ? PROBLEM_REFUSED : PROBLEM_SERVER;
    }
}

void problem_read(struct problem *problem, int code, const char *body, size_t len)
{
    *problem = (struct problem){.code = code};
    json_t *root = body == NULL ? NULL : json_loadb(body, len, JSON_ALLOW_NUL, NULL);
    char type[256];
    take(problem->title, sizeof(problem->title), root, "title", "error");
    take(problem->detail, sizeof(problem->detail), root, "detail", "message");
    if (problem->detail[0] == '\0') {
        take(problem->detail, sizeof(problem->detail), root, "error_description", "error_description");
    }
    take(type, sizeof(type), root, "type", "type");
    const char *slash = strrchr(type, '/');
    snprintf(problem->type, sizeof(problem->type), "%.63s", slash != NULL ? slash + 1 : type);
    take(problem->reset_date, sizeof(problem->reset_date), root, "reset_date", "reset_date");
    if (code >= 200 && code < 300) {
        bool full = has(problem->title, "ConnectionException") || strcmp(problem->type, "streaming-connection") == 0;
        problem->kind = root == NULL || json_object_get(root, "errors") == NULL ? PROBLEM_NONE
                        : full                                                  ? PROBLEM_CONNECTIONS
                                                                                : PROBLEM_SERVER;
    } else {
        bool foreign = root == NULL && len > 0; /* X says why in JSON: this is a proxy, or half an answer */
        bool plain = code == 401 || code == 404 || code == 429;
        problem->kind = foreign && !plain ? PROBLEM_SERVER : classify(problem, root);
    }
    json_decref(root);
}

static const char *auth_words(const struct problem *problem)
{
    static const struct {
        const char *type, *words;
    } table[] = {
        {"client-forbidden", "the application has no access to the API; attach it to a project in Twitter's developer "
                             "console and make new keys there"},
        {"unsupported-authentication", "the keys are of a kind that may not do this; make them as the handbook says, "
                                       "with Read and write, and restart"},
        {"token-none", "nobody has logged in for the bot yet; type: hashroom twitter-login"},
        {"token-lost", "the new login got lost on its way while it was being renewed; log in again, type: hashroom "
                       "twitter-login"},
        {"token-refused",
         "Twitter no longer takes the login: it was withdrawn, is too old, or was used elsewhere; log in "
         "again, type: hashroom twitter-login"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (strcmp(problem->type, table[i].type) == 0) {
            return table[i].words;
        }
    }
    if (is_suspended(problem)) {
        return "Twitter has suspended or locked the account; sign in at x.com as that account to see why and what to "
               "do";
    }
    return "Twitter refused the credentials; check that the keys are current, that the application may read and write, "
           "and that this machine's clock is right, then restart";
}

const char *problem_words(const struct problem *problem)
{
    switch (problem->kind) {
    case PROBLEM_NONE: return "all is well";
    case PROBLEM_REFUSED: return "Twitter refused it";
    case PROBLEM_PARAMETER: return "Twitter does not know a name we use; set the option \"dialect\" to the other value";
    case PROBLEM_SINCE: return "Twitter only searches the last 7 days";
    case PROBLEM_DUPLICATE:
        return "Twitter refused it because the same words were posted lately; add a date or a number";
    case PROBLEM_AUTH: return auth_words(problem);
    case PROBLEM_MONEY:
        return problem->reset_date[0] != '\0'
                   ? "the spending limit of this billing cycle is reached; raise it in "
                     "Twitter's developer console or wait for the next cycle"
                   : "the credits at Twitter are used up; top them up in its developer console";
    case PROBLEM_CAP:
        return "the month's reading allowance at Twitter is used up; buy more in its developer console or wait for the "
               "next month";
    case PROBLEM_GONE: return "it is no longer on Twitter";
    case PROBLEM_NO_RULES: return "Twitter has lost the rule that says what to send";
    case PROBLEM_RATE: return "Twitter asks for a pause";
    case PROBLEM_CONNECTIONS: return "another connection to Twitter is still open";
    case PROBLEM_SERVER: return problem->code == 0 ? "Twitter cannot be reached" : "Twitter has a fault";
    }
    return "Twitter has a fault";
}
