/* SPDX-License-Identifier: MIT */
/* One page in memory and the HTTP response made of it. */
#include "page.h"
#include "buf.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISPOSITION_MAX = 1024 };

/* RFC 6266 and 8187: percent-encoded, so that no byte of a foreign name stands in the header as it is. */
static char *disposition_of(const struct hr_page *from)
{
    struct buf out;
    buf_init(&out, DISPOSITION_MAX);
    (void)buf_adds(&out, from->download ? "attachment" : "inline");
    if (from->file_name != NULL && from->file_name[0] != '\0') {
        (void)buf_adds(&out, "; filename*=UTF-8''");
        for (const unsigned char *c = (const unsigned char *)from->file_name; *c != '\0'; c++) {
            char hex[4];
            bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
                         *c == '.' || *c == '-' || *c == '_';
            (void)snprintf(hex, sizeof(hex), plain ? "%c" : "%%%02X", *c);
            if (buf_adds(&out, hex) < 0) {
                break;
            }
        }
    }
    char *text = xstrdup(buf_str(&out));
    buf_clear(&out);
    return text;
}

struct page *page_new(const char *key, const struct hr_page *from, size_t *held)
{
    struct page *page = xcalloc(1, sizeof(*page));
    *page = (struct page){
        .key = xstrdup(key),
        .code = from->code,
        .type = xstrdup(from->type),
        .disposition = disposition_of(from),
        .bytes = xmalloc(from->len + 1),
        .len = from->len,
        .refs = 1,
        .held = held,
    };
    if (from->len > 0) {
        memcpy(page->bytes, from->bytes, from->len);
    }
    *held += page->len;
    return page;
}

struct page *page_ref(struct page *page)
{
    page->refs++;
    return page;
}

void page_unref(struct page *page)
{
    if (page == NULL || --page->refs > 0) {
        return;
    }
    *page->held -= page->len;
    free(page->key);
    free(page->type);
    free(page->disposition);
    free(page->bytes);
    free(page);
}

static void on_sent(void *arg)
{
    page_unref(arg);
}

/* ---- one range ------------------------------------------------------------------- */

static bool number(const char **at, size_t *out)
{
    size_t value = 0;
    const char *c = *at;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (value > SIZE_MAX / 10 - 10) {
            return false;
        }
        value = value * 10 + (size_t)(*c - '0');
    }
    bool some = c != *at;
    *at = c;
    *out = value;
    return some;
}

int page_range(const char *range, size_t len, size_t *from, size_t *count)
{
    size_t first = 0, last = len > 0 ? len - 1 : 0;
    if (range == NULL || strncmp(range, "bytes=", 6) != 0) {
        return HR_EINVAL;
    }
    const char *at = range + 6;
    bool has_first = number(&at, &first);
    if (*at++ != '-') {
        return HR_EINVAL;
    }
    size_t end = 0;
    bool has_last = number(&at, &end);
    if (*at != '\0' || (!has_first && !has_last) || (has_first && has_last && end < first)) {
        return HR_EINVAL; /* several ranges: all of it is a good answer too */
    }
    if (!has_first) {
        first = end < len ? len - end : 0;
        first = end == 0 ? len : first;
    } else if (has_last && end < last) {
        last = end;
    }
    if (first >= len) {
        return HR_ELIMIT;
    }
    *from = first;
    *count = last - first + 1;
    return HR_OK;
}

/* ---- the response ------------------------------------------------------------------ */

static void add_headers(struct MHD_Response *response, const struct page *page, int64_t max_age_s)
{
    char cache[64];
    (void)snprintf(cache, sizeof(cache), max_age_s > 0 ? "private, max-age=%" PRId64 : "no-store", max_age_s);
    const char *const headers[][2] = {
        {"Content-Type", page->type},
        {"Content-Disposition", page->disposition},
        {"Cache-Control", cache},
        /* a browser takes it for what it is called, runs nothing in it, tells nobody where it came from */
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; "
                                    "frame-ancestors 'none'; sandbox"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "cross-origin"}, /* web clients of IRC show it inside their own pages */
        {"X-Robots-Tag", "noindex, nofollow, noarchive"},
        {"Accept-Ranges", "bytes"},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        (void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
    }
}

enum MHD_Result page_send(struct page *page, struct MHD_Connection *connection, const char *range, int64_t max_age_s)
{
    char content_range[80] = "";
    size_t from = 0, count = page->len;
    int code = page->code, ranged = code == 200 ? page_range(range, page->len, &from, &count) : HR_EINVAL;
    if (ranged == HR_OK) {
        code = MHD_HTTP_PARTIAL_CONTENT;
        (void)snprintf(content_range, sizeof(content_range), "bytes %zu-%zu/%zu", from, from + count - 1, page->len);
    } else if (ranged == HR_ELIMIT) {
        code = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        from = count = 0;
        (void)snprintf(content_range, sizeof(content_range), "bytes */%zu", page->len);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(count, page->bytes + from, on_sent, page_ref(page));
    if (response == NULL) {
        page_unref(page);
        return MHD_NO;
    }
    add_headers(response, page, max_age_s);
    if (content_range[0] != '\0') {
        (void)MHD_add_response_header(response, "Content-Range", content_range);
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)code, response);
    MHD_destroy_response(response);
    return result;
}
