/* SPDX-License-Identifier: MIT */
/* Requests to the X API: address, encoding, credentials, dialect. */
#include "client.h"
#include "mem.h"
#include <openssl/evp.h>

enum { URL_MAX_BYTES = 16 * 1024, NONCE_BYTES = 16 };
static const int64_t STALL_MS = 30 * 1000, RESET_MAX_MS = 60 * 60 * 1000;

struct client {
    struct twitter *twitter;
    char *base, *bearer, *ca_file;
    char *consumer_key, *consumer_secret, *token, *token_secret; /* OAuth 1.0a */
    char *id, *id_secret, *access;                               /* OAuth 2.0: id is "" without it */
    enum dialect dialect;
    bool switched;
};

char *client_option(struct twitter *twitter, const char *name)
{
    const struct hr_value *value = twitter->api->option(twitter->bot, name);
    char *copy = mem_dup(value->str != NULL ? value->str : "");
    size_t len = strlen(copy);
    while (len > 0 && strchr(" \r\n\t", copy[len - 1]) != NULL) {
        copy[--len] = '\0';
    }
    return copy;
}

struct client *client_new(struct twitter *twitter)
{
    struct client *client = mem_calloc(1, sizeof(*client));
    *client = (struct client){
        .twitter = twitter,
        .base = client_option(twitter, "api_url"),
        .ca_file = client_option(twitter, "ca_file"),
        .bearer = client_option(twitter, "bearer_file"),
        .consumer_key = client_option(twitter, "consumer_key_file"),
        .consumer_secret = client_option(twitter, "consumer_secret_file"),
        .token = client_option(twitter, "access_token_file"),
        .token_secret = client_option(twitter, "access_secret_file"),
        .id = client_option(twitter, "client_id"),
        .id_secret = client_option(twitter, "client_secret_file"),
        .access = mem_dup(""),
    };
    CLEANUP(mem_clear) char *dialect = client_option(twitter, "dialect");
    client->dialect = strcmp(dialect, "post") == 0 ? DIALECT_POST : DIALECT_TWEET;
    size_t len = strlen(client->base);
    if (len > 0 && client->base[len - 1] == '/') {
        client->base[len - 1] = '\0';
    }
    return client;
}

static void wipe(char *secret)
{
    if (secret != NULL) {
        explicit_bzero(secret, strlen(secret));
        free(secret);
    }
}

void client_free(struct client *client)
{
    if (client != NULL) {
        wipe(client->bearer);
        wipe(client->consumer_key);
        wipe(client->consumer_secret);
        wipe(client->token);
        wipe(client->token_secret);
        wipe(client->id_secret);
        wipe(client->access);
        free(client->id);
        free(client->base);
        free(client->ca_file);
        free(client);
    }
}

void client_set_access(struct client *client, const char *access)
{
    wipe(client->access);
    client->access = mem_dup(access);
}

void client_param(struct client_call *call, const char *name, const char *value)
{
    if (call->param_count == CLIENT_PARAMS_MAX) {
        abort(); /* a bug: no call has so many */
    }
    call->param[call->param_count++] = (struct oauth_param){name, value};
}

void client_fields(struct client_call *call, enum dialect dialect, bool stream)
{
    if (dialect == DIALECT_POST && !stream) {
        client_param(call, "post.fields",
                     "created_at,conversation_id,entities,attachments,note_post,possibly_sensitive,"
                     "lang,display_text_range,withheld");
        client_param(call, "expansions", "author_id,attachments.media_keys,referenced_posts");
    } else {
        client_param(call, "tweet.fields",
                     "author_id,created_at,conversation_id,in_reply_to_user_id,referenced_tweets,"
                     "entities,attachments,note_tweet,edit_history_tweet_ids,possibly_sensitive,"
                     "lang,display_text_range,withheld");
        client_param(call, "expansions", "author_id,attachments.media_keys");
    }
    client_param(call, "user.fields", "username,name,protected");
    client_param(call, "media.fields", "type,alt_text");
}

static int new_nonce(struct client *client, char out[NONCE_BYTES * 2 + 1])
{
    unsigned char bytes[NONCE_BYTES];
    int status = client->twitter->api->random(client->twitter->bot, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    return status;
}

/* "id:secret" in base 64, each part encoded first. */
static char *basic(const struct client *client)
{
    struct text plain, out;
    text_init(&plain, URL_MAX_BYTES);
    text_init(&out, URL_MAX_BYTES * 2);
    oauth_encode(&plain, client->id);
    text_str(&plain, ":");
    oauth_encode(&plain, client->id_secret);
    char *packed = mem_calloc(4 * (plain.len + 2) / 3 + 4, 1);
    (void)EVP_EncodeBlock((unsigned char *)packed, (const unsigned char *)text_get(&plain), (int)plain.len);
    text_print(&out, "Authorization: Basic %s", packed);
    wipe(packed);
    text_clear(&plain);
    return text_detach(&out);
}

static char *bearer(const char *token)
{
    struct text out;
    text_init(&out, URL_MAX_BYTES);
    text_print(&out, "Authorization: Bearer %s", token);
    return text_detach(&out);
}

/* `Authorization: ...`, "Accept: ..." where none is due; the caller frees; NULL: no random bytes, no library. */
static char *authorization(struct client *client, const struct client_call *call, const char *url)
{
    if (call->auth == CLIENT_APP) {
        return bearer(client->bearer);
    }
    if (call->auth == CLIENT_ID) {
        return client->id_secret[0] != '\0' ? basic(client) : mem_dup("Accept: application/json");
    }
    if (client->id[0] != '\0') {
        return bearer(client->access);
    }
    const struct oauth_keys keys = {client->consumer_key, client->consumer_secret, client->token, client->token_secret};
    char nonce[NONCE_BYTES * 2 + 1];
    if (new_nonce(client, nonce) != HR_OK) {
        return NULL;
    }
    int64_t seconds = client->twitter->api->wall_ms(client->twitter->bot) / 1000;
    return oauth_header(&keys, call->method, url, call->param, call->param_count, nonce, seconds);
}

static char *encoded(const struct client *client, const struct client_call *call)
{
    struct text out;
    text_init(&out, URL_MAX_BYTES);
    for (size_t i = 0; i < call->param_count; i++) {
        text_str(&out, i == 0 ? "" : "&");
        oauth_encode(&out, call->param[i].name);
        text_str(&out, "=");
        oauth_encode(&out, call->param[i].value);
    }
    if (call->auth == CLIENT_ID && client->id_secret[0] == '\0') { /* a client without a secret names itself */
        text_str(&out, "&client_id=");
        oauth_encode(&out, client->id);
    }
    return text_detach(&out);
}

int client_start(struct client *client, const struct client_call *call, hr_http_fn *fn, void *arg,
                 struct hr_request **out)
{
    struct text url;
    text_init(&url, URL_MAX_BYTES);
    text_print(&url, "%s%s", client->base, call->path);
    CLEANUP(mem_clear) char *auth = authorization(client, call, text_get(&url));
    CLEANUP(mem_clear) char *parameters = encoded(client, call);
    if (!call->form && parameters[0] != '\0') {
        text_print(&url, "?%s", parameters);
    }
    CLEANUP(mem_clear) char *whole = text_detach(&url);
    if (auth == NULL) {
        return HR_EFAIL;
    }
    const char *body = call->form ? parameters : call->body;
    const char *headers[] = {auth, "User-Agent: hashroom/" HASHROOM_VERSION,
                             call->form     ? "Content-Type: application/x-www-form-urlencoded"
                             : body != NULL ? "Content-Type: application/json"
                                            : NULL,
                             NULL};
    struct hr_http http = {
        .size = sizeof(http),
        .method = call->method,
        .url = whole,
        .headers = headers,
        .body = body,
        .body_len = body == NULL ? 0 : strlen(body),
        .max_reply_bytes = 8 * 1024 * 1024, /* a page of 100 long posts */
        .timeout_ms = call->data != NULL ? -1 : 0,
        .stall_ms = STALL_MS,
        .ca_file = client->ca_file[0] != '\0' ? client->ca_file : NULL,
        .data = call->data,
        .opened = call->opened,
    };
    int status = client->twitter->api->net->http(client->twitter->bot, &http, fn, arg, out);
    explicit_bzero(auth, strlen(auth));
    if (call->form) {
        explicit_bzero(parameters, strlen(parameters));
    }
    return status;
}

enum dialect client_dialect(const struct client *client)
{
    return client->dialect;
}

bool client_switch_dialect(struct client *client)
{
    if (client->switched) {
        return false;
    }
    client->switched = true;
    client->dialect = client->dialect == DIALECT_TWEET ? DIALECT_POST : DIALECT_TWEET;
    client->twitter->api->log(client->twitter->bot, HR_WARN,
                              "Twitter does not know a name in our request: going on with the other set of names; put "
                              "dialect = %s into the configuration to spare this",
                              client->dialect == DIALECT_POST ? "post" : "tweet");
    return true;
}

struct problem client_problem(const struct hr_reply *reply)
{
    struct problem problem = {.kind = PROBLEM_SERVER};
    if (reply->status == HR_OK && reply->code >= 200 && reply->code < 300) {
        problem.kind = PROBLEM_NONE; /* `errors` beside `data` only name what is missing there */
        problem.code = reply->code;
    } else if (reply->status == HR_OK) {
        problem_read(&problem, reply->code, reply->body, reply->body_len);
    } else {
        snprintf(problem.detail, sizeof(problem.detail), "%s", reply->error);
    }
    return problem;
}

/* Value of a header line in `headers`, or NULL. */
static const char *header(const char *headers, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = headers; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL) {
        if (strncmp(at, name, len) == 0) {
            return at + len;
        }
    }
    return NULL;
}

/* Counted from X's own `date`, so that a wrong clock here does no harm. */
int64_t client_reset_ms(struct client *client, const struct hr_reply *reply)
{
    const char *reset = header(reply->headers, "x-rate-limit-reset: "), *date = header(reply->headers, "date: ");
    struct tm tm = {0};
    int64_t now_ms = client->twitter->api->wall_ms(client->twitter->bot);
    if (date != NULL && strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm) != NULL) {
        now_ms = (int64_t)timegm(&tm) * 1000;
    }
    const char *left = header(reply->headers, "x-rate-limit-remaining: ");
    if (left != NULL && strtoll(left, NULL, 10) > 0) {
        reset = NULL; /* the limit of requests is not what was hit: another connection, a cap */
    }
    int64_t wait = reset != NULL ? strtoll(reset, NULL, 10) * 1000 - now_ms : 0;
    wait = wait < reply->retry_ms ? reply->retry_ms : wait;
    return wait < 0 ? 0 : wait > RESET_MAX_MS ? RESET_MAX_MS : wait;
}
