/* SPDX-License-Identifier: MIT */
/* Own lines and missed lines from the network's history. */
#include "history.h"
#include "inbound.h"
#include "link.h"
#include "mem.h"
#include "record.h"
#include "speech.h"
#include "tags.h"

static const int64_t answer_ms = 15 * 1000;
static const int64_t oldest_ms = 60 * 60 * 1000; /* of what was missed */
static const int64_t margin_ms = 5 * 1000;       /* clocks of one network's servers; what is known is not taken twice */

bool history_offered(const struct irc *irc)
{
    const unsigned needed = CAP_HISTORY | CAP_BATCH | CAP_SERVER_TIME | CAP_MESSAGE_TAGS | CAP_ECHO_MESSAGE;
    return (irc->caps & needed) == needed;
}

/* ---- asking --------------------------------------------------------------------- */

static void ask(struct irc *irc, const char *what, const char *from)
{
    struct history *history = &irc->history;
    int most = irc->support.history_lines;
    history->limit = most && most < HISTORY_LINES ? most : HISTORY_LINES;
    history->lines = 0;
    history->last[0] = '\0';
    history->asked_ms = irc->api->monotonic_ms(irc->bot);
    (void)snprintf(history->label, sizeof history->label, "hr-h%llu", (unsigned long long)++history->number);
    irc->net->spend(irc->bot, 1);
    if (irc->caps & CAP_LABELS) {
        link_line(irc, "@label=%s CHATHISTORY %s %s %s %d", history->label, what, history->channel->address, from,
                  history->limit);
    } else {
        link_line(irc, "CHATHISTORY %s %s %s %d", what, history->channel->address, from, history->limit);
    }
}

static void forget_own(struct channel *channel)
{
    for (size_t i = 0; i < channel->own_count; i++) {
        free(channel->own[i].text);
        free(channel->own[i].id);
    }
    free(channel->own);
    channel->own = NULL;
    channel->own_count = channel->own_next = 0;
}

static void ask_own(struct irc *irc, struct channel *channel)
{
    struct history *history = &irc->history;
    channel->step = HISTORY_OWN;
    history->pages = 0;
    history->anchor_seen = !*channel->anchor;
    if (*channel->anchor) {
        ask(irc, "AROUND", irc->api->print(irc->bot, "msgid=%s", channel->anchor));
    } else {
        ask(irc, "LATEST", "*"); /* none of ours is settled there yet */
    }
}

/* Page by page from the oldest; if that is more than HISTORY_PAGES, the last page there is comes after them. */
static void ask_missed(struct irc *irc, struct channel *channel)
{
    char from[64];
    int64_t since = channel->seen_ms - margin_ms, earliest = channel->joined_ms - oldest_ms;
    channel->step = HISTORY_MISSED;
    irc->history.pages = 0;
    tags_write_time(from, sizeof from, since > earliest ? since : earliest);
    ask(irc, "AFTER", irc->api->print(irc->bot, "timestamp=%s", from));
}

static void ask_next(struct irc *irc)
{
    for (size_t i = 0; !irc->history.channel && i < irc->channels.count; i++) {
        struct channel *channel = &irc->channels.all[i];
        if (channel->step != HISTORY_WAITS) {
            continue;
        }
        irc->history.channel = channel;
        if (channel->doubt) {
            ask_own(irc, channel);
        } else {
            ask_missed(irc, channel);
        }
    }
}

/* ---- lines that wait ---------------------------------------------------------------- */

bool history_hold(struct irc *irc, const struct wire *wire, char *copy)
{
    struct history *history = &irc->history;
    bool text = strcmp(wire->command, "PRIVMSG") == 0 || strcmp(wire->command, "NOTICE") == 0;
    struct channel *channel = text && wire->count > 1 ? channels_find(irc, wire->param[0]) : NULL;
    struct wire_source who;
    wire_source_split(&who, wire->source);
    if (!channel || channel->step == HISTORY_IDLE || tags_get(wire, "batch") || irc_is_me(irc, who.nick) ||
        history->held_count == HISTORY_HELD) {
        return false;
    }
    struct held_line *held = mem_new(sizeof *held);
    held->line = copy;
    held->channel = channel;
    if (!history->held) {
        history->last_held = &history->held;
    }
    *history->last_held = held;
    history->last_held = &held->next;
    history->held_count++;
    return true;
}

/* Takes the held lines of `channel` (NULL: all) off the list; `say`: they go their way now. */
static void let_go(struct irc *irc, const struct channel *channel, bool say)
{
    struct history *history = &irc->history;
    struct held_line *all = history->held;
    history->held = NULL;
    history->last_held = &history->held;
    history->held_count = 0;
    while (all) {
        struct held_line *held = all;
        all = held->next;
        held->next = NULL;
        if (channel && held->channel != channel) {
            *history->last_held = held;
            history->last_held = &held->next;
            history->held_count++;
            continue;
        }
        if (say) {
            inbound_line(irc, held->line, strlen(held->line));
        }
        free(held->line);
        free(held);
    }
}

static void done(struct irc *irc, struct channel *channel)
{
    channel->step = HISTORY_IDLE;
    irc->history.channel = NULL;
    irc->net->up(irc->bot, channel->address);
    let_go(irc, channel, true);
    ask_next(irc);
}

void history_joined(struct irc *irc, struct channel *channel)
{
    if (channel->step != HISTORY_IDLE) {
        return; /* joined twice over: it is being read already */
    }
    forget_own(channel);
    channel->looked = false;
    if (!history_offered(irc) || (channel->seen_ms == 0 && !channel->doubt)) {
        record_seen(irc, channel, channel->joined_ms);
        irc->net->up(irc->bot, channel->address);
        return;
    }
    channel->step = HISTORY_WAITS;
    ask_next(irc);
}

void history_left(struct irc *irc, struct channel *channel)
{
    let_go(irc, channel, false);
    channel->step = HISTORY_IDLE;
    if (irc->history.channel == channel) {
        irc->history.channel = NULL;
        ask_next(irc);
    }
}

void history_lost(struct irc *irc)
{
    let_go(irc, NULL, false); /* not recorded as seen: they come again with the history */
    for (size_t i = 0; i < irc->channels.count; i++) {
        irc->channels.all[i].step = HISTORY_IDLE;
    }
    irc->history.channel = NULL;
}

void history_clear(struct irc *irc)
{
    let_go(irc, NULL, false);
    for (size_t i = 0; i < irc->channels.count; i++) {
        forget_own(&irc->channels.all[i]);
    }
}

struct told {
    uint64_t room[HISTORY_ROOMS];
    size_t count;
};

static int on_room(void *arg, const struct hr_room *room)
{
    struct told *told = arg;
    if (told->count < HISTORY_ROOMS && (room->flags & HR_ROOM_PEOPLE)) {
        told->room[told->count++] = room->id;
    }
    return 0;
}

/* To the rooms that would have heard it. */
static void say(struct irc *irc, const struct channel *channel, const char *id)
{
    struct told told = {0};
    const struct hr_say say = {.size = sizeof say, .text = irc->api->words(irc->bot, id, NULL), .priority = HR_PEOPLE};
    if (irc->api->routes(irc->bot, channel->room, on_room, &told) >= 0 && told.count) {
        (void)irc->api->say(irc->bot, told.room, told.count, &say, NULL);
    }
}

static void give_up(struct irc *irc, const char *why)
{
    struct channel *channel = irc->history.channel;
    bool own = channel->step == HISTORY_OWN;
    irc->api->log(irc->bot, HR_WARN, "%s: its history could not be read (%.150s); %s", channel->address, why,
                  own ? "lines that may have arrived are said again, and may stand there twice"
                      : "what was said while the bot was away is left out");
    if (own && channel->seen_ms) {
        ask_missed(irc, channel);
        return;
    }
    if (!own) {
        say(irc, channel, "missed-all");
    }
    done(irc, channel);
}

void history_watch(struct irc *irc, int64_t now)
{
    if (irc->history.channel && now - irc->history.asked_ms >= answer_ms) {
        give_up(irc, "no answer");
    }
}

/* ---- the answer ---------------------------------------------------------------------- */

bool history_is_answer(const struct irc *irc, const char *type, const char *target, const char *label)
{
    const struct history *history = &irc->history;
    if (!history->channel || strcmp(type, "chathistory") != 0 ||
        !name_equal(&irc->support, target, history->channel->address)) {
        return false;
    }
    return !(irc->caps & CAP_LABELS) || (label && strcmp(label, history->label) == 0);
}

/* Said by us: under our account, or without one under our nick of now or of the connection before. */
static bool is_own(const struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (*irc->account && (irc->caps & CAP_ACCOUNT_TAG)) {
        const char *account = tags_get(event->wire, "account");
        return account && name_equal(&irc->support, account, irc->account);
    }
    return irc_is_me(irc, who.nick) || (*irc->was && name_equal(&irc->support, who.nick, irc->was));
}

static void keep_own(struct channel *channel, const char *text, const char *id)
{
    if (channel->own_count == HISTORY_LINES * HISTORY_PAGES) {
        return;
    }
    channel->own = mem_check(realloc(channel->own, (channel->own_count + 1) * sizeof *channel->own));
    channel->own[channel->own_count++] = (struct own_line){.text = mem_copy(text), .id = mem_copy(id ? id : "")};
}

void history_on_line(struct irc *irc, const struct gate_event *event, const struct batch *batch)
{
    struct history *history = &irc->history;
    const char *id = flights_msgid(tags_get(event->wire, "msgid")), *time = tags_get(event->wire, "time");
    bool text = event->count > 1 && (strcmp(event->command, "PRIVMSG") == 0 || strcmp(event->command, "NOTICE") == 0);
    history->lines++;
    if (id) {
        (void)snprintf(history->last, sizeof history->last, "%s", id);
    }
    if (history->channel->step == HISTORY_OWN) {
        if (!history->anchor_seen) {
            history->anchor_seen = id && strcmp(id, history->channel->anchor) == 0;
            history->lines = 0; /* those behind it count */
        } else if (text && is_own(irc, event)) {
            keep_own(history->channel, event->param[1], id);
        }
    } else if (text && !is_own(irc, event) && time && tags_time(time) <= history->channel->joined_ms) {
        history->missed++; /* what is younger comes live, too */
        speech_on_text(irc, event, batch);
    }
}

static void on_own_end(struct irc *irc, struct channel *channel)
{
    struct history *history = &irc->history;
    if (!history->anchor_seen) {
        give_up(irc, "it does not reach back far enough");
        return;
    }
    bool around = history->pages == 0; /* half of these lie before the anchor */
    bool more = *channel->anchor && history->lines >= (around ? history->limit / 2 - 1 : history->limit);
    if (more && *history->last && ++history->pages < HISTORY_PAGES) {
        const char *from = irc->api->print(irc->bot, "msgid=%s", history->last);
        ask(irc, "AFTER", from);
        return;
    }
    channel->looked = !more;
    if (channel->seen_ms) {
        ask_missed(irc, channel);
    } else {
        done(irc, channel);
    }
}

void history_on_end(struct irc *irc)
{
    struct history *history = &irc->history;
    struct channel *channel = history->channel;
    if (!channel) {
        return;
    }
    if (channel->step == HISTORY_OWN) {
        on_own_end(irc, channel);
        return;
    }
    if (history->lines >= history->limit && *history->last && history->pages < HISTORY_PAGES) {
        bool more = ++history->pages < HISTORY_PAGES;
        ask(irc, more ? "AFTER" : "LATEST", irc->api->print(irc->bot, "msgid=%s", history->last));
        return;
    }
    if (history->lines >= history->limit) {
        irc->api->log(irc->bot, HR_WARN,
                      "%s: more than %d lines were said while the bot was away; of these only the last %d are read",
                      channel->address, history->limit * HISTORY_PAGES, history->limit);
        say(irc, channel, "missed-more");
    }
    record_seen(irc, channel, channel->joined_ms);
    done(irc, channel);
}

/* FAIL CHATHISTORY CODE [context...] :text */
void history_on_fail(struct irc *irc, const struct wire *wire)
{
    if (irc->history.channel) {
        give_up(irc, wire->param[wire->count - 1]);
    }
}

int history_look_up(struct irc *irc, struct channel *channel, const char *text, const char **id)
{
    for (size_t i = channel->own_next; i < channel->own_count; i++) {
        if (strcmp(channel->own[i].text, text) == 0) {
            channel->own_next = i + 1;
            irc->history.found++;
            *id = channel->own[i].id;
            return HR_OK;
        }
    }
    return channel->looked ? HR_ENOTFOUND : HR_EUNKNOWN;
}
