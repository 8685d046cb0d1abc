/* SPDX-License-Identifier: MIT */
/* Getting and keeping the account's access. */
#include "login.h"

#include "call.h"
#include "scan.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

static void hide_token(struct matrix *mx)
{
    if (mx->token != NULL) {
        mx->api->secret(mx->bot, mx->token);
    }
}

static void login_now(struct matrix *mx);

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    (void)count;
    mem_set(&mx->device, matrix_column(&column[0]));
    mem_set(&mx->token, matrix_column(&column[1]));
    hide_token(mx);
    mem_set(&mx->since, matrix_column(&column[2]));
    mx->device_since_ms = column[3].num;
    return HR_OK;
}

static int save(struct matrix *mx)
{
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        HR_V_STR(mx->homeserver),
        HR_V_STR(mx->user),
        HR_V_STR(mx->device),
        HR_V_STR(mx->token),
        HR_V_STR(mx->since != NULL ? mx->since : ""),
        HR_V_INT(mx->device_since_ms),
    };
    return mx->api->sql(mx->bot,
                        "INSERT OR REPLACE INTO matrix_account(instance, homeserver, user, device, token, since,"
                        " device_since_ms) VALUES(?1, ?2, ?3, ?4, ?5, nullif(?6, ''), ?7)",
                        args, 7, NULL, NULL);
}

int login_save_since(struct matrix *mx, const char *since)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(since)};
    return mx->api->sql(mx->bot, "UPDATE matrix_account SET since = ?2 WHERE instance = ?1", args, 2, NULL, NULL);
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
    wait_ms = reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms;
    matrix_down(mx, mx->api->print(mx->bot, "cannot log in to %s: %s; it is tried again each minute at the latest",
                                   mx->homeserver, reply->words));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &mx->timer);
}

static void on_login(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    const char *token = scan_text(reply->json, "access_token"), *device = scan_text(reply->json, "device_id");
    const char *user = scan_text(reply->json, "user_id");
    if (reply->status == HR_EFAIL) {
        give_up(mx, mx->api->print(mx->bot, "Login as %s was refused: %s. Check user and password_file, then restart.",
                                   mx->user, reply->words));
        return;
    }
    if (reply->status != HR_OK) {
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
    if (mx->device == NULL || strcmp(mx->device, device) != 0) {
        mx->device_since_ms = mx->api->wall_ms(mx->bot);
    }
    mem_set(&mx->device, device);
    mem_set(&mx->token, token);
    hide_token(mx);
    mx->login_no++;
    (void)save(mx);
    mx->api->log(mx->bot, HR_INFO, "logged in as %s, device %s", mx->user, mx->device);
    sync_start(mx);
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
    if (reply->status != HR_OK) {
        try_later(mx, reply);
        return;
    }
    if (user == NULL || strcmp(user, mx->user) != 0) {
        give_up(mx, mx->api->print(mx->bot, "The token does not belong to %s. Check user and token_file.", mx->user));
        return;
    }
    if (device != NULL && (mx->device == NULL || strcmp(mx->device, device) != 0)) {
        mx->device_since_ms = mx->api->wall_ms(mx->bot);
    }
    mem_set(&mx->device, device != NULL ? device : "");
    (void)save(mx);
    sync_start(mx);
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
    char *secret = matrix_trim(password);
    json_t *body = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s*}", "type", "m.login.password", "identifier", "type",
                             "m.id.user", "user", mx->user, "password", secret, "initial_device_display_name",
                             mx->api->option(mx->bot, "device_name")->str, "device_id", mx->device);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    free(secret);
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

int login_start(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->homeserver), HR_V_STR(mx->user)};
    int rc = mx->api->sql(mx->bot,
                          "SELECT device, token, since, device_since_ms FROM matrix_account"
                          " WHERE instance = ?1 AND homeserver = ?2 AND user = ?3",
                          args, 3, on_row, mx);
    if (rc < 0) {
        return rc;
    }
    char *token = matrix_trim(mx->api->option(mx->bot, "token_file")->str);
    if (token[0] != '\0') {
        mem_set(&mx->token, token);
    }
    if (mx->token != NULL && token[0] == '\0') {
        sync_start(mx);
    } else {
        login_now(mx);
    }
    free(token);
    return HR_OK;
}

void login_lost(struct matrix *mx, bool soft)
{
    bool password = mx->api->option(mx->bot, "password_file")->str[0] != '\0';
    mx->login_no++; /* answers to requests of the old token are no news */
    mem_set(&mx->token, NULL);
    sync_stop(mx);
    if (!password) {
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
