/* SPDX-License-Identifier: MIT */
/* The tool `hashroom twitter-login`. */
#include "login.h"
#include "mem.h"
#include <ctype.h>
#include <openssl/evp.h>

#define SCOPES "tweet.read tweet.write users.read offline.access"

enum { SECRET_BYTES = 32, SECRET_SIZE = 48, URL_MAX_BYTES = 4096 };
enum step { IDLE, ADDRESS, ASKING, DONE, FAILED };

struct login {
    struct twitter *twitter;
    struct client *client;
    struct token *token;
    enum step step;
    char verifier[SECRET_SIZE], state[SECRET_SIZE];
    struct hr_request *request;
    char words[512]; /* why it failed */
};

struct login *login_new(struct twitter *twitter, struct client *client, struct token *token)
{
    struct login *login = mem_calloc(1, sizeof(*login));
    *login = (struct login){.twitter = twitter, .client = client, .token = token};
    return login;
}

void login_free(struct login *login)
{
    if (login != NULL) {
        if (login->request != NULL) {
            login->twitter->api->net->http_cancel(login->request);
        }
        explicit_bzero(login->verifier, sizeof(login->verifier));
        free(login);
    }
}

/* Base 64 for addresses, without padding. */
static void pack(char out[SECRET_SIZE], const unsigned char *bytes, size_t len)
{
    unsigned char wide[SECRET_SIZE] = {0};
    (void)EVP_EncodeBlock(wide, bytes, (int)len);
    size_t n = 0;
    for (size_t i = 0; wide[i] != '\0' && wide[i] != '='; i++) {
        out[n++] = (char)(wide[i] == '+' ? '-' : wide[i] == '/' ? '_' : wide[i]);
    }
    out[n] = '\0';
}

static int secret(struct login *login, char out[SECRET_SIZE])
{
    unsigned char bytes[SECRET_BYTES];
    int status = login->twitter->api->random(login->twitter->bot, bytes, sizeof(bytes));
    pack(out, bytes, sizeof(bytes));
    return status;
}

static void parameter(struct text *url, const char *name, const char *value)
{
    text_print(url, "&%s=", name);
    oauth_encode(url, value);
}

/* Where the browser goes. */
static char *address(struct login *login)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    char challenge[SECRET_SIZE];
    struct text url;
    CLEANUP(mem_clear) char *base = client_option(login->twitter, "api_url");
    CLEANUP(mem_clear) char *id = client_option(login->twitter, "client_id");
    CLEANUP(mem_clear) char *redirect = client_option(login->twitter, "redirect_url");
    if (EVP_Digest(login->verifier, strlen(login->verifier), digest, &len, EVP_sha256(), NULL) != 1) {
        abort(); /* SHA-256 is always there */
    }
    pack(challenge, digest, len);
    text_init(&url, URL_MAX_BYTES);
    text_print(&url, "%s/i/oauth2/authorize?response_type=code",
               strcmp(base, "https://api.x.com") == 0 ? "https://x.com" : base);
    parameter(&url, "client_id", id);
    parameter(&url, "redirect_uri", redirect);
    parameter(&url, "scope", SCOPES);
    parameter(&url, "state", login->state);
    parameter(&url, "code_challenge", challenge);
    parameter(&url, "code_challenge_method", "S256");
    return text_detach(&url);
}

static int begin(struct login *login, struct hr_out *out)
{
    const struct hr_api *api = login->twitter->api;
    if (secret(login, login->verifier) != HR_OK || secret(login, login->state) != HR_OK) {
        return HR_EFAIL;
    }
    CLEANUP(mem_clear) char *url = address(login);
    CLEANUP(mem_clear) char *redirect = client_option(login->twitter, "redirect_url");
    login->step = ADDRESS;
    api->out(out, "1. In a browser, sign in to x.com as the account that is to post for the bot.\n");
    api->out(out, "2. Open this address there, and allow the application:\n%s\n", url);
    api->out(out,
             "3. The browser then goes to an address that begins with %s, and may say that it can't be reached: that "
             "is as it should be. Copy the whole address and paste it here within 30 seconds.\n",
             redirect);
    return api->ask(out, HR_ASK_HIDDEN, "The address:");
}

/* The value of a parameter of an address, decoded; NULL: there is none. The caller frees. */
static char *query_value(const char *url, const char *name)
{
    size_t n = strlen(name);
    const char *at = strchr(url, '?');
    while (at != NULL && (strncmp(at + 1, name, n) != 0 || at[1 + n] != '=')) {
        at = strchr(at + 1, '&');
    }
    if (at == NULL) {
        return NULL;
    }
    char *value = mem_copy(at + n + 2, strcspn(at + n + 2, "&#"));
    char *to = value;
    for (const char *from = value; *from != '\0'; from++) {
        if (*from == '%' && isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2])) {
            *to++ = (char)strtol((char[]){from[1], from[2], '\0'}, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return value;
}

static void on_reply(void *arg, const struct hr_reply *reply)
{
    struct login *login = arg;
    struct problem problem = client_problem(reply);
    login->request = NULL;
    if (problem.kind == PROBLEM_NONE && token_take(login->token, reply)) {
        login->step = DONE;
        return;
    }
    login->step = FAILED;
    snprintf(login->words, sizeof(login->words), "%s (%s)",
             problem.code == 401 ? "Twitter does not know the application: check client_id and client_secret_file"
             : problem.code == 400
                 ? "Twitter refused the code: it may be older than 30 seconds, or redirect_url is not "
                   "among the application's callback addresses"
                 : "Twitter gave no login",
             problem.detail[0] != '\0' ? problem.detail : problem.title);
}

static int send_code(struct login *login, const char *url, struct hr_out *out)
{
    const struct hr_api *api = login->twitter->api;
    CLEANUP(mem_clear) char *code = query_value(url, "code");
    CLEANUP(mem_clear) char *state = query_value(url, "state");
    CLEANUP(mem_clear) char *redirect = client_option(login->twitter, "redirect_url");
    if (code == NULL || state == NULL || strcmp(state, login->state) != 0) {
        login->step = IDLE;
        api->out(out, code == NULL ? "That address holds no code: the application was not allowed, or it is another "
                                     "address. Type hashroom twitter-login again.\n"
                                   : "That address is of another try. Type hashroom twitter-login again.\n");
        return HR_EINVAL;
    }
    struct client_call call = {.method = "POST", .path = "/2/oauth2/token", .auth = CLIENT_ID, .form = true};
    client_param(&call, "grant_type", "authorization_code");
    client_param(&call, "code", code);
    client_param(&call, "redirect_uri", redirect);
    client_param(&call, "code_verifier", login->verifier);
    if (client_start(login->client, &call, on_reply, login, &login->request) != HR_OK) {
        login->step = IDLE;
        api->out(out, "The request could not be started. Type hashroom twitter-login again.\n");
        return HR_EFAIL;
    }
    login->step = ASKING;
    return api->ask(out, HR_ASK_WAIT, "Asking Twitter.");
}

int login_run(struct login *login, int argc, const char *const *argv, struct hr_out *out)
{
    const struct hr_api *api = login->twitter->api;
    if (argc == 0) {
        if (login->step == ASKING) {
            api->out(out, "A login is under way. Try again in half a minute.\n");
            return HR_ERETRY;
        }
        return begin(login, out);
    }
    switch (login->step) {
    case ADDRESS: return send_code(login, argv[argc - 1], out);
    case ASKING: return api->ask(out, HR_ASK_WAIT, "Asking Twitter.");
    case DONE:
        login->step = IDLE;
        api->out(out, "Logged in. The bot keeps the login in its database and renews it by itself.\n");
        return HR_OK;
    case FAILED:
        login->step = IDLE;
        api->out(out, "%s. Type hashroom twitter-login again.\n", login->words);
        return HR_EFAIL;
    case IDLE: break;
    }
    api->out(out, "Type hashroom twitter-login without anything after it.\n");
    return HR_EINVAL;
}
