/* SPDX-License-Identifier: MIT */
/* A person verifies the bot: the messages in their order and out of it, what the operator sees and answers. */
#include "e2ee_world.h"

#include "../../plugins/matrix/e2ee/own_identity.h"
#include "../../plugins/matrix/e2ee/sas.h"
#include "../../plugins/matrix/e2ee/verify.h"

#define REQUEST "$request"
#define V "m.key.verification."

struct side { /* Asha's */
    struct world *world;
    struct someone asha;
    struct ratchet_sas *sas;
    json_t *start;
    char master[BASE64_KEY];
    int events;
};

static struct side side_new(void)
{
    struct side side = {.world = world_keys(), .asha = someone_new(ASHA, "A1"), .sas = ratchet_sas_new()};
    struct cross_signing_keys_public public;
    cross_signing_keys_to_public(&side.asha.identity, &public);
    memcpy(side.master, public.master, sizeof(side.master));
    fake_account(side.world->fake, ASHA);
    fake_account(side.world->fake, BEN);
    meet(side.world, &side.asha);
    return side;
}

static void side_free(struct side *side)
{
    world_free(side->world);
    someone_free(&side->asha);
    ratchet_sas_free(side->sas);
    json_decref(side->start);
}

/* An event of ROOM; takes content. */
static void say(struct side *side, const char *sender, const char *id, const char *type, json_t *content)
{
    char *text = json_dumps(content, JSON_COMPACT), *event = NULL;
    assert_true(asprintf(&event,
                         "{\"type\":\"%s\",\"sender\":\"%s\",\"event_id\":\"%s\",\"origin_server_ts\":%lld,"
                         "\"unsigned\":{\"age\":100},\"content\":%s}",
                         type, sender, id, (long long)fake_now_ms(side->world->fake) - 100, text) > 0);
    sync_events(side->world, event);
    free(text);
    free(event);
    json_decref(content);
}

static void request(struct side *side, const char *user, const char *id, const char *device)
{
    say(side, user, id, "m.room.message",
        json_pack("{s:s, s:s, s:s, s:[s], s:s}", "msgtype", V "request", "to", BOT, "from_device", device, "methods",
                  "m.sas.v1", "body", "please verify"));
    fake_pass(side->world->fake, 0);
}

static void message(struct side *side, const char *suffix, json_t *content)
{
    char type[60], id[20];
    snprintf(type, sizeof(type), V "%s", suffix);
    snprintf(id, sizeof(id), "$v%d", ++side->events);
    (void)json_object_set_new(content, "m.relates_to",
                              json_pack("{s:s, s:s}", "rel_type", "m.reference", "event_id", REQUEST));
    say(side, ASHA, id, type, content);
}

/* The content of what the bot says next; NULL: it does not say that. */
static json_t *heard(struct side *side, const char *suffix)
{
    char piece[80];
    const struct fake_record *record, *found = NULL;
    snprintf(piece, sizeof(piece), "/send/" V "%s/", suffix);
    if (fake_request(side->world->fake, piece) == NULL) {
        return NULL;
    }
    for (size_t i = 0; (record = fake_nth(side->world->fake, FAKE_HTTP, i)) != NULL; i++) {
        found = strstr(record->url, piece) != NULL ? record : found;
    }
    json_t *content = json_loads(found->text, 0, NULL);
    assert_string_equal(scan_text(json_object_get(content, "m.relates_to"), "event_id"), REQUEST);
    answer(side->world, piece, 200, "{\"event_id\":\"$sent\"}");
    return content;
}

static void assert_cancelled(struct side *side, const char *code)
{
    json_t *content = heard(side, "cancel");
    if (content == NULL || strcmp(scan_text(content, "code"), code) != 0) {
        fail_msg("no cancel with %s, but %s", code, content != NULL ? scan_text(content, "code") : "nothing");
    }
    json_decref(content);
}

static json_t *start_of(const char *device)
{
    return json_pack("{s:s, s:s, s:[s], s:[s], s:[s], s:[s,s]}", "from_device", device, "method", "m.sas.v1",
                     "key_agreement_protocols", "curve25519-hkdf-sha256", "hashes", "sha256",
                     "message_authentication_codes", "hkdf-hmac-sha256.v2", "short_authentication_string", "emoji",
                     "decimal");
}

static void start(struct side *side)
{
    json_decref(side->start);
    side->start = start_of("A1");
    message(side, "start", json_incref(side->start));
}

static void key(struct side *side)
{
    message(side, "key", json_pack("{s:s}", "key", ratchet_sas_public(side->sas)));
}

static const struct sas_party asha_party = {ASHA, "A1"}, bot_party = {BOT, "DEV"};

/* What she vouches for: her device, her identity, or another one. */
static void mac(struct side *side, bool identity, bool false_one)
{
    char master_id[80];
    json_t *content = NULL;
    snprintf(master_id, sizeof(master_id), "ed25519:%s", side->master);
    const struct sas_key keys[] = {
        {"ed25519:A1", ed_of(&side->asha)},
        {master_id, false_one ? curve_of(&side->asha) : side->master},
    };
    if (sas_mac_make(side->sas, asha_party, bot_party, REQUEST, keys, identity ? 2 : 1, &content) < 0) {
        content = json_pack("{s:{}, s:s}", "mac", "keys", "x"); /* there is no secret yet */
    }
    message(side, "mac", content);
}

/* Request to keys: what both sides look at. */
static struct sas_code compare(struct side *side)
{
    struct sas_code code;
    request(side, ASHA, REQUEST, "A1");
    json_t *ready = heard(side, "ready");
    assert_non_null(ready);
    start(side);
    json_t *accept = heard(side, "accept");
    assert_non_null(accept);
    key(side);
    json_t *theirs = heard(side, "key");
    assert_non_null(theirs);
    const char *bot_key = scan_text(theirs, "key");
    assert_int_equal(sas_commitment_check(bot_key, side->start, scan_text(accept, "commitment")), HR_OK);
    assert_int_equal(ratchet_sas_set_their_key(side->sas, bot_key), HR_OK);
    assert_int_equal(sas_code(side->sas, asha_party, ratchet_sas_public(side->sas), bot_party, bot_key, REQUEST, &code),
                     HR_OK);
    json_decref(ready);
    json_decref(accept);
    json_decref(theirs);
    return code;
}

static int tool(struct side *side, const char *word)
{
    return fake_tool(side->world->fake, "verify", word != NULL ? 1 : 0, &word);
}

static bool is_verified(struct side *side)
{
    return fake_number(side->world->fake, "SELECT verified FROM matrix_person WHERE user = '" ASHA "'") == 1;
}

static void both_sides_see_the_same_and_the_person_is_verified(void **state)
{
    (void)state;
    for (int mac_first = 0; mac_first < 2; mac_first++) {
        struct side side = side_new();
        struct sas_code code = compare(&side);
        char numbers[80];
        snprintf(numbers, sizeof(numbers), "%u %u %u", code.decimal[0], code.decimal[1], code.decimal[2]);
        assert_int_equal(tool(&side, NULL), HR_OK);
        assert_non_null(fake_with(side.world->fake, FAKE_OUT, numbers));
        assert_non_null(fake_with(side.world->fake, FAKE_OUT, sas_emoji(code.emoji[0])->name));
        if (mac_first) {
            mac(&side, true, false);
        }
        assert_false(is_verified(&side));
        assert_int_equal(tool(&side, "yes"), HR_OK);
        json_t *ours = heard(&side, "mac");
        struct cross_signing_keys_public own;
        bool good[2];
        char master_id[80];
        cross_signing_keys_to_public(own_identity_keys(mx_of(side.world)), &own);
        snprintf(master_id, sizeof(master_id), "ed25519:%s", own.master);
        const struct sas_key vouched[] = {
            {"ed25519:DEV", ratchet_account_identity(mx_of(side.world)->e2ee->account)->ed25519},
            {master_id, own.master},
        };
        assert_int_equal(sas_mac_check(side.sas, bot_party, asha_party, REQUEST, ours, vouched, 2, good), HR_OK);
        assert_true(good[0] && good[1]);
        if (!mac_first) {
            assert_false(is_verified(&side));
            mac(&side, true, false);
        }
        assert_true(is_verified(&side));
        assert_null(heard(&side, "done")); /* ours comes after theirs */
        message(&side, "done", json_object());
        json_t *done = heard(&side, "done");
        assert_non_null(done);
        assert_int_equal(tool(&side, "yes"), HR_ENOTFOUND);
        json_decref(ours);
        json_decref(done);
        side_free(&side);
    }
}

/* After the request: s start, k key, m MAC, y the operator's yes, n no, c cancel, d a start of another device, o one
 * without our methods, w a MAC of another identity, i a MAC without one, t ten minutes. */
static void play(struct side *side, char step)
{
    json_t *other = start_of("A1");
    (void)json_object_set_new(other, "hashes", json_pack("[s, i]", "md5", 5));
    switch (step) {
    case 's': start(side); break;
    case 'k': key(side); break;
    case 'm': mac(side, true, false); break;
    case 'i': mac(side, false, false); break;
    case 'w': mac(side, true, true); break;
    case 'd': message(side, "start", start_of("A2")); break;
    case 'o': message(side, "start", json_incref(other)); break;
    case 'c': message(side, "cancel", json_pack("{s:i}", "code", 5)); break;
    case 't': fake_pass(side->world->fake, 601000); break;
    case 'z': message(side, "key", json_pack("{s:s}", "key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")); break;
    case 'x': message(side, "key", json_pack("{s:{}}", "key")); break;
    default:
        assert_int_equal(tool(side, NULL), HR_OK);
        (void)tool(side, step == 'y' ? "yes" : "no");
        break;
    }
    json_decref(other);
}

static void what_comes_out_of_order_ends_it(void **state)
{
    (void)state;
    static const struct {
        const char *steps, *code; /* NULL: it ends without a word */
    } table[] = {
        {"k", "m.unexpected_message"},
        {"m", "m.unexpected_message"},
        {"ss", "m.unexpected_message"},
        {"sm", "m.unexpected_message"},
        {"skk", "m.unexpected_message"},
        {"sks", "m.unexpected_message"},
        {"d", "m.unknown_method"},
        {"o", "m.unknown_method"},
        {"sz", "m.invalid_message"},
        {"sx", "m.invalid_message"},
        {"t", "m.timeout"},
        {"st", "m.timeout"},
        {"skt", "m.timeout"},
        {"skyt", "m.timeout"},
        {"skn", "m.mismatched_sas"},
        {"c", NULL},
        {"skc", NULL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct side side = side_new();
        request(&side, ASHA, REQUEST, "A1");
        for (const char *step = table[i].steps; *step != '\0'; step++) {
            play(&side, *step);
        }
        if (table[i].code != NULL) {
            assert_cancelled(&side, table[i].code);
        }
        play(&side, 's'); /* it is over: nothing answers */
        fake_forget(side.world->fake);
        play(&side, 'm');
        assert_int_equal(fake_count(side.world->fake, FAKE_HTTP), 1); /* the next sync alone */
        assert_false(is_verified(&side));
        side_free(&side);
    }
}

static void a_mac_that_does_not_vouch_for_the_identity_verifies_nobody(void **state)
{
    (void)state;
    static const char *const table[] = {"i", "w"};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct side side = side_new();
        (void)compare(&side);
        play(&side, 'y');
        json_decref(heard(&side, "mac"));
        play(&side, table[i][0]);
        assert_cancelled(&side, "m.key_mismatch");
        assert_false(is_verified(&side));
        side_free(&side);
    }
}

static void only_people_with_a_role_may_begin_one_at_a_time(void **state)
{
    (void)state;
    struct side side = side_new();
    request(&side, "@stranger:hs.test", "$s", "S1");
    assert_null(fake_request(side.world->fake, "/send/" V "ready/"));
    assert_non_null(fake_with(side.world->fake, FAKE_HTTP, "Only people who run the chat"));
    request(&side, ASHA, REQUEST, "A1");
    request(&side, ASHA, REQUEST, "A1"); /* the same event once more */
    json_t *ready = heard(&side, "ready");
    assert_non_null(ready);
    assert_null(fake_request(side.world->fake, "/send/" V "ready/"));
    request(&side, ASHA, "$again", "A1"); /* two at once are none */
    assert_non_null(fake_with(side.world->fake, FAKE_HTTP, "Another verification was begun."));
    assert_null(fake_request(side.world->fake, "/send/" V "ready/"));
    json_decref(ready);
    side_free(&side);
}

static size_t refusals_logged(struct side *side, const char *user)
{
    struct fake *fake = side->world->fake;
    size_t count = 0;
    for (size_t i = 0; i < fake_count(fake, FAKE_LOG); i++) {
        const char *text = fake_nth(fake, FAKE_LOG, i)->text;
        count += strstr(text, "Only people who run the chat") != NULL && strstr(text, user) != NULL;
    }
    return count;
}

static void what_a_stranger_asks_for_is_logged_once_an_hour(void **state)
{
    (void)state;
    struct side side = side_new();
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof(name), "$s%d", i);
        request(&side, "@stranger:hs.test", name, "S1");
    }
    request(&side, "@other:hs.test", "$o", "S1");
    assert_int_equal(refusals_logged(&side, "@stranger:hs.test"), 1);
    assert_int_equal(refusals_logged(&side, "@other:hs.test"), 1);
    fake_pass(side.world->fake, 61 * 60 * 1000);
    request(&side, "@stranger:hs.test", "$later", "S1");
    request(&side, "@stranger:hs.test", "$latest", "S1");
    assert_int_equal(refusals_logged(&side, "@stranger:hs.test"), 2);
    side_free(&side);
}

/* Whoever slips in between the emoji and the answer does not get it. */
static void the_answer_belongs_to_the_emoji_that_were_shown(void **state)
{
    (void)state;
    struct side side = side_new();
    struct someone ben = someone_new(BEN, "B1");
    struct ratchet_sas *his = ratchet_sas_new();
    meet(side.world, &ben);
    (void)compare(&side);
    assert_int_equal(tool(&side, "yes"), HR_ENOTFOUND); /* nobody has looked yet */
    assert_non_null(fake_with(side.world->fake, FAKE_OUT, "compare what it shows"));
    assert_int_equal(tool(&side, NULL), HR_OK);
    request(&side, BEN, "$his", "B1");
    const char *const steps[] = {"start", "key"};
    for (int i = 0; i < 2; i++) {
        char type[60];
        json_t *content = i == 0 ? start_of("B1") : json_pack("{s:s}", "key", ratchet_sas_public(his));
        snprintf(type, sizeof(type), V "%s", steps[i]);
        (void)json_object_set_new(content, "m.relates_to",
                                  json_pack("{s:s, s:s}", "rel_type", "m.reference", "event_id", "$his"));
        say(&side, BEN, i == 0 ? "$h0" : "$h1", type, content);
    }
    message(&side, "cancel", json_object()); /* hers is over: his is the only one left */
    assert_int_equal(tool(&side, "yes"), HR_ENOTFOUND);
    assert_null(fake_request(side.world->fake, "/send/" V "mac/"));
    assert_int_equal(tool(&side, NULL), HR_OK);
    assert_int_equal(tool(&side, "yes"), HR_OK);
    assert_non_null(fake_request(side.world->fake, "/send/" V "mac/"));
    ratchet_sas_free(his);
    someone_free(&ben);
    side_free(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_see_the_same_and_the_person_is_verified),
        cmocka_unit_test(what_comes_out_of_order_ends_it),
        cmocka_unit_test(a_mac_that_does_not_vouch_for_the_identity_verifies_nobody),
        cmocka_unit_test(only_people_with_a_role_may_begin_one_at_a_time),
        cmocka_unit_test(what_a_stranger_asks_for_is_logged_once_an_hour),
        cmocka_unit_test(the_answer_belongs_to_the_emoji_that_were_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
