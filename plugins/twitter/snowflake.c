/* SPDX-License-Identifier: MIT */
/* X's ids: decimal strings of 64 bits that carry the time of their making. */
#include "snowflake.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t EPOCH_MS = 1288834974657;

bool snowflake_valid(const char *id)
{
    if (id == NULL) {
        return false;
    }
    size_t len = strlen(id);
    return len >= 1 && len <= 19 && strspn(id, "0123456789") == len;
}

int snowflake_compare(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t la = strlen(a), lb = strlen(b);
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

int64_t snowflake_ms(const char *id)
{
    return (int64_t)(strtoull(id, NULL, 10) >> 22) + EPOCH_MS;
}

void snowflake_at(int64_t ms, char out[SNOWFLAKE_SIZE])
{
    uint64_t since = ms > EPOCH_MS ? (uint64_t)(ms - EPOCH_MS) : 0;
    snprintf(out, SNOWFLAKE_SIZE, "%" PRIu64, since << 22);
}
