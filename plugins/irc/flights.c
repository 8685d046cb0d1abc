/* SPDX-License-Identifier: MIT */
/* Sending lines and finding out what became of each. */
#include "flights.h"
#include "irc.h"
#include "link.h"
#include "mem.h"
#include "render.h"
#include "tags.h"

static const int64_t echo_ms = 15 * 1000, answer_ms = 120 * 1000;
#define BARRIER "hr-b"
enum { LINE_BYTES = 4096, DOUBT_BYTES = 400 };

static bool echoes(const struct irc *irc)
{
    return (irc->caps & CAP_ECHO_MESSAGE) != 0;
}

static bool labels(const struct irc *irc)
{
    return echoes(irc) && (irc->caps & CAP_LABELS) && (irc->caps & CAP_MESSAGE_TAGS);
}

/* Takes the flight out of the list before the host is told: its answer may send the next. */
static void settle(struct irc *irc, size_t index, int status, const char *remote_id, const char *reason)
{
    struct flights *flights = &irc->flights;
    struct flight flight = flights->all[index];
    memmove(&flights->all[index], &flights->all[index + 1], (flights->count - index - 1) * sizeof flight);
    flights->count--;
    rate_on_answer(irc, irc->api->monotonic_ms(irc->bot) - flight.sent_ms);
    struct channel *channel = channels_find(irc, flight.target);
    if (channel && channel->place == PLACE_IN) {
        (void)snprintf(channel->reason, sizeof channel->reason, "%s", status == HR_EFAIL ? reason : "");
    }
    if (channel && remote_id) {
        (void)snprintf(channel->anchor, sizeof channel->anchor, "%s", remote_id);
    }
    flights->delivered += status == HR_OK;
    flights->refused += status == HR_EFAIL;
    flights->unknown += status == HR_EUNKNOWN;
    irc->net->sent(irc->bot, flight.part, status, remote_id, 0, reason);
    free(flight.target);
    free(flight.text);
}

/* "PRIVMSG TARGET :TEXT", as render() wrote it; the text or NULL. */
static const char *text_of(const struct hr_part *part)
{
    const char *line = render_line(part->body);
    size_t target = strlen(part->room->address), verb = sizeof "PRIVMSG " - 1;
    if (strlen(line) < verb + target + 3 || strncmp(line, "PRIVMSG ", verb) != 0 ||
        strncmp(line + verb, part->room->address, target) != 0 || strncmp(line + verb + target, " :", 2) != 0) {
        return NULL;
    }
    return line + verb + target + 2;
}

/* The tags in front of our line: which answer is ours, and what it answers. */
static size_t put_tags(const struct irc *irc, const struct hr_part *part, char *out, size_t size)
{
    int reply = irc->caps & CAP_MESSAGE_TAGS && part->body[0] == '@' ? (int)strcspn(part->body + 1, " ") : 0;
    bool label = labels(irc);
    if (!label && !reply) {
        return 0;
    }
    return (size_t)snprintf(out, size, "@%s%s%s%.*s ", label ? "label=" : "", label ? part->txn : "",
                            label && reply ? ";" : "", reply, part->body + 1);
}

static void ask_barrier(struct irc *irc)
{
    irc->flights.barrier = irc->flights.seq;
    link_line(irc, "PING :" BARRIER "%llu", (unsigned long long)irc->flights.seq);
}

/* An earlier try may have arrived. True: the history answered, and *status is the result of send(). */
static bool looked_up(struct irc *irc, struct channel *channel, const struct hr_part *part, const char *text,
                      int *status)
{
    const char *id = NULL;
    int rc = channel && text ? history_look_up(irc, channel, text, &id) : HR_EUNKNOWN;
    if (rc == HR_OK) {
        (void)snprintf(channel->anchor, sizeof channel->anchor, "%s", id);
        irc->flights.delivered++;
        irc->net->spend(irc->bot, -1); /* nothing left */
        irc->net->sent(irc->bot, part->id, HR_OK, *id ? id : NULL, 0, NULL);
        *status = HR_OK;
        return true;
    }
    if (rc == HR_EUNKNOWN && part->priority == HR_QUESTION) {
        irc->flights.unknown++;
        *status = HR_EUNKNOWN;
        return true;
    }
    irc->flights.sent_again += rc == HR_EUNKNOWN;
    return false;
}

int flights_send(struct irc *irc, const struct hr_part *part)
{
    struct flights *flights = &irc->flights;
    struct channel *channel = channels_find(irc, part->room->address);
    if (irc->phase != PHASE_READY || flights->count == FLIGHTS_MAX || (channel && channel->place != PLACE_IN)) {
        return HR_ERETRY;
    }
    char line[1024], out[LINE_BYTES];
    const char *text = text_of(part);
    int status;
    if (part->flags & HR_PART_DOUBT && looked_up(irc, channel, part, text, &status)) {
        return status;
    }
    if (text && !channel && part->flags & HR_PART_DOUBT) {
        const char *marked = irc->api->words(irc->bot, "perhaps-again", "text", text, NULL);
        text = strlen(marked) <= DOUBT_BYTES ? marked : text; /* in private nobody can look it up */
    }
    size_t len = text ? gate_msg(irc->gate, part->room->address, text, line, sizeof line) : 0;
    if (!len) {
        irc->api->log(irc->bot, HR_ERROR, "a line for %s cannot be said on IRC and is left out", part->room->address);
        return HR_EFAIL;
    }
    struct flight flight = {.part = part->id, .seq = ++flights->seq, .sent_ms = irc->api->monotonic_ms(irc->bot)};
    (void)snprintf(flight.label, sizeof flight.label, "%s", part->txn);
    size_t tag = put_tags(irc, part, out, sizeof out - sizeof line);
    memcpy(out + tag, line, len);
    flight.target = mem_copy(part->room->address);
    flight.text = mem_copy(text);
    flights->all[flights->count++] = flight;
    flights->sent++;
    link_bytes(irc, out, tag + len);
    if (!echoes(irc)) {
        /* One PING for each line: a numeric before its PONG then belongs to this line and no other. */
        ask_barrier(irc);
    }
    return 0;
}

/* ---- answers ------------------------------------------------------------------------ */

static size_t by_label(const struct irc *irc, const char *label)
{
    size_t i = 0;
    while (i < irc->flights.count && strcmp(irc->flights.all[i].label, label) != 0) {
        i++;
    }
    return i;
}

/* The oldest line for `target`; text NULL: any. */
static size_t by_target(const struct irc *irc, const char *target, const char *text)
{
    size_t i = 0;
    while (i < irc->flights.count && (!name_equal(&irc->support, irc->flights.all[i].target, target) ||
                                      (text && strcmp(irc->flights.all[i].text, text) != 0))) {
        i++;
    }
    return i;
}

static bool msgid_valid(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++) {
        if (id[i] <= ' ' || id[i] > '~') {
            return false;
        }
    }
    return len > 0 && len <= 256;
}

const char *flights_msgid(const char *id)
{
    return id && msgid_valid(id) ? id : NULL;
}

void flights_on_echo(struct irc *irc, const struct gate_event *event, const char *label)
{
    size_t i = label ? by_label(irc, label) : irc->flights.count;
    if (i == irc->flights.count) {
        i = by_target(irc, event->param[0], event->param[1]);
    }
    if (i == irc->flights.count && !labels(irc)) {
        i = by_target(irc, event->param[0], NULL); /* the network changed the words, as some do with colours */
    }
    if (i < irc->flights.count) {
        settle(irc, i, HR_OK, flights_msgid(tags_get(event->wire, "msgid")), NULL);
    }
}

static const char *refusal(struct irc *irc, int numeric, const char *server)
{
    switch (numeric) {
    case 401: return "nobody of that name is there now";
    case 403:
    case 442: return "the bot is not in that channel";
    case 404:
        return irc->api->print(irc->bot,
                               "the channel takes no words of the bot now: ask its operators to give it "
                               "voice (the server says: %.150s)",
                               server);
    case 477: return "the channel takes words of registered names only: give the bot an account (sasl, sasl_account)";
    default: return irc->api->print(irc->bot, "the server refused the line (%.150s)", server);
    }
}

bool flights_on_refusal(struct irc *irc, int numeric, const struct gate_event *event, const char *label)
{
    if (numeric < 400 || numeric > 599 || event->count < 2) {
        return false;
    }
    size_t i = label ? by_label(irc, label) : irc->flights.count;
    if (i == irc->flights.count) {
        i = by_target(irc, event->param[1], NULL);
    }
    if (i == irc->flights.count && (numeric == 417 || numeric == 412)) {
        i = 0; /* too long, no text: these name nobody */
    }
    if (i >= irc->flights.count) {
        return false;
    }
    settle(irc, i, HR_EFAIL, NULL, refusal(irc, numeric, event->param[event->count - 1]));
    return true;
}

/* FAIL PRIVMSG CODE [context...] :text */
void flights_on_fail(struct irc *irc, const struct gate_event *event, const char *label)
{
    size_t i = label ? by_label(irc, label) : irc->flights.count;
    bool about_text = strcmp(event->param[0], "PRIVMSG") == 0;
    for (size_t p = 2; about_text && i == irc->flights.count && p + 1 < event->count; p++) {
        i = by_target(irc, event->param[p], NULL);
    }
    if (i < irc->flights.count) {
        settle(irc, i, HR_EFAIL, NULL, refusal(irc, 0, event->param[event->count - 1]));
    }
}

void flights_on_pong(struct irc *irc, const char *token)
{
    if (strncmp(token, BARRIER, sizeof BARRIER - 1) != 0) {
        return;
    }
    uint64_t upto = strtoull(token + sizeof BARRIER - 1, NULL, 10);
    if (upto >= irc->flights.barrier) {
        irc->flights.barrier = 0;
    }
    while (irc->flights.count && irc->flights.all[0].seq <= upto) {
        if (echoes(irc)) {
            settle(irc, 0, HR_EUNKNOWN, NULL, "the server took the line but did not show it back");
        } else {
            settle(irc, 0, HR_OK, NULL, NULL);
        }
    }
}

void flights_watch(struct irc *irc, int64_t now)
{
    struct flights *flights = &irc->flights;
    if (!flights->count) {
        return;
    }
    int64_t age = now - flights->all[0].sent_ms;
    if (age > answer_ms) {
        link_end(irc, LINK_RETRY, "the server has not answered for a line in %d seconds", (int)(age / 1000));
    } else if (age > echo_ms && !flights->barrier) {
        ask_barrier(irc);
    }
}

void flights_lost(struct irc *irc)
{
    irc->flights.cut_off += irc->flights.count;
    for (size_t i = 0; i < irc->flights.count; i++) {
        struct channel *channel = channels_find(irc, irc->flights.all[i].target);
        if (channel) {
            channel->doubt = true; /* for good: the host may hand them out much later */
        }
    }
    irc->flights.barrier = 0;
    flights_clear(&irc->flights); /* the host hears it by down(): it hands them out again, in doubt */
}

void flights_clear(struct flights *flights)
{
    for (size_t i = 0; i < flights->count; i++) {
        free(flights->all[i].target);
        free(flights->all[i].text);
    }
    flights->count = 0;
}
