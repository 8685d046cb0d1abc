/* SPDX-License-Identifier: MIT */
/* Cross-signing keys: made from seeds, and verified along the chain. */
#include "cross_signing_keys.h"

#include "../scan.h"
#include "canonical.h"
#include "curve.h"
#include "device_keys.h"

#include <hashroom/plugin.h>

#include <stdio.h>
#include <string.h>

#define ED25519 "ed25519:"

enum { KEY_ID = sizeof(ED25519) + BASE64_KEY };

static void key_id(char out[KEY_ID], const char *key)
{
    snprintf(out, KEY_ID, ED25519 "%s", key);
}

/* ---- ours ---- */

void cross_signing_keys_new(struct cross_signing_keys *out)
{
    curve_random(out, sizeof(*out));
}

void cross_signing_keys_clear(struct cross_signing_keys *keys)
{
    curve_wipe(keys, sizeof(*keys));
}

void cross_signing_keys_to_public(const struct cross_signing_keys *keys, struct cross_signing_keys_public *out)
{
    curve_public(keys->master, out->master);
    curve_public(keys->self_signing, out->self_signing);
    curve_public(keys->user_signing, out->user_signing);
}

static json_t *public_object(const char *user, const char *usage, const uint8_t seed[32])
{
    char key[BASE64_KEY], id[KEY_ID];
    curve_public(seed, key);
    key_id(id, key);
    return json_pack("{s:s, s:[s], s:{s:s}}", "user_id", user, "usage", usage, "keys", id, key);
}

static int sign(const uint8_t seed[32], const char *user, json_t *object)
{
    char key[BASE64_KEY], id[KEY_ID];
    curve_public(seed, key);
    key_id(id, key);
    return canonical_sign_seed(object, user, id, seed);
}

json_t *cross_signing_keys_upload(const struct cross_signing_keys *keys, const char *user, const char *device,
                                  struct ratchet_account *account)
{
    json_t *master = public_object(user, "master", keys->master);
    json_t *self_signing = public_object(user, "self_signing", keys->self_signing);
    json_t *user_signing = public_object(user, "user_signing", keys->user_signing);
    (void)device_keys_sign(account, user, device, master);
    (void)sign(keys->master, user, self_signing);
    (void)sign(keys->master, user, user_signing);
    return json_pack("{s:o, s:o, s:o}", "master_key", master, "self_signing_key", self_signing, "user_signing_key",
                     user_signing);
}

int cross_signing_keys_sign_device(const struct cross_signing_keys *keys, const char *user, json_t *device_keys)
{
    return sign(keys->self_signing, user, device_keys);
}

int cross_signing_keys_sign_user(const struct cross_signing_keys *keys, const char *user, json_t *master_key)
{
    return sign(keys->user_signing, user, master_key);
}

int cross_signing_keys_sign_master(const struct cross_signing_keys *keys, const char *user, json_t *object)
{
    return sign(keys->master, user, object);
}

/* ---- those of others ---- */

/* The one key of an object of that user with that usage: ed25519:KEY names itself. */
static bool read_key(const json_t *object, const char *user, const char *usage, char out[BASE64_KEY])
{
    const char *owner = scan_text(object, "user_id"), *name, *key = NULL;
    const json_t *usages = json_object_get(object, "usage"), *keys = json_object_get(object, "keys");
    const char *first = json_string_value(json_array_get(usages, 0));
    json_t *value;
    if (owner == NULL || strcmp(owner, user) != 0 || json_array_size(usages) != 1 || first == NULL ||
        strcmp(first, usage) != 0 || json_object_size(keys) != 1) {
        return false;
    }
    json_object_foreach((json_t *)keys, name, value)
    {
        key = scan_text(keys, name);
        if (key == NULL || strncmp(name, ED25519, strlen(ED25519)) != 0 || strcmp(name + strlen(ED25519), key) != 0) {
            return false;
        }
    }
    if (curve_check_ed25519(key) != HR_OK) {
        return false;
    }
    memcpy(out, key, BASE64_KEY);
    return true;
}

static bool signed_by(const json_t *object, const char *user, const char *key)
{
    char id[KEY_ID];
    key_id(id, key);
    return canonical_verify(object, user, id, key) == HR_OK;
}

static void read_second(const json_t *object, const char *user, const char *usage, const char *master,
                        char out[BASE64_KEY])
{
    if (!read_key(object, user, usage, out) || strcmp(out, master) == 0 || !signed_by(object, user, master)) {
        out[0] = '\0';
    }
}

int cross_signing_keys_read(const char *user, const json_t *master, const json_t *self_signing,
                            const json_t *user_signing, struct cross_signing_keys_public *out)
{
    struct cross_signing_keys_public found = {0};
    if (!read_key(master, user, "master", found.master)) {
        return HR_EINVAL;
    }
    read_second(self_signing, user, "self_signing", found.master, found.self_signing);
    read_second(user_signing, user, "user_signing", found.master, found.user_signing);
    *out = found;
    return HR_OK;
}

bool cross_signing_keys_has_signed(const struct cross_signing_keys_public *keys, const char *user,
                                   const json_t *device_keys)
{
    const char *device = scan_text(device_keys, "device_id"), *owner = scan_text(device_keys, "user_id");
    if (device == NULL || owner == NULL || strcmp(owner, user) != 0 || strcmp(device, keys->master) == 0 ||
        strcmp(device, keys->self_signing) == 0 || strcmp(device, keys->user_signing) == 0) {
        return false;
    }
    return signed_by(device_keys, user, keys->self_signing);
}

bool cross_signing_keys_vouched(const struct cross_signing_keys_public *ours, const char *our_user, const char *user,
                                const json_t *master)
{
    char key[BASE64_KEY];
    return read_key(master, user, "master", key) && signed_by(master, our_user, ours->user_signing);
}
