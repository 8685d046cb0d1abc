/* SPDX-License-Identifier: MIT */
/* Capability negotiation (CAP 302). */
#include "link.h"
#include "login.h"
#include "record.h"
#include <string.h>

static const struct {
    const char *name;
    unsigned flag;
} known[] = {
    {"message-tags", CAP_MESSAGE_TAGS},
    {"server-time", CAP_SERVER_TIME},
    {"account-tag", CAP_ACCOUNT_TAG},
    {"account-notify", CAP_ACCOUNT_NOTIFY},
    {"extended-join", CAP_EXTENDED_JOIN},
    {"echo-message", CAP_ECHO_MESSAGE},
    {"labeled-response", CAP_LABELS},
    {"batch", CAP_BATCH},
    {"multi-prefix", CAP_MULTI_PREFIX},
    {"chghost", CAP_CHGHOST},
    {"draft/message-redaction", CAP_REDACTION},
    {"draft/chathistory", CAP_HISTORY},
    {"draft/event-playback", CAP_EVENT_PLAYBACK},
    {"sasl", CAP_SASL},
};
enum { KNOWN = sizeof known / sizeof *known };

void caps_start(struct irc *irc)
{
    link_line(irc, "CAP LS 302");
}

void caps_end(struct irc *irc)
{
    if (!irc->login.ended && irc->phase == PHASE_REGISTERING) {
        irc->login.ended = true;
        link_line(irc, "CAP END");
    }
}

/* Calls fn with each word of the list: name and "" or its value. */
static void each_word(struct irc *irc, const char *list,
                      void (*fn)(struct irc *irc, const char *name, const char *value))
{
    while (*list) {
        char word[160];
        size_t len = strcspn(list, " ");
        if (len && len < sizeof word) {
            memcpy(word, list, len);
            word[len] = '\0';
            char *value = strchr(word, '=');
            if (value) {
                *value++ = '\0';
            }
            fn(irc, word, value ? value : "");
        }
        list += len;
        list += strspn(list, " ");
    }
}

static unsigned flag_of(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].flag;
        }
    }
    return 0;
}

static void on_offered(struct irc *irc, const char *name, const char *value)
{
    unsigned flag = flag_of(name);
    if (strcmp(name, "sts") == 0) {
        sts_on_offered(irc, value);
        return;
    }
    irc->login.offered |= flag;
    if (flag == CAP_SASL) {
        (void)snprintf(irc->login.mechanisms, sizeof irc->login.mechanisms, "%s", value);
    }
}

static void on_acknowledged(struct irc *irc, const char *name, const char *value)
{
    (void)value;
    if (*name == '-') {
        irc->caps &= ~flag_of(name + 1);
    } else {
        irc->caps |= flag_of(name);
    }
}

static void on_taken_away(struct irc *irc, const char *name, const char *value)
{
    (void)value;
    irc->caps &= ~flag_of(name);
    irc->login.offered &= ~flag_of(name);
}

static unsigned wanted(const struct irc *irc)
{
    unsigned all = irc->login.offered & ~irc->caps;
    return sasl_wanted(irc) && irc->phase == PHASE_REGISTERING ? all : all & ~(unsigned)CAP_SASL;
}

static void request(struct irc *irc)
{
    char list[400] = "";
    size_t len = 0;
    for (size_t i = 0; i < KNOWN; i++) {
        if (!(wanted(irc) & known[i].flag)) {
            continue;
        }
        if (irc->login.one_by_one) {
            irc->login.requests++;
            link_line(irc, "CAP REQ :%s", known[i].name);
        } else {
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? " " : "", known[i].name);
        }
    }
    if (len) {
        irc->login.requests++;
        link_line(irc, "CAP REQ :%s", list);
    }
}

/* No request is open: on to SASL or to the end. */
static void proceed(struct irc *irc)
{
    if (irc->login.requests > 0 || irc->phase != PHASE_REGISTERING || irc->login.ended) {
        return;
    }
    if (!sasl_wanted(irc)) {
        caps_end(irc);
    } else if (irc->caps & CAP_SASL) {
        sasl_start(irc);
    } else {
        link_end(irc, LINK_SLOW,
                 "%s offers no login with SASL, but one is configured. The bot does not go in without "
                 "its account: set sasl = \"none\" if that is meant",
                 irc_option(irc, "server"));
    }
}

static bool mechanism_offered(const struct irc *irc)
{
    const char *list = irc->login.mechanisms, *ours = sasl_mechanism(irc);
    size_t len = strlen(ours);
    while (*list) {
        size_t word = strcspn(list, ",");
        if (word == len && strncmp(list, ours, len) == 0) {
            return true;
        }
        list += word + (list[word] == ',');
    }
    return !*irc->login.mechanisms;
}

static void on_listed(struct irc *irc)
{
    irc->login.listed = true;
    if (sasl_wanted(irc) && (irc->login.offered & CAP_SASL) && !mechanism_offered(irc)) {
        link_end(irc, LINK_SLOW, "%s does not know the login %s, only %s: change sasl in the configuration",
                 irc_option(irc, "server"), sasl_mechanism(irc), irc->login.mechanisms);
        return;
    }
    request(irc);
    proceed(irc);
}

void login_on_cap(struct irc *irc, const struct gate_event *event)
{
    if (event->count < 3) {
        return;
    }
    const char *what = event->param[1], *list = event->param[event->count - 1];
    if (strcmp(what, "LS") == 0) {
        each_word(irc, list, on_offered);
        if (event->count == 3 && !irc->login.listed && irc->ending == LINK_STAYS) {
            on_listed(irc);
        }
    } else if (strcmp(what, "NEW") == 0) {
        each_word(irc, list, on_offered);
        if (irc->phase == PHASE_READY) {
            request(irc);
        }
    } else if (strcmp(what, "DEL") == 0) {
        each_word(irc, list, on_taken_away);
    } else if (strcmp(what, "ACK") == 0) {
        each_word(irc, list, on_acknowledged);
        irc->login.requests -= irc->login.requests > 0;
        proceed(irc);
    } else if (strcmp(what, "NAK") == 0 && irc->login.requests > 0) {
        irc->login.requests--;
        if (!irc->login.one_by_one) {
            irc->login.one_by_one = true;
            request(irc);
        }
        proceed(irc);
    }
    if (irc->phase == PHASE_READY) {
        record_network(irc);
        irc_limits(irc);
    }
}
