/* SPDX-License-Identifier: MIT */
/* Web addresses in what people type: found, tidied, compared. */
#include "url.h"

#include <ctype.h>
#include <hashroom/plugin.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *at;
    size_t len;
};

static bool is(struct slice slice, const char *text)
{
    return slice.len == strlen(text) && strncasecmp(slice.at, text, slice.len) == 0;
}

static bool starts(const char *text, size_t len, const char *with)
{
    return len >= strlen(with) && strncasecmp(text, with, strlen(with)) == 0;
}

/* ---- finding ---------------------------------------------------------------------- */

/* Spaces, quotes and brackets of other scripts end an address; as UTF-8. */
static const char *const ends[] = {
    "\xc2\xa0",     "\xc2\xab",     "\xc2\xbb",     "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
    "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe3\x80\x80",
    "\xe3\x80\x81", "\xe3\x80\x82", "\xe3\x80\x8a", "\xe3\x80\x8b", "\xe3\x80\x8c", "\xe3\x80\x8d", "\xe3\x80\x8e",
    "\xe3\x80\x8f", "\xe3\x80\x90", "\xe3\x80\x91", "\xef\xbc\x88", "\xef\xbc\x89", "\xef\xbc\x8c", "\xef\xbc\x9b",
};

/* These may stand inside; at the end they belong to the sentence. */
static const char *const trailers[] = {
    ".",
    ",",
    ";",
    ":",
    "!",
    "?",
    "'",
    "*",
    "|",
    "~",
    "\xe2\x80\x98",
    "\xe2\x80\x99",
    "\xe2\x80\x93",
    "\xe2\x80\x94",
    "\xef\xbc\x81",
    "\xef\xbc\x9f",
    "\xef\xbc\x9a",
    "\xd8\x9f",
    "\xd8\x8c",
};

static bool is_end(const char *at)
{
    unsigned char c = (unsigned char)*at;
    if (c <= ' ' || c == 0x7f || strchr("<>\"`\\", c)) {
        return true;
    }
    for (size_t i = 0; c >= 0x80 && i < sizeof(ends) / sizeof(*ends); i++) {
        if (strncmp(at, ends[i], strlen(ends[i])) == 0) {
            return true;
        }
    }
    return false;
}

static size_t trailer(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(trailers) / sizeof(*trailers); i++) {
        size_t n = strlen(trailers[i]);
        if (len >= n && memcmp(text + len - n, trailers[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

/* A closing bracket at the end stays only if it was opened inside. */
static bool is_stray_bracket(const char *text, size_t len)
{
    static const char closing[] = ")]}", opening[] = "([{";
    const char *which = len ? strchr(closing, text[len - 1]) : NULL;
    if (!which) {
        return false;
    }
    int depth = 0;
    for (size_t i = 0; i < len; i++) {
        depth += text[i] == opening[which - closing];
        depth -= text[i] == *which;
    }
    return depth < 0;
}

static size_t length(const char *text)
{
    size_t len = 0;
    while (!is_end(text + len)) {
        if (++len > URL_MAX_BYTES) {
            return len; /* too long for url_tidy() anyway */
        }
    }
    for (;;) {
        size_t n = trailer(text, len);
        if (n) {
            len -= n;
        } else if (is_stray_bracket(text, len)) {
            len--;
        } else {
            return len;
        }
    }
}

const char *url_find(const char *text, size_t *len)
{
    for (const char *at = text; *at; at++) {
        bool fresh = at == text || !(isalnum((unsigned char)at[-1]) || strchr("@./-_", at[-1]));
        if (strncasecmp(at, "https://", 8) == 0 || strncasecmp(at, "http://", 7) == 0 ||
            (fresh && strncasecmp(at, "www.", 4) == 0)) {
            *len = length(at);
            return at;
        }
    }
    return NULL;
}

/* ---- taking apart ------------------------------------------------------------------ */

struct parts {
    bool http; /* not https */
    struct slice host, port, path, query, fragment;
};

static struct slice cut(struct slice *rest, const char *at_any)
{
    struct slice out = {rest->at, 0};
    while (out.len < rest->len && !strchr(at_any, rest->at[out.len])) {
        out.len++;
    }
    rest->at += out.len;
    rest->len -= out.len;
    return out;
}

static void drop_first(struct slice *slice)
{
    if (slice->len) {
        slice->at++;
        slice->len--;
    }
}

static bool is_host(struct slice host)
{
    bool dot = false;
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.at[i];
        dot = dot || (c == '.' && i && host.at[i - 1] != '.' && i + 1 < host.len);
        if (c < 0x80 && !isalnum(c) && c != '.' && c != '-' && c != '_') {
            return false;
        }
    }
    return dot && host.len < 254 && host.at[0] != '.' && host.at[0] != '-';
}

static bool take_apart(const char *raw, size_t len, struct parts *out)
{
    struct slice rest = {raw, len};
    *out = (struct parts){.http = starts(raw, len, "http://")};
    size_t scheme = out->http ? 7 : starts(raw, len, "https://") ? 8 : 0;
    rest.at += scheme;
    rest.len -= scheme;
    struct slice authority = cut(&rest, "/?#");
    if (memchr(authority.at, '@', authority.len)) {
        return false; /* a name or a password: private, or a trick */
    }
    out->host = cut(&authority, ":");
    drop_first(&authority);
    out->port = authority;
    out->path = cut(&rest, "?#");
    if (rest.len && *rest.at == '?') {
        drop_first(&rest);
        out->query = cut(&rest, "#");
    }
    drop_first(&rest);
    out->fragment = rest;
    while (out->host.len && out->host.at[out->host.len - 1] == '.') {
        out->host.len--;
    }
    for (size_t i = 0; i < out->port.len; i++) {
        if (!isdigit((unsigned char)out->port.at[i])) {
            return false;
        }
    }
    if (out->port.len > 5) {
        return false;
    }
    if (is(out->port, out->http ? "80" : "443")) {
        out->port.len = 0;
    }
    return is_host(out->host);
}

static struct slice without_www(struct slice host)
{
    if (starts(host.at, host.len, "www.")) {
        host.at += 4;
        host.len -= 4;
    }
    return host;
}

/* ---- what is no resource --------------------------------------------------------------- */

static bool has_status(struct slice path)
{
    static const char word[] = "/status/";
    for (size_t i = 0; i + sizeof(word) <= path.len; i++) {
        if (strncasecmp(path.at + i, word, sizeof(word) - 1) == 0 &&
            isdigit((unsigned char)path.at[i + sizeof(word) - 1])) {
            return true;
        }
    }
    return false;
}

static bool is_x(struct slice host)
{
    return is(host, "x.com") || is(host, "twitter.com") || is(host, "mobile.twitter.com") || is(host, "mobile.x.com");
}

static bool is_no_resource(const struct parts *parts)
{
    static const char *const media[] = {"pic.x.com", "pic.twitter.com", "pbs.twimg.com", "video.twimg.com",
                                        "matrix.to"};
    struct slice host = without_www(parts->host);
    for (size_t i = 0; i < sizeof(media) / sizeof(*media); i++) {
        if (is(host, media[i])) {
            return true;
        }
    }
    return is_x(host) && has_status(parts->path);
}

/* ---- tracking parts ---------------------------------------------------------------------- */

static bool is_tracking(struct slice name, struct slice host)
{
    static const char *const names[] = {
        "fbclid",      "gclid",       "gbraid",    "wbraid",     "dclid",       "msclkid",   "twclid",      "ttclid",
        "yclid",       "mc_cid",      "mc_eid",    "igshid",     "igsh",        "ref_src",   "ref_url",     "mkt_tok",
        "_hsenc",      "_hsmi",       "vero_id",   "oly_enc_id", "oly_anon_id", "at_medium", "at_campaign", "cmpid",
        "ns_campaign", "ns_mchannel", "ns_source", "s_kwcid",    "_ga",         "_gl",
    };
    if (starts(name.at, name.len, "utm_")) {
        return true;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (is(name, names[i])) {
            return true;
        }
    }
    host = without_www(host);
    bool youtube = is(host, "youtube.com") || is(host, "youtu.be") || is(host, "m.youtube.com");
    return (youtube && (is(name, "si") || is(name, "feature"))) || (is_x(host) && (is(name, "s") || is(name, "t")));
}

/* ---- putting together ------------------------------------------------------------------------ */

struct text {
    char *at;
    size_t len, size;
};

static void add(struct text *text, const char *bytes, size_t len)
{
    if (len < text->size - text->len) { /* what goes in was measured before: it always fits */
        memcpy(text->at + text->len, bytes, len);
        text->len += len;
        text->at[text->len] = '\0';
    }
}

static void add_host(struct text *text, struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = (char)tolower((unsigned char)host.at[i]);
        add(text, (unsigned char)host.at[i] < 0x80 ? &c : &host.at[i], 1);
    }
}

static void add_query(struct text *text, const struct parts *parts)
{
    struct slice rest = parts->query;
    char mark = '?';
    while (rest.len) {
        struct slice pair = cut(&rest, "&"), name = pair;
        name = cut(&name, "=");
        drop_first(&rest);
        if (pair.len && !is_tracking(name, parts->host)) {
            add(text, &mark, 1);
            add(text, pair.at, pair.len);
            mark = '&';
        }
    }
}

static void add_rest(struct text *text, const struct parts *parts, struct slice path)
{
    if (parts->port.len) {
        add(text, ":", 1);
        add(text, parts->port.at, parts->port.len);
    }
    add(text, path.at, path.len);
    add_query(text, parts);
    if (parts->fragment.len) {
        add(text, "#", 1);
        add(text, parts->fragment.at, parts->fragment.len);
    }
}

int url_tidy(const char *raw, size_t len, struct url *out)
{
    struct parts parts;
    static const char cut_off[] = "\xe2\x80\xa6"; /* "example.org/lon..." as some programs shorten it */
    bool shortened = memmem(raw, len, cut_off, strlen(cut_off)) != NULL;
    if (len > URL_MAX_BYTES || shortened || !take_apart(raw, len, &parts) || is_no_resource(&parts)) {
        return HR_EINVAL;
    }
    struct text url = {out->url, 0, sizeof(out->url)}, key = {out->key, 0, sizeof(out->key)};
    struct text site = {out->site, 0, sizeof(out->site)};
    add(&url, parts.http ? "http://" : "https://", parts.http ? 7 : 8);
    add_host(&url, parts.host);
    add_rest(&url, &parts, parts.path);
    add_host(&site, without_www(parts.host));
    add_host(&key, without_www(parts.host));
    struct slice path = parts.path;
    while (path.len && path.at[path.len - 1] == '/') {
        path.len--;
    }
    add_rest(&key, &parts, path);
    return 0;
}
