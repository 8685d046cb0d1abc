/* SPDX-License-Identifier: MIT */
/* Byte streams against a server on loopback: TLS refusals, turns, hostile peers, closing. */
#include "net.h"
#include "buf.h"
#include "stream.h"
#include "tls.h"

struct seen {
    struct net net;
    struct hr_stream *stream;
    int opened, chunks, closed, status;
    char how[16], reason[320];
    struct buf got;
    int lines;       /* '\n' in got */
    bool close_in_opened, close_in_data, close_in_closed, sweep_in_data;
    const char *say; /* written in opened() */
    bool undo;       /* the callback fails */
};

static int setup(void **state)
{
    struct net_server *server = *state;
    struct seen *seen = xcalloc(1, sizeof(*seen));

    net_init(&seen->net, server);
    seen->net.app.streams = streams_new(&seen->net.app);
    buf_init(&seen->got, 16 * 1024 * 1024);
    *state = seen;
    return 0;
}

static int teardown(void **state)
{
    struct seen *seen = *state;
    struct net_server *server = seen->net.server;

    streams_sweep(&seen->net.bot);
    turn_finish(seen->net.app.turn);
    streams_free(seen->net.app.streams);
    net_clear(&seen->net);
    buf_clear(&seen->got);
    free(seen);
    *state = server;
    return 0;
}

static int say(struct seen *seen, const char *text)
{
    return streams_write(seen->stream, text, strlen(text));
}

static void on_opened(void *arg, const char *how)
{
    struct seen *seen = arg;

    seen->opened++;
    snprintf(seen->how, sizeof(seen->how), "%s", how);
    if (seen->say) {
        assert_int_equal(say(seen, seen->say), HR_OK);
    }
    if (seen->close_in_opened) {
        streams_close(seen->stream);
    }
}

static void on_data(void *arg, const char *bytes, size_t len)
{
    struct seen *seen = arg;

    assert_int_equal(seen->net.app.depth, 1);
    assert_true(len > 0 && len <= 64 * 1024);
    assert_int_equal(seen->closed, 0);
    seen->chunks++;
    assert_int_equal(buf_add(&seen->got, bytes, len), HR_OK);
    for (size_t i = 0; i < len; i++) {
        seen->lines += bytes[i] == '\n';
    }
    if (seen->close_in_data) {
        streams_close(seen->stream);
        seen->close_in_data = false;
    }
    if (seen->sweep_in_data) {
        streams_sweep(&seen->net.bot);
    }
}

static void on_closed(void *arg, int status, const char *reason)
{
    struct seen *seen = arg;

    seen->closed++;
    seen->status = status;
    snprintf(seen->reason, sizeof(seen->reason), "%s", reason);
    if (seen->close_in_closed) {
        streams_close(seen->stream);
    }
    seen->stream = NULL;
}

static const struct hr_stream_calls CALLS = {.opened = on_opened, .data = on_data, .closed = on_closed};

static struct hr_stream_target target_of(struct seen *seen, const char *door)
{
    static char ca_file[128];

    snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", seen->net.server->dir);
    return (struct hr_stream_target){.size = sizeof(struct hr_stream_target), .host = "localhost",
                                     .port = net_port(&seen->net, door), .ca_file = ca_file};
}

static void open_target(struct seen *seen, const struct hr_stream_target *target)
{
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, target, &CALLS, seen, &seen->stream), HR_OK);
}

static void open_door(struct seen *seen, const char *door, bool plain)
{
    struct hr_stream_target target = target_of(seen, door);

    target.plain = plain;
    open_target(seen, &target);
}

static void expect_closed(struct seen *seen, int status, const char *words)
{
    net_until(&seen->net, &seen->closed, 1);
    if (!strstr(seen->reason, words)) {
        fail_msg("\"%s\" is not in \"%s\"", words, seen->reason);
    }
    assert_int_equal(seen->status, status);
}

static void expect_refused(void **state, const char *door, int status, const char *words)
{
    struct seen *seen = *state;

    open_door(seen, door, false);
    expect_closed(seen, status, words);
    assert_int_equal(seen->opened, 0);
}

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

    target.connect_timeout_ms = 300;
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
        assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream), HR_EINVAL);
    }
    target.host = "localhost";
    target.port = 65536;
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream), HR_EINVAL);
    target.size = 0;
    assert_int_equal(streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, &stream), HR_EINVAL);
    assert_null(stream);
}

/* ---- bytes ----------------------------------------------------------------------------- */

static void a_flood_comes_whole_and_in_order(void **state)
{
    struct seen *seen = *state;

    seen->say = "flood 4000\necho end\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->lines, 4001);
    assert_int_equal(seen->got.len, 4000 * 1024 + 4);
    assert_string_equal(seen->got.ptr + 4000 * 1024, "end\n");
    assert_true(seen->chunks < 4000); /* records are joined, not handed on one by one */
}

static void a_line_byte_by_byte_arrives(void **state)
{
    struct seen *seen = *state;

    seen->say = "slow drip drip\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(buf_str(&seen->got), "drip drip\n");
}

static void a_server_that_closes_in_the_middle_of_a_line_is_reported_after_its_bytes(void **state)
{
    struct seen *seen = *state;

    seen->say = "half\n";
    seen->close_in_closed = true;
    open_door(seen, "tls_good", false);
    expect_closed(seen, HR_ERETRY, "localhost closed the connection");
    assert_string_equal(buf_str(&seen->got), "half a li");
    assert_int_equal(seen->closed, 1);
}

static void a_reset_connection_is_reported(void **state)
{
    struct seen *seen = *state;

    seen->say = "reset\n";
    open_door(seen, "lines", true);
    expect_closed(seen, HR_ERETRY, "broke");
}

static void last_words_are_read_although_we_still_write(void **state)
{
    struct seen *seen = *state;

    seen->say = "last\n";
    open_door(seen, "lines", true);
    net_until(&seen->net, &seen->opened, 1);
    turn_finish(seen->net.app.turn);
    while (seen->stream && say(seen, "echo into the void\n") == HR_OK && seen->closed == 0) {
        turn_finish(seen->net.app.turn);
        uv_run(&seen->net.loop, UV_RUN_ONCE);
    }
    net_until(&seen->net, &seen->closed, 1);
    assert_string_equal(buf_str(&seen->got), "ERROR :last words\n");
}

static void bytes_before_opened_and_after_closed_are_refused(void **state)
{
    struct seen *seen = *state;

    open_door(seen, "tls_good", false);
    assert_int_equal(say(seen, "echo early\n"), HR_EINVAL);
    net_until(&seen->net, &seen->opened, 1);
    assert_int_equal(say(seen, "half\n"), HR_OK);
    net_until(&seen->net, &seen->closed, 1);
}

static void a_peer_that_does_not_read_fills_one_mebibyte_and_no_more(void **state)
{
    struct seen *seen = *state;
    static char block[64 * 1024];
    int status = HR_OK, sent = 0;

    memset(block, 'b', sizeof(block));
    seen->say = "deaf\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->opened, 1);
    while (status == HR_OK && sent < 1000) {
        status = streams_write(seen->stream, block, sizeof(block));
        turn_finish(seen->net.app.turn);
        uv_run(&seen->net.loop, UV_RUN_NOWAIT);
        sent++;
    }
    assert_int_equal(status, HR_ELIMIT);
    assert_int_equal(seen->closed, 0);
}

/* ---- turns ------------------------------------------------------------------------------- */

static void bytes_leave_after_the_commit_and_undone_ones_never(void **state)
{
    struct seen *seen = *state;
    struct turn *turn = seen->net.app.turn;

    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->opened, 1);
    turn_enter(turn);
    assert_int_equal(say(seen, "echo one\n"), HR_OK);
    turn_leave(turn, true);
    turn_enter(turn);
    assert_int_equal(say(seen, "echo two\n"), HR_OK);
    turn_leave(turn, false);
    turn_enter(turn);
    assert_int_equal(say(seen, "echo three\n"), HR_OK);
    turn_leave(turn, true);
    net_until(&seen->net, &seen->lines, 2);
    assert_string_equal(buf_str(&seen->got), "one\nthree\n");
}

static void a_connection_asked_for_in_an_undone_step_is_told_as_closed(void **state)
{
    struct seen *seen = *state;

    turn_enter(seen->net.app.turn);
    open_door(seen, "tls_good", false);
    turn_leave(seen->net.app.turn, false);
    assert_int_equal(seen->closed, 0);
    expect_closed(seen, HR_ERETRY, "failed");
    assert_int_equal(seen->opened, 0);
}

/* ---- closing -------------------------------------------------------------------------------- */

static int quit_bytes(struct seen *seen)
{
    int before = seen->lines;

    seen->say = "seen\n";
    open_door(seen, "lines", true);
    net_until(&seen->net, &seen->lines, before + 1);
    streams_close(seen->stream);
    return (int)strtol(buf_str(&seen->got), NULL, 10);
}

static void close_flushes_what_was_written(void **state)
{
    struct seen *seen = *state;
    static char block[300 * 1024];
    int known, tries = 0;

    memset(block, 'q', sizeof(block));
    block[sizeof(block) - 1] = '\n';
    seen->say = "flood 200\n"; /* unread bytes on our side must not turn the end into a reset */
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->opened, 1);
    assert_int_equal(streams_write(seen->stream, block, sizeof(block)), HR_OK);
    assert_int_equal(say(seen, "QUIT\n"), HR_OK);
    streams_close(seen->stream);
    buf_reset(&seen->got);
    do {
        buf_reset(&seen->got);
        known = quit_bytes(seen);
        net_pause(&seen->net, 20);
    } while (known == 0 && tries++ < 100);
    assert_int_equal(known, sizeof(block) + strlen("flood 200\nQUIT\n"));
    assert_int_equal(seen->closed, 0);
}

static void nothing_is_called_after_close_at_any_stage(void **state)
{
    struct seen *seen = *state;

    for (int stage = 0; stage < 8; stage++) {
        open_door(seen, "tls_good", false);
        for (int turn = 0; turn < stage; turn++) {
            uv_run(&seen->net.loop, UV_RUN_ONCE);
        }
        streams_close(seen->stream);
        seen->opened = 0;
        net_pause(&seen->net, 20);
        assert_int_equal(seen->opened + seen->chunks + seen->closed, 0);
    }
    streams_close(NULL);
}

static void a_stream_is_closed_inside_its_own_callbacks(void **state)
{
    struct seen *seen = *state;

    seen->close_in_opened = true;
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->opened, 1);
    seen->close_in_opened = false;
    seen->close_in_data = true;
    seen->say = "flood 500\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->chunks, 1);
    net_pause(&seen->net, 50);
    assert_int_equal(seen->chunks, 1);
    assert_int_equal(seen->closed, 0);
}

static void a_sweep_ends_every_stream_of_the_owner(void **state)
{
    struct seen *seen = *state;

    seen->sweep_in_data = true;
    open_door(seen, "silent", false);
    open_door(seen, "lines", true);
    net_until(&seen->net, &seen->opened, 1);
    seen->say = "echo x\n";
    open_door(seen, "tls_good", false);
    net_until(&seen->net, &seen->chunks, 1);
    net_pause(&seen->net, 50);
    assert_int_equal(seen->chunks, 1);
    assert_int_equal(seen->closed, 0);
    assert_null(seen->net.bot.streams);
}

static void an_owner_has_a_ceiling(void **state)
{
    struct seen *seen = *state;
    struct hr_stream_target target = target_of(seen, "silent");
    int status = HR_OK, count = 0;

    while (status == HR_OK && count < 1000) {
        status = streams_open(seen->net.app.streams, &seen->net.bot, &target, &CALLS, seen, NULL);
        count++;
    }
    assert_int_equal(status, HR_ELIMIT);
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
        TEST(a_flood_comes_whole_and_in_order),
        TEST(a_line_byte_by_byte_arrives),
        TEST(a_server_that_closes_in_the_middle_of_a_line_is_reported_after_its_bytes),
        TEST(a_reset_connection_is_reported),
        TEST(last_words_are_read_although_we_still_write),
        TEST(bytes_before_opened_and_after_closed_are_refused),
        TEST(a_peer_that_does_not_read_fills_one_mebibyte_and_no_more),
        TEST(bytes_leave_after_the_commit_and_undone_ones_never),
        TEST(a_connection_asked_for_in_an_undone_step_is_told_as_closed),
        TEST(close_flushes_what_was_written),
        TEST(nothing_is_called_after_close_at_any_stage),
        TEST(a_stream_is_closed_inside_its_own_callbacks),
        TEST(a_sweep_ends_every_stream_of_the_owner),
        TEST(an_owner_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, net_server_start, net_server_stop);
}
