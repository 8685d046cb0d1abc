/* SPDX-License-Identifier: MIT */
/* Base64, foreign keys, signatures and canonical JSON: known vectors, and what must be refused. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/canonical.h"
#include "../../plugins/matrix/e2ee/curve.h"

/* ---- base64 ---- */

static void base64_has_the_vectors_of_its_rfc_without_padding(void **state)
{
    static const char *const vector[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/"}};
    (void)state;
    for (size_t i = 0; i < COUNT(vector); i++) {
        char text[16], bytes[16];
        size_t len = 99;
        assert_int_equal(base64_encode(BASE64, vector[i][0], strlen(vector[i][0]), text), strlen(vector[i][1]));
        assert_string_equal(text, vector[i][1]);
        assert_int_equal(base64_decode(BASE64, text, strlen(text), bytes, sizeof(bytes), &len), HR_OK);
        assert_int_equal(len, strlen(vector[i][0]));
        assert_memory_equal(bytes, vector[i][0], len);
    }
}

static void base64_for_urls_has_its_own_two_characters(void **state)
{
    char text[8], bytes[8];
    size_t len;
    (void)state;
    (void)base64_encode(BASE64_URL, "\xfb\xff\xbf", 3, text);
    assert_string_equal(text, "-_-_");
    assert_int_equal(base64_decode(BASE64_URL, "-_-_", 4, bytes, 8, &len), HR_OK);
    assert_int_equal(base64_decode(BASE64_URL, "+/+/", 4, bytes, 8, &len), HR_EINVAL);
    assert_int_equal(base64_decode(BASE64, "-_-_", 4, bytes, 8, &len), HR_EINVAL);
}

static void every_byte_outside_of_the_alphabet_is_refused_the_top_bit_too(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int good = 0;
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[4] = {'A', 'A', 'A', (char)c};
        uint8_t bytes[3] = {0};
        size_t len;
        int status = base64_decode(BASE64, text, 4, bytes, 3, &len);
        const char *at = c == 0 ? NULL : strchr(alphabet, c);
        assert_int_equal(status, at != NULL ? HR_OK : HR_EINVAL);
        assert_int_equal(base64_valid(text, 4), at != NULL);
        if (at != NULL) {
            good++;
            assert_int_equal(bytes[2], at - alphabet);
        }
    }
    assert_int_equal(good, 64);
}

static void bits_left_over_and_impossible_lengths_are_refused(void **state)
{
    char bytes[8];
    size_t len = 77;
    (void)state;
    assert_int_equal(base64_decode(BASE64, "Zh", 2, bytes, 8, &len), HR_EINVAL); /* Zg and Zh would both be "f" */
    assert_int_equal(base64_decode(BASE64, "Zm9", 3, bytes, 8, &len), HR_EINVAL);
    assert_int_equal(base64_decode(BASE64, "A", 1, bytes, 8, &len), HR_EINVAL);
    assert_int_equal(base64_decode(BASE64, "AAAAA", 5, bytes, 8, &len), HR_EINVAL);
    assert_int_equal(base64_decode(BASE64, "Zg==", 4, bytes, 8, &len), HR_EINVAL);
    assert_int_equal(base64_decode(BASE64, "Zm9vYmFy", 8, bytes, 5, &len), HR_ELIMIT);
    assert_int_equal(len, 77);
}

static void padding_is_read_only_where_it_is_asked_for_and_right(void **state)
{
    static const struct {
        const char *text;
        int status;
    } row[] = {{"Zg==", HR_OK},    {"Zg", HR_OK},       {"Zm8=", HR_OK},      {"Zm9v", HR_OK},
               {"Zg=", HR_EINVAL}, {"Z===", HR_EINVAL}, {"Zm9v=", HR_EINVAL}, {"Zm9v====", HR_EINVAL},
               {"=", HR_EINVAL},   {"====", HR_EINVAL}};
    char bytes[8];
    size_t len;
    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        assert_int_equal(base64_decode(BASE64_PADDED, row[i].text, strlen(row[i].text), bytes, 8, &len), row[i].status);
    }
}

/* ---- primitives ---- */

static void hash_hmac_and_hkdf_have_their_known_vectors(void **state)
{
    uint8_t out[42], key[22], salt[13], info[10];
    (void)state;
    curve_sha256("abc", 3, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    curve_hmac("Jefe", 4, "what do ya want for nothing?", 28, out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0x0b, sizeof(key)); /* RFC 5869, case 1 */
    from_hex("000102030405060708090a0b0c", salt, sizeof(salt));
    from_hex("f0f1f2f3f4f5f6f7f8f9", info, sizeof(info));
    curve_hkdf(key, 22, salt, 13, (const char *)info, 10, out, 42);
    assert_hex(out, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    curve_hkdf(key, 22, NULL, 0, "", 0, out, 42); /* case 3 */
    assert_hex(out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void aes_in_counter_mode_has_its_known_vector(void **state)
{
    uint8_t key[32], iv[16], bytes[16]; /* NIST SP 800-38A, F.5.5 */
    (void)state;
    from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key, 32);
    from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", iv, 16);
    from_hex("6bc1bee22e409f96e93d7e117393172a", bytes, 16);
    curve_aes_ctr(key, iv, bytes, sizeof(bytes));
    assert_hex(bytes, 16, "601ec313775789a5b7a7f504bbf3d228");
}

static void random_bytes_differ(void **state)
{
    uint8_t a[600] = {0}, b[600] = {0};
    (void)state;
    curve_random(a, sizeof(a));
    curve_random(b, sizeof(b));
    assert_false(curve_equal(a, b, sizeof(a)));
    assert_false(curve_equal(a + 568, b + 568, 32));
}

/* ---- keys of others ---- */

static void curve25519_points_of_low_order_and_second_encodings_are_refused(void **state)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000", /* 0 */
        "0100000000000000000000000000000000000000000000000000000000000000", /* 1 */
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", /* order 8 */
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", /* order 8 */
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p - 1 */
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p, again 0 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1, again 1 */
        "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 9, again 9 */
        "0900000000000000000000000000000000000000000000000000000000000080", /* 9 with the top bit */
    };
    uint8_t bytes[32] = {9};
    char text[BASE64_KEY];
    (void)state;
    assert_int_equal(curve_check_bytes(bytes), HR_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        from_hex(bad[i], bytes, 32);
        (void)base64_encode(BASE64, bytes, 32, text);
        if (curve_check(text) != HR_EINVAL) {
            fail_msg("%s is taken", bad[i]);
        }
    }
    assert_int_equal(curve_check(NULL), HR_EINVAL);
    assert_int_equal(curve_check(""), HR_EINVAL);
    assert_int_equal(curve_check("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), HR_OK);
    assert_int_equal(curve_check("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"), HR_EINVAL); /* bits left over */
    assert_int_equal(curve_check("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), HR_EINVAL);
    assert_int_equal(curve_check("CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), HR_EINVAL);
}

static void ed25519_points_of_low_order_are_refused_with_either_sign(void **state)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t bytes[32];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        from_hex(bad[i], bytes, 32);
        assert_int_equal(curve_check_ed25519_bytes(bytes), HR_EINVAL);
        bytes[31] |= 0x80;
        assert_int_equal(curve_check_ed25519_bytes(bytes), HR_EINVAL);
    }
}

/* ---- signatures ---- */

static void ed25519_signs_and_verifies_as_its_rfc_says(void **state)
{
    uint8_t seed[32], signature[64], message[2] = {0xaf, 0x82}; /* RFC 8032, 7.1, test 3 */
    char public[BASE64_KEY], text[BASE64_SIGNATURE];
    (void)state;
    from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", seed, 32);
    curve_public(seed, public);
    curve_sign(seed, message, 2, text);
    assert_int_equal(base64_exact(BASE64, text, signature, 64), HR_OK);
    assert_hex(signature, 64,
               "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
               "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    assert_int_equal(curve_verify(public, message, 2, text), HR_OK);
    assert_int_equal(curve_verify(public, message, 1, text), HR_EDENIED);
    assert_int_equal(curve_verify(public, message, 2, NULL), HR_EINVAL);
    assert_int_equal(curve_verify(NULL, message, 2, text), HR_EINVAL);
}

static void a_signature_with_the_order_added_is_refused(void **state)
{
    uint8_t seed[32] = {7}, bytes[64], order[32];
    char public[BASE64_KEY], text[BASE64_SIGNATURE];
    unsigned carry = 0;
    (void)state;
    curve_public(seed, public);
    curve_sign(seed, "x", 1, text);
    assert_int_equal(base64_exact(BASE64, text, bytes, 64), HR_OK);
    from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", order, 32);
    for (size_t i = 0; i < 32; i++) {
        carry += bytes[32 + i] + order[i];
        bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    (void)base64_encode(BASE64, bytes, 64, text);
    assert_int_equal(curve_verify(public, "x", 1, text), HR_EINVAL);
    assert_false(curve_scalar_small(order));
    order[0]--;
    assert_true(curve_scalar_small(order));
}

static void the_identity_as_key_signs_nothing(void **state)
{
    uint8_t key[32] = {1}, signature[64] = {1}; /* R the identity, S zero: libolm takes it for any message */
    char public[BASE64_KEY], text[BASE64_SIGNATURE];
    (void)state;
    (void)base64_encode(BASE64, key, 32, public);
    (void)base64_encode(BASE64, signature, 64, text);
    assert_int_equal(curve_verify(public, "anything", 8, text), HR_EINVAL);
}

/* ---- canonical JSON ---- */

static void assert_canonical(const char *json, const char *want)
{
    struct mem_buf out = {.max = 65536};
    json_t *value = json_of(json);
    assert_int_equal(canonical_write(value, &out), HR_OK);
    assert_string_equal(mem_text(&out), want);
    mem_clear(&out);
    json_decref(value);
}

static void canonical_json_has_the_examples_of_the_specification(void **state)
{
    (void)state;
    assert_canonical("{}", "{}");
    assert_canonical("{\"one\": 1, \"two\": \"Two\"}", "{\"one\":1,\"two\":\"Two\"}");
    assert_canonical("{\"b\": \"2\", \"a\": \"1\"}", "{\"a\":\"1\",\"b\":\"2\"}");
    assert_canonical("{\"auth\":{\"success\":true,\"mxid\":\"@john.doe:example.com\",\"profile\":{\"display_name\":"
                     "\"John Doe\",\"three_pids\":[{\"medium\":\"email\",\"address\":\"john.doe@example.org\"},"
                     "{\"medium\":\"msisdn\",\"address\":\"123456789\"}]}}}",
                     "{\"auth\":{\"mxid\":\"@john.doe:example.com\",\"profile\":{\"display_name\":\"John Doe\","
                     "\"three_pids\":[{\"address\":\"john.doe@example.org\",\"medium\":\"email\"},{\"address\":"
                     "\"123456789\",\"medium\":\"msisdn\"}]},\"success\":true}}");
    assert_canonical("{\"a\": \"日本語\"}", "{\"a\":\"日本語\"}");
    assert_canonical("{\"本\": 2, \"日\": 1}", "{\"日\":1,\"本\":2}");
    assert_canonical("{\"a\": \"\\u65E5\"}", "{\"a\":\"日\"}");
    assert_canonical("{\"a\": null}", "{\"a\":null}");
    assert_canonical("{\"a\": -0, \"b\": 1e10}", "{\"a\":0,\"b\":10000000000}");
}

static void control_characters_are_escaped_the_one_way(void **state)
{
    (void)state;
    assert_canonical("\"\\u0000\\u0001\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u001B\\u001f \\u007f\\\"\\\\\\/\"",
                     "\"\\u0000\\u0001\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u001b\\u001f \x7f\\\"\\\\/\"");
}

static void keys_are_sorted_by_code_point_not_by_utf_16(void **state)
{
    (void)state; /* U+FF61 comes before U+10002, whose first half in UTF-16 is 0xd800 */
    assert_canonical("{\"\xf0\x90\x80\x82\":1,\"\xef\xbd\xa1\":2,\"ab\":3,\"a\":4,\"\":5}",
                     "{\"\":5,\"a\":4,\"ab\":3,\"\xef\xbd\xa1\":2,\"\xf0\x90\x80\x82\":1}");
}

static void numbers_have_the_range_of_a_double_and_no_fraction(void **state)
{
    static const char *const bad[] = {
        "9007199254740992", "-9007199254740992", "1.5", "1e300", "[1e-3]", "{\"a\":{\"b\":[9007199254740992.0]}}"};
    struct mem_buf out = {.max = 65536};
    (void)state;
    assert_canonical("[9007199254740991,-9007199254740991,-0.0]", "[9007199254740991,-9007199254740991,0]");
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *value = json_of(bad[i]);
        assert_int_equal(canonical_write(value, &out), HR_EINVAL);
        assert_null(out.at);
        json_decref(value);
    }
}

static void nesting_and_size_have_a_ceiling(void **state)
{
    struct mem_buf out = {.max = 1 << 20}, small = {.max = 10};
    json_t *value = json_integer(1), *long_one = json_of("[1,2,3,4,5,6]");
    (void)state;
    for (int i = 0; i < CANONICAL_MAX_DEPTH; i++) {
        value = json_pack("[o]", value);
    }
    assert_int_equal(canonical_write(value, &out), HR_OK);
    mem_clear(&out);
    value = json_pack("{s:o}", "a", value);
    assert_int_equal(canonical_write(value, &out), HR_ELIMIT);
    assert_null(out.at);
    assert_int_equal(canonical_write(long_one, &small), HR_ELIMIT);
    assert_null(small.at);
    json_decref(long_one);
    long_one = json_string("longer than ten"); /* full at the very end */
    assert_int_equal(canonical_write(long_one, &small), HR_ELIMIT);
    assert_null(small.at);
    json_decref(long_one);
    json_decref(value);
}

/* ---- signed objects ---- */

static void seed_of_specification(uint8_t seed[32], char public[BASE64_KEY])
{
    assert_int_equal(base64_exact(BASE64, "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0", seed, 32), HR_OK);
    curve_public(seed, public);
}

static void objects_are_signed_as_in_the_specification(void **state)
{
    static const char *const vector[][2] = {
        {"{}", "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"},
        {"{\"one\":1,\"two\":\"Two\"}",
         "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}};
    uint8_t seed[32];
    char public[BASE64_KEY];
    (void)state;
    seed_of_specification(seed, public);
    for (size_t i = 0; i < COUNT(vector); i++) {
        json_t *object = json_of(vector[i][0]);
        assert_int_equal(canonical_sign_seed(object, "domain", "ed25519:1", seed), HR_OK);
        assert_string_equal(json_string_value(json_object_get(
                                json_object_get(json_object_get(object, "signatures"), "domain"), "ed25519:1")),
                            vector[i][1]);
        assert_int_equal(canonical_verify(object, "domain", "ed25519:1", public), HR_OK);
        json_decref(object);
    }
}

static void a_signature_covers_all_but_signatures_and_unsigned(void **state)
{
    uint8_t seed[32];
    char public[BASE64_KEY];
    json_t *object = json_of("{\"a\":1,\"unknown\":{\"b\":[2]},\"signatures\":{\"other\":{\"x\":\"y\"}}}");
    (void)state;
    seed_of_specification(seed, public);
    assert_int_equal(canonical_sign_seed(object, "domain", "ed25519:1", seed), HR_OK);
    assert_non_null(json_object_get(json_object_get(json_object_get(object, "signatures"), "other"), "x"));
    (void)json_object_set_new(object, "unsigned", json_of("{\"age\":3}"));
    assert_int_equal(canonical_verify(object, "domain", "ed25519:1", public), HR_OK);
    assert_int_equal(canonical_verify(object, "domain", "ed25519:2", public), HR_ENOTFOUND);
    assert_int_equal(canonical_verify(object, "other.domain", "ed25519:1", public), HR_ENOTFOUND);
    (void)json_object_set_new(json_object_get(object, "unknown"), "c", json_true());
    assert_int_equal(canonical_verify(object, "domain", "ed25519:1", public), HR_EDENIED);
    json_decref(object);
    assert_int_equal(canonical_verify(NULL, "domain", "ed25519:1", public), HR_EINVAL);
}

static void what_is_no_canonical_json_is_neither_signed_nor_verified(void **state)
{
    uint8_t seed[32];
    char public[BASE64_KEY];
    json_t *object = json_of("{\"a\":1.5}"), *array = json_array(), *good = json_object();
    (void)state;
    seed_of_specification(seed, public);
    assert_int_equal(canonical_sign_seed(object, "domain", "ed25519:1", seed), HR_EINVAL);
    assert_null(json_object_get(object, "signatures"));
    assert_int_equal(canonical_sign_seed(array, "domain", "ed25519:1", seed), HR_EINVAL);
    assert_int_equal(canonical_sign_seed(good, "do\xffmain", "ed25519:1", seed), HR_EINVAL); /* no UTF-8 */
    (void)json_object_set_new(object, "signatures", json_of("{\"domain\":{\"ed25519:1\":[]}}"));
    assert_int_equal(canonical_verify(object, "domain", "ed25519:1", public), HR_EINVAL);
    json_decref(object);
    json_decref(array);
    json_decref(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_has_the_vectors_of_its_rfc_without_padding),
        cmocka_unit_test(base64_for_urls_has_its_own_two_characters),
        cmocka_unit_test(every_byte_outside_of_the_alphabet_is_refused_the_top_bit_too),
        cmocka_unit_test(bits_left_over_and_impossible_lengths_are_refused),
        cmocka_unit_test(padding_is_read_only_where_it_is_asked_for_and_right),
        cmocka_unit_test(hash_hmac_and_hkdf_have_their_known_vectors),
        cmocka_unit_test(aes_in_counter_mode_has_its_known_vector),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(curve25519_points_of_low_order_and_second_encodings_are_refused),
        cmocka_unit_test(ed25519_points_of_low_order_are_refused_with_either_sign),
        cmocka_unit_test(ed25519_signs_and_verifies_as_its_rfc_says),
        cmocka_unit_test(a_signature_with_the_order_added_is_refused),
        cmocka_unit_test(the_identity_as_key_signs_nothing),
        cmocka_unit_test(canonical_json_has_the_examples_of_the_specification),
        cmocka_unit_test(control_characters_are_escaped_the_one_way),
        cmocka_unit_test(keys_are_sorted_by_code_point_not_by_utf_16),
        cmocka_unit_test(numbers_have_the_range_of_a_double_and_no_fraction),
        cmocka_unit_test(nesting_and_size_have_a_ceiling),
        cmocka_unit_test(objects_are_signed_as_in_the_specification),
        cmocka_unit_test(a_signature_covers_all_but_signatures_and_unsigned),
        cmocka_unit_test(what_is_no_canonical_json_is_neither_signed_nor_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
