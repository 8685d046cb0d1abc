/* SPDX-License-Identifier: MIT */
/* Secret storage and the recovery key: writing. recovery_use.c reads. */
#include "recovery.h"

#include "../call.h"
#include "backup.h"
#include "curve.h"
#include "own_identity.h"
#include "recovery_use.h"
#include "secret_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 6 }; /* four secrets, the description of the key, which key is the one in use */

struct recovery {
    uint8_t key[SECRET_STORAGE_KEY];
    char id[33];
    bool have;    /* a key that was not shown yet */
    bool replace; /* the operator wished a new one: what is at the server goes */
    int step;
    unsigned tries;
    struct call *call;
    struct hr_timer *timer;
};

static void go_on(struct matrix *mx);

/* ---- the row: sealed until it was shown; then "" ------------------------------------------------ */

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct recovery *recovery = mx->e2ee->recovery;
    uint8_t key[SECRET_STORAGE_KEY];
    (void)count;
    recovery->step = -1; /* made before */
    json_t *row = matrix_column(&column[0]) != NULL ? json_loads(column[0].str, 0, NULL) : NULL;
    const char *id = scan_text(row, "id");
    if (matrix_column(&column[0]) == NULL) {
        recovery->step = 0;
    } else if (id != NULL && strlen(id) < sizeof(recovery->id) &&
               mx->api->derive(mx->bot, "recovery", key, sizeof(key)) == HR_OK &&
               secret_storage_open_key(key, "recovery", json_object_get(row, "key"), recovery->key) == HR_OK) {
        memcpy(recovery->id, id, strlen(id) + 1);
        recovery->have = true;
        recovery->step = json_is_true(json_object_get(row, "uploaded")) ? STEPS : 0;
    }
    curve_wipe(key, sizeof(key));
    json_decref(row);
    return HR_OK;
}

static int store(struct matrix *mx, const char *text)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(text)};
    return mx->api->sql(mx->bot, "UPDATE matrix_identity SET recovery_key = ?2 WHERE instance = ?1", args, 2, NULL,
                        NULL);
}

static int save(struct matrix *mx, bool uploaded)
{
    const struct recovery *recovery = mx->e2ee->recovery;
    uint8_t key[SECRET_STORAGE_KEY];
    json_t *sealed = NULL;
    int rc = mx->api->derive(mx->bot, "recovery", key, sizeof(key));
    rc = rc < 0 ? rc : secret_storage_seal_key(key, "recovery", recovery->key, &sealed);
    curve_wipe(key, sizeof(key));
    if (rc < 0) {
        return rc;
    }
    json_t *row = json_pack("{s:s, s:o, s:b}", "id", recovery->id, "key", sealed, "uploaded", uploaded);
    char *text = json_dumps(row, JSON_COMPACT);
    rc = store(mx, text);
    json_decref(row);
    free(text);
    return rc;
}

/* ---- writing it to the account's data --------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->recovery->timer = NULL;
    go_on(mx);
}

static void later(struct matrix *mx, int64_t at_least_ms)
{
    struct recovery *recovery = mx->e2ee->recovery;
    int64_t wait_ms = matrix_backoff_ms(mx, recovery->tries++);
    if (recovery->timer == NULL) {
        (void)mx->api->timer_in(mx->bot, at_least_ms > wait_ms ? at_least_ms : wait_ms, 0, on_timer, mx,
                                &recovery->timer);
    }
}

/* The secret of a step; HR_ENOTFOUND: there is none to keep. */
static int secret_of(struct matrix *mx, int step, uint8_t out[32])
{
    const struct cross_signing_keys *own = own_identity_keys(mx);
    if (step == 3) {
        return backup_key(mx, out);
    }
    if (own == NULL) {
        return HR_ENOTFOUND;
    }
    memcpy(out, step == 0 ? own->master : step == 1 ? own->self_signing : own->user_signing, 32);
    return HR_OK;
}

/* Type and content of a step's account data; content NULL: nothing to write. */
static json_t *content_of(struct matrix *mx, const char **type)
{
    const struct recovery *recovery = mx->e2ee->recovery;
    uint8_t secret[32];
    json_t *sealed = NULL;
    if (recovery->step == 4) {
        *type = mx->api->print(mx->bot, "m.secret_storage.key.%s", recovery->id);
        return secret_storage_describe(recovery->key);
    }
    if (recovery->step == 5) {
        *type = "m.secret_storage.default_key";
        return json_pack("{s:s}", "key", recovery->id);
    }
    *type = recovery_secrets[recovery->step];
    if (secret_of(mx, recovery->step, secret) < 0 ||
        secret_storage_seal_key(recovery->key, *type, secret, &sealed) < 0) {
        return NULL;
    }
    curve_wipe(secret, sizeof(secret));
    return json_pack("{s:{s:o}}", "encrypted", recovery->id, sealed);
}

static void on_written(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct recovery *recovery = mx->e2ee->recovery;
    (void)arg;
    if (reply->status == HR_EFAIL) {
        matrix_error(mx, "the secrets of this account can't be kept at the server: %s", reply->words);
        return;
    }
    if (reply->status != HR_OK) {
        later(mx, reply->retry_ms);
        return;
    }
    recovery->tries = 0;
    recovery->step++;
    if (recovery->step == STEPS) {
        (void)save(mx, true);
        mx->api->log(mx->bot, HR_INFO,
                     "The recovery key of %s is ready. To see it, once, type: hashroom recovery-key. Keep it away from "
                     "this machine: with it the bot keeps its identity when it is installed anew.",
                     mx->user);
        return;
    }
    go_on(mx);
}

static void write_step(struct matrix *mx)
{
    struct recovery *recovery = mx->e2ee->recovery;
    const char *type = NULL;
    json_t *content = content_of(mx, &type);
    while (content == NULL && ++recovery->step < STEPS) { /* no backup, no key of one */
        content = content_of(mx, &type);
    }
    char *text = content != NULL ? json_dumps(content, JSON_COMPACT) : NULL;
    struct call_request request = {
        .method = "PUT",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/user/%s/account_data/%s", call_encode(mx, mx->user), type),
        .body = text,
        .handle = &recovery->call,
    };
    json_decref(content);
    if (text == NULL || call_start(mx, &request, on_written, NULL, NULL) < 0) {
        later(mx, -1);
    }
    free(text);
}

static int make(struct matrix *mx)
{
    struct recovery *recovery = mx->e2ee->recovery;
    uint8_t id[16];
    curve_random(recovery->key, sizeof(recovery->key));
    curve_random(id, sizeof(id));
    for (size_t i = 0; i < sizeof(id); i++) {
        snprintf(recovery->id + 2 * i, 3, "%02x", id[i]);
    }
    recovery->have = true;
    recovery->step = 0;
    return save(mx, false);
}

static void on_default(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct recovery *recovery = mx->e2ee->recovery;
    (void)arg;
    if (reply->status == HR_OK && scan_text(reply->json, "key") != NULL) {
        recovery->step = -1;
        mx->api->log(
            mx->bot, HR_INFO,
            "The account %s keeps secrets at the server already; they stay as they are. To replace them, type: "
            "hashroom recovery-key new",
            mx->user);
    } else if (reply->status == HR_OK || reply->code == 404) {
        if (make(mx) == HR_OK) {
            write_step(mx);
        }
    } else if (reply->status == HR_ERETRY) {
        later(mx, reply->retry_ms);
    }
}

static void go_on(struct matrix *mx)
{
    struct recovery *recovery = mx->e2ee->recovery;
    if (recovery->step < 0 || recovery->step >= STEPS || recovery->call != NULL) {
        return;
    }
    if (recovery->have) {
        write_step(mx);
        return;
    }
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/user/%s/account_data/m.secret_storage.default_key",
                               call_encode(mx, mx->user)),
        .handle = &recovery->call,
    };
    if (call_start(mx, &request, on_default, NULL, NULL) < 0) {
        later(mx, -1);
    }
}

void recovery_open(struct matrix *mx)
{
    if (mx->e2ee->recovery != NULL) {
        return; /* the backup was looked for again */
    }
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    mx->e2ee->recovery = mem_new(sizeof(*mx->e2ee->recovery));
    mx->e2ee->recovery->step = -1;
    (void)mx->api->sql(mx->bot, "SELECT recovery_key FROM matrix_identity WHERE instance = ?1 AND user = ?2", args, 2,
                       on_row, mx);
    go_on(mx);
}

void recovery_stop(struct matrix *mx)
{
    struct recovery *recovery = mx->e2ee->recovery;
    recovery_use_stop(mx);
    if (recovery == NULL) {
        return;
    }
    call_cancel(recovery->call);
    mx->api->timer_stop(recovery->timer);
    curve_wipe(recovery->key, sizeof(recovery->key));
    free(recovery);
    mx->e2ee->recovery = NULL;
}

/* ---- the tool ------------------------------------------------------------------------------------------ */

static int show(struct matrix *mx, struct hr_out *out)
{
    struct recovery *recovery = mx->e2ee->recovery;
    char text[SECRET_STORAGE_RECOVERY];
    if (!recovery->have) {
        mx->api->out(out,
                     "The recovery key of %s was shown before, or is somebody else's, and is not kept here. To make a "
                     "new one, type: hashroom recovery-key new\n",
                     mx->user);
        return HR_ENOTFOUND;
    }
    if (recovery->step < STEPS) {
        mx->api->out(out, "The recovery key is not at the server yet. Please try again in a minute.\n");
        return HR_ERETRY;
    }
    secret_storage_recovery_write(recovery->key, text);
    if (store(mx, "") < 0) {
        return HR_EFAIL;
    }
    mx->api->out(out,
                 "Recovery key of %s:\n%s\nIt is shown this one time. Keep it away from this machine: with it the bot "
                 "keeps its identity when it is installed anew.\n",
                 mx->user, text);
    curve_wipe(text, sizeof(text));
    curve_wipe(recovery->key, sizeof(recovery->key));
    recovery->have = false;
    recovery->step = -1;
    return HR_OK;
}

int recovery_tool(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct matrix *mx = state;
    if (argc >= 1 && strcmp(argv[0], "use") == 0) {
        return recovery_use(mx, argc - 1, argv + 1, out);
    }
    if (mx->e2ee == NULL || mx->e2ee->recovery == NULL || mx->e2ee->recovery->call != NULL) {
        mx->api->out(out, "The bot is still talking with the server about its keys. Please try again in a minute.\n");
        return HR_ERETRY;
    }
    if (argc == 0) {
        return show(mx, out);
    }
    if (argc == 1 && strcmp(argv[0], "new") == 0 && (mx->e2ee->why != NULL || own_identity_keys(mx) == NULL)) {
        /* else what another identity keeps there would be lost */
        mx->api->out(out, "The bot's identity is not the one of the account, so it makes no recovery key: %s\n",
                     mx->e2ee->why != NULL ? mx->e2ee->why : "it has none.");
        return HR_EDENIED;
    }
    if (argc == 1 && strcmp(argv[0], "new") == 0) {
        if (make(mx) < 0) {
            return HR_EFAIL;
        }
        write_step(mx);
        mx->api->out(out, "A new recovery key is on its way to the server. To see it, type in a few seconds: hashroom "
                          "recovery-key\n");
        return HR_OK;
    }
    mx->api->out(out, "Please type hashroom recovery-key, hashroom recovery-key new, or hashroom recovery-key use\n");
    return HR_EINVAL;
}
