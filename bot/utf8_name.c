/* SPDX-License-Identifier: MIT */
/* Names of people as shown: one line, folded, without endings that claim another network. */
#include "utf8.h"
#include "xalloc.h"
#include <strings.h>
#include <utf8proc.h>

enum { MAX_INPUT_BYTES = 2048, MAX_NAME_BYTES = 200, MAX_GRAPHEMES = 64 };

static const char *const services[] = {"twitter", "x",     "irc",     "matrix",   "mastodon", "bluesky",  "facebook",
                                       "discord", "slack", "threads", "telegram", "signal",   "whatsapp", "linkedin"};

static void cut(struct buf *name, size_t len)
{
    while (len > 0 && name->ptr[len - 1] == ' ') {
        len--;
    }
    name->len = len;
    name->ptr[len] = 0;
}

/* "Ben (@ben)", "Ben [@ben]": the handle is the network's to say. */
static bool drop_handle(struct buf *name)
{
    const char *text = name->ptr;
    if (name->len < 2 || (text[name->len - 1] != ')' && text[name->len - 1] != ']')) {
        return false;
    }
    const char open = text[name->len - 1] == ')' ? '(' : '[';
    size_t at = name->len - 1;
    while (at > 0 && text[at - 1] != open) {
        at--;
    }
    if (at == 0 || text[at] != '@') {
        return false;
    }
    cut(name, at - 1);
    return true;
}

/* "Ben on Twitter", also with stops or a colon behind it. */
static bool drop_service(struct buf *name)
{
    size_t end = name->len;
    while (end > 0 && strchr(" .:;,!", name->ptr[end - 1]) != NULL) {
        end--;
    }
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        const size_t n = strlen(services[i]);
        if (end < n + 3 || strncasecmp(name->ptr + end - n, services[i], n) != 0 ||
            strncasecmp(name->ptr + end - n - 3, "on ", 3) != 0) {
            continue;
        }
        if (end > n + 3 && name->ptr[end - n - 4] != ' ') {
            continue;
        }
        cut(name, end - n - 3);
        return true;
    }
    return false;
}

/* In "Ben: hello" a listener would hear the end of the name. */
static void drop_colons(struct buf *name)
{
    size_t to = 0;
    for (size_t i = 0; i < name->len; i++) {
        const char c = name->ptr[i];
        const bool ends = i + 1 == name->len || name->ptr[i + 1] == ' ' || name->ptr[i + 1] == ':';
        if (c != ':' || !ends) {
            name->ptr[to++] = c;
        }
    }
    cut(name, to);
}

static size_t first_graphemes(const char *text, size_t len, size_t max)
{
    size_t at = 0;
    utf8proc_int32_t cp, last = 0, state = 0;
    while (at < len) {
        const utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(len - at), &cp);
        if (n <= 0 || (at > 0 && utf8proc_grapheme_break_stateful(last, cp, &state) && --max == 0)) {
            break;
        }
        last = cp;
        at += (size_t)n;
    }
    return at;
}

static int fold(struct buf *name, const char *text, size_t len)
{
    struct buf line;
    buf_init(&line, MAX_INPUT_BYTES + 1);
    int status = utf8_clean(&line, text, len, MAX_INPUT_BYTES, UTF8_LINE);
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t n = 0;
    if (status == 0 && line.len > 0) {
        n = utf8proc_map((const uint8_t *)line.ptr, (utf8proc_ssize_t)line.len, &folded,
                         UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    }
    if (status == 0 && n > 0) { /* folding can make spaces and hidden characters anew */
        status = utf8_clean(name, (const char *)folded, (size_t)n, MAX_INPUT_BYTES, UTF8_LINE);
    }
    free(folded);
    buf_clear(&line);
    return status;
}

int utf8_name(struct buf *out, const char *name, size_t len)
{
    struct buf shown;
    buf_init(&shown, MAX_INPUT_BYTES + 1);
    int status = fold(&shown, name, len);
    if (status == 0 && shown.len > 0) {
        drop_colons(&shown);
        while (shown.len > 0 && (drop_service(&shown) || drop_handle(&shown))) {
        }
    }
    if (status == 0 && shown.len > 0) {
        const size_t short_len = first_graphemes(shown.ptr, shown.len, MAX_GRAPHEMES);
        cut(&shown, utf8_prefix(shown.ptr, short_len, MAX_NAME_BYTES));
    }
    if (status == 0) {
        status = shown.len > 0 ? buf_add(out, shown.ptr, shown.len) : buf_adds(out, "someone");
    }
    buf_clear(&shown);
    return status;
}
