/* SPDX-License-Identifier: MIT */
/* Any bytes as a message of a room, for a session that is known. */
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

static const uint8_t pickle_key[RATCHET_PICKLE_KEY] = "a pickle key of thirty-two bytes";

static const char inbound_pickle[] =
    "efhoZTTZC2ZbNeKhaNaMjVIk2PH5XQmSyD7WLHLP6eeOeXXNp2CU8lOBKL1gphKCakiXH50qAXesCiXTSco9bZcK/YbgVNBFnEKr"
    "PdJcRMcDtivIuPLr3HxmYtiRCNYiy4Hw4w2gemi8SxLdXMIV1h1qLjhu3UdLOQG/SpwF3cmpVrZzcUDiHN6rE/wDlV0+4rS5uKuA"
    "3ADjEk02YicWEKOKgMR+7k5LWYo5n8co+iQSFoMzL8Dxl6QpQUr3uBKz7NXm84SeBvzyWa8oQbQB2PtuxXYcalMRWeB8l+C/Yw6v"
    "jgo1/r9CsSs/4Iblaf1Y2dcOe4g/L6u4epix6zldJRG46ypjVjwnn2s168hCR5xlH7/xrr7LtQJPsLr1npitpYM67WX2cy5uqJYh"
    "+UqWLP9kLrDLWt14";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_message(struct ratchet_inbound *inbound, const char *text, size_t len)
{
    char *plaintext;
    size_t plaintext_len;
    uint32_t index;
    if (ratchet_inbound_decrypt(inbound, text, len, &plaintext, &plaintext_len, &index) == HR_OK) {
        curve_free(plaintext, plaintext_len);
    }
}

/* Once as text, once as the bytes a text stands for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ratchet_inbound *inbound;
    if (ratchet_inbound_unpickle(inbound_pickle, strlen(inbound_pickle), pickle_key, &inbound) != HR_OK) {
        abort();
    }
    on_message(inbound, (const char *)data, size);
    char *text = malloc(BASE64_SIZE(size));
    if (text != NULL) {
        size_t len = base64_encode(BASE64, data, size, text);
        on_message(inbound, text, len);
    }
    free(text);
    ratchet_inbound_free(inbound);
    return 0;
}
