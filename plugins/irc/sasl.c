/* SPDX-License-Identifier: MIT */
/* SASL PLAIN, EXTERNAL and SCRAM-SHA-256. */
#include "link.h"
#include "login.h"
#include <string.h>
#include <strings.h>

enum { CHUNK = 400, MESSAGE_BYTES = SCRAM_TEXT };

const char *sasl_mechanism(const struct irc *irc)
{
    const char *name = irc_option(irc, "sasl");
    return strcasecmp(name, "plain") == 0      ? "PLAIN"
           : strcasecmp(name, "scram") == 0    ? "SCRAM-SHA-256"
           : strcasecmp(name, "external") == 0 ? "EXTERNAL"
                                               : "";
}

bool sasl_wanted(const struct irc *irc)
{
    return *sasl_mechanism(irc) != '\0';
}

void sasl_start(struct irc *irc)
{
    link_line(irc, "AUTHENTICATE %s", sasl_mechanism(irc));
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
    bool done = scram_base64(message, 2 * (name + 1) + secret, out, size) > 0;
    explicit_bzero(message, sizeof message);
    return done;
}

/* In lines of 400 bytes; one that is full says that more follows. */
static void send_base64(struct irc *irc, const char *text)
{
    size_t len = strlen(text), at = 0;
    do {
        size_t piece = len - at < CHUNK ? len - at : CHUNK;
        link_line(irc, "AUTHENTICATE %.*s", (int)piece, text + at);
        at += piece;
    } while (at < len);
    if (len % CHUNK == 0) {
        link_line(irc, "AUTHENTICATE +");
    }
}

static void send_plain(struct irc *irc)
{
    char text[MESSAGE_BYTES * 4 / 3 + 8];
    if (!sasl_plain(irc_option(irc, "sasl_account"), irc_option(irc, "sasl_password_file"), text, sizeof text)) {
        link_end(irc, LINK_SLOW, "the account's name or password is too long for SASL PLAIN");
        return;
    }
    send_base64(irc, text);
    explicit_bzero(text, sizeof text);
}

static void send_message(struct irc *irc, const char *message)
{
    char text[2 * MESSAGE_BYTES];
    if (scram_base64((const unsigned char *)message, strlen(message), text, sizeof text)) {
        send_base64(irc, text);
    }
}

/* ---- SCRAM ------------------------------------------------------------------------- */

static void start_scram(struct irc *irc)
{
    unsigned char random[24];
    char nonce[40], message[MESSAGE_BYTES];
    if (irc->api->random(irc->bot, random, sizeof random) < 0 ||
        !scram_base64(random, sizeof random, nonce, sizeof nonce) ||
        !scram_first(&irc->login.scram, irc_option(irc, "sasl_account"), nonce, message, sizeof message)) {
        link_end(irc, LINK_SLOW, "the account's name is too long for SASL SCRAM-SHA-256");
        return;
    }
    send_message(irc, message);
}

static void answer_scram(struct irc *irc, const char *server)
{
    char message[2 * MESSAGE_BYTES], err[120] = "the account's name or password is too long";
    if (irc->login.scram.step == 2) {
        (void)scram_verify(&irc->login.scram, server); /* what became of it is said at 903 */
        link_line(irc, "AUTHENTICATE +");
    } else if (scram_final(&irc->login.scram, irc_option(irc, "sasl_password_file"), server, message, sizeof message,
                           err, sizeof err)) {
        send_message(irc, message);
    } else {
        link_end(irc, LINK_SLOW, "%s cannot be logged in to with sasl = \"scram\": %s", irc_option(irc, "server"), err);
    }
}

static void on_scram(struct irc *irc, const char *piece)
{
    struct login *login = &irc->login;
    unsigned char server[MESSAGE_BYTES];
    size_t len = strlen(login->sasl_in);
    bool more = strlen(piece) == CHUNK;
    if (login->scram.step == 0 && strcmp(piece, "+") == 0) {
        start_scram(irc);
        return;
    }
    piece = strcmp(piece, "+") == 0 ? "" : piece;
    if (login->scram.step == 0 || login->scram.step > 2 || len + strlen(piece) >= sizeof login->sasl_in) {
        return;
    }
    (void)snprintf(login->sasl_in + len, sizeof login->sasl_in - len, "%s", piece);
    if (more) {
        return;
    }
    int got = scram_unbase64(login->sasl_in, server, sizeof server);
    login->sasl_in[0] = '\0';
    answer_scram(irc, got < 0 ? "" : (const char *)server);
}

void login_on_authenticate(struct irc *irc, const struct gate_event *event)
{
    if (irc->phase != PHASE_REGISTERING || irc->login.sasl_ok || event->count < 1 || !(irc->caps & CAP_SASL)) {
        return;
    }
    if (strcmp(sasl_mechanism(irc), "SCRAM-SHA-256") == 0) {
        on_scram(irc, event->param[0]);
        return;
    }
    if (irc->login.sasl_answered || strcmp(event->param[0], "+") != 0) {
        return;
    }
    irc->login.sasl_answered = true;
    if (strcmp(sasl_mechanism(irc), "PLAIN") == 0) {
        send_plain(irc);
    } else if (sasl_wanted(irc)) {
        link_line(irc, "AUTHENTICATE +");
    }
}

static void on_logged_in(struct irc *irc)
{
    if (strcmp(sasl_mechanism(irc), "SCRAM-SHA-256") == 0 && !irc->login.scram.verified) {
        link_end(irc, LINK_SLOW,
                 "%s did not prove that it knows the account's password. It may not be the server it says it is",
                 irc_option(irc, "server"));
        return;
    }
    irc->login.sasl_ok = true;
    caps_end(irc);
}

bool sasl_on_numeric(struct irc *irc, int numeric, const struct gate_event *event)
{
    switch (numeric) {
    case 903: on_logged_in(irc); return true;
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
