/* SPDX-License-Identifier: MIT */
/* Bytes to lines to fields; tags; what 005 says; names compared. */
#include "../../plugins/irc/isupport.h"
#include "../../plugins/irc/tags.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct seen {
    char text[8][64];
    size_t count, last_len;
};

static bool collect(void *arg, char *line, size_t len)
{
    struct seen *seen = arg;
    assert_int_equal(line[len], '\0');
    if (seen->count < 8) {
        (void)snprintf(seen->text[seen->count], 64, "%.63s", line);
    }
    seen->count++;
    seen->last_len = len;
    return true;
}

static void lines_come_whole_however_the_bytes_are_cut(void **state)
{
    (void)state;
    static const char bytes[] = ":a PRIVMSG #c :one\r\n\r\n\n:a PRIVMSG #c :two\nPING x\r\r\n";
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        struct framer framer = {0};
        struct seen seen = {0};
        for (size_t at = 0; at < sizeof bytes - 1; at += piece) {
            size_t left = sizeof bytes - 1 - at;
            framer_feed(&framer, bytes + at, left < piece ? left : piece, collect, &seen);
        }
        assert_int_equal(seen.count, 3);
        assert_string_equal(seen.text[0], ":a PRIVMSG #c :one");
        assert_string_equal(seen.text[1], ":a PRIVMSG #c :two");
        assert_string_equal(seen.text[2], "PING x");
    }
}

static void a_line_of_20000_bytes_is_dropped_and_the_next_one_is_fine(void **state)
{
    (void)state;
    struct framer framer = {0};
    struct seen seen = {0};
    char *big = test_malloc(20000);
    memset(big, 'z', 20000);
    framer_feed(&framer, big, 20000, collect, &seen);
    framer_feed(&framer, "\nPING a\n", 8, collect, &seen);
    assert_int_equal(framer.dropped, 1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.text[0], "PING a");
    framer_feed(&framer, big, WIRE_LINE_BYTES, collect, &seen);
    framer_feed(&framer, "\r\n", 2, collect, &seen);
    assert_int_equal(seen.last_len, WIRE_LINE_BYTES);
    test_free(big);
}

static struct wire parsed(char *line)
{
    struct wire wire;
    assert_true(wire_parse(&wire, line, strlen(line)));
    return wire;
}

static void a_full_line_is_taken_apart(void **state)
{
    (void)state;
    char line[] =
        "@time=2026-11-23T20:00:00.123Z;+draft/x=a\\:b\\sc\\\\;account=asha;flag :n!u@h  privmsg  #c  :words : here";
    struct wire wire = parsed(line);
    assert_string_equal(wire.source, "n!u@h");
    assert_string_equal(wire.command, "PRIVMSG");
    assert_int_equal(wire.count, 2);
    assert_string_equal(wire.param[0], "#c");
    assert_string_equal(wire.param[1], "words : here");
    assert_string_equal(tags_get(&wire, "+draft/x"), "a;b c\\");
    assert_string_equal(tags_get(&wire, "flag"), "");
    assert_null(tags_get(&wire, "none"));
    assert_int_equal(tags_time(tags_get(&wire, "time")), INT64_C(1795464000123));
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"@",      "@ ",    "@a",         ":a", ":a ",          ":",    " ",      "12",
                                         "1234 x", "00a x", "PRIV-MSG x", "\1", ":s 0000 x :y", "@a=b", "@a=b :c"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char line[64];
        struct wire wire;
        (void)snprintf(line, sizeof line, "%s", broken[i]);
        assert_false(wire_parse(&wire, line, strlen(line)));
    }
    struct wire wire;
    char with_nul[] = "PRIVMSG a\0b :x", with_cr[] = "PRIVMSG #c :a\rQUIT";
    assert_false(wire_parse(&wire, with_nul, sizeof with_nul - 1));
    assert_false(wire_parse(&wire, with_cr, sizeof with_cr - 1));
}

static void surplus_tags_and_parameters_have_a_ceiling(void **state)
{
    (void)state;
    char line[4000] = "@";
    size_t len = 1;
    for (int i = 0; i < 200; i++) {
        len += (size_t)snprintf(line + len, sizeof line - len, "k%d=v;", i);
    }
    len += (size_t)snprintf(line + len, sizeof line - len, " CMD");
    for (int i = 0; i < 100; i++) {
        len += (size_t)snprintf(line + len, sizeof line - len, " p%d", i);
    }
    struct wire wire = parsed(line);
    assert_int_equal(wire.tag_count, WIRE_TAGS);
    assert_int_equal(wire.count, WIRE_PARAMS);
    assert_int_equal(strncmp(wire.param[WIRE_PARAMS - 1], "p31 p32", 7), 0);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    char out[200];
    const char *param[] = {"#c", "", "x"}, *text[] = {"#c", ":) hello  there"};
    assert_int_equal(wire_write(out, sizeof out, "s", "CMD", param, 3), 0);
    assert_true(wire_write(out, sizeof out, "n!u@h", "PRIVMSG", text, 2) > 0);
    assert_string_equal(out, ":n!u@h PRIVMSG #c ::) hello  there\r\n");
    out[strlen(out) - 2] = '\0';
    struct wire wire = parsed(out);
    assert_string_equal(wire.param[1], ":) hello  there");
    const char *injected[] = {"#c\r\nQUIT", "x"};
    assert_int_equal(wire_write(out, sizeof out, "s", "PRIVMSG", injected, 2), 0);
    assert_int_equal(wire_write(out, 10, "s", "PRIVMSG", text, 2), 0);
}

static void tag_values_survive_escaping(void **state)
{
    (void)state;
    char out[64], line[128];
    assert_true(tags_escape(out, sizeof out, "a;b c\\d\r\ne") > 0);
    assert_string_equal(out, "a\\:b\\sc\\\\d\\r\\ne");
    (void)snprintf(line, sizeof line, "@k=%s CMD x", out);
    struct wire wire = parsed(line);
    assert_string_equal(tags_get(&wire, "k"), "a;b c\\d\r\ne");
    assert_int_equal(tags_escape(out, 4, "abcdef"), 0);
    char lone[] = "@k=a\\ CMD x";
    wire = parsed(lone);
    assert_string_equal(tags_get(&wire, "k"), "a");
}

static void absurd_times_are_no_times(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-13-01T00:00:00Z",
                                      "2026-11-23T25:00:00Z",
                                      "2026-11-23T20:00:00",
                                      "2026-11-23T20:00:00.1",
                                      "-026-11-23T20:00:00Z",
                                      "2026-11-23 20:00:00Z",
                                      "99999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tags_time(bad[i]), -1);
    }
    assert_int_equal(tags_time("1970-01-01T00:00:00.000Z"), 0);
    assert_int_equal(tags_time("2024-02-29T12:00:00Z"), INT64_C(1709208000000));
}

static void the_server_says_how_names_compare(void **state)
{
    (void)state;
    struct isupport support;
    isupport_init(&support);
    assert_true(name_equal(&support, "Asha[x]", "asha{X}"));
    char line[] = ":s 005 me CASEMAPPING=ascii PREFIX=(qaohv)~&@%+ CHANTYPES=# CHANMODES=Ibe,k,fl,CEM NICKLEN=32 BOT=B "
                  "WHOX :are supported";
    struct wire wire = parsed(line);
    isupport_read(&support, &wire);
    assert_false(name_equal(&support, "Asha[x]", "asha{X}"));
    assert_true(name_equal(&support, "Asha", "aSHA"));
    assert_true(isupport_channel(&support, "#x"));
    assert_false(isupport_channel(&support, "&x"));
    assert_int_equal(support.nick_bytes, 32);
    assert_int_equal(support.bot_mode, 'B');
    assert_true(support.whox);
    assert_int_equal(isupport_power(&support, "q"), 50);
    assert_int_equal(isupport_power(&support, "vo"), 50);
    assert_int_equal(isupport_power(&support, "h"), 10);
    assert_int_equal(isupport_power(&support, "v"), 10);
    assert_int_equal(isupport_power(&support, ""), 0);
    assert_true(isupport_takes_arg(&support, 'f', true));
    assert_false(isupport_takes_arg(&support, 'f', false));
    assert_true(isupport_takes_arg(&support, 'b', false));
    assert_false(isupport_takes_arg(&support, 'C', true));
}

static void a_hostile_005_changes_nothing(void **state)
{
    (void)state;
    struct isupport support, before;
    isupport_init(&support);
    before = support;
    char line[] = ":s 005 me PREFIX=(ov)@ PREFIX=ov NICKLEN=-5 NICKLEN=0 =x = :end";
    struct wire wire = parsed(line);
    isupport_read(&support, &wire);
    assert_string_equal(support.prefix_mode, before.prefix_mode);
    assert_int_equal(support.nick_bytes, before.nick_bytes);
    char huge[] = ":s 005 me NICKLEN=99999999999999999999 CHANTYPES=############################## :end";
    wire = parsed(huge);
    isupport_read(&support, &wire);
    assert_true(support.nick_bytes < WIRE_NAME_BYTES);
}

static void nicks_are_judged(void **state)
{
    (void)state;
    assert_true(wire_nick_valid("hash_room"));
    assert_true(wire_nick_valid("[x]"));
    static const char *const bad[] = {"", "a b", "#c", "1a", "-x", "a!b", "a@b", "a,b", "a*", ":a", "a\1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(wire_nick_valid(bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_however_the_bytes_are_cut),
        cmocka_unit_test(a_line_of_20000_bytes_is_dropped_and_the_next_one_is_fine),
        cmocka_unit_test(a_full_line_is_taken_apart),
        cmocka_unit_test(what_is_no_line_is_refused),
        cmocka_unit_test(surplus_tags_and_parameters_have_a_ceiling),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(tag_values_survive_escaping),
        cmocka_unit_test(absurd_times_are_no_times),
        cmocka_unit_test(the_server_says_how_names_compare),
        cmocka_unit_test(a_hostile_005_changes_nothing),
        cmocka_unit_test(nicks_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
