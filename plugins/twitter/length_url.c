/* SPDX-License-Identifier: MIT */
/* Where X would see a web address: `https://name.tld/path` and a bare `name.tld`. */
#include "length.h"
#include <string.h>
#include <utf8proc.h>

enum { TLD_MAX = 24 };

/* Country codes in use; other top-level domains have three letters or more. */
static const char COUNTRIES[] =
    " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz"
    " ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo"
    " fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm"
    " jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq"
    " mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re"
    " ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr"
    " tt tv tw tz ua ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";
static const char RESERVED[] = " test example invalid localhost local internal onion ";

static bool is_ascii_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool in_list(const char *list, const char *word, size_t len)
{
    char key[TLD_MAX + 2] = " ";
    for (size_t i = 0; i < len; i++) {
        key[i + 1] = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] + 32) : word[i];
    }
    key[len + 1] = ' ';
    for (const char *p = list; (p = strchr(p, ' ')) != NULL; p++) {
        if (strncmp(p, key, len + 2) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_tld(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z')) {
            return len > 4 && (strncmp(s, "xn--", 4) == 0 || (unsigned char)s[i] >= 0x80);
        }
    }
    return len >= 2 && len < TLD_MAX && (len == 2 ? in_list(COUNTRIES, s, len) : !in_list(RESERVED, s, len));
}

/* A letter, digit, '-', '_' or any letter beyond ASCII: what a host name may hold. */
static size_t host_char(const char *s, bool scheme)
{
    if (is_ascii_alnum(*s) || *s == '-' || *s == '_') {
        return 1;
    }
    if (!scheme || (unsigned char)*s < 0x80) {
        return 0;
    }
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &c);
    utf8proc_category_t kind = n > 0 ? utf8proc_category(c) : UTF8PROC_CATEGORY_CN;
    return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_ND ? (size_t)n : 0;
}

/* End of the longest `name.tld` that starts at s; 0: none. */
static size_t host_end(const char *s, bool scheme)
{
    size_t i = 0, label = 0, end = 0, dots = 0;
    for (;;) {
        size_t n = host_char(s + i, scheme);
        if (n > 0) {
            i += n;
            continue;
        }
        if (dots > 0 && i > label && is_tld(s + label, i - label)) {
            end = i;
        }
        if (s[i] != '.' || i == label) {
            return end;
        }
        dots++;
        label = ++i;
    }
}

/* Path and query: up to a space; closing punctuation at the end is not part of it. */
static size_t path_end(const char *s, size_t i)
{
    if (s[i] == ':') {
        size_t digits = strspn(s + i + 1, "0123456789");
        i += digits > 0 ? digits + 1 : 0;
    }
    if (s[i] != '/' && s[i] != '?') {
        return i;
    }
    size_t end = i;
    for (; s[i] > ' '; i++) {
        if (strchr(".,;:!?'\")]}", s[i]) == NULL) {
            end = i + 1;
        }
    }
    return end;
}

static bool may_start(const char *text, size_t i)
{
    if (i == 0) {
        return true;
    }
    unsigned char before = (unsigned char)text[i - 1];
    return before >= 0x80 || (!is_ascii_alnum((char)before) && strchr("@#$-_./", (char)before) == NULL);
}

bool length_find_url(const char *text, size_t from, struct length_url *out)
{
    for (size_t i = from; text[i] != '\0'; i++) {
        bool scheme = strncasecmp(text + i, "https://", 8) == 0 || strncasecmp(text + i, "http://", 7) == 0;
        if (!may_start(text, i) || (!scheme && !is_ascii_alnum(text[i]))) {
            continue;
        }
        size_t host = i + (!scheme ? 0 : text[i + 4] == ':' ? 7 : 8);
        size_t end = host_end(text + host, scheme);
        if (end == 0 || text[host + end] == '@') {
            continue;
        }
        *out = (struct length_url){.start = i, .end = path_end(text, host + end)};
        return true;
    }
    return false;
}
