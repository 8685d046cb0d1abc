/* SPDX-License-Identifier: MIT */
/* The store key: made once, kept outside the database, never mixed up. */
#include "key.h"
#include "state_fixture.h"
#include <sys/stat.h>
#include <unistd.h>

static const char other[] = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

static struct key *open_key(struct state *s)
{
    struct key *key = NULL;
    char err[1024] = "";
    int rc = key_open(&key, &s->app, false, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
    return key;
}

static void refused(struct state *s, const char *piece)
{
    struct key *key = NULL;
    char err[1024] = "";
    assert_true(key_open(&key, &s->app, false, err, sizeof(err)) < 0);
    assert_null(key);
    if (strstr(err, piece) == NULL) {
        fail_msg("no '%s' in: %s", piece, err);
    }
}

static void restart(struct state *s, struct key *key)
{
    turn_finish(s->app.turn);
    key_close(key);
    state_close(s);
    state_open(s);
}

static void derive(struct state *s, struct key *key, const char *purpose, unsigned char out[32])
{
    assert_int_equal(key_derive(key, &s->app, "matrix", "home", purpose, out, 32), HR_OK);
}

static void the_first_start_makes_a_key_for_its_owner_alone_and_keeps_it(void **state)
{
    struct state *s = *state;
    struct key *key = open_key(s);
    CLEANUP_FREE char *path = state_path(s, "hashroom.key"), *first = state_read(s, "hashroom.key");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(strspn(first, "0123456789abcdef"), 64);
    assert_string_equal(first + 64, "\n");
    restart(s, key);
    key = open_key(s);
    CLEANUP_FREE char *again = state_read(s, "hashroom.key");
    assert_string_equal(first, again);
    key_close(key);
}

static void derived_bytes_are_hkdf_sha256_of_key_and_owner(void **state)
{
    struct state *s = *state;
    s->config.key = (char *)(uintptr_t)other;
    struct key *key = open_key(s);
    unsigned char out[32];
    /* worked out apart, with HMAC of another library: info is "hashroom\0matrix\0home\0olm", no salt */
    static const unsigned char expected[32] = {0xae, 0x2d, 0xa7, 0x84, 0x10, 0xb4, 0xf0, 0xee, 0x89, 0x95, 0x95,
                                               0xe3, 0xcd, 0xc7, 0x58, 0x41, 0x93, 0x17, 0x88, 0xec, 0xbf, 0x1e,
                                               0x71, 0x6d, 0x53, 0xb0, 0x51, 0xc2, 0xfa, 0x3d, 0x52, 0x5b};
    derive(s, key, "olm", out);
    assert_memory_equal(out, expected, sizeof(out));
    key_close(key);
}

static void another_purpose_instance_or_plugin_gives_other_bytes(void **state)
{
    struct state *s = *state;
    struct key *key = open_key(s);
    unsigned char a[32], b[32];
    derive(s, key, "olm", a);
    derive(s, key, "olm", b);
    assert_memory_equal(a, b, sizeof(a));
    derive(s, key, "backup", b);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(key_derive(key, &s->app, "matrix", "work", "olm", b, sizeof(b)), HR_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(key_derive(key, &s->app, "matrixhome", "", "olm", b, sizeof(b)), HR_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(key_derive(key, &s->app, "m", "h", "", b, sizeof(b)), HR_EINVAL);
    assert_int_equal(key_derive(key, &s->app, "m", "h", "p", b, 65), HR_EINVAL);
    assert_int_equal(key_derive(key, &s->app, "m", "h", "p", b, 0), HR_EINVAL);
    key_close(key);
}

static void a_key_that_was_in_use_has_to_be_there_at_the_next_start(void **state)
{
    struct state *s = *state;
    unsigned char bytes[32];
    struct key *key = open_key(s);
    derive(s, key, "p", bytes);
    restart(s, key);
    CLEANUP_FREE char *path = state_path(s, "hashroom.key");
    assert_int_equal(unlink(path), 0);
    refused(s, "Put the file back");
    refused(s, "hashroom new-key");
    state_write(s, "hashroom.key", other);
    refused(s, "is not the key this database was used with");
    state_write(s, "hashroom.key", "short");
    refused(s, "64 hex digits");
}

static void a_key_that_nothing_was_encrypted_with_is_made_anew_when_lost(void **state)
{
    struct state *s = *state;
    struct key *key = open_key(s);
    restart(s, key);
    CLEANUP_FREE char *path = state_path(s, "hashroom.key");
    assert_int_equal(unlink(path), 0);
    key_close(open_key(s));
    assert_int_equal(access(path, F_OK), 0);
}

static void an_undone_callback_doesnt_mark_the_database(void **state)
{
    struct state *s = *state;
    unsigned char bytes[32];
    struct key *key = open_key(s);
    turn_enter(s->app.turn);
    derive(s, key, "p", bytes);
    turn_leave(s->app.turn, false);
    turn_finish(s->app.turn);
    char text[1024];
    assert_true(key_look(&s->config, text, sizeof(text)));
    assert_non_null(strstr(text, "nothing is encrypted with it so far"));
    derive(s, key, "p", bytes); /* it asks again: now it is */
    restart(s, key);
    assert_true(key_look(&s->config, text, sizeof(text)));
    assert_non_null(strstr(text, "fits the database"));
}

static void a_key_that_others_can_read_is_refused_with_the_fix(void **state)
{
    struct state *s = *state;
    key_close(open_key(s));
    CLEANUP_FREE char *path = state_path(s, "hashroom.key");
    assert_int_equal(chmod(path, 0640), 0);
    refused(s, "chmod 600");
    char text[1024];
    assert_false(key_look(&s->config, text, sizeof(text)));
    assert_non_null(strstr(text, "chmod 600"));
}

static void key_file_is_used_instead_of_the_file_beside_the_database(void **state)
{
    struct state *s = *state;
    unsigned char bytes[32];
    s->config.key = (char *)(uintptr_t)other;
    struct key *key = open_key(s);
    derive(s, key, "p", bytes);
    CLEANUP_FREE char *path = state_path(s, "hashroom.key");
    assert_int_not_equal(access(path, F_OK), 0);
    restart(s, key); /* without key_file */
    refused(s, "is missing");
    state_write(s, "hashroom.key", other);
    key_close(open_key(s));
}

static void a_temporary_store_has_a_throwaway_key(void **state)
{
    struct state *s = *state;
    struct key *key = NULL;
    unsigned char bytes[32];
    char err[64] = "";
    assert_int_equal(key_open(&key, &s->app, true, err, sizeof(err)), HR_OK);
    derive(s, key, "p", bytes);
    key_close(key);
    CLEANUP_FREE char *path = state_path(s, "hashroom.key");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_false(turn_is_open(s->app.turn));
}

static void only_64_hex_digits_are_a_key(void **state)
{
    (void)state;
    unsigned char out[KEY_BYTES];
    assert_true(key_parse(other, out));
    assert_int_equal(out[1], 0x11);
    assert_int_equal(out[31], 0xff);
    assert_false(key_parse("", out));
    assert_false(key_parse("00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFg", out));
    assert_false(key_parse("00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF0", out));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)
    const struct CMUnitTest tests[] = {
        T(the_first_start_makes_a_key_for_its_owner_alone_and_keeps_it),
        T(derived_bytes_are_hkdf_sha256_of_key_and_owner),
        T(another_purpose_instance_or_plugin_gives_other_bytes),
        T(a_key_that_was_in_use_has_to_be_there_at_the_next_start),
        T(a_key_that_nothing_was_encrypted_with_is_made_anew_when_lost),
        T(an_undone_callback_doesnt_mark_the_database),
        T(a_key_that_others_can_read_is_refused_with_the_fix),
        T(key_file_is_used_instead_of_the_file_beside_the_database),
        T(a_temporary_store_has_a_throwaway_key),
        T(only_64_hex_digits_are_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
