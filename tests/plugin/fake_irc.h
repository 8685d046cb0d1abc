/* SPDX-License-Identifier: MIT */
/* A scripted IRC server on top of the fake host: lines in, what the bot wrote out. */
#ifndef HASHROOM_FAKE_IRC_H
#define HASHROOM_FAKE_IRC_H

#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Network "net" with room #dpulo, plain on loopback; not started. */
static inline struct fake *irc_new(void)
{
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_instance(fake, "net");
    fake_option(fake, "server", "localhost");
    fake_option(fake, "tls", "no");
    (void)fake_room(fake, "net", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE);
    /* what the host publishes of its parts */
    (void)fake_sql(fake, "CREATE TABLE core_pub_part(id INTEGER PRIMARY KEY, network TEXT, address TEXT, state TEXT,"
                         " remote_id TEXT)");
    return fake;
}

static inline int irc_teardown(void **state)
{
    fake_free(*state);
    *state = NULL;
    return 0;
}

/* Started and connected: the bot has said CAP LS, NICK, USER. */
static inline void irc_start(struct fake *fake)
{
    assert_int_equal(fake_start(fake), HR_OK);
    assert_non_null(fake_stream(fake));
    fake_stream_opened(fake, fake_stream(fake), "plain");
}

static inline void irc_line(struct fake *fake, const char *line)
{
    char bytes[2048];
    int len = snprintf(bytes, sizeof bytes, "%s\r\n", line);
    assert_true(len > 0 && (size_t)len < sizeof bytes);
    assert_non_null(fake_stream(fake));
    fake_stream_data(fake, fake_stream(fake), bytes, (size_t)len);
}

static inline bool irc_sent(struct fake *fake, const char *text)
{
    return fake_with(fake, FAKE_STREAM_WRITE, text) != NULL;
}

static inline void irc_expect(struct fake *fake, const char *text)
{
    if (!irc_sent(fake, text)) {
        const struct fake_record *last = fake_last(fake, FAKE_STREAM_WRITE);
        fail_msg("the bot did not write \"%s\"; the last was \"%s\"", text, last ? last->text : "");
    }
}

static inline void irc_welcome(struct fake *fake)
{
    irc_line(fake, ":s 001 hashroom :Welcome");
    irc_line(fake, ":s 376 hashroom :End of MOTD");
}

/* Logged in with these capabilities, and in #dpulo with asha (an operator) and ben. */
static inline void irc_ready(struct fake *fake, const char *caps)
{
    char line[500];
    irc_start(fake);
    (void)snprintf(line, sizeof line, ":s CAP * LS :%s", caps);
    irc_line(fake, line);
    if (*caps) {
        (void)snprintf(line, sizeof line, ":s CAP * ACK :%s", caps);
        irc_line(fake, line);
    }
    irc_welcome(fake);
    irc_line(fake, ":hashroom!h@host JOIN #dpulo");
    irc_line(fake, ":s 353 hashroom = #dpulo :hashroom @asha ben");
    irc_line(fake, ":s 366 hashroom #dpulo :End of NAMES");
}
#endif
