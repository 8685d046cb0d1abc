/* SPDX-License-Identifier: MIT */
/* What tests of encryption in the flow share: an account whose keys are on the server, people with devices. */
#ifndef HASHROOM_E2EE_WORLD_H
#define HASHROOM_E2EE_WORLD_H

#include "matrix_test.h"

#include "../../plugins/matrix/e2ee/e2ee_account.h"
#include "../../plugins/matrix/e2ee/own_keys.h"
#include "../../plugins/matrix/e2ee/people.h"

struct someone { /* one device of somebody, and that person's identity */
    const char *user, *device;
    struct ratchet_account *account;
    struct cross_signing_keys identity;
};

static inline struct someone someone_new(const char *user, const char *device)
{
    struct someone someone = {user, device, ratchet_account_new(), {{0}, {0}, {0}}};
    cross_signing_keys_new(&someone.identity);
    return someone;
}

static inline void someone_free(struct someone *someone)
{
    ratchet_account_free(someone->account);
    someone->account = NULL;
}

static inline const char *ed_of(const struct someone *someone)
{
    return ratchet_account_identity(someone->account)->ed25519;
}

static inline const char *curve_of(const struct someone *someone)
{
    return ratchet_account_identity(someone->account)->curve25519;
}

static inline json_t *device_of(const struct someone *someone, bool is_signed)
{
    json_t *device = device_keys_make(someone->account, someone->user, someone->device);
    if (is_signed) {
        assert_int_equal(cross_signing_keys_sign_device(&someone->identity, someone->user, device), HR_OK);
    }
    return device;
}

/* A reply to keys/query that shows these devices of one user, and the identity of the first. */
static inline json_t *shown_by(struct someone *const *devices, size_t count, bool is_signed)
{
    const char *user = devices[0]->user;
    json_t *list = json_object();
    for (size_t i = 0; i < count; i++) {
        (void)json_object_set_new(list, devices[i]->device, device_of(devices[i], is_signed));
    }
    json_t *keys = cross_signing_keys_upload(&devices[0]->identity, user, devices[0]->device, devices[0]->account);
    json_t *reply = json_pack("{s:{s:o}, s:{s:O}, s:{s:O}}", "device_keys", user, list, "master_keys", user,
                              json_object_get(keys, "master_key"), "self_signing_keys", user,
                              json_object_get(keys, "self_signing_key"));
    json_decref(keys);
    assert_non_null(reply);
    return reply;
}

static inline json_t *shown(struct someone *someone)
{
    return shown_by(&someone, 1, true);
}

/* Answers the oldest waiting request; takes `reply`. */
static inline void answer_json(struct world *world, const char *piece, json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT);
    struct hr_request *request = fake_request(world->fake, piece);
    if (request == NULL) {
        fail_msg("no request waits for %s", piece);
    }
    fake_reply(world->fake, request, 200, text);
    (void)fake_work(world->fake);
    free(text);
    json_decref(reply);
}

static inline void sync_keys(struct world *world, const char *members)
{
    answer(world, "/v3/sync", 200, "{\"next_batch\":\"s%d\",\"device_one_time_keys_count\":{\"signed_curve25519\":50},"
                                   "\"device_unused_fallback_key_types\":[\"signed_curve25519\"]%s%s}",
           ++world->syncs, members[0] != '\0' ? "," : "", members);
}

/* The account is open, its own list of devices is known; what is asked about keys from here on waits for the test. */
static inline struct world *world_keys(void)
{
    struct world *world = world_open();
    world->keys_by_hand = true;
    fake_pass(world->fake, 0);
    answer_json(world, "/v3/keys/query", json_pack("{s:{s:{}}}", "device_keys", BOT));
    sync_keys(world, ""); /* the one before it said nothing of one-time keys */
    fake_forget(world->fake);
    return world;
}

static inline struct matrix *mx_of(struct world *world)
{
    return fake_state(world->fake);
}

/* Tracks somebody and learns the device. */
static inline void meet(struct world *world, struct someone *someone)
{
    assert_int_equal(people_track(mx_of(world), someone->user), HR_OK);
    fake_pass(world->fake, 0);
    answer_json(world, "/v3/keys/query", shown(someone));
}

#define CHANGED(user) "\"device_lists\":{\"changed\":[\"" user "\"]}"

#endif
