/* SPDX-License-Identifier: MIT */
/*
 * Any bytes from an IRC server, through the framer, the gate and libircclient, with
 * lines of our own in flight. The first byte chooses what the server offers and
 * whether the bot is in already, or back after a cut and reading the history. Whatever comes: the bot writes whole
 * lines of commands it knows, says nothing by itself, and takes no own words for somebody's.
 */
#include "../plugin/fake_host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

enum { IS_IN = 4, IN_PIECES = 8, READS_BACK = 16, LOGS_IN = 32 }; /* of the first byte; 3: what is offered */

#define HISTORY "message-tags batch echo-message server-time draft/chathistory"

static void line_in(struct fake *fake, const char *text)
{
    if (fake_stream(fake)) {
        fake_stream_data(fake, fake_stream(fake), text, strlen(text));
    }
}

static void log_in(struct fake *fake, uint8_t choice)
{
    static const char *const offers[] = {
        "",
        "message-tags batch echo-message labeled-response server-time account-tag",
        "multi-prefix extended-join account-notify",
        "message-tags batch echo-message",
    };
    char line[400];
    const char *offer =
        choice & READS_BACK ? choice & 1 ? HISTORY " labeled-response account-tag" : HISTORY : offers[choice & 3];
    (void)snprintf(line, sizeof line, ":s CAP * LS :%s\r\n:s CAP * ACK :%s\r\n", offer, offer);
    line_in(fake, line);
    line_in(fake, ":s 001 hashroom :Welcome\r\n:s 005 hashroom WHOX BOT=B :x\r\n:s 376 hashroom :End\r\n");
    line_in(fake,
            "@time=2022-11-29T20:00:00.000Z :hashroom!h@host JOIN #dpulo\r\n:s 353 hashroom = #dpulo :@asha ben\r\n");
}

static void say(struct fake *fake, uint32_t flags)
{
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = "#dpulo", .service = "IRC", .chat = "dpulo"};
    static const char *const body[] = {"PRIVMSG #dpulo :one", "PRIVMSG #dpulo :two"};
    for (size_t i = 0; i < 2; i++) {
        struct hr_part part = {.size = sizeof part,
                               .id = i + 1,
                               .txn = i ? "store.2" : "store.1",
                               .room = &room,
                               .act = HR_ACT_SAY,
                               .body = body[i],
                               .body_len = strlen(body[i]),
                               .attempt = 1,
                               .flags = flags,
                               .priority = i ? HR_QUESTION : HR_PEOPLE};
        (void)fake_send_part(fake, &part);
    }
}

static void be_cut_off(struct fake *fake)
{
    line_in(fake, "@msgid=p0;time=2022-11-29T20:00:01.000Z :ben!b@h PRIVMSG #dpulo :seen\r\n");
    fake_stream_closed(fake, fake_stream(fake), HR_ERETRY, "cut");
    fake_pass(fake, 10000);
    fake_stream_opened(fake, fake_stream(fake), "plain");
}

static void check_written(const struct fake *fake, bool renamed)
{
    static const char *const known[] = {"PONG ",
                                        "PING :",
                                        "CAP ",
                                        "NICK ",
                                        "USER ",
                                        "JOIN ",
                                        "PART ",
                                        "WHO ",
                                        "WHOIS ",
                                        "MODE ",
                                        "AUTHENTICATE ",
                                        "QUIT ",
                                        "CHATHISTORY ",
                                        "PRIVMSG #dpulo :one",
                                        "PRIVMSG #dpulo :two",
                                        "@label="};
    const struct fake_record *record;
    for (size_t i = 0; (record = fake_nth(fake, FAKE_STREAM_WRITE, i)) != NULL; i++) {
        bool begins = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            begins = begins || strncmp(record->text, known[k], strlen(known[k])) == 0;
        }
        must(begins, "a line of a command the bot does not use");
        must(record->len >= 3 && strlen(record->text) == record->len, "a NUL in a line");
        must(strcspn(record->text, "\r\n") == record->len - 2 && strcmp(record->text + record->len - 2, "\r\n") == 0,
             "more than one line, or half of one");
    }
    for (size_t i = 0; (record = fake_nth(fake, FAKE_POST, i)) != NULL; i++) {
        must(strcmp(record->name, "hashroom") != 0 || renamed, "own words were posted");
    }
    must(fake_count(fake, FAKE_SENT) <= 2, "a line was answered twice");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake *fake = fake_new(&hashroom_plugin);
    uint8_t choice = size ? data[0] : 0;
    fake_instance(fake, "net");
    fake_option(fake, "server", "localhost");
    fake_option(fake, "tls", "no");
    if (choice & LOGS_IN && !(choice & IS_IN)) {
        fake_option(fake, "sasl", "scram");
        fake_option(fake, "sasl_account", "bot");
        fake_option(fake, "sasl_password_file", "secret");
    }
    (void)fake_room(fake, "net", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE);
    (void)fake_sql(fake, "CREATE TABLE core_pub_part(id, network, address, state, remote_id)");
    must(fake_start(fake) == HR_OK, "start");
    fake_stream_opened(fake, fake_stream(fake), "plain");
    if (choice & IS_IN) {
        log_in(fake, choice);
        say(fake, 0);
    }
    if ((choice & IS_IN) && (choice & READS_BACK)) {
        be_cut_off(fake);
        log_in(fake, choice);
    }
    size_t step = choice & IN_PIECES ? 7 : 4096;
    for (size_t at = 1; at < size && fake_stream(fake); at += step) {
        fake_stream_data(fake, fake_stream(fake), (const char *)data + at, size - at < step ? size - at : step);
    }
    if ((choice & IS_IN) && (choice & READS_BACK)) {
        say(fake, HR_PART_DOUBT);
    }
    fake_pass(fake, 20000);
    /* The server may have said at its greeting or later that we are called otherwise. */
    check_written(fake, memmem(data, size, "001", 3) != NULL || fake_with(fake, FAKE_LOG, "is now called"));
    (void)fake_report(fake);
    fake_free(fake);
    return 0;
}
