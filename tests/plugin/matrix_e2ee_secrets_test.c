/* SPDX-License-Identifier: MIT */
/* Attachments, secret storage, recovery keys, the backup: vectors made by other programs, and what is refused. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/attachment.h"
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"
#include "../../plugins/matrix/e2ee/secret_storage.h"

/* ---- attachments ---- */

static void an_attachment_of_matrix_nio_is_read(void **state)
{
    static const char file[] =
        "{\"v\":\"v2\",\"key\":{\"kty\":\"oct\",\"alg\":\"A256CTR\",\"ext\":true,"
        "\"k\":\"2o_fchZDz6Ng6oT0B3yOphzm9G_96HRre5EjThOJWA8\",\"key_ops\":[\"encrypt\",\"decrypt\"]},"
        "\"iv\":\"sCpp8K8EV2QAAAAAAAAAAA\",\"hashes\":{\"sha256\":\"m1eH+ShDUFfrCZ4fRCu5/ZRBl0Qb4i9k+XoVePxholA\"}}";
    uint8_t bytes[35];
    struct attachment attachment;
    json_t *json = json_of(file);
    (void)state;
    from_hex("3fde8246ebf79c6a1f56c14e00e4ced792dc1a6d52eaac5be5ce7d4b382d74f71952ec", bytes, sizeof(bytes));
    assert_int_equal(attachment_read(json, &attachment), HR_OK);
    assert_int_equal(attachment_decrypt(&attachment, bytes, sizeof(bytes)), HR_OK);
    assert_memory_equal(bytes, "An attachment of two lines\nand some", sizeof(bytes));
    json_decref(json);
}

static void an_attachment_comes_back_through_its_json(void **state)
{
    enum { LEN = 3 * 1024 * 1024 + 7 };
    uint8_t *bytes = calloc(1, LEN), *plain = calloc(1, LEN);
    struct attachment sent, received;
    (void)state;
    assert_non_null(bytes);
    assert_non_null(plain);
    attachment_encrypt(&sent, bytes, LEN);
    assert_memory_not_equal(bytes, plain, 64);
    assert_memory_not_equal(sent.iv, plain, 8);
    assert_memory_equal(sent.iv + 8, plain, 8); /* the counter starts at zero */
    json_t *file = attachment_json(&sent, "mxc://hs.test/abc");
    assert_string_equal(json_string_value(json_object_get(file, "url")), "mxc://hs.test/abc");
    assert_int_equal(attachment_read(file, &received), HR_OK);
    assert_memory_equal(&sent, &received, sizeof(sent));
    assert_int_equal(attachment_decrypt(&received, bytes, LEN), HR_OK);
    assert_memory_equal(bytes, plain, LEN);
    json_decref(file);
    free(bytes);
    free(plain);
}

static void a_changed_attachment_is_refused_before_it_is_decrypted(void **state)
{
    uint8_t bytes[40] = "some bytes", copy[40];
    struct attachment attachment;
    (void)state;
    attachment_encrypt(&attachment, bytes, sizeof(bytes));
    bytes[39] ^= 1;
    memcpy(copy, bytes, sizeof(copy));
    assert_int_equal(attachment_decrypt(&attachment, bytes, sizeof(bytes)), HR_EDENIED);
    assert_int_equal(attachment_decrypt(&attachment, bytes, 39), HR_EDENIED);
    assert_memory_equal(bytes, copy, sizeof(bytes));
}

static void attachments_of_another_form_are_refused(void **state)
{
    static const char *const odd[][2] = {{"", "{\"v\":\"v1\"}"},
                                         {"", "{\"v\":2}"},
                                         {"", "{\"iv\":\"AAAA\"}"},
                                         {"", "{\"iv\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"}"},
                                         {"", "{\"iv\":null}"},
                                         {"", "{\"key\":[]}"},
                                         {"", "{\"hashes\":{}}"},
                                         {"hashes", "{\"sha256\":\"AAAA\"}"},
                                         {"key", "{\"alg\":\"A128CTR\"}"},
                                         {"key", "{\"kty\":\"rsa\"}"},
                                         {"key", "{\"k\":\"AAAA\"}"},
                                         {"key", "{\"k\":\"2o/fchZDz6Ng6oT0B3yOphzm9G/96HRre5EjThOJWA8\"}"}};
    struct attachment attachment, read;
    uint8_t byte = 1;
    (void)state;
    attachment_encrypt(&attachment, &byte, 1);
    for (size_t i = 0; i < COUNT(odd); i++) {
        json_t *file = attachment_json(&attachment, "mxc://x/y"), *change = json_of(odd[i][1]);
        (void)json_object_update(odd[i][0][0] == '\0' ? file : json_object_get(file, odd[i][0]), change);
        assert_int_equal(attachment_read(file, &read), HR_EINVAL);
        json_decref(change);
        json_decref(file);
    }
    assert_int_equal(attachment_read(NULL, &read), HR_EINVAL);
}

/* ---- secret storage ---- */

static const uint8_t storage_key[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static void storage_written_by_another_program_is_opened(void **state)
{
    json_t *description = json_of("{\"algorithm\":\"m.secret_storage.v1.aes-hmac-sha2\",\"iv\":"
                                  "\"EBESExQVFhcYGRobHB0eHw==\",\"mac\":"
                                  "\"nrMWSgMXBpO1lS9nLEL08Saa+XuAn1pdQ0B7gSgsrQQ=\"}");
    json_t *sealed = json_of("{\"iv\":\"EBESExQVFhcYGRobHB0eHw\",\"ciphertext\":\"PbEKcvepAJQ\",\"mac\":"
                             "\"4hhb9ZeuwEWflWw2YwkP9eVbTQBjk+A7j9rnk7TB/vo\"}");
    char *secret;
    size_t len;
    (void)state;
    assert_int_equal(secret_storage_check(description, storage_key), HR_OK);
    assert_int_equal(secret_storage_open(storage_key, "m.cross_signing.master", sealed, &secret, &len), HR_OK);
    assert_int_equal(len, 8);
    assert_string_equal(secret, "a secret");
    curve_free(secret, len);
    json_decref(description);
    json_decref(sealed);
}

static void a_key_is_told_from_another(void **state)
{
    uint8_t other[32] = {1};
    json_t *description = secret_storage_describe(storage_key);
    (void)state;
    assert_int_equal(secret_storage_check(description, storage_key), HR_OK);
    assert_int_equal(secret_storage_check(description, other), HR_EDENIED);
    (void)json_object_set_new(description, "algorithm", json_string("m.another"));
    assert_int_equal(secret_storage_check(description, storage_key), HR_EINVAL);
    json_decref(description);
    description = json_of("{\"algorithm\":\"m.secret_storage.v1.aes-hmac-sha2\"}");
    assert_int_equal(secret_storage_check(description, storage_key), HR_ENOTFOUND);
    (void)json_object_set_new(description, "mac", json_string("AAAA"));
    assert_int_equal(secret_storage_check(description, storage_key), HR_EINVAL);
    assert_int_equal(secret_storage_check(NULL, storage_key), HR_EINVAL);
    json_decref(description);
}

static void a_secret_opens_under_its_own_key_and_name_only(void **state)
{
    uint8_t other[32] = {1}, seed[32] = {9, 8, 7}, back[32] = {0};
    char *secret = NULL;
    size_t len = 77;
    json_t *sealed;
    (void)state;
    assert_int_equal(secret_storage_seal_key(storage_key, "m.megolm_backup.v1", seed, &sealed), HR_OK);
    assert_int_equal(secret_storage_open_key(storage_key, "m.megolm_backup.v1", sealed, back), HR_OK);
    assert_memory_equal(seed, back, 32);
    memset(back, 0x55, 32);
    assert_int_equal(secret_storage_open_key(other, "m.megolm_backup.v1", sealed, back), HR_EDENIED);
    assert_int_equal(secret_storage_open_key(storage_key, "m.cross_signing.master", sealed, back), HR_EDENIED);
    assert_int_equal(back[0], 0x55);
    (void)json_object_set_new(sealed, "ciphertext", json_string("AAAA"));
    assert_int_equal(secret_storage_open(storage_key, "m.megolm_backup.v1", sealed, &secret, &len), HR_EDENIED);
    (void)json_object_set_new(sealed, "ciphertext", json_string("A\xc3\x81"));
    assert_int_equal(secret_storage_open(storage_key, "m.megolm_backup.v1", sealed, &secret, &len), HR_EINVAL);
    (void)json_object_del(sealed, "mac");
    assert_int_equal(secret_storage_open(storage_key, "m.megolm_backup.v1", sealed, &secret, &len), HR_EINVAL);
    assert_int_equal(secret_storage_open(storage_key, "x", NULL, &secret, &len), HR_EINVAL);
    assert_null(secret);
    assert_int_equal(len, 77);
    json_decref(sealed);
}

static void secrets_have_a_ceiling_and_keys_a_length(void **state)
{
    char *big = calloc(1, 2 * SECRET_STORAGE_MAX), *secret = NULL;
    uint8_t back[32];
    size_t len;
    json_t *sealed = NULL;
    (void)state;
    assert_non_null(big);
    assert_int_equal(secret_storage_seal(storage_key, "x", big, SECRET_STORAGE_MAX + 1, &sealed), HR_ELIMIT);
    assert_null(sealed);
    assert_int_equal(secret_storage_seal(storage_key, "x", big, SECRET_STORAGE_MAX, &sealed), HR_OK);
    assert_int_equal(secret_storage_open(storage_key, "x", sealed, &secret, &len), HR_OK);
    assert_int_equal(len, SECRET_STORAGE_MAX);
    curve_free(secret, len);
    secret = NULL;
    memset(big, 'A', 2 * SECRET_STORAGE_MAX);
    (void)json_object_set_new(sealed, "ciphertext", json_stringn(big, 2 * SECRET_STORAGE_MAX));
    assert_int_equal(secret_storage_open(storage_key, "x", sealed, &secret, &len), HR_ELIMIT);
    json_decref(sealed);
    assert_int_equal(secret_storage_seal(storage_key, "x", "c2hvcnQ", 7, &sealed), HR_OK);
    assert_int_equal(secret_storage_open_key(storage_key, "x", sealed, back), HR_EINVAL);
    json_decref(sealed);
    free(big);
}

static void the_sign_bit_of_the_counter_is_clear(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        uint8_t iv[16];
        json_t *description = secret_storage_describe(storage_key);
        assert_int_equal(base64_exact(BASE64, json_string_value(json_object_get(description, "iv")), iv, sizeof(iv)),
                         HR_OK);
        assert_int_equal(iv[8] & 0x80, 0);
        json_decref(description);
    }
}

/* ---- what people keep ---- */

#define RECOVERY "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qigr V9bM 4Hap nEPb pkRQ"

static void a_recovery_key_has_its_known_form(void **state)
{
    uint8_t key[32], back[32];
    char text[SECRET_STORAGE_RECOVERY];
    (void)state;
    from_hex("77076d0a7318a57d3c16c17251b26645df4c2f92ebc0992ac177fba51db92c2a", key, 32);
    secret_storage_recovery_write(key, text);
    assert_string_equal(text, RECOVERY);
    assert_int_equal(secret_storage_recovery_read(RECOVERY, back), HR_OK);
    assert_memory_equal(key, back, 32);
    assert_int_equal(secret_storage_recovery_read("\tEsTcLW2KPGiFwKEA3As5g5c4\r\n BXwkqigr  V9bM4HapnEPbpkRQ \n", back),
                     HR_OK);
    assert_memory_equal(key, back, 32);
    for (int byte = 0; byte < 256; byte += 15) { /* whatever the key, it is 48 characters */
        memset(key, byte, sizeof(key));
        secret_storage_recovery_write(key, text);
        assert_int_equal(strlen(text), 59);
        assert_int_equal(secret_storage_recovery_read(text, back), HR_OK);
        assert_memory_equal(key, back, 32);
    }
}

static void a_mistyped_recovery_key_is_noticed(void **state)
{
    static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl-";
    char text[] = RECOVERY;
    uint8_t key[32] = {0x55};
    int taken = 0, tried = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        char was = text[i];
        for (const char *digit = digits; was != ' ' && *digit != '\0'; digit++) {
            if (*digit != was) {
                text[i] = *digit;
                tried++;
                taken += secret_storage_recovery_read(text, key) == HR_OK;
            }
        }
        text[i] = was;
    }
    assert_int_equal(tried, 48 * 62);
    assert_true(taken < tried / 100); /* parity has eight bits */
    assert_int_equal(secret_storage_recovery_read("", key), HR_EINVAL);
    assert_int_equal(secret_storage_recovery_read("EsTc", key), HR_EINVAL);
    assert_int_equal(secret_storage_recovery_read(RECOVERY " 1", key), HR_EINVAL);
    assert_int_equal(secret_storage_recovery_read("EsT\xc3\xa9 LW2K", key), HR_EINVAL);
    assert_int_equal(secret_storage_recovery_read("zzzz zzzz zzzz zzzz zzzz zzzz zzzz zzzz zzzz zzzz zzzz zzzz", key),
                     HR_EINVAL); /* more than 35 bytes */
    assert_int_equal(secret_storage_recovery_read("1111 1111 1111 1111 1111 1111 1111 1111 1111 1111 1111 1111", key),
                     HR_EDENIED);
}

static void a_passphrase_becomes_the_key_other_programs_get(void **state)
{
    uint8_t key[32];
    json_t *parameters = json_of("{\"algorithm\":\"m.pbkdf2\",\"salt\":\"salt and more\",\"iterations\":1000}");
    (void)state;
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_OK);
    assert_hex(key, 32, "c47d3c7b2a0b53eee8ed5d8906d7978337ac8e42a7820d78d642ed39195a40d5");
    (void)json_object_set_new(parameters, "bits", json_integer(256));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_OK);
    (void)json_object_set_new(parameters, "bits", json_integer(512));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_EINVAL);
    (void)json_object_del(parameters, "bits");
    (void)json_object_set_new(parameters, "iterations", json_integer(999));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_ELIMIT);
    (void)json_object_set_new(parameters, "iterations", json_integer(2147483647));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_ELIMIT);
    (void)json_object_set_new(parameters, "iterations", json_string("1000"));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_ELIMIT);
    (void)json_object_set_new(parameters, "algorithm", json_string("m.argon2"));
    assert_int_equal(secret_storage_passphrase(parameters, "a long passphrase", key), HR_EINVAL);
    assert_int_equal(secret_storage_passphrase(NULL, "a long passphrase", key), HR_EINVAL);
    json_decref(parameters);
}

/* ---- backup ---- */

static void what_is_sealed_for_the_backup_is_opened_with_its_key(void **state)
{
    uint8_t private[32] = {8}, other[32] = {16}; /* the lowest three bits don't count */
    char public[BASE64_KEY], *plaintext = NULL;
    struct ratchet_sealed sealed = {0};
    size_t len;
    (void)state;
    ratchet_backup_public(private, public);
    assert_int_equal(curve_check(public), HR_OK);
    assert_int_equal(ratchet_backup_seal(public, "{\"session_key\":\"x\"}", 19, &sealed), HR_OK);
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, sealed.mac, sealed.ephemeral, &plaintext, &len),
                     HR_OK);
    assert_int_equal(len, 19);
    assert_string_equal(plaintext, "{\"session_key\":\"x\"}");
    curve_free(plaintext, len);
    plaintext = NULL;
    assert_int_equal(ratchet_backup_open(other, sealed.ciphertext, sealed.mac, sealed.ephemeral, &plaintext, &len),
                     HR_EDENIED);
    assert_null(plaintext);
    ratchet_sealed_clear(&sealed);
    ratchet_sealed_clear(&sealed);
}

static void a_backup_entry_of_another_form_is_refused(void **state)
{
    uint8_t private[32] = {5};
    char public[BASE64_KEY], *plaintext = NULL, bad[256];
    struct ratchet_sealed sealed = {0};
    size_t len, cipher_len;
    (void)state;
    static const char zero[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    ratchet_backup_public(private, public);
    assert_int_equal(ratchet_backup_seal(zero, "x", 1, &sealed), HR_EINVAL);
    assert_int_equal(ratchet_backup_seal(NULL, "x", 1, &sealed), HR_EINVAL);
    assert_int_equal(ratchet_backup_seal(public, public, RATCHET_MAX_PLAINTEXT + 1, &sealed), HR_ELIMIT);
    assert_null(sealed.ciphertext);
    assert_int_equal(ratchet_backup_seal(public, "x", 1, &sealed), HR_OK);
    cipher_len = strlen(sealed.ciphertext);
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, sealed.mac, zero, &plaintext, &len), HR_EINVAL);
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, sealed.mac, NULL, &plaintext, &len), HR_EINVAL);
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, "AAAA", sealed.ephemeral, &plaintext, &len),
                     HR_EINVAL);
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, NULL, sealed.ephemeral, &plaintext, &len),
                     HR_EINVAL);
    assert_int_equal(ratchet_backup_open(private, NULL, sealed.mac, sealed.ephemeral, &plaintext, &len), HR_EINVAL);
    for (size_t cut = 0; cut < cipher_len; cut++) {
        memcpy(bad, sealed.ciphertext, cut);
        bad[cut] = '\0';
        assert_int_equal(ratchet_backup_open(private, bad, sealed.mac, sealed.ephemeral, &plaintext, &len), HR_EINVAL);
    }
    sealed.mac[0] = sealed.mac[0] == 'A' ? 'B' : 'A';
    assert_int_equal(ratchet_backup_open(private, sealed.ciphertext, sealed.mac, sealed.ephemeral, &plaintext, &len),
                     HR_EDENIED);
    assert_null(plaintext);
    ratchet_sealed_clear(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attachment_of_matrix_nio_is_read),
        cmocka_unit_test(an_attachment_comes_back_through_its_json),
        cmocka_unit_test(a_changed_attachment_is_refused_before_it_is_decrypted),
        cmocka_unit_test(attachments_of_another_form_are_refused),
        cmocka_unit_test(storage_written_by_another_program_is_opened),
        cmocka_unit_test(a_key_is_told_from_another),
        cmocka_unit_test(a_secret_opens_under_its_own_key_and_name_only),
        cmocka_unit_test(secrets_have_a_ceiling_and_keys_a_length),
        cmocka_unit_test(the_sign_bit_of_the_counter_is_clear),
        cmocka_unit_test(a_recovery_key_has_its_known_form),
        cmocka_unit_test(a_mistyped_recovery_key_is_noticed),
        cmocka_unit_test(a_passphrase_becomes_the_key_other_programs_get),
        cmocka_unit_test(what_is_sealed_for_the_backup_is_opened_with_its_key),
        cmocka_unit_test(a_backup_entry_of_another_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
