/* SPDX-License-Identifier: MIT */
/* Device objects and signed one-time keys: ours made, those of others checked. */
#include "device_keys.h"

#include "../scan.h"
#include "canonical.h"
#include "curve.h"

#include <hashroom/plugin.h>

#include <stdio.h>
#include <string.h>

#define ONE_TIME "signed_curve25519:"

enum { KEY_ID = DEVICE_KEYS_MAX_ID + 32 }; /* "ed25519:" and a device id */

static void key_id(char out[KEY_ID], const char *algorithm, const char *device)
{
    snprintf(out, KEY_ID, "%s:%s", algorithm, device);
}

/* ---- ours ---- */

static void sign(void *arg, const void *bytes, size_t len, char signature[BASE64_SIGNATURE])
{
    ratchet_account_sign(arg, bytes, len, signature);
}

int device_keys_sign(struct ratchet_account *account, const char *user, const char *device, json_t *object)
{
    char id[KEY_ID];
    key_id(id, "ed25519", device);
    return canonical_sign(object, user, id, sign, account);
}

json_t *device_keys_make(struct ratchet_account *account, const char *user, const char *device)
{
    const struct ratchet_identity *identity = ratchet_account_identity(account);
    char ed25519[KEY_ID], curve25519[KEY_ID];
    key_id(ed25519, "ed25519", device);
    key_id(curve25519, "curve25519", device);
    json_t *object = json_pack("{s:s, s:s, s:[s,s], s:{s:s, s:s}}", "user_id", user, "device_id", device, "algorithms",
                               DEVICE_KEYS_OLM, DEVICE_KEYS_MEGOLM, "keys", ed25519, identity->ed25519, curve25519,
                               identity->curve25519);
    (void)device_keys_sign(account, user, device, object);
    return object;
}

static void add_signed(json_t *all, struct ratchet_account *account, const char *user, const char *device,
                       const struct ratchet_key *key, bool fallback)
{
    char name[sizeof(ONE_TIME) + RATCHET_KEY_ID];
    json_t *object = json_pack("{s:s}", "key", key->key);
    if (fallback) {
        (void)json_object_set_new(object, "fallback", json_true());
    }
    (void)device_keys_sign(account, user, device, object);
    snprintf(name, sizeof(name), ONE_TIME "%s", key->id);
    (void)json_object_set_new(all, name, object);
}

json_t *device_keys_upload(struct ratchet_account *account, const char *user, const char *device)
{
    struct ratchet_key key[RATCHET_ONE_TIME_KEYS], fallback;
    json_t *body = json_object();
    size_t count = ratchet_account_unpublished(account, key);
    if (count > 0) {
        json_t *all = json_object();
        for (size_t i = 0; i < count; i++) {
            add_signed(all, account, user, device, &key[i], false);
        }
        (void)json_object_set_new(body, "one_time_keys", all);
    }
    if (ratchet_account_unpublished_fallback(account, &fallback)) {
        json_t *all = json_object();
        add_signed(all, account, user, device, &fallback, true);
        (void)json_object_set_new(body, "fallback_keys", all);
    }
    return body;
}

/* ---- those of others ---- */

static bool is_text(const json_t *object, const char *key, const char *want)
{
    const char *text = scan_text(object, key);
    return text != NULL && strcmp(text, want) == 0;
}

static bool has_item(const json_t *array, const char *want)
{
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), want) == 0) {
            return true;
        }
    }
    return false;
}

static int refuse(int status, const char *words, const char **why)
{
    if (why != NULL) {
        *why = words;
    }
    return status;
}

int device_keys_read(const json_t *object, const char *user, const char *device, struct device_keys *out,
                     const char **why)
{
    char ed25519_id[KEY_ID], curve25519_id[KEY_ID];
    const json_t *algorithms = json_object_get(object, "algorithms"), *keys = json_object_get(object, "keys");
    if (strlen(user) > DEVICE_KEYS_MAX_ID || strlen(device) > DEVICE_KEYS_MAX_ID || device[0] == '\0') {
        return refuse(HR_EINVAL, "its user or device id is too long or empty", why);
    }
    if (!is_text(object, "user_id", user)) {
        return refuse(HR_EINVAL, "it is of another user", why);
    }
    if (!is_text(object, "device_id", device)) {
        return refuse(HR_EINVAL, "it is of another device", why);
    }
    if (!json_is_array(algorithms) || !json_is_object(keys)) {
        return refuse(HR_EINVAL, "it has no list of algorithms or keys", why);
    }
    key_id(ed25519_id, "ed25519", device);
    key_id(curve25519_id, "curve25519", device);
    const char *ed25519 = scan_text(keys, ed25519_id), *curve25519 = scan_text(keys, curve25519_id);
    if (ed25519 == NULL || curve25519 == NULL) {
        return refuse(HR_ENOTFOUND, "it has no keys for encryption", why);
    }
    if (curve_check_ed25519(ed25519) != HR_OK || curve_check(curve25519) != HR_OK) {
        return refuse(HR_EINVAL, "one of its keys is none or forbidden", why);
    }
    int status = canonical_verify(object, user, ed25519_id, ed25519);
    if (status != HR_OK) {
        return refuse(status == HR_ELIMIT ? HR_EINVAL : status,
                      status == HR_ENOTFOUND ? "it is not signed by itself" : "its signature is wrong", why);
    }
    *out = (struct device_keys){.olm = has_item(algorithms, DEVICE_KEYS_OLM),
                                .megolm = has_item(algorithms, DEVICE_KEYS_MEGOLM)};
    memcpy(out->user, user, strlen(user));
    memcpy(out->device, device, strlen(device));
    memcpy(out->ed25519, ed25519, BASE64_KEY);
    memcpy(out->curve25519, curve25519, BASE64_KEY);
    return HR_OK;
}

int device_keys_claimed(const json_t *claimed, const struct device_keys *device, char key[BASE64_KEY])
{
    const char *name;
    json_t *object;
    char id[KEY_ID];
    key_id(id, "ed25519", device->device);
    json_object_foreach((json_t *)claimed, name, object)
    {
        if (strncmp(name, ONE_TIME, strlen(ONE_TIME)) != 0) {
            continue;
        }
        const char *text = scan_text(object, "key");
        if (curve_check(text) != HR_OK) {
            return HR_EINVAL;
        }
        int status = canonical_verify(object, device->user, id, device->ed25519);
        if (status == HR_OK) {
            memcpy(key, text, BASE64_KEY);
        }
        return status == HR_ELIMIT ? HR_EINVAL : status;
    }
    return HR_ENOTFOUND;
}
