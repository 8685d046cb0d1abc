/* SPDX-License-Identifier: MIT */
/* Server-side key backup. */
#include "backup.h"

#include "../call.h"
#include "canonical.h"
#include "curve.h"
#include "group_backup.h"
#include "own_identity.h"
#include "recovery.h"
#include "secret_storage.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHM "m.megolm_backup.v1.curve25519-aes-sha2"

enum { A_REQUEST = 100, MAX_WANTED = 50, SOON_MS = 3000, MAX_VERSION = 64 };

struct wanted { /* a session to look for */
    char *room_id, *session;
    struct wanted *next;
};

struct backup {
    uint8_t key[32];
    char public[BASE64_KEY];
    char version[MAX_VERSION];
    bool have; /* a key */
    bool open; /* the server's version is ours */
    bool told; /* that it is not */
    struct call *call, *fetch;
    struct hr_timer *timer;
    unsigned tries;
    json_t *sent; /* room ids with session ids that are on their way */
    struct wanted *wanted;
    size_t wanted_count;
};

static void ask(struct matrix *mx);
static void upload(struct matrix *mx);

/* ---- the row -------------------------------------------------------------------------------- */

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    struct backup *backup = mx->e2ee->backup;
    const char *sealed_text = matrix_column(&column[0]), *version = matrix_column(&column[1]);
    uint8_t key[SECRET_STORAGE_KEY];
    (void)count;
    json_t *sealed = sealed_text != NULL ? json_loads(sealed_text, 0, NULL) : NULL;
    if (sealed != NULL && mx->api->derive(mx->bot, "backup", key, sizeof(key)) == HR_OK &&
        secret_storage_open_key(key, "backup", sealed, backup->key) == HR_OK) {
        backup->have = true;
        ratchet_backup_public(backup->key, backup->public);
    }
    if (version != NULL && strlen(version) < sizeof(backup->version)) {
        memcpy(backup->version, version, strlen(version) + 1);
    }
    curve_wipe(key, sizeof(key));
    json_decref(sealed);
    return HR_OK;
}

static int save(struct matrix *mx)
{
    const struct backup *backup = mx->e2ee->backup;
    uint8_t key[SECRET_STORAGE_KEY];
    json_t *sealed = NULL;
    int rc = mx->api->derive(mx->bot, "backup", key, sizeof(key));
    rc = rc < 0 ? rc : secret_storage_seal_key(key, "backup", backup->key, &sealed);
    char *text = rc < 0 ? NULL : json_dumps(sealed, JSON_COMPACT);
    if (text != NULL) {
        const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(text), HR_V_STR(backup->version)};
        rc =
            mx->api->sql(mx->bot, "UPDATE matrix_identity SET backup_key = ?2, backup_version = ?3 WHERE instance = ?1",
                         args, 3, NULL, NULL);
    }
    curve_wipe(key, sizeof(key));
    json_decref(sealed);
    free(text);
    return rc;
}

/* ---- finding or making the version ---------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct matrix *mx = arg;
    mx->e2ee->backup->timer = NULL;
    if (mx->e2ee->backup->open) {
        upload(mx);
    } else {
        ask(mx);
    }
}

static void later(struct matrix *mx, int64_t wait_ms)
{
    struct backup *backup = mx->e2ee->backup;
    if (backup->timer == NULL) {
        (void)mx->api->timer_in(mx->bot, wait_ms, 0, on_timer, mx, &backup->timer);
    }
}

static void use(struct matrix *mx, const char *version)
{
    struct backup *backup = mx->e2ee->backup;
    bool other = strcmp(backup->version, version) != 0;
    memcpy(backup->version, version, strlen(version) + 1);
    backup->open = true;
    backup->tries = 0;
    (void)save(mx);
    if (other) {
        group_backup_again(mx);
    }
    recovery_open(mx);
    backup_wake(mx);
}

static void give_up(struct matrix *mx, const char *why)
{
    struct backup *backup = mx->e2ee->backup;
    backup->open = false;
    if (!backup->told) {
        backup->told = true;
        matrix_error(mx, "room keys are not backed up at the server: %s", why);
    }
    recovery_open(mx);
}

static void on_made(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    const char *version = scan_text(reply->json, "version");
    (void)arg;
    if (reply->status == HR_OK && version != NULL && strlen(version) < MAX_VERSION) {
        use(mx, version);
    } else if (reply->status == HR_ERETRY) {
        later(mx, matrix_backoff_ms(mx, mx->e2ee->backup->tries++));
    } else {
        give_up(mx, reply->words[0] != '\0' ? reply->words : "the server's answer can't be read");
    }
}

static void make(struct matrix *mx)
{
    struct backup *backup = mx->e2ee->backup;
    const struct cross_signing_keys *own = own_identity_keys(mx);
    if (!backup->have) {
        curve_random(backup->key, sizeof(backup->key));
        ratchet_backup_public(backup->key, backup->public);
        backup->have = true;
        if (save(mx) < 0) {
            give_up(mx, "its key could not be saved");
            return;
        }
    }
    json_t *auth = json_pack("{s:s}", "public_key", backup->public);
    if (own == NULL || device_keys_sign(mx->e2ee->account, mx->user, mx->device, auth) < 0 ||
        cross_signing_keys_sign_master(own, mx->user, auth) < 0) {
        json_decref(auth);
        give_up(mx, "it could not be signed");
        return;
    }
    json_t *body = json_pack("{s:s, s:o}", "algorithm", ALGORITHM, "auth_data", auth);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {
        .method = "POST", .path = "/_matrix/client/v3/room_keys/version", .body = text, .handle = &backup->call};
    json_decref(body);
    if (call_start(mx, &request, on_made, NULL, NULL) < 0) {
        later(mx, matrix_backoff_ms(mx, backup->tries++));
    }
    free(text);
}

static void on_wanted(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    const json_t *enabled = json_object_get(reply->json, "enabled");
    (void)arg;
    if (reply->status == HR_OK && json_is_false(enabled)) {
        give_up(mx, "it was switched off in this account (m.key_backup)");
    } else if (reply->status == HR_ERETRY) {
        later(mx, matrix_backoff_ms(mx, mx->e2ee->backup->tries++));
    } else {
        make(mx);
    }
}

/* There is none: somebody may have wished that. */
static void ask_whether_wanted(struct matrix *mx)
{
    struct call_request request = {
        .method = "GET",
        .path =
            mx->api->print(mx->bot, "/_matrix/client/v3/user/%s/account_data/m.key_backup", call_encode(mx, mx->user)),
        .handle = &mx->e2ee->backup->call,
    };
    if (call_start(mx, &request, on_wanted, NULL, NULL) < 0) {
        later(mx, matrix_backoff_ms(mx, mx->e2ee->backup->tries++));
    }
}

static void on_version(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct backup *backup = mx->e2ee->backup;
    const char *version = scan_text(reply->json, "version"), *algorithm = scan_text(reply->json, "algorithm");
    const char *key = scan_text(json_object_get(reply->json, "auth_data"), "public_key");
    (void)arg;
    if (reply->status == HR_ERETRY) {
        later(mx, matrix_backoff_ms(mx, backup->tries++));
    } else if (reply->code == 404 && strcmp(reply->errcode, "M_NOT_FOUND") == 0) {
        ask_whether_wanted(mx);
    } else if (reply->status != HR_OK) {
        give_up(mx, reply->words);
    } else if (version == NULL || strlen(version) >= MAX_VERSION || algorithm == NULL ||
               strcmp(algorithm, ALGORITHM) != 0 || key == NULL || !backup->have || strcmp(key, backup->public) != 0) {
        give_up(mx, "the server has one whose key this bot doesn't know, and does not touch it. If it is this bot's "
                    "own, type: hashroom recovery-key use");
    } else {
        use(mx, version);
    }
}

static void ask(struct matrix *mx)
{
    struct backup *backup = mx->e2ee->backup;
    struct call_request request = {
        .method = "GET", .path = "/_matrix/client/v3/room_keys/version", .handle = &backup->call};
    if (backup->call == NULL && call_start(mx, &request, on_version, NULL, NULL) < 0) {
        later(mx, matrix_backoff_ms(mx, backup->tries++));
    }
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static int add_session(void *arg, const struct group_export *session)
{
    struct matrix *mx = arg;
    struct backup *backup = mx->e2ee->backup;
    struct ratchet_sealed sealed;
    json_t *plain = json_pack("{s:s, s:s, s:{s:s}, s:[], s:s, s:b}", "algorithm", DEVICE_KEYS_MEGOLM, "sender_key",
                              session->sender_curve, "sender_claimed_keys", "ed25519", session->sender_ed,
                              "forwarding_curve25519_key_chain", "session_key", session->exported, "shared_history",
                              session->shared_history);
    char *text = plain != NULL ? json_dumps(plain, JSON_COMPACT) : NULL;
    json_decref(plain);
    if (text == NULL || ratchet_backup_seal(backup->public, text, strlen(text), &sealed) < 0) {
        free(text);
        return HR_OK;
    }
    json_t *room = json_object_get(backup->sent, session->room_id);
    if (room == NULL) {
        room = json_pack("{s:{}}", "sessions");
        (void)json_object_set_new(backup->sent, session->room_id, room);
    }
    (void)json_object_set_new(json_object_get(room, "sessions"), session->session,
                              json_pack("{s:I, s:i, s:b, s:{s:s, s:s, s:s}}", "first_message_index",
                                        (json_int_t)session->first_index, "forwarded_count", 0, "is_verified", 0,
                                        "session_data", "ephemeral", sealed.ephemeral, "ciphertext", sealed.ciphertext,
                                        "mac", sealed.mac));
    ratchet_sealed_clear(&sealed);
    curve_free(text, strlen(text));
    return HR_OK;
}

static void written(struct matrix *mx)
{
    const char *room_id, *session;
    json_t *room, *data;
    json_object_foreach(mx->e2ee->backup->sent, room_id, room)
    {
        json_object_foreach(json_object_get(room, "sessions"), session, data)
        {
            group_backup_done(mx, room_id, session, json_integer_value(json_object_get(data, "first_message_index")));
        }
    }
}

static void on_uploaded(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct backup *backup = mx->e2ee->backup;
    (void)arg;
    if (reply->status == HR_OK) {
        written(mx);
        backup->tries = 0;
    }
    json_decref(backup->sent);
    backup->sent = NULL;
    if (reply->status == HR_OK) {
        backup_wake(mx);
    } else if (reply->code == 403 || reply->code == 404) { /* M_WRONG_ROOM_KEYS_VERSION, or it was deleted */
        backup->open = false;
        ask(mx);
    } else {
        int64_t wait_ms = matrix_backoff_ms(mx, backup->tries++);
        later(mx, reply->retry_ms > wait_ms ? reply->retry_ms : wait_ms);
    }
}

static void upload(struct matrix *mx)
{
    struct backup *backup = mx->e2ee->backup;
    if (!backup->open || backup->call != NULL) {
        return;
    }
    backup->sent = json_object();
    (void)group_backup_missing(mx, A_REQUEST, add_session, mx);
    if (json_object_size(backup->sent) == 0) {
        json_decref(backup->sent);
        backup->sent = NULL;
        return;
    }
    json_t *body = json_pack("{s:O}", "rooms", backup->sent);
    char *text = json_dumps(body, JSON_COMPACT);
    struct call_request request = {
        .method = "PUT",
        .path =
            mx->api->print(mx->bot, "/_matrix/client/v3/room_keys/keys?version=%s", call_encode(mx, backup->version)),
        .body = text,
        .handle = &backup->call,
    };
    json_decref(body);
    if (call_start(mx, &request, on_uploaded, NULL, NULL) < 0) {
        json_decref(backup->sent);
        backup->sent = NULL;
        later(mx, matrix_backoff_ms(mx, backup->tries++));
    }
    free(text);
}

void backup_wake(struct matrix *mx)
{
    if (mx->e2ee->backup != NULL && mx->e2ee->backup->open) {
        later(mx, SOON_MS);
    }
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static void fetch_next(struct matrix *mx);

static void wanted_free(struct wanted *wanted)
{
    free(wanted->room_id);
    free(wanted->session);
    free(wanted);
}

static int take(struct matrix *mx, const struct wanted *wanted, const json_t *data)
{
    const char *ciphertext = scan_text(data, "ciphertext"), *mac = scan_text(data, "mac");
    const char *ephemeral = scan_text(data, "ephemeral");
    char *text = NULL, err[120];
    size_t len = 0;
    if (ciphertext == NULL || mac == NULL || ephemeral == NULL) {
        return HR_EINVAL;
    }
    int rc = ratchet_backup_open(mx->e2ee->backup->key, ciphertext, mac, ephemeral, &text, &len);
    if (rc < 0) {
        return rc;
    }
    json_t *plain = scan_load((struct scan){text, len}, err, sizeof(err));
    const char *algorithm = scan_text(plain, "algorithm");
    const struct group_key key = {
        .room_id = wanted->room_id,
        .session = wanted->session,
        .key = scan_text(plain, "session_key"),
        .exported = true,
        .origin = GROUP_BACKUP,
        .sender_curve = scan_text(plain, "sender_key"),
        .sender_ed = scan_text(json_object_get(plain, "sender_claimed_keys"), "ed25519"),
        .shared_history = json_is_true(json_object_get(plain, "shared_history")),
    };
    bool sound =
        key.key != NULL && key.sender_curve != NULL && algorithm != NULL && strcmp(algorithm, DEVICE_KEYS_MEGOLM) == 0;
    rc = sound ? group_in_take(mx, &key) : HR_EINVAL;
    json_decref(plain);
    curve_free(text, len);
    return rc;
}

static void on_fetched(struct matrix *mx, void *arg, const struct call_reply *reply)
{
    struct backup *backup = mx->e2ee->backup;
    struct wanted *wanted = backup->wanted;
    (void)arg;
    backup->wanted = wanted->next;
    backup->wanted_count--;
    if (reply->status == HR_OK && take(mx, wanted, json_object_get(reply->json, "session_data")) < 0) {
        e2ee_refuse(mx, "the backup holds no sound key for a session of %s", wanted->room_id);
    }
    wanted_free(wanted);
    fetch_next(mx);
}

static void fetch_next(struct matrix *mx)
{
    struct backup *backup = mx->e2ee->backup;
    const struct wanted *wanted = backup->wanted;
    if (wanted == NULL || backup->fetch != NULL || !backup->open) {
        return;
    }
    struct call_request request = {
        .method = "GET",
        .path = mx->api->print(mx->bot, "/_matrix/client/v3/room_keys/keys/%s/%s?version=%s",
                               call_encode(mx, wanted->room_id), call_encode(mx, wanted->session),
                               call_encode(mx, backup->version)),
        .handle = &backup->fetch,
    };
    (void)call_start(mx, &request, on_fetched, NULL, NULL); /* else with the next one that is looked for */
}

void backup_fetch(struct matrix *mx, const char *room_id, const char *session)
{
    struct backup *backup = mx->e2ee->backup;
    if (backup == NULL || !backup->open || backup->wanted_count == MAX_WANTED) {
        return;
    }
    struct wanted **at = &backup->wanted;
    for (; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->session, session) == 0 && strcmp((*at)->room_id, room_id) == 0) {
            return;
        }
    }
    *at = mem_new(sizeof(**at));
    **at = (struct wanted){.room_id = mem_dup(room_id), .session = mem_dup(session)};
    backup->wanted_count++;
    fetch_next(mx);
}

/* ---- life --------------------------------------------------------------------------------------------------- */

void backup_open(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name), HR_V_STR(mx->user)};
    backup_stop(mx);
    mx->e2ee->backup = mem_new(sizeof(*mx->e2ee->backup));
    (void)mx->api->sql(mx->bot,
                       "SELECT backup_key, backup_version FROM matrix_identity WHERE instance = ?1 AND user = ?2", args,
                       2, on_row, mx);
    ask(mx);
}

void backup_stop(struct matrix *mx)
{
    struct backup *backup = mx->e2ee->backup;
    if (backup == NULL) {
        return;
    }
    call_cancel(backup->call);
    call_cancel(backup->fetch);
    mx->api->timer_stop(backup->timer);
    json_decref(backup->sent);
    while (backup->wanted != NULL) {
        struct wanted *next = backup->wanted->next;
        wanted_free(backup->wanted);
        backup->wanted = next;
    }
    curve_wipe(backup->key, sizeof(backup->key));
    free(backup);
    mx->e2ee->backup = NULL;
}

int backup_key(struct matrix *mx, uint8_t key[32])
{
    const struct backup *backup = mx->e2ee->backup;
    if (backup == NULL || !backup->have) {
        return HR_ENOTFOUND;
    }
    memcpy(key, backup->key, 32);
    return HR_OK;
}

int backup_restore(struct matrix *mx, const uint8_t key[32])
{
    struct backup *backup = mx->e2ee->backup;
    if (backup == NULL) {
        return HR_ENOTFOUND;
    }
    memcpy(backup->key, key, 32);
    ratchet_backup_public(backup->key, backup->public);
    backup->have = true;
    backup->told = false;
    int rc = save(mx);
    ask(mx);
    return rc;
}
