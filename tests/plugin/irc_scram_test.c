/* SPDX-License-Identifier: MIT */
/* SCRAM-SHA-256: the example of RFC 7677, and servers that do not know the password. */
#include "../../plugins/irc/scram.h"
#include "fake_irc.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_FIRST "r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define SERVER_LAST "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static void begin(struct scram *scram, const char *account)
{
    char out[SCRAM_TEXT];
    assert_true(scram_first(scram, account, NONCE, out, sizeof out));
}

static void the_example_of_the_rfc_comes_out(void **state)
{
    struct scram scram;
    char out[2 * SCRAM_TEXT], err[120];
    (void)state;
    assert_true(scram_first(&scram, "user", NONCE, out, sizeof out));
    assert_string_equal(out, "n,,n=user,r=" NONCE);
    assert_true(scram_final(&scram, "pencil", SERVER_FIRST, out, sizeof out, err, sizeof err));
    assert_string_equal(out, "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                             "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_true(scram_verify(&scram, SERVER_LAST));
    assert_true(scram.verified);
}

static void a_name_with_signs_is_written_otherwise(void **state)
{
    struct scram scram;
    char out[SCRAM_TEXT], name[300];
    (void)state;
    assert_true(scram_first(&scram, "a=b,c", NONCE, out, sizeof out));
    assert_string_equal(out, "n,,n=a=3Db=2Cc,r=" NONCE);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(scram_first(&scram, name, NONCE, out, sizeof out));
}

static void what_is_no_scram_is_refused(void **state)
{
    static const char *const broken[] = {
        "",
        "r=,s=,i=",
        "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", /* the server added nothing of its own */
        "r=" NONCE "x,s=W22,i=4096",
        "r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        "m=new,r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
        "r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999",
    };
    char out[2 * SCRAM_TEXT], err[120];
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct scram scram;
        begin(&scram, "user");
        err[0] = '\0';
        assert_false(scram_final(&scram, "pencil", broken[i], out, sizeof out, err, sizeof err));
        assert_true(*err);
    }
}

static void a_server_that_does_not_know_the_password_is_not_believed(void **state)
{
    static const char *const lies[] = {"", "v=", "e=other-error",
                                       "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=6rri"};
    char out[2 * SCRAM_TEXT], err[120];
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct scram scram;
        begin(&scram, "user");
        assert_true(scram_final(&scram, "pencil", SERVER_FIRST, out, sizeof out, err, sizeof err));
        assert_false(scram_verify(&scram, lies[i]));
        assert_false(scram.verified);
    }
}

/* ---- over the wire ------------------------------------------------------------------- */

static struct fake *logging_in(void)
{
    struct fake *fake = irc_new();
    fake_option(fake, "sasl", "scram");
    fake_option(fake, "sasl_account", "user");
    fake_option(fake, "sasl_password_file", "pencil");
    irc_start(fake);
    irc_line(fake, ":s CAP * LS :sasl=PLAIN,SCRAM-SHA-256");
    irc_line(fake, ":s CAP * ACK :sasl");
    irc_expect(fake, "AUTHENTICATE SCRAM-SHA-256\r\n");
    irc_line(fake, "AUTHENTICATE +");
    return fake;
}

static void a_login_without_proof_of_the_server_is_left(void **state)
{
    struct fake *fake = *state = logging_in();
    assert_true(irc_sent(fake, "AUTHENTICATE biwsbj11c2VyLHI9")); /* n,,n=user,r= */
    irc_line(fake, ":s 903 * :SASL authentication successful");
    assert_non_null(fake_with(fake, FAKE_DOWN, "did not prove"));
    assert_false(irc_sent(fake, "CAP END"));
}

static void a_false_answer_ends_it_and_tells_no_password(void **state)
{
    struct fake *fake = *state = logging_in();
    irc_line(fake, "AUTHENTICATE cj1vdGhlcixzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY="); /* r=other,... */
    assert_non_null(fake_with(fake, FAKE_DOWN, "not that of SCRAM-SHA-256"));
    assert_null(fake_with(fake, 0, "pencil"));
}

static void long_and_broken_lines_of_the_server_are_bounded(void **state)
{
    struct fake *fake = *state = logging_in();
    char line[600];
    (void)snprintf(line, sizeof line, "AUTHENTICATE %0400d", 0);
    for (int i = 0; i < 40; i++) {
        irc_line(fake, line);
    }
    irc_line(fake, "AUTHENTICATE !!!!");
    assert_non_null(fake_with(fake, FAKE_DOWN, "not that of SCRAM-SHA-256"));
}

#define TEST(name) cmocka_unit_test_teardown(name, irc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_comes_out),
        cmocka_unit_test(a_name_with_signs_is_written_otherwise),
        cmocka_unit_test(what_is_no_scram_is_refused),
        cmocka_unit_test(a_server_that_does_not_know_the_password_is_not_believed),
        TEST(a_login_without_proof_of_the_server_is_left),
        TEST(a_false_answer_ends_it_and_tells_no_password),
        TEST(long_and_broken_lines_of_the_server_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
