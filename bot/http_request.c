/* SPDX-License-Identifier: MIT */
/* One HTTP transfer: the easy handle, what curl calls. */
#include "http_request.h"
#include "xalloc.h"
#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

static const int64_t STALL_MS = 30000;

void http_request_fail(struct hr_request *request, int status, const char *fmt, ...)
{
    char words[sizeof(request->error) - 64];
    va_list ap;

    if (request->status != HR_OK) {
        return; /* the first failure is the cause */
    }
    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    request->status = status;
    snprintf(request->error, sizeof(request->error), "%.60s: %s", request->host, words);
}

int64_t http_request_stall_ms(const struct hr_request *request)
{
    return request->in.stall_ms > 0 ? request->in.stall_ms : STALL_MS;
}

void http_request_clear(struct hr_request *request)
{
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    free((char *)request->in.method);
    free((char *)request->in.url);
    free((char *)request->in.ca_file);
    free((void *)request->in.body);
    free(request->host);
    buf_clear(&request->head);
    buf_clear(&request->body);
}

/* ---- what curl calls ---------------------------------------------------------------- */

/* "Name: value" in lower case and without control characters. */
static int keep_header(struct hr_request *request, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t start = request->head.len, name_len = colon ? (size_t)(colon - line) : 0, skip = name_len + 1;

    if (!colon) {
        return HR_OK; /* not a header */
    }
    while (skip < len && (line[skip] == ' ' || line[skip] == '\t')) {
        skip++;
    }
    if (buf_add(&request->head, line, name_len) != HR_OK || buf_adds(&request->head, ": ") != HR_OK ||
        buf_add(&request->head, line + skip, len - skip) != HR_OK || buf_adds(&request->head, "\n") != HR_OK) {
        return HR_ELIMIT;
    }
    for (size_t i = start; i + 1 < request->head.len; i++) {
        char *byte = &request->head.ptr[i];

        *byte = i < start + name_len ? (char)tolower((unsigned char)*byte) : *byte;
        *byte = (unsigned char)*byte < ' ' || *byte == 0x7f ? ' ' : *byte;
    }
    return HR_OK;
}

static bool header_is(const char *line, const char *name, const char **value)
{
    size_t len = strlen(name);

    *value = line + len + 2;
    return strncmp(line, name, len) == 0 && line[len] == ':';
}

static int look_at_header(struct hr_request *request, size_t start)
{
    CLEANUP_FREE char *line = xstrdup(buf_str(&request->head) + start);
    const char *value;

    line[strcspn(line, "\n")] = '\0';
    if (header_is(line, "retry-after", &value)) {
        request->retry_ms = http_retry_after_ms(value, clock_wall_ms());
    }
    /* A zstd window may take 128 MiB; it was not asked for. */
    if (header_is(line, "content-encoding", &value) && strcasecmp(value, "gzip") != 0 &&
        strcasecmp(value, "deflate") != 0 && strcasecmp(value, "identity") != 0 && *value) {
        http_request_fail(request, HR_ERETRY, "the answer is packed in a way that was not asked for");
        return HR_EFAIL;
    }
    return HR_OK;
}

static void on_header_end(struct hr_request *request)
{
    long code = 0;

    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &code);
    request->code = (int)code;
    if (request->in.data && code >= 200 && code < 300 && !request->streaming) {
        request->streaming = request->opened_due = true;
        request->body.max = HTTP_MAX_PENDING_BYTES;
        http_ready(request);
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct hr_request *request = arg;
    size_t given = size * count, len = given, start;

    request->last_ms = clock_monotonic_ms();
    request->head_total += len; /* over all interim replies */
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
        len--;
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        buf_reset(&request->head);
        request->retry_ms = -1;
        return given;
    }
    if (len == 0) {
        on_header_end(request);
        return given;
    }
    start = request->head.len;
    if (request->head_total > HTTP_MAX_HEADER_BYTES || keep_header(request, line, len) != HR_OK) {
        http_request_fail(request, HR_ELIMIT, "the answer's header is over %d KiB", HTTP_MAX_HEADER_BYTES / 1024);
        return 0;
    }
    return start == request->head.len || look_at_header(request, start) == HR_OK ? given : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct hr_request *request = arg;
    size_t len = size * count;

    request->last_ms = clock_monotonic_ms();
    if (buf_add(&request->body, bytes, len) != HR_OK) {
        http_request_fail(request, HR_ELIMIT, "the answer is over %zu bytes", request->body.max);
        return 0;
    }
    if (request->streaming) {
        http_ready(request);
    }
    return len;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct hr_request *request = arg;

    (void)down_total, (void)up_total;
    if (down + up != request->progress) {
        request->progress = down + up;
        request->last_ms = clock_monotonic_ms();
    }
    return 0;
}

static bool may_repeat(const struct hr_request *request)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(request->in.method, methods[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The connection stands and the request is about to be written. curl comes here
 * again when a kept connection broke without an answer: a POST may then have
 * been carried out, and is not repeated behind the caller's back. */
static int on_write_begins(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct hr_request *request = arg;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (request->tries > 0 && !may_repeat(request)) {
        http_request_fail(request, HR_ERETRY, "the connection was closed without an answer");
        return CURL_PREREQFUNC_ABORT;
    }
    request->tries++;
    request->last_ms = clock_monotonic_ms();
    http_watch_stall(request->http, http_request_stall_ms(request));
    return CURL_PREREQFUNC_OK;
}

/* ---- the easy handle ------------------------------------------------------------------ */

static void set_security(struct hr_request *request)
{
    CURL *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->in.ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->in.ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* that authority alone */
    }
    if (request->here) {
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* what is meant for this machine doesn't leave it */
    }
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_method(struct hr_request *request)
{
    CURL *easy = request->easy;
    const char *method = request->in.method;

    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->in.body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->in.body_len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->in.body ? request->in.body : "");
    }
    if (strcmp(method, "GET") != 0 || request->in.body) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

static void set_times(struct hr_request *request)
{
    CURL *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 20000L);
    if (request->in.timeout_ms > 0) {
        request->end_ms = clock_monotonic_ms() + request->in.timeout_ms;
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->in.timeout_ms);
    }
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* On a connection that may be dead already a request that must not be
     * repeated would end in doubt. */
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, may_repeat(request) ? 90L : 20L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a lookup that hangs is left to its thread, not waited for */
}

void http_request_prepare(struct hr_request *request)
{
    CURL *easy = curl_easy_init();

    BUG_IF(!easy);
    request->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_URL, request->in.url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_error);
    set_security(request);
    set_method(request);
    set_times(request);
    if (!request->in.data) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    }
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_write_begins);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

/* ---- its end ---------------------------------------------------------------------------- */

bool http_request_redirect(struct hr_request *request)
{
    char *to = NULL;
    int64_t left_ms = request->end_ms ? request->end_ms - clock_monotonic_ms() : 0;
    CLEANUP_FREE char *url = NULL;

    curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to || strcmp(request->in.method, "GET") != 0 || request->redirects >= HTTP_MAX_REDIRECTS ||
        strlen(to) > HTTP_MAX_URL_BYTES || !http_same_origin(request->in.url, to) ||
        (request->end_ms && left_ms <= 0)) {
        return false;
    }
    request->redirects++;
    url = xstrdup(to); /* curl's own goes with the setopt */
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    if (request->end_ms) {
        curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    }
    buf_reset(&request->head);
    buf_reset(&request->body);
    request->head_total = 0;
    request->progress = 0;
    request->code = 0;
    return true;
}

static void say_failure(struct hr_request *request, CURLcode result)
{
    const char *words;
    long verify_result = 0, os_error = 0;
    int status;

    curl_easy_getinfo(request->easy, CURLINFO_SSL_VERIFYRESULT, &verify_result);
    curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_error);
    status = http_curl_status(result, verify_result, request->curl_error, &words);
    if (result == CURLE_OPERATION_TIMEDOUT) {
        http_request_fail(request, status, "%s",
                          request->tries > 0 ? "the whole answer didn't come in time"
                                             : "no connection could be made in time");
    } else if (result == CURLE_COULDNT_CONNECT && os_error) {
        http_request_fail(request, status, "can't connect: %s", strerror((int)os_error));
    } else if (status == HR_EDENIED) {
        http_request_fail(request, status, "TLS is refused: %s", words);
    } else {
        http_request_fail(request, status, "%s", words);
    }
}

void http_request_result(struct hr_request *request, CURLcode result)
{
    long code = 0;

    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &code);
    request->code = (int)code;
    if (result != CURLE_OK) {
        say_failure(request, result);
    }
    request->state = HTTP_DONE;
}
