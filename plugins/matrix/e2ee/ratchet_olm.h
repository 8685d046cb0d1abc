/* SPDX-License-Identifier: MIT */
/* Account and Olm session as ratchet_account.c and ratchet_session.c both see them. */
#ifndef MATRIX_E2EE_RATCHET_OLM_H
#define MATRIX_E2EE_RATCHET_OLM_H

#include "ratchet_inside.h"

struct ratchet_account {
    OlmAccount *olm;
    struct ratchet_identity identity;
};

struct ratchet_session {
    OlmSession *olm;
    char id[BASE64_KEY];
};

#endif
