/* SPDX-License-Identifier: MIT */
/* A room in this terminal: what is said there is printed, what the person types is said there. */
#include <hashroom/network.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_LINE = 2048, MAX_PART = 16384 };

/* Older than this, nobody is about to answer it: its removal is not said. */
static const int64_t removal_said_ms = 10 * 60 * 1000;

struct console {
    struct hr_bot *bot;
    const struct hr_api *api;
    bool prefixed;    /* each line starts with "room | ": somebody else reads the output */
    bool quit_at_end; /* end of input means the person has left */
};

static const struct hr_option options[] = {
    {"quit_at_end", HR_BOOL, "no", 0, 0, "Stop when the input ends, also if it is not a terminal.", NULL},
    {"prefix", HR_BOOL, "no", 0, 0, "Start each line with the name of the room, also on a terminal.", NULL},
    {0},
};

static int check_room(const char *address, char *err, size_t err_size)
{
    if (strcmp(address, "room") == 0) {
        return 0;
    }
    (void)snprintf(err, err_size, "The terminal has one room, \"room\", not \"%s\". Write NETWORK/room", address);
    return HR_EINVAL;
}

/* ---- out ------------------------------------------------------------------ */

static const char *correction(const struct hr_delivery *delivery)
{
    return delivery->act == HR_ACT_EDIT ? "Correction: " : "";
}

static int print_said(const struct hr_delivery *delivery, char *out, size_t size)
{
    const char *note =
        delivery->msg_flags & HR_MSG_SENSITIVE ? "(Content note: its author marked this as sensitive.) " : "";
    if (delivery->lead[0] == '\0') {
        return snprintf(out, size, "%s%s%s", correction(delivery), note, delivery->text);
    }
    if (delivery->msg_flags & HR_MSG_EMOTE) {
        return snprintf(out, size, "%s%s %s%s", correction(delivery), delivery->lead, note, delivery->text);
    }
    if (delivery->reply_name[0] != '\0' && delivery->act == HR_ACT_SAY) {
        return snprintf(out, size, "%s, answering %s: %s%s", delivery->lead, delivery->reply_name, note,
                        delivery->text);
    }
    return snprintf(out, size, "%s%s: %s%s", correction(delivery), delivery->lead, note, delivery->text);
}

/* One part a delivery, however many lines: a terminal has no limit to keep. */
static int render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out,
                  char *err, size_t err_size)
{
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct hr_delivery *delivery = deliveries[i];
        char text[MAX_PART];
        int len = 0;
        if (delivery->act != HR_ACT_REMOVE) {
            len = print_said(delivery, text, sizeof(text));
        } else if (delivery->age_ms <= removal_said_ms && delivery->lead[0] != '\0') {
            len = snprintf(text, sizeof(text), "A message of %s was removed.", delivery->lead);
        } else {
            continue;
        }
        if (len < 0 || (size_t)len >= sizeof(text)) {
            (void)snprintf(err, err_size, "The text has more than %d bytes.", MAX_PART - 1);
            return HR_EINVAL;
        }
        out->add(out, text, (size_t)len);
    }
    return 0;
}

static int write_line(struct console *console, const struct hr_room *room, const char *text, int len)
{
    const char *line = console->prefixed ? console->api->print(console->bot, "%s | %.*s\n", room->address, len, text)
                                         : console->api->print(console->bot, "%.*s\n", len, text);
    return console->api->net->terminal_write(console->bot, line, strlen(line));
}

static int send_part(void *state, const struct hr_part *part)
{
    struct console *console = state;
    for (const char *text = part->body;;) {
        size_t len = strcspn(text, "\n");
        int status = len ? write_line(console, part->room, text, (int)len) : 0;
        if (status < 0) {
            return status;
        }
        if (text[len] == '\0') {
            break;
        }
        text += len + 1;
    }
    console->api->net->sent(console->bot, part->id, HR_OK, part->txn, 0, NULL);
    return 0;
}

/* ---- in ------------------------------------------------------------------- */

static void on_line(void *arg, const char *text)
{
    struct console *console = arg;
    const struct hr_network_api *net = console->api->net;
    if (!text) {
        if (console->quit_at_end) {
            net->quit(console->bot);
        }
        return;
    }
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    size_t len = strcspn(text, "\r\n");
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    if (len == 0) {
        return;
    }
    if (len == strlen("!quit") && strncasecmp(text, "!quit", len) == 0) {
        net->quit(console->bot);
        return;
    }
    struct hr_post post = {
        .size = sizeof(post),
        .room = "room",
        .author = {.id = "you", .account = "you", .name = "You", .handle = ""},
        .text = text,
        .text_len = len < MAX_LINE ? len : MAX_LINE,
        .time_ms = console->api->now_ms(console->bot),
    };
    int status = net->post(console->bot, &post, NULL);
    if (status < 0) {
        console->api->log(console->bot, HR_WARN,
                          "a line from the terminal was not taken (status %d). Please type it again", status);
    }
}

/* ---- life ------------------------------------------------------------------ */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct console *console = calloc(1, sizeof(*console));
    if (!console) {
        abort();
    }
    console->bot = bot;
    console->api = api;
    console->prefixed = api->option(bot, "prefix")->num || !isatty(STDOUT_FILENO);
    console->quit_at_end = api->option(bot, "quit_at_end")->num || isatty(STDIN_FILENO);
    int status = api->net->terminal(bot, on_line, console);
    if (status < 0) {
        api->log(bot, HR_ERROR, "the terminal is used by another room already; switch one of the two off");
        free(console);
        return status;
    }
    *state = console;
    api->net->up(bot, NULL);
    api->net->up(bot, "room");
    return 0;
}

static void stop(void *state)
{
    free(state);
}

static const struct hr_network network = {
    .size = sizeof(network),
    .service = "the terminal",
    .room_flags = HR_ROOM_PEOPLE,
    .limits = {.size = sizeof(struct hr_limits), .rate = 1000, .burst = 1000, .window = 1000, .window_all = 1000},
    .check_room = check_room,
    .render = render,
    .send = send_part,
    .flags = HR_NET_SAME_TXN,
};

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "console",
    .version = HASHROOM_VERSION,
    .help = "A room in this terminal, to rehearse a chat or to look at one. To leave it, type !quit",
    .options = options,
    .network = &network,
    .start = start,
    .stop = stop,
};
