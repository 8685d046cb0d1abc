/* SPDX-License-Identifier: MIT */
/* The rate of lines, learned from the server. */
#include "rate.h"
#include "irc.h"
#include <strings.h>

enum { LATE_IN_A_ROW = 4 };

static const int64_t late_ms = 4000;    /* an answer that took so long */
static const int64_t together_ms = 250; /* answers closer than this waited for something else */
static const int64_t apart_ms = 20 * 1000;
static const int64_t most_ms = 10 * 1000, least_ms = 500;
static const int64_t again_ms = 10 * 60 * 1000;

static int64_t configured_ms(const struct irc *irc)
{
    return irc->api->option(irc->bot, "rate_ms")->num;
}

int64_t rate_line_ms(const struct irc *irc)
{
    return irc->rate.line_ms ? irc->rate.line_ms : configured_ms(irc);
}

int rate_burst(const struct irc *irc)
{
    int burst = (int)irc->api->option(irc->bot, "burst")->num;
    int64_t wanted_ms = configured_ms(irc) > least_ms ? configured_ms(irc) : least_ms;
    if (!irc->rate.line_ms) {
        return burst;
    }
    burst = (int)(burst * wanted_ms / irc->rate.line_ms);
    return burst > 1 ? burst : 1;
}

static int on_learned(void *arg, const struct hr_value *column, size_t count)
{
    struct rate *rate = arg;
    (void)count;
    rate->line_ms = column[0].num;
    return 0;
}

void rate_load(struct irc *irc)
{
    const struct hr_value name = HR_V_STR(irc->api->instance(irc->bot));
    (void)irc->api->sql(irc->bot, "SELECT line_ms FROM irc_rate WHERE network = ?1", &name, 1, on_learned, &irc->rate);
    irc->rate.changed_ms = irc->api->monotonic_ms(irc->bot);
    if (irc->rate.line_ms <= configured_ms(irc) || irc->rate.line_ms > most_ms) {
        irc->rate.line_ms = 0; /* the configuration asks for less by now */
    }
}

static void change(struct irc *irc, int64_t line_ms)
{
    line_ms = line_ms > most_ms ? most_ms : line_ms;
    const struct hr_value args[] = {HR_V_STR(irc->api->instance(irc->bot)), HR_V_INT(line_ms)};
    irc->rate.line_ms = line_ms > configured_ms(irc) ? line_ms : 0;
    irc->rate.changed_ms = irc->api->monotonic_ms(irc->bot);
    irc->rate.late = 0;
    (void)irc->api->sql(irc->bot,
                        irc->rate.line_ms ? "INSERT OR REPLACE INTO irc_rate VALUES(?1, ?2)"
                                          : "DELETE FROM irc_rate WHERE network = ?1",
                        args, irc->rate.line_ms ? 2 : 1, NULL, NULL);
    irc_limits(irc);
}

void rate_on_answer(struct irc *irc, int64_t took_ms)
{
    struct rate *rate = &irc->rate;
    int64_t now = irc->api->monotonic_ms(irc->bot), gap = now - rate->answered_ms;
    rate->answered_ms = now;
    if (took_ms < late_ms) {
        rate->late = 0;
        return;
    }
    if (gap < together_ms || gap > apart_ms) {
        return; /* they all waited for one thing: a pause of the machine or the way to it */
    }
    rate->gap_ms = rate->late ? rate->gap_ms + gap : gap;
    if (++rate->late < LATE_IN_A_ROW) {
        return;
    }
    int64_t line_ms = rate->gap_ms / rate->late, now_ms = rate_line_ms(irc);
    line_ms += line_ms / 10; /* a little less than it takes, or what waits there never goes */
    if (line_ms > now_ms + now_ms / 10) {
        irc->api->log(irc->bot, HR_WARN, "the server holds the bot's lines back; from now on one line in %.1f seconds",
                      (double)(line_ms > most_ms ? most_ms : line_ms) / 1000);
        change(irc, line_ms);
    }
    rate->late = 0;
}

bool rate_is_flood(const char *reason)
{
    static const char *const words[] = {"excess flood", "flooding", "recvq exceeded", "max recvq", "flooded"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(reason, words[i])) {
            return true;
        }
    }
    return false;
}

void rate_on_flood(struct irc *irc)
{
    int64_t now_ms = rate_line_ms(irc);
    change(irc, 2 * (now_ms > least_ms ? now_ms : least_ms));
}

void rate_watch(struct irc *irc, int64_t now_ms)
{
    if (irc->rate.line_ms && now_ms - irc->rate.changed_ms >= again_ms) {
        change(irc, irc->rate.line_ms * 4 / 5);
    }
}

void rate_report(const struct irc *irc, struct hr_out *out)
{
    if (irc->rate.line_ms) {
        irc->api->out(
            out,
            "The network takes fewer lines than configured: one in %.1f seconds now. It is tried faster again "
            "every 10 minutes.\n",
            (double)irc->rate.line_ms / 1000);
    }
}
