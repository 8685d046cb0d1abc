/* SPDX-License-Identifier: MIT */
/* What all ratchets need before the library is called: limits, copies, randomness, statuses. */
#include "ratchet_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ratchet_status(enum OlmErrorCode error)
{
    switch (error) {
    case OLM_BAD_MESSAGE_MAC:
    case OLM_BAD_SIGNATURE:
    case OLM_BAD_ACCOUNT_KEY: return HR_EDENIED;
    case OLM_BAD_MESSAGE_KEY_ID:
    case OLM_UNKNOWN_MESSAGE_INDEX:
    case OLM_SAS_THEIR_KEY_NOT_SET: return HR_ENOTFOUND;
    case OLM_NOT_ENOUGH_RANDOM:
    case OLM_OUTPUT_BUFFER_TOO_SMALL: ratchet_must(false, "a buffer of ours"); return HR_EFAIL;
    default: return HR_EINVAL;
    }
}

void ratchet_must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "matrix: libolm: %s failed where it can't\n", what);
        abort();
    }
}

char *ratchet_random(size_t len)
{
    char *out = mem_new(len);
    curve_random(out, len);
    return out;
}

int ratchet_text(const char *text, size_t len, size_t max)
{
    if (text == NULL || len == 0) {
        return HR_EINVAL;
    }
    if (len > max) {
        return HR_ELIMIT;
    }
    return base64_valid(text, len) ? HR_OK : HR_EINVAL;
}

int ratchet_pickle_text(const char *pickle, size_t len)
{
    enum { BLOCK = 16, MAC = 8 }; /* AES-CBC and a shortened HMAC */
    int status = ratchet_text(pickle, len, RATCHET_MAX_PICKLE);
    size_t bytes = len * 3 / 4;
    return status != HR_OK ? status : bytes >= BLOCK + MAC && (bytes - MAC) % BLOCK == 0 ? HR_OK : HR_EINVAL;
}
