/* SPDX-License-Identifier: MIT */
/* Our own keys: on the server and signed before anything is read, through crashes, restores and other people's keys. */
#include "e2ee_world.h"

#define UPLOAD "/v3/keys/upload"
#define QUERY "/v3/keys/query"
#define IDENTITY "/v3/keys/device_signing/upload"
#define SIGNATURE "/v3/keys/signatures/upload"
#define COUNTS "{\"one_time_key_counts\":{\"signed_curve25519\":%d}}"
#define NOTHING "{\"device_keys\":{}}"

static struct world *world_manual(void)
{
    struct world *world = world_new(ROOM);
    world->keys_by_hand = true;
    return world;
}

static void sign_in(struct world *world, const char *device)
{
    answer(world, "/v3/login", 200, "{\"user_id\":\"" BOT "\",\"access_token\":\"tok\",\"device_id\":\"%s\"}", device);
}

/* The oldest request of that kind; its body as the server reads it. */
static json_t *asked(struct world *world, const char *piece)
{
    assert_non_null(fake_request(world->fake, piece));
    json_t *body = json_loads(fake_last(world->fake, FAKE_HTTP)->text, 0, NULL);
    assert_non_null(body);
    return body;
}

static size_t size_of(const json_t *body, const char *key)
{
    return json_object_size(json_object_get(body, key));
}

static bool reads(struct world *world)
{
    return fake_request(world->fake, "/v3/sync") != NULL;
}

static void keys_are_there_and_signed_before_anything_is_read(void **state)
{
    (void)state;
    struct world *world = world_manual();
    struct device_keys keys;
    assert_int_equal(fake_start(world->fake), HR_OK);
    sign_in(world, "DEV");
    answer(world, QUERY, 200, NOTHING);
    json_t *body = asked(world, UPLOAD);
    assert_int_equal(fake_number(world->fake, "SELECT uploaded = 0 AND device = 'DEV' FROM matrix_crypto"), 1);
    assert_int_equal(device_keys_read(json_object_get(body, "device_keys"), BOT, "DEV", &keys, NULL), HR_OK);
    assert_int_equal(size_of(body, "one_time_keys"), 50);
    assert_int_equal(size_of(body, "fallback_keys"), 1);
    answer(world, UPLOAD, 200, COUNTS, 50);
    answer(world, QUERY, 200, NOTHING);
    json_t *identity = asked(world, IDENTITY);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_identity WHERE uploaded = 0"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_identity WHERE master LIKE '%ciphertext%'"),
                     1);
    struct cross_signing_keys_public ours;
    assert_int_equal(cross_signing_keys_read(BOT, json_object_get(identity, "master_key"),
                                             json_object_get(identity, "self_signing_key"),
                                             json_object_get(identity, "user_signing_key"), &ours),
                     HR_OK);
    assert_true(ours.self_signing[0] != '\0' && ours.user_signing[0] != '\0');
    answer(world, IDENTITY, 200, "{}");
    assert_false(reads(world));
    json_t *signature = asked(world, SIGNATURE);
    assert_true(cross_signing_keys_has_signed(&ours, BOT, json_object_get(json_object_get(signature, BOT), "DEV")));
    answer(world, SIGNATURE, 200, "{\"failures\":{}}");
    assert_true(reads(world));
    json_decref(body);
    json_decref(identity);
    json_decref(signature);
    world_free(world);
}

/* The process ends at each step: the same keys come again, none is made a second time. */
static void a_crash_at_any_step_repeats_the_same_keys(void **state)
{
    (void)state;
    struct world *world = world_manual();
    assert_int_equal(fake_start(world->fake), HR_OK);
    sign_in(world, "DEV");
    answer(world, QUERY, 200, NOTHING);
    json_t *first = asked(world, UPLOAD);
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, QUERY, 200, NOTHING);
    json_t *again = asked(world, UPLOAD);
    assert_int_equal(json_equal(json_object_get(first, "device_keys"), json_object_get(again, "device_keys")), 1);
    assert_int_equal(json_equal(json_object_get(first, "one_time_keys"), json_object_get(again, "one_time_keys")), 1);
    assert_int_equal(json_equal(json_object_get(first, "fallback_keys"), json_object_get(again, "fallback_keys")), 1);
    answer(world, UPLOAD, 200, COUNTS, 50);
    answer(world, QUERY, 200, NOTHING);
    json_t *identity = asked(world, IDENTITY);
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    char *device = json_dumps(json_object_get(first, "device_keys"), JSON_COMPACT);
    answer(world, QUERY, 200, "{\"device_keys\":{\"" BOT "\":{\"DEV\":%s}}}", device);
    free(device);
    assert_null(fake_request(world->fake, UPLOAD)); /* the server has them */
    answer(world, QUERY, 200, NOTHING);
    json_t *identity_again = asked(world, IDENTITY);
    assert_int_equal(json_equal(json_object_get(identity, "master_key"), json_object_get(identity_again, "master_key")),
                     1);
    json_decref(first);
    json_decref(again);
    json_decref(identity);
    json_decref(identity_again);
    world_free(world);
}

static void an_older_copy_gets_a_new_device_under_the_same_identity(void **state)
{
    (void)state;
    struct world *world = world_open();
    int64_t identity = fake_number(world->fake, "SELECT length(master) FROM matrix_identity");
    fake_sql(world->fake, "INSERT INTO matrix_olm VALUES('home', 'c', 's', 'p', 1, 1)");
    fake_stop(world->fake);
    fake_store_id(world->fake, "anotherstore2222");
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "older copy"));
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "\"DEV\""));
    sign_in(world, "NEW");
    take_keys(world);
    assert_true(reads(world));
    assert_int_equal(
        fake_number(world->fake, "SELECT device = 'NEW' AND store = 'anotherstore2222' FROM matrix_crypto"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_olm"), 0);
    assert_int_equal(fake_number(world->fake, "SELECT length(master) FROM matrix_identity"), identity);
    world_free(world);
}

static void without_a_password_an_older_copy_stops_with_what_to_do(void **state)
{
    (void)state;
    struct world *world = world_manual();
    fake_option(world->fake, "password_file", "");
    fake_option(world->fake, "token_file", "tok9");
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "/v3/account/whoami", 200, "{\"user_id\":\"" BOT "\",\"device_id\":\"DEV\"}");
    answer(world, QUERY, 200, "{\"device_keys\":{\"" BOT "\":{\"DEV\":{\"keys\":{}}}}}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "Make a new token"));
    fake_forget(world->fake);
    fake_pass(world->fake, 3600000);
    assert_int_equal(fake_count(world->fake, FAKE_HTTP), 0);
    world_free(world);
}

static void two_bots_on_one_device_are_noticed(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct someone other = someone_new(BOT, "DEV");
    fake_stop(world->fake);
    fake_forget(world->fake);
    world->keys_by_hand = true;
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer_json(world, QUERY, shown(&other));
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "Two can't share a device"));
    fake_forget(world->fake);
    fake_pass(world->fake, 3600000);
    assert_int_equal(fake_count(world->fake, FAKE_HTTP), 0);
    someone_free(&other);
    world_free(world);
}

static void another_store_key_means_a_new_device(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_stop(world->fake);
    fake_key(world->fake, 7);
    fake_forget(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "another store key"));
    sign_in(world, "NEW");
    take_keys(world);
    assert_true(reads(world));
    world_free(world);
}

static void an_identity_that_is_not_ours_is_never_replaced(void **state)
{
    (void)state;
    struct world *world = world_manual();
    struct someone other = someone_new(BOT, "PHONE");
    assert_int_equal(fake_start(world->fake), HR_OK);
    sign_in(world, "DEV");
    answer_json(world, QUERY, shown(&other));
    answer(world, UPLOAD, 200, COUNTS, 50);
    answer_json(world, QUERY, shown(&other));
    assert_null(fake_request(world->fake, IDENTITY));
    assert_null(fake_request(world->fake, SIGNATURE));
    assert_non_null(fake_with(world->fake, FAKE_LOG, "hashroom recovery-key use"));
    assert_true(reads(world)); /* rooms that are not encrypted work */
    (void)fake_report(world->fake);
    assert_non_null(fake_with(world->fake, FAKE_OUT, "Encrypted rooms can't be used"));
    someone_free(&other);
    world_free(world);
}

static void the_password_is_given_for_a_first_identity_only(void **state)
{
    (void)state;
    static const char *const wants = "{\"session\":\"s1\",\"flows\":[{\"stages\":[\"m.login.password\"]}]}";
    struct world *world = world_manual();
    assert_int_equal(fake_start(world->fake), HR_OK);
    sign_in(world, "DEV");
    answer(world, QUERY, 200, NOTHING);
    answer(world, UPLOAD, 200, COUNTS, 50);
    answer(world, QUERY, 200, NOTHING);
    answer(world, IDENTITY, 401, "%s", wants);
    json_t *body = asked(world, IDENTITY);
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "auth"), "session")), "s1");
    json_decref(body);
    answer(world, IDENTITY, 401, "%s", wants); /* it was wrong: once is enough */
    assert_null(fake_request(world->fake, IDENTITY));
    assert_non_null(fake_with(world->fake, FAKE_LOG, "approval"));
    assert_true(reads(world));
    world_free(world);
}

static void a_server_that_is_away_is_asked_until_it_answers(void **state)
{
    (void)state;
    struct world *world = world_manual();
    static const char *const steps[] = {QUERY, UPLOAD, QUERY, IDENTITY, SIGNATURE};
    assert_int_equal(fake_start(world->fake), HR_OK);
    sign_in(world, "DEV");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        for (int n = 0; n < 3; n++) {
            answer(world, steps[i], 503, "{}");
            assert_false(reads(world));
            fake_pass(world->fake, 90000);
        }
        if (i == 2) { /* the second question begins anew with the first */
            answer(world, QUERY, 200, NOTHING);
            answer(world, UPLOAD, 200, COUNTS, 50);
        }
        answer(world, steps[i], 200, "{\"device_keys\":{},\"one_time_key_counts\":{\"signed_curve25519\":50}}");
    }
    assert_true(reads(world));
    world_free(world);
}

/* ---- while it runs --------------------------------------------------------------------------------- */

static void counted(struct world *world, int count, bool fallback)
{
    answer(world, "/v3/sync", 200,
           "{\"next_batch\":\"s%d\",\"device_one_time_keys_count\":{\"signed_curve25519\":%d},"
           "\"device_unused_fallback_key_types\":[%s]}",
           ++world->syncs, count, fallback ? "\"signed_curve25519\"" : "");
}

static void what_was_taken_is_made_up_for(void **state)
{
    (void)state;
    struct world *world = world_keys();
    counted(world, 47, true);
    json_t *body = json_loads(fake_with(world->fake, FAKE_HTTP, "one_time_keys")->text, 0, NULL);
    assert_int_equal(size_of(body, "one_time_keys"), 3);
    assert_int_equal(size_of(body, "fallback_keys"), 0);
    assert_null(json_object_get(body, "device_keys"));
    counted(world, 47, true); /* the upload is under way */
    answer(world, UPLOAD, 200, COUNTS, 50);
    fake_forget(world->fake);
    counted(world, 47, true); /* answered before the upload came */
    assert_null(fake_request(world->fake, UPLOAD));
    counted(world, 50, true);
    assert_null(fake_request(world->fake, UPLOAD));
    answer(world, "/v3/sync", 200, "{\"next_batch\":\"s%d\"}", ++world->syncs); /* says nothing: there are none */
    json_decref(body);
    body = json_loads(fake_with(world->fake, FAKE_HTTP, "one_time_keys")->text, 0, NULL);
    assert_int_equal(size_of(body, "one_time_keys"), 50);
    json_decref(body);
    world_free(world);
}

static void a_fallback_key_that_was_given_away_or_is_old_is_renewed_once(void **state)
{
    (void)state;
    struct world *world = world_keys();
    counted(world, 50, false);
    assert_non_null(fake_with(world->fake, FAKE_HTTP, "fallback_keys"));
    counted(world, 50, false);
    answer(world, UPLOAD, 200, COUNTS, 50);
    fake_forget(world->fake);
    counted(world, 50, false); /* a reply of before */
    assert_null(fake_request(world->fake, UPLOAD));
    fake_pass(world->fake, INT64_C(6) * 24 * 3600000);
    counted(world, 50, true);
    assert_null(fake_request(world->fake, UPLOAD));
    fake_pass(world->fake, INT64_C(25) * 3600000);
    counted(world, 50, true);
    assert_non_null(fake_request(world->fake, UPLOAD));
    world_free(world);
}

static void names_the_server_has_already_are_passed(void **state)
{
    (void)state;
    struct world *world = world_keys();
    counted(world, 40, true);
    json_t *first = json_loads(fake_with(world->fake, FAKE_HTTP, "one_time_keys")->text, 0, NULL);
    fake_forget(world->fake);
    answer(world, UPLOAD, 400, "{\"errcode\":\"M_UNKNOWN\",\"error\":\"One time key already exists\"}");
    json_t *second = json_loads(fake_with(world->fake, FAKE_HTTP, "one_time_keys")->text, 0, NULL);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(first, "one_time_keys"), name, value)
    {
        assert_null(json_object_get(json_object_get(second, "one_time_keys"), name));
    }
    int uploads = 1;
    while (fake_request(world->fake, UPLOAD) != NULL) {
        answer(world, UPLOAD, 400, "{\"errcode\":\"M_UNKNOWN\",\"error\":\"One time key already exists\"}");
        uploads++;
    }
    assert_in_range(uploads, 2, 8); /* never without end */
    json_decref(first);
    json_decref(second);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_there_and_signed_before_anything_is_read),
        cmocka_unit_test(a_crash_at_any_step_repeats_the_same_keys),
        cmocka_unit_test(an_older_copy_gets_a_new_device_under_the_same_identity),
        cmocka_unit_test(without_a_password_an_older_copy_stops_with_what_to_do),
        cmocka_unit_test(two_bots_on_one_device_are_noticed),
        cmocka_unit_test(another_store_key_means_a_new_device),
        cmocka_unit_test(an_identity_that_is_not_ours_is_never_replaced),
        cmocka_unit_test(the_password_is_given_for_a_first_identity_only),
        cmocka_unit_test(a_server_that_is_away_is_asked_until_it_answers),
        cmocka_unit_test(what_was_taken_is_made_up_for),
        cmocka_unit_test(a_fallback_key_that_was_given_away_or_is_old_is_renewed_once),
        cmocka_unit_test(names_the_server_has_already_are_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
