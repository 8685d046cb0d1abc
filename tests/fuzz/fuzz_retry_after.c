/* SPDX-License-Identifier: MIT */
/* Any Retry-After: a wait of at most a day, or none; never in the past. */
#include "http.h"
#include "xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *value = xstrndup((const char *)data, size);
    int64_t walls[] = {0, INT64_C(1700000000000), -1, INT64_MAX / 2};

    for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
        int64_t ms = http_retry_after_ms(value, walls[i]);

        BUG_IF(ms < -1 || ms > INT64_C(86400000));
    }
    return 0;
}
