/* SPDX-License-Identifier: MIT */
/* Our own keys of encrypted rooms: who gets them, when they change, what is sent again; seal and upgrade. */
#include "e2ee_room_world.h"

#include "../../plugins/matrix/e2ee/group_out.h"
#include "../../plugins/matrix/e2ee/key_request.h"

/* ---- our own keys ------------------------------------------------------------------------------------ */

static void a_part_goes_out_again_as_it_was(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    assert_int_equal(fake_send(crypt.world->fake, 7, crypt.world->room, HELLO), HR_OK);
    carry(&crypt);
    assert_int_equal(crypt.claims, 1);
    assert_non_null(fake_request(crypt.world->fake, ENCRYPTED_PUT));
    assert_null(fake_with(crypt.world->fake, FAKE_HTTP, "hello")); /* in plain text nowhere */
    json_t *before = last_cipher(&crypt);
    char *url = strdup(fake_last(crypt.world->fake, FAKE_HTTP)->url);
    fake_stop(crypt.world->fake); /* killed: nobody knows whether it came */
    fake_forget(crypt.world->fake);
    crypt.world->keys_by_hand = false;
    assert_int_equal(fake_start(crypt.world->fake), HR_OK);
    take_keys(crypt.world);
    sync_events(crypt.world, "");
    crypt.world->keys_by_hand = true;
    assert_int_equal(fake_send(crypt.world->fake, 7, crypt.world->room, HELLO), HR_OK);
    json_t *after = last_cipher(&crypt);
    assert_true(json_equal(before, after));
    assert_string_equal(fake_last(crypt.world->fake, FAKE_HTTP)->url, url);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT messages FROM matrix_group_out"), 1);
    answer(crypt.world, ENCRYPTED_PUT, 200, "{\"event_id\":\"$p\"}");
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_sealed"), 0);
    json_decref(before);
    json_decref(after);
    free(url);
    crypt_free(&crypt);
}

static void a_ciphertext_that_was_given_up_goes_after_a_month(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    assert_int_equal(fake_send(crypt.world->fake, 7, crypt.world->room, HELLO), HR_OK);
    carry(&crypt);
    fake_stop(crypt.world->fake);
    assert_int_equal(fake_start(crypt.world->fake), HR_OK);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_sealed"), 1);
    fake_stop(crypt.world->fake);
    fake_sql(crypt.world->fake, "UPDATE matrix_sealed SET at_ms = at_ms - 31 * 86400000");
    assert_int_equal(fake_start(crypt.world->fake), HR_OK);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_sealed"), 0);
    crypt_free(&crypt);
}

/* Nobody told the bot who came and went meanwhile. */
static void the_members_are_read_anew_where_the_bot_was_out(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    free(say_hello(&crypt, 1));
    assert_int_equal(fake_number(crypt.world->fake, "SELECT members_known FROM matrix_crypto_room"), 1);
    sync_rooms(crypt.world, "\"leave\":{\"" ROOM "\":{}}");
    sync_rooms(crypt.world, JOINED(ROOM, ""));
    assert_int_equal(fake_number(crypt.world->fake, "SELECT members_known FROM matrix_crypto_room"), 0);
    crypt_free(&crypt);
}

static void a_part_that_comes_twice_while_keys_are_shared_is_encrypted_once(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    assert_int_equal(fake_send(crypt.world->fake, 7, crypt.world->room, HELLO), HR_OK);
    assert_int_equal(fake_send(crypt.world->fake, 7, crypt.world->room, HELLO), HR_OK); /* the network was down */
    carry(&crypt);
    answer(crypt.world, ENCRYPTED_PUT, 200, "{\"event_id\":\"$p\"}");
    assert_null(fake_request(crypt.world->fake, ENCRYPTED_PUT));
    assert_int_equal(fake_count(crypt.world->fake, FAKE_SENT), 1);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT messages FROM matrix_group_out"), 1);
    crypt_free(&crypt);
}

#define BEN_LEAVES MEMBERSHIP(BEN, "leave")

static void the_key_changes_when_it_has_to(void **state)
{
    (void)state;
    static const struct {
        const char *what, *events, *lists, *sql, *members;
        bool no_device, changes;
    } table[] = {
        {"nothing", NULL, NULL, NULL, NULL, false, false},
        {"somebody comes", MEMBER("@cay:hs.test", "Cay"), NULL, NULL, NULL, false, false},
        {"somebody leaves", BEN_LEAVES, NULL, NULL, NULL, false, true},
        {"somebody is banned", MEMBERSHIP(BEN, "ban"), NULL, NULL, NULL, false, true},
        {"something else than a member", MEMBERSHIP(BEN, "knock"), NULL, NULL, NULL, false, true},
        {"a device logs out", NULL, "{\"changed\":[\"" BEN "\"]}", NULL, NULL, true, true},
        {"enough messages", NULL, NULL, "UPDATE matrix_group_out SET messages = 100", NULL, false, true},
        {"a week", NULL, NULL, "UPDATE matrix_group_out SET created_ms = created_ms - 604800000", NULL, false, true},
        {"the clock went back", NULL, NULL, "UPDATE matrix_group_out SET created_ms = created_ms + 9000", NULL, false,
         true},
        {"later members may not read", STATE("m.room.history_visibility", "{\"history_visibility\":\"joined\"}"), NULL,
         NULL, NULL, false, true},
        {"the room wants it sooner",
         STATE("m.room.encryption", "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"rotation_period_msgs\":1}"), NULL, NULL,
         NULL, false, true},
        {"somebody left unseen", NULL, NULL, "UPDATE matrix_crypto_room SET members_known = 0",
         MEMBERS(MEMBER(ASHA, "Asha") "," MEMBER(BOT, "bot")), false, true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct crypt crypt = crypt_new(true);
        char *before = say_hello(&crypt, 1);
        int keys = crypt.keys;
        crypt.ben_has_no_device = table[i].no_device;
        crypt.members = table[i].members != NULL ? table[i].members : crypt.members;
        if (table[i].events != NULL) {
            sync_events(crypt.world, table[i].events);
        }
        if (table[i].lists != NULL) {
            char *lists = NULL;
            assert_true(asprintf(&lists, "\"device_lists\":%s", table[i].lists) > 0);
            sync_keys(crypt.world, lists);
            free(lists);
        }
        if (table[i].sql != NULL) {
            fake_sql(crypt.world->fake, table[i].sql);
        }
        char *after = say_hello(&crypt, 2);
        if ((strcmp(before, after) != 0) != table[i].changes || (crypt.keys > keys) != table[i].changes) {
            fail_msg("%s: the key %s, %d requests with keys", table[i].what,
                     strcmp(before, after) != 0 ? "changed" : "stayed", crypt.keys - keys);
        }
        free(before);
        free(after);
        crypt_free(&crypt);
    }
}

static void who_leaves_while_the_members_are_on_their_way_is_gone(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    assert_int_equal(fake_send(crypt.world->fake, 1, crypt.world->room, HELLO), HR_OK);
    assert_non_null(fake_request(crypt.world->fake, "/members?"));
    sync_events(crypt.world, BEN_LEAVES "," MEMBER("@cay:hs.test", "Cay"));
    carry(&crypt); /* the reply is of before: it has Ben and not Cay */
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_crypto_member WHERE user = '" BEN "'"),
                     0);
    assert_int_equal(
        fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_crypto_member WHERE user = '@cay:hs.test'"), 1);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_shared WHERE user = '" BEN "'"),
                     0);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_shared WHERE user = '" ASHA "'"),
                     1);
    crypt_free(&crypt);
}

/* Two things to say at once, and the key has to change between: nobody gets words in a key that is still on its way. */
static void a_message_goes_out_in_the_key_that_was_handed_out_for_it(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct fake *fake = crypt.world->fake;
    struct someone *one[] = {&crypt.asha};
    json_t *content = json_pack("{s:s}", "from_device", "DEV");
    crypt.ben_has_no_device = true;
    assert_int_equal(fake_send(fake, 1, crypt.world->room, HELLO), HR_OK);
    answer(crypt.world, "/members?", 200, "%s", crypt.members);
    fake_pass(fake, 0);
    answer_json(crypt.world, "/v3/keys/query", everybodys_devices(&crypt));
    fake_pass(fake, 0);
    answer_json(crypt.world, "/v3/keys/claim", one_time_keys(one, 1));
    fake_pass(fake, 0);
    assert_non_null(fake_request(fake, "/sendToDevice/m.room.encrypted/"));
    crypt.ben_has_no_device = false; /* he has one now, and what is said from here on takes another key */
    answer(
        crypt.world, "/v3/sync", 200,
        "{\"next_batch\":\"s%d\"," CHANGED(BEN) ",\"rooms\":{\"join\":{\"" ROOM "\":{\"timeline\":{\"events\":[" STATE(
            "m.room.history_visibility", "{\"history_visibility\":\"joined\"}") "]}}}}}",
        ++crypt.world->syncs);
    group_out_event(mx_of(crypt.world)->room[0], "verify1", "m.key.verification.ready", content);
    fake_pass(fake, 0);
    answer_json(crypt.world, "/v3/keys/query", everybodys_devices(&crypt));
    fake_pass(fake, 0);
    assert_non_null(fake_request(fake, "/v3/keys/claim")); /* the new key is not with Ben yet */
    answer(crypt.world, "/sendToDevice/m.room.encrypted/", 200, "{}");
    fake_pass(fake, 0);
    assert_null(fake_request(fake, ENCRYPTED_PUT));
    carry(&crypt);
    assert_non_null(fake_request(fake, ENCRYPTED_PUT));
    assert_int_equal(fake_number(fake, "SELECT messages FROM matrix_group_out"), 2);
    assert_int_equal(fake_number(fake, "SELECT count(DISTINCT session) FROM matrix_sealed"), 1);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM matrix_group_shared WHERE from_index = 0"), 2);
    json_decref(content);
    crypt_free(&crypt);
}

static void a_device_gets_the_key_as_soon_as_it_may_and_no_longer(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct matrix *mx = mx_of(crypt.world);
    char *first = say_hello(&crypt, 1);
    /* it was told that it gets none; now it may */
    fake_sql(crypt.world->fake, "UPDATE matrix_group_shared SET from_index = 4294967295 WHERE user = '" BEN "'");
    mx->e2ee->changes++;
    int keys = crypt.keys;
    char *second = say_hello(&crypt, 2);
    assert_string_equal(first, second);
    assert_int_equal(crypt.keys, keys + 1);
    assert_int_equal(
        fake_number(crypt.world->fake, "SELECT from_index FROM matrix_group_shared WHERE user = '" BEN "'"), 1);
    /* nobody signed it, and the operator has become strict */
    fake_sql(crypt.world->fake, "UPDATE matrix_peer SET signed = 0 WHERE user = '" BEN "'");
    fake_stop(crypt.world->fake);
    fake_option(crypt.world->fake, "strict", "yes");
    crypt.world->keys_by_hand = false;
    assert_int_equal(fake_start(crypt.world->fake), HR_OK);
    take_keys(crypt.world);
    sync_events(crypt.world, "");
    crypt.world->keys_by_hand = true;
    char *third = say_hello(&crypt, 3);
    assert_string_not_equal(second, third);
    assert_int_equal(crypt.refusals, 1);
    assert_int_equal(
        fake_number(crypt.world->fake, "SELECT from_index FROM matrix_group_shared WHERE user = '" BEN "'"),
        4294967295);
    free(first);
    free(second);
    free(third);
    crypt_free(&crypt);
}

static void a_key_request_is_answered_for_those_who_had_the_key(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct matrix *mx = mx_of(crypt.world);
    crypt.ben_has_no_device = true;
    char *session = say_hello(&crypt, 1);
    crypt.ben_has_no_device = false;
    sync_keys(crypt.world, CHANGED(BEN)); /* his device is known, and was given nothing so far */
    carry(&crypt);
    json_t *content = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "action", "request", "request_id", "1",
                                "requesting_device_id", "B1", "body", "room_id", ROOM, "session_id", session);
    int keys = crypt.keys;
    for (int i = 0; i < 100; i++) { /* and uses up nobody else's answers */
        key_request_take(mx, BEN, content);
    }
    carry(&crypt);
    assert_int_equal(crypt.keys, keys);
    (void)json_object_set_new(content, "requesting_device_id", json_string("A1"));
    key_request_take(mx, BEN, content); /* her device, said by him */
    carry(&crypt);
    assert_int_equal(crypt.keys, keys);
    key_request_take(mx, ASHA, content);
    carry(&crypt);
    assert_int_equal(crypt.keys, keys + 1);
    json_decref(content);
    free(session);
    crypt_free(&crypt);
}

/* ---- consent, state ----------------------------------------------------------------------------------- */

static void the_seal_is_there_before_the_first_reply_of_a_run_is_read(void **state)
{
    (void)state;
    for (int agreed = 0; agreed < 2; agreed++) {
        struct crypt crypt = crypt_new(agreed == 1);
        fake_stop(crypt.world->fake);
        fake_forget(crypt.world->fake);
        assert_int_equal(fake_start(crypt.world->fake), HR_OK);
        const struct fake_record *seal = fake_last(crypt.world->fake, FAKE_SEAL);
        assert_non_null(seal);
        assert_string_equal(seal->address, ROOM);
        assert_int_equal(seal->number, !agreed);
        crypt_free(&crypt);
    }
}

static void who_may_read_what_was_said_before_counts_in_any_order(void **state)
{
    (void)state;
    struct world *world = world_keys();
    sync_events(world, STATE("m.room.history_visibility", "{\"history_visibility\":\"joined\"}") "," ENCRYPTION);
    assert_int_equal(fake_number(world->fake, "SELECT visibility = 'joined' FROM matrix_crypto_room"), 1);
    world_free(world);
}

#define NEW "!new:hs.test"

static void an_encrypted_room_is_followed_into_an_encrypted_one_only(void **state)
{
    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        struct crypt crypt = crypt_new(true);
        sync_events(crypt.world, STATE("m.room.tombstone", "{\"replacement_room\":\"" NEW "\"}"));
        answer(crypt.world, "/v3/join/", 200, "{\"room_id\":\"" NEW "\"}");
        answer(crypt.world, "/state/m.room.create", 200, "{\"predecessor\":{\"room_id\":\"" ROOM "\"}}");
        fake_forget(crypt.world->fake);
        if (encrypted) {
            answer(crypt.world, "/state/m.room.encryption", 200, "{\"algorithm\":\"m.megolm.v1.aes-sha2\"}");
            assert_int_equal(fake_last(crypt.world->fake, FAKE_SEAL)->number, 1); /* agreed to was the old one */
            sync_rooms(crypt.world, JOINED(NEW, ENCRYPTION));
            assert_true(is_up(crypt.world, ROOM));
            assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_encrypted"), 2);
        } else {
            answer(crypt.world, "/state/m.room.encryption", 404, "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"no\"}");
            assert_non_null(fake_with(crypt.world->fake, FAKE_DOWN, "not encrypted, as this one was"));
            assert_int_equal(fake_send(crypt.world->fake, 1, crypt.world->room, HELLO), HR_ERETRY);
        }
        crypt_free(&crypt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_goes_out_again_as_it_was),
        cmocka_unit_test(a_ciphertext_that_was_given_up_goes_after_a_month),
        cmocka_unit_test(the_members_are_read_anew_where_the_bot_was_out),
        cmocka_unit_test(a_part_that_comes_twice_while_keys_are_shared_is_encrypted_once),
        cmocka_unit_test(the_key_changes_when_it_has_to),
        cmocka_unit_test(who_leaves_while_the_members_are_on_their_way_is_gone),
        cmocka_unit_test(a_message_goes_out_in_the_key_that_was_handed_out_for_it),
        cmocka_unit_test(a_device_gets_the_key_as_soon_as_it_may_and_no_longer),
        cmocka_unit_test(a_key_request_is_answered_for_those_who_had_the_key),
        cmocka_unit_test(the_seal_is_there_before_the_first_reply_of_a_run_is_read),
        cmocka_unit_test(who_may_read_what_was_said_before_counts_in_any_order),
        cmocka_unit_test(an_encrypted_room_is_followed_into_an_encrypted_one_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
