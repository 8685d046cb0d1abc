/* SPDX-License-Identifier: MIT */
/* The login of the account that posts, by OAuth 2.0. */
#include "token.h"
#include "account.h"
#include "backoff.h"
#include "mem.h"
#include "seal.h"
#include <inttypes.h>
#include <openssl/evp.h>

enum { TOKEN_MAX_BYTES = 4096, ORIGIN_BYTES = 65 };
static const int64_t MARGIN_MS = 5 * 60 * 1000, LIFETIME_MS = 2 * 60 * 60 * 1000, LIFETIME_MAX_S = 365LL * 24 * 3600;

struct token {
    struct twitter *twitter;
    struct client *client;
    void (*on_change)(void *arg, const struct problem *refused);
    void *arg;
    char origin[ORIGIN_BYTES]; /* SHA-256 of the operator's refresh token that all began with */
    char *access, *refresh;    /* access: "" if none */
    int64_t ends_ms;           /* of access, chat clock */
    int64_t margin_ms;
    bool asked; /* a renewal with this refresh token was sent, as the database has it */
    bool doubt; /* one before the request under way may have come through */
    bool lost;
    struct hr_request *request;
    struct hr_timer *timer; /* network clock: next try */
    struct backoff backoff;
};

/* ---- what outlives a restart ------------------------------------------------------ */

static void set(char **to, const char *value)
{
    if (*to != NULL) {
        explicit_bzero(*to, strlen(*to));
        free(*to);
    }
    *to = mem_dup(value);
}

static int save(struct token *token)
{
    const struct hr_api *api = token->twitter->api;
    CLEANUP(mem_clear) char *access = seal_close(token->twitter, "access", token->access);
    CLEANUP(mem_clear) char *refresh = seal_close(token->twitter, "refresh", token->refresh);
    if (access == NULL || refresh == NULL) {
        return HR_EFAIL;
    }
    struct hr_value args[] = {
        HR_V_STR(api->instance(token->twitter->bot)),
        HR_V_STR(token->origin),
        HR_V_STR(access),
        HR_V_STR(refresh),
        HR_V_INT(token->ends_ms),
        HR_V_INT(token->asked),
        HR_V_INT(token->lost),
    };
    return api->sql(token->twitter->bot,
                    "INSERT INTO twitter_token(instance, origin, access, refresh, ends_ms, asked, lost)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(instance) DO UPDATE SET origin = ?2, access = ?3,"
                    " refresh = ?4, ends_ms = ?5, asked = ?6, lost = ?7",
                    args, 7, NULL, NULL);
}

struct kept {
    struct token *token;
    bool plain;
};

static int take_row(void *arg, const struct hr_value *column, size_t count)
{
    struct kept *kept = arg;
    struct token *token = kept->token;
    if (count != 5) {
        return HR_OK;
    }
    char *access = seal_open(token->twitter, "access", column[0].str);
    char *refresh = seal_open(token->twitter, "refresh", column[1].str);
    kept->plain = seal_is_plain(column[0].str) || seal_is_plain(column[1].str);
    token->asked = token->doubt = column[3].num != 0;
    token->lost = column[4].num != 0 || access == NULL || refresh == NULL;
    if (access != NULL && refresh != NULL) {
        set(&token->access, access);
        set(&token->refresh, refresh);
        token->ends_ms = column[2].num;
    } else {
        token->twitter->api->log(token->twitter->bot, HR_WARN,
                                 "the login at Twitter was encrypted with a store key that was given up; log in again, "
                                 "type: hashroom twitter-login");
    }
    set(&access, NULL);
    set(&refresh, NULL);
    return HR_OK;
}

/* Takes what is stored. What an earlier version stored plain is sealed; that of a login the operator has replaced
 * serves nobody any more. */
static void load(struct token *token)
{
    struct twitter *twitter = token->twitter;
    struct kept kept = {.token = token};
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)), HR_V_STR(token->origin)};
    (void)twitter->api->sql(twitter->bot,
                            "SELECT access, refresh, ends_ms, asked, lost FROM twitter_token"
                            " WHERE instance = ?1 AND origin = ?2", /* another one: the operator logged in again */
                            args, 2, take_row, &kept);
    if (kept.plain) {
        (void)save(token);
    }
    (void)twitter->api->sql(twitter->bot, "DELETE FROM twitter_token WHERE instance = ?1 AND origin <> ?2", args, 2,
                            NULL, NULL);
}

struct erased {
    struct twitter *twitter;
    const char *why;
};

static int on_erased(void *arg, const struct hr_value *column, size_t count)
{
    const struct erased *erased = arg;
    (void)count;
    erased->twitter->api->log(erased->twitter->bot, HR_INFO, "\"%s\" %s: its login is erased", column[0].str,
                              erased->why);
    return HR_OK;
}

static void erase(struct twitter *twitter, const char *sql, const char *names, const char *why)
{
    struct erased erased = {twitter, why};
    (void)twitter->api->sql(twitter->bot, sql, (const struct hr_value[]){HR_V_STR(names)}, 1, on_erased, &erased);
}

void token_forget_left(struct twitter *twitter)
{
    erase(twitter, "DELETE FROM twitter_token WHERE instr(?1, ' ' || instance || ' ') = 0 RETURNING instance",
          twitter->api->instances(twitter->bot), "is no longer in plugins/twitter.conf");
}

void token_forget(struct twitter *twitter)
{
    erase(twitter, "DELETE FROM twitter_token WHERE instance = ?1 RETURNING instance",
          twitter->api->instance(twitter->bot), "no longer logs in with client_id");
}

static void hash(char out[ORIGIN_BYTES], const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1) {
        abort(); /* SHA-256 is always there */
    }
    for (unsigned int i = 0; i < len; i++) {
        snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
}

struct token *token_new(struct twitter *twitter, struct client *client,
                        void (*on_change)(void *arg, const struct problem *refused), void *arg)
{
    struct token *token = mem_calloc(1, sizeof(*token));
    *token = (struct token){
        .twitter = twitter, .client = client, .on_change = on_change, .arg = arg, .margin_ms = MARGIN_MS};
    token->access = mem_dup("");
    token->refresh = client_option(twitter, "refresh_token_file");
    hash(token->origin, token->refresh);
    load(token);
    twitter->api->secret(twitter->bot, token->access);
    twitter->api->secret(twitter->bot, token->refresh);
    client_set_access(client, token->access);
    return token;
}

void token_free(struct token *token)
{
    if (token != NULL) {
        if (token->request != NULL) {
            token->twitter->api->net->http_cancel(token->request);
        }
        token->twitter->api->timer_stop(token->timer);
        set(&token->access, NULL);
        set(&token->refresh, NULL);
        free(token);
    }
}

/* ---- renewal ------------------------------------------------------------------------- */

static void renew(struct token *token);

static void on_due(void *arg)
{
    struct token *token = arg;
    token->timer = NULL;
    renew(token);
}

static void renew_in(struct token *token, int64_t wait_ms, const char *why)
{
    struct twitter *twitter = token->twitter;
    twitter->api->log(twitter->bot, HR_WARN, "the login at Twitter is not renewed yet: %s; again in %" PRId64 " s", why,
                      (wait_ms + 999) / 1000);
    (void)twitter->api->timer_in(twitter->bot, wait_ms, 0, on_due, token, &token->timer);
}

struct problem token_problem(const struct token *token)
{
    struct problem problem = {.kind = PROBLEM_AUTH, .code = 400, .title = "refresh token"};
    snprintf(problem.type, sizeof(problem.type), "%s",
             token->refresh[0] == '\0' ? "token-none"
             : token->doubt            ? "token-lost"
                                       : "token-refused");
    return problem;
}

/* Takes the pair of an answer; false: there is none in it. */
static bool take_pair(struct token *token, const struct hr_reply *reply)
{
    const struct hr_api *api = token->twitter->api;
    json_t *root = json_loadb(reply->body, reply->body_len, JSON_ALLOW_NUL, NULL);
    const char *access = json_string_value(json_object_get(root, "access_token"));
    const char *refresh = json_string_value(json_object_get(root, "refresh_token"));
    json_int_t seconds = json_integer_value(json_object_get(root, "expires_in"));
    bool whole = access != NULL && refresh != NULL && access[0] != '\0' && refresh[0] != '\0' &&
                 strlen(access) <= TOKEN_MAX_BYTES && strlen(refresh) <= TOKEN_MAX_BYTES &&
                 strpbrk(access, " \r\n\"") == NULL;
    if (whole) {
        int64_t life_ms = seconds > 0 && seconds < LIFETIME_MAX_S ? seconds * 1000 : LIFETIME_MS;
        api->secret(token->twitter->bot, access);
        api->secret(token->twitter->bot, refresh);
        set(&token->access, access);
        set(&token->refresh, refresh);
        token->ends_ms = api->now_ms(token->twitter->bot) + life_ms;
        token->margin_ms = life_ms / 4 < MARGIN_MS ? life_ms / 4 : MARGIN_MS;
        token->asked = token->doubt = false;
    }
    json_decref(root);
    return whole;
}

static void use_pair(struct token *token)
{
    token->backoff = (struct backoff){0};
    (void)save(token);
    client_set_access(token->client, token->access);
    token->on_change(token->arg, NULL);
}

/* The request came to nothing. maybe: X may have carried it out nevertheless. */
static void failed(struct token *token, bool maybe)
{
    token->asked = token->doubt = token->doubt || maybe;
    (void)save(token);
}

static void refused(struct token *token, const struct problem *problem, int64_t reset_ms)
{
    bool dead = problem->code == 400 &&
                (strcmp(problem->title, "invalid_request") == 0 || strcmp(problem->title, "invalid_grant") == 0);
    token->lost = dead;
    failed(token, problem->kind == PROBLEM_SERVER);
    if (dead || problem->kind == PROBLEM_AUTH || problem->kind == PROBLEM_MONEY) {
        struct problem why = dead ? token_problem(token) : *problem;
        token->on_change(token->arg, &why);
    } else {
        enum backoff_why kind = problem->kind == PROBLEM_RATE ? BACKOFF_RATE : BACKOFF_HTTP;
        renew_in(token, backoff_next_ms(&token->backoff, kind, reset_ms), problem_words(problem));
    }
}

static void on_renewed(void *arg, const struct hr_reply *reply)
{
    struct token *token = arg;
    struct twitter *twitter = token->twitter;
    struct problem problem = client_problem(reply);
    token->request = NULL;
    account_heard(twitter->account, ACCOUNT_WRITE, reply->status == HR_OK);
    if (reply->status != HR_OK) {
        failed(token, reply->sent);
        renew_in(token, backoff_next_ms(&token->backoff, BACKOFF_HTTP, 0), reply->error);
    } else if (problem.kind == PROBLEM_NONE && take_pair(token, reply)) {
        twitter->api->log(twitter->bot, HR_INFO, "the login at Twitter is renewed");
        use_pair(token);
    } else if (problem.kind == PROBLEM_NONE) {
        failed(token, true);
        renew_in(token, backoff_next_ms(&token->backoff, BACKOFF_HTTP, 0), "the answer can't be read");
    } else {
        refused(token, &problem, client_reset_ms(token->client, reply));
    }
}

static void renew(struct token *token)
{
    struct client_call call = {.method = "POST", .path = "/2/oauth2/token", .auth = CLIENT_ID, .form = true};
    client_param(&call, "grant_type", "refresh_token");
    client_param(&call, "refresh_token", token->refresh);
    token->asked = true;
    if (save(token) != HR_OK || client_start(token->client, &call, on_renewed, token, &token->request) != HR_OK) {
        token->asked = token->doubt;
        renew_in(token, backoff_next_ms(&token->backoff, BACKOFF_HTTP, 0), "the request could not be started");
    }
}

bool token_is_lost(const struct token *token)
{
    return token->lost || token->refresh[0] == '\0';
}

enum token_state token_want(struct token *token)
{
    int64_t left_ms = token->ends_ms - token->twitter->api->now_ms(token->twitter->bot);
    if (token_is_lost(token)) {
        return TOKEN_LOST;
    }
    /* Where a renewal may be lost, the old token is used to its end. */
    if (token->access[0] != '\0' && left_ms > (token->doubt ? 0 : token->margin_ms)) {
        return TOKEN_READY;
    }
    if (token->request == NULL && token->timer == NULL) {
        renew(token);
    }
    return TOKEN_COMING;
}

bool token_take(struct token *token, const struct hr_reply *reply)
{
    if (!take_pair(token, reply)) {
        return false;
    }
    if (token->request != NULL) { /* of the old one */
        token->twitter->api->net->http_cancel(token->request);
        token->request = NULL;
    }
    token->twitter->api->timer_stop(token->timer);
    token->timer = NULL;
    token->lost = false;
    use_pair(token);
    return true;
}

void token_denied(struct token *token)
{
    if (token->request == NULL) {
        token->ends_ms = 0;
    }
}
