/* SPDX-License-Identifier: MIT */
/* Our ratchets with today's Rust cryptography on the other side (vodozemac, by way of Python). */
#include "e2ee_test.h"

#include "../../plugins/matrix/e2ee/curve.h"
#include "../../plugins/matrix/e2ee/ratchet.h"
#include "../../plugins/matrix/e2ee/sas.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 64 * 1024, WORDS = 4 };

struct peer {
    pid_t pid;
    FILE *to, *from;
    char line[LINE];
    char *word[WORDS]; /* of the last answer, into line */
};

/* Reads one answer; false: it has ended. */
static bool answer(struct peer *peer)
{
    char *rest = peer->line;
    if (fgets(peer->line, sizeof(peer->line), peer->from) == NULL) {
        return false;
    }
    peer->line[strcspn(peer->line, "\n")] = '\0';
    for (size_t i = 0; i < WORDS; i++) {
        peer->word[i] = strsep(&rest, " ");
    }
    return true;
}

static void ask(struct peer *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void ask(struct peer *peer, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(peer->to, fmt, ap);
    va_end(ap);
    fputc('\n', peer->to);
    fflush(peer->to);
    if (!answer(peer)) {
        fail_msg("the peer has ended");
    }
}

static void ask_well(struct peer *peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void ask_well(struct peer *peer, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    assert_true(vasprintf(&text, fmt, ap) >= 0);
    va_end(ap);
    ask(peer, "%s", text);
    if (strcmp(peer->word[0], "error") == 0) {
        fail_msg("%.60s: %s %s", text, peer->word[1], peer->word[2]);
    }
    free(text);
}

/* Text in hexadecimal digits; one buffer for each call site that is alive. */
static const char *hex(const char *text, size_t len, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", (unsigned char)text[i]);
    }
    return out;
}

static const char *key_hex(char out[65])
{
    return hex((const char *)pickle_key, sizeof(pickle_key), out);
}

/* ---- where it runs ---- */

static void run_peer(int in, int out)
{
    char python[4096];
    const char *env = getenv("HASHROOM_ENV");
    snprintf(python, sizeof(python), "%s/venv/bin/python", env != NULL ? env : "build/env");
    (void)dup2(in, 0);
    (void)dup2(out, 1);
    execl(python, python, "tests/plugin/vodozemac_peer.py", (char *)NULL);
    _exit(127);
}

/* NULL: it is not installed. */
static struct peer *peer_start(void)
{
    int to[2], from[2];
    struct peer *peer = calloc(1, sizeof(*peer));
    assert_non_null(peer);
    assert_true(pipe(to) == 0 && pipe(from) == 0);
    fflush(NULL);
    peer->pid = fork();
    assert_true(peer->pid >= 0);
    if (peer->pid == 0) {
        close(to[1]);
        close(from[0]);
        run_peer(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    peer->to = fdopen(to[1], "w");
    peer->from = fdopen(from[0], "r");
    if (answer(peer)) {
        return peer;
    }
    fclose(peer->to);
    fclose(peer->from);
    (void)waitpid(peer->pid, NULL, 0);
    free(peer);
    return NULL;
}

static int set_up(void **state)
{
    *state = peer_start();
    if (*state == NULL && getenv("CI") != NULL) {
        fprintf(stderr, "vodozemac is not installed\n");
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    struct peer *peer = *state;
    if (peer != NULL) {
        fclose(peer->to);
        fclose(peer->from);
        (void)waitpid(peer->pid, NULL, 0);
        free(peer);
    }
    return 0;
}

static struct peer *installed(void **state)
{
    if (*state == NULL) {
        skip();
    }
    return *state;
}

/* ---- Olm ---- */

/* They say text, we read it. */
static void hear(struct ratchet_session *session, int type, const char *body, const char *want)
{
    char *plaintext;
    size_t len;
    assert_int_equal(ratchet_session_decrypt(session, type, body, strlen(body), &plaintext, &len), HR_OK);
    assert_string_equal(plaintext, want);
    curve_free(plaintext, len);
}

/* We say text, they read it. */
static void tell(struct peer *peer, struct ratchet_session *session, const char *text)
{
    char *body, digits[256];
    size_t len;
    int type;
    assert_int_equal(ratchet_session_encrypt(session, text, strlen(text), &type, &body, &len), HR_OK);
    ask_well(peer, "olm_decrypt %d %s", type, body);
    assert_string_equal(peer->word[0], hex(text, strlen(text), digits));
    free(body);
}

static void an_olm_session_that_we_open_works_both_ways(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_account *account = ratchet_account_new();
    struct ratchet_session *session;
    char *body, curve25519[BASE64_KEY], digits[256];
    size_t len;
    int type;
    ask_well(peer, "keys");
    assert_int_equal(strlen(peer->word[0]), BASE64_KEY - 1);
    memcpy(curve25519, peer->word[0], BASE64_KEY);
    assert_int_equal(ratchet_session_outbound(account, curve25519, peer->word[2], &session), HR_OK);
    assert_int_equal(ratchet_session_encrypt(session, "hello", 5, &type, &body, &len), HR_OK);
    ask_well(peer, "olm_take %s %s", ratchet_account_identity(account)->curve25519, body);
    assert_string_equal(peer->word[0], ratchet_session_id(session));
    assert_string_equal(peer->word[1], hex("hello", 5, digits));
    free(body);
    for (int i = 0; i < 5; i++) {
        ask_well(peer, "olm_encrypt %s", hex("answer", 6, digits));
        assert_string_equal(peer->word[0], "1");
        hear(session, 1, peer->word[1], "answer");
        tell(peer, session, "once more");
        tell(peer, session, "");
    }
    ratchet_session_free(session);
    ratchet_account_free(account);
}

static void an_olm_session_that_they_open_works_both_ways(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_account *account = ratchet_account_new();
    struct ratchet_key key[RATCHET_ONE_TIME_KEYS];
    struct ratchet_session *session;
    char curve25519[BASE64_KEY], digits[256];
    ask_well(peer, "keys");
    memcpy(curve25519, peer->word[0], BASE64_KEY);
    assert_int_equal(ratchet_account_generate(account, 1), HR_OK);
    assert_int_equal(ratchet_account_unpublished(account, key), 1);
    ask_well(peer, "olm_open %s %s", ratchet_account_identity(account)->curve25519, key[0].key);
    ask_well(peer, "olm_encrypt %s", hex("first", 5, digits));
    assert_string_equal(peer->word[0], "0");
    assert_int_equal(ratchet_session_inbound(account, curve25519, peer->word[1], strlen(peer->word[1]), &session),
                     HR_OK);
    assert_true(ratchet_session_matches(session, curve25519, peer->word[1], strlen(peer->word[1])));
    hear(session, 0, peer->word[1], "first");
    assert_int_equal(ratchet_account_remove_key(account, session), HR_OK);
    ask_well(peer, "olm_encrypt %s", hex("second", 6, digits)); /* still of type 0 */
    assert_string_equal(peer->word[0], "0");
    hear(session, 0, peer->word[1], "second");
    tell(peer, session, "answer");
    ask_well(peer, "olm_encrypt %s", hex("third", 5, digits));
    assert_string_equal(peer->word[0], "1");
    hear(session, 1, peer->word[1], "third");
    ratchet_session_free(session);
    ratchet_account_free(account);
}

static void signatures_are_good_on_the_other_side(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_account *account = ratchet_account_new();
    char signature[BASE64_SIGNATURE], digits[256], ed25519[BASE64_KEY];
    ratchet_account_sign(account, "text", 4, signature);
    ask_well(peer, "verify %s %s %s", ratchet_account_identity(account)->ed25519, hex("text", 4, digits), signature);
    ask(peer, "verify %s %s %s", ratchet_account_identity(account)->ed25519, hex("Text", 4, digits), signature);
    assert_string_equal(peer->word[0], "error");
    ask_well(peer, "keys");
    memcpy(ed25519, peer->word[1], BASE64_KEY);
    ask_well(peer, "sign %s", hex("text", 4, digits));
    assert_int_equal(curve_verify(ed25519, "text", 4, peer->word[0]), HR_OK);
    ratchet_account_free(account);
}

/* ---- Megolm ---- */

static void they_read_our_room_messages(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    char key[RATCHET_SESSION_KEY], *text, digits[256];
    size_t len;
    ratchet_outbound_key(outbound, key);
    ask_well(peer, "megolm_read %s", key);
    assert_string_equal(peer->word[0], ratchet_outbound_id(outbound));
    for (int i = 0; i < 3; i++) {
        char index[12];
        snprintf(index, sizeof(index), "%d", i);
        assert_int_equal(ratchet_outbound_encrypt(outbound, "to the room", 11, &text, &len), HR_OK);
        ask_well(peer, "megolm_decrypt %s", text);
        assert_string_equal(peer->word[0], hex("to the room", 11, digits));
        assert_string_equal(peer->word[1], index);
        free(text);
    }
    ratchet_outbound_free(outbound);
}

static void we_read_their_room_messages_and_exports_go_both_ways(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_inbound *inbound, *imported;
    char *plaintext, digits[256], id[BASE64_KEY], key[RATCHET_EXPORTED_KEY];
    size_t len;
    uint32_t index;
    ask_well(peer, "megolm_key");
    memcpy(id, peer->word[0], BASE64_KEY);
    assert_int_equal(ratchet_inbound_new(peer->word[1], strlen(peer->word[1]), &inbound), HR_OK);
    assert_string_equal(ratchet_inbound_id(inbound), id);
    for (uint32_t i = 0; i < 3; i++) {
        ask_well(peer, "megolm_encrypt %s", hex("from the room", 13, digits));
        assert_int_equal(
            ratchet_inbound_decrypt(inbound, peer->word[0], strlen(peer->word[0]), &plaintext, &len, &index), HR_OK);
        assert_string_equal(plaintext, "from the room");
        assert_int_equal(index, ratchet_inbound_first_index(inbound) + i);
        curve_free(plaintext, len);
    }
    assert_int_equal(ratchet_inbound_export(inbound, ratchet_inbound_first_index(inbound) + 1, key), HR_OK);
    ask_well(peer, "megolm_import %s", key);
    assert_string_equal(peer->word[0], id);
    ask_well(peer, "megolm_export %u", ratchet_inbound_first_index(inbound) + 2);
    assert_int_equal(ratchet_inbound_import(peer->word[0], strlen(peer->word[0]), &imported), HR_OK);
    assert_true(ratchet_inbound_connects(inbound, imported));
    ratchet_inbound_free(imported);
    ratchet_inbound_free(inbound);
}

/* ---- the way out: another library reads our pickles ---- */

static void pickles_can_be_taken_over_by_the_other_library(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_account *account = ratchet_account_new();
    struct ratchet_outbound *outbound = ratchet_outbound_new();
    struct ratchet_inbound *inbound;
    char key[RATCHET_SESSION_KEY], digits[65], *pickle = ratchet_account_pickle(account, pickle_key), *text;
    size_t len;
    ask_well(peer, "account_pickle %s %s", pickle, key_hex(digits));
    assert_string_equal(peer->word[0], ratchet_account_identity(account)->curve25519);
    assert_string_equal(peer->word[1], ratchet_account_identity(account)->ed25519);
    free(pickle);
    ratchet_outbound_key(outbound, key);
    assert_int_equal(ratchet_inbound_new(key, strlen(key), &inbound), HR_OK);
    pickle = ratchet_inbound_pickle(inbound, pickle_key);
    ask_well(peer, "megolm_pickle %s %s", pickle, key_hex(digits));
    assert_string_equal(peer->word[0], ratchet_inbound_id(inbound));
    assert_int_equal(ratchet_outbound_encrypt(outbound, "x", 1, &text, &len), HR_OK);
    ask_well(peer, "megolm_decrypt %s", text);
    assert_string_equal(peer->word[0], "78");
    free(text);
    free(pickle);
    ratchet_inbound_free(inbound);
    ratchet_outbound_free(outbound);
    ratchet_account_free(account);
}

static void a_conversation_goes_on_in_the_other_library(void **state)
{
    struct peer *peer = installed(state);
    struct ratchet_account *alice = ratchet_account_new(), *bob = ratchet_account_new();
    struct ratchet_key key[RATCHET_ONE_TIME_KEYS];
    struct ratchet_session *ours, *theirs;
    const char *sender = ratchet_account_identity(alice)->curve25519;
    char digits[256], more[65], *pickle;
    assert_int_equal(ratchet_account_generate(bob, 1), HR_OK);
    assert_int_equal(ratchet_account_unpublished(bob, key), 1);
    assert_int_equal(ratchet_session_outbound(alice, ratchet_account_identity(bob)->curve25519, key[0].key, &ours),
                     HR_OK);
    pickle = ratchet_session_pickle(ours, pickle_key);
    ask_well(peer, "session_pickle %s %s", pickle, key_hex(more));
    assert_string_equal(peer->word[0], ratchet_session_id(ours));
    ask_well(peer, "olm_encrypt %s", hex("taken over", 10, digits));
    assert_int_equal(ratchet_session_inbound(bob, sender, peer->word[1], strlen(peer->word[1]), &theirs), HR_OK);
    hear(theirs, 0, peer->word[1], "taken over");
    tell(peer, theirs, "well");
    free(pickle);
    ratchet_session_free(ours);
    ratchet_session_free(theirs);
    ratchet_account_free(alice);
    ratchet_account_free(bob);
}

/* ---- verification, backup ---- */

static void both_sides_show_the_same_emoji_and_numbers(void **state)
{
    struct peer *peer = installed(state);
    const struct sas_party us = {ALICE, "ADEV"}, them = {BOB, "BDEV"};
    const struct sas_key key = {"ed25519:ADEV", "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (int i = 0; i < 20; i++) {
        struct ratchet_sas *sas = ratchet_sas_new();
        struct sas_code code;
        json_t *content;
        char their_key[BASE64_KEY], info[600], digits[1200], more[1200], shown[200];
        ask_well(peer, "sas_start %s", ratchet_sas_public(sas));
        memcpy(their_key, peer->word[0], BASE64_KEY);
        assert_int_equal(ratchet_sas_set_their_key(sas, their_key), HR_OK);
        assert_int_equal(sas_code(sas, them, their_key, us, ratchet_sas_public(sas), "$request", &code), HR_OK);
        snprintf(info, sizeof(info), "MATRIX_KEY_VERIFICATION_SAS|" BOB "|BDEV|%s|" ALICE "|ADEV|%s|$request",
                 their_key, ratchet_sas_public(sas));
        ask_well(peer, "sas_shown %s", hex(info, strlen(info), digits));
        snprintf(shown, sizeof(shown), "%u-%u-%u-%u-%u-%u-%u-%u-%u-%u", code.emoji[0], code.emoji[1], code.emoji[2],
                 code.emoji[3], code.emoji[4], code.emoji[5], code.emoji[6], code.decimal[0], code.decimal[1],
                 code.decimal[2]);
        assert_string_equal(peer->word[0], shown);
        assert_int_equal(sas_mac_make(sas, us, them, "$request", &key, 1, &content), HR_OK);
        snprintf(info, sizeof(info), "MATRIX_KEY_VERIFICATION_MAC" ALICE "ADEV" BOB "BDEV$request%s", key.id);
        ask_well(peer, "sas_mac %s %s", hex(key.key, strlen(key.key), more), hex(info, strlen(info), digits));
        assert_string_equal(peer->word[0], json_string_value(json_object_get(json_object_get(content, "mac"), key.id)));
        snprintf(info, sizeof(info), "MATRIX_KEY_VERIFICATION_MAC" ALICE "ADEV" BOB "BDEV$requestKEY_IDS");
        ask_well(peer, "sas_mac %s %s", hex(key.id, strlen(key.id), more), hex(info, strlen(info), digits));
        assert_string_equal(peer->word[0], json_string_value(json_object_get(content, "keys")));
        json_decref(content);
        ratchet_sas_free(sas);
    }
}

static void backups_are_opened_on_both_sides(void **state)
{
    struct peer *peer = installed(state);
    uint8_t private[32] = "a private key of thirty-two byte";
    struct ratchet_sealed sealed;
    char public[BASE64_KEY], digits[256], *plaintext;
    size_t len;
    ratchet_backup_public(private, public);
    assert_int_equal(ratchet_backup_seal(public, "a session", 9, &sealed), HR_OK);
    ask_well(peer, "backup_open %s %s %s %s", hex((const char *)private, 32, digits), sealed.ciphertext, sealed.mac,
             sealed.ephemeral);
    assert_string_equal(peer->word[0], hex("a session", 9, digits));
    ratchet_sealed_clear(&sealed);
    ask_well(peer, "backup_seal %s %s", public, hex("their session", 13, digits));
    assert_int_equal(ratchet_backup_open(private, peer->word[2], peer->word[1], peer->word[0], &plaintext, &len),
                     HR_OK);
    assert_string_equal(plaintext, "their session");
    curve_free(plaintext, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_olm_session_that_we_open_works_both_ways),
        cmocka_unit_test(an_olm_session_that_they_open_works_both_ways),
        cmocka_unit_test(signatures_are_good_on_the_other_side),
        cmocka_unit_test(they_read_our_room_messages),
        cmocka_unit_test(we_read_their_room_messages_and_exports_go_both_ways),
        cmocka_unit_test(pickles_can_be_taken_over_by_the_other_library),
        cmocka_unit_test(a_conversation_goes_on_in_the_other_library),
        cmocka_unit_test(both_sides_show_the_same_emoji_and_numbers),
        cmocka_unit_test(backups_are_opened_on_both_sides),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
