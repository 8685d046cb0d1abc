/* SPDX-License-Identifier: MIT */
/* Getting and keeping the account's access. */
#include "login.h"

#include "account.h"
#include "call.h"
#include "discover.h"
#include "e2ee/e2ee.h"
#include "refresh.h"
#include "scan.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

enum { DEVICE_LETTERS = 10 };
static const int64_t MAX_LIFE_MS = 100LL * 365 * 24 * 3600 * 1000;

static void login_now(struct matrix *mx);

void login_take_tokens(struct matrix *mx, const char *token, const char *refresh, const json_t *expires_in_ms)
{
    char *kept = mem_dup(refresh); /* may be the one that is replaced */
    mem_set(&mx->token, token);
    mem_set(&mx->refresh, kept);
    free(kept);
    int64_t life_ms = json_is_integer(expires_in_ms) ? (int64_t)json_integer_value(expires_in_ms) : 0;
    mx->expires_ms = life_ms > 0 && life_ms < MAX_LIFE_MS ? mx->api->wall_ms(mx->bot) + life_ms : 0;
    account_hide_tokens(mx);
    mx->login_no++;
    account_save(mx);
    refresh_plan(mx);
}

void login_device_changed(struct matrix *mx)
{
    mx->device_since_ms = mx->api->wall_ms(mx->bot);
    mx->device_new = false;
    mx->api->log(mx->bot, HR_INFO, "%s is a new device of %s", mx->device, mx->user);
}

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->timer = NULL;
    login_now(mx);
}

/* Until the operator has changed something, another try would only lock the account. */
static void give_up(struct matrix *mx, const char *reason)
{
    mx->stopped = true;
    matrix_down(mx, reason);
}

static void try_later(struct matrix *mx, const struct call_reply *reply)
{
    int64_t wait_ms = matrix_backoff_ms(mx, mx->tries++);
    if (mx->tries >= MATRIX_MANY_TRIES) {
        discover_again(mx);
    }
    wait_ms = reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms;
    matrix_down(mx, mx->api->print(mx->bot, "cannot log in to %s: %s; %s", mx->homeserver,
                                   reply->words[0] != '\0' ? reply->words : "the answer is not one of a Matrix server",
                                   matrix_next_try(mx, wait_ms)));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->timer);
}

static void refused(struct matrix *mx, const struct call_reply *reply)
{
    if (strcmp(reply->errcode, "M_USER_DEACTIVATED") == 0) {
        give_up(mx, mx->api->print(mx->bot,
                                   "The account %s is deactivated; it can't be used again. Make another "
                                   "account, put it into user and password_file, and restart.",
                                   mx->user));
        return;
    }
    /* Synapse 1.160 answers for a deactivated account as for a wrong password. */
    const char *worked = mx->since != NULL ? " It worked before: the password was changed, or the account closed." : "";
    give_up(mx, mx->api->print(mx->bot, "Login as %s was refused: %s.%s Check user and password_file, then restart.",
                               mx->user, reply->words, worked));
}

/* A visit that is thrown away must not give the account an identity: the bot's own would then be refused. */
static void open_session(struct matrix *mx)
{
    if (HR_HAS(mx->api, trial) && mx->api->trial(mx->bot)) {
        sync_start(mx);
    } else {
        e2ee_open(mx, sync_start);
    }
}

static void on_login(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    const char *token = scan_text(reply->json, "access_token"), *device = scan_text(reply->json, "device_id");
    const char *user = scan_text(reply->json, "user_id");
    if (reply->status == HR_EFAIL) {
        refused(mx, reply);
        return;
    }
    if (reply->status != HR_OK || reply->json == NULL) {
        try_later(mx, reply);
        return;
    }
    if (token == NULL || device == NULL || user == NULL || strcmp(user, mx->user) != 0) {
        give_up(mx, mx->api->print(mx->bot,
                                   "The server at %s did not answer as a Matrix server, or logged in another "
                                   "user than %s. Check homeserver and user.",
                                   mx->homeserver, mx->user));
        return;
    }
    mx->device_new = mx->device_new || mx->device == NULL || strcmp(mx->device, device) != 0;
    mem_set(&mx->device, device);
    if (mx->device_new) {
        login_device_changed(mx);
    }
    login_take_tokens(mx, token, scan_text(reply->json, "refresh_token"),
                      json_object_get(reply->json, "expires_in_ms"));
    mx->api->log(mx->bot, HR_INFO, "logged in as %s, device %s", mx->user, mx->device);
    open_session(mx);
}

static void on_whoami(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    const char *user = scan_text(reply->json, "user_id"), *device = scan_text(reply->json, "device_id");
    if (mx->stopped) {
        return; /* login_lost() has said so */
    }
    if (reply->status == HR_EFAIL) {
        give_up(mx, mx->api->print(mx->bot, "The token was refused: %s. Check homeserver and token_file, then restart.",
                                   reply->words));
        return;
    }
    if (reply->status != HR_OK || reply->json == NULL) {
        try_later(mx, reply);
        return;
    }
    if (user == NULL || strcmp(user, mx->user) != 0) {
        give_up(mx, mx->api->print(mx->bot, "The token does not belong to %s. Check user and token_file.", mx->user));
        return;
    }
    bool changed = device != NULL && (mx->device == NULL || strcmp(mx->device, device) != 0);
    mem_set(&mx->device, device != NULL ? device : "");
    if (changed) {
        login_device_changed(mx);
    }
    account_save(mx);
    open_session(mx);
}

/* An id of our own: an answer that is lost leaves no second device behind. */
static void make_device(struct matrix *mx)
{
    char id[DEVICE_LETTERS + 1] = "";
    uint8_t dice[DEVICE_LETTERS];
    if (mx->device != NULL || mx->api->random(mx->bot, dice, sizeof(dice)) < 0) {
        return; /* without dice the server picks one */
    }
    for (size_t i = 0; i < DEVICE_LETTERS; i++) {
        id[i] = (char)('A' + dice[i] % 26);
    }
    mem_set(&mx->device, id);
    mx->device_new = true;
    account_save(mx);
}

static char *password_body(struct matrix *mx, const char *password)
{
    char *secret = matrix_trim(password);
    json_t *body = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s*, s:b}", "type", "m.login.password", "identifier",
                             "type", "m.id.user", "user", mx->user, "password", secret, "initial_device_display_name",
                             mx->api->option(mx->bot, "device_name")->str, "device_id", mx->device, "refresh_token", 1);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    free(secret);
    return text;
}

static void login_now(struct matrix *mx)
{
    const char *password = mx->api->option(mx->bot, "password_file")->str;
    if (mx->token != NULL && password[0] == '\0') {
        struct call_request request = {.method = "GET", .path = "/_matrix/client/v3/account/whoami"};
        if (call_start(mx, &request, on_whoami, NULL, NULL) < 0) {
            give_up(mx, "No request can be made of this homeserver and token. Check homeserver and token_file.");
        }
        return;
    }
    make_device(mx);
    char *text = password_body(mx, password);
    if (text == NULL) {
        give_up(mx, "The password is not valid UTF-8 text. Write it anew into password_file.");
        return;
    }
    struct call_request request = {
        .method = "POST", .path = "/_matrix/client/v3/login", .body = text, .no_token = true};
    if (call_start(mx, &request, on_login, NULL, NULL) < 0) {
        give_up(mx, "No request can be made of this homeserver. Check homeserver and ca_file.");
    }
    free(text);
}

static bool has_password(const struct matrix *mx)
{
    return mx->api->option(mx->bot, "password_file")->str[0] != '\0';
}

static void forget_device(struct matrix *mx)
{
    mem_set(&mx->token, NULL);
    mem_set(&mx->refresh, NULL);
    mem_set(&mx->device, NULL);
    mx->expires_ms = 0;
}

int login_start(struct matrix *mx)
{
    int rc = account_load(mx);
    if (rc < 0) {
        return rc;
    }
    char *token = matrix_trim(mx->api->option(mx->bot, "token_file")->str);
    if (e2ee_needs_device(mx) && has_password(mx)) {
        forget_device(mx);
    }
    if (token[0] != '\0') {
        mem_set(&mx->token, token);
        mem_set(&mx->refresh, NULL);
        mx->expires_ms = 0;
    }
    if (mx->token != NULL && token[0] == '\0') {
        refresh_plan(mx);
        open_session(mx);
    } else {
        login_now(mx);
    }
    free(token);
    return HR_OK;
}

void login_lost(struct matrix *mx, bool soft)
{
    mx->login_no++; /* answers to requests of the old token are no news */
    mem_set(&mx->token, NULL);
    sync_stop(mx);
    refresh_stop(mx);
    if (!has_password(mx)) {
        give_up(mx, "The server no longer accepts the token. Make a new one, put it into token_file, and restart.");
        return;
    }
    if (!soft) {
        mem_set(&mx->device, NULL); /* logged out for good: the device is gone */
    }
    matrix_down(mx, "the server ended the session; logging in again");
    int64_t wait_ms = mx->tries == 0 ? 0 : matrix_backoff_ms(mx, mx->tries);
    mx->tries++;
    mx->api->timer_stop(mx->timer);
    mx->timer = NULL;
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->timer);
}

static void on_logout(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg, (void)reply; /* refused or not: no more can be done */
    mx->parting = LOGGED_OUT;
    mem_set(&mx->token, NULL);
    refresh_stop(mx);
}

int login_farewell(void *state)
{
    struct matrix *mx = state;
    bool password = mx->api->option(mx->bot, "password_file")->str[0] != '\0';
    if (mx->parting == STAYING && password && mx->token != NULL) {
        struct call_request request = {.method = "POST", .path = "/_matrix/client/v3/logout", .body = "{}"};
        mx->stopped = true;
        sync_stop(mx);
        e2ee_rest(mx);
        mx->parting = call_start(mx, &request, on_logout, NULL, NULL) == HR_OK ? LOGGING_OUT : LOGGED_OUT;
    }
    return mx->parting == LOGGING_OUT ? HR_ERETRY : HR_OK;
}

void login_refuse(struct matrix *mx, const char *words)
{
    sync_stop(mx);
    give_up(mx, words);
}

void login_anew(struct matrix *mx, const char *words)
{
    if (!has_password(mx)) {
        login_refuse(mx, words);
        return;
    }
    mx->api->log(mx->bot, HR_WARN, "device %s can't be used; logging in as a new one", mx->device);
    mx->login_no++;
    sync_stop(mx);
    refresh_stop(mx);
    forget_device(mx);
    login_now(mx);
}
