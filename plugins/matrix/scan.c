/* SPDX-License-Identifier: MIT */
/* The raw pre-pass over replies of a server. */
#include "scan.h"

#include <hashroom/plugin.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/* p is behind the opening quote; returns what follows the closing one, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
    const char *quote = p - 1; /* each byte is looked at twice at most, whatever stands there */
    while (p < end) {
        if (quote < p) {
            quote = memchr(p, '"', (size_t)(end - p));
            if (quote == NULL) {
                return NULL;
            }
        }
        const char *slash = memchr(p, '\\', (size_t)(quote - p));
        if (slash == NULL) {
            return quote + 1;
        }
        p = slash + 2;
    }
    return NULL;
}

static const char *skip_scalar(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && memchr(",]}:\"{[ \n\r\t", *p, 11) == NULL) {
        p++;
    }
    return p > from ? p : NULL;
}

/* Whatever stands at p, or NULL. Brackets are counted, not matched by kind: a
 * piece that mixes them is refused where it is parsed. */
static const char *skip_value(const char *p, const char *end)
{
    size_t depth = 0;
    if (p < end && *p == '"') {
        return skip_string(p + 1, end);
    }
    if (p < end && *p != '{' && *p != '[') {
        return skip_scalar(p, end);
    }
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            p = skip_string(p, end);
            if (p == NULL) {
                return NULL;
            }
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return p;
        }
    }
    return NULL;
}

/* ---- strings ------------------------------------------------------------------ */

static int hex4(const char *p, const char *end, unsigned *out)
{
    unsigned value = 0;
    if (end - p < 4) {
        return HR_EINVAL;
    }
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)p[i])) {
            return HR_EINVAL;
        }
        value = value * 16 + (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    }
    *out = value;
    return HR_OK;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* *p is behind "\u"; moves it behind the escape and its second half, if any. */
static int read_unicode(const char **p, const char *end, unsigned *out)
{
    unsigned high, low;
    if (hex4(*p, end, &high) < 0) {
        return HR_EINVAL;
    }
    *p += 4;
    if (high == 0 || (high >= 0xDC00 && high <= 0xDFFF)) {
        return HR_EINVAL;
    }
    if (high >= 0xD800 && high <= 0xDBFF) {
        if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' || hex4(*p + 2, end, &low) < 0 || low < 0xDC00 ||
            low > 0xDFFF) {
            return HR_EINVAL;
        }
        *p += 6;
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    *out = high;
    return HR_OK;
}

/* *p is behind the backslash. */
static int read_escape(const char **p, const char *end, unsigned *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (*p == end) {
        return HR_EINVAL;
    }
    char c = *(*p)++;
    if (c == 'u') {
        return read_unicode(p, end, out);
    }
    const char *at = memchr(from, c, sizeof(from) - 1);
    if (at == NULL) {
        return HR_EINVAL;
    }
    *out = (unsigned char)to[at - from];
    return HR_OK;
}

int scan_string(struct scan value, char *out, size_t size)
{
    if (value.len < 2 || value.at[0] != '"' || value.at[value.len - 1] != '"') {
        return HR_EINVAL;
    }
    const char *p = value.at + 1, *end = value.at + value.len - 1;
    size_t len = 0;
    while (p < end) {
        char bytes[4] = {*p};
        size_t count = 1;
        if (*p == '\\') {
            unsigned c = 0;
            p++;
            if (read_escape(&p, end, &c) < 0) {
                return HR_EINVAL;
            }
            count = put_utf8(bytes, c);
        } else if (*p == '\0') {
            return HR_EINVAL;
        } else {
            p++;
        }
        if (len + count >= size) {
            return HR_ELIMIT;
        }
        memcpy(out + len, bytes, count);
        len += count;
    }
    if (size == 0) {
        return HR_ELIMIT;
    }
    out[len] = '\0';
    return HR_OK;
}

/* ---- objects and arrays ----------------------------------------------------------- */

int scan_object(struct scan json, scan_member_fn *fn, void *arg)
{
    const char *end = json.at + json.len, *p = skip_space(json.at, end);
    if (p == end || *p++ != '{') {
        return HR_EINVAL;
    }
    p = skip_space(p, end);
    if (p < end && *p == '}') {
        return HR_OK;
    }
    while (p < end && *p == '"') {
        const char *key_at = p, *key_end = skip_string(p + 1, end);
        p = key_end == NULL ? end : skip_space(key_end, end);
        if (p == end || *p != ':') {
            return HR_EINVAL;
        }
        const char *value_at = skip_space(p + 1, end), *value_end = skip_value(value_at, end);
        if (value_end == NULL) {
            return HR_EINVAL;
        }
        char key[512];
        if (scan_string((struct scan){key_at, (size_t)(key_end - key_at)}, key, sizeof(key)) == HR_OK) {
            int rc = fn(arg, key, (struct scan){value_at, (size_t)(value_end - value_at)});
            if (rc < 0) {
                return rc;
            }
        }
        p = skip_space(value_end, end);
        if (p < end && *p == '}') {
            return HR_OK;
        }
        if (p == end || *p != ',') {
            return HR_EINVAL;
        }
        p = skip_space(p + 1, end);
    }
    return HR_EINVAL;
}

int scan_array(struct scan json, scan_item_fn *fn, void *arg)
{
    const char *end = json.at + json.len, *p = skip_space(json.at, end);
    if (p == end || *p++ != '[') {
        return HR_EINVAL;
    }
    p = skip_space(p, end);
    if (p < end && *p == ']') {
        return HR_OK;
    }
    while (p < end) {
        const char *value_end = skip_value(p, end);
        if (value_end == NULL) {
            return HR_EINVAL;
        }
        int rc = fn(arg, (struct scan){p, (size_t)(value_end - p)});
        if (rc < 0) {
            return rc;
        }
        p = skip_space(value_end, end);
        if (p < end && *p == ']') {
            return HR_OK;
        }
        if (p == end || *p != ',') {
            return HR_EINVAL;
        }
        p = skip_space(p + 1, end);
    }
    return HR_EINVAL;
}

struct wanted {
    const char *key;
    struct scan value;
};

static int on_wanted(void *arg, const char *key, struct scan value)
{
    struct wanted *wanted = arg;
    if (strcmp(key, wanted->key) != 0) {
        return HR_OK;
    }
    wanted->value = value;
    return HR_EEXIST; /* ends the walk */
}

int scan_get(struct scan json, const char *key, struct scan *out)
{
    struct wanted wanted = {.key = key};
    if (scan_object(json, on_wanted, &wanted) != HR_EEXIST) {
        return HR_ENOTFOUND;
    }
    *out = wanted.value;
    return HR_OK;
}

int scan_get_string(struct scan json, const char *key, char *out, size_t size)
{
    struct scan value;
    int rc = scan_get(json, key, &value);
    return rc < 0 ? rc : scan_string(value, out, size);
}

/* ---- single values ----------------------------------------------------------------- */

long long scan_number(struct scan value, long long otherwise)
{
    const char *p = value.at, *end = value.at + value.len;
    bool minus = p < end && *p == '-';
    long long number = 0;
    p += minus ? 1 : 0;
    if (p == end || end - p > 16) {
        return otherwise;
    }
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return otherwise;
        }
        number = number * 10 + (*p - '0');
    }
    if (number > (1LL << 53)) {
        return otherwise;
    }
    return minus ? -number : number;
}

bool scan_is(struct scan value, const char *literal)
{
    return value.len == strlen(literal) && memcmp(value.at, literal, value.len) == 0;
}

size_t scan_depth(struct scan json)
{
    size_t depth = 0, deepest = 0;
    const char *p = json.at, *end = json.at + json.len;
    while (p != NULL && p < end) {
        char c = *p++;
        if (c == '"') {
            p = skip_string(p, end);
        } else if (c == '{' || c == '[') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

json_t *scan_load(struct scan json, char *err, size_t err_size)
{
    json_error_t error;
    if (json.len > SCAN_MAX_VALUE) {
        snprintf(err, err_size, "%zu bytes, more than %d", json.len, SCAN_MAX_VALUE);
        return NULL;
    }
    size_t depth = scan_depth(json);
    if (depth > SCAN_MAX_DEPTH) {
        snprintf(err, err_size, "nested %zu deep, more than %d", depth, SCAN_MAX_DEPTH);
        return NULL;
    }
    json_t *value = json_loadb(json.at, json.len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (value == NULL) { /* its text quotes the foreign bytes: only the kind of fault is told */
        snprintf(err, err_size, "not valid JSON (fault %d)", (int)json_error_code(&error));
    }
    return value;
}

const char *scan_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}
