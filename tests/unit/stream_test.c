/* SPDX-License-Identifier: MIT */
/* Byte streams against a server on loopback: who is trusted, what is refused and how that is said. */
#include "stream_seen.h"
#include "tls.h"

/* ---- TLS ------------------------------------------------------------------------ */

static void a_line_goes_over_tls_and_comes_back(void **state)
{
    struct seen *seen = *state;

    seen->say = "echo Ünïcode line\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(seen->how, "TLS 1.3");
    assert_string_equal(buf_str(&seen->got), "Ünïcode line\n");
}

static void an_address_literal_is_checked_against_the_addresses_of_the_certificate(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "tls_good");

    target.host = "127.0.0.1";
    open_target(seen, &target);
    net_until(&seen->net, &seen->opened, 1);
    streams_close(seen->stream);
    target = target_of(seen, "tls_wrong");
    target.host = "127.0.0.1";
    open_target(seen, &target);
    expect_closed(seen, HR_EDENIED, "for another address");
}

static void a_certificate_for_another_name_is_refused(void **state)
{
    expect_refused(state, "tls_wrong", HR_EDENIED, "its certificate is for another name");
}

static void an_expired_certificate_is_refused(void **state)
{
    expect_refused(state, "tls_expired", HR_EDENIED, "its certificate has expired");
}

static void an_unknown_authority_is_refused(void **state)
{
    expect_refused(state, "tls_unknown", HR_EDENIED, "an authority this machine doesn't know");
}

static void the_systems_authorities_do_not_know_the_tests_own(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "tls_good");

    target.ca_file = NULL;
    open_target(seen, &target);
    expect_closed(seen, HR_EDENIED, "an authority this machine doesn't know");
}

static void a_port_that_greets_in_plain_text_is_named_so(void **state)
{
    expect_refused(state, "greeting", HR_EDENIED, "doesn't speak TLS on this port");
}

static void a_peer_that_closes_during_the_handshake_is_tried_again_later(void **state)
{
    expect_refused(state, "slam", HR_ERETRY, "localhost");
}

static void a_silent_peer_ends_at_the_timeout(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "silent");

    target.host = "127.0.0.1";
    target.connect_timeout_ms = 1000;
    open_target(seen, &target);
    expect_closed(seen, HR_ERETRY, "doesn't answer the TLS handshake");
}

static void a_client_certificate_is_shown_to_who_asks(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "tls_client");
    char cert_file[128];

    snprintf(cert_file, sizeof(cert_file), "%s/good.pem", seen->net.server->dir);
    target.cert_file = cert_file;
    seen->say = "echo known\n";
    open_target(seen, &target);
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(buf_str(&seen->got), "known\n");
}

static void a_missing_client_certificate_is_said_plainly(void **state)
{
    struct seen *seen = *state;

    seen->say = "echo unknown\n";
    open_door(seen, "tls_client", false);
    expect_closed(seen, HR_EDENIED, "client certificate");
    assert_int_equal(seen->lines, 0);
}

static void unreadable_files_are_named(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "tls_good");

    target.ca_file = "/nonexistent/ca.pem";
    open_target(seen, &target);
    expect_closed(seen, HR_EINVAL, "/nonexistent/ca.pem");
    seen->closed = 0;
    target = target_of(seen, "tls_good");
    target.cert_file = "/nonexistent/me.pem";
    open_target(seen, &target);
    expect_closed(seen, HR_EINVAL, "/nonexistent/me.pem");
}

static void tls_that_never_ends_a_record_is_bounded(void **state)
{
    struct hr_stream_target target = {.size = sizeof(target), .host = "localhost", .port = 1};
    char err[256], junk[1024];
    struct tls *tls = tls_new(&target, err, sizeof(err));
    int status = HR_OK, fed = 0;

    (void)state;
    memset(junk, 0x16, sizeof(junk));
    while (status == HR_OK && fed++ < 1000) {
        status = tls_feed(tls, junk, sizeof(junk));
    }
    assert_int_equal(status, HR_ELIMIT);
    assert_int_equal(tls_handshake(tls, err, sizeof(err)), HR_EDENIED);
    tls_free(tls);
}

/* ---- plain -------------------------------------------------------------------------- */

static void plain_text_to_loopback_is_allowed(void **state)
{
    struct seen *seen = *state;

    seen->say = "echo plain\n";
    open_door(seen, "lines", true);
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(seen->how, "plain");
}

static void plain_text_to_elsewhere_is_refused(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "lines");

    target.plain = true;
    target.host = "192.0.2.1";
    open_target(seen, &target);
    expect_closed(seen, HR_EDENIED, "would not be encrypted");
}

static void a_closed_port_and_a_missing_name_are_told_apart(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "lines");

    target.port = 1;
    open_target(seen, &target);
    expect_closed(seen, HR_ERETRY, "connection refused");
    seen->closed = 0;
    target.host = "no-such-name.invalid";
    open_target(seen, &target);
    expect_closed(seen, HR_ERETRY, "no-such-name.invalid");
}

static void nonsense_is_refused(void **state)
{
    struct seen *seen = *state;
    const char *const hosts[] = {"", "two words", "line\r\nbreak", NULL};
    struct hr_stream_target target = target_of(seen, "lines");
    struct hr_stream *stream = NULL;

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        target.host = hosts[i];
        assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream),
                         HR_EINVAL);
    }
    target.host = "localhost";
    target.port = 65536;
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream), HR_EINVAL);
    target.size = 0;
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream), HR_EINVAL);
    assert_null(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_goes_over_tls_and_comes_back),
        TEST(an_address_literal_is_checked_against_the_addresses_of_the_certificate),
        TEST(a_certificate_for_another_name_is_refused),
        TEST(an_expired_certificate_is_refused),
        TEST(an_unknown_authority_is_refused),
        TEST(the_systems_authorities_do_not_know_the_tests_own),
        TEST(a_port_that_greets_in_plain_text_is_named_so),
        TEST(a_peer_that_closes_during_the_handshake_is_tried_again_later),
        TEST(a_silent_peer_ends_at_the_timeout),
        TEST(a_client_certificate_is_shown_to_who_asks),
        TEST(a_missing_client_certificate_is_said_plainly),
        TEST(unreadable_files_are_named),
        TEST(tls_that_never_ends_a_record_is_bounded),
        TEST(plain_text_to_loopback_is_allowed),
        TEST(plain_text_to_elsewhere_is_refused),
        TEST(a_closed_port_and_a_missing_name_are_told_apart),
        TEST(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, net_server_start, net_server_stop);
}
