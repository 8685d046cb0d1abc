/* SPDX-License-Identifier: MIT */
/* The terminal's lines in and out: pipes, files, /dev/null, a slow or vanished reader. */
#include "net.h"
#include "buf.h"
#include "terminal.h"
#include <fcntl.h>

struct seen {
    struct net net;
    struct net_server place; /* its folder only */
    int lines, ends;
    char last[8192];
    size_t total;
    bool sweep_in_line;
};

static int setup(void **state)
{
    struct seen *seen = xcalloc(1, sizeof(*seen));

    signal(SIGPIPE, SIG_IGN);
    snprintf(seen->place.dir, sizeof(seen->place.dir), "/tmp/hashroom-terminal-XXXXXX");
    assert_non_null(mkdtemp(seen->place.dir));
    net_init(&seen->net, &seen->place);
    *state = seen;
    return 0;
}

static int teardown(void **state)
{
    struct seen *seen = *state;

    terminal_sweep(&seen->net.bot);
    turn_finish(seen->net.app.turn);
    net_clear(&seen->net);
    net_remove_dir(seen->place.dir);
    free(seen);
    return 0;
}

static void on_line(void *arg, const char *text)
{
    struct seen *seen = arg;

    assert_int_equal(seen->net.app.depth, 1);
    assert_int_equal(seen->ends, 0);
    if (!text) {
        seen->ends++;
        return;
    }
    seen->lines++;
    seen->total += strlen(text);
    snprintf(seen->last, sizeof(seen->last), "%s", text);
    if (seen->sweep_in_line) {
        terminal_sweep(&seen->net.bot);
    }
}

static int open_on(struct seen *seen, int in_fd, int out_fd)
{
    return terminal_open_on(&seen->net.bot, in_fd, out_fd, on_line, seen);
}

static int show(struct seen *seen, const char *text)
{
    return terminal_write(&seen->net.bot, text, strlen(text));
}

static int null_fd(int flags)
{
    int fd = open("/dev/null", flags | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void lines_come_from_a_pipe_and_end_with_it(void **state)
{
    struct seen *seen = *state;
    int in[2], out = null_fd(O_WRONLY);

    assert_int_equal(pipe(in), 0);
    assert_int_equal(open_on(seen, in[0], out), HR_OK);
    put(in[1], "first\nsec");
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(seen->last, "first");
    put(in[1], "ond\r\n\nno end");
    net_until(&seen->net, &seen->lines, 3);
    assert_string_equal(seen->last, "");
    close(in[1]);
    net_until(&seen->net, &seen->ends, 1);
    assert_int_equal(seen->lines, 4);
    assert_string_equal(seen->last, "no end");
    net_pause(&seen->net, 20);
    assert_int_equal(seen->ends, 1);
    close(in[0]);
    close(out);
}

static void lines_come_from_a_real_terminal(void **state)
{
    struct seen *seen = *state;
    int typist = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), screen;
    char got[256] = "";

    assert_int_equal(grantpt(typist) | unlockpt(typist), 0);
    screen = open(ptsname(typist), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(screen >= 0);
    assert_int_equal(open_on(seen, screen, screen), HR_OK);
    put(typist, "typed\n");
    net_until(&seen->net, &seen->lines, 1);
    assert_string_equal(seen->last, "typed");
    assert_int_equal(show(seen, "shown\n"), HR_OK);
    turn_finish(seen->net.app.turn);
    for (ssize_t len = 0; !strstr(got, "shown"); len = (ssize_t)strlen(got)) { /* after the echo of "typed" */
        assert_true(read(typist, got + len, sizeof(got) - 1 - (size_t)len) > 0);
    }
    put(typist, "\x04"); /* ^D */
    net_until(&seen->net, &seen->ends, 1);
    close(screen);
    close(typist);
}

static void dev_null_is_the_end_of_input(void **state)
{
    struct seen *seen = *state;
    int in = null_fd(O_RDONLY), out = null_fd(O_WRONLY);

    assert_int_equal(open_on(seen, in, out), HR_OK);
    assert_int_equal(seen->ends, 0); /* never inside the call */
    net_until(&seen->net, &seen->ends, 1);
    assert_int_equal(seen->lines, 0);
    close(in);
    close(out);
}

static void a_closed_descriptor_is_the_end_of_input(void **state)
{
    struct seen *seen = *state;
    int in = null_fd(O_RDONLY), out = null_fd(O_WRONLY);

    close(in);
    assert_int_equal(open_on(seen, in, out), HR_OK);
    assert_int_equal(seen->ends, 0);
    net_until(&seen->net, &seen->ends, 1);
    close(out);
}

static void a_file_is_read_to_its_end(void **state)
{
    struct seen *seen = *state;
    char path[128];
    int fd, out = null_fd(O_WRONLY);

    snprintf(path, sizeof(path), "%s/typed", seen->place.dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0; i < 5000; i++) {
        put(fd, "a line of it\n");
    }
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(open_on(seen, fd, out), HR_OK);
    net_until(&seen->net, &seen->ends, 1);
    assert_int_equal(seen->lines, 5000);
    close(fd);
    close(out);
}

static void a_line_has_a_ceiling_and_the_next_one_is_whole(void **state)
{
    struct seen *seen = *state;
    static char line[20001];
    int in[2], out = null_fd(O_WRONLY);

    memset(line, 'l', sizeof(line) - 1);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(open_on(seen, in[0], out), HR_OK);
    put(in[1], line);
    put(in[1], "\nnext\n");
    net_until(&seen->net, &seen->lines, 2);
    assert_int_equal(seen->total, 4096 + 4);
    assert_string_equal(seen->last, "next");
    assert_int_equal(write(in[1], "a\0b\n", 4), 4);
    net_until(&seen->net, &seen->lines, 3);
    assert_string_equal(seen->last, "a b");
    close(in[1]);
    close(in[0]);
    close(out);
}

static void a_sweep_inside_a_line_ends_it_all(void **state)
{
    struct seen *seen = *state;
    int in[2], out = null_fd(O_WRONLY);

    assert_int_equal(pipe(in), 0);
    seen->sweep_in_line = true;
    assert_int_equal(open_on(seen, in[0], out), HR_OK);
    assert_int_equal(open_on(seen, in[0], out), HR_EEXIST);
    put(in[1], "one\ntwo\nthree\n");
    net_until(&seen->net, &seen->lines, 1);
    net_pause(&seen->net, 20);
    assert_int_equal(seen->lines, 1);
    assert_int_equal(seen->ends, 0);
    assert_int_equal(show(seen, "too late\n"), HR_ENOTFOUND);
    close(in[1]);
    close(in[0]);
    close(out);
}

static void output_leaves_after_the_commit_and_undone_lines_never(void **state)
{
    struct seen *seen = *state;
    int in[2], out[2];
    char got[64] = "";

    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(open_on(seen, in[0], out[1]), HR_OK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    turn_enter(seen->net.app.turn);
    assert_int_equal(show(seen, "one\n"), HR_OK);
    turn_leave(seen->net.app.turn, true);
    turn_enter(seen->net.app.turn);
    assert_int_equal(show(seen, "two\n"), HR_OK);
    turn_leave(seen->net.app.turn, false);
    assert_int_equal(read(out[0], got, sizeof(got)), -1);
    turn_finish(seen->net.app.turn);
    assert_int_equal(read(out[0], got, sizeof(got) - 1), 4);
    assert_string_equal(got, "one\n");
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
}

static void a_reader_that_stands_still_does_not_hold_the_loop(void **state)
{
    struct seen *seen = *state;
    int in[2], out[2], status = HR_OK, count = 0;
    static char block[16 * 1024];
    size_t got = 0, sent = 0;
    ssize_t len;

    memset(block, 'o', sizeof(block) - 1);
    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(open_on(seen, in[0], out[1]), HR_OK);
    while (status == HR_OK && count++ < 1000) {
        status = show(seen, block);
        sent += status == HR_OK ? sizeof(block) - 1 : 0;
        turn_finish(seen->net.app.turn);
    }
    assert_int_equal(status, HR_ELIMIT);
    put(in[1], "still heard\n");
    net_until(&seen->net, &seen->lines, 1);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    for (int turns = 0; got < sent && turns < 2000; turns++) {
        while ((len = read(out[0], block, sizeof(block))) > 0) {
            got += (size_t)len;
        }
        net_pause(&seen->net, 5);
    }
    assert_int_equal(got, sent);
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
}

static void ignore_line(void *arg, enum hr_level level, const char *line)
{
    (void)arg, (void)level, (void)line;
}

static void a_vanished_reader_ends_the_input(void **state)
{
    struct seen *seen = *state;
    int in[2], out[2];

    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(open_on(seen, in[0], out[1]), HR_OK);
    close(out[0]);
    log_sink(ignore_line, NULL);
    assert_int_equal(show(seen, "anybody?\n"), HR_OK);
    net_until(&seen->net, &seen->ends, 1);
    log_sink(NULL, NULL);
    close(in[0]), close(in[1]), close(out[1]);
}

static void last_words_before_a_sweep_are_shown(void **state)
{
    struct seen *seen = *state;
    int in[2], out[2];
    char got[64] = "";

    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(open_on(seen, in[0], out[1]), HR_OK);
    assert_int_equal(show(seen, "goodbye\n"), HR_OK);
    terminal_sweep(&seen->net.bot);
    turn_finish(seen->net.app.turn);
    assert_int_equal(read(out[0], got, sizeof(got) - 1), 8);
    assert_string_equal(got, "goodbye\n");
    close(in[0]), close(in[1]), close(out[0]), close(out[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_come_from_a_pipe_and_end_with_it),
        TEST(lines_come_from_a_real_terminal),
        TEST(dev_null_is_the_end_of_input),
        TEST(a_closed_descriptor_is_the_end_of_input),
        TEST(a_file_is_read_to_its_end),
        TEST(a_line_has_a_ceiling_and_the_next_one_is_whole),
        TEST(a_sweep_inside_a_line_ends_it_all),
        TEST(output_leaves_after_the_commit_and_undone_lines_never),
        TEST(a_reader_that_stands_still_does_not_hold_the_loop),
        TEST(a_vanished_reader_ends_the_input),
        TEST(last_words_before_a_sweep_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
