/* SPDX-License-Identifier: MIT */
/* Byte streams: order and ceilings of bytes, turns, closing at every stage. */
#include "stream_seen.h"

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
