/* SPDX-License-Identifier: MIT */
/* The identity of a device and its one-time keys. */
#include "ratchet_olm.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct ratchet_account *new_empty(void)
{
    struct ratchet_account *account = mem_new(sizeof(*account));
    account->olm = olm_account(mem_new(olm_account_size()));
    return account;
}

void ratchet_account_free(struct ratchet_account *account)
{
    if (account != NULL) {
        (void)olm_clear_account(account->olm);
        free(account->olm);
        free(account);
    }
}

/* A key out of the library's JSON, which is ours but checked all the same. */
static void take_key(const json_t *value, char out[BASE64_KEY])
{
    ratchet_must(json_is_string(value) && json_string_length(value) == BASE64_KEY - 1, "a key of the account");
    memcpy(out, json_string_value(value), BASE64_KEY);
}

static void ready(struct ratchet_account *account)
{
    size_t len = olm_account_identity_keys_length(account->olm);
    char *text = mem_new(len + 1);
    size_t got = olm_account_identity_keys(account->olm, text, len);
    json_t *keys = got == olm_error() ? NULL : json_loadb(text, got, 0, NULL);
    take_key(json_object_get(keys, "curve25519"), account->identity.curve25519);
    take_key(json_object_get(keys, "ed25519"), account->identity.ed25519);
    json_decref(keys);
    free(text);
}

struct ratchet_account *ratchet_account_new(void)
{
    struct ratchet_account *account = new_empty();
    size_t len = olm_create_account_random_length(account->olm);
    char *random = ratchet_random(len);
    ratchet_must(olm_create_account(account->olm, random, len) != olm_error(), "a new account");
    curve_free(random, len);
    ready(account);
    return account;
}

const struct ratchet_identity *ratchet_account_identity(const struct ratchet_account *account)
{
    return &account->identity;
}

void ratchet_account_sign(struct ratchet_account *account, const void *message, size_t len,
                          char signature[BASE64_SIGNATURE])
{
    ratchet_must(olm_account_signature_length(account->olm) == BASE64_SIGNATURE - 1 &&
                     olm_account_sign(account->olm, message, len, signature, BASE64_SIGNATURE - 1) != olm_error(),
                 "a signature");
    signature[BASE64_SIGNATURE - 1] = '\0';
}

/* ---- one-time keys ---- */

/* Reads {"curve25519": {id: key}} into out. */
static size_t read_keys(const char *text, size_t len, struct ratchet_key *out, size_t max)
{
    json_t *all = json_loadb(text, len, 0, NULL);
    const char *id;
    json_t *key;
    size_t count = 0;
    ratchet_must(all != NULL, "the list of one-time keys");
    json_object_foreach(json_object_get(all, "curve25519"), id, key)
    {
        ratchet_must(count < max && strlen(id) < RATCHET_KEY_ID, "a one-time key");
        memcpy(out[count].id, id, strlen(id) + 1);
        take_key(key, out[count++].key);
    }
    json_decref(all);
    return count;
}

size_t ratchet_account_unpublished(struct ratchet_account *account, struct ratchet_key out[RATCHET_ONE_TIME_KEYS])
{
    size_t len = olm_account_one_time_keys_length(account->olm);
    char *text = mem_new(len + 1);
    size_t got = olm_account_one_time_keys(account->olm, text, len);
    ratchet_must(got != olm_error(), "the list of one-time keys");
    size_t count = read_keys(text, got, out, RATCHET_ONE_TIME_KEYS);
    free(text);
    return count;
}

int ratchet_account_generate(struct ratchet_account *account, size_t count)
{
    struct ratchet_key waiting[RATCHET_ONE_TIME_KEYS];
    size_t have = ratchet_account_unpublished(account, waiting);
    if (count > RATCHET_ONE_TIME_KEYS - have) {
        return HR_ELIMIT;
    }
    size_t len = olm_account_generate_one_time_keys_random_length(account->olm, count);
    char *random = ratchet_random(len);
    ratchet_must(olm_account_generate_one_time_keys(account->olm, count, random, len) != olm_error(), "new keys");
    curve_free(random, len);
    return HR_OK;
}

void ratchet_account_generate_fallback(struct ratchet_account *account)
{
    size_t len = olm_account_generate_fallback_key_random_length(account->olm);
    char *random = ratchet_random(len);
    ratchet_must(olm_account_generate_fallback_key(account->olm, random, len) != olm_error(), "a fallback key");
    curve_free(random, len);
}

bool ratchet_account_unpublished_fallback(struct ratchet_account *account, struct ratchet_key *out)
{
    size_t len = olm_account_unpublished_fallback_key_length(account->olm);
    char *text = mem_new(len + 1);
    struct ratchet_key key;
    size_t got = olm_account_unpublished_fallback_key(account->olm, text, len);
    ratchet_must(got != olm_error(), "the fallback key");
    size_t count = read_keys(text, got, &key, 1);
    free(text);
    if (count == 1) {
        *out = key;
    }
    return count == 1;
}

void ratchet_account_forget_fallback(struct ratchet_account *account)
{
    olm_account_forget_old_fallback_key(account->olm);
}

void ratchet_account_mark_published(struct ratchet_account *account)
{
    (void)olm_account_mark_keys_as_published(account->olm);
}

int ratchet_account_remove_key(struct ratchet_account *account, const struct ratchet_session *session)
{
    return olm_remove_one_time_keys(account->olm, session->olm) == olm_error()
               ? ratchet_status(olm_account_last_error_code(account->olm))
               : HR_OK;
}

RATCHET_PICKLES(account, new_empty, ratchet_account_free, olm_pickle_account_length, olm_pickle_account,
                olm_unpickle_account, olm_account_last_error_code, ready)
