/* SPDX-License-Identifier: MIT */
/* Other people's devices and identities: races, pins, what is refused. */
#include "e2ee_world.h"

static struct peer peer_of(struct world *world, const struct someone *someone)
{
    struct peer peer = {0};
    assert_int_equal(people_device(mx_of(world), someone->user, someone->device, &peer), HR_OK);
    return peer;
}

static bool knows(struct world *world, const struct someone *someone)
{
    struct peer peer;
    return people_device(mx_of(world), someone->user, someone->device, &peer) == HR_OK;
}

static void count_done(struct matrix *mx, void *arg)
{
    (void)mx;
    ++*(int *)arg;
}

static void a_device_is_believed_as_far_as_it_is_signed(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), ben = someone_new(BEN, "B1");
    meet(world, &asha);
    assert_int_equal(peer_of(world, &asha).trust, TRUST_SIGNED);
    assert_string_equal(peer_of(world, &asha).ed, ed_of(&asha));
    people_verified(mx_of(world), ASHA);
    assert_int_equal(peer_of(world, &asha).trust, TRUST_VERIFIED);
    assert_int_equal(people_track(mx_of(world), BEN), HR_OK);
    fake_pass(world->fake, 0);
    struct someone *const one[] = {&ben};
    answer_json(world, "/v3/keys/query", shown_by(one, 1, false));
    assert_int_equal(peer_of(world, &ben).trust, TRUST_NONE);
    /* all of it is there after a restart */
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(peer_of(world, &asha).trust, TRUST_VERIFIED);
    assert_int_equal(peer_of(world, &ben).trust, TRUST_NONE);
    assert_non_null(people_master(mx_of(world), BEN));
    someone_free(&asha);
    someone_free(&ben);
    world_free(world);
}

/* The server tells of a change while the question about the state before it is under way. */
static void a_change_during_a_query_is_asked_for_again(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone old = someone_new(ASHA, "A1"), new = someone_new(ASHA, "A2");
    new.identity = old.identity;
    int fresh = 0;
    const char *const users[] = {ASHA};
    people_fresh(mx_of(world), users, 1, count_done, NULL, &fresh);
    assert_non_null(fake_request(world->fake, "/v3/keys/query"));
    sync_keys(world, CHANGED(ASHA));
    answer_json(world, "/v3/keys/query", shown(&old));
    assert_true(knows(world, &old));
    assert_int_equal(fresh, 0);
    assert_int_equal(fake_number(world->fake, "SELECT outdated FROM matrix_person WHERE user = '" ASHA "'"), 1);
    fake_pass(world->fake, 0);
    struct someone *const both[] = {&old, &new};
    answer_json(world, "/v3/keys/query", shown_by(both, 2, true));
    assert_int_equal(fresh, 1);
    assert_true(knows(world, &new));
    assert_int_equal(fake_number(world->fake, "SELECT outdated FROM matrix_person WHERE user = '" ASHA "'"), 0);
    fake_pass(world->fake, 60000);
    assert_null(fake_request(world->fake, "/v3/keys/query"));
    someone_free(&old);
    someone_free(&new);
    world_free(world);
}

/* ... and while its reply is with a thread. */
static void a_change_during_the_check_is_asked_for_again(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    assert_int_equal(people_track(mx_of(world), ASHA), HR_OK);
    fake_pass(world->fake, 0);
    json_t *reply = shown(&asha);
    char *text = json_dumps(reply, 0);
    fake_reply(world->fake, fake_request(world->fake, "/v3/keys/query"), 200, text);
    assert_int_equal(fake_works(world->fake), 1);
    people_outdated(mx_of(world), ASHA);
    (void)fake_work(world->fake);
    assert_true(knows(world, &asha));
    fake_pass(world->fake, 0);
    assert_non_null(fake_request(world->fake, "/v3/keys/query"));
    free(text);
    json_decref(reply);
    someone_free(&asha);
    world_free(world);
}

static void another_identity_is_told_once_and_ends_when_it_is_accepted(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), other = someone_new(ASHA, "A1");
    meet(world, &asha);
    people_verified(mx_of(world), ASHA);
    char *first = strdup(people_master(mx_of(world), ASHA));
    ratchet_account_free(other.account);
    other.account = asha.account; /* the same device under another identity */
    for (int i = 0; i < 2; i++) {
        sync_keys(world, CHANGED(ASHA));
        fake_pass(world->fake, 0);
        answer_json(world, "/v3/keys/query", shown(&other));
        assert_int_equal(peer_of(world, &asha).trust, TRUST_CHANGED);
        assert_true(people_changed(mx_of(world), ASHA));
        assert_string_equal(people_master(mx_of(world), ASHA), first);
    }
    assert_int_equal(fake_count(world->fake, FAKE_LOG), 1);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "hashroom verify accept " ASHA));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(peer_of(world, &asha).trust, TRUST_CHANGED);
    assert_int_equal(people_accept(mx_of(world), ASHA), HR_OK);
    assert_int_equal(peer_of(world, &asha).trust, TRUST_SIGNED); /* no longer verified */
    assert_int_equal(people_accept(mx_of(world), ASHA), HR_ENOTFOUND);
    free(first);
    someone_free(&asha);
    world_free(world);
}

static void a_device_never_changes_its_keys(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), thief = someone_new(ASHA, "A1");
    thief.identity = asha.identity;
    meet(world, &asha);
    for (int gone = 0; gone < 2; gone++) { /* also not by leaving for a while */
        if (gone) {
            people_outdated(mx_of(world), ASHA);
            fake_pass(world->fake, 0);
            answer_json(world, "/v3/keys/query", json_pack("{s:{s:{}}}", "device_keys", ASHA));
            assert_false(knows(world, &asha));
        }
        people_outdated(mx_of(world), ASHA);
        fake_pass(world->fake, 0);
        answer_json(world, "/v3/keys/query", shown(&thief));
        assert_non_null(fake_with(world->fake, FAKE_LOG, "shows other keys than before"));
        assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_peer WHERE user = '" ASHA "'"), 1);
        assert_int_equal(knows(world, &asha), !gone);
        if (!gone) {
            assert_string_equal(peer_of(world, &asha).ed, ed_of(&asha));
        }
    }
    someone_free(&asha);
    someone_free(&thief);
    world_free(world);
}

static void two_devices_with_one_curve_key_are_one(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), twin = asha;
    twin.device = "A2";
    struct someone *const both[] = {&asha, &twin};
    assert_int_equal(people_track(mx_of(world), ASHA), HR_OK);
    fake_pass(world->fake, 0);
    answer_json(world, "/v3/keys/query", shown_by(both, 2, true));
    assert_int_equal(knows(world, &asha) + knows(world, &twin), 1);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "has the key of another device"));
    someone_free(&asha);
    world_free(world);
}

static void what_is_malformed_is_left_aside_and_the_rest_counts(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), ben = someone_new(BEN, "B1");
    json_t *reply = shown(&asha), *devices = json_object_get(json_object_get(reply, "device_keys"), ASHA);
    json_t *moved = device_of(&asha, true); /* under another id than its own */
    (void)json_object_set_new(devices, "A7", moved);
    (void)json_object_set_new(devices, "A8", json_string("poison"));
    (void)json_object_set_new(json_object_get(reply, "device_keys"), BEN,
                              json_pack("{s:o}", "B1", device_of(&asha, 0)));
    const char *const users[] = {ASHA, BEN};
    int fresh = 0;
    people_fresh(mx_of(world), users, 2, count_done, NULL, &fresh);
    char *text = json_dumps(reply, 0), *poisoned = NULL;
    char deep[401];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    deep[400] = '\0';
    assert_true(asprintf(&poisoned, "{\"\\u0000\":1,\"x\":%s,%s", deep, text + 1) > 0);
    fake_reply(world->fake, fake_request(world->fake, "/v3/keys/query"), 200, poisoned);
    (void)fake_work(world->fake);
    assert_int_equal(fresh, 1);
    assert_true(knows(world, &asha));
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_peer"), 1);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "left aside"));
    free(text);
    free(poisoned);
    json_decref(reply);
    someone_free(&asha);
    someone_free(&ben);
    world_free(world);
}

static void a_dead_server_keeps_nobody_waiting_and_is_asked_again(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    const char *const users[] = {ASHA, "@zoe:dead.test"};
    int fresh = 0;
    people_fresh(mx_of(world), users, 2, count_done, NULL, &fresh);
    json_t *reply = shown(&asha);
    (void)json_object_set_new(reply, "failures", json_pack("{s:{}}", "dead.test"));
    answer_json(world, "/v3/keys/query", reply);
    assert_int_equal(fresh, 1);
    assert_int_equal(fake_number(world->fake, "SELECT outdated FROM matrix_person WHERE user = '@zoe:dead.test'"), 1);
    people_fresh(mx_of(world), users, 2, count_done, NULL, &fresh); /* at once: it was tried just now */
    assert_int_equal(fresh, 2);
    assert_null(fake_request(world->fake, "/v3/keys/query"));
    fake_pass(world->fake, 90000);
    struct hr_request *again = fake_request(world->fake, "/v3/keys/query");
    assert_non_null(again);
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, ASHA));
    someone_free(&asha);
    world_free(world);
}

static void nobody_waits_longer_than_ten_seconds(void **state)
{
    (void)state;
    struct world *world = world_keys();
    const char *const users[] = {ASHA};
    int fresh = 0;
    people_fresh(mx_of(world), users, 1, count_done, NULL, &fresh);
    fake_pass(world->fake, 9999);
    assert_int_equal(fresh, 0);
    fake_pass(world->fake, 1);
    assert_int_equal(fresh, 1);
    world_free(world); /* with the request under way */
}

static void who_waits_at_the_stop_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_keys();
    const char *const users[] = {ASHA};
    int *arg = calloc(1, sizeof(*arg));
    people_fresh(mx_of(world), users, 1, count_done, free, arg);
    world_free(world);
}

static void all_lists_are_asked_for_anew_when_the_place_in_the_sync_is_lost(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    meet(world, &asha);
    answer(world, "/v3/sync", 400, "{\"errcode\":\"M_UNKNOWN\",\"error\":\"no such token\"}");
    sync_keys(world, "");
    fake_pass(world->fake, 0);
    assert_non_null(fake_request(world->fake, "/v3/keys/query"));
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, ASHA));
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, BOT));
    someone_free(&asha);
    world_free(world);
}

static void who_left_is_no_longer_asked_for_but_the_pin_stays(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), other = someone_new(ASHA, "A9");
    meet(world, &asha);
    sync_keys(world, "\"device_lists\":{\"left\":[\"" ASHA "\"]}");
    assert_false(knows(world, &asha));
    sync_keys(world, CHANGED(ASHA));
    fake_pass(world->fake, 0);
    assert_null(fake_request(world->fake, "/v3/keys/query"));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    world->keys_by_hand = false;
    take_keys(world);
    world->keys_by_hand = true;
    fake_pass(world->fake, 0);
    meet(world, &other);
    assert_int_equal(peer_of(world, &other).trust, TRUST_CHANGED);
    someone_free(&asha);
    someone_free(&other);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_believed_as_far_as_it_is_signed),
        cmocka_unit_test(a_change_during_a_query_is_asked_for_again),
        cmocka_unit_test(a_change_during_the_check_is_asked_for_again),
        cmocka_unit_test(another_identity_is_told_once_and_ends_when_it_is_accepted),
        cmocka_unit_test(a_device_never_changes_its_keys),
        cmocka_unit_test(two_devices_with_one_curve_key_are_one),
        cmocka_unit_test(what_is_malformed_is_left_aside_and_the_rest_counts),
        cmocka_unit_test(a_dead_server_keeps_nobody_waiting_and_is_asked_again),
        cmocka_unit_test(nobody_waits_longer_than_ten_seconds),
        cmocka_unit_test(who_waits_at_the_stop_is_dropped),
        cmocka_unit_test(all_lists_are_asked_for_anew_when_the_place_in_the_sync_is_lost),
        cmocka_unit_test(who_left_is_no_longer_asked_for_but_the_pin_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
