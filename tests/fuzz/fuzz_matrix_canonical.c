/* SPDX-License-Identifier: MIT */
/* Any JSON to its canonical form: which is JSON again, and its own canonical form. */
#include "../../plugins/matrix/e2ee/canonical.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem_buf once = {.max = CANONICAL_MAX_BYTES}, twice = {.max = CANONICAL_MAX_BYTES};
    json_t *value = json_loadb((const char *)data, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (value != NULL && canonical_write(value, &once) == HR_OK) {
        json_t *again = json_loadb(once.at, once.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
        if (again == NULL || canonical_write(again, &twice) != HR_OK || once.len != twice.len ||
            memcmp(once.at, twice.at, once.len) != 0) {
            abort();
        }
        json_decref(again);
    }
    mem_clear(&twice);
    (void)canonical_signed_bytes(value, &twice);
    (void)canonical_verify(value, "a", "ed25519:b", "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    mem_clear(&once);
    mem_clear(&twice);
    json_decref(value);
    return 0;
}
