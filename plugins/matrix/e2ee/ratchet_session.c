/* SPDX-License-Identifier: MIT */
/* Olm: what two devices say to each other. */
#include "ratchet_olm.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = BASE64_KEY - 1 };

static struct ratchet_session *new_empty(void)
{
    struct ratchet_session *session = mem_new(sizeof(*session));
    session->olm = olm_session(mem_new(olm_session_size()));
    return session;
}

void ratchet_session_free(struct ratchet_session *session)
{
    if (session != NULL) {
        (void)olm_clear_session(session->olm);
        free(session->olm);
        free(session);
    }
}

static void ready(struct ratchet_session *session)
{
    ratchet_must(olm_session_id_length(session->olm) == KEY_LEN &&
                     olm_session_id(session->olm, session->id, KEY_LEN) != olm_error(),
                 "the id of a session");
}

/* What a constructor of the library said: the session, or a status and nothing left. */
static int finish(struct ratchet_session *session, size_t result, struct ratchet_session **out)
{
    if (result == olm_error()) {
        int status = ratchet_status(olm_session_last_error_code(session->olm));
        ratchet_session_free(session);
        return status;
    }
    ready(session);
    *out = session;
    return HR_OK;
}

int ratchet_session_outbound(const struct ratchet_account *account, const char *their_curve25519,
                             const char *their_one_time_key, struct ratchet_session **out)
{
    if (curve_check(their_curve25519) != HR_OK || curve_check(their_one_time_key) != HR_OK) {
        return HR_EINVAL;
    }
    struct ratchet_session *session = new_empty();
    size_t len = olm_create_outbound_session_random_length(session->olm);
    char *random = ratchet_random(len);
    size_t result = olm_create_outbound_session(session->olm, account->olm, their_curve25519, KEY_LEN,
                                                their_one_time_key, KEY_LEN, random, len);
    curve_free(random, len);
    return finish(session, result, out);
}

int ratchet_session_inbound(struct ratchet_account *account, const char *sender_key, const char *body, size_t len,
                            struct ratchet_session **out)
{
    char sender[BASE64_KEY] = "";
    int status = curve_check(sender_key);
    if (status == HR_OK) {
        status = ratchet_message_check(RATCHET_PRE_KEY, body, len, sender);
    }
    if (status == HR_OK && strcmp(sender, sender_key) != 0) {
        status = HR_EDENIED;
    }
    if (status != HR_OK) {
        return status;
    }
    struct ratchet_session *session = new_empty();
    char *copy = mem_copy(body, len);
    size_t result = olm_create_inbound_session_from(session->olm, account->olm, sender_key, KEY_LEN, copy, len);
    free(copy);
    return finish(session, result, out);
}

/* A pre-key message belongs to this session; sender_key NULL: whoever it says it is from. */
static bool is_for(struct ratchet_session *session, const char *sender_key, const char *body, size_t len)
{
    char *copy = mem_copy(body, len);
    size_t match = sender_key == NULL ? olm_matches_inbound_session(session->olm, copy, len)
                                      : olm_matches_inbound_session_from(session->olm, sender_key, KEY_LEN, copy, len);
    free(copy);
    return match == 1;
}

bool ratchet_session_matches(struct ratchet_session *session, const char *sender_key, const char *body, size_t len)
{
    uint8_t key[CURVE_BYTES];
    if (base64_exact(BASE64, sender_key, key, sizeof(key)) != HR_OK ||
        ratchet_text(body, len, RATCHET_MAX_MESSAGE) != HR_OK) {
        return false;
    }
    return is_for(session, sender_key, body, len);
}

const char *ratchet_session_id(const struct ratchet_session *session)
{
    return session->id;
}

bool ratchet_session_has_received(const struct ratchet_session *session)
{
    return olm_session_has_received_message(session->olm) != 0;
}

int ratchet_session_encrypt(struct ratchet_session *session, const void *plaintext, size_t len, int *type, char **body,
                            size_t *body_len)
{
    if (len > RATCHET_MAX_PLAINTEXT) {
        return HR_ELIMIT;
    }
    size_t random_len = olm_encrypt_random_length(session->olm);
    size_t out_len = olm_encrypt_message_length(session->olm, len);
    char *random = ratchet_random(random_len), *out = mem_new(out_len + 1);
    int message_type = (int)olm_encrypt_message_type(session->olm);
    size_t got = olm_encrypt(session->olm, plaintext, len, random, random_len, out, out_len);
    curve_free(random, random_len);
    ratchet_must(got != olm_error(), "olm_encrypt()");
    out[got] = '\0';
    *type = message_type;
    *body = out;
    *body_len = got;
    return HR_OK;
}

int ratchet_session_decrypt(struct ratchet_session *session, int type, const char *body, size_t len, char **plaintext,
                            size_t *plaintext_len)
{
    int status = ratchet_message_check(type, body, len, NULL);
    if (status != HR_OK) {
        return status;
    }
    if (type == RATCHET_PRE_KEY && !is_for(session, NULL, body, len)) {
        return HR_EDENIED; /* the MAC doesn't cover the keys outside */
    }
    char *copy = mem_copy(body, len), *out = mem_new(len + 1); /* no plaintext is longer than its ciphertext */
    size_t got = olm_decrypt(session->olm, (size_t)type, copy, len, out, len);
    free(copy);
    if (got == olm_error()) {
        curve_free(out, len + 1);
        return ratchet_status(olm_session_last_error_code(session->olm));
    }
    out[got] = '\0';
    *plaintext = out;
    *plaintext_len = got;
    return HR_OK;
}

RATCHET_PICKLES(session, new_empty, ratchet_session_free, olm_pickle_session_length, olm_pickle_session,
                olm_unpickle_session, olm_session_last_error_code, ready)
