/* SPDX-License-Identifier: MIT */
/* Any JSON as what account data holds, as an attachment's key; any text as a recovery key. */
#include "../../plugins/matrix/e2ee/attachment.h"
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/secret_storage.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_json(const json_t *json)
{
    static const uint8_t key[SECRET_STORAGE_KEY] = "a storage key of thirty-two byte";
    struct attachment attachment;
    uint8_t out[SECRET_STORAGE_KEY], bytes[3] = {0};
    char *secret;
    size_t len;
    (void)secret_storage_check(json, key);
    if (secret_storage_open(key, "m.cross_signing.master", json, &secret, &len) == HR_OK) {
        curve_free(secret, len);
    }
    (void)secret_storage_open_key(key, "m.cross_signing.master", json, out);
    if (json_integer_value(json_object_get(json, "iterations")) < 5000) { /* not the slow ones */
        (void)secret_storage_passphrase(json, "passphrase", out);
    }
    if (attachment_read(json, &attachment) == HR_OK) {
        (void)attachment_decrypt(&attachment, bytes, sizeof(bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[SECRET_STORAGE_KEY];
    char again[SECRET_STORAGE_RECOVERY], *text = malloc(size + 1);
    json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    on_json(json);
    json_decref(json);
    if (text != NULL) {
        memcpy(text, data, size);
        text[size] = '\0';
        if (secret_storage_recovery_read(text, key) == HR_OK) {
            secret_storage_recovery_write(key, again);
            if (secret_storage_recovery_read(again, key) != HR_OK) {
                abort();
            }
        }
    }
    free(text);
    return 0;
}
