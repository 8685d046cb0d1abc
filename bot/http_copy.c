/* SPDX-License-Identifier: MIT */
/* HTTP requests of plugins: copied and checked before anything happens. */
#include "address.h"
#include "http_request.h"
#include "xalloc.h"
#include <strings.h>

static const int64_t TIMEOUT_MS = 30000, MAX_MS = INT64_C(24) * 3600 * 1000;
static const size_t REPLY_BYTES = 1024 * 1024;

static bool text_is_clean(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            return false; /* a line break would begin another header */
        }
    }
    return true;
}

static int copy_method(struct hr_request *request, const char *method)
{
    size_t len = method ? strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;

    if (len == 0 || len > 16 || method[len] != '\0') {
        return HR_EINVAL;
    }
    request->in.method = xstrdup(method);
    return HR_OK;
}

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(url, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK ? text : NULL;
}

static void check_host(struct hr_request *request, const char *scheme)
{
    CLEANUP_FREE char *bare = xstrdup(request->host + (request->host[0] == '['));

    bare[strcspn(bare, "]")] = '\0';
    request->here = address_is_loopback(bare);
    if (strcasecmp(scheme, "https") != 0 && !request->here) {
        http_request_fail(request, HR_EDENIED,
                          "without https hashroom talks to this machine only; write https:// instead");
    }
}

static int copy_url(struct hr_request *request, const char *text)
{
    CURLU *url;
    char *scheme = NULL, *host = NULL;
    int status = HR_EINVAL;

    if (!text) {
        return HR_EINVAL;
    }
    if (strlen(text) > HTTP_MAX_URL_BYTES) {
        return HR_ELIMIT;
    }
    url = curl_url();
    BUG_IF(!url);
    if (text_is_clean(text) && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK) {
        scheme = url_part(url, CURLUPART_SCHEME);
        host = url_part(url, CURLUPART_HOST);
    }
    if (scheme && host && (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0)) {
        request->in.url = xstrdup(text);
        request->host = xstrdup(host);
        check_host(request, scheme);
        status = HR_OK;
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return status;
}

static void add_header(struct hr_request *request, const char *line)
{
    struct curl_slist *list = curl_slist_append(request->headers, line);

    BUG_IF(!list);
    request->headers = list;
}

static int copy_headers(struct hr_request *request, const char *const *headers, const char *contact)
{
    char agent[256];
    size_t total = 0;
    bool typed = false, named = false;

    for (; headers && *headers; headers++) {
        const char *colon = strchr(*headers, ':');

        if (!colon || colon == *headers || !text_is_clean(*headers) ||
            strcspn(*headers, " ;") < (size_t)(colon - *headers)) {
            return HR_EINVAL;
        }
        if ((total += strlen(*headers)) > HTTP_MAX_HEADER_BYTES) {
            return HR_ELIMIT;
        }
        typed |= strncasecmp(*headers, "content-type:", 13) == 0;
        named |= strncasecmp(*headers, "user-agent:", 11) == 0;
        add_header(request, *headers);
    }
    add_header(request, "Expect:"); /* curl would wait for 100 Continue */
    if (!typed) {
        add_header(request, "Content-Type:"); /* curl would call any body a form */
    }
    if (!named) {
        bool tell = contact && *contact && text_is_clean(contact);

        snprintf(agent, sizeof(agent), "User-Agent: hashroom/" HASHROOM_VERSION "%s%.180s%s", tell ? " (+" : "",
                 tell ? contact : "", tell ? ")" : "");
        add_header(request, agent);
    }
    return HR_OK;
}

int http_request_copy(struct hr_request *request, const struct hr_http *from, const char *contact)
{
    struct hr_http given = {0};
    int status;

    if (from->size < offsetof(struct hr_http, headers)) {
        return HR_EINVAL;
    }
    memcpy(&given, from, from->size < sizeof(given) ? from->size : sizeof(given));
    if (given.body_len > HTTP_MAX_BODY_BYTES) {
        return HR_ELIMIT;
    }
    request->retry_ms = -1;
    request->in = (struct hr_http){
        .max_reply_bytes = given.max_reply_bytes ? given.max_reply_bytes : REPLY_BYTES,
        .timeout_ms = given.timeout_ms == 0       ? TIMEOUT_MS
                      : given.timeout_ms > MAX_MS ? MAX_MS
                                                  : given.timeout_ms,
        .stall_ms = given.stall_ms > MAX_MS ? MAX_MS : given.stall_ms,
        .data = given.data,
        .opened = given.opened,
    };
    if ((status = copy_method(request, given.method)) != HR_OK || (status = copy_url(request, given.url)) != HR_OK ||
        (status = copy_headers(request, given.headers, contact)) != HR_OK) {
        return status;
    }
    request->in.ca_file = xstrdup(given.ca_file);
    if (given.body) {
        char *body = xmalloc(given.body_len + 1);

        memcpy(body, given.body, given.body_len);
        request->in.body = body;
        request->in.body_len = given.body_len;
    }
    buf_init(&request->head, HTTP_MAX_HEADER_BYTES);
    buf_init(&request->body, request->in.max_reply_bytes);
    return HR_OK;
}

bool http_same_origin(const char *from, const char *to)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *one = curl_url(), *two = curl_url();
    bool same = curl_url_set(one, CURLUPART_URL, from, 0) == CURLUE_OK &&
                curl_url_set(two, CURLUPART_URL, to, CURLU_DISALLOW_USER) == CURLUE_OK;

    for (size_t i = 0; same && i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *a = url_part(one, parts[i]), *b = url_part(two, parts[i]);

        same = a && b && strcasecmp(a, b) == 0;
        curl_free(a);
        curl_free(b);
    }
    curl_url_cleanup(one);
    curl_url_cleanup(two);
    return same;
}
