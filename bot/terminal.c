/* SPDX-License-Identifier: MIT */
/* Lines the operator types and lines shown to them. */
#include "terminal.h"
#include "buf.h"
#include "instance.h"
#include "log.h"
#include "turn.h"
#include "xalloc.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    LINE_BYTES = 4096,
    READ_BYTES = 16 * 1024,
    KEPT_BYTES = 1024 * 1024,
    PIECE_BYTES = 4096, /* PIPE_BUF: a pipe that poll() calls writable takes so much without blocking */
    RETRY_MS = 20,
    LAST_WAIT_MS = 5000,
};

struct terminal {
    struct app *app;
    struct hr_bot *owner; /* NULL: swept */
    void (*line)(void *arg, const char *text);
    void *arg;
    int in_fd, out_fd;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tty_t tty;
        uv_pipe_t pipe;
    } in; /* not for files */
    bool in_is_stream, ended, broken;
    uv_fs_t read;     /* for files */
    uv_timer_t timer; /* output that waits; the end that is to be told */
    bool tell_end;
    struct buf typed, kept;
    bool overlong; /* the rest of a line over LINE_BYTES is left out */
    size_t queued_bytes;
    int refs; /* owner, handles, a read that runs, queued writes */
    char chunk[READ_BYTES];
};

struct shown { /* one terminal_write() until the turn ends */
    struct terminal *terminal;
    size_t len;
    char text[];
};

static void on_timer(uv_timer_t *timer);
static void read_file(struct terminal *terminal);

static void terminal_unref(struct terminal *terminal)
{
    if (--terminal->refs == 0) {
        buf_clear(&terminal->typed);
        buf_clear(&terminal->kept);
        free(terminal);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    terminal_unref(handle->data);
}

static void tell(struct terminal *terminal, const char *text)
{
    struct hr_bot *owner = terminal->owner;

    if (owner) {
        instance_enter(owner);
        terminal->line(terminal->arg, text);
        instance_leave(owner, HR_OK);
    }
}

/* ---- in -------------------------------------------------------------------- */

static void line_end(struct terminal *terminal)
{
    CLEANUP_FREE char *line = NULL;

    if (terminal->typed.len > 0 && terminal->typed.ptr[terminal->typed.len - 1] == '\r') {
        terminal->typed.ptr[--terminal->typed.len] = '\0';
    }
    line = xstrdup(buf_str(&terminal->typed)); /* the callback may end in a sweep */
    buf_reset(&terminal->typed);
    terminal->overlong = false;
    tell(terminal, line);
}

static void take_bytes(struct terminal *terminal, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && terminal->owner; i++) {
        char byte = bytes[i] ? bytes[i] : ' ';

        if (byte == '\n') {
            line_end(terminal);
        } else if (!terminal->overlong) {
            terminal->overlong = buf_add(&terminal->typed, &byte, 1) != HR_OK;
        }
    }
}

static void tell_end(struct terminal *terminal)
{
    if (terminal->ended) {
        return;
    }
    terminal->ended = true;
    if (terminal->in_is_stream) {
        uv_read_stop(&terminal->in.stream);
    }
    if (terminal->typed.len > 0) {
        line_end(terminal);
    }
    tell(terminal, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct terminal *terminal = handle->data;

    (void)suggested;
    *buf = uv_buf_init(terminal->chunk, sizeof(terminal->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t result, const uv_buf_t *buf)
{
    struct terminal *terminal = stream->data;

    if (result > 0) {
        take_bytes(terminal, buf->base, (size_t)result);
    } else if (result < 0) {
        tell_end(terminal);
    }
}

static void on_file_read(uv_fs_t *request)
{
    struct terminal *terminal = request->data;
    ssize_t result = request->result;

    uv_fs_req_cleanup(request);
    if (terminal->owner && result > 0) {
        take_bytes(terminal, terminal->chunk, (size_t)result);
        if (terminal->owner && !terminal->ended) {
            read_file(terminal);
        }
    } else if (terminal->owner) {
        tell_end(terminal);
    }
    terminal_unref(terminal);
}

static void read_file(struct terminal *terminal)
{
    uv_buf_t buf = uv_buf_init(terminal->chunk, sizeof(terminal->chunk));

    terminal->refs++;
    BUG_IF(uv_fs_read(terminal->app->loop, &terminal->read, terminal->in_fd, &buf, 1, -1, on_file_read) != 0);
}

static void end_later(struct terminal *terminal)
{
    terminal->tell_end = true;
    uv_timer_start(&terminal->timer, on_timer, 1, 0);
}

static void open_input(struct terminal *terminal)
{
    uv_loop_t *loop = terminal->app->loop;
    uv_handle_type type = uv_guess_handle(terminal->in_fd);
    int result = UV_EBADF;

    if (type == UV_TTY) {
        result = uv_tty_init(loop, &terminal->in.tty, terminal->in_fd, 0);
    } else if (type == UV_NAMED_PIPE || type == UV_TCP) {
        if ((result = uv_pipe_init(loop, &terminal->in.pipe, 0)) == 0) {
            terminal->in_is_stream = true;
            terminal->refs++;
            terminal->in.handle.data = terminal;
            result = uv_pipe_open(&terminal->in.pipe, dup(terminal->in_fd)); /* libuv closes what it opens */
        }
    } else if (type == UV_FILE) {
        read_file(terminal);
        return;
    }
    if (result == 0 && type == UV_TTY) {
        terminal->in_is_stream = true;
        terminal->refs++;
        terminal->in.handle.data = terminal;
    }
    if (result != 0 || uv_read_start(&terminal->in.stream, on_alloc, on_read) != 0) {
        end_later(terminal); /* closed, or nothing one can read */
    }
}

/* ---- out ------------------------------------------------------------------- */

/* Writes what goes without blocking; wait_ms: for each piece. True: all is out. */
static bool show_kept(struct terminal *terminal, int wait_ms)
{
    while (terminal->kept.len > 0 && !terminal->broken) {
        struct pollfd ready = {.fd = terminal->out_fd, .events = POLLOUT};
        size_t len = terminal->kept.len < PIECE_BYTES ? terminal->kept.len : PIECE_BYTES;
        ssize_t done;
        int count = poll(&ready, 1, wait_ms);

        if (count <= 0) {
            if (count == 0) {
                return false;
            }
            continue;
        }
        done = write(terminal->out_fd, terminal->kept.ptr, len);
        if (done > 0) {
            buf_consume(&terminal->kept, (size_t)done);
        } else if (errno == EAGAIN && wait_ms == 0) {
            return false;
        } else if (errno != EAGAIN && errno != EINTR) {
            terminal->broken = true;
        }
    }
    return true;
}

static void show_some(struct terminal *terminal)
{
    bool was_broken = terminal->broken;

    if (!show_kept(terminal, 0)) {
        uv_timer_start(&terminal->timer, on_timer, RETRY_MS, 0);
    } else if (terminal->broken && !was_broken) {
        log_line(HR_WARN, terminal->owner->who, "nobody reads the output any more; input ends here too");
        end_later(terminal);
    }
    if (terminal->broken) {
        buf_reset(&terminal->kept);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct terminal *terminal = timer->data;

    if (terminal->tell_end) {
        terminal->tell_end = false;
        tell_end(terminal);
    }
    if (terminal->owner && terminal->kept.len > 0) {
        show_some(terminal);
    }
}

static void shown_settle(struct shown *shown, bool keep)
{
    struct terminal *terminal = shown->terminal;

    terminal->queued_bytes -= shown->len;
    if (keep && !terminal->broken) {
        BUG_IF(buf_add(&terminal->kept, shown->text, shown->len) != HR_OK); /* counted in terminal_write() */
        if (!terminal->owner) {
            (void)show_kept(terminal, LAST_WAIT_MS); /* last words, written just before the sweep */
        } else if (!uv_is_active((uv_handle_t *)&terminal->timer)) {
            show_some(terminal);
        }
    }
    free(shown);
    terminal_unref(terminal);
}

static void shown_release(void *arg)
{
    shown_settle(arg, true);
}

static void shown_undo(void *arg)
{
    shown_settle(arg, false);
}

/* ---- what plugins call ------------------------------------------------------- */

int terminal_open(struct hr_bot *owner, void (*line)(void *arg, const char *text), void *arg)
{
    return terminal_open_on(owner, STDIN_FILENO, STDOUT_FILENO, line, arg);
}

int terminal_open_on(struct hr_bot *owner, int in_fd, int out_fd, void (*line)(void *arg, const char *text), void *arg)
{
    struct app *app = owner->app;
    struct terminal *terminal;

    if (app->terminal) {
        return HR_EEXIST;
    }
    if (!line) {
        return HR_EINVAL;
    }
    terminal = xcalloc(1, sizeof(*terminal));
    terminal->app = app;
    terminal->owner = owner;
    terminal->line = line;
    terminal->arg = arg;
    terminal->in_fd = in_fd;
    terminal->out_fd = out_fd;
    terminal->refs = 2; /* the owner's and the timer's */
    terminal->read.data = terminal;
    buf_init(&terminal->typed, LINE_BYTES);
    buf_init(&terminal->kept, KEPT_BYTES);
    BUG_IF(uv_timer_init(app->loop, &terminal->timer) != 0);
    terminal->timer.data = terminal;
    app->terminal = terminal;
    open_input(terminal);
    return HR_OK;
}

int terminal_write(struct hr_bot *owner, const char *text, size_t len)
{
    struct terminal *terminal = owner->app->terminal;
    struct shown *shown;

    if (!terminal || terminal->owner != owner) {
        return HR_ENOTFOUND;
    }
    if (len > KEPT_BYTES - terminal->kept.len - terminal->queued_bytes) {
        return HR_ELIMIT;
    }
    shown = xmalloc(sizeof(*shown) + len);
    shown->terminal = terminal;
    shown->len = len;
    memcpy(shown->text, text, len);
    terminal->queued_bytes += len;
    terminal->refs++;
    turn_effect(owner->app->turn, shown_release, shown_undo, shown);
    return HR_OK;
}

void terminal_sweep(struct hr_bot *owner)
{
    struct terminal *terminal = owner->app->terminal;

    if (!terminal || terminal->owner != owner) {
        return;
    }
    if (!show_kept(terminal, LAST_WAIT_MS)) {
        log_line(HR_WARN, owner->who, "the output stands still; %zu bytes were not shown", terminal->kept.len);
    }
    terminal->owner = NULL;
    owner->app->terminal = NULL;
    if (terminal->in_is_stream) {
        uv_close(&terminal->in.handle, on_handle_closed);
    }
    uv_close((uv_handle_t *)&terminal->timer, on_handle_closed);
    terminal_unref(terminal);
}
