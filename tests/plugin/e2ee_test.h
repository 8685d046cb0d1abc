/* SPDX-License-Identifier: MIT */
/* What the tests of encryption's pure layer share. */
#ifndef HASHROOM_E2EE_TEST_H
#define HASHROOM_E2EE_TEST_H

#include <hashroom/plugin.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALICE "@alice:hs.test"
#define BOB "@bob:hs.test"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t pickle_key[32] = "a pickle key of thirty-two bytes";

static inline void from_hex(const char *hex, uint8_t *out, size_t len)
{
    assert_int_equal(strlen(hex), len * 2);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static inline void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    uint8_t want[1024];
    assert_true(len <= sizeof(want));
    from_hex(hex, want, len);
    assert_memory_equal(bytes, want, len);
}

static inline json_t *json_of(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        fail_msg("%s: %s", error.text, text);
    }
    return json;
}

#endif
