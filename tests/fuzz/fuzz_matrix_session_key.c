/* SPDX-License-Identifier: MIT */
/* Any bytes as the key of a room's session, shared or exported. */
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_key(const char *text, size_t len)
{
    struct ratchet_inbound *inbound;
    char key[RATCHET_EXPORTED_KEY];
    for (int shared = 0; shared < 2; shared++) {
        if ((shared ? ratchet_inbound_new : ratchet_inbound_import)(text, len, &inbound) == HR_OK) {
            if (strlen(ratchet_inbound_id(inbound)) != BASE64_KEY - 1 ||
                ratchet_inbound_export(inbound, ratchet_inbound_first_index(inbound), key) != HR_OK) {
                abort();
            }
            ratchet_inbound_free(inbound);
        }
    }
}

/* Once as text, once as the bytes a text stands for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    on_key((const char *)data, size);
    char *text = malloc(BASE64_SIZE(size));
    if (text != NULL) {
        size_t len = base64_encode(BASE64, data, size, text);
        on_key(text, len);
    }
    free(text);
    return 0;
}
