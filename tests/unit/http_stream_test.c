/* SPDX-License-Identifier: MIT */
/* HTTP: streamed replies, cancelling at every stage, many at once, undone steps. */
#include "http_seen.h"

/* ---- streams ---------------------------------------------------------------------------------- */

static struct hr_http stream_of(struct seen *seen, const char *path)
{
    struct hr_http http = get_of(seen, "https_good", path);

    http.data = on_data;
    http.opened = on_opened;
    http.timeout_ms = -1;
    return http;
}

static void a_dripping_stream_comes_piece_by_piece(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "drip/5/30");

    expect(fetch(seen, &http), HR_OK, "");
    assert_int_equal(seen->one.opened, 1);
    assert_int_equal(seen->one.pieces, 5);
    assert_string_equal(buf_str(&seen->one.body), "piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n");
}

static void a_stream_is_opened_before_its_first_byte(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "drip/1/1000000");

    assert_int_equal(start(seen, &seen->one, &http), HR_OK);
    net_until(&seen->net, &seen->one.opened, 1);
    assert_int_equal(seen->one.pieces, 0);
}

static void a_stream_may_be_longer_than_any_reply(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "chunked/300");

    http.max_reply_bytes = 1000;
    expect(fetch(seen, &http), HR_OK, "");
    assert_int_equal(seen->one.body.len, 300 * 0x4000);
}

static void a_refused_stream_is_collected_like_any_reply(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "status/429/60");

    fetch(seen, &http);
    assert_int_equal(seen->one.code, 429);
    assert_int_equal(seen->one.opened + seen->one.pieces, 0);
    assert_string_equal(buf_str(&seen->one.body), "told");
}

static void a_stalled_stream_tells_its_bytes_first(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "stall");

    http.stall_ms = 1000;
    expect(fetch(seen, &http), HR_ERETRY, "no byte came");
    assert_string_equal(buf_str(&seen->one.body), "some");
    assert_int_equal(seen->one.code, 200);
}

/* ---- cancelling ---------------------------------------------------------------------------------- */

static void nothing_is_called_after_cancel_at_any_stage(void **state)
{
    struct seen *seen = *state;

    for (int stage = 0; stage < 10; stage++) {
        struct hr_http http = stream_of(seen, "drip/3/1");

        seen->one.opened = seen->one.pieces = 0;
        assert_int_equal(start(seen, &seen->one, &http), HR_OK);
        for (int turn = 0; turn < stage && seen->one.calls == 0; turn++) {
            uv_run(&seen->net.loop, UV_RUN_ONCE);
        }
        if (seen->one.calls > 0) {
            break;
        }
        http_cancel(seen->one.request);
        seen->one.opened = seen->one.pieces = 0;
        net_pause(&seen->net, 30);
        assert_int_equal(seen->one.opened + seen->one.pieces + seen->one.calls, 0);
    }
    http_cancel(NULL);
}

static void a_request_is_cancelled_inside_its_own_callbacks(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "chunked/100");
    struct answer *answer = &seen->one;

    answer->cancel_in_opened = true;
    start(seen, answer, &http);
    net_until(&seen->net, &answer->opened, 1);
    net_pause(&seen->net, 20);
    assert_int_equal(answer->pieces + answer->calls, 0);
    answer->cancel_in_opened = false;
    answer->cancel_in_data = true;
    answer->opened = 0;
    start(seen, answer, &http);
    net_until(&seen->net, &answer->pieces, 1);
    net_pause(&seen->net, 20);
    assert_int_equal(answer->pieces, 1);
    assert_int_equal(answer->calls, 0);
    answer->cancel_in_data = false;
    answer->cancel_in_end = true;
    answer->opened = 0;
    http = get_of(seen, "http", "hello");
    fetch(seen, &http);
}

static void a_data_callback_that_fails_cancels(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = stream_of(seen, "chunked/10");

    seen->one.fail_in_data = true;
    log_level(HR_ERROR);
    start(seen, &seen->one, &http);
    net_until(&seen->net, &seen->one.pieces, 1);
    net_pause(&seen->net, 20);
    log_level(HR_INFO);
    assert_int_equal(seen->one.pieces, 1);
    assert_int_equal(seen->one.calls, 0);
}

static void eight_requests_run_at_once(void **state)
{
    struct seen *seen = *state;
    int64_t began_ms = clock_monotonic_ms();

    for (int i = 0; i < 8; i++) {
        struct hr_http http = get_of(seen, "https_good", "late/800");

        assert_int_equal(start(seen, &seen->all[i], &http), HR_OK);
    }
    net_until(&seen->net, &seen->calls, 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(seen->all[i].calls, 1);
        assert_string_equal(buf_str(&seen->all[i].body), "late");
    }
    assert_true(clock_monotonic_ms() - began_ms < 8 * 800);
}

static void a_sweep_while_all_run_ends_them_without_a_word(void **state)
{
    struct seen *seen = *state;
    const char *const paths[] = {"silent", "stall", "drip/1000/20", "late/500",
                                 "hello",  "half",  "big/100000",   "chunked/50"};

    for (int i = 0; i < 7; i++) {
        struct hr_http http = get_of(seen, i % 2 ? "https_good" : "http", paths[i]);

        assert_int_equal(start(seen, &seen->all[i], &http), HR_OK);
    }
    seen->all[7].sweep_in_data = true;
    struct hr_http http = stream_of(seen, paths[7]);
    assert_int_equal(start(seen, &seen->all[7], &http), HR_OK);
    net_until(&seen->net, &seen->all[7].pieces, 1);
    assert_null(seen->net.bot.requests);
    seen->calls = 0;
    net_pause(&seen->net, 50);
    assert_int_equal(seen->calls, 0);
    assert_int_equal(seen->all[7].pieces, 1);
}

/* ---- turns ---------------------------------------------------------------------------------------- */

static void a_request_of_an_undone_step_is_never_sent(void **state)
{
    struct seen *seen = *state;
    struct hr_http http = get_of(seen, "http", "post");
    char before[32];

    fetch_path(seen, "http", "count/post");
    snprintf(before, sizeof(before), "%s", buf_str(&seen->one.body));
    http.method = "POST";
    http.url = url_of(seen, "http", "post");
    seen->one.calls = 0;
    turn_enter(seen->net.app.turn);
    assert_int_equal(start(seen, &seen->one, &http), HR_OK);
    turn_leave(seen->net.app.turn, false);
    assert_int_equal(seen->one.calls, 0);
    net_until(&seen->net, &seen->one.calls, 1);
    assert_int_equal(seen->one.status, HR_ERETRY);
    assert_false(seen->one.sent);
    fetch_path(seen, "http", "count/post");
    assert_string_equal(buf_str(&seen->one.body), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dripping_stream_comes_piece_by_piece),
        TEST(a_stream_is_opened_before_its_first_byte),
        TEST(a_stream_may_be_longer_than_any_reply),
        TEST(a_refused_stream_is_collected_like_any_reply),
        TEST(a_stalled_stream_tells_its_bytes_first),
        TEST(nothing_is_called_after_cancel_at_any_stage),
        TEST(a_request_is_cancelled_inside_its_own_callbacks),
        TEST(a_data_callback_that_fails_cancels),
        TEST(eight_requests_run_at_once),
        TEST(a_sweep_while_all_run_ends_them_without_a_word),
        TEST(a_request_of_an_undone_step_is_never_sent),
    };

    return cmocka_run_group_tests(tests, net_server_start, net_server_stop);
}
