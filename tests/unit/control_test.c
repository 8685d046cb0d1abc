/* SPDX-License-Identifier: MIT */
/* The socket for commands in a terminal: tools, bounds, and those who do wrong. */
#include "control.h"
#include "host_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The reply to a line, parsed; the caller drops it. */
static json_t *reply_to(struct fixture *f, const char *line)
{
    char *text = control_run(&f->app, line, strlen(line));
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_t *reply = json_loads(text, 0, NULL);
    assert_non_null(reply);
    free(text);
    return reply;
}

static void replies(struct fixture *f, const char *line, int code, const char *piece)
{
    json_t *reply = reply_to(f, line);
    const char *text = json_string_value(json_object_get(reply, "text"));
    assert_int_equal(json_integer_value(json_object_get(reply, "exit")), code);
    if (strstr(text, piece) == NULL) {
        fail_msg("no '%s' in: %s", piece, text);
    }
    json_decref(reply);
}

static void a_tool_runs_in_a_callback_and_its_words_come_back(void **state)
{
    struct fixture *f = *state;
    replies(f, "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"a b\",\"c\"]}", 0, "2 words: a b, c\n");
    replies(f, "{\"do\":\"tool\",\"name\":\"echo\"}", 0, "0 words");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM feature_called"), 2);
}

static void what_a_failed_tool_wrote_is_undone_and_its_words_are_kept(void **state)
{
    struct fixture *f = *state;
    replies(f, "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"fail\"]}", 1, "1 words: fail");
    replies(f, "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"wrong\"]}", 2, "1 words: wrong");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM feature_called"), 0);
}

static void a_question_comes_with_how_it_is_to_be_asked(void **state)
{
    struct fixture *f = *state;
    json_t *reply = reply_to(f, "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"ask\"]}");
    assert_string_equal(json_string_value(json_object_get(reply, "ask")), "Go on?");
    assert_true(json_is_true(json_object_get(reply, "hidden")));
    assert_true(json_is_false(json_object_get(reply, "wait")));
    json_decref(reply);
    reply = reply_to(f, "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"b\"]}");
    assert_null(json_object_get(reply, "ask"));
    json_decref(reply);
}

static void several_instances_with_one_tool_have_to_be_told_apart(void **state)
{
    struct fixture *f = *state;
    replies(f, "{\"do\":\"tool\",\"name\":\"where\"}", 2, "there are several: a, b. Write --instance");
    replies(f, "{\"do\":\"tool\",\"name\":\"where\",\"instance\":\"b\"}", 0, "in b");
    replies(f, "{\"do\":\"tool\",\"name\":\"where\",\"instance\":\"c\"}", 2, "'c'");
    replies(f, "{\"do\":\"tool\",\"name\":\"nosuch\"}", 2, "no plugin that knows 'nosuch'");
}

static void requests_that_make_no_sense_are_refused_in_words(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"do\":1}",
        "{\"do\":\"nosuch\"}",
        "{\"do\":\"tool\"}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"args\":\"a\"}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[1]}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"a\\u0007b\"]}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"name\":\"where\"}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[\"\xff\"]}",
        "{\"do\":\"tool\",\"name\":\"echo\",\"args\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
        "25,"
        "26,27,28,29,30,31,32,33]}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        replies(f, bad[i], 2, "\n");
    }
    CLEANUP_FREE char *deep = xcalloc(1, 40001);
    memset(deep, '[', 40000);
    replies(f, deep, 2, "\n");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM feature_called"), 0);
}

/* ---- over the socket ---------------------------------------------------------------- */

static struct control *open_control(struct fixture *f)
{
    struct control *control = NULL;
    char err[256] = "";
    int rc = control_open(&control, &f->app, err, sizeof(err));
    assert_string_equal(err, "");
    assert_int_equal(rc, HR_OK);
    return control;
}

static int dial(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir_fd = open(f->app.config->state_dir, O_PATH | O_DIRECTORY);
    control_address(dir_fd, address.sun_path, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dir_fd);
    return fd;
}

/* What comes until the other end closes. */
static void read_to_end(struct fixture *f, int fd, char *out, size_t size)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = read(fd, out + len, size - 1 - len);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    out[len] = '\0';
    close(fd);
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void a_request_in_pieces_is_answered_once_and_the_connection_ends(void **state)
{
    struct fixture *f = *state;
    struct control *control = open_control(f);
    char text[512], path[128];
    struct stat info;
    snprintf(path, sizeof(path), "%s/hashroom.sock", f->app.config->state_dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    int fd = dial(f);
    put(fd, "{\"do\":\"tool\",\"na");
    uv_run(f->app.loop, UV_RUN_NOWAIT);
    uv_run(f->app.loop, UV_RUN_NOWAIT);
    put(fd, "me\":\"echo\"}\n{\"do\":\"tool\",\"name\":\"echo\"}\n");
    read_to_end(f, fd, text, sizeof(text));
    assert_string_equal(text, "{\"exit\":0,\"text\":\"0 words:\\n\"}\n");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM feature_called"), 1);
    control_close(control);
    assert_int_not_equal(stat(path, &info), 0);
}

static void a_line_that_never_ends_is_cut_off(void **state)
{
    struct fixture *f = *state;
    struct control *control = open_control(f);
    char text[64], piece[4096];
    memset(piece, 'x', sizeof(piece));
    int fd = dial(f);
    for (int i = 0; i < CONTROL_REQUEST_MAX / (int)sizeof(piece) + 2; i++) {
        (void)send(fd, piece, sizeof(piece), MSG_NOSIGNAL);
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    read_to_end(f, fd, text, sizeof(text));
    assert_string_equal(text, "");
    control_close(control);
}

static void more_than_eight_at_once_are_turned_away(void **state)
{
    struct fixture *f = *state;
    struct control *control = open_control(f);
    int fds[CONTROL_CLIENTS_MAX];
    char text[512];
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = dial(f);
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    int late = dial(f);
    read_to_end(f, late, text, sizeof(text));
    assert_string_equal(text, "");
    close(fds[0]);
    for (int i = 0; i < 5; i++) {
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    late = dial(f); /* a place is free again */
    put(late, "{\"do\":\"tool\",\"name\":\"echo\"}\n");
    read_to_end(f, late, text, sizeof(text));
    assert_non_null(strstr(text, "0 words"));
    control_close(control); /* with seven that never asked */
    for (int i = 1; i < CONTROL_CLIENTS_MAX; i++) {
        close(fds[i]);
    }
}

static void whoever_leaves_before_the_answer_harms_nobody(void **state)
{
    struct fixture *f = *state;
    struct control *control = open_control(f);
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        int fd = dial(f);
        put(fd, "{\"do\":\"tool\",\"name\":\"echo\"}\n");
        close(fd);
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    while (fixture_number(f, "SELECT count(*) FROM feature_called") < CONTROL_CLIENTS_MAX) {
        uv_run(f->app.loop, UV_RUN_NOWAIT);
    }
    control_close(control);
}

static void a_socket_that_a_crash_left_is_replaced(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/hashroom.sock", f->app.config->state_dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    struct control *control = open_control(f);
    close(dial(f));
    control_close(control);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_tool_runs_in_a_callback_and_its_words_come_back),
        T(what_a_failed_tool_wrote_is_undone_and_its_words_are_kept),
        T(a_question_comes_with_how_it_is_to_be_asked),
        T(several_instances_with_one_tool_have_to_be_told_apart),
        T(requests_that_make_no_sense_are_refused_in_words),
        T(a_request_in_pieces_is_answered_once_and_the_connection_ends),
        T(a_line_that_never_ends_is_cut_off),
        T(more_than_eight_at_once_are_turned_away),
        T(whoever_leaves_before_the_answer_harms_nobody),
        T(a_socket_that_a_crash_left_is_replaced),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the bot does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
