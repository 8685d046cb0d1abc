/* SPDX-License-Identifier: MIT */
/* NICK, USER, 001, 005, refusals, bans. */
#include "login.h"
#include "link.h"
#include "record.h"
#include "tags.h"
#include <string.h>
#include <strings.h>

/* Of the names configured and those made up from them, the one for this try. */
static bool candidate(struct irc *irc, int n, char *out, size_t size)
{
    const char *nick = irc_option(irc, "nick");
    const char *const *other = irc->api->option(irc->bot, "nick_alternatives")->list;
    if (n == 0) {
        (void)snprintf(out, size, "%s", nick);
        return true;
    }
    int given = 0;
    for (; other && other[given]; given++) {
        if (n == given + 1) {
            (void)snprintf(out, size, "%s", other[given]);
            return true;
        }
    }
    int made = n - given;
    int keep = irc->support.nick_bytes - 1;
    (void)snprintf(out, size, made == 1 ? "%.*s_" : "%.*s%d", keep, nick, made);
    return made <= 9;
}

static void try_nick(struct irc *irc)
{
    char nick[WIRE_NAME_BYTES];
    if (!candidate(irc, irc->login.nick_tries, nick, sizeof nick)) {
        link_end(irc, LINK_SLOW, "every nick the bot tried is taken or refused: set another one as nick");
        return;
    }
    irc->login.nick_tries++;
    (void)snprintf(irc->nick, sizeof irc->nick, "%s", nick);
    link_line(irc, "NICK %s", nick);
}

void login_start(struct irc *irc)
{
    irc->caps = 0;
    irc->who_ms = INT64_MIN / 2;
    irc->login = (struct login){0};
    isupport_init(&irc->support);
    memset(irc->batch, 0, sizeof irc->batch);
    irc->user[0] = irc->host[0] = irc->account[0] = '\0';
    caps_start(irc);
    const char *password = irc_option(irc, "password_file");
    if (*password) {
        link_line(irc, "PASS :%s", password);
    }
    try_nick(irc);
    link_line(irc, "USER %s 0 * :%s", irc_option(irc, "username"), irc_option(irc, "realname"));
}

/* The server knows us: the nick is certain, libircclient can come in. */
static void on_welcome(struct irc *irc, const struct gate_event *event)
{
    char err[200];
    if (irc->phase != PHASE_REGISTERING || gate_attached(irc->gate)) {
        return;
    }
    if (sasl_wanted(irc) && !irc->login.sasl_ok) {
        link_end(irc, LINK_SLOW,
                 "%s let the bot in without its account. It left at once: it does not go in without "
                 "the login that is configured",
                 irc_option(irc, "server"));
        return;
    }
    (void)snprintf(irc->nick, sizeof irc->nick, "%s", event->count ? event->param[0] : "");
    if (gate_attach(irc->gate, irc->nick, err, sizeof err)) {
        link_end(irc, LINK_RETRY, "%s", err);
        return;
    }
    const char *time = tags_get(event->wire, "time");
    int64_t at = time ? tags_time(time) : -1;
    irc->welcome_ms = at >= 0 ? at : irc->api->wall_ms(irc->bot) - 60 * 1000;
}

static void on_greeted(struct irc *irc)
{
    if (irc->phase != PHASE_REGISTERING || !gate_attached(irc->gate)) {
        return;
    }
    if (irc->support.bot_mode) {
        link_line(irc, "MODE %s +%c", irc->nick, irc->support.bot_mode);
    }
    irc->login.ended = true; /* also where the server knows no CAP */
    link_ready(irc);
}

static bool says_banned(const char *text)
{
    static const char *const words[] = {"banned", "k-line", "g-line", "z-line", "d-line",
                                        "klined", "glined", "zlined", "akill",  "autokill"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(text, words[i])) {
            return true;
        }
    }
    return false;
}

void login_on_error(struct irc *irc, const struct gate_event *event)
{
    const char *text = event->count ? event->param[0] : "no reason";
    if (rate_is_flood(text)) {
        rate_on_flood(irc);
        link_end(irc, LINK_RETRY, "the server took the bot for a flood (%.150s); from now on one line in %.1f seconds",
                 text, (double)rate_line_ms(irc) / 1000);
        return;
    }
    if (says_banned(text)) {
        link_end(irc, LINK_SLOW, "the network has banned the bot: ask its staff (the server says: %.200s)", text);
    } else if (strcasestr(text, "killed") && !strcasestr(text, "collision") && !strcasestr(text, "ghost")) {
        link_end(irc, LINK_SLOW,
                 "the network's staff closed the bot's connection: ask them before it comes back (the "
                 "server says: %.200s)",
                 text);
    } else {
        irc->told_off = true;
        link_end(irc, LINK_RETRY, "the server closed the connection (%.200s)", text);
    }
}

void login_nick(struct irc *irc, const char *nick)
{
    char line[512];
    size_t len = gate_nick(irc->gate, nick, line, sizeof line);
    if (len) {
        link_bytes(irc, line, len);
    }
}

void login_on_nick(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (event->count < 1 || !wire_nick_valid(event->param[0])) {
        return;
    }
    if (irc_is_me(irc, who.nick)) {
        (void)snprintf(irc->nick, sizeof irc->nick, "%s", event->param[0]);
        irc->api->log(irc->bot, HR_INFO, "the bot is now called %s", irc->nick);
        record_network(irc);
    }
    members_rename(&irc->members, who.nick, event->param[0]);
}

bool login_on_numeric(struct irc *irc, int numeric, const struct gate_event *event)
{
    const char *text = event->count ? event->param[event->count - 1] : "";
    if (sasl_on_numeric(irc, numeric, event)) {
        return true;
    }
    switch (numeric) {
    case 1: on_welcome(irc, event); return true;
    case 5: isupport_read(&irc->support, event->wire); return true;
    case 376: /* end of the greeting */
    case 422: on_greeted(irc); return true;
    case 396: /* our host as others see it */
        if (event->count > 1 && !strpbrk(event->param[1], " @!")) {
            (void)snprintf(irc->host, sizeof irc->host, "%s", event->param[1]);
        }
        return true;
    case 432: /* no valid nick, taken, taken elsewhere, not now */
    case 433:
    case 436:
    case 437:
        if (irc->phase == PHASE_REGISTERING && !gate_attached(irc->gate)) {
            try_nick(irc);
            return true;
        }
        return numeric != 437;
    case 464:
        link_end(irc, LINK_SLOW, "the server refused its password: check password_file (the server says: %.200s)",
                 text);
        return true;
    case 465:
        link_end(irc, LINK_SLOW, "the network has banned the bot: ask its staff (the server says: %.200s)", text);
        return true;
    default: return false;
    }
}
