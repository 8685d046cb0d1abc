/* SPDX-License-Identifier: MIT */
/* Any bytes as a pickle of each kind: what a damaged database could hold. */
#include "../../plugins/matrix/e2ee/ratchet.h"

#include <hashroom/plugin.h>

static const uint8_t pickle_key[RATCHET_PICKLE_KEY] = "a pickle key of thirty-two bytes";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ratchet_account *account;
    struct ratchet_session *session;
    struct ratchet_outbound *outbound;
    struct ratchet_inbound *inbound;
    if (ratchet_account_unpickle(text, size, pickle_key, &account) == HR_OK) {
        ratchet_account_free(account);
    }
    if (ratchet_session_unpickle(text, size, pickle_key, &session) == HR_OK) {
        ratchet_session_free(session);
    }
    if (ratchet_outbound_unpickle(text, size, pickle_key, &outbound) == HR_OK) {
        ratchet_outbound_free(outbound);
    }
    if (ratchet_inbound_unpickle(text, size, pickle_key, &inbound) == HR_OK) {
        ratchet_inbound_free(inbound);
    }
    return 0;
}
