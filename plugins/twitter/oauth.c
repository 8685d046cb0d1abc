/* SPDX-License-Identifier: MIT */
/* OAuth 1.0a with HMAC-SHA1. */
#include "oauth.h"
#include "mem.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

enum { OAUTH_MAX_BYTES = 64 * 1024, OAUTH_PARAMS_MAX = 40 };

void oauth_encode(struct text *out, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL) {
            text_add(out, s, 1);
        } else {
            text_print(out, "%%%02X", c);
        }
    }
}

static char *encoded(const char *s)
{
    struct text out;
    text_init(&out, OAUTH_MAX_BYTES);
    oauth_encode(&out, s);
    return text_detach(&out);
}

struct pair {
    char *name, *value;
};

static int by_name(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

/* All parameters, encoded and in order, joined: "a=1&b=2". */
static char *parameter_string(const struct oauth_param *all, size_t count)
{
    struct pair *pair = mem_calloc(count, sizeof(*pair));
    struct text out;
    text_init(&out, OAUTH_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        pair[i] = (struct pair){.name = encoded(all[i].name), .value = encoded(all[i].value)};
    }
    qsort(pair, count, sizeof(*pair), by_name);
    for (size_t i = 0; i < count; i++) {
        text_print(&out, "%s%s=%s", i > 0 ? "&" : "", pair[i].name, pair[i].value);
        free(pair[i].name);
        free(pair[i].value);
    }
    free(pair);
    return text_detach(&out);
}

static char *hmac_sha1_base64(const char *key, const char *message)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (HMAC(EVP_sha1(), key, (int)strlen(key), (const unsigned char *)message, strlen(message), digest, &len) ==
        NULL) {
        return NULL;
    }
    char *out = mem_calloc(4 * ((size_t)len + 2) / 3 + 4, 1);
    (void)EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
    return out;
}

char *oauth_signature(const struct oauth_keys *keys, const char *method, const char *url,
                      const struct oauth_param *params, size_t count, const char *nonce, int64_t timestamp)
{
    char when[24];
    snprintf(when, sizeof(when), "%" PRId64, timestamp);
    struct oauth_param all[OAUTH_PARAMS_MAX] = {
        {"oauth_consumer_key", keys->consumer_key},
        {"oauth_nonce", nonce},
        {"oauth_signature_method", "HMAC-SHA1"},
        {"oauth_timestamp", when},
        {"oauth_token", keys->token},
        {"oauth_version", "1.0"},
    };
    if (count > OAUTH_PARAMS_MAX - 6) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        all[6 + i] = params[i];
    }
    CLEANUP(mem_clear) char *joined = parameter_string(all, count + 6);
    struct text base, key;
    text_init(&base, OAUTH_MAX_BYTES);
    text_init(&key, OAUTH_MAX_BYTES);
    text_print(&base, "%s&", method);
    oauth_encode(&base, url);
    text_str(&base, "&");
    oauth_encode(&base, joined);
    oauth_encode(&key, keys->consumer_secret);
    text_str(&key, "&");
    oauth_encode(&key, keys->token_secret);
    char *signature = base.over || key.over ? NULL : hmac_sha1_base64(text_get(&key), text_get(&base));
    text_clear(&base);
    text_clear(&key);
    return signature;
}

char *oauth_header(const struct oauth_keys *keys, const char *method, const char *url, const struct oauth_param *params,
                   size_t count, const char *nonce, int64_t timestamp)
{
    CLEANUP(mem_clear) char *signature = oauth_signature(keys, method, url, params, count, nonce, timestamp);
    if (signature == NULL) {
        return NULL;
    }
    CLEANUP(mem_clear) char *key = encoded(keys->consumer_key);
    CLEANUP(mem_clear) char *token = encoded(keys->token);
    CLEANUP(mem_clear) char *once = encoded(nonce);
    CLEANUP(mem_clear) char *sign = encoded(signature);
    struct text out;
    text_init(&out, OAUTH_MAX_BYTES);
    text_print(&out,
               "Authorization: OAuth oauth_consumer_key=\"%s\", oauth_nonce=\"%s\", oauth_signature=\"%s\","
               " oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"%" PRId64 "\", oauth_token=\"%s\","
               " oauth_version=\"1.0\"",
               key, once, sign, timestamp, token);
    return text_detach(&out);
}
