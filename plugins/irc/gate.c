/* SPDX-License-Identifier: MIT */
/* The gate around libircclient: attach, feed, capture. */
#include "gate.h"
#include "mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libircclient.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LIBRARY_LINE_BYTES = 1000, /* its buffer is 1024, one line must always fit */
    LIBRARY_PARAMS = 10,
    LIBRARY_CTCP_BYTES = 120, /* longer ones it would cut */
    ATTACH_TRIES = 4,
};

struct gate {
    gate_event_fn *fn;
    void *arg;
    irc_session_t *session;
    int reserved;               /* a low descriptor kept free for the library, -1 while it has it */
    int library;                /* the number the library asks about */
    int peer;                   /* our end of the pair */
    char nick[WIRE_NAME_BYTES]; /* what the library believes we are called */
    const struct wire *wire;    /* the line being fed */
    bool delivered, muted, broken;
    struct gate_counts count;
};

enum { CAN_READ = 1, CAN_WRITE = 2 };

/* ---- callbacks of the library ------------------------------------------------ */

static void deliver(irc_session_t *session, const char *origin, const char **params, unsigned count, bool action,
                    bool ctcp)
{
    struct gate *gate = irc_get_ctx(session);
    if (gate->muted || !gate->wire || gate->delivered) {
        return;
    }
    gate->delivered = true;
    struct gate_event event = {
        .wire = gate->wire,
        .command = gate->wire->command,
        .source = origin ? origin : "",
        .param = params,
        .count = count,
        .action = action,
        .ctcp = ctcp,
        .library = true,
    };
    gate->fn(gate->arg, &event);
}

static void on_any(irc_session_t *session, const char *event, const char *origin, const char **params, unsigned count)
{
    (void)event;
    deliver(session, origin, params, count, false, false);
}

static void on_action(irc_session_t *session, const char *event, const char *origin, const char **params,
                      unsigned count)
{
    (void)event;
    deliver(session, origin, params, count, true, false);
}

static void on_ctcp(irc_session_t *session, const char *event, const char *origin, const char **params, unsigned count)
{
    (void)event, (void)params, (void)count;
    deliver(session, origin, params, 0, false, true);
}

/* Modes of our own: their first parameter, the nick, is taken away. Nobody needs them. */
static void on_own_mode(irc_session_t *session, const char *event, const char *origin, const char **params,
                        unsigned count)
{
    (void)event, (void)count;
    deliver(session, origin, params, 0, false, false);
}

static void on_numeric(irc_session_t *session, unsigned event, const char *origin, const char **params, unsigned count)
{
    (void)event;
    deliver(session, origin, params, count, false, false);
}

/* Comes besides the numeric itself, which on_numeric delivers. */
static void on_connect(irc_session_t *session, const char *event, const char *origin, const char **params,
                       unsigned count)
{
    (void)session, (void)event, (void)origin, (void)params, (void)count;
}

/* The DCC callbacks stay NULL: that keeps DCC inert. */
/* clang-format off: a table */
static const irc_callbacks_t callbacks = {
    .event_connect = on_connect, .event_nick = on_any, .event_quit = on_any, .event_join = on_any,
    .event_part = on_any, .event_mode = on_any, .event_umode = on_own_mode, .event_topic = on_any,
    .event_kick = on_any, .event_channel = on_any, .event_privmsg = on_any, .event_notice = on_any,
    .event_channel_notice = on_any, .event_invite = on_any, .event_ctcp_req = on_ctcp, .event_ctcp_rep = on_ctcp,
    .event_ctcp_action = on_action, .event_unknown = on_any, .event_numeric = on_numeric,
};
/* clang-format on */

/* ---- turning the library's crank ----------------------------------------------- */

static int wants(const struct gate *gate)
{
    fd_set in, out;
    int max = -1;
    FD_ZERO(&in);
    FD_ZERO(&out);
    if (irc_add_select_descriptors(gate->session, &in, &out, &max)) {
        return 0;
    }
    return (FD_ISSET(gate->library, &in) ? CAN_READ : 0) | (FD_ISSET(gate->library, &out) ? CAN_WRITE : 0);
}

static int turn(struct gate *gate, int ready)
{
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    if (ready & CAN_READ) {
        FD_SET(gate->library, &in);
    }
    if (ready & CAN_WRITE) {
        FD_SET(gate->library, &out);
    }
    return irc_process_select_descriptors(gate->session, &in, &out);
}

/* All the library wants to say; what does not fit into out is lost and makes the
 * result `size`, which no caller takes for one line. */
static size_t capture(struct gate *gate, char *out, size_t size)
{
    size_t len = 0;
    for (int round = 0; round < 8 && (wants(gate) & CAN_WRITE); round++) {
        if (turn(gate, CAN_WRITE)) {
            gate->broken = true;
            return 0;
        }
        char bytes[1024];
        ssize_t got;
        while ((got = recv(gate->peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
            size_t take = (size_t)got < size - len ? (size_t)got : size - len;
            memcpy(out + len, bytes, take);
            len += take;
        }
    }
    return len;
}

static int feed(struct gate *gate, const char *line, size_t len)
{
    if (send(gate->peer, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len) {
        return -1;
    }
    for (int round = 0; round < 4; round++) {
        int waiting = 0;
        if (ioctl(gate->library, FIONREAD, &waiting) || !waiting) {
            return 0;
        }
        if (!(wants(gate) & CAN_READ) || turn(gate, CAN_READ)) {
            return -1;
        }
    }
    return -1;
}

void gate_set_nick(struct gate *gate, const char *nick)
{
    if (gate_attached(gate) && wire_nick_valid(nick)) {
        char line[2 * WIRE_NAME_BYTES + 32];
        int len = snprintf(line, sizeof line, ":%s!-@- NICK :%s\r\n", gate->nick, nick);
        gate->muted = true;
        gate->broken |= feed(gate, line, (size_t)len) != 0;
        gate->muted = false;
        (void)snprintf(gate->nick, sizeof gate->nick, "%s", nick);
    }
}

/* ---- attach ------------------------------------------------------------------------ */

static int reserve(struct gate *gate)
{
    if (gate->reserved < 0) {
        gate->reserved = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (gate->reserved >= FD_SETSIZE) {
            close(gate->reserved);
            gate->reserved = -1;
        }
    }
    return gate->reserved < 0 ? -1 : 0;
}

/* A listener of our own on loopback that the library connects to; its port. */
static int listener_open(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)address, len) || listen(fd, 4) ||
                    getsockname(fd, (struct sockaddr *)address, &len))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The number the next socket() will get, as long as no other thread takes it. */
static int next_number(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd;
}

/* Is descriptor `fd` the library's end of a connection to our listener? */
static bool is_connection(int fd, const struct sockaddr_in *listener)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    return poll(&ready, 1, 100) == 1 && getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
           peer.sin_family == AF_INET && peer.sin_port == listener->sin_port;
}

/* The library connects to the listener; then our socketpair takes the place of that
 * connection, under the same number. 0, -1, or 1: the number went elsewhere, try again. */
static int connect_library(struct gate *gate, int listener, const struct sockaddr_in *address)
{
    close(gate->reserved);
    gate->reserved = -1;
    gate->library = next_number();
    if (gate->library < 0 || gate->library >= FD_SETSIZE ||
        irc_connect(gate->session, "127.0.0.1", ntohs(address->sin_port), NULL, "-", "-", "-")) {
        return -1;
    }
    if (!is_connection(gate->library, address)) {
        irc_disconnect(gate->session); /* asks select() nothing, so safe with any number */
        return 1;
    }
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (accepted >= 0) {
        close(accepted);
    }
    int pair[2];
    if (turn(gate, CAN_WRITE) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) {
        return -1;
    }
    gate->peer = pair[1];
    int moved = dup3(pair[0], gate->library, O_CLOEXEC);
    close(pair[0]);
    return moved < 0 ? -1 : 0;
}

int gate_attach(struct gate *gate, const char *nick, char *err, size_t err_size)
{
    struct sockaddr_in address;
    gate_detach(gate);
    int listener = reserve(gate) ? -1 : listener_open(&address);
    int status = listener < 0 ? -1 : 1;
    for (int i = 0; i < ATTACH_TRIES && status == 1; i++) {
        irc_callbacks_t own = callbacks;
        gate->session = mem_check(irc_create_session(&own));
        irc_set_ctx(gate->session, gate);
        status = connect_library(gate, listener, &address);
        if (status) {
            gate_detach(gate);
            status = gate->reserved < 0 ? -1 : status;
        }
    }
    if (listener >= 0) {
        close(listener);
    }
    if (status || !wire_nick_valid(nick)) {
        gate_detach(gate);
        (void)snprintf(err, err_size, "the IRC library could not be set up: %s",
                       status ? strerror(errno) : "the server gave a nick that is none");
        return -1;
    }
    char greeting[1024];
    (void)capture(gate, greeting, sizeof greeting); /* the library's NICK and USER go nowhere */
    (void)snprintf(gate->nick, sizeof gate->nick, "-");
    gate_set_nick(gate, nick);
    return gate->broken ? -1 : 0;
}

void gate_detach(struct gate *gate)
{
    if (gate->session) {
        irc_destroy_session(gate->session); /* closes its descriptor */
        gate->session = NULL;
    }
    if (gate->peer >= 0) {
        close(gate->peer);
    }
    gate->peer = gate->library = -1;
    gate->broken = false;
    (void)reserve(gate);
}

struct gate *gate_new(gate_event_fn *fn, void *arg, char *err, size_t err_size)
{
    struct gate *gate = mem_new(sizeof *gate);
    gate->fn = fn;
    gate->arg = arg;
    gate->reserved = gate->library = gate->peer = -1;
    if (reserve(gate)) {
        (void)snprintf(err, err_size,
                       "no file number below %d is free, which the IRC library needs: "
                       "start the IRC networks before other plugins",
                       FD_SETSIZE);
        free(gate);
        return NULL;
    }
    return gate;
}

void gate_free(struct gate *gate)
{
    if (gate) {
        gate_detach(gate);
        if (gate->reserved >= 0) {
            close(gate->reserved);
        }
        free(gate);
    }
}

bool gate_attached(const struct gate *gate)
{
    return gate->session && !gate->broken;
}

const struct gate_counts *gate_count(const struct gate *gate)
{
    return &gate->count;
}

/* ---- in ---------------------------------------------------------------------------- */

static bool is_text(const struct wire *wire)
{
    return strcmp(wire->command, "PRIVMSG") == 0 || strcmp(wire->command, "NOTICE") == 0;
}

static bool library_safe(const struct wire *wire)
{
    bool pairs = is_text(wire) || strcmp(wire->command, "MODE") == 0 || strcmp(wire->command, "KICK") == 0;
    if (wire->count < (pairs ? 2u : 1u) || wire->count > LIBRARY_PARAMS || wire_numeric(wire->command) == 0 ||
        strcmp(wire->command, "PING") == 0) {
        return false;
    }
    if (strcmp(wire->command, "NICK") == 0 && (!*wire->source || !wire_nick_valid(wire->param[0]))) {
        return false;
    }
    if (is_text(wire) && wire->param[1][0] == '\1') {
        size_t len = strlen(wire->param[1]);
        return len >= 3 && len <= LIBRARY_CTCP_BYTES && wire->param[1][len - 1] == '\1' &&
               strncasecmp(wire->param[1] + 1, "DCC", 3) != 0;
    }
    return true;
}

/* The event the library would have made. */
static void dispatch(struct gate *gate, const struct wire *wire)
{
    struct gate_event event = {
        .wire = wire,
        .command = wire->command,
        .source = wire->source,
        .param = wire->param,
        .count = wire->count,
    };
    char *text = NULL;
    const char *param[2];
    gate->count.bypassed++;
    if (is_text(wire) && wire->count >= 2 && wire->param[1][0] == '\1') {
        event.action = strncasecmp(wire->param[1] + 1, "ACTION ", 7) == 0 && strcmp(wire->command, "PRIVMSG") == 0;
        event.ctcp = !event.action;
        if (event.action) {
            text = mem_copy(wire->param[1] + 8);
            size_t len = strlen(text);
            if (len && text[len - 1] == '\1') {
                text[len - 1] = '\0';
            }
            param[0] = wire->param[0];
            param[1] = text;
            event.param = param;
            event.count = 2;
        }
    }
    gate->fn(gate->arg, &event);
    free(text);
}

void gate_line(struct gate *gate, const struct wire *wire)
{
    char line[LIBRARY_LINE_BYTES];
    size_t len = 0;
    if (gate_attached(gate) && library_safe(wire)) {
        len = wire_write(line, sizeof line, *wire->source ? wire->source : "server", wire->command, wire->param,
                         wire->count);
    }
    gate->delivered = false;
    if (len) {
        char stray[1024];
        gate->wire = wire;
        gate->broken |= feed(gate, line, len) != 0;
        gate->wire = NULL;
        gate->count.fed++;
        gate->count.stray += gate_attached(gate) && capture(gate, stray, sizeof stray) > 0;
        if (strcmp(wire->command, "NICK") == 0) {
            /* It compares nicks by their start, so "bobby" may have become us: put it right. */
            char ours[WIRE_NAME_BYTES], theirs[WIRE_NAME_BYTES];
            (void)snprintf(ours, sizeof ours, "%s", gate->nick);
            (void)snprintf(theirs, sizeof theirs, "%s", wire->param[0]);
            (void)snprintf(gate->nick, sizeof gate->nick, "%s", theirs);
            gate_set_nick(gate, ours);
        }
        gate->count.swallowed += !gate->delivered;
    }
    if (!gate->delivered) {
        dispatch(gate, wire);
    }
}

/* ---- out --------------------------------------------------------------------------- */

static bool word_valid(const char *word)
{
    return *word && *word != ':' && strlen(word) < 512 && !strpbrk(word, " \r\n");
}

/* What the library just formatted, if it is exactly one line. */
static size_t one_line(struct gate *gate, int failed, char *out, size_t size)
{
    size_t len = capture(gate, out, size - 1);
    if (failed || len < 3 || len == size - 1 || memchr(out, '\n', len) != out + len - 1 || out[len - 2] != '\r' ||
        memchr(out, '\r', len) != out + len - 2 || memchr(out, '\0', len)) {
        return 0;
    }
    out[len] = '\0';
    return len;
}

size_t gate_msg(struct gate *gate, const char *target, const char *text, char *out, size_t size)
{
    if (!gate_attached(gate) || !word_valid(target) || strchr(target, ',') || !*text || strlen(text) > 450 ||
        strpbrk(text, "\r\n")) {
        return 0;
    }
    return one_line(gate, irc_cmd_msg(gate->session, target, text), out, size);
}

size_t gate_join(struct gate *gate, const char *channels, char *out, size_t size)
{
    if (!gate_attached(gate) || !word_valid(channels)) {
        return 0;
    }
    return one_line(gate, irc_cmd_join(gate->session, channels, NULL), out, size);
}

size_t gate_part(struct gate *gate, const char *channel, char *out, size_t size)
{
    if (!gate_attached(gate) || !word_valid(channel)) {
        return 0;
    }
    return one_line(gate, irc_cmd_part(gate->session, channel), out, size);
}

size_t gate_nick(struct gate *gate, const char *nick, char *out, size_t size)
{
    if (!gate_attached(gate) || !wire_nick_valid(nick)) {
        return 0;
    }
    return one_line(gate, irc_cmd_nick(gate->session, nick), out, size);
}

size_t gate_whois(struct gate *gate, const char *nick, char *out, size_t size)
{
    if (!gate_attached(gate) || !wire_nick_valid(nick)) {
        return 0;
    }
    return one_line(gate, irc_cmd_whois(gate->session, nick), out, size);
}
