/* SPDX-License-Identifier: MIT */
/* Device objects, one-time keys and cross-signing: made, and believed only when all holds. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/canonical.h"
#include "../../plugins/matrix/e2ee/cross_signing_keys.h"
#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/device_keys.h"

#define ZERO_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define IDENTITY_KEY "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int read_device(const json_t *object, const char *user, const char *device)
{
    struct device_keys keys;
    const char *why = "";
    int status = device_keys_read(object, user, device, &keys, &why);
    assert_true((status == HR_OK) == (why[0] == '\0'));
    return status;
}

static json_t *keys_of(json_t *object)
{
    return json_object_get(object, "keys");
}

/* ---- devices ---- */

static void our_own_device_object_can_be_read_by_others(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    json_t *object = device_keys_make(account, ALICE, "DEVICE");
    struct device_keys keys;
    (void)state;
    (void)json_object_set_new(object, "unsigned", json_of("{\"device_display_name\":\"a name\"}"));
    assert_int_equal(device_keys_read(object, ALICE, "DEVICE", &keys, NULL), HR_OK);
    assert_string_equal(keys.user, ALICE);
    assert_string_equal(keys.device, "DEVICE");
    assert_string_equal(keys.ed25519, ratchet_account_identity(account)->ed25519);
    assert_string_equal(keys.curve25519, ratchet_account_identity(account)->curve25519);
    assert_true(keys.olm && keys.megolm);
    json_decref(object);
    ratchet_account_free(account);
}

static void a_device_of_another_user_or_id_is_refused(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    json_t *object = device_keys_make(account, ALICE, "DEVICE");
    char long_id[DEVICE_KEYS_MAX_ID + 2];
    (void)state;
    memset(long_id, 'x', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    assert_int_equal(read_device(object, BOB, "DEVICE"), HR_EINVAL);
    assert_int_equal(read_device(object, ALICE, "OTHER"), HR_EINVAL);
    assert_int_equal(read_device(object, ALICE, ""), HR_EINVAL);
    assert_int_equal(read_device(object, ALICE, long_id), HR_EINVAL);
    assert_int_equal(read_device(NULL, ALICE, "DEVICE"), HR_EINVAL);
    json_decref(object);
    object = device_keys_make(account, ALICE, long_id);
    assert_int_equal(read_device(object, ALICE, long_id), HR_EINVAL);
    json_decref(object);
    ratchet_account_free(account);
}

static void a_device_must_be_signed_by_itself(void **state)
{
    struct ratchet_account *account = ratchet_account_new(), *mallory = ratchet_account_new();
    json_t *object = device_keys_make(account, ALICE, "DEVICE"), *copy = json_deep_copy(object);
    (void)state;
    (void)json_object_del(copy, "signatures");
    assert_int_equal(read_device(copy, ALICE, "DEVICE"), HR_ENOTFOUND);
    assert_int_equal(device_keys_sign(mallory, ALICE, "DEVICE", copy), HR_OK);
    assert_int_equal(read_device(copy, ALICE, "DEVICE"), HR_EDENIED);
    (void)json_object_set_new(object, "dehydrated", json_true()); /* a member we don't know is signed too */
    assert_int_equal(read_device(object, ALICE, "DEVICE"), HR_EDENIED);
    assert_int_equal(device_keys_sign(account, ALICE, "DEVICE", object), HR_OK);
    assert_int_equal(read_device(object, ALICE, "DEVICE"), HR_OK);
    json_decref(object);
    json_decref(copy);
    ratchet_account_free(account);
    ratchet_account_free(mallory);
}

/* Without the check of the key each of these is signed well: with the identity any signature is good. */
static void a_device_with_a_forbidden_key_is_refused(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    struct device_keys keys;
    const char *why = "";
    const struct {
        const char *id, *key;
        int status;
    } row[] = {{"curve25519:DEVICE", ZERO_KEY, HR_EINVAL},
               {"curve25519:DEVICE", "short", HR_EINVAL},
               {"ed25519:DEVICE", IDENTITY_KEY, HR_EINVAL},
               {"ed25519:DEVICE", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", HR_EINVAL},
               {"ed25519:DEVICE", NULL, HR_ENOTFOUND},
               {"curve25519:DEVICE", NULL, HR_ENOTFOUND}};
    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        json_t *object = device_keys_make(account, ALICE, "DEVICE");
        if (row[i].key == NULL) {
            (void)json_object_del(keys_of(object), row[i].id);
        } else {
            (void)json_object_set_new(keys_of(object), row[i].id, json_string(row[i].key));
        }
        (void)json_object_del(object, "signatures");
        assert_int_equal(device_keys_sign(account, ALICE, "DEVICE", object), HR_OK);
        assert_int_equal(device_keys_read(object, ALICE, "DEVICE", &keys, &why), row[i].status);
        assert_true(strstr(why, row[i].key == NULL ? "no keys" : "forbidden") != NULL);
        json_decref(object);
    }
    ratchet_account_free(account);
}

static void odd_device_objects_are_refused_without_harm(void **state)
{
    static const char *const odd[] = {"[]",
                                      "1",
                                      "{\"algorithms\":1}",
                                      "{\"keys\":[]}",
                                      "{\"keys\":{}}",
                                      "{\"user_id\":5}",
                                      "{\"device_id\":\"DEV\\u0000ICE\"}",
                                      "{\"x\":1.5}"};
    struct ratchet_account *account = ratchet_account_new();
    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        json_t *object = device_keys_make(account, ALICE, "DEVICE"), *change = json_of(odd[i]);
        if (json_is_object(change)) {
            (void)json_object_update(object, change);
            assert_int_not_equal(read_device(object, ALICE, "DEVICE"), HR_OK);
        } else {
            assert_int_equal(read_device(change, ALICE, "DEVICE"), HR_EINVAL);
        }
        json_decref(change);
        json_decref(object);
    }
    ratchet_account_free(account);
}

/* ---- one-time keys ---- */

static struct device_keys device_of(struct ratchet_account *account, const char *user, const char *device)
{
    struct device_keys keys;
    json_t *object = device_keys_make(account, user, device);
    assert_int_equal(device_keys_read(object, user, device, &keys, NULL), HR_OK);
    json_decref(object);
    return keys;
}

static void keys_to_upload_are_signed_and_can_be_claimed(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    struct device_keys device = device_of(account, BOB, "B");
    const char *name;
    char key[BASE64_KEY];
    json_t *body = device_keys_upload(account, BOB, "B"), *object;
    (void)state;
    assert_int_equal(json_object_size(body), 0);
    json_decref(body);
    assert_int_equal(ratchet_account_generate(account, 2), HR_OK);
    ratchet_account_generate_fallback(account);
    body = device_keys_upload(account, BOB, "B");
    assert_int_equal(json_object_size(json_object_get(body, "one_time_keys")), 2);
    assert_int_equal(json_object_size(json_object_get(body, "fallback_keys")), 1);
    assert_int_equal(device_keys_claimed(json_object_get(body, "fallback_keys"), &device, key), HR_OK);
    json_object_foreach(json_object_get(body, "fallback_keys"), name, object)
    {
        assert_true(json_is_true(json_object_get(object, "fallback")));
        assert_string_equal(key, json_string_value(json_object_get(object, "key")));
        (void)json_object_set_new(object, "fallback", json_false()); /* it is inside of what is signed */
    }
    assert_int_equal(device_keys_claimed(json_object_get(body, "fallback_keys"), &device, key), HR_EDENIED);
    assert_int_equal(device_keys_claimed(json_object_get(body, "one_time_keys"), &device, key), HR_OK);
    assert_int_equal(curve_check(key), HR_OK);
    json_decref(body);
    ratchet_account_mark_published(account);
    body = device_keys_upload(account, BOB, "B");
    assert_int_equal(json_object_size(body), 0);
    json_decref(body);
    ratchet_account_free(account);
}

static void a_claimed_key_must_be_signed_by_that_device(void **state)
{
    struct ratchet_account *bob = ratchet_account_new(), *mallory = ratchet_account_new();
    struct device_keys device = device_of(bob, BOB, "B");
    char key[BASE64_KEY] = "untouched";
    (void)state;
    json_t *forged = json_pack("{s:s}", "key", device.curve25519);
    json_t *claimed = json_pack("{s:O}", "signed_curve25519:AAAAAQ", forged);
    assert_int_equal(device_keys_claimed(claimed, &device, key), HR_ENOTFOUND);
    assert_int_equal(device_keys_sign(mallory, BOB, "B", forged), HR_OK);
    assert_int_equal(device_keys_claimed(claimed, &device, key), HR_EDENIED);
    (void)json_object_set_new(forged, "key", json_string(ZERO_KEY));
    (void)json_object_del(forged, "signatures");
    assert_int_equal(device_keys_sign(bob, BOB, "B", forged), HR_OK);
    assert_int_equal(device_keys_claimed(claimed, &device, key), HR_EINVAL);
    json_decref(claimed);
    claimed = json_pack("{s:O}", "curve25519:AAAAAQ", forged);
    assert_int_equal(device_keys_claimed(claimed, &device, key), HR_ENOTFOUND);
    assert_int_equal(device_keys_claimed(NULL, &device, key), HR_ENOTFOUND);
    assert_string_equal(key, "untouched");
    json_decref(claimed);
    json_decref(forged);
    ratchet_account_free(bob);
    ratchet_account_free(mallory);
}

/* ---- cross-signing ---- */

struct person {
    struct cross_signing_keys keys;
    struct cross_signing_keys_public public;
    struct ratchet_account *account;
    json_t *upload, *device;
    const char *user;
};

static struct person person_new(const char *user)
{
    struct person person = {.account = ratchet_account_new(), .user = user};
    cross_signing_keys_new(&person.keys);
    cross_signing_keys_to_public(&person.keys, &person.public);
    person.upload = cross_signing_keys_upload(&person.keys, user, "DEVICE", person.account);
    person.device = device_keys_make(person.account, user, "DEVICE");
    assert_int_equal(cross_signing_keys_sign_device(&person.keys, user, person.device), HR_OK);
    return person;
}

static void person_free(struct person *person)
{
    cross_signing_keys_clear(&person->keys);
    json_decref(person->upload);
    json_decref(person->device);
    ratchet_account_free(person->account);
}

static json_t *part(const struct person *person, const char *name)
{
    return json_object_get(person->upload, name);
}

static int read_person(const struct person *person, struct cross_signing_keys_public *out)
{
    return cross_signing_keys_read(person->user, part(person, "master_key"), part(person, "self_signing_key"),
                                   part(person, "user_signing_key"), out);
}

static void a_chain_from_master_to_device_holds(void **state)
{
    struct person alice = person_new(ALICE);
    struct cross_signing_keys_public read;
    (void)state;
    assert_int_equal(read_person(&alice, &read), HR_OK);
    assert_memory_equal(&read, &alice.public, sizeof(read));
    assert_true(cross_signing_keys_has_signed(&read, ALICE, alice.device));
    assert_int_equal(read_device(alice.device, ALICE, "DEVICE"), HR_OK); /* its own signature is still there */
    assert_int_equal(canonical_verify(part(&alice, "master_key"), ALICE, "ed25519:DEVICE",
                                      ratchet_account_identity(alice.account)->ed25519),
                     HR_OK);
    assert_int_equal(cross_signing_keys_read(ALICE, part(&alice, "master_key"), NULL, NULL, &read), HR_OK);
    assert_string_equal(read.self_signing, "");
    assert_false(cross_signing_keys_has_signed(&read, ALICE, alice.device));
    person_free(&alice);
}

static void a_self_signing_key_of_another_master_counts_for_nothing(void **state)
{
    struct person alice = person_new(ALICE), mallory = person_new(ALICE);
    struct cross_signing_keys_public read;
    (void)state;
    assert_int_equal(cross_signing_keys_read(ALICE, part(&alice, "master_key"), part(&mallory, "self_signing_key"),
                                             part(&mallory, "user_signing_key"), &read),
                     HR_OK);
    assert_string_equal(read.master, alice.public.master);
    assert_string_equal(read.self_signing, "");
    assert_string_equal(read.user_signing, "");
    assert_false(cross_signing_keys_has_signed(&read, ALICE, mallory.device));
    assert_int_equal(read_person(&alice, &read), HR_OK);
    assert_false(cross_signing_keys_has_signed(&read, ALICE, mallory.device));
    person_free(&alice);
    person_free(&mallory);
}

static void a_self_signing_key_in_the_place_of_another_usage_counts_for_nothing(void **state)
{
    struct person alice = person_new(ALICE);
    struct cross_signing_keys_public read;
    (void)state;
    assert_int_equal(cross_signing_keys_read(ALICE, part(&alice, "master_key"), part(&alice, "user_signing_key"),
                                             part(&alice, "self_signing_key"), &read),
                     HR_OK);
    assert_string_equal(read.self_signing, "");
    assert_string_equal(read.user_signing, "");
    assert_int_equal(cross_signing_keys_read(ALICE, part(&alice, "self_signing_key"), NULL, NULL, &read), HR_EINVAL);
    person_free(&alice);
}

static void odd_master_keys_are_refused(void **state)
{
    static const char *const odd[] = {
        "{\"user_id\":\"" BOB "\"}",
        "{\"usage\":[]}",
        "{\"usage\":[\"master\",\"self_signing\"]}",
        "{\"usage\":\"master\"}",
        "{\"usage\":[1]}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":{\"ed25519:" IDENTITY_KEY "\":\"" IDENTITY_KEY "\"}}",
        "{\"keys\":{\"ed25519:abc\":\"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}",
        "{\"keys\":{\"curve25519:CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\":"
        "\"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}",
        "{\"keys\":{\"ed25519:a\":\"a\",\"ed25519:b\":\"b\"}}",
        "{\"keys\":{\"ed25519:a\":{}}}",
    };
    struct person alice = person_new(ALICE);
    struct cross_signing_keys_public read = {.master = "untouched"};
    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        json_t *master = json_deep_copy(part(&alice, "master_key")), *change = json_of(odd[i]);
        (void)json_object_update(master, change);
        assert_int_equal(cross_signing_keys_read(ALICE, master, NULL, NULL, &read), HR_EINVAL);
        json_decref(change);
        json_decref(master);
    }
    assert_int_equal(cross_signing_keys_read(ALICE, NULL, NULL, NULL, &read), HR_EINVAL);
    assert_int_equal(cross_signing_keys_read(BOB, part(&alice, "master_key"), NULL, NULL, &read), HR_EINVAL);
    assert_string_equal(read.master, "untouched");
    person_free(&alice);
}

static void one_key_is_not_master_and_self_signing_at_once(void **state)
{
    struct person alice = person_new(ALICE);
    struct cross_signing_keys_public read;
    json_t *both;
    (void)state;
    memcpy(alice.keys.self_signing, alice.keys.master, 32);
    both = cross_signing_keys_upload(&alice.keys, ALICE, "DEVICE", alice.account);
    assert_int_equal(cross_signing_keys_read(ALICE, json_object_get(both, "master_key"),
                                             json_object_get(both, "self_signing_key"), NULL, &read),
                     HR_OK);
    assert_string_equal(read.self_signing, "");
    json_decref(both);
    person_free(&alice);
}

static void a_device_named_like_a_cross_signing_key_is_never_trusted(void **state)
{
    struct person alice = person_new(ALICE);
    const char *const name[] = {alice.public.master, alice.public.self_signing, alice.public.user_signing};
    (void)state;
    for (size_t i = 0; i < COUNT(name); i++) {
        json_t *device = device_keys_make(alice.account, ALICE, name[i]);
        assert_int_equal(cross_signing_keys_sign_device(&alice.keys, ALICE, device), HR_OK);
        assert_false(cross_signing_keys_has_signed(&alice.public, ALICE, device));
        json_decref(device);
    }
    person_free(&alice);
}

static void a_device_is_signed_for_its_own_user_only(void **state)
{
    struct person alice = person_new(ALICE);
    json_t *device = device_keys_make(alice.account, BOB, "DEVICE");
    (void)state;
    assert_int_equal(cross_signing_keys_sign_device(&alice.keys, ALICE, device), HR_OK);
    assert_false(cross_signing_keys_has_signed(&alice.public, ALICE, device));
    assert_false(cross_signing_keys_has_signed(&alice.public, BOB, device));
    assert_false(cross_signing_keys_has_signed(&alice.public, ALICE, NULL));
    json_decref(device);
    person_free(&alice);
}

static void a_person_who_was_verified_is_vouched_for(void **state)
{
    struct person alice = person_new(ALICE), bob = person_new(BOB);
    json_t *master = json_deep_copy(part(&bob, "master_key"));
    (void)state;
    assert_false(cross_signing_keys_vouched(&alice.public, ALICE, BOB, master));
    assert_int_equal(cross_signing_keys_sign_user(&alice.keys, ALICE, master), HR_OK);
    assert_true(cross_signing_keys_vouched(&alice.public, ALICE, BOB, master));
    assert_false(cross_signing_keys_vouched(&alice.public, ALICE, ALICE, master));
    assert_false(cross_signing_keys_vouched(&bob.public, BOB, BOB, master));
    json_decref(master);
    person_free(&alice);
    person_free(&bob);
}

static void the_master_key_signs_what_it_is_given(void **state)
{
    struct person alice = person_new(ALICE);
    char id[64] = "ed25519:";
    json_t *data = json_of("{\"public_key\":\"x\"}");
    (void)state;
    memcpy(id + 8, alice.public.master, BASE64_KEY);
    assert_int_equal(cross_signing_keys_sign_master(&alice.keys, ALICE, data), HR_OK);
    assert_int_equal(canonical_verify(data, ALICE, id, alice.public.master), HR_OK);
    json_decref(data);
    person_free(&alice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_device_object_can_be_read_by_others),
        cmocka_unit_test(a_device_of_another_user_or_id_is_refused),
        cmocka_unit_test(a_device_must_be_signed_by_itself),
        cmocka_unit_test(a_device_with_a_forbidden_key_is_refused),
        cmocka_unit_test(odd_device_objects_are_refused_without_harm),
        cmocka_unit_test(keys_to_upload_are_signed_and_can_be_claimed),
        cmocka_unit_test(a_claimed_key_must_be_signed_by_that_device),
        cmocka_unit_test(a_chain_from_master_to_device_holds),
        cmocka_unit_test(a_self_signing_key_of_another_master_counts_for_nothing),
        cmocka_unit_test(a_self_signing_key_in_the_place_of_another_usage_counts_for_nothing),
        cmocka_unit_test(odd_master_keys_are_refused),
        cmocka_unit_test(one_key_is_not_master_and_self_signing_at_once),
        cmocka_unit_test(a_device_named_like_a_cross_signing_key_is_never_trusted),
        cmocka_unit_test(a_device_is_signed_for_its_own_user_only),
        cmocka_unit_test(a_person_who_was_verified_is_vouched_for),
        cmocka_unit_test(the_master_key_signs_what_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
