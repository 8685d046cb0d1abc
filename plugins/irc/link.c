/* SPDX-License-Identifier: MIT */
/* Connect, stay alive, connect again. */
#include "link.h"
#include "inbound.h"
#include "login.h"
#include "record.h"
#include <stdarg.h>

static const int64_t tick_ms = 5000;
static const int64_t idle_ms = 60 * 1000, dead_ms = 120 * 1000;
static const int64_t login_ms = 60 * 1000;
static const int64_t regain_every_ms = 2 * 60 * 1000;
/* A server that lets us in and goes, or isn't there, is back within a minute of its own return; one that turns us away
 * while we log in and says so (too many, too fast) gets its rest. */
static const int64_t first_pause_ms = 2000, longest_pause_ms = 45 * 1000, longest_turned_away_ms = 5 * 60 * 1000;
static const int64_t slow_pause_ms = 15 * 60 * 1000;
/* A certificate is renewed on the server's side, and a handshake that fails bothers nobody. */
static const int64_t untrusted_pause_ms = 2 * 60 * 1000, untrusted_more_ms = 59 * 1000;

static void link_open(struct irc *irc);

static int64_t by_chance(struct irc *irc, int64_t below)
{
    uint32_t random = 0;
    (void)irc->api->random(irc->bot, &random, sizeof random);
    return (int64_t)(random % (uint64_t)below);
}

static int64_t pause_of(struct irc *irc, int64_t longest_ms)
{
    if (irc->ending == LINK_SLOW) {
        return slow_pause_ms + by_chance(irc, first_pause_ms * 60);
    }
    if (irc->ending == LINK_UNTRUSTED) {
        return untrusted_pause_ms + by_chance(irc, untrusted_more_ms);
    }
    int64_t pause = first_pause_ms;
    for (int i = 0; i < irc->tries && pause < longest_ms; i++) {
        pause *= 2;
    }
    irc->tries++;
    pause += by_chance(irc, pause / 2);
    return pause < longest_ms ? pause : longest_ms - by_chance(irc, first_pause_ms);
}

static void on_retry(void *arg)
{
    struct irc *irc = arg;
    irc->retry = NULL;
    link_open(irc);
}

static const char *say_pause(struct irc *irc, int64_t ms)
{
    int64_t seconds = (ms + 500) / 1000;
    return seconds < 120 ? irc->api->print(irc->bot, "%d seconds", (int)seconds)
                         : irc->api->print(irc->bot, "%d minutes", (int)(seconds / 60));
}

/* Everything that belonged to the connection goes; the next try is set. */
static void settle(struct irc *irc)
{
    if (irc->ending == LINK_STAYS) {
        return;
    }
    int64_t now = irc->api->monotonic_ms(irc->bot);
    if (irc->phase == PHASE_READY && now - irc->ready_ms >= 60 * 1000) {
        irc->tries = 0;
    }
    bool turned_away = irc->phase == PHASE_REGISTERING && irc->told_off;
    sts_renew(irc);
    irc->phase = PHASE_WAITING;
    irc->net->stream_close(irc->stream);
    irc->stream = NULL;
    irc->api->timer_stop(irc->tick);
    irc->tick = NULL;
    gate_detach(irc->gate);
    framer_reset(&irc->framer);
    int64_t pause = pause_of(irc, turned_away ? longest_turned_away_ms : longest_pause_ms);
    irc->ending = LINK_STAYS;
    identity_release_all(irc);
    flights_lost(irc);
    history_lost(irc);
    channels_lost(irc);
    members_clear(&irc->members);
    irc->net->down(irc->bot, NULL, irc->api->print(irc->bot, "%s; next try in %s", irc->reason, say_pause(irc, pause)));
    (void)irc->api->timer_in(irc->bot, pause, 0, on_retry, irc, &irc->retry);
}

void link_end(struct irc *irc, enum link_end how, const char *fmt, ...)
{
    if (irc->ending != LINK_STAYS || irc->phase == PHASE_WAITING) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(irc->reason, sizeof irc->reason, fmt, ap);
    va_end(ap);
    irc->ending = how;
    if (!irc->in_data) {
        settle(irc);
    }
}

void link_bytes(struct irc *irc, const char *bytes, size_t len)
{
    if (irc->stream && irc->ending == LINK_STAYS && irc->net->stream_write(irc->stream, bytes, len) < 0) {
        link_end(irc, LINK_RETRY, "the server takes no more of what the bot says");
    }
}

void link_line(struct irc *irc, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof line - 2, fmt, ap);
    va_end(ap);
    if (len < 0 || len > 800 || strpbrk(line, "\r\n")) {
        irc->api->log(irc->bot, HR_WARN, "a line to the server would have been too long or broken; it is left out");
        return;
    }
    memcpy(line + len, "\r\n", 3);
    link_bytes(irc, line, (size_t)len + 2);
}

/* ---- watching --------------------------------------------------------------------- */

static void regain_nick(struct irc *irc, int64_t now)
{
    const char *wanted = irc_option(irc, "nick");
    if (irc_is_me(irc, wanted) || now < irc->regain_ms) {
        return;
    }
    irc->regain_ms = now + regain_every_ms;
    login_nick(irc, wanted);
}

static void on_tick(void *arg)
{
    struct irc *irc = arg;
    int64_t now = irc->api->monotonic_ms(irc->bot), silent = now - irc->heard_ms;
    irc->in_data = true;
    if (irc->phase == PHASE_REGISTERING && now - irc->opened_ms > login_ms) {
        link_end(irc, LINK_RETRY, "the server did not finish the login within %d seconds", (int)(login_ms / 1000));
    } else if (silent >= dead_ms) {
        link_end(irc, LINK_RETRY, "the server has been silent for %d seconds", (int)(silent / 1000));
    } else if (irc->phase == PHASE_READY) {
        if (silent >= idle_ms && !irc->asked_alive) {
            irc->asked_alive = true;
            link_line(irc, "PING :hr-alive");
        }
        flights_watch(irc, now);
        identity_watch(irc, now);
        history_watch(irc, now);
        channels_watch(irc, now);
        rate_watch(irc, now);
        regain_nick(irc, now);
    }
    irc->in_data = false;
    settle(irc);
}

/* ---- the stream ---------------------------------------------------------------------- */

static void on_opened(void *arg, const char *how)
{
    struct irc *irc = arg;
    int64_t now = irc->api->monotonic_ms(irc->bot);
    irc->api->log(irc->bot, HR_INFO, "connected to %s (%s), logging in", irc_option(irc, "server"), how);
    irc->phase = PHASE_REGISTERING;
    irc->opened_ms = irc->heard_ms = now;
    irc->in_data = true;
    if (irc->api->timer_in(irc->bot, tick_ms, tick_ms, on_tick, irc, &irc->tick) < 0) {
        link_end(irc, LINK_RETRY, "the host gave no timer");
    }
    login_start(irc);
    irc->in_data = false;
    settle(irc);
}

static bool on_line(void *arg, char *line, size_t len)
{
    struct irc *irc = arg;
    inbound_line(irc, line, len);
    return irc->ending == LINK_STAYS;
}

static void on_data(void *arg, const char *bytes, size_t len)
{
    struct irc *irc = arg;
    /* Any byte is life: a PONG may stand behind the server's own flood queue. */
    irc->heard_ms = irc->api->monotonic_ms(irc->bot);
    irc->asked_alive = false;
    irc->in_data = true;
    framer_feed(&irc->framer, bytes, len, on_line, irc);
    irc->in_data = false;
    settle(irc);
}

static void on_closed(void *arg, int status, const char *reason)
{
    struct irc *irc = arg;
    irc->stream = NULL; /* the host frees it */
    link_end(irc, status == HR_EDENIED ? LINK_UNTRUSTED : LINK_RETRY, "%s: %s", irc_option(irc, "server"), reason);
}

static void link_open(struct irc *irc)
{
    static const struct hr_stream_calls calls = {.opened = on_opened, .data = on_data, .closed = on_closed};
    const char *ca = irc_option(irc, "ca_file"), *cert = irc_option(irc, "cert_file");
    const char *key = irc_option(irc, "key_file");
    struct hr_stream_target target = {
        .size = sizeof target,
        .host = irc_option(irc, "server"),
        .port = (int)irc->api->option(irc->bot, "port")->num,
        .plain = !irc->api->option(irc->bot, "tls")->num,
        .allow_plain = irc->api->option(irc->bot, "allow_plain")->num != 0,
        .ca_file = *ca ? ca : NULL,
        .cert_file = *cert ? cert : NULL,
        .key_file = *key ? key : NULL,
    };
    sts_target(irc, &target.port, &target.plain);
    irc->phase = PHASE_CONNECTING;
    irc->told_off = false;
    if (irc->net->stream_open(irc->bot, &target, &calls, irc, &irc->stream) < 0) {
        link_end(irc, LINK_SLOW,
                 "the connection to %s could not be started: look at tls, ca_file, cert_file and key_file",
                 target.host);
    }
}

void link_ready(struct irc *irc)
{
    irc->phase = PHASE_READY;
    irc->ready_ms = irc->api->monotonic_ms(irc->bot);
    irc->regain_ms = irc->ready_ms + regain_every_ms;
    irc->reason[0] = '\0';
    (void)snprintf(irc->was, sizeof irc->was, "%s", irc->record.nick);
    record_network(irc);
    irc_limits(irc);
    irc->net->up(irc->bot, NULL);
    channels_join_all(irc);
}

int link_start(struct irc *irc)
{
    link_open(irc);
    return 0;
}

void link_stop(struct irc *irc)
{
    if (irc->phase == PHASE_READY) {
        link_line(irc, "QUIT :The bot is being stopped.");
    }
    irc->net->stream_close(irc->stream);
    irc->stream = NULL;
    irc->phase = PHASE_WAITING;
    irc->api->timer_stop(irc->retry);
    irc->api->timer_stop(irc->tick);
}
