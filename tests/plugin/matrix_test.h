/* SPDX-License-Identifier: MIT */
/* What the tests of the matrix plugin share: a homeserver played line by line. */
#ifndef HASHROOM_MATRIX_TEST_H
#define HASHROOM_MATRIX_TEST_H

#include "fake_host.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM "!room:hs.test"
#define BOT "@bot:hs.test"
#define ASHA "@asha:hs.test"
#define BEN "@ben:hs.test"

struct world {
    struct fake *fake;
    uint64_t room;
    int syncs;
    bool keys_by_hand; /* the test answers what is asked about keys */
};

/* A server that shows nothing of the account and takes all its keys: encryption opens, the sync is asked for. */
static inline void take_keys(struct world *world)
{
    static const char *const asked[] = {"/v3/keys/query", "/v3/keys/upload", "/v3/keys/device_signing/upload",
                                        "/v3/keys/signatures/upload"};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]) && !world->keys_by_hand; i++) {
        struct hr_request *request = fake_request(world->fake, asked[i]);
        if (request != NULL) {
            fake_reply(world->fake, request, 200,
                       "{\"device_keys\":{},\"one_time_key_counts\":{\"signed_curve25519\":50}}");
            i = (size_t)-1;
        }
    }
}

/* A reply; once more where the plugin wants to know who speaks in it: the same events are there still. */
static inline void reply(struct world *world, struct hr_request *request, int code, const char *body)
{
    static const char without[] = "include_redundant_members%22%3Afalse", with[] = "include_redundant_members%22%3Atrue";
    bool nameless = fake_request(world->fake, without) == request;
    fake_reply(world->fake, request, code, body);
    struct hr_request *again = fake_request(world->fake, with);
    if (nameless && code == 200 && again != NULL && fake_request(world->fake, "full_state=true") != again) {
        fake_reply(world->fake, again, code, body);
    }
}

/* Replies to the oldest waiting request whose method and address hold `piece`. */
static inline void answer(struct world *world, const char *piece, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static inline void answer(struct world *world, const char *piece, int code, const char *fmt, ...)
{
    char *body = NULL;
    va_list ap;
    va_start(ap, fmt);
    assert_true(vasprintf(&body, fmt, ap) >= 0);
    va_end(ap);
    take_keys(world);
    struct hr_request *request = fake_request(world->fake, piece);
    if (request == NULL) {
        fail_msg("no request waits for %s", piece);
    }
    reply(world, request, code, body);
    take_keys(world);
    free(body);
}

/* One reply of the long poll: what stands inside "rooms". */
static inline void sync_rooms(struct world *world, const char *rooms)
{
    answer(world, "/v3/sync", 200, "{\"next_batch\":\"s%d\",\"rooms\":{%s}}", ++world->syncs, rooms);
}

/* One with timeline events of ROOM, joined by commas. */
static inline void sync_events(struct world *world, const char *events)
{
    answer(world, "/v3/sync", 200,
           "{\"next_batch\":\"s%d\",\"rooms\":{\"join\":{\"" ROOM "\":{\"timeline\":{\"events\":[%s],"
           "\"limited\":false,\"prev_batch\":\"p\"}}}}}",
           ++world->syncs, events);
}

static inline struct world *world_new(const char *address)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fake = fake_new(&hashroom_plugin);
    fake_instance(world->fake, "home");
    fake_option(world->fake, "homeserver", "http://127.0.0.1:8008");
    fake_option(world->fake, "user", BOT);
    fake_option(world->fake, "password_file", "secret words");
    world->room = fake_room(world->fake, "home", address, "Matrix", "dpulo", HR_ROOM_PEOPLE);
    return world;
}

static inline void world_free(struct world *world)
{
    fake_free(world->fake);
    free(world);
}

static inline void log_in(struct world *world)
{
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "POST http://127.0.0.1:8008/_matrix/client/v3/login", 200,
           "{\"user_id\":\"" BOT "\",\"access_token\":\"tok1\",\"device_id\":\"DEV\"}");
}

#define MEMBER(id, name) \
    "{\"type\":\"m.room.member\",\"sender\":\"" id "\",\"state_key\":\"" id "\",\"event_id\":\"$m" id "\"," \
    "\"content\":{\"membership\":\"join\",\"displayname\":\"" name "\"}}"

/* Logged in, in ROOM, with Asha (power 50) and Ben; nothing recorded yet. */
static inline struct world *world_enter(struct world *world)
{
    log_in(world);
    sync_rooms(world,
               "\"join\":{\"" ROOM "\":{\"state\":{\"events\":["
               "{\"type\":\"m.room.create\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$c\","
               "\"content\":{\"room_version\":\"11\"}},"
               "{\"type\":\"m.room.power_levels\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$p\","
               "\"content\":{\"users\":{\"" ASHA "\":50},\"users_default\":0}}," MEMBER(ASHA, "Asha") "," MEMBER(BEN, "Ben")
               "]},\"timeline\":{\"events\":[{\"type\":\"m.room.message\",\"sender\":\"" ASHA "\",\"event_id\":\"$old\","
               "\"content\":{\"msgtype\":\"m.text\",\"body\":\"said before\"}}],\"limited\":true,\"prev_batch\":\"p0\"}}}");
    return world;
}

static inline struct world *world_open(void)
{
    return world_enter(world_new(ROOM));
}

/* An event of ROOM; content as JSON. */
#define EVENT(id, who, content) \
    "{\"type\":\"m.room.message\",\"sender\":\"" who "\",\"event_id\":\"" id "\",\"origin_server_ts\":1669751999000," \
    "\"unsigned\":{\"age\":1000},\"content\":" content "}"
#define TEXT(id, who, text) EVENT(id, who, "{\"msgtype\":\"m.text\",\"body\":\"" text "\"}")

static inline const struct fake_record *last_post(struct world *world)
{
    const struct fake_record *record = fake_last(world->fake, FAKE_POST);
    assert_non_null(record);
    return record;
}

static inline bool is_up(struct world *world, const char *address)
{
    const struct fake_record *record;
    bool up = false;
    for (size_t i = 0; (record = fake_nth(world->fake, FAKE_UP, i)) != NULL; i++) {
        up = up || strcmp(record->address, address) == 0;
    }
    for (size_t i = 0; (record = fake_nth(world->fake, FAKE_DOWN, i)) != NULL; i++) {
        up = up && strcmp(record->address, address) != 0;
    }
    return up;
}

#define JOINED(id, state) "\"join\":{\"" id "\":{\"state\":{\"events\":[" state "]},\"timeline\":{\"events\":[" \
                          MEMBER(BOT, "bot") "]}}}"
#define ENCRYPTION \
    "{\"type\":\"m.room.encryption\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$e\",\"content\":{" \
    "\"algorithm\":\"m.megolm.v1.aes-sha2\"}}"
#define INVITE(id, from, more) \
    "\"invite\":{\"" id "\":{\"invite_state\":{\"events\":[{\"type\":\"m.room.member\",\"sender\":\"" from "\"," \
    "\"state_key\":\"" BOT "\",\"content\":{\"membership\":\"invite\",\"is_direct\":true}}" more "]}}}"
#define STRIPPED_ENCRYPTION \
    ",{\"type\":\"m.room.encryption\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"content\":{\"algorithm\":\"x\"}}"

#endif
