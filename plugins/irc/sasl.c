/* SPDX-License-Identifier: MIT */
/* SASL PLAIN and EXTERNAL. */
#include "link.h"
#include "login.h"
#include <string.h>
#include <strings.h>

enum { CHUNK = 400, MESSAGE_BYTES = 1024 };

const char *sasl_mechanism(const struct irc *irc)
{
    const char *name = irc_option(irc, "sasl");
    return strcasecmp(name, "plain") == 0 ? "PLAIN" : strcasecmp(name, "external") == 0 ? "EXTERNAL" : "";
}

bool sasl_wanted(const struct irc *irc)
{
    return *sasl_mechanism(irc) != '\0';
}

void sasl_start(struct irc *irc)
{
    link_line(irc, "AUTHENTICATE %s", sasl_mechanism(irc));
}

static bool base64(const unsigned char *bytes, size_t len, char *out, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    if ((len + 2) / 3 * 4 + 1 > size) {
        return false;
    }
    for (size_t i = 0; i < len; i += 3) {
        unsigned a = bytes[i], b = i + 1 < len ? bytes[i + 1] : 0, c = i + 2 < len ? bytes[i + 2] : 0;
        out[at++] = digit[a >> 2];
        out[at++] = digit[(a & 3) << 4 | b >> 4];
        out[at++] = i + 1 < len ? digit[(b & 15) << 2 | c >> 6] : '=';
        out[at++] = i + 2 < len ? digit[c & 63] : '=';
    }
    out[at] = '\0';
    return true;
}

bool sasl_plain(const char *account, const char *password, char *out, size_t size)
{
    unsigned char message[MESSAGE_BYTES];
    size_t name = strlen(account), secret = strlen(password);
    if (name + 1 + name + 1 + secret > sizeof message) {
        return false;
    }
    memcpy(message, account, name + 1);
    memcpy(message + name + 1, account, name + 1);
    memcpy(message + 2 * (name + 1), password, secret);
    bool done = base64(message, 2 * (name + 1) + secret, out, size);
    explicit_bzero(message, sizeof message);
    return done;
}

static void send_plain(struct irc *irc)
{
    char text[MESSAGE_BYTES * 4 / 3 + 8];
    if (!sasl_plain(irc_option(irc, "sasl_account"), irc_option(irc, "sasl_password_file"), text, sizeof text)) {
        link_end(irc, LINK_SLOW, "the account's name or password is too long for SASL PLAIN");
        return;
    }
    size_t len = strlen(text), at = 0;
    do {
        size_t piece = len - at < CHUNK ? len - at : CHUNK;
        link_line(irc, "AUTHENTICATE %.*s", (int)piece, text + at);
        at += piece;
    } while (at < len);
    if (len % CHUNK == 0) {
        link_line(irc, "AUTHENTICATE +");
    }
    explicit_bzero(text, sizeof text);
}

void login_on_authenticate(struct irc *irc, const struct gate_event *event)
{
    if (irc->phase != PHASE_REGISTERING || irc->login.sasl_ok || irc->login.sasl_answered || event->count < 1 ||
        strcmp(event->param[0], "+") != 0) {
        return;
    }
    irc->login.sasl_answered = true;
    if (strcmp(sasl_mechanism(irc), "PLAIN") == 0) {
        send_plain(irc);
    } else if (sasl_wanted(irc)) {
        link_line(irc, "AUTHENTICATE +");
    }
}

bool sasl_on_numeric(struct irc *irc, int numeric, const struct gate_event *event)
{
    switch (numeric) {
    case 903:
        irc->login.sasl_ok = true;
        caps_end(irc);
        return true;
    case 907: /* already logged in */
    case 902:
    case 904:
    case 905:
    case 906:
        if (irc->phase == PHASE_REGISTERING && sasl_wanted(irc) && !irc->login.sasl_ok) {
            link_end(irc, LINK_SLOW,
                     "%s refused the account: check sasl_account and its password or certificate "
                     "(the server says: %s)",
                     irc_option(irc, "server"), event->count ? event->param[event->count - 1] : "nothing");
        }
        return true;
    case 900: /* me mask account :You are logged in */
        (void)snprintf(irc->account, sizeof irc->account, "%s", event->count > 2 ? event->param[2] : "");
        return true;
    case 901: irc->account[0] = '\0'; return true;
    case 908: return true;
    default: return false;
    }
}
