/* SPDX-License-Identifier: MIT */
/* Backup at the server and recovery key: what is taken out of it proves nobody, what is not ours is not touched. */
#include "e2ee_room_world.h"

#include "../../plugins/matrix/e2ee/backup.h"

#define NONE "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"none\"}"
#define VERSION "GET http://127.0.0.1:8008/_matrix/client/v3/room_keys/version"

/* The account has made its backup: version 1. */
static struct crypt crypt_with_backup(void)
{
    struct crypt crypt = crypt_new(true);
    answer(crypt.world, VERSION, 404, NONE);
    answer(crypt.world, "/account_data/m.key_backup", 404, NONE);
    answer(crypt.world, "POST http://127.0.0.1:8008/_matrix/client/v3/room_keys/version", 200, "{\"version\":\"1\"}");
    return crypt;
}

/* An entry as anybody can make it who has seen the backup's public key. */
static json_t *entry_of(struct crypt *crypt, const char *plain)
{
    uint8_t secret[32];
    char public[BASE64_KEY];
    struct ratchet_sealed sealed;
    assert_int_equal(backup_key(mx_of(crypt->world), secret), HR_OK);
    ratchet_backup_public(secret, public);
    assert_int_equal(ratchet_backup_seal(public, plain, strlen(plain), &sealed), HR_OK);
    json_t *entry =
        json_pack("{s:i, s:i, s:b, s:{s:s, s:s, s:s}}", "first_message_index", 0, "forwarded_count", 0, "is_verified",
                  1, "session_data", "ephemeral", sealed.ephemeral, "ciphertext", sealed.ciphertext, "mac", sealed.mac);
    ratchet_sealed_clear(&sealed);
    return entry;
}

/* The pattern with `first` and `second` in the place of its %s: free() it. */
static char *filled(const char *pattern, const char *first, const char *second)
{
    const char *one = strstr(pattern, "%s"), *two = strstr(one + 2, "%s");
    char *text = NULL;
    assert_true(asprintf(&text, "%.*s%s%.*s%s%s", (int)(one - pattern), pattern, first, (int)(two - one - 2), one + 2,
                         second, two + 2) > 0);
    return text;
}

static void what_stands_in_the_backup_is_read_like_a_strangers(void **state)
{
    (void)state;
    static const struct {
        const char *what, *plain; /* %s: key, %s: curve */
        bool other_session, read;
    } table[] = {
        {"sound", "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"session_key\":\"%s\",\"sender_key\":\"%s\"}", false, true},
        {"another session", "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"session_key\":\"%s\",\"sender_key\":\"%s\"}",
         true, false},
        {"another algorithm", "{\"algorithm\":\"m.olm\",\"session_key\":\"%s\",\"sender_key\":\"%s\"}", false, false},
        {"no sender", "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"session_key\":\"%s\",\"x\":\"%s\"}", false, false},
        {"a key of another type",
         "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"session_key\":[\"%s\"],\"sender_key\":\"%s\"}", false, false},
        {"a sender of another type",
         "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"session_key\":\"%s\",\"sender_key\":{\"%s\":1}}", false, false},
        {"no object", "[\"%s\",\"%s\"]", false, false},
        {"no JSON", "%s%s", false, false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct crypt crypt = crypt_with_backup();
        struct ratchet_outbound *session = ratchet_outbound_new(), *other = ratchet_outbound_new();
        struct ratchet_inbound *whole = NULL;
        char key[RATCHET_SESSION_KEY], exported[RATCHET_EXPORTED_KEY];
        meet(crypt.world, &crypt.asha);
        ratchet_outbound_key(table[i].other_session ? other : session, key);
        assert_int_equal(ratchet_inbound_new(key, strlen(key), &whole), HR_OK);
        assert_int_equal(ratchet_inbound_export(whole, 0, exported), HR_OK);
        char *cipher = cipher_of(session, ROOM, "!start");
        hear(&crypt, "$1", ASHA, session, cipher);
        char *plain = filled(table[i].plain, exported, curve_of(&crypt.asha));
        answer_json(crypt.world, "/room_keys/keys/%21room", entry_of(&crypt, plain));
        if ((fake_count(crypt.world->fake, FAKE_POST) == 1) != table[i].read) {
            fail_msg("%s: %s", table[i].what, table[i].read ? "not read" : "read");
        }
        if (table[i].read) {
            assert_string_equal(last_post(crypt.world)->account, ""); /* nobody is proven by it */
            assert_int_not_equal(last_post(crypt.world)->flags & HR_MSG_WEAK, 0);
        } else {
            assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_in"), 0);
            assert_non_null(fake_with(crypt.world->fake, FAKE_LOG, "no sound key"));
        }
        free(plain);
        free(cipher);
        ratchet_inbound_free(whole);
        ratchet_outbound_free(session);
        ratchet_outbound_free(other);
        crypt_free(&crypt);
    }
}

static void a_reply_of_any_type_is_no_key(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "[]", "null", "{\"session_data\":5}", "{\"session_data\":{\"ciphertext\":1}}",
        "{\"session_data\":{\"ciphertext\":\"x\",\"mac\":\"y\",\"ephemeral\":\"z\"}}"};
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct crypt crypt = crypt_with_backup();
        struct ratchet_outbound *session = ratchet_outbound_new();
        char *cipher = cipher_of(session, ROOM, "x");
        meet(crypt.world, &crypt.asha);
        hear(&crypt, "$1", ASHA, session, cipher);
        answer(crypt.world, "/room_keys/keys/%21room", 200, "%s", replies[i]);
        assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_in"), 0);
        assert_int_equal(fake_number(crypt.world->fake, "SELECT count(*) FROM matrix_group_wait"), 1);
        free(cipher);
        ratchet_outbound_free(session);
        crypt_free(&crypt);
    }
}

static void a_backup_of_somebody_else_is_not_touched(void **state)
{
    (void)state;
    static const char *const shown[] = {
        "{\"version\":\"7\",\"algorithm\":\"m.megolm_backup.v1.curve25519-aes-sha2\",\"auth_data\":{\"public_key\":"
        "\"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo\"}}",
        "{\"version\":\"7\",\"algorithm\":\"m.megolm_backup.v9\",\"auth_data\":{\"public_key\":5}}",
        "{\"version\":7}",
    };
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        struct crypt crypt = crypt_new(true);
        char *session;
        answer(crypt.world, VERSION, 200, "%s", shown[i]);
        session = say_hello(&crypt, 1);
        fake_pass(crypt.world->fake, 60000);
        assert_null(fake_request(crypt.world->fake, "/room_keys/"));
        assert_int_equal(fake_number(crypt.world->fake, "SELECT backed_up FROM matrix_group_in"), 0);
        free(session);
        crypt_free(&crypt);
    }
}

static void no_backup_is_made_where_none_is_wanted(void **state)
{
    (void)state;
    struct crypt crypt = crypt_new(true);
    answer(crypt.world, VERSION, 404, NONE);
    answer(crypt.world, "/account_data/m.key_backup", 200, "{\"enabled\":false}");
    fake_pass(crypt.world->fake, 60000);
    assert_null(fake_request(crypt.world->fake, "/room_keys/"));
    crypt_free(&crypt);
}

static void a_better_copy_that_comes_meanwhile_is_backed_up_too(void **state)
{
    (void)state;
    struct crypt crypt = crypt_with_backup();
    struct ratchet_outbound *session = ratchet_outbound_new();
    char first[RATCHET_SESSION_KEY], late[RATCHET_SESSION_KEY];
    ratchet_outbound_key(session, first);
    free(cipher_of(session, ROOM, "x"));
    ratchet_outbound_key(session, late);
    const struct group_key worse = key_of(&crypt.asha, session, late), better = key_of(&crypt.asha, session, first);
    assert_int_equal(group_in_take(mx_of(crypt.world), &worse), HR_OK);
    fake_pass(crypt.world->fake, 5000);
    assert_non_null(
        fake_request(crypt.world->fake, "PUT http://127.0.0.1:8008/_matrix/client/v3/room_keys/keys?version=1"));
    assert_null(fake_with(crypt.world->fake, FAKE_HTTP, late)); /* sealed */
    assert_int_equal(group_in_take(mx_of(crypt.world), &better), HR_OK);
    answer(crypt.world, "/room_keys/keys?version=1", 200, "{}");
    assert_int_equal(fake_number(crypt.world->fake, "SELECT backed_up FROM matrix_group_in"), 0);
    fake_pass(crypt.world->fake, 5000);
    answer(crypt.world, "/room_keys/keys?version=1", 200, "{}");
    assert_int_equal(fake_number(crypt.world->fake, "SELECT backed_up FROM matrix_group_in"), 1);
    ratchet_outbound_free(session);
    crypt_free(&crypt);
}

/* ---- the recovery key ---------------------------------------------------------------------------- */

static int tool(struct crypt *crypt, const char *first, const char *second)
{
    const char *words[] = {first, second};
    return fake_tool(crypt->world->fake, "recovery-key", (first != NULL) + (second != NULL), words);
}

/* What the account keeps at the server, by type. */
struct kept {
    char type[12][64];
    char *content[12];
    size_t count;
};

static const char *kept_under(const struct kept *kept, const char *type)
{
    const char *content = NULL;
    for (size_t i = 0; i < kept->count; i++) {
        content = strcmp(kept->type[i], type) == 0 ? kept->content[i] : content;
    }
    return content;
}

/* The server keeps what is put there, and gives back what is asked for, until nothing is. */
static void keep(struct crypt *crypt, struct kept *kept)
{
    static const char path[] = "/account_data/";
    struct hr_request *request;
    while ((request = fake_request(crypt->world->fake, path)) != NULL) {
        const struct fake_record *record = NULL, *at;
        for (size_t i = 0; (at = fake_nth(crypt->world->fake, FAKE_HTTP, i)) != NULL; i++) {
            record = at->request == request ? at : record;
        }
        const char *type = strstr(record->url, path) + strlen(path);
        if (strcmp(record->method, "PUT") == 0) {
            assert_true(kept->count < 12);
            snprintf(kept->type[kept->count], sizeof(kept->type[0]), "%s", type);
            kept->content[kept->count++] = strdup(record->text);
            fake_reply(crypt->world->fake, request, 200, "{}");
        } else {
            const char *content = kept_under(kept, type);
            fake_reply(crypt->world->fake, request, content != NULL ? 200 : 404, content != NULL ? content : NONE);
        }
    }
}

static void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        free(kept->content[i]);
    }
}

/* The key as the tool printed it: free() it. */
static char *printed(struct crypt *crypt)
{
    const struct fake_record *record = fake_with(crypt->world->fake, FAKE_OUT, "Recovery key of");
    assert_non_null(record);
    const char *line = strchr(record->text, '\n') + 1;
    return strndup(line, strcspn(line, "\n"));
}

static void the_recovery_key_is_shown_once_and_stands_nowhere_else(void **state)
{
    (void)state;
    struct crypt crypt = crypt_with_backup();
    struct kept kept = {.count = 0};
    keep(&crypt, &kept);
    assert_int_equal(kept.count, 6);
    assert_non_null(kept_under(&kept, "m.secret_storage.default_key"));
    assert_int_equal(tool(&crypt, NULL, NULL), HR_OK);
    char *key = printed(&crypt);
    assert_int_equal(tool(&crypt, NULL, NULL), HR_ENOTFOUND);
    assert_null(fake_with(crypt.world->fake, FAKE_LOG, key));
    assert_null(fake_with(crypt.world->fake, FAKE_HTTP, key));
    assert_int_equal(fake_number(crypt.world->fake, "SELECT length(recovery_key) FROM matrix_identity"), 0);
    fake_stop(crypt.world->fake); /* and not again after a restart */
    crypt.world->keys_by_hand = false;
    assert_int_equal(fake_start(crypt.world->fake), HR_OK);
    take_keys(crypt.world);
    assert_int_not_equal(tool(&crypt, NULL, NULL), HR_OK);
    free(key);
    kept_free(&kept);
    crypt_free(&crypt);
}

static void the_recovery_key_opens_what_is_kept_and_no_other_does(void **state)
{
    (void)state;
    struct crypt crypt = crypt_with_backup();
    struct kept kept = {.count = 0};
    keep(&crypt, &kept);
    assert_int_equal(tool(&crypt, NULL, NULL), HR_OK);
    char *key = printed(&crypt);
    assert_int_equal(tool(&crypt, "use", "EsT9 not a key"), HR_EINVAL);
    assert_int_equal(tool(&crypt, "new", NULL), HR_OK);
    struct kept newer = {.count = 0};
    keep(&crypt, &newer);
    assert_int_equal(newer.count, 6);
    assert_int_equal(tool(&crypt, "use", key), HR_OK); /* the old one: asks the server, and waits */
    keep(&crypt, &newer);
    assert_int_equal(tool(&crypt, "use", key), HR_EDENIED);
    assert_non_null(fake_with(crypt.world->fake, FAKE_OUT, "not the recovery key in use"));
    fake_forget(crypt.world->fake);
    assert_int_equal(tool(&crypt, NULL, NULL), HR_OK);
    free(key);
    key = printed(&crypt);
    assert_int_equal(tool(&crypt, "use", key), HR_OK);
    keep(&crypt, &newer);
    assert_null(fake_with(crypt.world->fake, FAKE_LOG, key));
    free(key);
    kept_free(&newer);
    kept_free(&kept);
    crypt_free(&crypt);
}

static void no_new_recovery_key_over_the_secrets_of_another_identity(void **state)
{
    (void)state;
    struct crypt crypt = crypt_with_backup();
    struct kept kept = {.count = 0};
    keep(&crypt, &kept);
    size_t before = kept.count;
    e2ee_close(mx_of(crypt.world), "somebody has reset the identity");
    assert_int_equal(tool(&crypt, "new", NULL), HR_EDENIED);
    keep(&crypt, &kept);
    assert_int_equal(kept.count, before);
    kept_free(&kept);
    crypt_free(&crypt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_backup_is_read_like_a_strangers),
        cmocka_unit_test(a_reply_of_any_type_is_no_key),
        cmocka_unit_test(a_backup_of_somebody_else_is_not_touched),
        cmocka_unit_test(no_backup_is_made_where_none_is_wanted),
        cmocka_unit_test(a_better_copy_that_comes_meanwhile_is_backed_up_too),
        cmocka_unit_test(the_recovery_key_is_shown_once_and_stands_nowhere_else),
        cmocka_unit_test(the_recovery_key_opens_what_is_kept_and_no_other_does),
        cmocka_unit_test(no_new_recovery_key_over_the_secrets_of_another_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
