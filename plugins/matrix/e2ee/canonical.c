/* SPDX-License-Identifier: MIT */
/* Canonical JSON by hand: jansson's own sorted output writes fractions, large integers and upper-case escapes. */
#include "canonical.h"

#include "curve.h"

#include <hashroom/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member {
    const char *key;
    size_t len;
    const json_t *value;
};

static int write_value(const json_t *value, struct mem_buf *out, unsigned depth);

static void write_string(const char *text, size_t len, struct mem_buf *out)
{
    static const char short_escape[] = "btn\0fr"; /* of 0x08 to 0x0d */
    size_t plain = 0;
    mem_add(out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        mem_add(out, text + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof(escape), "\\%c", c);
        } else if (c >= 0x08 && c <= 0x0d && short_escape[c - 0x08] != '\0') {
            snprintf(escape, sizeof(escape), "\\%c", short_escape[c - 0x08]);
        } else {
            snprintf(escape, sizeof(escape), "\\u%04x", c);
        }
        mem_puts(out, escape);
    }
    mem_add(out, text + plain, len - plain);
    mem_add(out, "\"", 1);
}

/* By code point, which is the order of the bytes of UTF-8. */
static int compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static bool left_out(const struct member *member)
{
    return (member->len == 10 && memcmp(member->key, "signatures", 10) == 0) ||
           (member->len == 8 && memcmp(member->key, "unsigned", 8) == 0);
}

static int write_object(const json_t *object, struct mem_buf *out, unsigned depth, bool to_sign)
{
    size_t count = 0;
    int status = HR_OK;
    struct member *member = mem_new(json_object_size(object) * sizeof(*member));
    json_t *o = (json_t *)object; /* iterating changes nothing, jansson's type says otherwise */
    for (void *at = json_object_iter(o); at != NULL; at = json_object_iter_next(o, at)) {
        struct member m = {json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at)};
        if (!to_sign || !left_out(&m)) {
            member[count++] = m;
        }
    }
    qsort(member, count, sizeof(*member), compare);
    mem_add(out, "{", 1);
    for (size_t i = 0; i < count && status == HR_OK; i++) {
        if (i > 0) {
            mem_add(out, ",", 1);
        }
        write_string(member[i].key, member[i].len, out);
        mem_add(out, ":", 1);
        status = write_value(member[i].value, out, depth + 1);
    }
    mem_add(out, "}", 1);
    free(member);
    return status;
}

static int write_array(const json_t *array, struct mem_buf *out, unsigned depth)
{
    size_t i;
    const json_t *item;
    mem_add(out, "[", 1);
    json_array_foreach(array, i, item)
    {
        int status;
        if (i > 0) {
            mem_add(out, ",", 1);
        }
        status = write_value(item, out, depth + 1);
        if (status != HR_OK) {
            return status;
        }
    }
    mem_add(out, "]", 1);
    return HR_OK;
}

static int write_integer(json_int_t number, struct mem_buf *out)
{
    char text[32];
    if (number > CANONICAL_MAX_INTEGER || number < -CANONICAL_MAX_INTEGER) {
        return HR_EINVAL;
    }
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, number);
    mem_puts(out, text);
    return HR_OK;
}

/* The specification's own example writes 1e10 as a whole number; what is none can't be signed. */
static int write_real(double number, struct mem_buf *out)
{
    if (!(number >= -(double)CANONICAL_MAX_INTEGER && number <= (double)CANONICAL_MAX_INTEGER) ||
        number != (double)(json_int_t)number) {
        return HR_EINVAL;
    }
    return write_integer((json_int_t)number, out);
}

static int write_value(const json_t *value, struct mem_buf *out, unsigned depth)
{
    if (depth > CANONICAL_MAX_DEPTH || out->full) {
        return HR_ELIMIT;
    }
    if (value == NULL) {
        return HR_EINVAL;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT: return write_object(value, out, depth, false);
    case JSON_ARRAY: return write_array(value, out, depth);
    case JSON_STRING: write_string(json_string_value(value), json_string_length(value), out); return HR_OK;
    case JSON_INTEGER: return write_integer(json_integer_value(value), out);
    case JSON_TRUE: mem_puts(out, "true"); return HR_OK;
    case JSON_FALSE: mem_puts(out, "false"); return HR_OK;
    case JSON_NULL: mem_puts(out, "null"); return HR_OK;
    case JSON_REAL: return write_real(json_real_value(value), out);
    }
    return HR_EINVAL;
}

static int finish(int status, struct mem_buf *out)
{
    if (status == HR_OK && out->full) {
        status = HR_ELIMIT;
    }
    if (status != HR_OK) {
        mem_clear(out);
    }
    return status;
}

int canonical_write(const json_t *value, struct mem_buf *out)
{
    return finish(write_value(value, out, 0), out);
}

int canonical_signed_bytes(const json_t *object, struct mem_buf *out)
{
    return finish(json_is_object(object) ? write_object(object, out, 0, true) : HR_EINVAL, out);
}

/* ---- signatures ---- */

/* The object under that key, made where it is missing or something else. NULL: the key is no UTF-8. */
static json_t *inside(json_t *object, const char *key)
{
    json_t *found = json_object_get(object, key);
    if (!json_is_object(found)) {
        found = json_object();
        if (json_object_set_new(object, key, found) != 0) {
            return NULL;
        }
    }
    return found;
}

int canonical_sign(json_t *object, const char *user, const char *key_id, canonical_sign_fn *sign, void *arg)
{
    struct mem_buf bytes = {.max = CANONICAL_MAX_BYTES};
    char signature[BASE64_SIGNATURE];
    int status = canonical_signed_bytes(object, &bytes);
    if (status == HR_OK) {
        sign(arg, bytes.at, bytes.len, signature);
        json_t *of_user = inside(inside(object, "signatures"), user);
        status = json_object_set_new(of_user, key_id, json_string(signature)) == 0 ? HR_OK : HR_EINVAL;
    }
    mem_clear(&bytes);
    return status;
}

static void sign_seed(void *arg, const void *bytes, size_t len, char signature[BASE64_SIGNATURE])
{
    curve_sign(arg, bytes, len, signature);
}

int canonical_sign_seed(json_t *object, const char *user, const char *key_id, const uint8_t seed[32])
{
    return canonical_sign(object, user, key_id, sign_seed, (void *)seed);
}

int canonical_verify(const json_t *object, const char *user, const char *key_id, const char *key)
{
    struct mem_buf bytes = {.max = CANONICAL_MAX_BYTES};
    const json_t *signature = json_object_get(json_object_get(json_object_get(object, "signatures"), user), key_id);
    if (signature == NULL) {
        return json_is_object(object) ? HR_ENOTFOUND : HR_EINVAL;
    }
    if (!json_is_string(signature) || json_string_length(signature) != BASE64_SIGNATURE - 1) {
        return HR_EINVAL;
    }
    int status = canonical_signed_bytes(object, &bytes);
    if (status == HR_OK) {
        status = curve_verify(key, bytes.at, bytes.len, json_string_value(signature));
    }
    mem_clear(&bytes);
    return status;
}
