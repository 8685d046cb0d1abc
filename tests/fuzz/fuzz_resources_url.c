/* SPDX-License-Identifier: MIT */
/* Any text through the finder of web addresses: inside its bounds, and tidying twice changes nothing. */
#include "../../plugins/resources/url.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    size_t len = 0, whole = strlen(text);
    for (const char *at = text; (at = url_find(at, &len)) != NULL; at += len ? len : 1) {
        struct url url, again;
        if (len > whole - (size_t)(at - text)) {
            abort();
        }
        if (url_tidy(at, len, &url) == 0 &&
            (url_tidy(url.url, strlen(url.url), &again) != 0 || strcmp(url.key, again.key) != 0)) {
            abort();
        }
    }
    free(text);
    return 0;
}
