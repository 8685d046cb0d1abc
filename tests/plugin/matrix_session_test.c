/* SPDX-License-Identifier: MIT */
/* A session's life: tokens that end and are renewed, logouts, locked and deactivated accounts, proxies. */
#include "matrix_test.h"

#define SOFT "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"expired\",\"soft_logout\":true}"
#define HARD "{\"errcode\":\"M_UNKNOWN_TOKEN\",\"error\":\"no\"}"
#define PART "{\"type\":\"m.room.message\",\"content\":{}}"

/* As world_open(), with tokens that live for life_ms; 0: not told. */
static struct world *world_refreshable(int life_ms)
{
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "/v3/login", 200,
           "{\"user_id\":\"" BOT "\",\"access_token\":\"tok1\",\"refresh_token\":\"ref1\",\"device_id\":\"DEV\""
           ",\"expires_in_ms\":%d}",
           life_ms);
    sync_rooms(world, JOINED(ROOM, ""));
    return world;
}

static size_t waiting(struct world *world, const char *piece)
{
    size_t count = 0;
    for (size_t i = 0; i < fake_count(world->fake, FAKE_HTTP); i++) {
        const struct fake_record *record = fake_nth(world->fake, FAKE_HTTP, i);
        count += strstr(record->url, piece) != NULL;
    }
    return count;
}

static void restart(struct world *world)
{
    fake_stop(world->fake);
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
}

static void a_refused_token_is_renewed_once_and_all_requests_go_again(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
    answer(world, "/v3/sync", 401, SOFT);
    assert_string_equal(fake_last(world->fake, FAKE_HTTP)->text, "{\"refresh_token\":\"ref1\"}");
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Authorization"));
    answer(world, "PUT", 401, SOFT); /* went out before, comes back now */
    assert_int_equal(waiting(world, "/v3/refresh"), 1);
    assert_null(fake_request(world->fake, "/v3/sync"));
    answer(world, "/v3/refresh", 200,
           "{\"access_token\":\"tok2\",\"refresh_token\":\"ref2\",\"expires_in_ms\":300000}");
    assert_non_null(fake_request(world->fake, "/v3/sync"));
    assert_non_null(fake_request(world->fake, "PUT"));
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok2\n"));
    answer(world, "PUT", 200, "{\"event_id\":\"$new\"}");
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_OK);
    sync_events(world, TEXT("$1", ASHA, "still here"));
    assert_string_equal(last_post(world)->text, "still here");
    assert_int_equal(waiting(world, "/v3/login"), 1);
    world_free(world);
}

static void what_is_asked_for_meanwhile_waits_for_the_new_token(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    answer(world, "/v3/sync", 401, SOFT);
    assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
    assert_null(fake_request(world->fake, "PUT"));
    answer(world, "/v3/refresh", 200, "{\"access_token\":\"tok2\",\"refresh_token\":\"ref2\"}");
    assert_non_null(fake_request(world->fake, "PUT"));
    world_free(world);
}

static void a_token_is_renewed_before_its_end_also_after_a_restart(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    fake_pass(world->fake, 239999);
    assert_null(fake_request(world->fake, "/v3/refresh"));
    fake_pass(world->fake, 2);
    answer(world, "/v3/refresh", 200,
           "{\"access_token\":\"tok2\",\"refresh_token\":\"ref2\",\"expires_in_ms\":300000}");
    fake_stop(world->fake);
    fake_pass(world->fake, 300001);
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(fake_count(world->fake, FAKE_HTTP), 1); /* its end has passed: nothing goes with it */
    answer(world, "/v3/refresh", 200, "{\"access_token\":\"tok3\",\"expires_in_ms\":300000}");
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok3\n"));
    restart(world);
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok3\n"));
    fake_pass(world->fake, 240001);
    assert_string_equal(fake_last(world->fake, FAKE_HTTP)->text, "{\"refresh_token\":\"ref2\"}");
    world_free(world);
}

static void a_server_that_is_away_keeps_the_pair_and_is_asked_again(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    answer(world, "/v3/sync", 401, SOFT);
    assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
    for (int i = 0; i < 4; i++) {
        answer(world, "/v3/refresh", 502, "<html><body>Bad Gateway</body></html>");
        assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_ERETRY);
        fake_pass(world->fake, 90001);
        assert_string_equal(fake_last(world->fake, FAKE_HTTP)->text, "{\"refresh_token\":\"ref1\"}");
    }
    answer(world, "/v3/refresh", 200, "{\"access_token\":\"tok2\",\"refresh_token\":\"ref2\"}");
    fake_pass(world->fake, 90001);
    sync_events(world, TEXT("$1", ASHA, "again"));
    assert_string_equal(last_post(world)->text, "again");
    assert_int_equal(waiting(world, "/v3/login"), 1);
    world_free(world);
}

static void an_early_renewal_that_fails_stops_nobody(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    fake_pass(world->fake, 240001);
    assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
    answer(world, "/v3/refresh", 503, "{}");
    assert_non_null(fake_request(world->fake, "PUT")); /* the token lives for another minute */
    fake_pass(world->fake, 90001);
    assert_non_null(fake_request(world->fake, "/v3/refresh"));
    world_free(world);
}

static void a_refused_refresh_leads_to_the_password(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *body;
        bool same_device;
    } table[] = {{403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"used up\"}", true},
                 {401, SOFT, true},
                 {404, "{\"errcode\":\"M_UNRECOGNIZED\"}", true},
                 {401, HARD, false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_refreshable(0);
        answer(world, "/v3/sync", 401, SOFT);
        assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
        answer(world, "/v3/refresh", table[i].code, "%s", table[i].body);
        assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_ERETRY);
        fake_pass(world->fake, 90001);
        const struct fake_record *login = fake_last(world->fake, FAKE_HTTP);
        if (strstr(login->url, "/v3/login") == NULL) {
            fail_msg("case %zu: %s", i, login->url);
        }
        assert_int_equal(strstr(login->text, "\"device_id\":\"DEV\"") != NULL, table[i].same_device);
        world_free(world);
    }
}

static void a_hard_logout_makes_a_device_of_its_own_also_across_a_restart(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    fake_pass(world->fake, 1000);
    answer(world, "/v3/sync", 401, HARD);
    fake_pass(world->fake, 0);
    assert_null(fake_request(world->fake, "/v3/refresh"));
    assert_non_null(fake_request(world->fake, "/v3/login"));
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "\"DEV\""));
    assert_int_equal(fake_number(world->fake, "SELECT token = '' AND length(device) = 10 FROM matrix_account"), 1);
    fake_stop(world->fake); /* before the answer came */
    assert_int_equal(fake_start(world->fake), HR_OK);
    int64_t before = fake_number(world->fake, "SELECT device_since_ms FROM matrix_account");
    const char *at = strstr(fake_last(world->fake, FAKE_HTTP)->text, "\"device_id\":\"");
    assert_non_null(at);
    char id[11] = "";
    memcpy(id, at + strlen("\"device_id\":\""), 10);
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"t\",\"device_id\":\"%s\"}", id);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "is a new device"));
    assert_true(fake_number(world->fake, "SELECT device_since_ms FROM matrix_account") > before);
    world_free(world);
}

static void a_locked_account_waits_minutes_and_keeps_its_session(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    static const char *const locked = "{\"errcode\":\"M_USER_LOCKED\",\"error\":\"locked\",\"soft_logout\":true}";
    answer(world, "/v3/sync", 401, "%s", locked);
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "has locked the account " BOT));
    fake_pass(world->fake, 299999);
    assert_null(fake_request(world->fake, "/v3/sync"));
    fake_pass(world->fake, 2);
    assert_non_null(fake_request(world->fake, "/v3/sync"));
    assert_int_equal(fake_number(world->fake, "SELECT token <> '' FROM matrix_account"), 1);
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok1\n"));
    sync_events(world, TEXT("$1", ASHA, "unlocked"));
    assert_string_equal(last_post(world)->text, "unlocked");
    world_free(world);
}

static void a_deactivated_account_stops_in_one_line(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    answer(world, "/v3/sync", 401, HARD);
    fake_pass(world->fake, 0);
    answer(world, "/v3/login", 403, "{\"errcode\":\"M_USER_DEACTIVATED\",\"error\":\"gone\"}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "is deactivated"));
    fake_forget(world->fake);
    fake_pass(world->fake, 24 * 3600000);
    assert_int_equal(fake_count(world->fake, FAKE_HTTP) + fake_count(world->fake, FAKE_DOWN), 0);
    world_free(world);
}

static void a_proxy_that_answers_for_the_server_is_no_verdict(void **state)
{
    (void)state;
    static const int codes[] = {502, 404, 403, 200};
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    for (size_t i = 0; i < 4; i++) {
        answer(world, "/v3/login", codes[i], "<html><h1>Sorry</h1></html>");
        assert_non_null(fake_last(world->fake, FAKE_DOWN));
        fake_pass(world->fake, 90001);
    }
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok1\",\"device_id\":\"DEV\"}");
    sync_rooms(world, JOINED(ROOM, ""));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
        answer(world, "PUT", codes[i], "<html>");
        assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_ERETRY);
    }
    world_free(world);
}

static void a_visit_ends_with_a_logout_of_a_password_only(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    const struct hr_network *network = hashroom_plugin.network;
    assert_int_equal(network->farewell(fake_state(world->fake)), HR_ERETRY);
    assert_int_equal(network->farewell(fake_state(world->fake)), HR_ERETRY);
    assert_int_equal(waiting(world, "/v3/logout"), 1);
    assert_null(fake_request(world->fake, "/v3/sync"));
    answer(world, "POST http://127.0.0.1:8008/_matrix/client/v3/logout", 200, "{}");
    assert_int_equal(network->farewell(fake_state(world->fake)), HR_OK);
    fake_pass(world->fake, 600000);
    assert_null(fake_request(world->fake, "/v3/"));
    world_free(world);
    world = world_new(ROOM);
    fake_option(world->fake, "password_file", "");
    fake_option(world->fake, "token_file", "tok9");
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(network->farewell(fake_state(world->fake)), HR_OK);
    assert_int_equal(waiting(world, "/v3/logout"), 0);
    world_free(world);
}

/* ---- tokens at rest --------------------------------------------------------------------- */

#define PLAIN "SELECT count(*) FROM matrix_account WHERE instr(token, 'tok1') + instr(refresh, 'ref1') > 0"

/* It goes on with the pair that a server gave before. */
static void assert_goes_on(struct world *world)
{
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok1\n"));
    fake_pass(world->fake, 240001);
    assert_string_equal(fake_last(world->fake, FAKE_HTTP)->text, "{\"refresh_token\":\"ref1\"}");
    assert_null(fake_request(world->fake, "/v3/login"));
}

static void the_session_is_stored_sealed_and_found_again(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    assert_int_equal(fake_number(world->fake, PLAIN), 0);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_account WHERE sealed = 1 AND"
                                              " length(token) > 64 AND length(refresh) > 64 AND token <> refresh"),
                     1);
    restart(world);
    assert_goes_on(world);
    world_free(world);
}

static void a_session_stored_plain_is_sealed_before_anything_is_asked(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    fake_stop(world->fake);
    fake_sql(world->fake, "UPDATE matrix_account SET token = 'tok1', refresh = 'ref1', sealed = 0");
    assert_int_equal(fake_number(world->fake, PLAIN), 1);
    fake_option(world->fake, "homeserver", "hs.test"); /* has to be looked up first */
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(fake_number(world->fake, PLAIN), 0);
    assert_int_equal(fake_number(world->fake, "SELECT sealed FROM matrix_account"), 1);
    fake_option(world->fake, "homeserver", "http://127.0.0.1:8008");
    restart(world);
    assert_goes_on(world);
    world_free(world);
}

static void a_login_that_never_came_is_no_secret_to_seal(void **state)
{
    (void)state;
    struct world *world = world_refreshable(0);
    fake_stop(world->fake);
    fake_sql(world->fake, "UPDATE matrix_account SET token = '', refresh = NULL, sealed = 0");
    restart(world);
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "\"device_id\":\"DEV\""));
    assert_int_equal(fake_number(world->fake, "SELECT token = '' AND refresh IS NULL FROM matrix_account"), 1);
    assert_null(fake_with(world->fake, FAKE_LOG, "given up"));
    world_free(world);
}

static void what_is_sealed_opens_only_whole_and_as_what_it_is(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "UPDATE matrix_account SET token = substr(token, 1, length(token) - 2)",
        "UPDATE matrix_account SET token = replace(token, 'mac\":\"', 'mac\":\"A')",
        "UPDATE matrix_account SET token = '{}'",
        "UPDATE matrix_account SET token = 'tok1'",
        "UPDATE matrix_account SET token = refresh",
        "UPDATE matrix_account SET refresh = token",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct world *world = world_refreshable(300000);
        fake_stop(world->fake);
        fake_sql(world->fake, broken[i]);
        fake_forget(world->fake);
        assert_int_equal(fake_start(world->fake), HR_OK);
        assert_non_null(fake_with(world->fake, FAKE_LOG, "encrypted with a store key that was given up"));
        const struct fake_record *login = fake_last(world->fake, FAKE_HTTP);
        assert_non_null(strstr(login->url, "/v3/login"));
        assert_non_null(strstr(login->text, "\"device_id\":\"DEV\"")); /* its keys can still be read */
        world_free(world);
    }
}

static void a_session_under_a_key_that_was_given_up_is_told_and_replaced(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    fake_key(world->fake, 2);
    restart(world);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "encrypted with a store key that was given up"));
    answer(world, "/v3/login", 200,
           "{\"user_id\":\"" BOT "\",\"access_token\":\"tok5\",\"refresh_token\":\"ref5\",\"device_id\":\"NEW\"}");
    restart(world);
    assert_null(fake_with(world->fake, FAKE_LOG, "given up"));
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->headers, "Bearer tok5\n"));
    world_free(world);
}

static void tokens_that_serve_nobody_any_more_are_erased(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    fake_sql(world->fake, "INSERT INTO matrix_account SELECT 'gone', homeserver, user, 'OTHER', 'plain', since,"
                          " device_since_ms, 'plain', 0, 0 FROM matrix_account");
    restart(world);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "\"gone\" is no longer in plugins/matrix.conf"));
    assert_int_equal(fake_number(world->fake, "SELECT token = '' AND refresh IS NULL AND device = 'OTHER' FROM"
                                              " matrix_account WHERE instance = 'gone'"),
                     1);
    restart(world); /* it is told once, and what is configured is kept */
    assert_null(fake_with(world->fake, FAKE_LOG, "is no longer in"));
    assert_goes_on(world);
    fake_stop(world->fake);
    fake_option(world->fake, "user", "@other:hs.test"); /* another account under the same name */
    fake_option(world->fake, "password_file", "");
    fake_option(world->fake, "token_file", "tok9");
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(fake_number(world->fake, "SELECT token = '' AND refresh IS NULL FROM matrix_account"
                                              " WHERE instance = 'home'"),
                     1);
    world_free(world);
}

static void stopping_while_requests_wait_is_clean(void **state)
{
    (void)state;
    struct world *world = world_refreshable(300000);
    answer(world, "/v3/sync", 401, SOFT);
    assert_int_equal(fake_send(world->fake, 7, world->room, PART), HR_OK);
    fake_stop(world->fake);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_token_is_renewed_once_and_all_requests_go_again),
        cmocka_unit_test(what_is_asked_for_meanwhile_waits_for_the_new_token),
        cmocka_unit_test(a_token_is_renewed_before_its_end_also_after_a_restart),
        cmocka_unit_test(a_server_that_is_away_keeps_the_pair_and_is_asked_again),
        cmocka_unit_test(an_early_renewal_that_fails_stops_nobody),
        cmocka_unit_test(a_refused_refresh_leads_to_the_password),
        cmocka_unit_test(a_hard_logout_makes_a_device_of_its_own_also_across_a_restart),
        cmocka_unit_test(a_locked_account_waits_minutes_and_keeps_its_session),
        cmocka_unit_test(a_deactivated_account_stops_in_one_line),
        cmocka_unit_test(a_proxy_that_answers_for_the_server_is_no_verdict),
        cmocka_unit_test(a_visit_ends_with_a_logout_of_a_password_only),
        cmocka_unit_test(the_session_is_stored_sealed_and_found_again),
        cmocka_unit_test(a_session_stored_plain_is_sealed_before_anything_is_asked),
        cmocka_unit_test(a_login_that_never_came_is_no_secret_to_seal),
        cmocka_unit_test(what_is_sealed_opens_only_whole_and_as_what_it_is),
        cmocka_unit_test(a_session_under_a_key_that_was_given_up_is_told_and_replaced),
        cmocka_unit_test(tokens_that_serve_nobody_any_more_are_erased),
        cmocka_unit_test(stopping_while_requests_wait_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
