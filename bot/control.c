/* SPDX-License-Identifier: MIT */
/* DIR/hashroom.sock: its connections. What is asked for is in control_run.c. */
#include "control.h"
#include "buf.h"
#include "config.h"
#include "log.h"
#include "turn.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

enum { STEP_MS = 10 * 1000, BACKLOG = 8 };

struct client {
    struct control *control;
    uv_pipe_t pipe;
    uv_timer_t timer; /* of the step it is in: to ask, to take the reply */
    struct buf line;
    char *reply;
    bool asked; /* what comes behind the line is nothing to us */
    int handles;
    uv_write_t write;
    struct client *prev, *next;
};

struct control {
    struct app *app;
    uv_pipe_t pipe;
    int dir_fd;
    struct client *clients;
    int count;
    bool closed;
    char scratch[4096];
};

void control_address(int dir_fd, char *out, size_t out_size)
{
    (void)snprintf(out, out_size, "/proc/self/fd/%d/hashroom.sock", dir_fd);
}

/* ---- one connection ------------------------------------------------------------ */

static void control_end(struct control *control)
{
    if (control->closed && control->count == 0) {
        free(control);
    }
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    if (--client->handles == 0) {
        struct control *control = client->control;
        control->count--;
        buf_clear(&client->line);
        free(client->reply);
        free(client);
        control_end(control);
    }
}

static void client_close(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->pipe)) {
        DL_DELETE(client->control->clients, client);
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
        uv_close((uv_handle_t *)&client->timer, on_client_closed);
    }
}

static void on_late(uv_timer_t *timer)
{
    client_close(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    client_close(write->data);
}

/* After the commit of what was done. */
static void send_reply(void *arg)
{
    struct client *client = arg;
    if (uv_is_closing((uv_handle_t *)&client->pipe)) {
        return;
    }
    uv_buf_t bytes = uv_buf_init(client->reply, (unsigned)strlen(client->reply));
    client->write.data = client;
    (void)uv_timer_start(&client->timer, on_late, STEP_MS, 0);
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, on_written) != 0) {
        client_close(client);
    }
}

static void answer(struct client *client)
{
    client->asked = true;
    client->reply = control_run(client->control->app, buf_str(&client->line), client->line.len);
    turn_effect(client->control->app->turn, send_reply, NULL, client);
    turn_touch(client->control->app->turn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct client *client = handle->data;
    *out = uv_buf_init(client->control->scratch, sizeof(client->control->scratch));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
    struct client *client = stream->data;
    if (client->asked) {
        if (len < 0 && len != UV_EOF) { /* whoever asked went away; at an end it may still listen */
            client_close(client);
        } else if (len < 0) {
            (void)uv_read_stop(stream);
        }
        return;
    }
    if (len < 0) {
        client_close(client);
        return;
    }
    const char *end = memchr(bytes->base, '\n', (size_t)len);
    size_t take = end == NULL ? (size_t)len : (size_t)(end - bytes->base);
    if (buf_add(&client->line, bytes->base, take) != HR_OK) {
        client_close(client);
    } else if (end != NULL) {
        answer(client);
    }
}

/* The folder and the mode of the socket keep others out; this holds where they don't. */
static bool is_own_user(uv_pipe_t *pipe)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    uv_os_fd_t fd = -1;
    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *control = server->data;
    if (status != 0) {
        return;
    }
    struct client *client = xcalloc(1, sizeof(*client));
    client->control = control;
    client->handles = 2;
    buf_init(&client->line, CONTROL_REQUEST_MAX);
    (void)uv_pipe_init(control->app->loop, &client->pipe, 0);
    (void)uv_timer_init(control->app->loop, &client->timer);
    client->pipe.data = client->timer.data = client;
    DL_APPEND(control->clients, client);
    control->count++;
    (void)uv_timer_start(&client->timer, on_late, STEP_MS, 0);
    if (uv_accept(server, (uv_stream_t *)&client->pipe) != 0 || control->count > CONTROL_CLIENTS_MAX ||
        !is_own_user(&client->pipe) || uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0) {
        client_close(client);
    }
}

/* ---- the socket ----------------------------------------------------------------- */

static int open_socket(int dir_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    control_address(dir_fd, address.sun_path, sizeof(address.sun_path));
    (void)unlinkat(dir_fd, "hashroom.sock",
                   0); /* of a run that ended hard: the database's lock says there is no other */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    int why = errno;
    (void)umask(before);
    if (!good && fd >= 0) {
        (void)close(fd);
    }
    errno = why;
    return good ? fd : -1;
}

static void on_closed(uv_handle_t *handle)
{
    struct control *control = handle->data;
    control->closed = true;
    control_end(control);
}

int control_open(struct control **out, struct app *app, char *err, size_t err_size)
{
    const char *dir = app->config->state_dir;
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir_fd < 0 ? -1 : open_socket(dir_fd);
    if (fd < 0) {
        (void)snprintf(err, err_size, "%s/hashroom.sock can't be opened: %s", dir, strerror(errno));
        if (dir_fd >= 0) {
            (void)close(dir_fd);
        }
        return HR_EFAIL;
    }
    struct control *control = xcalloc(1, sizeof(*control));
    control->app = app;
    control->dir_fd = dir_fd;
    (void)uv_pipe_init(app->loop, &control->pipe, 0);
    control->pipe.data = control;
    BUG_IF(uv_pipe_open(&control->pipe, fd) != 0);
    if (uv_listen((uv_stream_t *)&control->pipe, BACKLOG, on_connection) != 0) {
        (void)snprintf(err, err_size, "%s/hashroom.sock can't be listened on", dir);
        control_close(control);
        return HR_EFAIL;
    }
    uv_unref((uv_handle_t *)&control->pipe);
    *out = control;
    return HR_OK;
}

void control_close(struct control *control)
{
    if (control == NULL) {
        return;
    }
    while (control->clients != NULL) {
        client_close(control->clients);
    }
    (void)unlinkat(control->dir_fd, "hashroom.sock", 0);
    (void)close(control->dir_fd);
    uv_close((uv_handle_t *)&control->pipe, on_closed);
}
