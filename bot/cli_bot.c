/* SPDX-License-Identifier: MIT */
/* Asks the running bot through its socket, and waits for the answer. */
#include "cli_bot.h"
#include "buf.h"
#include "control.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_S = 30, REPLY_MAX_BYTES = 8 << 20 };

static int fail(int rc, char *err, size_t err_size, const char *state_dir, int why)
{
    if (rc == HR_ENOTFOUND) {
        (void)snprintf(
            err, err_size,
            "the bot is not running (nothing listens in %s). Start it, for example: systemctl start hashroom",
            state_dir);
    } else if (rc == HR_EDENIED) {
        (void)snprintf(
            err, err_size,
            "this user may not ask the bot. Run it as the user the bot runs as: sudo -u hashroom hashroom ...");
    } else {
        (void)snprintf(err, err_size, "the bot gave no answer within %d seconds (%s). Its log may say why", ANSWER_S,
                       strerror(why));
    }
    return rc;
}

static int connect_to(const char *state_dir, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir_fd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return errno == EACCES ? HR_EDENIED : HR_ENOTFOUND;
    }
    control_address(dir_fd, address.sun_path, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = ANSWER_S};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    bool good = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    int why = errno;
    (void)close(dir_fd);
    if (good) {
        *out = fd;
        return HR_OK;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = why;
    return why == EACCES || why == EPERM ? HR_EDENIED : why == ENOENT || why == ECONNREFUSED ? HR_ENOTFOUND : HR_EFAIL;
}

static bool exchange(int fd, const char *line, struct buf *reply)
{
    char piece[4096];
    size_t len = strlen(line), done = 0;
    while (done < len) {
        ssize_t sent = send(fd, line + done, len - done, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        done += (size_t)sent;
    }
    ssize_t got = 0;
    while ((got = recv(fd, piece, sizeof(piece), 0)) > 0) {
        if (buf_add(reply, piece, (size_t)got) != HR_OK) {
            return false;
        }
    }
    return got == 0 && reply->len > 0;
}

int cli_ask_bot(const char *state_dir, json_t *request, json_t **reply, char *err, size_t err_size)
{
    int fd = -1, rc = connect_to(state_dir, &fd);
    if (rc < 0) {
        return fail(rc, err, err_size, state_dir, errno);
    }
    CLEANUP_FREE char *text = json_dumps(request, JSON_COMPACT);
    CLEANUP_FREE char *line = xasprintf("%s\n", text == NULL ? "" : text);
    struct buf answer;
    buf_init(&answer, REPLY_MAX_BYTES);
    bool good = exchange(fd, line, &answer);
    int why = errno;
    (void)close(fd);
    json_t *parsed = good ? json_loadb(answer.ptr, answer.len, 0, NULL) : NULL;
    buf_clear(&answer);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return fail(HR_EFAIL, err, err_size, state_dir, good ? EPROTO : why);
    }
    *reply = parsed;
    return HR_OK;
}
