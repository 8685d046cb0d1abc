/* SPDX-License-Identifier: MIT */
/* Encrypted rooms: what is read, what is refused, what waits for its key. */
#include "e2ee_room_world.h"

static size_t posts(const struct crypt *crypt)
{
    return fake_count(crypt->world->fake, FAKE_POST);
}

/* ---- in ------------------------------------------------------------------------------------- */

static void what_is_said_is_read_and_its_sender_is_proven(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    meet(crypt.world, &crypt.asha);
    give_key(&crypt, &crypt.asha, session, ROOM);
    char *cipher = cipher_of(session, ROOM, "in secret");
    hear(&crypt, "$1", ASHA, session, cipher);
    assert_string_equal(last_post(crypt.world)->text, "in secret");
    assert_string_equal(last_post(crypt.world)->account, ASHA);
    assert_int_equal(last_post(crypt.world)->flags & HR_MSG_WEAK, 0);
    free(cipher);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

static void a_message_that_comes_again_as_another_event_is_refused(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    meet(crypt.world, &crypt.asha);
    give_key(&crypt, &crypt.asha, session, ROOM);
    char *cipher = cipher_of(session, ROOM, "yes");
    hear(&crypt, "$1", ASHA, session, cipher);
    hear(&crypt, "$2", ASHA, session, cipher);
    assert_int_equal(posts(&crypt), 1);
    assert_non_null(fake_with(crypt.world->fake, FAKE_LOG, " in " ROOM " repeats another one"));
    free(cipher);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

static void a_session_of_one_person_in_an_event_of_another_is_refused(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    meet(crypt.world, &crypt.asha);
    meet(crypt.world, &crypt.ben);
    give_key(&crypt, &crypt.asha, session, ROOM);
    char *cipher = cipher_of(session, ROOM, "yes");
    hear(&crypt, "$1", BEN, session, cipher);
    assert_int_equal(posts(&crypt), 0);
    assert_non_null(fake_with(crypt.world->fake, FAKE_LOG, "not its sender's"));
    hear(&crypt, "$2", ASHA, session, cipher); /* nothing of it was used up */
    assert_int_equal(posts(&crypt), 1);
    free(cipher);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

/* Who has a key of the room gives it out for his own in another one, to use up what she says before it comes. */
static void an_index_is_used_up_only_by_what_is_sound(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    meet(crypt.world, &crypt.asha);
    meet(crypt.world, &crypt.ben);
    char *cipher = cipher_of(session, "!other:hs.test", "elsewhere"), *same;
    struct ratchet_outbound *again = NULL;
    char *pickle = ratchet_outbound_pickle(session, (const uint8_t *)"a pickle key of thirty-two bytes");
    assert_int_equal(
        ratchet_outbound_unpickle(pickle, strlen(pickle), (const uint8_t *)"a pickle key of thirty-two bytes", &again),
        HR_OK);
    give_key(&crypt, &crypt.asha, session, ROOM); /* from index 1 on */
    free(cipher);
    cipher = cipher_of(session, "!other:hs.test", "elsewhere");
    same = cipher_of(again, ROOM, "here");
    hear(&crypt, "$1", ASHA, session, cipher);
    assert_int_equal(posts(&crypt), 0);
    hear(&crypt, "$2", ASHA, session, same);
    assert_int_equal(posts(&crypt), 1);
    assert_string_equal(last_post(crypt.world)->text, "here");
    free(pickle);
    free(cipher);
    free(same);
    ratchet_outbound_free(session);
    ratchet_outbound_free(again);
    crypt_free(&crypt);
}

/* ---- what waits for its key --------------------------------------------------------------------- */

static void what_waits_for_its_key_is_read_when_it_comes(void **state)
{
    (void)state;
    for (int minutes = 0; minutes < 4; minutes += 3) {
        struct crypt crypt = crypt_new(true);
        struct ratchet_outbound *session = ratchet_outbound_new();
        char key[RATCHET_SESSION_KEY];
        meet(crypt.world, &crypt.asha);
        ratchet_outbound_key(session, key);
        char *cipher = cipher_of(session, ROOM, "!start");
        hear(&crypt, "$1", ASHA, session, cipher);
        assert_int_equal(posts(&crypt), 0);
        fake_pass(crypt.world->fake, minutes * 60000);
        const struct group_key given = key_of(&crypt.asha, session, key);
        assert_int_equal(group_in_take(mx_of(crypt.world), &given), HR_OK);
        assert_int_equal(posts(&crypt), 1);
        assert_string_equal(last_post(crypt.world)->text, "!start");
        assert_int_equal((last_post(crypt.world)->flags & HR_MSG_HISTORY) != 0, minutes > 2); /* then no command */
        assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_wait"), 0);
        free(cipher);
        ratchet_outbound_free(session);
        crypt_free(&crypt);
    }
}

static void the_room_is_asked_once_a_person_and_hour(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    meet(crypt.world, &crypt.asha);
    char id[8];
    for (int i = 0; i < 5; i++) { /* who makes up sessions does not make the bot talk */
        struct ratchet_outbound *session = ratchet_outbound_new();
        char *cipher = cipher_of(session, ROOM, "x");
        snprintf(id, sizeof(id), "$%d", i);
        hear(&crypt, id, ASHA, session, cipher);
        free(cipher);
        ratchet_outbound_free(session);
    }
    fake_pass(crypt.world->fake, 120000);
    size_t told = 0;
    const struct fake_record *record;
    for (size_t i = 0; (record = fake_nth(crypt.world->fake, FAKE_SAY, i)) != NULL; i++) {
        told += strstr(record->text, "could not read a message from Asha") != NULL;
    }
    assert_int_equal(told, 1);
    crypt_free(&crypt);
}

/* What people said while nobody had agreed stays in the room, also if it can be read only later. */
static void what_was_said_before_a_host_agreed_is_not_carried_later(void **state)
{
    (void)state;
    for (int agreed = 0; agreed < 2; agreed++) {
        struct crypt crypt = crypt_new(agreed == 1);
        struct ratchet_outbound *session = ratchet_outbound_new();
        char key[RATCHET_SESSION_KEY];
        meet(crypt.world, &crypt.asha);
        ratchet_outbound_key(session, key);
        char *cipher = cipher_of(session, ROOM, "just among us");
        hear(&crypt, "$1", ASHA, session, cipher);
        assert_int_equal(fake_command(crypt.world->fake, crypt.world->room, "!bridge encrypted yes"), HR_OK);
        const struct group_key given = key_of(&crypt.asha, session, key);
        assert_int_equal(group_in_take(mx_of(crypt.world), &given), HR_OK);
        assert_int_equal(posts(&crypt), agreed);
        free(cipher);
        ratchet_outbound_free(session);
        crypt_free(&crypt);
    }
}

/* ---- copies of sessions --------------------------------------------------------------------------- */

static void the_better_copy_of_a_session_is_kept(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct matrix *mx = mx_of(crypt.world);
    struct ratchet_outbound *session = ratchet_outbound_new();
    struct ratchet_inbound *whole = NULL;
    char first[RATCHET_SESSION_KEY], late[RATCHET_SESSION_KEY], middle[RATCHET_EXPORTED_KEY];
    ratchet_outbound_key(session, first);
    for (int i = 0; i < 5; i++) {
        free(cipher_of(session, ROOM, "x"));
    }
    ratchet_outbound_key(session, late);
    assert_int_equal(ratchet_inbound_new(first, strlen(first), &whole), HR_OK);
    assert_int_equal(ratchet_inbound_export(whole, 3, middle), HR_OK);
    struct group_key given = key_of(&crypt.asha, session, late);
    assert_int_equal(group_in_take(mx, &given), HR_OK);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT first_index FROM matrix_group_in"), 5);
    /* one out of the backup reaches further back; who owns it is what the direct one proved */
    struct group_key backup = {ROOM, given.session,        middle, true, GROUP_BACKUP,
                               NULL, curve_of(&crypt.ben), NULL,   false};
    assert_int_equal(group_in_take(mx, &backup), HR_OK);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT first_index FROM matrix_group_in"), 3);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT origin FROM matrix_group_in"), GROUP_DIRECT);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT sender = '" ASHA "' FROM matrix_group_in"), 1);
    /* somebody else claims it: refused */
    struct group_key stolen = key_of(&crypt.ben, session, first);
    assert_int_equal(group_in_take(mx, &stolen), HR_EDENIED);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT first_index FROM matrix_group_in"), 3);
    /* one that says it is the same and is not */
    middle[40] = middle[40] == 'A' ? 'B' : 'A';
    middle[3] = 'A', middle[4] = 'A', middle[5] = 'A';
    assert_int_equal(group_in_take(mx, &backup), HR_EDENIED);
    given.session = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* not the id it has */
    assert_int_equal(group_in_take(mx, &given), HR_EDENIED);
    assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_in"), 1);
    ratchet_inbound_free(whole);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

static void keys_of_the_backup_prove_nobody(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    struct ratchet_inbound *whole = NULL;
    char key[RATCHET_SESSION_KEY], exported[RATCHET_EXPORTED_KEY];
    meet(crypt.world, &crypt.asha);
    ratchet_outbound_key(session, key);
    assert_int_equal(ratchet_inbound_new(key, strlen(key), &whole), HR_OK);
    assert_int_equal(ratchet_inbound_export(whole, 0, exported), HR_OK);
    const struct group_key backup = {ROOM, ratchet_outbound_id(session), exported, true, GROUP_BACKUP,
                                     NULL, curve_of(&crypt.asha),        NULL,     false};
    assert_int_equal(group_in_take(mx_of(crypt.world), &backup), HR_OK);
    char *cipher = cipher_of(session, ROOM, "!start");
    hear(&crypt, "$1", ASHA, session, cipher);
    assert_string_equal(last_post(crypt.world)->account, "");
    assert_int_equal(last_post(crypt.world)->power, 0);
    assert_int_not_equal(last_post(crypt.world)->flags & HR_MSG_WEAK, 0);
    free(cipher);
    ratchet_inbound_free(whole);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

static void a_forwarded_key_counts_only_if_it_was_asked_for(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    struct ratchet_outbound *session = ratchet_outbound_new();
    struct ratchet_inbound *whole = NULL;
    char key[RATCHET_SESSION_KEY], exported[RATCHET_EXPORTED_KEY];
    ratchet_outbound_key(session, key);
    assert_int_equal(ratchet_inbound_new(key, strlen(key), &whole), HR_OK);
    assert_int_equal(ratchet_inbound_export(whole, 0, exported), HR_OK);
    json_t *content =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id", ROOM, "session_id",
                  ratchet_outbound_id(session), "session_key", exported, "sender_key", curve_of(&crypt.asha));
    const struct {
        bool own, asked;
        enum trust trust;
        int taken;
    } table[] = {
        {true, false, TRUST_SIGNED, 0}, {false, true, TRUST_SIGNED, 0}, {true, true, TRUST_NONE, 0},
        {true, true, TRUST_CHANGED, 0}, {true, true, TRUST_SIGNED, 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct peer peer = {.user = BOT, .device = "OTHER", .own = table[i].own, .trust = table[i].trust};
        char *sql = NULL;
        assert_true(asprintf(&sql, "INSERT INTO matrix_key_request VALUES('home', '" ROOM "', '%s', 'r', 1)",
                             ratchet_outbound_id(session)) > 0);
        fake_sql(crypt.world->fake, table[i].asked ? sql : "DELETE FROM matrix_key_request");
        room_key_forwarded(mx_of(crypt.world), &(struct to_device_secret){&peer, "m.forwarded_room_key", content});
        assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_in"), table[i].taken);
        fake_sql(crypt.world->fake, "DELETE FROM matrix_key_request");
        free(sql);
    }
    json_decref(content);
    ratchet_inbound_free(whole);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

/* Who holds an old key must not change what somebody said. */
static void an_edit_needs_a_key_of_the_senders_own_device(void **state)
{
    (void)state;
    for (int origin = GROUP_BACKUP; origin <= GROUP_DIRECT; origin++) {
        struct crypt crypt = crypt_new(true);
        struct ratchet_outbound *session = ratchet_outbound_new();
        char key[RATCHET_SESSION_KEY], *cipher = NULL, *event = NULL;
        static const char plain[] =
            "{\"type\":\"m.room.message\",\"room_id\":\"" ROOM "\",\"content\":{\"msgtype\":\"m.text\","
            "\"body\":\"* no\",\"m.new_content\":{\"msgtype\":\"m.text\",\"body\":\"no\"}}}";
        size_t len = 0;
        meet(crypt.world, &crypt.asha);
        ratchet_outbound_key(session, key);
        struct group_key given = key_of(&crypt.asha, session, key);
        given.origin = (enum group_origin)origin;
        assert_int_equal(group_in_take(mx_of(crypt.world), &given), HR_OK);
        char *first = cipher_of(session, ROOM, "yes");
        hear(&crypt, "$1", ASHA, session, first);
        assert_int_equal(ratchet_outbound_encrypt(session, plain, strlen(plain), &cipher, &len), HR_OK);
        assert_true(asprintf(&event,
                             "{\"type\":\"m.room.encrypted\",\"sender\":\"" ASHA
                             "\",\"event_id\":\"$2\",\"content\":{\"algorithm\":\"" DEVICE_KEYS_MEGOLM
                             "\",\"session_id\":\"%s\",\"ciphertext\":\"%s\",\"m.relates_to\":{"
                             "\"rel_type\":\"m.replace\",\"event_id\":\"$1\"}}}",
                             ratchet_outbound_id(session), cipher) > 0);
        sync_events(crypt.world, event);
        assert_int_equal(posts(&crypt), 1);
        assert_int_equal(fake_count(crypt.world->fake, FAKE_EDIT), origin == GROUP_DIRECT);
        free(first);
        free(cipher);
        free(event);
        ratchet_outbound_free(session);
        crypt_free(&crypt);
    }
}

/* ---- consent ---------------------------------------------------------------------------------------- */

static void a_host_agrees_in_the_room_and_may_take_it_back(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(false);
    struct fake *fake = crypt.world->fake;
    static const struct {
        const char *line, *answer;
        int seal; /* -1: nothing changes */
        bool agreed;
    } table[] = {
        {"!bridge encrypted", "Please type", -1, false},     {"!bridge it yes", "Please type", -1, false},
        {"!bridge encrypted yes", "A host agreed", 0, true}, {"!bridge encrypted no", "nothing is carried", 1, false},
        {"!bridge encrypted YES", "A host agreed", 0, true},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        fake_forget(fake);
        assert_int_equal(fake_command(fake, crypt.world->room, table[i].line), HR_OK);
        assert_non_null(strstr(fake_last(fake, FAKE_ANSWER)->text, table[i].answer));
        const struct fake_record *seal = fake_last(fake, FAKE_SEAL);
        assert_int_equal(seal != NULL ? seal->number : -1, table[i].seal);
        assert_int_equal(fake_number(fake, "SELECT agreed != '' FROM matrix_crypto_room"), table[i].agreed);
    }
    crypt_free(&crypt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_read_and_its_sender_is_proven),
        cmocka_unit_test(a_message_that_comes_again_as_another_event_is_refused),
        cmocka_unit_test(a_session_of_one_person_in_an_event_of_another_is_refused),
        cmocka_unit_test(an_index_is_used_up_only_by_what_is_sound),
        cmocka_unit_test(what_waits_for_its_key_is_read_when_it_comes),
        cmocka_unit_test(the_room_is_asked_once_a_person_and_hour),
        cmocka_unit_test(what_was_said_before_a_host_agreed_is_not_carried_later),
        cmocka_unit_test(the_better_copy_of_a_session_is_kept),
        cmocka_unit_test(keys_of_the_backup_prove_nobody),
        cmocka_unit_test(a_forwarded_key_counts_only_if_it_was_asked_for),
        cmocka_unit_test(an_edit_needs_a_key_of_the_senders_own_device),
        cmocka_unit_test(a_host_agrees_in_the_room_and_may_take_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
