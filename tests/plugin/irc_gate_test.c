/* SPDX-License-Identifier: MIT */
/*
 * libircclient behind the gate: what kills it never reaches it, and each line
 * makes exactly one event, whichever way it took.
 */
#include "../../plugins/irc/gate.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <unistd.h>

struct heard {
    struct gate *gate;
    size_t count;
    char command[40], source[300], param[4][1200];
    size_t params;
    bool action, ctcp, library;
    char reply[512]; /* formatted inside the callback */
    bool answer;
};

static void on_event(void *arg, const struct gate_event *event)
{
    struct heard *heard = arg;
    heard->count++;
    (void)snprintf(heard->command, sizeof heard->command, "%s", event->command);
    (void)snprintf(heard->source, sizeof heard->source, "%s", event->source);
    heard->params = event->count;
    for (size_t i = 0; i < event->count && i < 4; i++) {
        assert_non_null(event->param[i]);
        (void)snprintf(heard->param[i], sizeof heard->param[i], "%s", event->param[i]);
    }
    heard->action = event->action;
    heard->ctcp = event->ctcp;
    heard->library = event->library;
    if (heard->answer) {
        assert_true(gate_msg(heard->gate, "#c", "from inside", heard->reply, sizeof heard->reply) > 0);
    }
}

static struct heard *open_gate(const char *nick)
{
    char err[200] = "";
    struct heard *heard = test_calloc(1, sizeof *heard);
    heard->gate = gate_new(on_event, heard, err, sizeof err);
    assert_non_null(heard->gate);
    assert_int_equal(gate_attach(heard->gate, nick, err, sizeof err), 0);
    return heard;
}

static void close_gate(struct heard *heard)
{
    gate_free(heard->gate);
    test_free(heard);
}

/* False if the parser refused it. */
static bool feed(struct heard *heard, const char *text)
{
    static char line[WIRE_LINE_BYTES + 1];
    struct wire wire;
    (void)snprintf(line, sizeof line, "%s", text);
    if (!wire_parse(&wire, line, strlen(line))) {
        return false;
    }
    heard->count = 0;
    gate_line(heard->gate, &wire);
    return true;
}

static void the_library_dispatches_an_ordinary_line(void **state)
{
    (void)state;
    struct heard *heard = open_gate("hashroom");
    assert_true(feed(heard, "@time=2026-11-23T20:00:00Z :asha!a@h PRIVMSG #c :hello there"));
    assert_int_equal(heard->count, 1);
    assert_true(heard->library);
    assert_string_equal(heard->source, "asha!a@h");
    assert_int_equal(heard->params, 2);
    assert_string_equal(heard->param[1], "hello there");
    assert_true(feed(heard, ":s 353 hashroom = #c :@asha ben"));
    assert_int_equal(heard->count, 1);
    assert_true(heard->library);
    assert_string_equal(heard->param[3], "@asha ben");
    assert_true(feed(heard, ":s 376 hashroom :End of MOTD"));
    assert_int_equal(heard->count, 1);
    close_gate(heard);
}

/* libircclient.md: each of these killed it, made it speak, or cut something off. */
static void hostile_lines_do_no_harm_and_make_one_event_each(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "NICK x",
        ":s NOTICE ",
        ":s NOTICE bob",
        ":s 000 x",
        ":bob MODE bob",
        ":s 251",
        "QUIT",
        ":n QUIT",
        ":n!u@h KICK #c",
        ":y PRIVMSG bob :\1",
        ":y PRIVMSG bob :\1\1",
        ":y PRIVMSG bob :\1DCC CHAT chat 0 0\1",
        ":y PRIVMSG bob :\1DCC SEND x 0 1 2\1",
        ":y PRIVMSG bob :\1FINGER\1",
        ":y PRIVMSG bob :\1VERSION\1",
        ":y NOTICE bob :\1VERSION x\1",
        ":y PRIVMSG bob :\1ACTION\1",
        ":y PRIVMSG bob :\1ACTION x",
        ":bobby!u@h NICK :carol",
        ":bob!u@h NICK :%n%n%s",
        ":bob!u@h NICK :a b",
        ":y INVITE bob :#c",
        ":y TOPIC #c :",
        ":y  PRIVMSG   #c   :a",
        ":x JOIN",
        ":x JOIN :",
        ":s 005 a b c d e f g h i j k l m :n",
        ":s MODE #c :",
        ":a PRIVMSG #c ::) smile",
        ":a PRIVMSG #c :%s%n%d",
        "PRIVMSG #c :no source",
        ":s ERROR :x",
        ":k KILL bob :reason",
        ":s BATCH +x chathistory #c",
        ":s 433 * bob :taken",
        ":s 001 bob :again",
        "PONG",
        ":s WALLOPS :x",
        ":s 999 bob",
        "A B C D E F G H I J K L M N O P",
    };
    struct heard *heard = open_gate("bob");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(feed(heard, lines[i]));
        assert_int_equal(heard->count, 1);
        assert_true(gate_attached(heard->gate));
    }
    char out[512];
    assert_true(gate_msg(heard->gate, "#c", "still alive", out, sizeof out) > 0);
    assert_string_equal(out, "PRIVMSG #c :still alive\r\n");
    assert_int_equal(gate_count(heard->gate)->stray, 0);
    close_gate(heard);
}

static void a_line_that_does_not_fit_the_library_arrives_whole(void **state)
{
    (void)state;
    char line[4000], text[1101];
    struct heard *heard = open_gate("bob");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)snprintf(line, sizeof line, ":a!u@h PRIVMSG #c :%s", text);
    assert_true(feed(heard, line));
    assert_int_equal(heard->count, 1);
    assert_false(heard->library);
    assert_string_equal(heard->param[1], text);
    text[400] = '\0';
    (void)snprintf(line, sizeof line, ":a!u@h PRIVMSG #c :\1ACTION %s\1", text);
    assert_true(feed(heard, line));
    assert_int_equal(heard->count, 1);
    assert_true(heard->action);
    assert_string_equal(heard->param[1], text);
    memset(line, 'p', 2000);
    line[0] = ':';
    (void)snprintf(line + 2000, sizeof line - 2000, " PRIVMSG #c :x");
    assert_true(feed(heard, line));
    assert_int_equal(heard->count, 1);
    close_gate(heard);
}

static void both_ways_make_the_same_event(void **state)
{
    (void)state;
    struct heard *heard = open_gate("bob");
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :\1ACTION waves\1"));
    assert_true(heard->library && heard->action && !heard->ctcp);
    assert_string_equal(heard->param[0], "#c");
    assert_string_equal(heard->param[1], "waves");
    gate_detach(heard->gate);
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :\1ACTION waves\1"));
    assert_true(!heard->library && heard->action && !heard->ctcp);
    assert_int_equal(heard->params, 2);
    assert_string_equal(heard->param[0], "#c");
    assert_string_equal(heard->param[1], "waves");
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :\1VERSION\1"));
    assert_true(heard->ctcp);
    close_gate(heard);
}

/* It compares nicks by their start; private lines would turn into channel lines and back. */
static void bobby_does_not_become_bob(void **state)
{
    (void)state;
    struct heard *heard = open_gate("bob");
    assert_true(feed(heard, ":bobby!u@h NICK :carol"));
    assert_int_equal(heard->count, 1);
    assert_string_equal(heard->param[0], "carol");
    assert_true(feed(heard, ":a!u@h MODE bob +i"));
    assert_int_equal(heard->count, 1);
    assert_int_equal(heard->params, 0); /* the library took it for our own mode, as it is */
    gate_set_nick(heard->gate, "robert");
    assert_true(feed(heard, ":a!u@h MODE robert +i"));
    assert_int_equal(heard->params, 0);
    close_gate(heard);
}

static void nothing_but_one_line_comes_out(void **state)
{
    (void)state;
    char out[1100], text[600];
    struct heard *heard = open_gate("bob");
    assert_int_equal(gate_msg(heard->gate, "#c", "hi\r\nQUIT :x", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, "#c x", "hi", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, "#c\r\nQUIT", "hi", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, "", "hi", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, ":c", "hi", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, "#a,#b", "hi", out, sizeof out), 0);
    assert_int_equal(gate_msg(heard->gate, "#c", "", out, sizeof out), 0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(gate_msg(heard->gate, "#c", text, out, sizeof out), 0);
    assert_int_equal(gate_join(heard->gate, "#a #b", out, sizeof out), 0);
    assert_int_equal(gate_nick(heard->gate, "a b", out, sizeof out), 0);
    assert_true(gate_msg(heard->gate, "#c", "%s %n 100%", out, sizeof out) > 0);
    assert_string_equal(out, "PRIVMSG #c :%s %n 100%\r\n");
    for (int i = 0; i < 500; i++) { /* its own buffer holds a dozen: none may be lost */
        assert_true(gate_msg(heard->gate, "#c", "a line like any other of some length", out, sizeof out) > 0);
    }
    assert_true(gate_join(heard->gate, "#a,#b", out, sizeof out) > 0);
    assert_string_equal(out, "JOIN #a,#b\r\n");
    assert_true(gate_whois(heard->gate, "asha", out, sizeof out) > 0);
    assert_int_equal(strncmp(out, "WHOIS asha", 10), 0);
    close_gate(heard);
}

static void a_callback_may_speak(void **state)
{
    (void)state;
    struct heard *heard = open_gate("bob");
    heard->answer = true;
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :hello"));
    assert_true(heard->library);
    assert_string_equal(heard->reply, "PRIVMSG #c :from inside\r\n");
    heard->answer = false;
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :again"));
    assert_string_equal(heard->param[1], "again");
    close_gate(heard);
}

/* No line of one network may show up in another one's callbacks. */
static void nothing_of_one_line_is_left_for_the_next(void **state)
{
    (void)state;
    struct heard *one = open_gate("bob"), *two = open_gate("carol");
    assert_true(feed(one, ":a!u@h PRIVMSG bob :PING secret-of-one-network and more of it"));
    static const char *const bare[] = {":s 251",     "QUIT",        ":n KICK",
                                       ":s PRIVMSG", ":s NOTICE x", ":aaaaaaaaaaaaaaaaaaaa X"};
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
        assert_true(feed(two, bare[i]));
        for (size_t p = 0; p < two->params; p++) {
            assert_null(strstr(two->param[p], "secret"));
        }
    }
    assert_int_equal(gate_count(two->gate)->stray, 0);
    close_gate(one);
    close_gate(two);
}

static void attach_and_detach_leave_no_descriptor_open(void **state)
{
    (void)state;
    struct heard *heard = open_gate("bob");
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    char err[200];
    for (int i = 0; i < 300; i++) {
        gate_detach(heard->gate);
        assert_int_equal(gate_attach(heard->gate, "bob", err, sizeof err), 0);
    }
    int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(after);
    assert_int_equal(before, after);
    assert_true(feed(heard, ":a!u@h PRIVMSG #c :hello"));
    assert_true(heard->library);
    close_gate(heard);
}

static void above_1023_the_gate_refuses_instead_of_dying(void **state)
{
    (void)state;
    struct rlimit limit, high;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    high = limit;
    high.rlim_cur = limit.rlim_max < 1100 ? limit.rlim_max : 1100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &high), 0);
    if (high.rlim_cur < 1100) {
        skip();
    }
    struct heard *early = open_gate("bob");
    int fd[1100], count = 0;
    while (count < 1100 && (fd[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        if (fd[count++] > 1030) {
            break;
        }
    }
    char err[300] = "";
    struct heard late = {0};
    assert_null(gate_new(on_event, &late, err, sizeof err));
    assert_non_null(strstr(err, "1024"));
    /* The one that came first keeps its number and can attach again. */
    gate_detach(early->gate);
    assert_int_equal(gate_attach(early->gate, "bob", err, sizeof err), 0);
    assert_true(feed(early, ":a!u@h PRIVMSG #c :hello"));
    assert_true(early->library);
    while (count > 0) {
        close(fd[--count]);
    }
    close_gate(early);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void a_nick_that_is_none_is_not_attached(void **state)
{
    (void)state;
    char err[200] = "";
    struct heard heard = {0};
    struct gate *gate = gate_new(on_event, &heard, err, sizeof err);
    assert_int_equal(gate_attach(gate, "a b", err, sizeof err), -1);
    assert_false(gate_attached(gate));
    assert_true(strlen(err) > 0);
    assert_int_equal(gate_msg(gate, "#c", "x", err, sizeof err), 0);
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_dispatches_an_ordinary_line),
        cmocka_unit_test(hostile_lines_do_no_harm_and_make_one_event_each),
        cmocka_unit_test(a_line_that_does_not_fit_the_library_arrives_whole),
        cmocka_unit_test(both_ways_make_the_same_event),
        cmocka_unit_test(bobby_does_not_become_bob),
        cmocka_unit_test(nothing_but_one_line_comes_out),
        cmocka_unit_test(a_callback_may_speak),
        cmocka_unit_test(nothing_of_one_line_is_left_for_the_next),
        cmocka_unit_test(attach_and_detach_leave_no_descriptor_open),
        cmocka_unit_test(above_1023_the_gate_refuses_instead_of_dying),
        cmocka_unit_test(a_nick_that_is_none_is_not_attached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
