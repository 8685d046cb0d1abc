/* SPDX-License-Identifier: MIT */
/* Web addresses: found anywhere, tidied, compared. */
#include "../../plugins/resources/url.h"
#include <hashroom/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void assert_found(const char *text, const char *expected)
{
    size_t len = 0;
    const char *at = url_find(text, &len);
    if (!expected) {
        assert_null(at);
        return;
    }
    assert_non_null(at);
    char found[3000];
    (void)snprintf(found, sizeof(found), "%.*s", (int)len, at);
    assert_string_equal(found, expected);
}

static void assert_tidy(const char *raw, const char *expected)
{
    struct url url;
    assert_int_equal(url_tidy(raw, strlen(raw), &url), 0);
    assert_string_equal(url.url, expected);
}

static void assert_refused(const char *raw)
{
    struct url url;
    assert_int_equal(url_tidy(raw, strlen(raw), &url), HR_EINVAL);
}

static bool same(const char *one, const char *two)
{
    struct url a, b;
    assert_int_equal(url_tidy(one, strlen(one), &a), 0);
    assert_int_equal(url_tidy(two, strlen(two), &b), 0);
    return strcmp(a.key, b.key) == 0;
}

static void found_anywhere_in_a_line(void **state)
{
    (void)state;
    assert_found("A2 see https://example.org/guide for more", "https://example.org/guide");
    assert_found("https://example.org", "https://example.org");
    assert_found("HTTP://EXAMPLE.ORG/A", "HTTP://EXAMPLE.ORG/A");
    assert_found("seehttps://example.org/x", "https://example.org/x");
    assert_found("on www.gov.uk/access-to-work today", "www.gov.uk/access-to-work");
    assert_found("no address here, ftp://example.org or mail@www.example.org", NULL);
    assert_found("https", NULL);
}

static void the_end_of_the_sentence_is_not_part(void **state)
{
    (void)state;
    assert_found("Look at https://example.org/guide.", "https://example.org/guide");
    assert_found("(https://example.org/guide)", "https://example.org/guide");
    assert_found("(see https://example.org/a_(b)).", "https://example.org/a_(b)");
    assert_found("https://en.example.org/wiki/Chair_(furniture)", "https://en.example.org/wiki/Chair_(furniture)");
    assert_found("<https://example.org/guide>!", "https://example.org/guide");
    assert_found("[guide](https://example.org/guide), good", "https://example.org/guide");
    assert_found("\"https://example.org/guide\"?!", "https://example.org/guide");
    assert_found("https://example.org/a?b=c&d=e...", "https://example.org/a?b=c&d=e");
    assert_found("\xe2\x80\x9chttps://example.org/guide\xe2\x80\x9d", "https://example.org/guide");
    assert_found("\xe8\xa6\x8b\xe3\x81\xa6https://example.jp/\xe9\x81\x93\xe3\x80\x82\xe3\x81\xaf\xe3\x81\x84",
                 "https://example.jp/\xe9\x81\x93");
    assert_found("*https://example.org/guide*", "https://example.org/guide");
}

static void tracking_goes_the_rest_stays(void **state)
{
    (void)state;
    assert_tidy("https://Example.ORG/Guide?utm_source=x&utm_medium=y", "https://example.org/Guide");
    assert_tidy("https://example.org/?a=1&fbclid=abc&b=2", "https://example.org/?a=1&b=2");
    assert_tidy("https://example.org/x?UTM_Campaign=z#part-2", "https://example.org/x#part-2");
    assert_tidy("https://example.org/x?gclid=1&mc_cid=2&igshid=3&ref_src=twsrc#", "https://example.org/x");
    assert_tidy("https://example.org/x?reference=utm_source", "https://example.org/x?reference=utm_source");
    assert_tidy("https://youtu.be/abc?si=123&t=9", "https://youtu.be/abc?t=9");
    assert_tidy("https://example.org/?si=123", "https://example.org/?si=123");
    assert_tidy("https://example.org:443/x", "https://example.org/x");
    assert_tidy("http://example.org:80", "http://example.org");
    assert_tidy("http://example.org:8080/x", "http://example.org:8080/x");
    assert_tidy("www.example.org/x", "https://www.example.org/x");
    assert_tidy("https://b\xc3\xbc"
                "cher.example/stra\xc3\x9f"
                "e",
                "https://b\xc3\xbc"
                "cher.example/stra\xc3\x9f"
                "e");
}

static void one_page_is_one_resource(void **state)
{
    (void)state;
    assert_true(same("http://example.org/guide", "https://www.EXAMPLE.org/guide/"));
    assert_true(same("https://example.org", "https://example.org/"));
    assert_true(same("https://example.org/?utm_source=a", "https://example.org/#"));
    assert_false(same("https://example.org/guide", "https://example.org/Guide"));
    assert_false(same("https://example.org/?page=1", "https://example.org/?page=2"));
    assert_false(same("https://example.org/a#one", "https://example.org/a#two"));
    assert_false(same("https://example.org:8443/", "https://example.org/"));
}

static void posts_pictures_people_and_tricks_are_no_resources(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "https://x.com/ana_reads/status/2105009737002090498",
        "https://twitter.com/ana_reads/status/21?s=20",
        "https://x.com/i/web/status/21",
        "https://x.com/lee_k/status/21/photo/1",
        "https://pic.x.com/PhOtO12345",
        "https://pbs.twimg.com/media/EXAMPLE.jpg",
        "https://matrix.to/#/@asha:example.org",
        "https://bank.example@evil.example/login",
        "https://user:secret@example.org/",
        "http://localhost/admin",
        "https://exa mple.org",
        "https://-example.org",
        "https://.example.org",
        "https://example.org:99999999/",
        "https://example.org:80a/",
        "https://example.org/lon\xe2\x80\xa6",
        "https://",
        "https:///etc/passwd",
        "https://[::1]/x",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        assert_refused(refused[i]);
    }
    assert_tidy("https://x.com/dpulochat", "https://x.com/dpulochat");
}

static void too_long_is_refused_as_a_whole(void **state)
{
    (void)state;
    char raw[URL_MAX_BYTES + 2] = "https://example.org/";
    memset(raw + strlen(raw), 'a', sizeof(raw) - 1 - strlen(raw));
    raw[sizeof(raw) - 1] = '\0';
    assert_refused(raw);
    raw[URL_MAX_BYTES] = '\0';
    struct url url;
    assert_int_equal(url_tidy(raw, strlen(raw), &url), 0);
    assert_int_equal(strlen(url.url), URL_MAX_BYTES);
}

static void any_bytes_do_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    static const char *const pieces[] = {"https://",
                                         "www.",
                                         "a.b",
                                         "/",
                                         "?",
                                         "#",
                                         "&",
                                         "=",
                                         ":",
                                         "@",
                                         "..",
                                         "(",
                                         ")",
                                         "utm_x=",
                                         "\xe2\x80\xa6",
                                         "\xe3\x80\x82",
                                         " ",
                                         "%",
                                         "status",
                                         "x.com",
                                         "80",
                                         "\xf0\x9f\x98\x80"};
    for (int round = 0; round < 20000; round++) {
        char text[200] = "";
        size_t len = 0;
        for (int i = 0; i < 12; i++) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[(seed >> 16) % (sizeof(pieces) / sizeof(*pieces))];
            memcpy(text + len, piece, strlen(piece) + 1);
            len += strlen(piece);
        }
        size_t found;
        for (const char *at = text; (at = url_find(at, &found)); at += found ? found : 1) {
            struct url url;
            assert_true(at + found <= text + len);
            if (url_tidy(at, found, &url) == 0) {
                struct url again;
                assert_int_equal(url_tidy(url.url, strlen(url.url), &again), 0);
                assert_string_equal(url.key, again.key);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_anywhere_in_a_line),
        cmocka_unit_test(the_end_of_the_sentence_is_not_part),
        cmocka_unit_test(tracking_goes_the_rest_stays),
        cmocka_unit_test(one_page_is_one_resource),
        cmocka_unit_test(posts_pictures_people_and_tricks_are_no_resources),
        cmocka_unit_test(too_long_is_refused_as_a_whole),
        cmocka_unit_test(any_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
