/* SPDX-License-Identifier: MIT */
/* Our own cross-signing identity. */
#include "own_identity.h"

#include "../call.h"
#include "canonical.h"
#include "curve.h"
#include "own_keys.h"
#include "people.h"
#include "secret_storage.h"

#include <stdlib.h>
#include <string.h>

struct own_identity {
    struct cross_signing_keys keys;
    struct cross_signing_keys_public public;
    bool have;
    bool offered;           /* the account's password was given to the server for this upload */
    char shown[BASE64_KEY]; /* master key the server has, or "" */
    json_t *master;         /* its object */
    void (*done)(struct matrix *mx);
    struct call *call;
    struct hr_timer *timer;
    unsigned tries;
    void (*again)(struct matrix *mx); /* what the timer does */
};

static const char *const names[3] = {"master", "self_signing", "user_signing"};

static uint8_t *seed(struct cross_signing_keys *keys, size_t n)
{
    return n == 0 ? keys->master : n == 1 ? keys->self_signing : keys->user_signing;
}

/* ---- the row: seeds under a key outside the database ----------------------------------- */

static int storage_key(struct matrix *mx, uint8_t key[SECRET_STORAGE_KEY])
{
    return mx->api->derive(mx->bot, "identity", key, SECRET_STORAGE_KEY);
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct own_identity *own = mx->e2ee->identity;
    uint8_t key[SECRET_STORAGE_KEY];
    int rc = storage_key(mx, key);
    for (size_t i = 0; i < count && rc >= 0; i++) {
        json_t *sealed = json_loads(column[i].str, 0, NULL);
        rc = secret_storage_open_key(key, names[i], sealed, seed(&own->keys, i));
        json_decref(sealed);
    }
    curve_wipe(key, sizeof(key));
    own->have = rc >= 0;
    if (!own->have) {
        cross_signing_keys_clear(&own->keys);
    }
    return HR_OK;
}

static int save(struct matrix *mx)
{
    struct own_identity *own = mx->e2ee->identity;
    uint8_t key[SECRET_STORAGE_KEY];
    char *text[3] = {NULL, NULL, NULL};
    int rc = storage_key(mx, key);
    for (size_t i = 0; i < 3 && rc >= 0; i++) {
        json_t *sealed = NULL;
        rc = secret_storage_seal_key(key, names[i], seed(&own->keys, i), &sealed);
        text[i] = rc >= 0 ? json_dumps(sealed, JSON_COMPACT) : NULL;
        json_decref(sealed);
    }
    curve_wipe(key, sizeof(key));
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user), HR_V_STR(text[0]), HR_V_STR(text[1]),
                                    HR_V_STR(text[2])};
    rc = rc < 0 ? rc
                : mx->api->sql(mx->bot,
                               "INSERT INTO matrix_identity(instance, user, master, self_signing, user_signing)"
                               " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(instance) DO UPDATE SET user = ?2, master = ?3,"
                               " self_signing = ?4, user_signing = ?5",
                               args, 5, NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        free(text[i]);
    }
    return rc;
}

static int uploaded(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    return mx->api->sql(mx->bot, "UPDATE matrix_identity SET uploaded = 1 WHERE instance = ?1", args, 1, NULL, NULL);
}

/* ---- requests that are repeated --------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->identity->timer = NULL;
    mx->e2ee->identity->again(mx);
}

static void later(struct matrix *mx, void (*again)(struct matrix *mx), const char *words, int64_t at_least_ms)
{
    struct own_identity *own = mx->e2ee->identity;
    int64_t wait_ms = matrix_backoff_ms(mx, own->tries++);
    wait_ms = at_least_ms > wait_ms ? at_least_ms : wait_ms;
    own->again = again;
    matrix_down(mx, mx->api->print(mx->bot, "cannot upload the cross-signing keys: %s; %s", words,
                                   matrix_next_try(mx, wait_ms)));
    (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &own->timer);
}

static void finish(struct matrix *mx)
{
    struct own_identity *own = mx->e2ee->identity;
    void (*done)(struct matrix *) = own->done;
    own->done = NULL;
    own->tries = 0;
    json_decref(own->master);
    own->master = NULL;
    if (done != NULL) {
        done(mx);
    }
}

static void post(struct matrix *mx, const char *path, json_t *body, call_fn *fn, void (*again)(struct matrix *mx))
{
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {.method = "POST", .path = path, .body = text, .handle = &mx->e2ee->identity->call};
    if (call_start(mx, &request, fn, NULL, NULL) < 0) {
        later(mx, again, "the request could not be made", -1);
    }
    free(text);
    json_decref(body);
}

/* ---- our device signed --------------------------------------------------------------------- */

static void sign_device(struct matrix *mx);

static void on_signed(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return;
    }
    bool whole = reply->status == HR_OK && json_object_size(json_object_get(reply->json, "failures")) == 0;
    if (whole) {
        mx->api->log(mx->bot, HR_INFO, "device %s is signed by our identity %s", mx->device,
                     mx->e2ee->identity->public.master);
        finish(mx);
    } else if (reply->status == HR_OK || reply->status == HR_EFAIL) {
        e2ee_close(mx, mx->api->print(mx->bot, "the server does not take the signature of our device%s%s.",
                                      reply->words[0] != '\0' ? ": " : "", reply->words));
    } else {
        later(mx, sign_device, reply->words, reply->retry_ms);
    }
}

/* The device's keys signed by the self-signing key; the master key, where the server has one, by the device. */
static void sign_device(struct matrix *mx)
{
    struct own_identity *own = mx->e2ee->identity;
    json_t *object = own_keys_object(mx), *device = json_deep_copy(object);
    json_t *signed_by = json_object();
    json_decref(object);
    if (cross_signing_keys_sign_device(&own->keys, mx->user, device) < 0) {
        e2ee_close(mx, "our own device can't be signed; this is a fault of the bot.");
        json_decref(device);
        json_decref(signed_by);
        return;
    }
    (void)json_object_set_new(signed_by, mx->e2ee->device, device);
    if (own->master != NULL) {
        json_t *master = json_deep_copy(own->master);
        (void)json_object_del(master, "signatures");
        if (device_keys_sign(mx->e2ee->account, mx->user, mx->e2ee->device, master) == HR_OK) {
            (void)json_object_set_new(signed_by, own->public.master, master);
        } else {
            json_decref(master);
        }
    }
    json_t *body = json_object();
    (void)json_object_set_new(body, mx->user, signed_by);
    post(mx, "/_matrix/client/v3/keys/signatures/upload", body, on_signed, sign_device);
}

/* ---- the identity uploaded --------------------------------------------------------------------- */

static void upload(struct matrix *mx);

static json_t *upload_body(struct matrix *mx)
{
    return cross_signing_keys_upload(&mx->e2ee->identity->keys, mx->user, mx->e2ee->device, mx->e2ee->account);
}

static void on_upload(struct matrix *mx, void *arg, const struct call_reply *reply);

/* Servers before Matrix 1.11 ask for the password at the first upload, too. That is no replacement: nobody has
 * verified us yet. */
static bool prove(struct matrix *mx, const json_t *asked)
{
    struct own_identity *own = mx->e2ee->identity;
    const char *session = scan_text(asked, "session");
    const char *option = mx->api->option(mx->bot, "password_file")->str;
    if (own->shown[0] != '\0' || own->offered || session == NULL || option[0] == '\0') {
        return false;
    }
    char *password = matrix_trim(option);
    json_t *auth = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s}", "type", "m.login.password", "identifier", "type",
                             "m.id.user", "user", mx->user, "password", password, "session", session);
    free(password);
    if (auth == NULL) {
        return false;
    }
    json_t *body = upload_body(mx);
    (void)json_object_set_new(body, "auth", auth);
    own->offered = true;
    post(mx, "/_matrix/client/v3/keys/device_signing/upload", body, on_upload, upload);
    return true;
}

static void on_upload(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    (void)arg;
    if (mx->token == NULL || mx->stopped) {
        return;
    }
    if (reply->status == HR_OK) {
        (void)uploaded(mx);
        sign_device(mx);
    } else if (reply->code == 401 && prove(mx, reply->json)) {
        return;
    } else if (reply->code == 401) {
        e2ee_close(mx, mx->api->print(mx->bot,
                                      "the server wants a person's approval for the bot's identity (%s). Approve "
                                      "it in the account's settings at the server, or give the bot a password_file, "
                                      "then restart.",
                                      reply->words));
    } else if (reply->status == HR_EFAIL) {
        e2ee_close(mx, mx->api->print(mx->bot, "the server does not take cross-signing keys (%s).", reply->words));
    } else {
        later(mx, upload, reply->words, reply->retry_ms);
    }
}

static void upload(struct matrix *mx)
{
    mx->e2ee->identity->offered = false;
    post(mx, "/_matrix/client/v3/keys/device_signing/upload", upload_body(mx), on_upload, upload);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static void foreign(struct matrix *mx, bool ours)
{
    e2ee_close(
        mx, mx->api->print(mx->bot,
                           "the account %s shows an identity %s. Everybody who verified the bot trusts that "
                           "one, so it is not replaced. Give the bot the recovery key it was made with: "
                           "`hashroom recovery-key use`.",
                           mx->user,
                           ours ? "other than this bot's: somebody has reset it" : "that this database does not know"));
}

static void compare(struct matrix *mx, const struct own_shown *shown)
{
    struct own_identity *own = mx->e2ee->identity;
    struct cross_signing_keys_public theirs = {0};
    if (shown->master != NULL &&
        cross_signing_keys_read(mx->user, shown->master, shown->self_signing, shown->user_signing, &theirs) < 0) {
        memcpy(theirs.master, "?", 2); /* there is something, which is not ours */
    }
    memcpy(own->shown, theirs.master, sizeof(own->shown));
    if (!own->have && theirs.master[0] != '\0') {
        foreign(mx, false);
        return;
    }
    if (!own->have) {
        cross_signing_keys_new(&own->keys);
        own->have = true;
        if (save(mx) < 0) {
            e2ee_close(mx, "the bot's identity could not be saved.");
            return;
        }
    }
    cross_signing_keys_to_public(&own->keys, &own->public);
    if (theirs.master[0] == '\0') {
        upload(mx);
    } else if (strcmp(theirs.master, own->public.master) != 0) {
        foreign(mx, true);
    } else if (strcmp(theirs.self_signing, own->public.self_signing) != 0) {
        upload(mx); /* the rest of it is missing, or somebody with our master key made others */
    } else if (shown->device != NULL && cross_signing_keys_has_signed(&theirs, mx->user, shown->device)) {
        (void)uploaded(mx);
        finish(mx);
    } else {
        own->master = json_deep_copy(shown->master);
        sign_device(mx);
    }
}

void own_identity_open(struct matrix *mx, const struct own_shown *shown, void (*done)(struct matrix *mx))
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    own_identity_stop(mx);
    mx->e2ee->identity = mem_new(sizeof(*mx->e2ee->identity));
    mx->e2ee->identity->done = done;
    (void)mx->api->sql(
        mx->bot, "SELECT master, self_signing, user_signing FROM matrix_identity WHERE instance = ?1 AND user = ?2",
        args, 2, on_row, mx);
    compare(mx, shown);
}

void own_identity_stop(struct matrix *mx)
{
    struct own_identity *own = mx->e2ee->identity;
    if (own == NULL) {
        return;
    }
    call_cancel(own->call);
    mx->api->timer_stop(own->timer);
    json_decref(own->master);
    cross_signing_keys_clear(&own->keys);
    free(own);
    mx->e2ee->identity = NULL;
}

const struct cross_signing_keys *own_identity_keys(const struct matrix *mx)
{
    const struct own_identity *own = mx->e2ee->identity;
    return own != NULL && own->have ? &own->keys : NULL;
}

int own_identity_restore(struct matrix *mx, const uint8_t master[32], const uint8_t self_signing[32],
                         const uint8_t user_signing[32])
{
    struct own_identity *own = mx->e2ee->identity;
    struct cross_signing_keys keys;
    struct cross_signing_keys_public public;
    memcpy(keys.master, master, 32);
    memcpy(keys.self_signing, self_signing, 32);
    memcpy(keys.user_signing, user_signing, 32);
    cross_signing_keys_to_public(&keys, &public);
    int rc = own != NULL && strcmp(public.master, own->shown) == 0 ? HR_OK : HR_EINVAL;
    if (rc == HR_OK) {
        own->keys = keys;
        own->public = public;
        own->have = true;
        rc = save(mx);
    }
    cross_signing_keys_clear(&keys);
    if (rc == HR_OK) {
        e2ee_open(mx, NULL);
    }
    return rc;
}
