/* SPDX-License-Identifier: MIT */
/* Talks to one IRC network: options, life, status. */
#include "irc.h"
#include "inbound.h"
#include "link.h"
#include "login.h"
#include "mem.h"
#include "record.h"
#include "render.h"
#include <strings.h>

static const struct hr_option options[] = {
    {"server", HR_STR, NULL, 0, 0, "Name or address of the network's server.", "irc.libera.chat"},
    {"port", HR_INT, "6697", 1, 65535, "Port of the server.", NULL},
    {"tls", HR_BOOL, "yes", 0, 0, "Encrypt the connection and check the server's certificate and name.", NULL},
    {"allow_plain", HR_BOOL, "no", 0, 0,
     "Allow tls = no to a server on another machine. Passwords and words then travel in the open.", NULL},
    {"ca_file", HR_STR, "", 0, 0,
     "Certificate authority to trust, for a network with its own. Empty: those of the system.", NULL},
    {"nick", HR_STR, "hashroom", 0, 0, "The nick the bot wants.", NULL},
    {"nick_alternatives", HR_LIST, "", 0, 0,
     "Nicks to try when that one is taken. Nicks with _ and numbers follow by themselves.", NULL},
    {"username", HR_STR, "hashroom", 0, 0, "User name, the part before the @ of the host mask.", NULL},
    {"realname", HR_STR, "hashroom, a bot for hashtag chats", 0, 0,
     "What people see who ask about the bot with /whois. Say that it is a bot, and how to reach who runs it.",
     "bot of the hashtag chat, contact: nick of its operator"},
    {"password_file", HR_SECRET, "", 0, 0, "File with the password of the server, if the server itself has one.", NULL},
    {"sasl", HR_STR, "none", 0, 0,
     "Sign in to the network's services: none, plain (account and password), scram (the same, but the password never "
     "travels; not every network has it) or external (client certificate).",
     "plain"},
    {"sasl_account", HR_STR, "", 0, 0, "The bot's account at the network's services, for sasl = plain and scram.",
     "hashroom"},
    {"sasl_password_file", HR_SECRET, "", 0, 0, "File with that account's password.", "/etc/hashroom/libera.password"},
    {"cert_file", HR_STR, "", 0, 0, "Client certificate in PEM form, for sasl = external.", NULL},
    {"key_file", HR_STR, "", 0, 0, "Its private key in PEM form.", NULL},
    {"rate_ms", HR_INT, "2000", 0, 60000,
     "Milliseconds for each line in the long run. 0: no limit, for an own server only.", NULL},
    {"burst", HR_INT, "5", 1, 1000, "Lines that may go at once after a pause.", NULL},
    {0},
};

static const struct hr_text texts[] = {
    {"missed-more",
     "I was away for a while. I leave out some of the lines people said on IRC meanwhile.", NULL},
    {"missed-all", "I was away for a while. I could not read what people said on IRC meanwhile.", NULL},
    {"perhaps-again", "You may have seen this already: {text}", "text=No posts wait."},
    {0},
};

const char *irc_option(const struct irc *irc, const char *name)
{
    const char *text = irc->api->option(irc->bot, name)->str;
    return text ? text : "";
}

bool irc_is_me(const struct irc *irc, const char *nick)
{
    return name_equal(&irc->support, irc->nick, nick);
}

void irc_limits(struct irc *irc)
{
    int64_t rate_ms = rate_line_ms(irc);
    /* Own lines that can be read back may be in doubt in number, else two (DESIGN 4.4). Before the
     * connection counts what the last one offered: a question in doubt then waits to be looked up. */
    bool readable = irc->phase == PHASE_READY ? history_offered(irc) : irc->record.history;
    int window = readable ? 64 : 2;
    struct hr_limits limits = {
        .size = sizeof limits,
        .rate = rate_ms ? 1000.0 / (double)rate_ms : 1e6,
        .burst = rate_ms ? (double)rate_burst(irc) : 1e6,
        .window = window,
        .window_all = window,
        .flags = readable ? HR_NET_SAME_TXN : 0,
    };
    irc->net->limits(irc->bot, &limits);
}

/* ---- check ------------------------------------------------------------------------ */

static bool is_loopback(const char *server)
{
    return strcasecmp(server, "localhost") == 0 || strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0;
}

static bool word_valid(const char *word)
{
    return *word && !strpbrk(word, " \t\r\n:@!,") && strlen(word) < WIRE_NAME_BYTES;
}

static void check_nicks(struct hr_bot *bot, const struct hr_api *api)
{
    const char *nick = api->option(bot, "nick")->str;
    const char *const *other = api->option(bot, "nick_alternatives")->list;
    if (!nick || !wire_nick_valid(nick)) {
        api->problem(bot, "nick", "\"%s\" is no nick. Use letters, digits, - and _, and start with a letter",
                     nick ? nick : "");
    }
    for (; other && *other; other++) {
        if (!wire_nick_valid(*other)) {
            api->problem(bot, "nick_alternatives",
                         "\"%s\" is no nick. Use letters, digits, - and _, and start with a "
                         "letter",
                         *other);
        }
    }
}

static void check_sasl(struct hr_bot *bot, const struct hr_api *api)
{
#define GIVEN(name) (api->option(bot, name)->str && *api->option(bot, name)->str)
    const char *sasl = api->option(bot, "sasl")->str;
    sasl = sasl ? sasl : "";
    if (strcasecmp(sasl, "plain") == 0 || strcasecmp(sasl, "scram") == 0) {
        if (!GIVEN("sasl_account")) {
            api->problem(bot, "sasl_account", "sasl = \"%s\" needs the name of the account. Set sasl_account", sasl);
        }
        if (!GIVEN("sasl_password_file")) {
            api->problem(bot, "sasl_password_file",
                         "sasl = \"%s\" needs a password. Put it into a file and set sasl_password_file to its path",
                         sasl);
        }
    } else if (strcasecmp(sasl, "external") == 0) {
        if (!GIVEN("cert_file") || !api->option(bot, "tls")->num) {
            api->problem(bot, "sasl",
                         "sasl = \"external\" needs a client certificate and TLS. Set cert_file and "
                         "key_file, and tls = yes");
        }
    } else if (strcasecmp(sasl, "none") != 0) {
        api->problem(bot, "sasl", "\"%s\" is not known. Use \"none\", \"plain\", \"scram\" or \"external\"", sasl);
    }
    if (GIVEN("cert_file") != GIVEN("key_file")) {
        api->problem(bot, "cert_file", "A certificate goes with its key. Set both cert_file and key_file, or none");
    }
#undef GIVEN
}

static void check(struct hr_bot *bot, const struct hr_api *api)
{
    const char *server = api->option(bot, "server")->str, *user = api->option(bot, "username")->str;
    const char *real = api->option(bot, "realname")->str;
    if (!server || !*server || strpbrk(server, " \t\r\n/")) {
        api->problem(bot, "server", "\"%s\" is no server. Write its name alone, as irc.libera.chat",
                     server ? server : "");
    } else if (!api->option(bot, "tls")->num && !api->option(bot, "allow_plain")->num && !is_loopback(server)) {
        api->problem(bot, "tls",
                     "Without TLS everybody on the way can read and change what the bot says. Set tls = "
                     "yes (port 6697), or allow_plain = yes if there is no other way");
    }
    if (!user || !word_valid(user)) {
        api->problem(bot, "username", "\"%s\" is no user name. Use one word of letters and digits", user ? user : "");
    }
    if (!real || !*real || strpbrk(real, "\r\n") || strlen(real) > 200) {
        api->problem(bot, "realname", "Write one line of at most 200 bytes that says what the bot is and who runs it");
    }
    check_nicks(bot, api);
    check_sasl(bot, api);
}

static int check_room(const char *address, char *err, size_t err_size)
{
    size_t len = strlen(address);
    if (*address != '#' && *address != '&') {
        (void)snprintf(err, err_size, "A channel starts with #. Write \"#%.60s\"", address);
        return HR_EINVAL;
    }
    if (len < 2 || len > 50) {
        (void)snprintf(err, err_size, "A channel has 2 to 50 bytes, \"%.60s\" has %zu", address, len);
        return HR_EINVAL;
    }
    for (const char *c = address; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr(",:", *c)) {
            (void)snprintf(err, err_size,
                           "\"%.60s\" has a space, comma, colon or control character, which no channel "
                           "has. Write one channel, as \"#dpulo\"",
                           address);
            return HR_EINVAL;
        }
    }
    return 0;
}

/* ---- life -------------------------------------------------------------------------- */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    char err[200];
    struct irc *irc = mem_new(sizeof *irc);
    irc->bot = bot;
    irc->api = api;
    irc->net = api->net;
    irc->gate = gate_new(inbound_event, irc, err, sizeof err);
    if (!irc->gate) {
        api->log(bot, HR_ERROR, "%s", err);
        free(irc);
        return HR_EFAIL;
    }
    isupport_init(&irc->support);
    members_init(&irc->members, &irc->support);
    channels_init(irc);
    record_load(irc);
    rate_load(irc);
    sts_load(irc);
    (void)snprintf(irc->nick, sizeof irc->nick, "%s", irc_option(irc, "nick"));
    irc_limits(irc);
    *state = irc;
    if (!api->option(bot, "tls")->num && !is_loopback(irc_option(irc, "server"))) {
        api->log(bot, HR_WARN, "the connection to %s is not encrypted: passwords and words travel in the open",
                 irc_option(irc, "server"));
    }
    return link_start(irc);
}

static void stop(void *state)
{
    struct irc *irc = state;
    if (irc) {
        link_stop(irc);
        identity_clear(&irc->identity);
        flights_clear(&irc->flights);
        history_clear(irc);
        members_clear(&irc->members);
        channels_clear(&irc->channels);
        gate_free(irc->gate);
        free(irc);
    }
}

static int send_part(void *state, const struct hr_part *part)
{
    return flights_send(state, part);
}

static void report_counts(const struct irc *irc, struct hr_out *out)
{
    const struct flights *flights = &irc->flights;
    const struct identity *identity = &irc->identity;
    if (flights->cut_off || flights->sent_again || flights->unknown) {
        irc->api->out(out,
                      "A lost connection cut off %llu lines. %llu were sent again and may stand there twice. Of "
                      "%llu nobody can say if they came.\n",
                      (unsigned long long)flights->cut_off, (unsigned long long)flights->sent_again,
                      (unsigned long long)flights->unknown);
    }
    if (irc->history.found || irc->history.missed) {
        irc->api->out(out,
                      "Read back from the network: %llu lines of the bot that had arrived, %llu lines that people "
                      "said while it was away.\n",
                      (unsigned long long)irc->history.found, (unsigned long long)irc->history.missed);
    }
    if (identity->waiting || identity->timeouts) {
        irc->api->out(out, "%zu lines wait to learn whose they are. %llu times the network did not answer that.\n",
                      identity->waiting, (unsigned long long)identity->timeouts);
    }
    if (irc->framer.dropped || irc->hostile) {
        irc->api->out(out, "%llu lines of the server were too long, %llu were broken. They were left out.\n",
                      (unsigned long long)irc->framer.dropped, (unsigned long long)irc->hostile);
    }
}

static void report(void *state, struct hr_out *out)
{
    const struct irc *irc = state;
    if (irc->phase == PHASE_READY) {
        irc->api->out(out, "Connected to %s as %s.\n", irc_option(irc, "server"), irc->nick);
    } else {
        irc->api->out(out, "Not connected to %s%s%s.\n", irc_option(irc, "server"), *irc->reason ? ": " : "",
                      irc->reason);
    }
    for (size_t i = 0; i < irc->channels.count; i++) {
        const struct channel *channel = &irc->channels.all[i];
        if (*channel->reason) {
            irc->api->out(out, "%s: %s.\n", channel->address, channel->reason);
        } else if (irc->phase == PHASE_READY && channel->place != PLACE_IN) {
            irc->api->out(out, "%s: the bot is not in the channel yet.\n", channel->address);
        }
    }
    rate_report(irc, out);
    report_counts(irc, out);
}

static const struct hr_network network = {
    .size = sizeof network,
    .service = "IRC",
    .room_flags = HR_ROOM_PEOPLE,
    .limits = {.size = sizeof(struct hr_limits), .rate = 0.5, .burst = 5, .window = 2, .window_all = 2},
    .check_room = check_room,
    .render = render,
    .send = send_part,
};

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "irc",
    .version = HASHROOM_VERSION,
    .help = "Carries a chat into channels of an IRC network. One instance for each network.",
    .options = options,
    .texts = texts,
    .schema = record_schema,
    .network = &network,
    .check = check,
    .start = start,
    .stop = stop,
    .report = report,
};
