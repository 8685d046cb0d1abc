/* SPDX-License-Identifier: MIT */
/* The method m.sas.v1, on the side that accepts. */
#include "verify_sas.h"

#include "../room.h"
#include "group_out.h"
#include "own_identity.h"
#include "to_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAS "m.sas.v1"
#define AGREEMENT "curve25519-hkdf-sha256"
#define MAC "hkdf-hmac-sha256.v2"

/* ---- sending ------------------------------------------------------------------------------------ */

static const char *transaction_id(struct matrix *mx)
{
    uint8_t dice[12] = {0};
    char text[2 * sizeof(dice) + 1];
    (void)mx->api->random(mx->bot, dice, sizeof(dice));
    for (size_t i = 0; i < sizeof(dice); i++) {
        snprintf(text + 2 * i, 3, "%02x", dice[i]);
    }
    return mx->api->print(mx->bot, "verify.%s", text);
}

void verify_sas_send(struct verification *verification, const char *suffix, json_t *content)
{
    struct matrix *mx = verification->mx;
    const char *type = mx->api->print(mx->bot, "m.key.verification.%s", suffix);
    struct mx_room *room = verification->room_id != NULL ? room_by_id(mx, verification->room_id) : NULL;
    if (content != NULL && verification->room_id == NULL) {
        (void)json_object_set_new(content, "transaction_id", json_string(verification->transaction));
        (void)to_device_add(mx, type, verification->user, verification->device, content);
        (void)to_device_flush(mx);
    } else if (content != NULL && room != NULL) {
        (void)json_object_set_new(
            content, "m.relates_to",
            json_pack("{s:s, s:s}", "rel_type", "m.reference", "event_id", verification->transaction));
        group_out_event(room, transaction_id(mx), type, content);
    }
    json_decref(content);
}

void verify_sas_cancel(struct verification *verification, const char *code, const char *reason)
{
    struct matrix *mx = verification->mx;
    if (!verification->told) {
        mx->api->log(mx->bot, HR_INFO, "verification with %s ended: %s", verification->user, reason);
    }
    verify_sas_send(verification, "cancel", json_pack("{s:s, s:s}", "code", code, "reason", reason));
    verify_end(verification);
}

/* ---- request ------------------------------------------------------------------------------------- */

struct lookup {
    char *user, *transaction;
};

static void lookup_free(void *arg)
{
    struct lookup *lookup = arg;
    free(lookup->user);
    free(lookup->transaction);
    free(lookup);
}

static void on_fresh(struct matrix *mx, void *arg)
{
    struct lookup *lookup = arg;
    struct verification *verification = verify_find(mx, lookup->user, lookup->transaction);
    lookup_free(lookup);
    if (verification == NULL) {
        return;
    }
    const char *master = people_shown_master(mx, verification->user);
    if (people_device(mx, verification->user, verification->device, &verification->peer) < 0 || master == NULL ||
        strlen(master) >= sizeof(verification->master)) {
        verify_sas_cancel(verification, "m.key_mismatch", "This device, or the person's identity, is not known here.");
        return;
    }
    memcpy(verification->master, master, strlen(master) + 1);
    verification->step = VERIFY_READY;
    verify_sas_send(verification, "ready", json_pack("{s:s, s:[s]}", "from_device", mx->device, "methods", SAS));
}

void verify_sas_begin(struct verification *verification)
{
    struct lookup *lookup = mem_new(sizeof(*lookup));
    const char *users[] = {verification->user};
    *lookup = (struct lookup){mem_dup(verification->user), mem_dup(verification->transaction)};
    people_fresh(verification->mx, users, 1, on_fresh, lookup_free, lookup);
}

/* ---- start, accept --------------------------------------------------------------------------------- */

static bool offers(const json_t *content, const char *list, const char *wanted)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(content, list), i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void started(struct verification *verification, const json_t *content)
{
    const char *method = scan_text(content, "method"), *device = scan_text(content, "from_device");
    char commitment[BASE64_KEY];
    if (verification->step != VERIFY_READY) {
        verify_sas_cancel(verification, "m.unexpected_message", "A start message came at the wrong time.");
        return;
    }
    if (method == NULL || strcmp(method, SAS) != 0 || device == NULL || strcmp(device, verification->device) != 0 ||
        !offers(content, "key_agreement_protocols", AGREEMENT) || !offers(content, "hashes", "sha256") ||
        !offers(content, "message_authentication_codes", MAC) ||
        !offers(content, "short_authentication_string", "decimal")) {
        verify_sas_cancel(verification, "m.unknown_method", "Only the comparison of emoji or numbers is possible.");
        return;
    }
    verification->sas = ratchet_sas_new();
    verification->start = json_deep_copy(content);
    if (sas_commitment(ratchet_sas_public(verification->sas), verification->start, commitment) < 0) {
        verify_sas_cancel(verification, "m.invalid_message", "The start message can't be read.");
        return;
    }
    json_t *strings = json_pack("[s]", "decimal");
    if (offers(content, "short_authentication_string", "emoji")) {
        (void)json_array_append_new(strings, json_string("emoji"));
    }
    verification->step = VERIFY_ACCEPTED;
    verify_sas_send(verification, "accept",
                    json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "method", SAS, "key_agreement_protocol", AGREEMENT,
                              "hash", "sha256", "message_authentication_code", MAC, "short_authentication_string",
                              strings, "commitment", commitment));
}

/* ---- keys, what people compare ------------------------------------------------------------------------ */

static void key_came(struct verification *verification, const json_t *content)
{
    struct matrix *mx = verification->mx;
    const char *key = scan_text(content, "key");
    struct sas_party them = {verification->user, verification->device}, us = {mx->user, mx->device};
    if (verification->step != VERIFY_ACCEPTED) {
        verify_sas_cancel(verification, "m.unexpected_message", "A key came at the wrong time.");
        return;
    }
    if (key == NULL || strlen(key) >= sizeof(verification->their_key) ||
        ratchet_sas_set_their_key(verification->sas, key) < 0) {
        verify_sas_cancel(verification, "m.invalid_message", "The key can't be used.");
        return;
    }
    memcpy(verification->their_key, key, strlen(key) + 1);
    const char *own = ratchet_sas_public(verification->sas);
    if (sas_code(verification->sas, them, key, us, own, verification->transaction, &verification->code) < 0) {
        verify_sas_cancel(verification, "m.invalid_message", "What is to be compared can't be calculated.");
        return;
    }
    verification->step = VERIFY_SHOWN;
    verify_sas_send(verification, "key", json_pack("{s:s}", "key", own));
    mx->api->log(mx->bot, HR_INFO, "%s wants to verify this bot. To compare with them, type: hashroom verify",
                 verification->user);
}

/* ---- MACs ------------------------------------------------------------------------------------------------ */

static void finish(struct verification *verification)
{
    struct matrix *mx = verification->mx;
    struct sas_party them = {verification->user, verification->device}, us = {mx->user, mx->device};
    const char *shown = people_shown_master(mx, verification->user);
    struct sas_key keys[2] = {
        {mx->api->print(mx->bot, "ed25519:%s", verification->device), verification->peer.ed},
        {mx->api->print(mx->bot, "ed25519:%s", verification->master), verification->master},
    };
    bool good[2] = {false, false};
    int rc = sas_mac_check(verification->sas, them, us, verification->transaction, verification->mac, keys, 2, good);
    if (rc < 0 || !good[1] || shown == NULL || strcmp(shown, verification->master) != 0) {
        verify_sas_cancel(verification, "m.key_mismatch", "The other side did not vouch for the identity it shows.");
        return;
    }
    if (strcmp(verification->user, mx->user) != 0) {
        (void)people_accept(mx, verification->user); /* a changed identity: this is the one from now on */
        people_verified(mx, verification->user);
        own_identity_sign_user(mx, verification->user);
    }
    mx->api->log(mx->bot, HR_INFO, "%s is verified", verification->user);
    verification->step = VERIFY_DONE;
}

/* Ours goes after theirs: matrix-js-sdk 43 may read two encrypted events that come together in the wrong order, and a
 * "done" before our MAC is lost to it. */
static void done_came(struct verification *verification, const json_t *content)
{
    (void)content;
    if (verification->step != VERIFY_DONE) {
        verify_sas_cancel(verification, "m.unexpected_message", "It was said to be done at the wrong time.");
        return;
    }
    verify_sas_send(verification, "done", json_object());
    verify_end(verification);
}

static void send_mac(struct verification *verification)
{
    struct matrix *mx = verification->mx;
    struct sas_party them = {verification->user, verification->device}, us = {mx->user, mx->device};
    struct cross_signing_keys_public own;
    const struct cross_signing_keys *identity = own_identity_keys(mx);
    json_t *content = NULL;
    if (identity == NULL) {
        verify_sas_cancel(verification, "m.user", "The bot has no identity to vouch for.");
        return;
    }
    cross_signing_keys_to_public(identity, &own);
    struct sas_key keys[2] = {
        {mx->api->print(mx->bot, "ed25519:%s", mx->device), ratchet_account_identity(mx->e2ee->account)->ed25519},
        {mx->api->print(mx->bot, "ed25519:%s", own.master), own.master},
    };
    if (sas_mac_make(verification->sas, us, them, verification->transaction, keys, 2, &content) < 0) {
        verify_sas_cancel(verification, "m.invalid_message", "The keys can't be vouched for.");
        return;
    }
    verification->step = VERIFY_AGREED;
    verify_sas_send(verification, "mac", content);
    if (verification->mac != NULL) {
        finish(verification);
    }
}

static void mac_came(struct verification *verification, const json_t *content)
{
    if ((verification->step != VERIFY_SHOWN && verification->step != VERIFY_AGREED) || verification->mac != NULL) {
        verify_sas_cancel(verification, "m.unexpected_message", "A MAC came at the wrong time.");
        return;
    }
    verification->mac = json_deep_copy(content);
    if (verification->step == VERIFY_AGREED) {
        finish(verification);
    }
}

void verify_sas_answer(struct verification *verification, bool same)
{
    if (!same) {
        verify_sas_cancel(verification, "m.mismatched_sas", "The operator saw something else.");
    } else {
        send_mac(verification);
    }
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

void verify_sas_message(struct verification *verification, const char *type, const json_t *content)
{
    static const struct {
        const char *type;
        void (*run)(struct verification *verification, const json_t *content);
    } handlers[] = {{"start", started}, {"key", key_came}, {"mac", mac_came}, {"done", done_came}};
    if (strcmp(type, "cancel") == 0) {
        verification->mx->api->log(verification->mx->bot, HR_INFO, "%s ended the verification", verification->user);
        verify_end(verification);
        return;
    }
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strcmp(type, handlers[i].type) == 0) {
            handlers[i].run(verification, content);
            return;
        }
    }
}
