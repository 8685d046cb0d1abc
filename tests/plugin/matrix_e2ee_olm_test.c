/* SPDX-License-Identifier: MIT */
/* Olm messages of single devices: what is read, what is refused, new sessions, sending to many. */
#include "e2ee_world.h"

#include "../../plugins/matrix/e2ee/olm_session.h"
#include "../../plugins/matrix/e2ee/to_device.h"

struct forged { /* what a message says wrongly; NULL: as it should be */
    const char *sender, *recipient, *recipient_ed, *ed, *type;
    const struct someone *device_keys;
    bool no_device_keys, no_content;
};

/* What `from` says to us inside of Olm. */
static char *payload_of(struct world *world, const struct someone *from, const struct forged *forged)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx_of(world)->e2ee->account);
    const struct someone *shown_as = forged->device_keys != NULL ? forged->device_keys : from;
    json_t *payload = json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s}}", "type", forged->type ? forged->type : "m.dummy",
                                "sender", forged->sender ? forged->sender : from->user, "recipient",
                                forged->recipient ? forged->recipient : BOT, "recipient_keys", "ed25519",
                                forged->recipient_ed ? forged->recipient_ed : ours->ed25519, "keys", "ed25519",
                                forged->ed ? forged->ed : ed_of(from));
    if (!forged->no_device_keys) {
        (void)json_object_set_new(payload, "sender_device_keys",
                                  device_keys_make(shown_as->account, shown_as->user, shown_as->device));
    }
    if (!forged->no_content) {
        (void)json_object_set_new(payload, "content", json_object());
    }
    char *text = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    return text;
}

static json_t *sealed(struct world *world, const struct someone *from, struct ratchet_session *session,
                      const char *text)
{
    const struct ratchet_identity *ours = ratchet_account_identity(mx_of(world)->e2ee->account);
    int type = 0;
    char *body = NULL;
    size_t len = 0;
    assert_int_equal(ratchet_session_encrypt(session, text, strlen(text), &type, &body, &len), HR_OK);
    json_t *content = json_pack("{s:s, s:s, s:{s:{s:i, s:s}}}", "algorithm", DEVICE_KEYS_OLM, "sender_key",
                                curve_of(from), "ciphertext", ours->curve25519, "type", type, "body", body);
    free(body);
    return content;
}

/* A session with one of our one-time keys, which a request of the test took from the account. */
static struct ratchet_session *session_of(struct world *world, const struct someone *from)
{
    struct matrix *mx = mx_of(world);
    struct ratchet_key keys[RATCHET_ONE_TIME_KEYS];
    struct ratchet_session *session = NULL;
    assert_int_equal(ratchet_account_generate(mx->e2ee->account, 1), HR_OK);
    assert_true(ratchet_account_unpublished(mx->e2ee->account, keys) > 0);
    assert_int_equal(ratchet_session_outbound(from->account, ratchet_account_identity(mx->e2ee->account)->curve25519,
                                              keys[0].key, &session),
                     HR_OK);
    ratchet_account_mark_published(mx->e2ee->account);
    assert_int_equal(e2ee_account_save(mx), HR_OK);
    return session;
}

static int take(struct world *world, const char *sender, const json_t *content, struct peer *peer)
{
    json_t *payload = NULL;
    int rc = olm_session_decrypt(mx_of(world), sender, content, &payload, peer);
    json_decref(payload);
    return rc;
}

/* ---- in ------------------------------------------------------------------------------------------ */

static void a_message_is_read_once_and_its_key_is_gone(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    meet(world, &asha);
    struct ratchet_session *session = session_of(world, &asha);
    char *text = payload_of(world, &asha, &(struct forged){0});
    json_t *first = sealed(world, &asha, session, text), *second = sealed(world, &asha, session, text);
    struct peer peer;
    assert_int_equal(take(world, ASHA, first, &peer), HR_OK);
    assert_int_equal(peer.trust, TRUST_SIGNED);
    assert_string_equal(peer.device, "A1");
    assert_int_equal(take(world, ASHA, first, &peer), HR_EEXIST);
    fake_stop(world->fake); /* what was read is on disk */
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_int_equal(take(world, ASHA, first, &peer), HR_EEXIST);
    assert_int_equal(take(world, ASHA, second, &peer), HR_OK);
    fake_sql(world->fake, "DELETE FROM matrix_olm_seen");
    assert_int_equal(take(world, ASHA, first, &peer), HR_ENOTFOUND); /* its keys are used up */
    fake_sql(world->fake, "DELETE FROM matrix_olm");
    assert_int_equal(take(world, ASHA, first, &peer), HR_ENOTFOUND); /* and no second session comes of it */
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_olm"), 0);
    json_decref(first);
    json_decref(second);
    free(text);
    ratchet_session_free(session);
    someone_free(&asha);
    world_free(world);
}

/* The key stays, so only what was remembered stops it: also with other bytes around the message. */
static void a_message_to_the_fallback_key_is_read_once(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct matrix *mx = mx_of(world);
    struct someone asha = someone_new(ASHA, "A1");
    struct ratchet_key key;
    struct ratchet_session *session = NULL;
    struct peer peer;
    meet(world, &asha);
    ratchet_account_generate_fallback(mx->e2ee->account);
    assert_true(ratchet_account_unpublished_fallback(mx->e2ee->account, &key));
    ratchet_account_mark_published(mx->e2ee->account);
    assert_int_equal(ratchet_session_outbound(asha.account, ratchet_account_identity(mx->e2ee->account)->curve25519,
                                              key.key, &session),
                     HR_OK);
    char *text = payload_of(world, &asha, &(struct forged){0});
    json_t *content = sealed(world, &asha, session, text);
    assert_int_equal(take(world, ASHA, content, &peer), HR_OK);
    assert_true(fake_number(world->fake, "SELECT fallback_used_ms FROM matrix_crypto") > 0);
    fake_sql(world->fake, "DELETE FROM matrix_olm_seen WHERE hash NOT IN (SELECT session FROM matrix_olm)");
    fake_sql(world->fake, "DELETE FROM matrix_olm"); /* as if it had been dropped by newer ones */
    assert_int_equal(take(world, ASHA, content, &peer), HR_EEXIST);
    sync_keys(world, "");
    assert_true(fake_number(world->fake, "SELECT fallback_used_ms FROM matrix_crypto") > 0);
    json_decref(content);
    free(text);
    ratchet_session_free(session);
    someone_free(&asha);
    world_free(world);
}

static void what_does_not_hold_after_decryption_is_refused(void **state)
{
    (void)state;
    struct someone asha = someone_new(ASHA, "A1"), ben = someone_new(BEN, "B1"), hidden = someone_new(ASHA, "A1");
    struct someone stolen = asha; /* her keys under another name: CVE-2026-45056 */
    stolen.user = BEN;
    struct someone moved = asha;
    moved.device = "A2";
    const struct {
        const char *what;
        struct forged forged;
        int status;
    } table[] = {
        {"as it should be", {0}, HR_OK},
        {"without device keys, as older clients", {.no_device_keys = true}, HR_OK},
        {"sender", {.sender = BEN}, HR_EDENIED},
        {"recipient", {.recipient = ASHA}, HR_EDENIED},
        {"our key", {.recipient_ed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, HR_EDENIED},
        {"key of another device", {.ed = ed_of(&ben), .no_device_keys = true}, HR_EDENIED},
        {"no content", {.no_content = true}, HR_EDENIED},
        {"device keys of somebody else", {.device_keys = &ben}, HR_EDENIED},
        {"device keys of another user with the same keys", {.device_keys = &stolen}, HR_EDENIED},
        {"device keys with other keys", {.device_keys = &hidden}, HR_EDENIED},
        {"another device's id", {.device_keys = &moved}, HR_OK}, /* the list decides, by the key it came with */
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_keys();
        struct peer peer;
        meet(world, &asha);
        struct ratchet_session *session = session_of(world, &asha);
        char *text = payload_of(world, &asha, &table[i].forged);
        json_t *content = sealed(world, &asha, session, text);
        if (take(world, ASHA, content, &peer) != table[i].status) {
            fail_msg("%s", table[i].what);
        }
        assert_int_equal(fake_with(world->fake, FAKE_LOG, "is refused") != NULL, table[i].status != HR_OK);
        assert_int_equal(take(world, ASHA, content, &peer), HR_EEXIST);
        json_decref(content);
        free(text);
        ratchet_session_free(session);
        world_free(world);
    }
    (void)state;
    someone_free(&asha);
    someone_free(&ben);
    someone_free(&hidden);
}

static void a_device_in_no_list_proves_itself_or_stays_nameless(void **state)
{
    (void)state;
    struct someone asha = someone_new(ASHA, "A1");
    for (int proves = 0; proves < 2; proves++) {
        struct world *world = world_keys();
        struct peer peer;
        struct ratchet_session *session = session_of(world, &asha);
        char *text = payload_of(world, &asha, &(struct forged){.no_device_keys = !proves});
        json_t *content = sealed(world, &asha, session, text);
        assert_int_equal(take(world, ASHA, content, &peer), HR_OK);
        assert_string_equal(peer.device, proves ? "A1" : "");
        assert_int_equal(peer.trust, TRUST_NONE);
        assert_string_equal(peer.curve, curve_of(&asha));
        assert_string_equal(peer.ed, ed_of(&asha));
        json_decref(content);
        free(text);
        ratchet_session_free(session);
        world_free(world);
    }
    someone_free(&asha);
}

/* ---- broken sessions -------------------------------------------------------------------------------- */

static json_t *unreadable(struct world *world, const struct someone *from, const char *text)
{
    struct someone nobody = someone_new(BOT, "X");
    struct ratchet_key keys[RATCHET_ONE_TIME_KEYS];
    struct ratchet_session *session = NULL;
    assert_int_equal(ratchet_account_generate(nobody.account, 1), HR_OK);
    assert_int_equal(ratchet_account_unpublished(nobody.account, keys), 1);
    assert_int_equal(ratchet_session_outbound(from->account, /* with a one-time key that is not ours */
                                              ratchet_account_identity(mx_of(world)->e2ee->account)->curve25519,
                                              keys[0].key, &session),
                     HR_OK);
    json_t *content = sealed(world, from, session, text);
    ratchet_session_free(session);
    someone_free(&nobody);
    return content;
}

static void a_broken_session_is_renewed_once_an_hour(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    struct peer peer;
    meet(world, &asha);
    int claims = 0;
    for (int minute = 0; minute < 180; minute += 10) {
        json_t *content = unreadable(world, &asha, "{}");
        assert_int_equal(take(world, ASHA, content, &peer), HR_ENOTFOUND);
        json_decref(content);
        fake_pass(world->fake, 0);
        if (fake_request(world->fake, "/v3/keys/claim") != NULL) {
            claims++;
            answer(world, "/v3/keys/claim", 200, "{\"one_time_keys\":{},\"failures\":{}}");
            (void)fake_work(world->fake);
        }
        fake_pass(world->fake, 600000);
    }
    assert_int_equal(claims, 3);
    json_t *foreign = unreadable(world, &asha, "{}");
    assert_int_equal(take(world, "@zoe:far.test", foreign, &peer), HR_ENOTFOUND);
    json_decref(foreign);
    fake_pass(world->fake, 3600000);
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "@zoe")); /* strangers make us ask for nobody */
    someone_free(&asha);
    world_free(world);
}

/* ---- out ------------------------------------------------------------------------------------------------ */

struct outcome {
    int done;
    size_t reached, missed;
};

static void on_done(struct matrix *mx, void *arg, const struct peer *reached, size_t reached_count,
                    const struct peer *missed, size_t missed_count)
{
    (void)mx, (void)reached, (void)missed;
    struct outcome *outcome = arg;
    outcome->done++;
    outcome->reached = reached_count;
    outcome->missed = missed_count;
}

/* One-time keys of these devices, as keys/claim gives them. */
static json_t *claimed(struct someone *const *devices, size_t count)
{
    json_t *users = json_object();
    for (size_t i = 0; i < count; i++) {
        (void)ratchet_account_generate(devices[i]->account, 1);
        json_t *upload = device_keys_upload(devices[i]->account, devices[i]->user, devices[i]->device);
        ratchet_account_mark_published(devices[i]->account);
        json_t *of_user = json_object_get(users, devices[i]->user);
        if (of_user == NULL) {
            of_user = json_object();
            (void)json_object_set_new(users, devices[i]->user, of_user);
        }
        (void)json_object_set(of_user, devices[i]->device, json_object_get(upload, "one_time_keys"));
        json_decref(upload);
    }
    return json_pack("{s:o, s:{}}", "one_time_keys", users, "failures");
}

/* What the server got for that device last, read with the device's account. */
static json_t *received(struct world *world, const struct someone *by)
{
    char err[120], *text = NULL;
    size_t len = 0;
    const struct fake_record *put = fake_last(world->fake, FAKE_HTTP);
    assert_non_null(strstr(put->url, "/sendToDevice/m.room.encrypted/"));
    json_t *body = json_loads(put->text, 0, NULL);
    const json_t *messages = json_object_get(body, "messages");
    const json_t *content = json_object_get(json_object_get(messages, by->user), by->device);
    const json_t *one = json_object_get(json_object_get(content, "ciphertext"), curve_of(by));
    const char *ciphertext = scan_text(one, "body"), *sender_key = scan_text(content, "sender_key");
    struct ratchet_session *session = NULL;
    assert_non_null(ciphertext);
    assert_int_equal(ratchet_session_inbound(by->account, sender_key, ciphertext, strlen(ciphertext), &session), HR_OK);
    assert_int_equal(ratchet_session_decrypt(session, 0, ciphertext, strlen(ciphertext), &text, &len), HR_OK);
    json_t *payload = scan_load((struct scan){text, len}, err, sizeof(err));
    ratchet_session_free(session);
    free(text);
    json_decref(body);
    return payload;
}

static void content_goes_to_those_who_have_keys_and_the_others_are_told_once(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct matrix *mx = mx_of(world);
    struct someone asha = someone_new(ASHA, "A1"), ben = someone_new(BEN, "B1");
    struct someone *const one[] = {&asha};
    struct outcome outcome = {0};
    struct peer peers[2];
    meet(world, &asha);
    meet(world, &ben);
    assert_int_equal(people_device(mx, ASHA, "A1", &peers[0]), HR_OK);
    assert_int_equal(people_device(mx, BEN, "B1", &peers[1]), HR_OK);
    json_t *content = json_pack("{s:s}", "session_key", "secret");
    assert_int_equal(olm_session_send(mx, peers, 2, "m.room_key", content, on_done, NULL, &outcome), HR_OK);
    assert_int_equal(outcome.done, 0);
    fake_pass(world->fake, 0);
    answer_json(world, "/v3/keys/claim", claimed(one, 1));
    fake_pass(world->fake, 0);
    assert_int_equal(outcome.done, 1);
    assert_int_equal(outcome.reached, 1);
    assert_int_equal(outcome.missed, 1);
    json_t *payload = received(world, &asha);
    assert_string_equal(scan_text(payload, "sender"), BOT);
    assert_string_equal(scan_text(payload, "recipient"), ASHA);
    assert_string_equal(scan_text(json_object_get(payload, "recipient_keys"), "ed25519"), ed_of(&asha));
    assert_string_equal(scan_text(json_object_get(payload, "content"), "session_key"), "secret");
    struct device_keys keys;
    assert_int_equal(device_keys_read(json_object_get(payload, "sender_device_keys"), BOT, "DEV", &keys, NULL), HR_OK);
    assert_string_equal(scan_text(json_object_get(payload, "keys"), "ed25519"), keys.ed25519);
    answer(world, "/sendToDevice/m.room.encrypted/", 200, "{}");
    assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "m.no_olm"));
    assert_null(strstr(fake_last(world->fake, FAKE_HTTP)->text, "room_id"));
    answer(world, "/sendToDevice/m.room_key.withheld/", 200, "{}");
    /* the next one: with the session there is; nobody is asked or told again so soon */
    assert_int_equal(olm_session_send(mx, peers, 2, "m.room_key", content, on_done, NULL, &outcome), HR_OK);
    fake_pass(world->fake, 0);
    assert_int_equal(outcome.done, 2);
    assert_int_equal(outcome.reached, 1);
    assert_null(fake_request(world->fake, "/v3/keys/claim"));
    answer(world, "/sendToDevice/m.room.encrypted/", 200, "{}");
    assert_null(fake_request(world->fake, "/sendToDevice/"));
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_to_device"), 0);
    json_decref(content);
    json_decref(payload);
    someone_free(&asha);
    someone_free(&ben);
    world_free(world);
}

static void a_one_time_key_that_the_device_did_not_sign_is_refused(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1"), thief = someone_new(ASHA, "A1");
    struct someone *const one[] = {&thief};
    struct outcome outcome = {0};
    struct peer peer;
    meet(world, &asha);
    assert_int_equal(people_device(mx_of(world), ASHA, "A1", &peer), HR_OK);
    json_t *content = json_object();
    assert_int_equal(olm_session_send(mx_of(world), &peer, 1, "m.dummy", content, on_done, NULL, &outcome), HR_OK);
    fake_pass(world->fake, 0);
    answer_json(world, "/v3/keys/claim", claimed(one, 1));
    fake_pass(world->fake, 0);
    assert_int_equal(outcome.missed, 1);
    assert_non_null(fake_with(world->fake, FAKE_LOG, "not signed by that device"));
    assert_null(fake_request(world->fake, "/sendToDevice/"));
    json_decref(content);
    someone_free(&asha);
    someone_free(&thief);
    world_free(world);
}

static void what_is_with_a_thread_at_the_stop_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_keys();
    struct someone asha = someone_new(ASHA, "A1");
    struct someone *const one[] = {&asha};
    struct peer peer;
    meet(world, &asha);
    assert_int_equal(people_device(mx_of(world), ASHA, "A1", &peer), HR_OK);
    json_t *content = json_object(), *reply = claimed(one, 1);
    char *text = json_dumps(reply, 0);
    assert_int_equal(olm_session_send(mx_of(world), &peer, 1, "m.dummy", content, NULL, free, malloc(1)), HR_OK);
    fake_pass(world->fake, 0);
    fake_reply(world->fake, fake_request(world->fake, "/v3/keys/claim"), 200, text);
    assert_int_equal(fake_works(world->fake), 1);
    world_free(world);
    json_decref(content);
    json_decref(reply);
    free(text);
    someone_free(&asha);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_once_and_its_key_is_gone),
        cmocka_unit_test(a_message_to_the_fallback_key_is_read_once),
        cmocka_unit_test(what_does_not_hold_after_decryption_is_refused),
        cmocka_unit_test(a_device_in_no_list_proves_itself_or_stays_nameless),
        cmocka_unit_test(a_broken_session_is_renewed_once_an_hour),
        cmocka_unit_test(content_goes_to_those_who_have_keys_and_the_others_are_told_once),
        cmocka_unit_test(a_one_time_key_that_the_device_did_not_sign_is_refused),
        cmocka_unit_test(what_is_with_a_thread_at_the_stop_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
