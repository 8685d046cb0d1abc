/* SPDX-License-Identifier: MIT */
/* HTTP against a server on loopback: what goes out, refusals, broken answers, ceilings, redirects. */
#include "http_seen.h"

/* ---- what goes out ------------------------------------------------------------------ */

static void a_page_comes_over_tls(void **state)
{
    struct seen *seen = *state;
    struct answer *answer = fetch_path(seen, "https_good", "hello");

    expect(answer, HR_OK, "");
    assert_string_equal(answer->error, "");
    assert_int_equal(answer->code, 200);
    assert_string_equal(buf_str(&answer->body), "hello");
    assert_true(answer->sent);
    assert_int_equal(answer->retry_ms, -1);
    assert_non_null(strstr(answer->header, "content-length: 5\n"));
    assert_non_null(strstr(answer->header, "x-strange-name: kept  clean \n"));
}

static void all_that_was_given_is_copied_and_sent_exactly(void **state)
{
    struct seen *seen = *state;
    char name[] = "X-Own: value", body[] = "{\"a\":1}", method[] = "POST", url[256];
    const char *headers[] = {name, "Content-Type: application/json", NULL};
    struct hr_http http = get_of(seen, "http", "echo?q=%20x");

    snprintf(url, sizeof(url), "%s", http.url);
    http.method = method;
    http.url = url;
    http.headers = headers;
    http.body = body;
    http.body_len = strlen(body);
    assert_int_equal(start(seen, &seen->one, &http), HR_OK);
    memset(name, 'z', sizeof(name) - 1);
    memset(body, 'z', sizeof(body) - 1);
    memset(method, 'Z', sizeof(method) - 1);
    memset(url, 'z', sizeof(url) - 1);
    net_until(&seen->net, &seen->one.calls, 1);
    assert_int_equal(seen->one.status, HR_OK);
    assert_int_equal(strncmp(buf_str(&seen->one.body), "POST /echo?q=%20x HTTP/1.1\r\n", 28), 0);
    assert_true(body_has(&seen->one, "\r\nX-Own: value\r\n"));
    assert_true(body_has(&seen->one, "\r\nUser-Agent: hashroom/" HASHROOM_VERSION " (+who runs it)\r\n"));
    assert_true(body_has(&seen->one, "\r\nContent-Length: 7\r\n"));
    assert_true(body_has(&seen->one, "\r\n\r\n{\"a\":1}"));
    assert_false(body_has(&seen->one, "Expect:"));
    assert_false(body_has(&seen->one, "x-www-form-urlencoded"));
}

static void every_method_goes_out_as_named(void **state)
{
    struct seen *seen = *state;
    const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct hr_http http = get_of(seen, "http", "echo");
        char line[64];

        http.method = methods[i];
        snprintf(line, sizeof(line), "%s /echo HTTP/1.1\r\n", methods[i]);
        assert_int_equal(strncmp(buf_str(&fetch(seen, &http)->body), line, strlen(line)), 0);
    }
}

static void a_request_that_makes_no_sense_is_refused_at_once(void **state)
{
    struct seen *seen = *state;
    struct hr_http good = get_of(seen, "http", "hello"), bad;
    const char *const urls[] = {"",
                                "no url",
                                "ftp://localhost/x",
                                "file:///etc/passwd",
                                "http://",
                                "http://a:b@localhost/",
                                "http://localhost/\r\nX: y"};
    const char *const lines[] = {"no colon", "X: a\r\nY: b", ": empty", "Sp ace: x", "Semi;: x"};
    const char *const methods[] = {"", "get", "GET ", "GET\r\nX", "LONGLONGLONGLONGLONG"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        bad = good;
        bad.url = urls[i];
        assert_int_equal(start(seen, &seen->one, &bad), HR_EINVAL);
    }
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *headers[] = {lines[i], NULL};

        bad = good;
        bad.headers = headers;
        assert_int_equal(start(seen, &seen->one, &bad), HR_EINVAL);
    }
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        bad = good;
        bad.method = methods[i];
        assert_int_equal(start(seen, &seen->one, &bad), HR_EINVAL);
    }
    bad = good;
    bad.size = 0;
    assert_int_equal(start(seen, &seen->one, &bad), HR_EINVAL);
    net_pause(&seen->net, 20);
    assert_int_equal(seen->one.calls, 0);
}

static void ceilings_of_a_request_hold(void **state)
{
    struct seen *seen = *state;
    static char text[70 * 1024] = "X: ";
    const char *headers[] = {text, NULL};
    struct hr_http http = get_of(seen, "http", "hello");
    int status = HR_OK, count = 0;

    memset(text + 3, 'h', sizeof(text) - 4);
    http.headers = headers;
    assert_int_equal(start(seen, &seen->one, &http), HR_ELIMIT);
    memcpy(text, "http://localhost/", 17);
    http.headers = NULL;
    http.url = text;
    assert_int_equal(start(seen, &seen->one, &http), HR_ELIMIT);
    http = get_of(seen, "http", "silent");
    while (status == HR_OK && count < 1000) {
        status = start(seen, &seen->one, &http);
        count++;
    }
    assert_int_equal(status, HR_ELIMIT);
}

static void plain_http_to_elsewhere_is_refused_in_words(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "hello");

    http.url = "http://192.0.2.1/secret";
    expect(fetch(seen, &http), HR_EDENIED, "192.0.2.1: without https");
    assert_false(seen->one.sent);
    assert_null(strstr(seen->one.error, "secret"));
    http.url = "http://localhost.example.org/";
    expect(fetch(seen, &http), HR_EDENIED, "without https");
}

/* ---- refused or broken ------------------------------------------------------------------ */

static void tls_refusals_say_which_check_failed(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "hello");
    char url[64];

    expect(fetch_path(seen, "https_wrong", "hello"), HR_EDENIED, "its certificate is for another name");
    assert_false(seen->one.sent);
    expect(fetch_path(seen, "https_expired", "hello"), HR_EDENIED, "its certificate has expired");
    expect(fetch_path(seen, "https_unknown", "hello"), HR_EDENIED, "an authority this machine doesn't know");
    http.url = url;
    snprintf(url, sizeof(url), "https://localhost:%d/", net_port(&seen->net, "greeting"));
    expect(fetch(seen, &http), HR_EDENIED, "doesn't speak TLS on this port");
    snprintf(url, sizeof(url), "https://localhost:%d/", net_port(&seen->net, "slam"));
    expect(fetch(seen, &http), HR_ERETRY, "broke during the TLS handshake");
    http = get_of(seen, "https_good", "hello");
    http.ca_file = NULL;
    expect(fetch(seen, &http), HR_EDENIED, "an authority this machine doesn't know");
    http.ca_file = "/nonexistent/ca.pem";
    expect(fetch(seen, &http), HR_EDENIED, "authorities can't be read");
    assert_false(seen->one.sent);
}

static void a_closed_port_and_a_missing_name_are_not_sent(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "hello");

    http.url = "http://localhost:1/";
    expect(fetch(seen, &http), HR_ERETRY, "can't connect: Connection refused");
    assert_false(seen->one.sent);
    http.url = "https://no-such-name.invalid/";
    expect(fetch(seen, &http), HR_ERETRY, "no-such-name.invalid: the name can't be found");
    assert_false(seen->one.sent);
}

static void broken_answers_are_retried_later(void **state)
{
    struct seen *seen = *state;

    expect(fetch_path(seen, "https_good", "half"), HR_ERETRY, "the answer"); /* how it broke depends on curl's version */
    assert_int_equal(seen->one.body.len, 0);
    expect(fetch_path(seen, "http", "close"), HR_ERETRY, "without an answer");
    assert_true(seen->one.sent);
    expect(fetch_path(seen, "http", "reset"), HR_ERETRY, "localhost:");
    expect(fetch_path(seen, "http", "garbage"), HR_ERETRY, "localhost:");
}

static void a_stalled_answer_ends_and_a_slow_one_does_not(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "https_good", "stall");

    http.stall_ms = 300;
    expect(fetch(seen, &http), HR_ERETRY, "no byte came");
    http = get_of(seen, "http", "silent");
    http.stall_ms = 300;
    expect(fetch(seen, &http), HR_ERETRY, "no byte came");
    assert_true(seen->one.sent);
    http = get_of(seen, "http", "drip/6/400"); /* 2.4 s, each pause far below the limit */
    http.stall_ms = 2000;
    expect(fetch(seen, &http), HR_OK, "");
}

static void the_whole_transfer_has_its_time(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "drip/1000/20");

    http.timeout_ms = 1000;
    expect(fetch(seen, &http), HR_ERETRY, "didn't come in time");
}

static void a_post_on_a_dying_connection_is_not_sent_twice(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "post/drop");

    http.method = "POST";
    expect(fetch(seen, &http), HR_OK, "");
    expect(fetch(seen, &http), HR_ERETRY, "without an answer");
    assert_true(seen->one.sent);
    fetch_path(seen, "http", "count/post");
    assert_string_equal(buf_str(&seen->one.body), "2");
    http.method = "PUT"; /* may be repeated: first on the old connection, then on a new one */
    expect(fetch(seen, &http), HR_OK, "");
}

/* ---- too much ----------------------------------------------------------------------------- */

static void answers_over_the_ceiling_are_cut_off(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "https_good", "big/3000");

    http.max_reply_bytes = 2999;
    expect(fetch(seen, &http), HR_ELIMIT, "over 2999 bytes");
    http.max_reply_bytes = 3000;
    assert_int_equal(fetch(seen, &http)->body.len, 3000);
    expect(fetch_path(seen, "http", "chunked/100"), HR_ELIMIT, "over 1048576 bytes");
}

static void a_gzip_bomb_is_measured_unpacked(void **state)
{
    struct seen *seen = *state;

    expect(fetch_path(seen, "http", "bomb/50000000"), HR_ELIMIT, "over 1048576 bytes");
    assert_string_equal(buf_str(&fetch_path(seen, "http", "packed")->body), "unpacked words");
    expect(fetch_path(seen, "http", "packed/zstd"), HR_ERETRY, "not asked for");
    expect(fetch_path(seen, "http", "packed/gzip,gzip"), HR_ERETRY, "not asked for");
}

static void headers_have_a_ceiling(void **state)
{
    struct seen *seen = *state;

    expect(fetch_path(seen, "http", "header/50"), HR_OK, "");
    expect(fetch_path(seen, "http", "header/80"), HR_ELIMIT, "header");
    expect(fetch_path(seen, "http", "line/200000"), HR_ELIMIT, "header");
    expect(fetch_path(seen, "http", "interim/10"), HR_OK, "");
    assert_string_equal(buf_str(&seen->one.body), "after all");
    expect(fetch_path(seen, "http", "interim/500"), HR_ELIMIT, "header");
}

/* ---- codes and redirects --------------------------------------------------------------------- */

static void codes_and_retry_after_are_handed_on(void **state)
{
    struct seen *seen = *state;
    struct answer *answer = fetch_path(seen, "https_good", "status/429/7");

    expect(answer, HR_OK, "");
    assert_int_equal(answer->code, 429);
    assert_int_equal(answer->retry_ms, 7000);
    assert_string_equal(buf_str(&answer->body), "told");
    assert_int_equal(fetch_path(seen, "https_good", "status/503/soon")->retry_ms, -1);
    assert_int_equal(seen->one.code, 503);
}

static void retry_after_is_read_in_both_forms(void **state)
{
    const int64_t wall_ms = INT64_C(784111777) * 1000; /* Sun, 06 Nov 1994 08:49:37 GMT */

    (void)state;
    assert_int_equal(http_retry_after_ms("0", wall_ms), 0);
    assert_int_equal(http_retry_after_ms(" 120 ", wall_ms), 120000);
    assert_int_equal(http_retry_after_ms("1.5", wall_ms), 2000);
    assert_int_equal(http_retry_after_ms("99999999999999999999", wall_ms), 86400000);
    assert_int_equal(http_retry_after_ms("Sun, 06 Nov 1994 08:50:00 GMT", wall_ms), 23000);
    assert_int_equal(http_retry_after_ms("Sun, 06 Nov 1994 08:00:00 GMT", wall_ms), 0);
    assert_int_equal(http_retry_after_ms("Fri, 31 Dec 9999 23:59:59 GMT", wall_ms), 86400000);
    assert_int_equal(http_retry_after_ms("", wall_ms), -1);
    assert_int_equal(http_retry_after_ms("-5", wall_ms), -1);
    assert_int_equal(http_retry_after_ms("7 dwarfs", wall_ms), 7000);
    assert_int_equal(http_retry_after_ms("7x", wall_ms), -1);
    assert_int_equal(http_retry_after_ms("soon", wall_ms), -1);
}

static void redirects_stay_on_the_host_and_end_after_three(void **state)
{
    struct seen *seen = *state;
    struct hr_http http;
    char path[128];

    assert_string_equal(buf_str(&fetch_path(seen, "https_good", "redirect/3")->body), "hello");
    assert_int_equal(seen->one.code, 200);
    assert_null(strstr(seen->one.header, "location"));
    assert_int_equal(fetch_path(seen, "https_good", "redirect/4")->code, 302);
    assert_string_equal(buf_str(&seen->one.body), "elsewhere");
    snprintf(path, sizeof(path), "redirect/to/https://127.0.0.1:%d/hello", net_port(&seen->net, "https_good"));
    assert_int_equal(fetch_path(seen, "https_good", path)->code, 302);
    snprintf(path, sizeof(path), "redirect/to/http://localhost:%d/hello", net_port(&seen->net, "http"));
    assert_int_equal(fetch_path(seen, "https_good", path)->code, 302);
    snprintf(path, sizeof(path), "redirect/to/https://localhost:%d/hello", net_port(&seen->net, "https_wrong"));
    assert_int_equal(fetch_path(seen, "https_good", path)->code, 302);
    assert_int_equal(fetch_path(seen, "https_good", "redirect/to/file:///etc/passwd")->code, 302);
    http = get_of(seen, "https_good", "redirect/1");
    http.method = "POST";
    assert_int_equal(fetch(seen, &http)->code, 302);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_comes_over_tls),
        TEST(all_that_was_given_is_copied_and_sent_exactly),
        TEST(every_method_goes_out_as_named),
        TEST(a_request_that_makes_no_sense_is_refused_at_once),
        TEST(ceilings_of_a_request_hold),
        TEST(plain_http_to_elsewhere_is_refused_in_words),
        TEST(tls_refusals_say_which_check_failed),
        TEST(a_closed_port_and_a_missing_name_are_not_sent),
        TEST(broken_answers_are_retried_later),
        TEST(a_stalled_answer_ends_and_a_slow_one_does_not),
        TEST(the_whole_transfer_has_its_time),
        TEST(a_post_on_a_dying_connection_is_not_sent_twice),
        TEST(answers_over_the_ceiling_are_cut_off),
        TEST(a_gzip_bomb_is_measured_unpacked),
        TEST(headers_have_a_ceiling),
        TEST(codes_and_retry_after_are_handed_on),
        TEST(retry_after_is_read_in_both_forms),
        TEST(redirects_stay_on_the_host_and_end_after_three),
    };

    return cmocka_run_group_tests(tests, net_server_start, net_server_stop);
}
