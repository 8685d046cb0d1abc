/* SPDX-License-Identifier: MIT */
/* What the files of ratchet.h share; nobody else includes it, nor libolm's headers. */
#ifndef MATRIX_E2EE_RATCHET_INSIDE_H
#define MATRIX_E2EE_RATCHET_INSIDE_H

#include "../mem.h"
#include "base64.h"
#include "curve.h"
#include "ratchet.h"

#include <hashroom/plugin.h>
#include <olm/olm.h>

/* Our status for a library's error. */
int ratchet_status(enum OlmErrorCode error);
/* A call that can only fail where this code is wrong did. */
void ratchet_must(bool good, const char *what);
/* len random bytes; curve_free() them. The library overwrites them, so nobody shares them. */
char *ratchet_random(size_t len);
/* Strict base64 of at most max characters: HR_OK, HR_EINVAL, HR_ELIMIT. text may be NULL. */
int ratchet_text(const char *text, size_t len, size_t max);
/* The length of a pickle: HR_OK, HR_EINVAL, HR_ELIMIT. */
int ratchet_pickle_text(const char *pickle, size_t len);

enum { RATCHET_PRE_KEY = 0, RATCHET_NORMAL = 1 }; /* types of Olm messages */

/* An Olm message can be read and the keys inside of it may be used; sender gets the identity key a pre-key
 * message names (NULL: not wanted). HR_OK, HR_EINVAL, HR_ELIMIT. */
int ratchet_message_check(int type, const char *body, size_t len, char sender[BASE64_KEY]);
/* A Megolm message is long enough and its signature has one form only. */
int ratchet_group_message_check(const char *ciphertext, size_t len);
/* The session key of a Megolm session, or (not shared) an export: length, version, the key in it, its signature. */
int ratchet_session_key_check(const char *key, size_t len, bool shared);

/* x_pickle() and x_unpickle(), the same for each object; x_ready() fills what the struct keeps beside it. */
#define RATCHET_PICKLES(name, new_empty, drop, pickle_length, pickle_call, unpickle_call, last_error, ready)                \
    char *ratchet_##name##_pickle(struct ratchet_##name *object, const uint8_t key[RATCHET_PICKLE_KEY])                \
    {                                                                                                                  \
        size_t len = pickle_length(object->olm);                                                                       \
        char *out = mem_new(len + 1);                                                                                  \
        ratchet_must(pickle_call(object->olm, key, RATCHET_PICKLE_KEY, out, len) == len, #pickle_call);                \
        return out;                                                                                                    \
    }                                                                                                                  \
    int ratchet_##name##_unpickle(const char *pickle, size_t len, const uint8_t key[RATCHET_PICKLE_KEY],               \
                                  struct ratchet_##name **out)                                                         \
    {                                                                                                                  \
        int status = ratchet_pickle_text(pickle, len);                                                                 \
        if (status != HR_OK) {                                                                                         \
            return status;                                                                                             \
        }                                                                                                              \
        struct ratchet_##name *object = new_empty();                                                                   \
        char *copy = mem_copy(pickle, len);                                                                            \
        if (unpickle_call(object->olm, key, RATCHET_PICKLE_KEY, copy, len) == olm_error()) {                           \
            status = ratchet_status(last_error(object->olm));                                                          \
            drop(object);                                                                                              \
        } else {                                                                                                       \
            ready(object);                                                                                             \
            *out = object;                                                                                             \
        }                                                                                                              \
        curve_free(copy, len);                                                                                         \
        return status;                                                                                                 \
    }

#endif
