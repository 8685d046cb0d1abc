/* SPDX-License-Identifier: MIT */
/* Short authentication strings: both sides see the same, and nothing is verified that shouldn't be. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/sas.h"

#include <stdio.h>

#define TXN "$request"

static const struct sas_party alice = {ALICE, "ADEV"}, bob = {BOB, "BDEV"};
static const struct sas_key bobs[2] = {
    {"ed25519:BDEV", "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"ed25519:DQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "DQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}};

struct both {
    struct ratchet_sas *alice, *bob;
};

static struct both both_new(void)
{
    struct both both = {ratchet_sas_new(), ratchet_sas_new()};
    assert_int_equal(ratchet_sas_set_their_key(both.alice, ratchet_sas_public(both.bob)), HR_OK);
    assert_int_equal(ratchet_sas_set_their_key(both.bob, ratchet_sas_public(both.alice)), HR_OK);
    return both;
}

static void both_free(struct both *both)
{
    ratchet_sas_free(both->alice);
    ratchet_sas_free(both->bob);
}

static void the_emoji_are_those_of_the_specification(void **state)
{
    char all[4096] = "";
    uint8_t hash[32];
    size_t len = 0;
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        int n = snprintf(all + len, sizeof(all) - len, "%u %s %s\n", i, sas_emoji(i)->symbol, sas_emoji(i)->name);
        assert_true(n > 0);
        len += (size_t)n;
    }
    curve_sha256(all, len, hash); /* of the same lines made from the specification's own table */
    assert_hex(hash, 32, "00f1e396936d3fb83ca783b0beb6f59826efb5b8aa91f1d1cb7a0dfe6800bd3f");
    assert_null(sas_emoji(64));
}

static void both_sides_see_the_same_and_a_third_doesn_t(void **state)
{
    struct both both = both_new();
    struct ratchet_sas *lonely = ratchet_sas_new();
    const char *a = ratchet_sas_public(both.alice), *b = ratchet_sas_public(both.bob);
    struct sas_code one, two, other;
    (void)state;
    assert_int_equal(sas_code(both.alice, alice, a, bob, b, TXN, &one), HR_OK);
    assert_int_equal(sas_code(both.bob, alice, a, bob, b, TXN, &two), HR_OK);
    assert_memory_equal(&one, &two, sizeof(one));
    for (size_t i = 0; i < SAS_DECIMALS; i++) {
        assert_in_range(one.decimal[i], 1000, 9191);
    }
    /* the decimals are the first 39 bits of the 42 the emoji show */
    uint64_t emoji = 0, decimal = 0;
    for (size_t i = 0; i < SAS_EMOJI; i++) {
        emoji = emoji << 6 | one.emoji[i];
    }
    for (size_t i = 0; i < SAS_DECIMALS; i++) {
        decimal = decimal << 13 | (uint64_t)(one.decimal[i] - 1000);
    }
    assert_int_equal(emoji >> 3, decimal);
    assert_int_equal(sas_code(both.alice, bob, b, alice, a, TXN, &other), HR_OK); /* who started matters */
    assert_memory_not_equal(&one, &other, sizeof(one));
    assert_int_equal(sas_code(both.alice, alice, a, bob, b, "$another", &other), HR_OK);
    assert_memory_not_equal(&one, &other, sizeof(one));
    assert_int_equal(sas_code(lonely, alice, a, bob, b, TXN, &other), HR_ENOTFOUND);
    ratchet_sas_free(lonely);
    both_free(&both);
}

static void a_key_of_low_order_or_a_second_key_is_refused(void **state)
{
    struct both both = both_new();
    struct ratchet_sas *fresh = ratchet_sas_new();
    (void)state;
    assert_int_equal(ratchet_sas_set_their_key(fresh, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), HR_EINVAL);
    assert_int_equal(ratchet_sas_set_their_key(fresh, NULL), HR_EINVAL);
    assert_int_equal(ratchet_sas_set_their_key(fresh, "x"), HR_EINVAL);
    assert_int_equal(ratchet_sas_set_their_key(both.alice, ratchet_sas_public(fresh)), HR_EEXIST);
    ratchet_sas_free(fresh);
    both_free(&both);
}

static void a_commitment_holds_for_one_key_and_one_start_only(void **state)
{
    json_t *start = json_of("{\"method\":\"m.sas.v1\",\"m.relates_to\":{\"event_id\":\"$request\"}}");
    char commitment[BASE64_KEY];
    (void)state;
    /* SHA-256 over the key and {"m.relates_to":{"event_id":"$request"},"method":"m.sas.v1"} */
    assert_int_equal(sas_commitment(bobs[0].key, start, commitment), HR_OK);
    assert_string_equal(commitment, "qcTrCAwVxpKsZmsmJ7funwsbgPghaqmvp3+7Hkfk/CY");
    assert_int_equal(sas_commitment_check(bobs[0].key, start, commitment), HR_OK);
    assert_int_equal(sas_commitment_check(bobs[1].key, start, commitment), HR_EDENIED);
    assert_int_equal(sas_commitment_check(bobs[0].key, start, NULL), HR_EDENIED);
    assert_int_equal(sas_commitment_check(bobs[0].key, start, ""), HR_EDENIED);
    (void)json_object_del(start, "m.relates_to");
    assert_int_equal(sas_commitment_check(bobs[0].key, start, commitment), HR_EDENIED);
    (void)json_object_set_new(start, "x", json_real(0.5));
    assert_int_equal(sas_commitment_check(bobs[0].key, start, commitment), HR_EINVAL);
    json_decref(start);
}

static void keys_that_are_vouched_for_are_found_good(void **state)
{
    struct both both = both_new();
    struct sas_key known[3] = {bobs[1], {"ed25519:NEW", bobs[0].key}, bobs[0]};
    bool good[3] = {true, true, true};
    json_t *content;
    (void)state;
    assert_int_equal(sas_mac_make(both.bob, bob, alice, TXN, bobs, 2, &content), HR_OK);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, content, known, 3, good), HR_OK);
    assert_true(good[0] && !good[1] && good[2]);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, content, known + 1, 1, good), HR_ENOTFOUND);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, content, NULL, 0, good), HR_ENOTFOUND);
    json_decref(content);
    both_free(&both);
}

static void macs_over_another_key_or_from_another_talk_are_refused(void **state)
{
    struct both both = both_new(), other = both_new();
    const struct sas_key changed[2] = {bobs[0], {bobs[1].id, bobs[0].key}}, twice[2] = {bobs[0], bobs[0]};
    bool good[2] = {false, false};
    json_t *content;
    (void)state;
    assert_int_equal(sas_mac_make(both.bob, bob, alice, TXN, bobs, 2, &content), HR_OK);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, content, changed, 2, good), HR_EDENIED);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, content, twice, 2, good), HR_EDENIED);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, "$another", content, bobs, 2, good), HR_EDENIED);
    assert_int_equal(sas_mac_check(both.alice, alice, bob, TXN, content, bobs, 2, good), HR_EDENIED);
    assert_int_equal(sas_mac_check(other.alice, bob, alice, TXN, content, bobs, 2, good), HR_EDENIED);
    assert_false(good[0] || good[1]);
    json_decref(content);
    both_free(&both);
    both_free(&other);
}

/* Taking an entry away, or the server adding one, is noticed by the MAC over the list. */
static void the_list_of_keys_is_covered_too(void **state)
{
    static const char *const odd[] = {"{}", "{\"mac\":{}}", "{\"mac\":[],\"keys\":\"x\"}", "{\"keys\":5}",
                                      "{\"mac\":{\"ed25519:BDEV\":7}}"};
    struct both both = both_new();
    bool good[2] = {false, false};
    json_t *content, *copy;
    (void)state;
    assert_int_equal(sas_mac_make(both.bob, bob, alice, TXN, bobs, 2, &content), HR_OK);
    copy = json_deep_copy(content);
    (void)json_object_del(json_object_get(copy, "mac"), bobs[1].id);
    assert_int_equal(sas_mac_check(both.alice, bob, alice, TXN, copy, bobs, 2, good), HR_EDENIED);
    json_decref(copy);
    copy = json_deep_copy(content);
    for (int i = 0; i < SAS_MAX_KEYS; i++) {
        char id[32];
        snprintf(id, sizeof(id), "ed25519:%d", i);
        (void)json_object_set_new(json_object_get(copy, "mac"), id, json_string("x"));
        assert_int_not_equal(sas_mac_check(both.alice, bob, alice, TXN, copy, bobs, 2, good), HR_OK);
    }
    json_decref(copy);
    for (size_t i = 0; i < COUNT(odd); i++) {
        copy = json_of(odd[i]);
        assert_int_not_equal(sas_mac_check(both.alice, bob, alice, TXN, copy, bobs, 2, good), HR_OK);
        json_decref(copy);
    }
    assert_false(good[0] || good[1]);
    json_decref(content);
    both_free(&both);
}

static void names_that_are_too_long_are_refused(void **state)
{
    struct both both = both_new();
    char name[5000];
    struct sas_code code;
    json_t *content = NULL;
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(sas_code(both.alice, alice, "a", bob, "b", name, &code), HR_ELIMIT);
    assert_int_equal(sas_mac_make(both.bob, bob, alice, name, bobs, 2, &content), HR_ELIMIT);
    assert_null(content);
    both_free(&both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_emoji_are_those_of_the_specification),
        cmocka_unit_test(both_sides_see_the_same_and_a_third_doesn_t),
        cmocka_unit_test(a_key_of_low_order_or_a_second_key_is_refused),
        cmocka_unit_test(a_commitment_holds_for_one_key_and_one_start_only),
        cmocka_unit_test(keys_that_are_vouched_for_are_found_good),
        cmocka_unit_test(macs_over_another_key_or_from_another_talk_are_refused),
        cmocka_unit_test(the_list_of_keys_is_covered_too),
        cmocka_unit_test(names_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
