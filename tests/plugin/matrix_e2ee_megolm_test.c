/* SPDX-License-Identifier: MIT */
/* Megolm sessions: keys, indices, exports, and what is refused. */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"

enum { EXPORTED = RATCHET_EXPORTED_KEY - 1, SHARED = RATCHET_SESSION_KEY - 1 };

static struct ratchet_inbound *reader_of(struct ratchet_outbound *outbound)
{
    char key[RATCHET_SESSION_KEY];
    struct ratchet_inbound *inbound;
    ratchet_outbound_key(outbound, key);
    assert_int_equal(strlen(key), SHARED);
    assert_int_equal(ratchet_inbound_new(key, strlen(key), &inbound), HR_OK);
    return inbound;
}

static char *say(struct ratchet_outbound *outbound, const char *text, size_t *len)
{
    char *ciphertext;
    assert_int_equal(ratchet_outbound_encrypt(outbound, text, strlen(text), &ciphertext, len), HR_OK);
    assert_int_equal(strlen(ciphertext), *len);
    return ciphertext;
}

static void assert_reads(struct ratchet_inbound *inbound, const char *ciphertext, size_t len, const char *want,
                         uint32_t want_index)
{
    char *plaintext;
    size_t plaintext_len;
    uint32_t index;
    assert_int_equal(ratchet_inbound_decrypt(inbound, ciphertext, len, &plaintext, &plaintext_len, &index), HR_OK);
    assert_int_equal(plaintext_len, strlen(want));
    assert_string_equal(plaintext, want);
    assert_int_equal(index, want_index);
    curve_free(plaintext, plaintext_len);
}

static int read_status(struct ratchet_inbound *inbound, const char *ciphertext, size_t len)
{
    char *plaintext = NULL;
    size_t plaintext_len = 77;
    uint32_t index = 77;
    int status = ratchet_inbound_decrypt(inbound, ciphertext, len, &plaintext, &plaintext_len, &index);
    if (status == HR_OK) {
        curve_free(plaintext, plaintext_len);
    } else {
        assert_null(plaintext);
        assert_int_equal(plaintext_len, 77);
        assert_int_equal(index, 77);
    }
    return status;
}

static void a_room_reads_what_a_device_says_in_any_order(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound);
    char *text[3];
    size_t len[3];
    (void)state;
    assert_string_equal(ratchet_outbound_id(outbound), ratchet_inbound_id(inbound));
    assert_int_equal(strlen(ratchet_outbound_id(outbound)), 43);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ratchet_outbound_index(outbound), i);
        text[i] = say(outbound, (const char *[]){"one", "", "three"}[i], &len[i]);
    }
    assert_reads(inbound, text[2], len[2], "three", 2);
    assert_reads(inbound, text[0], len[0], "one", 0);
    assert_reads(inbound, text[1], len[1], "", 1);
    assert_reads(inbound, text[1], len[1], "", 1); /* the caller's table finds this */
    for (size_t i = 0; i < 3; i++) {
        free(text[i]);
    }
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

static void a_key_opens_nothing_from_before_it(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    size_t early_len, late_len;
    char *early = say(outbound, "early", &early_len), *late, key[RATCHET_EXPORTED_KEY] = "untouched";
    struct ratchet_inbound *inbound = reader_of(outbound);
    (void)state;
    late = say(outbound, "late", &late_len);
    assert_int_equal(ratchet_inbound_first_index(inbound), 1);
    assert_int_equal(read_status(inbound, early, early_len), HR_ENOTFOUND);
    assert_reads(inbound, late, late_len, "late", 1);
    assert_int_equal(ratchet_inbound_export(inbound, 0, key), HR_ENOTFOUND);
    assert_string_equal(key, "untouched");
    free(early);
    free(late);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

static void an_export_reads_from_its_index_on_and_connects(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new(), *other = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound), *stranger = reader_of(other), *later;
    size_t len[2];
    char key[RATCHET_EXPORTED_KEY], *text[2] = {say(outbound, "0", &len[0]), say(outbound, "1", &len[1])};
    (void)state;
    assert_int_equal(ratchet_inbound_export(inbound, 1, key), HR_OK);
    assert_int_equal(strlen(key), EXPORTED);
    assert_int_equal(ratchet_inbound_import(key, strlen(key), &later), HR_OK);
    assert_string_equal(ratchet_inbound_id(later), ratchet_inbound_id(inbound));
    assert_int_equal(ratchet_inbound_first_index(later), 1);
    assert_int_equal(read_status(later, text[0], len[0]), HR_ENOTFOUND);
    assert_reads(later, text[1], len[1], "1", 1);
    assert_true(ratchet_inbound_connects(inbound, later));
    assert_true(ratchet_inbound_connects(later, inbound));
    assert_false(ratchet_inbound_connects(inbound, stranger));
    assert_int_equal(ratchet_inbound_first_index(inbound), 0); /* asking moved nothing */
    free(text[0]);
    free(text[1]);
    ratchet_inbound_free(inbound);
    ratchet_inbound_free(stranger);
    ratchet_inbound_free(later);
    ratchet_outbound_free(outbound);
    ratchet_outbound_free(other);
}

/* An export with the id of a session and a ratchet of its own: what a malicious backup could offer. */
static void a_copy_with_the_right_id_and_another_ratchet_does_not_connect(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound), *forged;
    char key[RATCHET_EXPORTED_KEY];
    uint8_t raw[165];
    size_t len;
    (void)state;
    assert_int_equal(ratchet_inbound_export(inbound, 0, key), HR_OK);
    assert_int_equal(base64_decode(BASE64, key, strlen(key), raw, sizeof(raw), &len), HR_OK);
    raw[40] ^= 1;
    (void)base64_encode(BASE64, raw, len, key);
    assert_int_equal(ratchet_inbound_import(key, strlen(key), &forged), HR_OK);
    assert_string_equal(ratchet_inbound_id(forged), ratchet_inbound_id(inbound));
    assert_false(ratchet_inbound_connects(inbound, forged));
    ratchet_inbound_free(forged);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

/* The library takes an index more than 2^31 before the first known one for one far ahead. */
static void nothing_before_a_high_first_index_is_exported(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound), *high;
    char key[RATCHET_EXPORTED_KEY];
    uint8_t raw[165];
    size_t len;
    (void)state;
    assert_int_equal(ratchet_inbound_export(inbound, 0, key), HR_OK);
    assert_int_equal(base64_decode(BASE64, key, strlen(key), raw, sizeof(raw), &len), HR_OK);
    raw[1] = 0xc0;
    (void)base64_encode(BASE64, raw, len, key);
    assert_int_equal(ratchet_inbound_import(key, strlen(key), &high), HR_OK);
    assert_int_equal(ratchet_inbound_first_index(high), 0xc0000000);
    assert_int_equal(ratchet_inbound_export(high, 5, key), HR_ENOTFOUND);
    assert_int_equal(ratchet_inbound_export(high, 0xc0000001, key), HR_OK);
    ratchet_inbound_free(high);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

static void session_keys_are_of_exact_length_form_and_signed(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound), *none = NULL;
    char key[RATCHET_SESSION_KEY], exported[RATCHET_EXPORTED_KEY], bad[RATCHET_SESSION_KEY + 4];
    (void)state;
    ratchet_outbound_key(outbound, key);
    assert_int_equal(ratchet_inbound_export(inbound, 0, exported), HR_OK);
    for (size_t i = 0; i < SHARED; i++) {
        memcpy(bad, key, SHARED + 1);
        bad[i] = bad[i] == 'A' ? 'B' : 'A'; /* its signature covers all of it */
        assert_int_not_equal(ratchet_inbound_new(bad, SHARED, &none), HR_OK);
        bad[i] = (char)(key[i] | 0x80);
        assert_int_equal(ratchet_inbound_new(bad, SHARED, &none), HR_EINVAL);
        assert_int_equal(ratchet_inbound_new(key, i, &none), HR_EINVAL);
    }
    memcpy(bad, key, SHARED);
    memcpy(bad + SHARED, "AAA", 4);
    assert_int_equal(ratchet_inbound_new(bad, SHARED + 3, &none), HR_EINVAL);
    assert_int_equal(ratchet_inbound_new(exported, EXPORTED, &none), HR_EINVAL); /* unsigned where signed is asked */
    assert_int_equal(ratchet_inbound_import(key, SHARED, &none), HR_EINVAL);
    assert_int_equal(ratchet_inbound_new(NULL, 0, &none), HR_EINVAL);
    exported[0] = 'B'; /* another version */
    assert_int_equal(ratchet_inbound_import(exported, EXPORTED, &none), HR_EINVAL);
    exported[0] = (char)('A' | 0x80);
    assert_int_equal(ratchet_inbound_import(exported, EXPORTED, &none), HR_EINVAL);
    assert_null(none);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

/* With such a key whoever holds the ratchet could speak as the session's owner. */
static void no_session_has_a_signing_key_of_low_order(void **state)
{
    uint8_t raw[229] = {1};
    char key[RATCHET_SESSION_KEY];
    struct ratchet_inbound *none = NULL;
    (void)state;
    raw[133] = 1; /* the identity */
    (void)base64_encode(BASE64, raw, 165, key);
    assert_int_equal(ratchet_inbound_import(key, EXPORTED, &none), HR_EINVAL);
    raw[0] = 2;
    raw[165] = 1; /* and its signature, good for anything */
    (void)base64_encode(BASE64, raw, 229, key);
    assert_int_equal(ratchet_inbound_new(key, SHARED, &none), HR_EINVAL);
    assert_null(none);
}

static void no_changed_character_of_a_message_is_overlooked(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound);
    size_t len;
    char *text = say(outbound, "text", &len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(was ^ (1 << bit));
            assert_int_not_equal(read_status(inbound, text, len), HR_OK);
        }
        text[i] = was;
        assert_int_not_equal(read_status(inbound, text, i), HR_OK);
    }
    assert_reads(inbound, text, len, "text", 0);
    free(text);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

/* To the second half of the signature at the end of what the text stands for. */
static void add_order(char *text, size_t len)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t raw[512];
    size_t raw_len;
    unsigned carry = 0;
    assert_int_equal(base64_decode(BASE64, text, len, raw, sizeof(raw), &raw_len), HR_OK);
    for (size_t i = 0; i < 32; i++) {
        carry += raw[raw_len - 32 + i] + order[i];
        raw[raw_len - 32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    (void)base64_encode(BASE64, raw, raw_len, text);
}

static void a_signature_with_the_order_added_is_refused(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound), *none = NULL;
    size_t len;
    char *text = say(outbound, "text", &len), key[RATCHET_SESSION_KEY];
    (void)state;
    add_order(text, len);
    assert_int_equal(read_status(inbound, text, len), HR_EINVAL);
    ratchet_outbound_key(outbound, key);
    add_order(key, SHARED);
    assert_int_equal(ratchet_inbound_new(key, SHARED, &none), HR_EINVAL);
    assert_null(none);
    free(text);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

static void what_is_too_long_is_refused(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound = reader_of(outbound);
    char *big = malloc(RATCHET_MAX_MESSAGE + 4), *out = NULL;
    size_t len;
    (void)state;
    assert_non_null(big);
    memset(big, 'A', RATCHET_MAX_MESSAGE + 4);
    assert_int_equal(ratchet_outbound_encrypt(outbound, big, RATCHET_MAX_PLAINTEXT + 1, &out, &len), HR_ELIMIT);
    assert_null(out);
    assert_int_equal(ratchet_outbound_index(outbound), 0);
    assert_int_equal(read_status(inbound, big, RATCHET_MAX_MESSAGE + 4), HR_ELIMIT);
    assert_int_equal(read_status(inbound, big, RATCHET_MAX_MESSAGE), HR_EINVAL);
    assert_int_equal(ratchet_outbound_encrypt(outbound, big, RATCHET_MAX_PLAINTEXT, &out, &len), HR_OK);
    assert_true(len <= RATCHET_MAX_MESSAGE); /* the largest that is written can be read */
    assert_int_equal(read_status(inbound, out, len), HR_OK);
    free(out);
    free(big);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
}

static void sessions_come_back_from_their_pickles(void **state)
{
    struct ratchet_outbound *outbound = ratchet_outbound_new(), *speaker = NULL, *no_outbound = NULL;
    struct ratchet_inbound *inbound = reader_of(outbound), *reader = NULL, *no_inbound = NULL;
    size_t len;
    char *first = say(outbound, "first", &len), *second;
    char *out = ratchet_outbound_pickle(outbound, pickle_key), *in = ratchet_inbound_pickle(inbound, pickle_key);
    (void)state;
    assert_int_equal(ratchet_outbound_unpickle(out, strlen(out), pickle_key, &speaker), HR_OK);
    assert_int_equal(ratchet_inbound_unpickle(in, strlen(in), pickle_key, &reader), HR_OK);
    assert_int_equal(ratchet_outbound_index(speaker), 1);
    assert_string_equal(ratchet_outbound_id(speaker), ratchet_inbound_id(reader));
    assert_reads(reader, first, len, "first", 0);
    second = say(speaker, "second", &len);
    assert_reads(reader, second, len, "second", 1);
    for (size_t cut = 0; cut < strlen(in); cut++) {
        assert_int_not_equal(ratchet_inbound_unpickle(in, cut, pickle_key, &no_inbound), HR_OK);
    }
    for (size_t cut = 0; cut < strlen(out); cut++) {
        assert_int_not_equal(ratchet_outbound_unpickle(out, cut, pickle_key, &no_outbound), HR_OK);
    }
    assert_int_equal(
        ratchet_inbound_unpickle(in, strlen(in), (const uint8_t *)"not the key it was pickled with!", &no_inbound),
        HR_EDENIED);
    assert_int_equal(ratchet_outbound_unpickle(in, strlen(in), pickle_key, &no_outbound), HR_EINVAL);
    assert_null(no_inbound);
    assert_null(no_outbound);
    free(first);
    free(second);
    free(out);
    free(in);
    ratchet_inbound_free(inbound);
    ratchet_inbound_free(reader);
    ratchet_outbound_free(outbound);
    ratchet_outbound_free(speaker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_reads_what_a_device_says_in_any_order),
        cmocka_unit_test(a_key_opens_nothing_from_before_it),
        cmocka_unit_test(an_export_reads_from_its_index_on_and_connects),
        cmocka_unit_test(a_copy_with_the_right_id_and_another_ratchet_does_not_connect),
        cmocka_unit_test(nothing_before_a_high_first_index_is_exported),
        cmocka_unit_test(session_keys_are_of_exact_length_form_and_signed),
        cmocka_unit_test(no_session_has_a_signing_key_of_low_order),
        cmocka_unit_test(no_changed_character_of_a_message_is_overlooked),
        cmocka_unit_test(a_signature_with_the_order_added_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(sessions_come_back_from_their_pickles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
