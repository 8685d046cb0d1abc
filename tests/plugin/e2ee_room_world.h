/* SPDX-License-Identifier: MIT */
/* What tests of encrypted rooms share: ROOM encrypted, Asha and Ben in it with a device each. */
#ifndef HASHROOM_E2EE_ROOM_WORLD_H
#define HASHROOM_E2EE_ROOM_WORLD_H

#include "e2ee_world.h"

#include "../../plugins/matrix/e2ee/group_in.h"
#include "../../plugins/matrix/e2ee/room_key.h"

#define HELLO "{\"type\":\"m.room.message\",\"content\":{\"msgtype\":\"m.text\",\"body\":\"hello\"}}"
#define ENCRYPTED_PUT "PUT http://127.0.0.1:8008/_matrix/client/v3/rooms/%21room%3Ahs.test/send/m.room.encrypted/"
#define STATE(type, content) \
    "{\"type\":\"" type "\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$" type "\",\"content\":" content "}"
#define MEMBERSHIP(id, membership) \
    "{\"type\":\"m.room.member\",\"sender\":\"" id "\",\"state_key\":\"" id "\",\"event_id\":\"$m" membership id "\"," \
    "\"content\":{\"membership\":\"" membership "\"}}"
#define MEMBERS(list) "{\"chunk\":[" list "]}"

struct crypt { /* one world of these tests */
    struct world *world;
    struct someone asha, ben;
    const char *members;     /* what /members says */
    bool ben_has_no_device;
    int queries, claims, keys, refusals; /* requests answered by carry(): keys and refusals between devices */
    char *key_text;          /* the last request that carried a key */
};

static inline struct crypt crypt_new(bool agreed)
{
    struct crypt crypt = {.world = world_keys(),
                          .asha = someone_new(ASHA, "A1"),
                          .ben = someone_new(BEN, "B1"),
                          .members = MEMBERS(MEMBER(ASHA, "Asha") "," MEMBER(BEN, "Ben") "," MEMBER(BOT, "bot"))};
    sync_events(crypt.world, ENCRYPTION);
    if (agreed) {
        assert_int_equal(fake_command(crypt.world->fake, crypt.world->room, "!bridge encrypted yes"), HR_OK);
    }
    fake_forget(crypt.world->fake);
    return crypt;
}

static inline void crypt_free(struct crypt *crypt)
{
    world_free(crypt->world);
    someone_free(&crypt->asha);
    someone_free(&crypt->ben);
    free(crypt->key_text);
}

static inline json_t *one_time_keys(struct someone *const *devices, size_t count)
{
    json_t *users = json_object();
    for (size_t i = 0; i < count; i++) {
        (void)ratchet_account_generate(devices[i]->account, 1);
        json_t *upload = device_keys_upload(devices[i]->account, devices[i]->user, devices[i]->device);
        ratchet_account_mark_published(devices[i]->account);
        (void)json_object_set_new(users, devices[i]->user,
                                  json_pack("{s:O}", devices[i]->device, json_object_get(upload, "one_time_keys")));
        json_decref(upload);
    }
    return json_pack("{s:o, s:{}}", "one_time_keys", users, "failures");
}

static inline json_t *everybodys_devices(struct crypt *crypt)
{
    json_t *reply = shown(&crypt->asha), *other = shown(&crypt->ben);
    const char *kind;
    json_t *of_users;
    if (crypt->ben_has_no_device) {
        (void)json_object_set_new(json_object_get(other, "device_keys"), BEN, json_object());
    }
    json_object_foreach(other, kind, of_users)
    {
        (void)json_object_update(json_object_get(reply, kind), of_users);
    }
    (void)json_object_set_new(json_object_get(reply, "device_keys"), BOT, json_object());
    json_decref(other);
    return reply;
}

/* The server answers all that is asked about members, devices and keys, until nothing more is. */
static inline void carry(struct crypt *crypt)
{
    struct fake *fake = crypt->world->fake;
    struct someone *both[] = {&crypt->asha, &crypt->ben};
    for (bool more = true; more;) {
        fake_pass(fake, 0);
        (void)fake_work(fake);
        more = true;
        if (fake_request(fake, "/members?") != NULL) {
            answer(crypt->world, "/members?", 200, "%s", crypt->members);
        } else if (fake_request(fake, "/v3/keys/query") != NULL) {
            crypt->queries++;
            answer_json(crypt->world, "/v3/keys/query", everybodys_devices(crypt));
        } else if (fake_request(fake, "/v3/keys/claim") != NULL) {
            crypt->claims++;
            answer_json(crypt->world, "/v3/keys/claim", one_time_keys(both, 2));
        } else if (fake_request(fake, "/sendToDevice/m.room.encrypted/") != NULL) {
            crypt->keys++;
            answer(crypt->world, "/sendToDevice/m.room.encrypted/", 200, "{}");
        } else if (fake_request(fake, "/sendToDevice/") != NULL) {
            crypt->refusals++;
            answer(crypt->world, "/sendToDevice/", 200, "{}");
        } else {
            more = false;
        }
    }
}

/* The content that the last encrypted event to the room went out with. */
static inline json_t *last_cipher(struct crypt *crypt)
{
    const struct fake_record *record, *found = NULL;
    for (size_t i = 0; (record = fake_nth(crypt->world->fake, FAKE_HTTP, i)) != NULL; i++) {
        found = strstr(record->url, "/send/m.room.encrypted/") != NULL ? record : found;
    }
    assert_non_null(found);
    json_t *content = json_loads(found->text, 0, NULL);
    assert_non_null(content);
    return content;
}

/* Says HELLO as part `id`, which the server takes; the session it went out in: free() it. */
static inline char *say_hello(struct crypt *crypt, uint64_t id)
{
    assert_int_equal(fake_send(crypt->world->fake, id, crypt->world->room, HELLO), HR_OK);
    carry(crypt);
    json_t *content = last_cipher(crypt);
    char *session = strdup(json_string_value(json_object_get(content, "session_id")));
    answer(crypt->world, ENCRYPTED_PUT, 200, "{\"event_id\":\"$p%d\"}", (int)id);
    assert_int_equal(fake_last(crypt->world->fake, FAKE_SENT)->status, HR_OK);
    json_decref(content);
    return session;
}

/* ---- what others say ---------------------------------------------------------------- */

static inline struct group_key key_of(const struct someone *someone, struct ratchet_outbound *session, const char *key)
{
    return (struct group_key){.room_id = ROOM,
                              .session = ratchet_outbound_id(session),
                              .key = key,
                              .origin = GROUP_DIRECT,
                              .sender = someone->user,
                              .sender_curve = curve_of(someone),
                              .sender_ed = ed_of(someone)};
}

/* As an m.room_key out of an Olm message of that device. */
static inline void give_key(struct crypt *crypt, const struct someone *from, struct ratchet_outbound *session,
                            const char *room_id)
{
    char key[RATCHET_SESSION_KEY];
    struct peer peer = {.trust = TRUST_SIGNED};
    ratchet_outbound_key(session, key);
    (void)snprintf(peer.user, sizeof(peer.user), "%s", from->user);
    (void)snprintf(peer.device, sizeof(peer.device), "%s", from->device);
    (void)snprintf(peer.curve, sizeof(peer.curve), "%s", curve_of(from));
    (void)snprintf(peer.ed, sizeof(peer.ed), "%s", ed_of(from));
    json_t *content = json_pack("{s:s, s:s, s:s, s:s}", "algorithm", DEVICE_KEYS_MEGOLM, "room_id", room_id,
                                "session_id", ratchet_outbound_id(session), "session_key", key);
    room_key_take(mx_of(crypt->world), &(struct to_device_secret){&peer, "m.room_key", content});
    json_decref(content);
}

/* The ciphertext of a message: free() it. */
static inline char *cipher_of(struct ratchet_outbound *session, const char *room_id, const char *text)
{
    json_t *plain = json_pack("{s:s, s:{s:s, s:s}, s:s}", "type", "m.room.message", "content", "msgtype", "m.text", "body",
                              text, "room_id", room_id);
    char *json = json_dumps(plain, JSON_COMPACT), *cipher = NULL;
    size_t len = 0;
    assert_int_equal(ratchet_outbound_encrypt(session, json, strlen(json), &cipher, &len), HR_OK);
    json_decref(plain);
    free(json);
    return cipher;
}

/* It arrives in ROOM as an event of that person. */
static inline void hear(struct crypt *crypt, const char *id, const char *sender, struct ratchet_outbound *session,
                        const char *cipher)
{
    char *event = NULL;
    assert_true(asprintf(&event,
                         "{\"type\":\"m.room.encrypted\",\"sender\":\"%s\",\"event_id\":\"%s\",\"origin_server_ts\":%lld,"
                         "\"unsigned\":{\"age\":1000},\"content\":{\"algorithm\":\"" DEVICE_KEYS_MEGOLM
                         "\",\"session_id\":\"%s\",\"ciphertext\":\"%s\"}}",
                         sender, id, (long long)(fake_now_ms(crypt->world->fake) - 1000), ratchet_outbound_id(session),
                         cipher) > 0);
    sync_events(crypt->world, event);
    free(event);
}

#endif
