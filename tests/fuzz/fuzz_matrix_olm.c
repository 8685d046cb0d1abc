/* SPDX-License-Identifier: MIT */
/* Any bytes as an Olm message for a device that has a session and one-time keys. */
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

#include <hashroom/plugin.h>

#include <stdlib.h>
#include <string.h>

static const uint8_t pickle_key[RATCHET_PICKLE_KEY] = "a pickle key of thirty-two bytes";

static const char account_pickle[] =
    "28tngG0LGtoUiImOVDg5bFpg0q/LbRDQJ4N+N5xWQtN98ck7C2eyWqGZoW4bGVaMq0Ak30kHcV57NsCV+z8sPtZi3/QZVXdtf7Rq"
    "nefFForfo3Dcp2HXJfw12T37xMhXQ8THS47ILiYxNgarYYg9e46YVv6dCXOCYoPefYYRBiJ+YAV9eWIbZJ8ugw7Fmn+9ok6yrGR3"
    "IcivSv1EIy+DGHoVb/uwArgg87c/dLjtmypfHyOXZaEyg9lIVlSE3y1dXR7/jS8iYGzlzC2V1sLlCyRS/y63bl+NUcGwXfFISxwJ"
    "bRusGccK5AwEEj8suT02u7WAKKSUkoYrMFxaT1I7LHT5sspLRPfLOxq8cs+sXTmk+YpELAxWOlbemcXL8lfBb9QBe402eBYOxVLc"
    "0IZoN/PKboDahI/PpUyzL/NFRdOjnqq4m12Gjw";
static const char session_pickle[] =
    "xUtgGyu5/4m5DUMfKvyDpzTUPk+Vrz5CEqXlGZ6QO8gbIatWlpCRnT7dEGpobrQs2gFYf2E+C54hDwC+FmHwstxy+vS8LfsxRArR"
    "uyXJBjoOh4swb4d19hqwWi30a7czGIqrYcWbO/xiwoeuiV07WHS3iDu25V0ILVzgiLNgpdbud86yHZGdhUTYgrzUY3WaJtIADfi+"
    "pHiUhf7YajEsBngoLS5Rs3UNIMBBX/iy875vZtQGDMnd9pyOaij+3ELN31nFNppe/CL5JrWa1l7AacVxvT6Qg5SIuVswqs8NInhZ"
    "diV3DHKQ2iyCqNXZOzjEDdmCPts5P2G5TsDUNPH0EVZseI7+s6th9BGZbyh6WOwFjyTTAlCZqGBG2vxWMtUFCizNCLr8WICJIRqs"
    "ckEXGmjXogOsmvXSUxNlG86pwkawow2CVubqFw";
static const char sender[] = "IxWeIAD8g/Rt413SHc45UbTf0Ot5l9SIztknWq7M+iA";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_message(int type, const char *body, size_t len)
{
    struct ratchet_account *account;
    struct ratchet_session *session, *fresh;
    char *plaintext;
    size_t plaintext_len;
    if (ratchet_account_unpickle(account_pickle, strlen(account_pickle), pickle_key, &account) != HR_OK ||
        ratchet_session_unpickle(session_pickle, strlen(session_pickle), pickle_key, &session) != HR_OK) {
        abort();
    }
    (void)ratchet_session_matches(session, sender, body, len);
    if (ratchet_session_decrypt(session, type, body, len, &plaintext, &plaintext_len) == HR_OK) {
        curve_free(plaintext, plaintext_len);
    }
    if (type == 0 && ratchet_session_inbound(account, sender, body, len, &fresh) == HR_OK) {
        if (ratchet_session_decrypt(fresh, 0, body, len, &plaintext, &plaintext_len) == HR_OK) {
            curve_free(plaintext, plaintext_len);
            (void)ratchet_account_remove_key(account, fresh);
        }
        ratchet_session_free(fresh);
    }
    ratchet_session_free(session);
    ratchet_account_free(account);
}

/* The first byte: type 0 or 1 as text, 2 or 3 the same as the bytes the text stands for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if ((data[0] & 2) == 0) {
        on_message(data[0] & 1, (const char *)data + 1, size - 1);
        return 0;
    }
    char *text = malloc(BASE64_SIZE(size - 1));
    if (text != NULL) {
        size_t len = base64_encode(BASE64, data + 1, size - 1, text);
        on_message(data[0] & 1, text, len);
    }
    free(text);
    return 0;
}
