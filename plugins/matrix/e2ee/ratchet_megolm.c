/* SPDX-License-Identifier: MIT */
/* Megolm: what one device says to all devices of a room. */
#include "ratchet_inside.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = BASE64_KEY - 1 };

struct ratchet_outbound {
    OlmOutboundGroupSession *olm;
    char id[BASE64_KEY];
};

struct ratchet_inbound {
    OlmInboundGroupSession *olm;
    char id[BASE64_KEY];
};

/* ---- outbound ---- */

static struct ratchet_outbound *new_outbound(void)
{
    struct ratchet_outbound *outbound = mem_new(sizeof(*outbound));
    outbound->olm = olm_outbound_group_session(mem_new(olm_outbound_group_session_size()));
    return outbound;
}

void ratchet_outbound_free(struct ratchet_outbound *outbound)
{
    if (outbound != NULL) {
        (void)olm_clear_outbound_group_session(outbound->olm);
        free(outbound->olm);
        free(outbound);
    }
}

static void outbound_ready(struct ratchet_outbound *outbound)
{
    ratchet_must(olm_outbound_group_session_id(outbound->olm, (uint8_t *)outbound->id, KEY_LEN) == KEY_LEN,
                 "the id of a session");
}

struct ratchet_outbound *ratchet_outbound_new(void)
{
    struct ratchet_outbound *outbound = new_outbound();
    size_t len = olm_init_outbound_group_session_random_length(outbound->olm);
    char *random = ratchet_random(len);
    ratchet_must(olm_init_outbound_group_session(outbound->olm, (uint8_t *)random, len) != olm_error(),
                 "a new session");
    curve_free(random, len);
    outbound_ready(outbound);
    return outbound;
}

const char *ratchet_outbound_id(const struct ratchet_outbound *outbound)
{
    return outbound->id;
}

uint32_t ratchet_outbound_index(const struct ratchet_outbound *outbound)
{
    return olm_outbound_group_session_message_index(outbound->olm);
}

void ratchet_outbound_key(struct ratchet_outbound *outbound, char key[RATCHET_SESSION_KEY])
{
    ratchet_must(olm_outbound_group_session_key(outbound->olm, (uint8_t *)key, RATCHET_SESSION_KEY - 1) ==
                     RATCHET_SESSION_KEY - 1,
                 "a session key");
    key[RATCHET_SESSION_KEY - 1] = '\0';
}

int ratchet_outbound_encrypt(struct ratchet_outbound *outbound, const void *plaintext, size_t len, char **ciphertext,
                             size_t *ciphertext_len)
{
    if (len > RATCHET_MAX_PLAINTEXT) {
        return HR_ELIMIT;
    }
    size_t out_len = olm_group_encrypt_message_length(outbound->olm, len);
    char *out = mem_new(out_len + 1);
    size_t got = olm_group_encrypt(outbound->olm, plaintext, len, (uint8_t *)out, out_len);
    ratchet_must(got != olm_error(), "olm_group_encrypt()");
    out[got] = '\0';
    *ciphertext = out;
    *ciphertext_len = got;
    return HR_OK;
}

RATCHET_PICKLES(outbound, new_outbound, ratchet_outbound_free, olm_pickle_outbound_group_session_length,
                olm_pickle_outbound_group_session, olm_unpickle_outbound_group_session,
                olm_outbound_group_session_last_error_code, outbound_ready)

/* ---- inbound ---- */

static struct ratchet_inbound *new_inbound(void)
{
    struct ratchet_inbound *inbound = mem_new(sizeof(*inbound));
    inbound->olm = olm_inbound_group_session(mem_new(olm_inbound_group_session_size()));
    return inbound;
}

void ratchet_inbound_free(struct ratchet_inbound *inbound)
{
    if (inbound != NULL) {
        (void)olm_clear_inbound_group_session(inbound->olm);
        free(inbound->olm);
        free(inbound);
    }
}

static void inbound_ready(struct ratchet_inbound *inbound)
{
    ratchet_must(olm_inbound_group_session_id(inbound->olm, (uint8_t *)inbound->id, KEY_LEN) == KEY_LEN,
                 "the id of a session");
}

typedef size_t start_fn(OlmInboundGroupSession *session, uint8_t const *key, size_t len);

static int start(const char *key, size_t len, bool shared, start_fn *begin, struct ratchet_inbound **out)
{
    int status = ratchet_session_key_check(key, len, shared);
    if (status != HR_OK) {
        return status;
    }
    struct ratchet_inbound *inbound = new_inbound();
    char *copy = mem_copy(key, len); /* the library writes into it, in spite of its const */
    if (begin(inbound->olm, (uint8_t *)copy, len) == olm_error()) {
        status = ratchet_status(olm_inbound_group_session_last_error_code(inbound->olm));
        ratchet_inbound_free(inbound);
    } else {
        inbound_ready(inbound);
        *out = inbound;
    }
    curve_free(copy, len);
    return status;
}

int ratchet_inbound_new(const char *session_key, size_t len, struct ratchet_inbound **out)
{
    return start(session_key, len, true, olm_init_inbound_group_session, out);
}

int ratchet_inbound_import(const char *exported_key, size_t len, struct ratchet_inbound **out)
{
    return start(exported_key, len, false, olm_import_inbound_group_session, out);
}

const char *ratchet_inbound_id(const struct ratchet_inbound *inbound)
{
    return inbound->id;
}

uint32_t ratchet_inbound_first_index(const struct ratchet_inbound *inbound)
{
    return olm_inbound_group_session_first_known_index(inbound->olm);
}

int ratchet_inbound_export(struct ratchet_inbound *inbound, uint32_t index, char key[RATCHET_EXPORTED_KEY])
{
    char out[RATCHET_EXPORTED_KEY] = "";
    if (index < ratchet_inbound_first_index(inbound)) { /* the library would take it for one far ahead */
        return HR_ENOTFOUND;
    }
    if (olm_export_inbound_group_session(inbound->olm, (uint8_t *)out, sizeof(out) - 1, index) == olm_error()) {
        return ratchet_status(olm_inbound_group_session_last_error_code(inbound->olm));
    }
    memcpy(key, out, sizeof(out));
    curve_wipe(out, sizeof(out));
    return HR_OK;
}

bool ratchet_inbound_connects(struct ratchet_inbound *one, struct ratchet_inbound *other)
{
    char a[RATCHET_EXPORTED_KEY], b[RATCHET_EXPORTED_KEY];
    uint32_t first = ratchet_inbound_first_index(one), second = ratchet_inbound_first_index(other);
    uint32_t from = first > second ? first : second;
    bool same = ratchet_inbound_export(one, from, a) == HR_OK && ratchet_inbound_export(other, from, b) == HR_OK &&
                curve_equal(a, b, sizeof(a));
    curve_wipe(a, sizeof(a));
    curve_wipe(b, sizeof(b));
    return same;
}

int ratchet_inbound_decrypt(struct ratchet_inbound *inbound, const char *ciphertext, size_t len, char **plaintext,
                            size_t *plaintext_len, uint32_t *index)
{
    uint32_t at = 0;
    int status = ratchet_group_message_check(ciphertext, len);
    if (status != HR_OK) {
        return status;
    }
    char *copy = mem_copy(ciphertext, len), *out = mem_new(len + 1); /* no plaintext is longer than its ciphertext */
    size_t got = olm_group_decrypt(inbound->olm, (uint8_t *)copy, len, (uint8_t *)out, len, &at);
    free(copy);
    if (got == olm_error()) {
        curve_free(out, len + 1);
        return ratchet_status(olm_inbound_group_session_last_error_code(inbound->olm));
    }
    out[got] = '\0';
    *plaintext = out;
    *plaintext_len = got;
    *index = at;
    return HR_OK;
}

RATCHET_PICKLES(inbound, new_inbound, ratchet_inbound_free, olm_pickle_inbound_group_session_length,
                olm_pickle_inbound_group_session, olm_unpickle_inbound_group_session,
                olm_inbound_group_session_last_error_code, inbound_ready)
