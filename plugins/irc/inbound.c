/* SPDX-License-Identifier: MIT */
/* Dispatch: connection matters by our own hand, the rest through the gate. */
#include "inbound.h"
#include "link.h"
#include "login.h"
#include "mem.h"
#include "speech.h"
#include "tags.h"
#include <string.h>

/* ---- batches ------------------------------------------------------------------ */

static struct batch *batch_find(struct irc *irc, const char *ref)
{
    for (size_t i = 0; ref && *ref && i < BATCHES; i++) {
        if (strcmp(irc->batch[i].ref, ref) == 0) {
            return &irc->batch[i];
        }
    }
    return NULL;
}

static struct batch *batch_of(struct irc *irc, const struct wire *wire)
{
    return batch_find(irc, tags_get(wire, "batch"));
}

/* The label a line answers, by its own tag or its batch's; or NULL. */
static const char *label_of(struct irc *irc, const struct wire *wire)
{
    const char *label = tags_get(wire, "label");
    const struct batch *batch = batch_of(irc, wire);
    return label ? label : batch && *batch->label ? batch->label : NULL;
}

static bool is_history(const char *type)
{
    return strcmp(type, "chathistory") == 0 || strcmp(type, "znc.in/playback") == 0 || strcmp(type, "playback") == 0 ||
           strcmp(type, "draft/chathistory-targets") == 0;
}

/* BATCH +ref type ... opens, BATCH -ref closes. A batch inside a batch inherits. */
static void on_batch(struct irc *irc, const struct wire *wire)
{
    const char *what = wire_param(wire, 0);
    struct batch *known = batch_find(irc, what + (*what != '\0'));
    if (*what == '-' && known) {
        bool answered = known->asked;
        known->ref[0] = '\0';
        if (answered) {
            history_on_end(irc);
        }
    }
    if (*what != '+' || !what[1] || strlen(what + 1) >= sizeof known->ref) {
        return;
    }
    struct batch *outer = batch_of(irc, wire);
    const char *label = label_of(irc, wire);
    for (size_t i = 0; i < BATCHES; i++) {
        struct batch *batch = known ? known : &irc->batch[i];
        if (known || !*batch->ref) {
            struct batch made = {.history = is_history(wire_param(wire, 1)) || (outer && outer->history)};
            made.asked = history_is_answer(irc, wire_param(wire, 1), wire_param(wire, 2), label);
            (void)snprintf(made.ref, sizeof made.ref, "%s", what + 1);
            (void)snprintf(made.label, sizeof made.label, "%s", label ? label : "");
            *batch = made;
            return;
        }
    }
    /* Sixteen are open: somebody plays with us. Treating all that follows as history is the safe side. */
    irc->batch[0].history = true;
    (void)snprintf(irc->batch[0].ref, sizeof irc->batch[0].ref, "%s", what + 1);
}

/* ---- events -------------------------------------------------------------------- */

static void on_text(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (!irc_is_me(irc, who.nick)) {
        speech_on_text(irc, event, batch_of(irc, event->wire));
    } else if (event->count > 1 && strcmp(event->command, "PRIVMSG") == 0 && !event->action && !event->ctcp) {
        const struct batch *batch = batch_of(irc, event->wire);
        if (!batch || !batch->history) {
            flights_on_echo(irc, event, label_of(irc, event->wire));
        }
    }
}

static void on_quit(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    identity_on_gone(irc, who.nick);
    members_quit(&irc->members, who.nick);
    if (name_equal(&irc->support, who.nick, irc_option(irc, "nick"))) {
        irc->regain_ms = 0; /* ours is free: taken at the next tick */
    }
}

static void on_nick(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    identity_on_gone(irc, who.nick);
    login_on_nick(irc, event);
    if (name_equal(&irc->support, who.nick, irc_option(irc, "nick"))) {
        irc->regain_ms = 0;
    }
}

static void on_account(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    struct member *member = members_find(&irc->members, who.nick);
    if (member && event->count > 0) {
        members_account(member, event->param[0], irc->api->monotonic_ms(irc->bot));
    }
}

static void on_chghost(struct irc *irc, const struct gate_event *event)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (irc_is_me(irc, who.nick) && event->count > 1) {
        (void)snprintf(irc->user, sizeof irc->user, "%s", event->param[0]);
        (void)snprintf(irc->host, sizeof irc->host, "%s", event->param[1]);
    }
}

static void on_fail(struct irc *irc, const struct gate_event *event)
{
    if (event->count > 1) {
        flights_on_fail(irc, event, label_of(irc, event->wire));
    }
}

static void on_invite(struct irc *irc, const struct gate_event *event)
{
    bool ours = event->count > 1 && irc_is_me(irc, event->param[0]);
    const struct channel *channel = ours ? channels_find(irc, event->param[1]) : NULL;
    if (channel && channel->place == PLACE_REFUSED) {
        irc->api->log(irc->bot, HR_INFO, "invited to %s, which the bot stays out of until it is restarted",
                      channel->address);
    }
}

/* REDACT target msgid [:reason]: the server has checked who may. */
static void on_redact(struct irc *irc, const struct gate_event *event)
{
    if (event->count > 1 && *event->param[1]) {
        (void)irc->net->remove(irc->bot, event->param[1]); /* not in the log: nothing to take away */
    }
}

static const struct {
    const char *command;
    void (*run)(struct irc *irc, const struct gate_event *event);
    bool in_history; /* also from a history batch: the others would change what is now */
} words[] = {
    {"PRIVMSG", on_text, true},        {"NOTICE", on_text, true},         {"JOIN", channels_on_join, false},
    {"PART", channels_on_part, false}, {"KICK", channels_on_kick, false}, {"MODE", channels_on_mode, false},
    {"QUIT", on_quit, false},          {"NICK", on_nick, false},          {"ACCOUNT", on_account, false},
    {"CHGHOST", on_chghost, false},    {"INVITE", on_invite, false},      {"FAIL", on_fail, false},
    {"REDACT", on_redact, false},
};

static void run_numeric(struct irc *irc, int numeric, const struct gate_event *event)
{
    const char *label = label_of(irc, event->wire);
    switch (numeric) {
    case 330: /* me nick account :is logged in as */
        if (event->count > 2) {
            identity_on_account(irc, event->param[1], event->param[2]);
        }
        return;
    case 318: /* end of WHOIS; try again later; nobody of that name */
    case 263:
    case 401:
        if (event->count > 1) {
            identity_on_end(irc, event->param[1]);
        }
        break;
    case 352:
    case 354: channels_on_who(irc, event); return;
    case 353: channels_on_names(irc, event); return;
    default: break;
    }
    if (!login_on_numeric(irc, numeric, event) && !channels_on_refusal(irc, numeric, event)) {
        (void)flights_on_refusal(irc, numeric, event, label);
    }
}

void inbound_event(void *arg, const struct gate_event *event)
{
    struct irc *irc = arg;
    int numeric = wire_numeric(event->command);
    const struct batch *batch = batch_of(irc, event->wire);
    bool history = batch && batch->history;
    if (batch && batch->asked && irc->history.channel) {
        history_on_line(irc, event, batch);
        return;
    }
    if (numeric >= 0) {
        run_numeric(irc, numeric, event);
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].command, event->command) == 0 && (words[i].in_history || !history)) {
            words[i].run(irc, event);
            return;
        }
    }
}

/* What belongs to the connection never enters the gate. True if it did belong. */
static bool connection_line(struct irc *irc, const struct wire *wire)
{
    struct gate_event event = {
        .wire = wire,
        .command = wire->command,
        .source = wire->source,
        .param = wire->param,
        .count = wire->count,
    };
    if (strcmp(wire->command, "PING") == 0) {
        link_line(irc, "PONG :%.400s", wire->count ? wire->param[wire->count - 1] : "");
    } else if (strcmp(wire->command, "PONG") == 0) {
        flights_on_pong(irc, wire->count ? wire->param[wire->count - 1] : "");
    } else if (strcmp(wire->command, "CAP") == 0) {
        login_on_cap(irc, &event);
    } else if (strcmp(wire->command, "AUTHENTICATE") == 0) {
        login_on_authenticate(irc, &event);
    } else if (strcmp(wire->command, "ERROR") == 0) {
        login_on_error(irc, &event);
    } else if (strcmp(wire->command, "BATCH") == 0) {
        on_batch(irc, wire);
    } else if (strcmp(wire->command, "FAIL") == 0 && strcmp(wire_param(wire, 0), "CHATHISTORY") == 0) {
        history_on_fail(irc, wire);
    } else {
        return false;
    }
    return true;
}

void inbound_line(struct irc *irc, char *line, size_t len)
{
    struct wire wire;
    char *copy = irc->history.channel ? mem_copy(line) : NULL; /* parsing cuts it to pieces */
    bool valid = wire_parse(&wire, line, len);
    if (valid && copy && history_hold(irc, &wire, copy)) {
        return;
    }
    free(copy);
    if (!valid) {
        irc->hostile++;
        return;
    }
    if (connection_line(irc, &wire)) {
        return;
    }
    bool attached = gate_attached(irc->gate);
    gate_line(irc->gate, &wire);
    if (attached && !gate_attached(irc->gate)) {
        link_end(irc, LINK_RETRY, "the IRC library stopped working; it is set up anew with a new connection");
    } else if (strcmp(wire.command, "NICK") == 0) {
        gate_set_nick(irc->gate, irc->nick);
    }
}
