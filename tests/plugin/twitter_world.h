/* SPDX-License-Identifier: MIT */
/* The world of the tests of the account at X: one chat, one room there, one question that is to be posted. */
#ifndef TWITTER_WORLD_H
#define TWITTER_WORLD_H
#include "fake_host.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define RENEW "POST http://127.0.0.1:1/2/oauth2/token"
#define CREATE "POST http://127.0.0.1:1/2/tweets"
#define ME "GET http://127.0.0.1:1/2/users/me"
#define WHO "{\"data\":{\"id\":\"77\"}}"
#define TIMELINE "GET http://127.0.0.1:1/2/users/77/tweets?"
#define BODY "{\"text\":\"Question 1. Why? #dpulo\"}"

static inline struct fake *begin(bool oauth2)
{
    static const char *const oauth1[] = {"consumer_key_file", "consumer_secret_file", "access_token_file",
                                         "access_secret_file"};
    struct fake *fake = fake_new(&hashroom_plugin);
    fake_instance(fake, "x");
    fake_option(fake, "api_url", "http://127.0.0.1:1");
    fake_option(fake, "bearer_file", "bearer-of-the-app");
    for (size_t i = 0; !oauth2 && i < 4; i++) {
        fake_option(fake, oauth1[i], "some-secret");
    }
    if (oauth2) {
        fake_option(fake, "client_id", "id:1");
        fake_option(fake, "client_secret_file", "client secret");
        fake_option(fake, "refresh_token_file", "refresh-0\n");
    }
    fake_chat(fake, "dpulo", "#DPULO");
    (void)fake_room(fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL);
    assert_int_equal(fake_start(fake), HR_OK);
    return fake;
}

static inline int send_with(struct fake *fake, int attempt, int64_t first_ms, uint32_t flags)
{
    struct hr_part part = {.size = sizeof(part),
                           .id = 1,
                           .txn = "s.1",
                           .room = fake_api(fake)->room(fake_bot(fake), 1),
                           .act = HR_ACT_SAY,
                           .body = BODY,
                           .body_len = strlen(BODY),
                           .attempt = attempt,
                           .flags = flags,
                           .first_ms = first_ms};
    return fake_send_part(fake, &part);
}

static inline int send_again(struct fake *fake, int attempt, int64_t first_ms)
{
    return send_with(fake, attempt, first_ms, 0);
}

static inline int post(struct fake *fake)
{
    return send_again(fake, 1, fake_now_ms(fake));
}

static inline void lose(struct fake *fake, const char *request, bool sent)
{
    fake_reply_full(fake, fake_request(fake, request),
                    &(struct hr_reply){
                        .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "cut", .sent = sent});
}

/* Nobody answers `request` for `ms`, or until the part is settled. */
static inline void away(struct fake *fake, const char *request, int64_t ms)
{
    size_t settled = fake_count(fake, FAKE_SENT);
    for (int64_t passed = 0; passed < ms && fake_count(fake, FAKE_SENT) == settled; passed += SECOND) {
        if (fake_request(fake, request) != NULL) {
            lose(fake, request, true);
        }
        fake_pass(fake, SECOND);
    }
}

static inline size_t logged(struct fake *fake, const char *piece)
{
    size_t n = 0;
    for (size_t i = 0; i < fake_count(fake, FAKE_LOG); i++) {
        n += strstr(fake_nth(fake, FAKE_LOG, i)->text, piece) != NULL;
    }
    return n;
}
#endif
