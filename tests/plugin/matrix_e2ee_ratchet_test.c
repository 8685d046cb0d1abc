/* SPDX-License-Identifier: MIT */
/* Accounts and Olm sessions: what they do, and every guard before libolm. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

#define ZERO_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct pair { /* Alice has a session to Bob's account and its first message */
    struct ratchet_account *alice, *bob;
    struct ratchet_session *session;
    char *body;
    size_t len;
    int type;
};

static void first_key(struct ratchet_account *account, char key[BASE64_KEY])
{
    struct ratchet_key keys[RATCHET_ONE_TIME_KEYS];
    assert_int_equal(ratchet_account_generate(account, 1), HR_OK);
    assert_int_equal(ratchet_account_unpublished(account, keys), 1);
    memcpy(key, keys[0].key, BASE64_KEY);
}

static struct pair pair_new(void)
{
    struct pair pair = {.alice = ratchet_account_new(), .bob = ratchet_account_new()};
    char key[BASE64_KEY];
    first_key(pair.bob, key);
    assert_int_equal(
        ratchet_session_outbound(pair.alice, ratchet_account_identity(pair.bob)->curve25519, key, &pair.session),
        HR_OK);
    assert_int_equal(ratchet_session_encrypt(pair.session, "hello", 5, &pair.type, &pair.body, &pair.len), HR_OK);
    assert_int_equal(pair.type, 0);
    return pair;
}

static void pair_free(struct pair *pair)
{
    ratchet_session_free(pair->session);
    ratchet_account_free(pair->alice);
    ratchet_account_free(pair->bob);
    free(pair->body);
}

static const char *sender(const struct pair *pair)
{
    return ratchet_account_identity(pair->alice)->curve25519;
}

static void assert_decrypts(struct ratchet_session *session, int type, const char *body, size_t len, const char *want)
{
    char *plaintext;
    size_t plaintext_len;
    assert_int_equal(ratchet_session_decrypt(session, type, body, len, &plaintext, &plaintext_len), HR_OK);
    assert_int_equal(plaintext_len, strlen(want));
    assert_string_equal(plaintext, want);
    curve_free(plaintext, plaintext_len);
}

static void assert_refused(struct ratchet_session *session, int type, const char *body, size_t len, int status)
{
    char *plaintext = NULL;
    size_t plaintext_len = 77;
    assert_int_equal(ratchet_session_decrypt(session, type, body, len, &plaintext, &plaintext_len), status);
    assert_null(plaintext);
    assert_int_equal(plaintext_len, 77);
}

/* ---- account ---- */

static void an_account_has_keys_and_signs(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    const struct ratchet_identity *identity = ratchet_account_identity(account);
    char signature[BASE64_SIGNATURE];
    (void)state;
    assert_int_equal(curve_check(identity->curve25519), HR_OK);
    assert_int_equal(curve_check_ed25519(identity->ed25519), HR_OK);
    ratchet_account_sign(account, "text", 4, signature);
    assert_int_equal(curve_verify(identity->ed25519, "text", 4, signature), HR_OK);
    assert_int_equal(curve_verify(identity->ed25519, "Text", 4, signature), HR_EDENIED);
    ratchet_account_free(account);
    ratchet_account_free(NULL);
}

static void one_time_keys_are_listed_until_they_are_published(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    struct ratchet_key key[RATCHET_ONE_TIME_KEYS];
    (void)state;
    assert_int_equal(ratchet_account_generate(account, 3), HR_OK);
    assert_int_equal(ratchet_account_generate(account, 2), HR_OK);
    assert_int_equal(ratchet_account_unpublished(account, key), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(curve_check(key[i].key), HR_OK);
        assert_true(strlen(key[i].id) > 0);
        assert_true(i == 0 || strcmp(key[i].id, key[i - 1].id) != 0);
    }
    ratchet_account_mark_published(account);
    assert_int_equal(ratchet_account_unpublished(account, key), 0);
    ratchet_account_free(account);
}

static void no_more_keys_wait_than_an_account_can_hold_beside_the_servers(void **state)
{
    struct ratchet_account *account = ratchet_account_new();
    struct ratchet_key key[RATCHET_ONE_TIME_KEYS];
    (void)state;
    assert_int_equal(ratchet_account_generate(account, 51), HR_ELIMIT);
    assert_int_equal(ratchet_account_generate(account, SIZE_MAX), HR_ELIMIT);
    assert_int_equal(ratchet_account_unpublished(account, key), 0);
    assert_int_equal(ratchet_account_generate(account, 50), HR_OK);
    assert_int_equal(ratchet_account_generate(account, 1), HR_ELIMIT);
    assert_int_equal(ratchet_account_unpublished(account, key), 50);
    ratchet_account_free(account);
}

static void the_hundredth_key_leaves_the_first_one_usable(void **state)
{
    struct ratchet_account *alice = ratchet_account_new(), *bob = ratchet_account_new();
    struct ratchet_session *session, *inbound;
    char key[BASE64_KEY], *body;
    size_t len;
    int type;
    (void)state;
    first_key(bob, key);
    assert_int_equal(ratchet_account_generate(bob, 49), HR_OK);
    ratchet_account_mark_published(bob); /* the server has 50 */
    assert_int_equal(ratchet_account_generate(bob, 50), HR_OK);
    assert_int_equal(ratchet_account_generate(bob, 1), HR_ELIMIT); /* the 101st would push the first one out */
    assert_int_equal(ratchet_session_outbound(alice, ratchet_account_identity(bob)->curve25519, key, &session), HR_OK);
    assert_int_equal(ratchet_session_encrypt(session, "x", 1, &type, &body, &len), HR_OK);
    assert_int_equal(ratchet_session_inbound(bob, ratchet_account_identity(alice)->curve25519, body, len, &inbound),
                     HR_OK);
    ratchet_session_free(session);
    ratchet_session_free(inbound);
    ratchet_account_free(alice);
    ratchet_account_free(bob);
    free(body);
}

static void the_fallback_key_is_shown_once_and_the_old_one_is_forgotten_on_demand(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *to_old, *inbound = NULL;
    struct ratchet_key old, fresh;
    char *body;
    size_t len;
    int type;
    (void)state;
    assert_false(ratchet_account_unpublished_fallback(pair.bob, &old));
    ratchet_account_generate_fallback(pair.bob);
    assert_true(ratchet_account_unpublished_fallback(pair.bob, &old));
    ratchet_account_mark_published(pair.bob);
    assert_false(ratchet_account_unpublished_fallback(pair.bob, &fresh));
    ratchet_account_generate_fallback(pair.bob);
    assert_true(ratchet_account_unpublished_fallback(pair.bob, &fresh));
    assert_string_not_equal(old.key, fresh.key);
    assert_int_equal(
        ratchet_session_outbound(pair.alice, ratchet_account_identity(pair.bob)->curve25519, old.key, &to_old), HR_OK);
    assert_int_equal(ratchet_session_encrypt(to_old, "old", 3, &type, &body, &len), HR_OK);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), body, len, &inbound), HR_OK);
    assert_int_equal(ratchet_account_remove_key(pair.bob, inbound), HR_OK); /* removes nothing: */
    ratchet_session_free(inbound);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), body, len, &inbound), HR_OK);
    ratchet_session_free(inbound);
    ratchet_account_forget_fallback(pair.bob);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), body, len, &inbound), HR_ENOTFOUND);
    ratchet_session_free(to_old);
    free(body);
    pair_free(&pair);
}

/* ---- sessions ---- */

static void two_devices_talk(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *bob;
    char *answer;
    size_t len;
    int type;
    (void)state;
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    assert_true(ratchet_session_matches(bob, sender(&pair), pair.body, pair.len));
    assert_false(ratchet_session_has_received(pair.session));
    assert_decrypts(bob, 0, pair.body, pair.len, "hello");
    assert_int_equal(ratchet_account_remove_key(pair.bob, bob), HR_OK);
    assert_string_equal(ratchet_session_id(bob), ratchet_session_id(pair.session));
    assert_int_equal(ratchet_session_encrypt(bob, "", 0, &type, &answer, &len), HR_OK);
    assert_int_equal(type, 1);
    assert_refused(pair.session, 2, answer, len, HR_EINVAL);
    assert_decrypts(pair.session, type, answer, len, "");
    assert_true(ratchet_session_has_received(pair.session));
    assert_refused(pair.session, type, answer, len, HR_EDENIED); /* once only */
    free(answer);
    ratchet_session_free(bob);
    pair_free(&pair);
}

static void a_used_one_time_key_makes_no_second_session(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *bob, *again = NULL;
    (void)state;
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    assert_int_equal(ratchet_account_remove_key(pair.bob, bob), HR_OK);
    assert_int_equal(ratchet_account_remove_key(pair.bob, bob), HR_ENOTFOUND);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &again), HR_ENOTFOUND);
    assert_null(again);
    ratchet_session_free(bob);
    pair_free(&pair);
}

static void a_message_of_another_sender_than_claimed_is_refused(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_account *mallory = ratchet_account_new();
    struct ratchet_session *session = NULL;
    (void)state;
    assert_int_equal(
        ratchet_session_inbound(pair.bob, ratchet_account_identity(mallory)->curve25519, pair.body, pair.len, &session),
        HR_EDENIED);
    assert_int_equal(ratchet_session_inbound(pair.bob, ZERO_KEY, pair.body, pair.len, &session), HR_EINVAL);
    assert_int_equal(ratchet_session_inbound(pair.bob, "", pair.body, pair.len, &session), HR_EINVAL);
    assert_null(session);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &session), HR_OK);
    assert_false(ratchet_session_matches(session, ratchet_account_identity(mallory)->curve25519, pair.body, pair.len));
    assert_true(ratchet_session_matches(session, sender(&pair), pair.body, pair.len));
    pair.body[20] = (char)(pair.body[20] | 0x80); /* the library doesn't look at that bit */
    assert_false(ratchet_session_matches(session, sender(&pair), pair.body, pair.len));
    ratchet_session_free(session);
    ratchet_account_free(mallory);
    pair_free(&pair);
}

static void no_session_is_made_to_a_key_of_low_order(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *session = NULL;
    const char *good = ratchet_account_identity(pair.bob)->curve25519;
    (void)state;
    assert_int_equal(ratchet_session_outbound(pair.alice, ZERO_KEY, good, &session), HR_EINVAL);
    assert_int_equal(ratchet_session_outbound(pair.alice, good, ZERO_KEY, &session), HR_EINVAL);
    assert_int_equal(ratchet_session_outbound(pair.alice, good, "short", &session), HR_EINVAL);
    assert_int_equal(ratchet_session_outbound(pair.alice, NULL, good, &session), HR_EINVAL);
    assert_null(session);
    pair_free(&pair);
}

/* Overwrites `len` bytes at `at` of what the base64 stands for. */
static char *with_bytes(const char *body, size_t body_len, size_t at, const uint8_t *bytes, size_t len)
{
    uint8_t raw[2048];
    size_t raw_len;
    char *text = malloc(body_len + 1);
    assert_non_null(text);
    assert_int_equal(base64_decode(BASE64, body, body_len, raw, sizeof(raw), &raw_len), HR_OK);
    assert_true(at + len <= raw_len);
    memcpy(raw + at, bytes, len);
    (void)base64_encode(BASE64, raw, raw_len, text);
    return text;
}

static void keys_inside_of_a_message_are_checked_too(void **state)
{
    /* version, then one-time key, base key, identity key, each with tag and length; then the inner message, whose
     * ratchet key follows its own version */
    enum { BASE = 1 + 34 + 2, IDENTITY = BASE + 34, RATCHET = IDENTITY + 32 + 2 + 1 + 2 };
    static const uint8_t zero[32] = {0};
    struct pair pair = pair_new();
    struct ratchet_session *bob, *session = NULL;
    (void)state;
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    for (size_t i = 0; i < 3; i++) {
        size_t at = (size_t[]){BASE, IDENTITY, RATCHET}[i];
        char *bad = with_bytes(pair.body, pair.len, at, zero, 32);
        assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), bad, pair.len, &session), HR_EINVAL);
        assert_refused(bob, 0, bad, pair.len, HR_EINVAL);
        free(bad);
    }
    assert_null(session);
    assert_decrypts(bob, 0, pair.body, pair.len, "hello");
    ratchet_session_free(bob);
    pair_free(&pair);
}

/* Which of them counts would be the library's choice. */
static void a_message_with_two_senders_is_refused(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_account *mallory = ratchet_account_new();
    const char *const name[] = {sender(&pair), ratchet_account_identity(mallory)->curve25519};
    struct ratchet_session *session = NULL;
    uint8_t raw[1024];
    char body[2048];
    size_t len;
    (void)state;
    for (size_t i = 0; i < COUNT(name); i++) {
        assert_int_equal(base64_decode(BASE64, pair.body, pair.len, raw, sizeof(raw), &len), HR_OK);
        raw[len] = 0x1a; /* the identity key's tag and length once more */
        raw[len + 1] = 32;
        assert_int_equal(base64_exact(BASE64, name[i], raw + len + 2, 32), HR_OK);
        (void)base64_encode(BASE64, raw, len + 34, body);
        assert_int_equal(ratchet_session_inbound(pair.bob, name[i], body, strlen(body), &session), HR_EINVAL);
    }
    assert_null(session);
    ratchet_account_free(mallory);
    pair_free(&pair);
}

static void no_changed_character_of_a_message_is_overlooked(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *bob;
    char *body, *plaintext;
    size_t len, plaintext_len;
    int type;
    (void)state;
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    assert_int_equal(ratchet_session_encrypt(pair.session, "second", 6, &type, &body, &len), HR_OK);
    for (size_t i = 0; i < len; i++) {
        char was = body[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            body[i] = (char)(was ^ (1 << bit));
            assert_int_not_equal(ratchet_session_decrypt(bob, type, body, len, &plaintext, &plaintext_len), HR_OK);
        }
        body[i] = was;
    }
    assert_decrypts(bob, type, body, len, "second"); /* and the session is as it was */
    free(body);
    ratchet_session_free(bob);
    pair_free(&pair);
}

static void lengths_and_types_have_limits(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *session = NULL;
    char *big = malloc(RATCHET_MAX_MESSAGE + 4), *body = NULL;
    size_t len;
    int type;
    (void)state;
    assert_non_null(big);
    memset(big, 'A', RATCHET_MAX_MESSAGE + 4);
    assert_int_equal(ratchet_session_encrypt(pair.session, big, RATCHET_MAX_PLAINTEXT + 1, &type, &body, &len),
                     HR_ELIMIT);
    assert_null(body);
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), big, RATCHET_MAX_MESSAGE + 4, &session),
                     HR_ELIMIT);
    assert_refused(pair.session, 0, big, RATCHET_MAX_MESSAGE + 4, HR_ELIMIT);
    assert_refused(pair.session, 1, big, RATCHET_MAX_MESSAGE, HR_EINVAL);
    assert_refused(pair.session, 2, pair.body, pair.len, HR_EINVAL);
    assert_refused(pair.session, -1, pair.body, pair.len, HR_EINVAL);
    assert_refused(pair.session, 0, NULL, 0, HR_EINVAL);
    assert_refused(pair.session, 0, "", 0, HR_EINVAL);
    assert_false(ratchet_session_matches(pair.session, sender(&pair), big, RATCHET_MAX_MESSAGE + 4));
    for (size_t cut = 0; cut < pair.len; cut++) {
        int status = ratchet_session_inbound(pair.bob, sender(&pair), pair.body, cut, &session);
        assert_true(status == HR_EINVAL);
    }
    assert_null(session);
    free(big);
    pair_free(&pair);
}

/* ---- pickles ---- */

static void an_account_comes_back_from_its_pickle_with_its_keys(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_account *back;
    struct ratchet_session *bob;
    char *pickle = ratchet_account_pickle(pair.bob, pickle_key);
    (void)state;
    assert_int_equal(ratchet_account_unpickle(pickle, strlen(pickle), pickle_key, &back), HR_OK);
    assert_string_equal(ratchet_account_identity(back)->ed25519, ratchet_account_identity(pair.bob)->ed25519);
    assert_int_equal(ratchet_session_inbound(back, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    assert_decrypts(bob, 0, pair.body, pair.len, "hello");
    ratchet_session_free(bob);
    ratchet_account_free(back);
    free(pickle);
    pair_free(&pair);
}

static void a_session_comes_back_from_its_pickle_and_goes_on(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_session *bob, *back;
    char *pickle, *body;
    size_t len;
    int type;
    (void)state;
    assert_int_equal(ratchet_session_inbound(pair.bob, sender(&pair), pair.body, pair.len, &bob), HR_OK);
    pickle = ratchet_session_pickle(pair.session, pickle_key);
    assert_int_equal(ratchet_session_unpickle(pickle, strlen(pickle), pickle_key, &back), HR_OK);
    assert_string_equal(ratchet_session_id(back), ratchet_session_id(pair.session));
    assert_int_equal(ratchet_session_encrypt(back, "after", 5, &type, &body, &len), HR_OK);
    assert_decrypts(bob, type, body, len, "after");
    free(body);
    free(pickle);
    ratchet_session_free(back);
    ratchet_session_free(bob);
    pair_free(&pair);
}

static void pickles_under_another_key_cut_or_changed_are_refused(void **state)
{
    struct pair pair = pair_new();
    struct ratchet_account *account = NULL;
    struct ratchet_session *session = NULL;
    char *pickle = ratchet_account_pickle(pair.bob, pickle_key),
         *other = ratchet_session_pickle(pair.session, pickle_key);
    size_t len = strlen(pickle);
    (void)state;
    assert_int_equal(
        ratchet_account_unpickle(pickle, len, (const uint8_t *)"another key of thirty-two bytes!", &account),
        HR_EDENIED);
    for (size_t cut = 0; cut < len; cut++) {
        assert_true(ratchet_account_unpickle(pickle, cut, pickle_key, &account) != HR_OK);
    }
    for (size_t i = 0; i < len; i += 7) {
        char was = pickle[i];
        pickle[i] = was == 'A' ? 'B' : 'A';
        assert_true(ratchet_account_unpickle(pickle, len, pickle_key, &account) != HR_OK);
        pickle[i] = (char)(was | 0x80);
        assert_int_equal(ratchet_account_unpickle(pickle, len, pickle_key, &account), HR_EINVAL);
        pickle[i] = was;
    }
    assert_int_equal(ratchet_account_unpickle(other, strlen(other), pickle_key, &account), HR_EINVAL);
    assert_int_equal(ratchet_session_unpickle(pickle, len, pickle_key, &session), HR_EINVAL);
    assert_int_equal(ratchet_account_unpickle(NULL, 0, pickle_key, &account), HR_EINVAL);
    assert_int_equal(ratchet_account_unpickle("AAAA", 4, pickle_key, &account), HR_EINVAL);
    assert_int_equal(ratchet_account_unpickle(pickle, len - 4, pickle_key, &account), HR_EINVAL); /* no whole block */
    assert_int_equal(ratchet_account_unpickle(pickle, RATCHET_MAX_PICKLE + 1, pickle_key, &account), HR_ELIMIT);
    assert_null(account);
    assert_null(session);
    free(pickle);
    free(other);
    pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_has_keys_and_signs),
        cmocka_unit_test(one_time_keys_are_listed_until_they_are_published),
        cmocka_unit_test(no_more_keys_wait_than_an_account_can_hold_beside_the_servers),
        cmocka_unit_test(the_hundredth_key_leaves_the_first_one_usable),
        cmocka_unit_test(the_fallback_key_is_shown_once_and_the_old_one_is_forgotten_on_demand),
        cmocka_unit_test(two_devices_talk),
        cmocka_unit_test(a_used_one_time_key_makes_no_second_session),
        cmocka_unit_test(a_message_of_another_sender_than_claimed_is_refused),
        cmocka_unit_test(no_session_is_made_to_a_key_of_low_order),
        cmocka_unit_test(keys_inside_of_a_message_are_checked_too),
        cmocka_unit_test(a_message_with_two_senders_is_refused),
        cmocka_unit_test(no_changed_character_of_a_message_is_overlooked),
        cmocka_unit_test(lengths_and_types_have_limits),
        cmocka_unit_test(an_account_comes_back_from_its_pickle_with_its_keys),
        cmocka_unit_test(a_session_comes_back_from_its_pickle_and_goes_on),
        cmocka_unit_test(pickles_under_another_key_cut_or_changed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
