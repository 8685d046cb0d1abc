/* SPDX-License-Identifier: MIT */
/* Lines that wait for a WHOIS. */
#include "identity.h"
#include "irc.h"
#include "link.h"
#include "mem.h"
#include "speech.h"

static const int64_t patience_ms = 10 * 1000;

static size_t find(const struct irc *irc, const char *nick)
{
    size_t i = 0;
    while (i < QUERIES_MAX &&
           (!irc->identity.query[i] || !name_equal(&irc->support, irc->identity.query[i]->nick, nick))) {
        i++;
    }
    return i;
}

static size_t ask(struct irc *irc, const char *nick)
{
    char line[512];
    size_t i = 0;
    while (i < QUERIES_MAX && irc->identity.query[i]) {
        i++;
    }
    size_t len = i < QUERIES_MAX ? gate_whois(irc->gate, nick, line, sizeof line) : 0;
    if (!len) {
        return QUERIES_MAX;
    }
    struct query *query = mem_new(sizeof *query);
    (void)snprintf(query->nick, sizeof query->nick, "%s", nick);
    query->asked_ms = irc->api->monotonic_ms(irc->bot);
    query->last = &query->first;
    irc->identity.query[i] = query;
    irc->identity.asked++;
    irc->net->spend(irc->bot, 1);
    link_bytes(irc, line, len);
    return i;
}

bool identity_hold(struct irc *irc, const struct said *said, bool may_ask)
{
    struct identity *identity = &irc->identity;
    struct wire_source who;
    wire_source_split(&who, said->source);
    size_t i = find(irc, who.nick);
    if (i == QUERIES_MAX && !may_ask) {
        return false;
    }
    if (identity->waiting >= WAITING_MAX || (i == QUERIES_MAX && (i = ask(irc, who.nick)) == QUERIES_MAX)) {
        identity->over++;
        return false;
    }
    struct query *query = identity->query[i];
    if (query->count >= WAITING_EACH) {
        identity->over++;
        identity_on_end(irc, who.nick); /* who floods is not waited for: in order, as nobody known */
        return false;
    }
    struct waiting *line = mem_new(sizeof *line);
    line->room = mem_copy(said->room);
    line->source = mem_copy(said->source);
    line->text = mem_copy(said->text);
    line->key = said->key ? mem_copy(said->key) : NULL;
    line->reply_to = said->reply_to ? mem_copy(said->reply_to) : NULL;
    line->time_ms = said->time_ms;
    line->server_ms = said->server_ms;
    line->flags = said->flags;
    line->power = said->power;
    *query->last = line;
    query->last = &line->next;
    query->count++;
    identity->waiting++;
    return true;
}

static void waiting_free(struct waiting *line)
{
    free(line->room);
    free(line->source);
    free(line->text);
    free(line->key);
    free(line->reply_to);
    free(line);
}

static void release(struct irc *irc, size_t i, bool answered)
{
    struct query *query = irc->identity.query[i];
    irc->identity.query[i] = NULL;
    struct member *member = members_find(&irc->members, query->nick);
    if (member && answered) {
        members_account(member, query->account, irc->api->monotonic_ms(irc->bot));
    }
    while (query->first) {
        struct waiting *line = query->first;
        query->first = line->next;
        irc->identity.waiting--;
        struct said said = {
            .room = line->room,
            .source = line->source,
            .account = query->account,
            .text = line->text,
            .key = line->key,
            .reply_to = line->reply_to,
            .time_ms = line->time_ms,
            .server_ms = line->server_ms,
            .flags = line->flags,
            .power = line->power,
        };
        speech_post(irc, &said);
        waiting_free(line);
    }
    free(query);
}

void identity_on_account(struct irc *irc, const char *nick, const char *account)
{
    size_t i = find(irc, nick);
    if (i < QUERIES_MAX && *account && strcmp(account, "*") != 0 && strcmp(account, "0") != 0) {
        (void)snprintf(irc->identity.query[i]->account, WIRE_NAME_BYTES, "%s", account);
    }
}

void identity_on_end(struct irc *irc, const char *nick)
{
    size_t i = find(irc, nick);
    if (i < QUERIES_MAX) {
        release(irc, i, true);
    }
}

void identity_on_gone(struct irc *irc, const char *nick)
{
    size_t i = find(irc, nick);
    if (i < QUERIES_MAX) {
        irc->identity.query[i]->account[0] = '\0';
        release(irc, i, false);
    }
}

void identity_watch(struct irc *irc, int64_t now)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        struct query *query = irc->identity.query[i];
        if (query && now - query->asked_ms >= patience_ms) {
            irc->identity.timeouts++;
            query->account[0] = '\0';
            release(irc, i, false);
        }
    }
}

void identity_release_all(struct irc *irc)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        if (irc->identity.query[i]) {
            irc->identity.query[i]->account[0] = '\0';
            release(irc, i, false);
        }
    }
}

void identity_clear(struct identity *identity)
{
    for (size_t i = 0; i < QUERIES_MAX; i++) {
        struct query *query = identity->query[i];
        while (query && query->first) {
            struct waiting *line = query->first;
            query->first = line->next;
            waiting_free(line);
        }
        free(query);
        identity->query[i] = NULL;
    }
}
