/* SPDX-License-Identifier: MIT */
/* Logging in, the long poll, gaps, what happens when the server errs. */
#include "matrix_test.h"

/* ---- login ---------------------------------------------------------------------------------- */

static void the_password_goes_in_the_body_and_the_token_in_a_header_only(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    const struct fake_record *login = fake_last(world->fake, FAKE_HTTP);
    assert_ptr_equal(strstr(login->text,
                            "{\"type\":\"m.login.password\",\"identifier\":{\"type\":\"m.id.user\",\"user\":\"" BOT
                            "\"},\"password\":\"secret words\",\"initial_device_display_name\":\"hashroom\","
                            "\"device_id\":\""),
                     login->text);
    assert_non_null(strstr(login->text, "\",\"refresh_token\":true}"));
    assert_null(strstr(login->headers, "Authorization"));
    answer(world, "POST http://127.0.0.1:8008/_matrix/client/v3/login", 200,
           "{\"user_id\":\"" BOT "\",\"access_token\":\"tok1\",\"device_id\":\"DEV\"}");
    const struct fake_record *sync = fake_last(world->fake, FAKE_HTTP);
    assert_non_null(strstr(sync->headers, "Authorization: Bearer tok1\n"));
    assert_non_null(strstr(sync->url, "set_presence=offline"));
    for (size_t i = 0; i < fake_count(world->fake, FAKE_LOG); i++) {
        assert_null(strstr(fake_nth(world->fake, FAKE_LOG, i)->text, "tok1"));
        assert_null(strstr(fake_nth(world->fake, FAKE_LOG, i)->text, "secret"));
    }
    for (size_t i = 0; i < fake_count(world->fake, FAKE_HTTP); i++) {
        assert_null(strstr(fake_nth(world->fake, FAKE_HTTP, i)->url, "tok1"));
    }
    world_free(world);
}

static void a_wrong_password_is_told_once_and_not_tried_again(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "/v3/login", 403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"Invalid username or password\"}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "password_file"));
    size_t requests = fake_count(world->fake, FAKE_HTTP);
    fake_pass(world->fake, 3600000);
    assert_int_equal(fake_count(world->fake, FAKE_HTTP), requests);
    world_free(world);
}

static void a_silent_server_is_tried_again_at_the_login(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    for (int i = 0; i < 3; i++) {
        const struct hr_reply reply = {
            .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "refused"};
        fake_reply_full(world->fake, fake_request(world->fake, "/v3/login"), &reply);
        assert_null(fake_request(world->fake, "/v3/login"));
        fake_pass(world->fake, 10000);
    }
    assert_non_null(fake_request(world->fake, "/v3/login"));
    world_free(world);
}

static void a_restart_uses_the_stored_token_and_goes_on_where_it_stood(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    fake_stop(world->fake);
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_null(fake_request(world->fake, "/v3/login"));
    take_keys(world);
    assert_non_null(fake_request(world->fake, "full_state=true&since=s2&"));
    sync_events(world, TEXT("$1", ASHA, "one") "," TEXT("$2", ASHA, "two"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    assert_string_equal(last_post(world)->text, "two");
    world_free(world);
}

static void a_token_is_checked_and_must_be_the_users(void **state)
{
    (void)state;
    for (int right = 0; right < 2; right++) {
        struct world *world = world_new(ROOM);
        fake_option(world->fake, "password_file", "");
        fake_option(world->fake, "token_file", " tok9\n");
        assert_int_equal(fake_start(world->fake), HR_OK);
        assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok9\n"));
        answer(world, "/v3/account/whoami", 200, "{\"user_id\":\"%s\",\"device_id\":\"D\"}", right ? BOT : ASHA);
        assert_int_equal(fake_request(world->fake, "/v3/sync") != NULL, right);
        world_free(world);
    }
}

static void a_session_that_ended_softly_is_opened_again_on_the_same_device(void **state)
{
    (void)state;
    struct world *world = world_open();
    answer(world, "/v3/sync", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"expired\",\"soft_logout\":true}");
    fake_pass(world->fake, 0);
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "\"device_id\":\"DEV\""));
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok2\",\"device_id\":\"DEV\"}");
    assert_non_null(fake_request(world->fake, "since=s1"));
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok2\n"));
    sync_events(world, TEXT("$1", ASHA, "again"));
    assert_string_equal(last_post(world)->text, "again");
    world_free(world);
}

static void a_session_that_keeps_ending_is_not_opened_in_a_circle(void **state)
{
    (void)state;
    struct world *world = world_open();
    size_t logins = 0;
    for (int i = 0; i < 200; i++) {
        if (fake_request(world->fake, "/v3/login") != NULL) {
            logins++;
            answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"t\",\"device_id\":\"DEV\"}");
        } else if (fake_request(world->fake, "/v3/sync") != NULL) {
            answer(world, "/v3/sync", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"soft_logout\":true}");
        }
        fake_pass(world->fake, 500);
    }
    assert_in_range(logins, 1, 15);
    world_free(world);
}

static void a_dead_token_without_password_stops_in_plain_words(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "password_file", "");
    fake_option(world->fake, "token_file", "tok9");
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "/v3/account/whoami", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"no\"}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "token_file"));
    assert_int_equal(fake_timers(world->fake), 0);
    world_free(world);
}

/* ---- the long poll --------------------------------------------------------------------------------- */

static void the_place_is_saved_in_the_same_callback_as_the_messages(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    assert_int_equal(fake_number(world->fake, "SELECT since = 's2' FROM matrix_account"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT last_event = '$1' FROM matrix_room"), 1);
    assert_non_null(fake_request(world->fake, "timeout=30000&since=s2"));
    world_free(world);
}

static void the_next_try_comes_when_it_is_said_to(void **state)
{
    (void)state;
    struct world *world = world_open();
    answer(world, "/v3/sync", 502, "bad");
    for (int i = 0; i < 10; i++) {
        fake_pass(world->fake, 30000);
        answer(world, "/v3/sync", 502, "bad"); /* it was asked for */
        assert_non_null(strstr(fake_last(world->fake, FAKE_DOWN)->text, "; it is tried again within half a minute"));
    }
    fake_pass(world->fake, 30000);
    answer(world, "/v3/sync", 429, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":50000}");
    assert_non_null(strstr(fake_last(world->fake, FAKE_DOWN)->text, "; it is tried again in a minute"));
    fake_pass(world->fake, 50000);
    answer(world, "/v3/sync", 429, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":300000}");
    assert_non_null(strstr(fake_last(world->fake, FAKE_DOWN)->text, "; it is tried again in 5 minutes"));
    fake_pass(world->fake, 299000);
    assert_null(fake_request(world->fake, "/v3/sync"));
    fake_pass(world->fake, 1000);
    assert_non_null(fake_request(world->fake, "/v3/sync"));
    world_free(world);
}

static void echoes_alone_are_no_reason_to_write(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$own", BOT, "said by us"));
    assert_non_null(fake_request(world->fake, "since=s2"));
    assert_int_equal(fake_number(world->fake, "SELECT since = 's1' FROM matrix_account"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT last_event = '$old' FROM matrix_room"), 1);
    fake_pass(world->fake, 5000); /* nor is it put off for ever */
    assert_int_equal(fake_number(world->fake, "SELECT since = 's2' FROM matrix_account"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT last_event = '$own' FROM matrix_room"), 1);
    sync_events(world, TEXT("$own2", BOT, "and again"));
    sync_events(world, TEXT("$1", ASHA, "one"));
    assert_int_equal(fake_number(world->fake, "SELECT since = 's4' FROM matrix_account"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT last_event = '$1' FROM matrix_room"), 1);
    world_free(world);
}

static void failures_back_off_and_one_is_no_news(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_forget(world->fake);
    answer(world, "/v3/sync", 502, "<html>bad gateway</html>");
    assert_int_equal(fake_count(world->fake, FAKE_DOWN), 0);
    int64_t first = fake_next_timer_ms(world->fake);
    fake_pass(world->fake, 2000);
    answer(world, "/v3/sync", 502, "bad");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "502"));
    int64_t before = fake_next_timer_ms(world->fake);
    assert_true(first > 0 && before > 0);
    for (int i = 0; i < 10; i++) {
        fake_pass(world->fake, 24001); /* the longest pause, whatever the dice say */
        answer(world, "/v3/sync", 500, "{}");
    }
    fake_pass(world->fake, 24001);
    assert_non_null(fake_request(world->fake, "timeout=0")); /* a long poll would say nothing for half a minute */
    sync_events(world, TEXT("$1", ASHA, "back"));
    assert_non_null(fake_last(world->fake, FAKE_UP));
    assert_non_null(fake_request(world->fake, "timeout=30000"));
    assert_string_equal(last_post(world)->text, "back");
    world_free(world);
}

static void a_reply_that_is_no_sync_reply_is_asked_for_again(void **state)
{
    (void)state;
    struct world *world = world_open();
    static const char *const bodies[] = {"",     "[]", "{\"rooms\":{}}", "{\"next_batch\":5}", "{\"next_batch\":\"x",
                                         "hello"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        answer(world, "/v3/sync", 200, "%s", bodies[i]);
        assert_non_null(fake_with(world->fake, 0, "not one of a Matrix server"));
        fake_pass(world->fake, 90001);
    }
    world_free(world);
}

static void a_reply_too_big_is_asked_for_in_a_smaller_size(void **state)
{
    (void)state;
    struct world *world = world_open();
    const struct hr_reply reply = {.status = HR_ELIMIT, .retry_ms = -1, .body = "", .headers = "", .error = "too big"};
    assert_non_null(fake_request(world->fake, "%22limit%22%3A50"));
    fake_reply_full(world->fake, fake_request(world->fake, "/v3/sync"), &reply);
    fake_pass(world->fake, 90001);
    assert_non_null(fake_request(world->fake, "%22limit%22%3A1%2C"));
    sync_events(world, TEXT("$1", ASHA, "small"));
    assert_non_null(fake_request(world->fake, "%22limit%22%3A50"));
    world_free(world);
}

static void a_pause_the_server_asks_for_is_kept(void **state)
{
    (void)state;
    struct world *world = world_open();
    answer(world, "/v3/sync", 429, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":20000}");
    fake_pass(world->fake, 19999);
    assert_null(fake_request(world->fake, "/v3/sync"));
    fake_pass(world->fake, 2);
    assert_non_null(fake_request(world->fake, "/v3/sync"));
    world_free(world);
}

/* ---- gaps ----------------------------------------------------------------------------------------------- */

static void limited(struct world *world, const char *events, const char *prev)
{
    answer(world, "/v3/sync", 200,
           "{\"next_batch\":\"s%d\",\"rooms\":{\"join\":{\"" ROOM "\":{\"timeline\":{\"events\":[%s],"
           "\"limited\":true,\"prev_batch\":\"%s\"}}}}}",
           ++world->syncs, events, prev);
}

static void a_limited_timeline_is_filled_back_in_order(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    limited(world, TEXT("$5", ASHA, "five"), "p5");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    assert_int_equal(fake_number(world->fake, "SELECT since = 's2' FROM matrix_account"), 1);
    assert_non_null(fake_request(world->fake, "/messages?dir=b&limit=100&from=p5&to=s2&"));
    answer(world, "/messages?", 200,
           "{\"start\":\"p5\",\"end\":\"p3\",\"chunk\":[" TEXT("$4", BEN, "four") "," TEXT("$3", ASHA, "three") "]}");
    answer(world, "from=p3", 200,
           "{\"start\":\"p3\",\"end\":\"p1\",\"chunk\":[" TEXT("$2", BEN, "two") "," TEXT("$1", ASHA, "one") "," TEXT(
               "$0", ASHA, "zero") "]}");
    static const char *const texts[] = {"one", "two", "three", "four", "five"};
    assert_int_equal(fake_count(world->fake, FAKE_POST), 5);
    for (size_t i = 0; i < 5; i++) {
        const struct fake_record *post = fake_nth(world->fake, FAKE_POST, i);
        assert_string_equal(post->text, texts[i]);
        assert_int_equal(post->flags, HR_MSG_WEAK | (i > 0 && i < 4 ? HR_MSG_HISTORY : 0));
    }
    assert_int_equal(fake_number(world->fake, "SELECT since = 's3' FROM matrix_account"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT last_event = '$5' FROM matrix_room"), 1);
    world_free(world);
}

static void a_gap_ends_at_its_cap_and_says_so(void **state)
{
    (void)state;
    struct world *world = world_open();
    limited(world, TEXT("$new", ASHA, "new"), "p0");
    int pages = 0;
    for (; pages < 50 && fake_request(world->fake, "/messages?") != NULL; pages++) {
        char *chunk = calloc(100, 300);
        size_t at = 0;
        assert_non_null(chunk);
        for (int i = 0; i < 100; i++) {
            at += (size_t)snprintf(chunk + at, 300, "%s" TEXT("$g%d", BEN, "gap"), i == 0 ? "" : ",", pages * 100 + i);
        }
        answer(world, "/messages?", 200, "{\"end\":\"p%d\",\"chunk\":[%s]}", pages + 1, chunk);
        free(chunk);
    }
    assert_int_equal(pages, 11);
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1001);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "older ones are left out"));
    assert_int_equal(fake_count(world->fake, FAKE_SAY), 1);
    assert_non_null(strstr(fake_last(world->fake, FAKE_SAY)->text, "Older ones do not."));
    assert_int_equal(fake_last(world->fake, FAKE_SAY)->room, world->room);
    world_free(world);
}

static void many_rooms_with_gaps_are_filled_one_after_the_other(void **state)
{
    (void)state;
    enum { ROOMS = 150 };
    struct world *world = world_new(ROOM);
    char *rooms = calloc(ROOMS, 400);
    size_t at = 0;
    assert_non_null(rooms);
    for (int i = 0; i < ROOMS; i++) {
        char id[40];
        (void)snprintf(id, sizeof(id), "!r%d:hs.test", i);
        if (i < FAKE_ROOMS_MAX - 1) { /* the others are private ones */
            (void)fake_room(world->fake, "home", id, "Matrix", "dpulo", HR_ROOM_PEOPLE);
        }
    }
    log_in(world);
    for (int i = FAKE_ROOMS_MAX - 1; i < ROOMS; i++) {
        char *sql = NULL;
        assert_true(asprintf(&sql,
                             "INSERT INTO matrix_room(instance, address, room_id, last_event, private)"
                             " VALUES('home', '!r%d:hs.test', '!r%d:hs.test', '$k', 1)",
                             i, i) > 0);
        assert_int_equal(fake_sql(world->fake, sql), HR_OK);
        free(sql);
    }
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    for (int round = 0; round < 2; round++) {
        at = 0;
        for (int i = 0; i < ROOMS; i++) {
            at += (size_t)snprintf(rooms + at, 400,
                                   "%s\"!r%d:hs.test\":{\"timeline\":{\"events\":[" TEXT(
                                       "$e%d-%d", ASHA, "new %d") "],\"limited\":%s,\"prev_batch\":\"p%d\"}}",
                                   i == 0 ? "" : ",", i, round, i, i, round == 0 ? "false" : "true", i);
        }
        answer(world, "/v3/sync", 200, "{\"next_batch\":\"r%d\",\"rooms\":{\"join\":{%s}}}", round, rooms);
    }
    free(rooms);
    size_t before = fake_count(world->fake, FAKE_POST);
    for (int i = 0; i < ROOMS; i++) {
        assert_non_null(fake_request(world->fake, "/messages?"));
        answer(world, "/messages?", 200, "{\"chunk\":[" TEXT("$g%d", BEN, "gap") "]}", i);
    }
    assert_null(fake_request(world->fake, "/messages?"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), before + 2 * ROOMS);
    world_free(world);
}

static void a_gap_that_cannot_be_fetched_does_not_stop_the_room(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct world *world = world_open();
        limited(world, TEXT("$5", ASHA, "five"), "p5");
        for (int i = 0; i < 10 && fake_request(world->fake, "/messages?") != NULL; i++) {
            answer(world, "/messages?", way == 0 ? 403 : 500, "{}");
            fake_pass(world->fake, 90001);
        }
        assert_string_equal(last_post(world)->text, "five");
        assert_non_null(fake_with(world->fake, FAKE_LOG, "some are left out"));
        assert_non_null(strstr(fake_last(world->fake, FAKE_SAY)->text, "in the meantime do not reach"));
        world_free(world);
    }
}

static void the_session_ending_in_a_gap_loses_nothing(void **state)
{
    (void)state;
    struct world *world = world_open();
    limited(world, TEXT("$5", ASHA, "five"), "p5");
    answer(world, "/messages?", 401, "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"soft_logout\":true}");
    fake_pass(world->fake, 0);
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok2\",\"device_id\":\"DEV\"}");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 0);
    assert_non_null(fake_request(world->fake, "since=s1"));
    limited(world, TEXT("$5", ASHA, "five"), "p5");
    answer(world, "/messages?", 200, "{\"chunk\":[" TEXT("$4", BEN, "four") "]}");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 2);
    world_free(world);
}

static void a_place_the_server_forgot_is_found_again_by_the_last_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    answer(world, "/v3/sync", 400, "{\"errcode\":\"M_UNKNOWN\",\"error\":\"Invalid stream token\"}");
    assert_null(fake_request(world->fake, "since="));
    sync_events(world, TEXT("$0", ASHA, "long ago") "," TEXT("$1", ASHA, "one") "," TEXT("$2", BEN, "two"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 2);
    assert_string_equal(last_post(world)->text, "two");
    assert_int_equal(last_post(world)->flags, HR_MSG_HISTORY | HR_MSG_WEAK);
    sync_events(world, TEXT("$3", BEN, "three"));
    assert_int_equal(last_post(world)->flags, HR_MSG_WEAK);
    world_free(world);
}

static void a_place_the_server_forgot_with_a_gap_is_filled_to_the_last_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one"));
    answer(world, "/v3/sync", 400, "{\"errcode\":\"M_UNKNOWN\"}");
    limited(world, TEXT("$4", ASHA, "four"), "p4");
    assert_non_null(fake_request(world->fake, "from=p4&filter"));
    answer(world, "/messages?", 200,
           "{\"end\":\"p0\",\"chunk\":[" TEXT("$3", BEN, "three") "," TEXT("$2", BEN, "two") "," TEXT(
               "$1", ASHA, "one") "," TEXT("$0", ASHA, "long ago") "]}");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 4);
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 1)->text, "two");
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 3)->text, "four");
    assert_int_equal(fake_nth(world->fake, FAKE_POST, 3)->flags, HR_MSG_HISTORY | HR_MSG_WEAK);
    world_free(world);
}

static void stopping_with_everything_under_way_is_clean(void **state)
{
    (void)state;
    struct world *world = world_open();
    limited(world, TEXT("$5", ASHA, "five"), "p5");
    assert_int_equal(fake_send(world->fake, 7, world->room, "{\"type\":\"m.room.message\",\"content\":{}}"), HR_OK);
    fake_stop(world->fake);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_goes_in_the_body_and_the_token_in_a_header_only),
        cmocka_unit_test(a_wrong_password_is_told_once_and_not_tried_again),
        cmocka_unit_test(a_silent_server_is_tried_again_at_the_login),
        cmocka_unit_test(a_restart_uses_the_stored_token_and_goes_on_where_it_stood),
        cmocka_unit_test(a_token_is_checked_and_must_be_the_users),
        cmocka_unit_test(a_session_that_ended_softly_is_opened_again_on_the_same_device),
        cmocka_unit_test(a_session_that_keeps_ending_is_not_opened_in_a_circle),
        cmocka_unit_test(a_dead_token_without_password_stops_in_plain_words),
        cmocka_unit_test(the_place_is_saved_in_the_same_callback_as_the_messages),
        cmocka_unit_test(failures_back_off_and_one_is_no_news),
        cmocka_unit_test(the_next_try_comes_when_it_is_said_to),
        cmocka_unit_test(a_reply_that_is_no_sync_reply_is_asked_for_again),
        cmocka_unit_test(a_reply_too_big_is_asked_for_in_a_smaller_size),
        cmocka_unit_test(a_pause_the_server_asks_for_is_kept),
        cmocka_unit_test(a_limited_timeline_is_filled_back_in_order),
        cmocka_unit_test(a_gap_ends_at_its_cap_and_says_so),
        cmocka_unit_test(many_rooms_with_gaps_are_filled_one_after_the_other),
        cmocka_unit_test(a_gap_that_cannot_be_fetched_does_not_stop_the_room),
        cmocka_unit_test(echoes_alone_are_no_reason_to_write),
        cmocka_unit_test(the_session_ending_in_a_gap_loses_nothing),
        cmocka_unit_test(a_place_the_server_forgot_is_found_again_by_the_last_event),
        cmocka_unit_test(a_place_the_server_forgot_with_a_gap_is_filled_to_the_last_event),
        cmocka_unit_test(stopping_with_everything_under_way_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
