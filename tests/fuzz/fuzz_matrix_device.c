/* SPDX-License-Identifier: MIT */
/* Any JSON as the object of a device, as a claimed one-time key, as a cross-signing key. */
#include "../../plugins/matrix/e2ee/cross_signing_keys.h"
#include "../../plugins/matrix/e2ee/device_keys.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char user[] = "@bob:hs.test";
    struct device_keys device = {.user = "@bob:hs.test", .device = "DEVICE"};
    struct cross_signing_keys_public keys = {0};
    char key[BASE64_KEY];
    json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (device_keys_read(json, user, "DEVICE", &device, NULL) == HR_OK && strcmp(device.user, user) != 0) {
        abort();
    }
    (void)device_keys_claimed(json, &device, key);
    (void)cross_signing_keys_read(user, json, json, json, &keys);
    (void)cross_signing_keys_has_signed(&keys, user, json);
    (void)cross_signing_keys_vouched(&keys, user, user, json);
    json_decref(json);
    return 0;
}
