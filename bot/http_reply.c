/* SPDX-License-Identifier: MIT */
/* HTTP: what a failure means and how to say it; Retry-After. Pure functions. */
#include "http_request.h"
#include "tls.h"
#include <ctype.h>

static const struct {
    CURLcode code;
    int status;
    const char *words;
} OUTCOMES[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HR_ERETRY, "the name can't be found"},
    {CURLE_COULDNT_RESOLVE_PROXY, HR_ERETRY, "the proxy's name can't be found"},
    {CURLE_COULDNT_CONNECT, HR_ERETRY, "no connection could be made"},
    {CURLE_GOT_NOTHING, HR_ERETRY, "the connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, HR_ERETRY, "the connection was closed in the middle of the answer"},
    {CURLE_RECV_ERROR, HR_ERETRY, "the connection broke while the answer was awaited"},
    {CURLE_SEND_ERROR, HR_ERETRY, "the connection broke while the request was sent"},
    {CURLE_OPERATION_TIMEDOUT, HR_ERETRY, "it took too long"},
    {CURLE_HTTP2, HR_ERETRY, "the connection broke (HTTP/2)"},
    {CURLE_HTTP2_STREAM, HR_ERETRY, "the server broke the answer off (HTTP/2)"},
    {CURLE_BAD_CONTENT_ENCODING, HR_ERETRY, "the answer can't be unpacked"},
    {CURLE_WRITE_ERROR, HR_ERETRY, "the answer can't be unpacked"},
    {CURLE_WEIRD_SERVER_REPLY, HR_ERETRY, "the answer isn't HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, HR_ERETRY, "the answer isn't HTTP"},
    {CURLE_SSL_CACERT_BADFILE, HR_EDENIED, "the file of certificate authorities can't be read"},
    {CURLE_SSL_CERTPROBLEM, HR_EDENIED, "the client certificate can't be used"},
    {CURLE_SSL_ISSUER_ERROR, HR_EDENIED, "its certificate comes from an authority this machine doesn't know"},
    {CURLE_OUT_OF_MEMORY, HR_ELIMIT, "a line of the answer's header is too long"}, /* so says curl before 8.6 */
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, HR_ELIMIT, "a line of the answer's header is too long"},
#endif
    {CURLE_FILESIZE_EXCEEDED, HR_ELIMIT, "the answer is too long"},
};

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static int tls_status(long verify_result, const char *curl_error, const char **words)
{
    *words = tls_verify_words(verify_result);
    if (*words) {
        return HR_EDENIED;
    }
    if (has(curl_error, "wrong version number") || has(curl_error, "http request") ||
        has(curl_error, "packet length too long")) {
        *words = "the server doesn't speak TLS on this port";
        return HR_EDENIED;
    }
    if (has(curl_error, "SYSCALL") || has(curl_error, "reset") || has(curl_error, "eof") ||
        has(curl_error, "ZERO_RETURN") || has(curl_error, "failure:")) { /* "Send failure: Broken pipe": curl 8 */
        *words = "the connection broke during the TLS handshake";
        return HR_ERETRY;
    }
    if (has(curl_error, "protocol version") || has(curl_error, "unsupported protocol")) {
        *words = "the server offers only versions of TLS that are too old (1.2 is the least)";
        return HR_EDENIED;
    }
    *words = curl_error[0] ? curl_error : "the TLS handshake failed";
    return HR_EDENIED;
}

int http_curl_status(CURLcode result, long verify_result, const char *curl_error, const char **words)
{
    if (verify_result == 1) { /* curl's value for "OpenSSL has not said" */
        verify_result = 0;
    }
    if (result == CURLE_SSL_CONNECT_ERROR) {
        return tls_status(verify_result, curl_error, words);
    }
    if (result == CURLE_PEER_FAILED_VERIFICATION) {
        *words = tls_verify_words(verify_result);
        /* curl compares names itself, after OpenSSL found the chain good. */
        *words = *words ? *words : "its certificate is for another name";
        return HR_EDENIED;
    }
    for (size_t i = 0; i < sizeof(OUTCOMES) / sizeof(OUTCOMES[0]); i++) {
        if (OUTCOMES[i].code == result) {
            *words = OUTCOMES[i].words;
            return OUTCOMES[i].status;
        }
    }
    *words = curl_error[0] ? curl_error : curl_easy_strerror(result);
    return HR_ERETRY;
}

int64_t http_retry_after_ms(const char *value, int64_t wall_ms)
{
    static const int64_t DAY_MS = INT64_C(86400) * 1000;
    int64_t ms = 0;
    time_t at;

    while (*value == ' ' || *value == '\t') {
        value++;
    }
    if (isdigit((unsigned char)*value)) {
        while (isdigit((unsigned char)*value) && ms < DAY_MS) {
            ms = ms * 10 + (*value++ - '0') * 1000;
        }
        if (*value == '.' && ms < DAY_MS) { /* not in the RFC, but seen: round up */
            ms += 1000;
        } else if (*value != '\0' && *value != ' ' && ms < DAY_MS) {
            return -1;
        }
        return ms > DAY_MS ? DAY_MS : ms;
    }
    if (strlen(value) > 64 || (at = curl_getdate(value, NULL)) == -1) {
        return -1;
    }
    if (at > INT64_MAX / 1000) {
        return DAY_MS;
    }
    ms = (int64_t)at * 1000 - wall_ms;
    return ms < 0 ? 0 : ms > DAY_MS ? DAY_MS : ms;
}
