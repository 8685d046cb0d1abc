/* SPDX-License-Identifier: MIT */
/* What the database remembers of the account. */
#include "account.h"

#include "e2ee/curve.h"
#include "e2ee/secret_storage.h"

#include <stdlib.h>
#include <string.h>

void account_hide_tokens(struct matrix *mx)
{
    if (mx->token != NULL) {
        mx->api->secret(mx->bot, mx->token);
    }
    if (mx->refresh != NULL) {
        mx->api->secret(mx->bot, mx->refresh);
    }
}

/* ---- tokens at rest: "" or a sealed one ------------------------------------------------ */

static int token_key(struct matrix *mx, uint8_t key[SECRET_STORAGE_KEY])
{
    return mx->api->derive(mx->bot, "tokens", key, SECRET_STORAGE_KEY);
}

/* The text to store, the caller's. NULL: it is too long. */
static char *close_token(struct matrix *mx, const char *what, const char *token)
{
    uint8_t key[SECRET_STORAGE_KEY];
    json_t *sealed = NULL;
    if (token == NULL || token[0] == '\0') {
        return mem_dup("");
    }
    int rc = token_key(mx, key);
    rc = rc < 0 ? rc : secret_storage_seal(key, what, token, strlen(token), &sealed);
    char *text = rc < 0 ? NULL : json_dumps(sealed, JSON_COMPACT);
    curve_wipe(key, sizeof(key));
    json_decref(sealed);
    return text;
}

/* False: it was sealed under another key, or as something else. */
static bool open_token(struct matrix *mx, const char *what, const char *stored, char **token)
{
    uint8_t key[SECRET_STORAGE_KEY];
    char *text = NULL;
    size_t len = 0;
    if (stored == NULL || stored[0] == '\0') {
        mem_set(token, NULL);
        return true;
    }
    json_t *sealed = json_loads(stored, 0, NULL);
    bool good = token_key(mx, key) == HR_OK && secret_storage_open(key, what, sealed, &text, &len) == HR_OK;
    if (good) {
        mem_set(token, text);
    }
    curve_free(text, len);
    curve_wipe(key, sizeof(key));
    json_decref(sealed);
    return good;
}

/* ---- the row -------------------------------------------------------------------------- */

static void take_tokens(struct matrix *mx, const char *access, const char *refresh)
{
    if (!open_token(mx, "access", access, &mx->token) || !open_token(mx, "refresh", refresh, &mx->refresh)) {
        mem_set(&mx->token, NULL);
        mem_set(&mx->refresh, NULL);
        mx->expires_ms = 0;
        mx->api->log(mx->bot, HR_WARN,
                     "the login of %s was encrypted with a store key that was given up; it is replaced by a new one, "
                     "from password_file or token_file",
                     mx->user);
    }
    account_hide_tokens(mx);
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    (void)count;
    mem_set(&mx->device, matrix_column(&column[0]));
    mx->device_new = column[1].str[0] == '\0'; /* logged out, erased, or the process ended before it logged in */
    mem_set(&mx->since, matrix_column(&column[2]));
    mx->device_since_ms = column[3].num;
    mx->expires_ms = column[5].num;
    take_tokens(mx, column[1].str, matrix_column(&column[4]));
    return HR_OK;
}

int account_load(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    return mx->api->sql(mx->bot,
                        "SELECT device, token, since, device_since_ms, refresh, expires_ms FROM matrix_account"
                        " WHERE instance = ?1 AND user = ?2",
                        args, 2, on_row, mx); /* the user id names the account, wherever its homeserver moved */
}

void account_save(struct matrix *mx)
{
    char *token = close_token(mx, "access", mx->token), *refresh = close_token(mx, "refresh", mx->refresh);
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        HR_V_STR(mx->homeserver),
        HR_V_STR(mx->user),
        HR_V_STR(mx->device != NULL ? mx->device : ""),
        HR_V_STR(token),
        HR_V_STR(mx->since != NULL ? mx->since : ""),
        HR_V_INT(mx->device_since_ms),
        HR_V_STR(refresh),
        HR_V_INT(mx->expires_ms),
    };
    if (token == NULL || refresh == NULL ||
        mx->api->sql(mx->bot,
                     "INSERT OR REPLACE INTO matrix_account(instance, homeserver, user, device, token, since,"
                     " device_since_ms, refresh, expires_ms, sealed)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, nullif(?6, ''), ?7, nullif(?8, ''), ?9, 1)",
                     args, 9, NULL, NULL) < 0) {
        matrix_error(mx, "the login of %s could not be written down; after a restart the bot logs in anew", mx->user);
    }
    free(token);
    free(refresh);
}

int account_save_since(struct matrix *mx, const char *since)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(since)};
    return mx->api->sql(mx->bot, "UPDATE matrix_account SET since = ?2 WHERE instance = ?1", args, 2, NULL, NULL);
}

/* ---- what an earlier run left ----------------------------------------------------------- */

struct plain {
    struct matrix *mx;
    bool found;
    char *token, *refresh; /* as they are to be stored; NULL: it can't be */
};

static int on_plain(void *arg, const struct hr_value *column, size_t count)
{
    struct plain *plain = arg;
    (void)count;
    plain->found = true;
    plain->token = close_token(plain->mx, "access", column[0].str);
    plain->refresh = close_token(plain->mx, "refresh", matrix_column(&column[1]));
    return HR_OK;
}

static int seal_plain(struct matrix *mx)
{
    struct plain plain = {.mx = mx};
    const struct hr_value instance[] = {HR_V_STR(mx->name)};
    int rc = mx->api->sql(mx->bot, "SELECT token, refresh FROM matrix_account WHERE instance = ?1 AND sealed = 0",
                          instance, 1, on_plain, &plain);
    if (rc >= 0 && plain.found) {
        const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(plain.token != NULL ? plain.token : ""),
                                        HR_V_STR(plain.refresh != NULL ? plain.refresh : "")};
        rc = mx->api->sql(mx->bot,
                          "UPDATE matrix_account SET token = ?2, refresh = nullif(?3, ''), sealed = 1"
                          " WHERE instance = ?1",
                          args, 3, NULL, NULL);
    }
    free(plain.token);
    free(plain.refresh);
    return rc;
}

static int on_left(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    (void)count;
    mx->api->log(mx->bot, HR_INFO, "\"%s\" is no longer in plugins/matrix.conf: the login of %s is erased",
                 column[0].str, column[1].str);
    return HR_OK;
}

static int forget_left(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->api->instances(mx->bot))};
    return mx->api->sql(mx->bot,
                        "UPDATE matrix_account SET token = '', refresh = NULL"
                        " WHERE token <> '' AND instr(?1, ' ' || instance || ' ') = 0 RETURNING instance, user",
                        args, 1, on_left, mx);
}

int account_start(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    int rc =
        mx->api->sql(mx->bot, "UPDATE matrix_account SET token = '', refresh = NULL WHERE instance = ?1 AND user <> ?2",
                     args, 2, NULL, NULL); /* the operator put another account into its place */
    rc = rc < 0 ? rc : seal_plain(mx);
    return rc < 0 ? rc : forget_left(mx);
}
