/* SPDX-License-Identifier: MIT */
/* Joining, invites, encryption, kicks, upgrades: in which rooms the bot is, and in which it is not. */
#include "matrix_test.h"

#define NEW "!new:hs.test"

/* ---- joining -------------------------------------------------------------------------------- */

static void rooms_of_the_configuration_are_joined_at_start(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, "");
    assert_false(is_up(world, ROOM));
    assert_non_null(fake_request(world->fake, "POST http://127.0.0.1:8008/_matrix/client/v3/join/%21room%3Ahs.test?"));
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_rooms(world, JOINED(ROOM, ""));
    assert_true(is_up(world, ROOM));
    assert_int_equal(fake_count(world->fake, FAKE_SPEND), 1);
    world_free(world);
}

static void what_was_said_before_the_bot_came_is_not_read(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, "");
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_events(world, TEXT("$1", ASHA, "before") "," MEMBER(BOT, "bot") "," TEXT("$2", ASHA, "after"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    assert_string_equal(last_post(world)->text, "after");
    world_free(world);
}

static void an_alias_is_resolved_once_and_remembered(void **state)
{
    (void)state;
    struct world *world = world_new("#chat:hs.test");
    log_in(world);
    sync_rooms(world, "");
    answer(world, "/v3/directory/room/%23chat%3Ahs.test", 200, "{\"room_id\":\"" ROOM "\",\"servers\":[\"far.test\"]}");
    assert_non_null(fake_request(world->fake, "/v3/join/%21room%3Ahs.test?server_name=far.test&via=far.test"));
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_rooms(world, JOINED(ROOM, ""));
    assert_true(is_up(world, "#chat:hs.test"));
    sync_events(world, TEXT("$1", ASHA, "hi"));
    assert_string_equal(last_post(world)->address, "#chat:hs.test");
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    sync_rooms(world, JOINED(ROOM, ""));
    assert_null(fake_request(world->fake, "/v3/directory/"));
    sync_events(world, TEXT("$2", ASHA, "again"));
    assert_string_equal(last_post(world)->text, "again");
    world_free(world);
}

static void a_closed_room_says_what_to_do(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, "");
    answer(world, "/v3/join/", 403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"You are not invited to this room.\"}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "invite " BOT));
    /* somebody does */
    sync_rooms(world, INVITE(ROOM, ASHA, ""));
    assert_non_null(fake_request(world->fake, "/v3/join/"));
    world_free(world);
}

static void a_server_that_stumbles_is_asked_again_to_join(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, "");
    answer(world, "/v3/join/", 502, "{}");
    fake_pass(world->fake, 90001);
    assert_non_null(fake_request(world->fake, "/v3/join/"));
    world_free(world);
}

static void a_room_the_bot_was_in_already_is_found_by_a_full_sync(void **state)
{
    (void)state;
    struct world *world = world_new("#chat:hs.test");
    log_in(world);
    sync_rooms(world, JOINED(ROOM, "")); /* not known by its id yet */
    answer(world, "/v3/directory/", 200, "{\"room_id\":\"" ROOM "\",\"servers\":[]}");
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    fake_pass(world->fake, 2000);
    assert_non_null(fake_request(world->fake, "timeout=0&full_state=true&since=s1"));
    sync_rooms(world, "\"join\":{\"" ROOM "\":{\"timeline\":{\"events\":[]}}}");
    assert_true(is_up(world, "#chat:hs.test"));
    world_free(world);
}

/* ---- encryption ---------------------------------------------------------------------------------- */

static void an_encrypted_room_is_sealed_and_hears_no_plain_word(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_forget(world->fake);
    sync_events(world, TEXT("$1", ASHA, "before") "," ENCRYPTION "," TEXT("$2", ASHA, "!bridge encrypted yes"));
    assert_int_equal(fake_last(world->fake, FAKE_SEAL)->number, 1);
    assert_non_null(fake_with(world->fake, FAKE_SAY, "!bridge encrypted yes"));
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 0)->account, ASHA);
    assert_string_equal(last_post(world)->account, ""); /* in plain text: carried on, never obeyed */
    assert_int_equal(last_post(world)->power, 0);
    assert_int_equal(
        fake_send(world->fake, 5, world->room, "{\"type\":\"m.room.message\",\"content\":{\"body\":\"x\"}}"), HR_OK);
    assert_non_null(fake_request(world->fake, "/members?")); /* for whom to encrypt */
    assert_null(fake_request(world->fake, "/send/m.room.message/"));
    sync_events(world,
                "{\"type\":\"m.room.encryption\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$e2\","
                "\"content\":{\"algorithm\":\"none\"}}");
    assert_int_equal(
        fake_send(world->fake, 6, world->room, "{\"type\":\"m.room.message\",\"content\":{\"body\":\"y\"}}"), HR_OK);
    assert_null(fake_request(world->fake, "/send/m.room.message/"));
    world_free(world);
}

/* ---- invites ----------------------------------------------------------------------------------------- */

static void a_person_of_the_chat_may_open_a_private_room(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_rooms(world, INVITE("!dm:hs.test", ASHA, ""));
    answer(world, "/v3/join/%21dm%3Ahs.test", 200, "{\"room_id\":\"!dm:hs.test\"}");
    sync_rooms(world, "\"join\":{\"!dm:hs.test\":{\"timeline\":{\"events\":[" MEMBER(BOT, "bot") "," TEXT(
                          "$1", ASHA, "help") "]}}}");
    assert_string_equal(last_post(world)->address, "!dm:hs.test");
    assert_int_equal(last_post(world)->flags, HR_MSG_PRIVATE | HR_MSG_WEAK);
    world_free(world);
}

static void members_the_bot_has_not_seen_are_looked_up(void **state)
{
    (void)state;
    for (int member = 0; member < 2; member++) {
        struct world *world = world_open();
        sync_rooms(world, INVITE("!dm:hs.test", "@carl:else.test", ""));
        answer(world, "/rooms/%21room%3Ahs.test/state/m.room.member/%40carl%3Aelse.test", member ? 200 : 404, "%s",
               member ? "{\"membership\":\"join\"}" : "{\"errcode\":\"M_NOT_FOUND\"}");
        assert_int_equal(fake_request(world->fake, "/v3/join/") != NULL, member);
        assert_int_equal(fake_request(world->fake, "/leave") != NULL, !member);
        world_free(world);
    }
}

static void listed_people_servers_and_known_hosts_may_invite(void **state)
{
    (void)state;
    static const struct {
        const char *list, *known;
        bool join;
    } table[] = {{"@zoe:far.test", NULL, true},
                 {"far.test", NULL, true},
                 {"", "@zoe:far.test", true},
                 {"@zoe:near.test, ar.test", NULL, false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_new(ROOM);
        fake_option(world->fake, "invite_from", table[i].list);
        if (table[i].known != NULL) {
            fake_account(world->fake, table[i].known);
        }
        log_in(world);
        sync_rooms(world, INVITE("!dm:hs.test", "@zoe:far.test", ""));
        assert_int_equal(fake_request(world->fake, "/v3/join/%21dm") != NULL, table[i].join);
        assert_int_equal(fake_request(world->fake, "/leave") != NULL, !table[i].join);
        world_free(world);
    }
}

static void a_private_room_may_be_encrypted(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_rooms(world, INVITE("!dm:hs.test", ASHA, STRIPPED_ENCRYPTION));
    assert_non_null(fake_request(world->fake, "/v3/join/%21dm"));
    answer(world, "/v3/join/%21dm", 200, "{\"room_id\":\"!dm:hs.test\"}");
    sync_rooms(world, JOINED("!dm:hs.test", ENCRYPTION));
    assert_null(fake_request(world->fake, "/leave"));
    assert_int_equal(fake_count(world->fake, FAKE_SEAL), 0); /* nothing of it is carried anyway */
    world_free(world);
}

static void only_so_many_private_rooms_open(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "max_private", "1");
    fake_option(world->fake, "invite_from", "hs.test");
    log_in(world);
    sync_rooms(world, INVITE("!dm1:hs.test", ASHA, ""));
    assert_non_null(fake_request(world->fake, "/v3/join/%21dm1"));
    sync_rooms(world, INVITE("!dm2:hs.test", BEN, ""));
    assert_null(fake_request(world->fake, "/v3/join/%21dm2"));
    assert_non_null(fake_request(world->fake, "dm2%3Ahs.test/leave"));
    world_free(world);
}

static void private_rooms_that_are_over_make_place(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "invite_from", "hs.test");
    fake_private_limit(world->fake, 1000);
    log_in(world);
    sync_rooms(world, "");
    for (int i = 0; i < 600; i++) { /* more than there are rooms in all */
        char text[800];
        snprintf(text, sizeof(text), INVITE("!dm%d:hs.test", ASHA, ""), i);
        sync_rooms(world, text);
        snprintf(text, sizeof(text), "/v3/join/%%21dm%d%%3A", i);
        answer(world, text, 200, "{\"room_id\":\"!dm%d:hs.test\"}", i);
        snprintf(text, sizeof(text), JOINED("!dm%d:hs.test", ""), i);
        sync_rooms(world, text);
        snprintf(text, sizeof(text), "\"leave\":{\"!dm%d:hs.test\":{}}", i);
        sync_rooms(world, text);
    }
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_room WHERE private"), 0);
    world_free(world);
}

static void a_join_storm_is_spread(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    for (int i = 0; i < 20; i++) {
        char address[40];
        snprintf(address, sizeof(address), "!more%d:hs.test", i);
        fake_room(world->fake, "home", address, "Matrix", "dpulo", HR_ROOM_PEOPLE);
    }
    log_in(world);
    sync_rooms(world, "");
    int joined = 0;
    for (int round = 0; round < 100 && joined < 21; round++) {
        int at_once = 0;
        while (fake_request(world->fake, "/v3/join/") != NULL) {
            answer(world, "/v3/join/", 200, "{\"room_id\":\"!x\"}");
            at_once++;
        }
        assert_in_range(at_once, 0, 4);
        joined += at_once;
        fake_pass(world->fake, 300);
    }
    assert_int_equal(joined, 21);
    world_free(world);
}

static void an_undecided_invite_survives_a_restart(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_rooms(world, INVITE("!dm:hs.test", "@carl:else.test", ""));
    assert_non_null(fake_request(world->fake, "/state/m.room.member/"));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    sync_rooms(world, JOINED(ROOM, ""));
    answer(world, "/state/m.room.member/", 200, "{\"membership\":\"join\"}");
    assert_non_null(fake_request(world->fake, "/v3/join/%21dm"));
    world_free(world);
}

/* ---- out ------------------------------------------------------------------------------------------------ */

static void after_a_kick_the_bot_stays_out_until_a_known_person_invites_it(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_rooms(world,
               "\"leave\":{\"" ROOM "\":{\"timeline\":{\"events\":[{\"type\":\"m.room.member\",\"sender\":\"" ASHA
               "\",\"state_key\":\"" BOT "\",\"event_id\":\"$k\",\"content\":{\"membership\":\"leave\","
               "\"reason\":\"too loud\"}}]}}}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "removed by " ASHA ": too loud"));
    fake_pass(world->fake, 3600000);
    assert_null(fake_request(world->fake, "/v3/join/"));
    fake_stop(world->fake);
    assert_int_equal(fake_start(world->fake), HR_OK);
    sync_rooms(world, "");
    assert_null(fake_request(world->fake, "/v3/join/"));
    sync_rooms(world, INVITE(ROOM, BEN, ""));
    assert_null(fake_request(world->fake, "/v3/join/"));
    answer(world, "/leave", 200, "{}");
    fake_account(world->fake, ASHA);
    sync_rooms(world, INVITE(ROOM, ASHA, ""));
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_events(world, TEXT("$1", ASHA, "before") "," MEMBER(BOT, "bot") "," TEXT("$2", ASHA, "after"));
    assert_true(fake_last(world->fake, FAKE_UP) != NULL);
    assert_string_equal(last_post(world)->text, "after");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    world_free(world);
}

#define TOMBSTONE(to)                                                                                             \
    "{\"type\":\"m.room.tombstone\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$t\",\"content\":{" \
    "\"body\":\"moved\",\"replacement_room\":\"" to "\"}}"

static void an_upgraded_room_is_followed_if_the_new_one_points_back(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "one") "," TOMBSTONE(NEW));
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "upgraded"));
    assert_non_null(fake_request(world->fake, "/v3/join/%21new%3Ahs.test?server_name=hs.test"));
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" NEW "\"}");
    answer(world, "/state/m.room.create", 200, "{\"predecessor\":{\"room_id\":\"" ROOM "\"}}");
    sync_rooms(world, JOINED(NEW, ""));
    sync_rooms(world, "\"join\":{\"" NEW "\":{\"timeline\":{\"events\":[" TEXT("$n", BEN, "here we are") "]}}}");
    assert_string_equal(last_post(world)->text, "here we are");
    assert_string_equal(last_post(world)->address, ROOM);
    assert_string_equal(fake_last(world->fake, FAKE_UP)->address, ROOM);
    fake_send(world->fake, 5, world->room, "{\"type\":\"m.room.message\",\"content\":{\"body\":\"x\"}}");
    assert_non_null(fake_request(world->fake, "/rooms/%21new%3Ahs.test/send/"));
    world_free(world);
}

static void a_room_that_is_upgraded_just_after_joining_is_followed(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, "");
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_rooms(world, JOINED(ROOM, ""));
    sync_events(world, TOMBSTONE(NEW));
    assert_non_null(fake_request(world->fake, "/v3/join/%21new"));
    answer(world, "/v3/join/", 500, "{}");
    sync_events(world, TEXT("$1", ASHA, "still talking in the old one"));
    fake_pass(world->fake, 90001);
    assert_non_null(fake_request(world->fake, "/v3/join/%21new"));
    world_free(world);
}

static void a_new_room_that_does_not_point_back_is_not_taken(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TOMBSTONE(NEW));
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" NEW "\"}");
    answer(world, "/state/m.room.create", 200, "{\"predecessor\":{\"room_id\":\"!other:hs.test\"}}");
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "does not say that it follows"));
    sync_rooms(world, "\"join\":{\"" NEW "\":{\"timeline\":{\"events\":[" TEXT("$n", BEN, "trap") "]}}}");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 0);
    world_free(world);
}

static void a_status_line_names_the_rooms_that_are_down(void **state)
{
    (void)state;
    struct world *world = world_open();
    fake_report(world->fake);
    assert_non_null(fake_with(world->fake, FAKE_OUT, "1 of 1 rooms are ready"));
    assert_non_null(fake_with(world->fake, FAKE_OUT, "one thing in 5.0 seconds, 10 at once"));
    sync_events(world, "{\"type\":\"m.room.encryption\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$e\","
                       "\"content\":{\"algorithm\":\"m.rot13\"}}");
    fake_report(world->fake);
    assert_non_null(fake_with(world->fake, FAKE_OUT, "Room " ROOM ": the room is encrypted in a way"));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_of_the_configuration_are_joined_at_start),
        cmocka_unit_test(what_was_said_before_the_bot_came_is_not_read),
        cmocka_unit_test(an_alias_is_resolved_once_and_remembered),
        cmocka_unit_test(a_closed_room_says_what_to_do),
        cmocka_unit_test(a_server_that_stumbles_is_asked_again_to_join),
        cmocka_unit_test(a_room_the_bot_was_in_already_is_found_by_a_full_sync),
        cmocka_unit_test(an_encrypted_room_is_sealed_and_hears_no_plain_word),
        cmocka_unit_test(a_person_of_the_chat_may_open_a_private_room),
        cmocka_unit_test(members_the_bot_has_not_seen_are_looked_up),
        cmocka_unit_test(listed_people_servers_and_known_hosts_may_invite),
        cmocka_unit_test(a_private_room_may_be_encrypted),
        cmocka_unit_test(only_so_many_private_rooms_open),
        cmocka_unit_test(private_rooms_that_are_over_make_place),
        cmocka_unit_test(a_join_storm_is_spread),
        cmocka_unit_test(an_undecided_invite_survives_a_restart),
        cmocka_unit_test(after_a_kick_the_bot_stays_out_until_a_known_person_invites_it),
        cmocka_unit_test(an_upgraded_room_is_followed_if_the_new_one_points_back),
        cmocka_unit_test(a_room_that_is_upgraded_just_after_joining_is_followed),
        cmocka_unit_test(a_new_room_that_does_not_point_back_is_not_taken),
        cmocka_unit_test(a_status_line_names_the_rooms_that_are_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
