/* SPDX-License-Identifier: MIT */
/* Rooms that change: levels that silence the bot, rooms that are gone, moved, or quiet; limits of private rooms. */
#include "matrix_test.h"

#define PART "{\"type\":\"m.room.message\",\"content\":{}}"
#define NEW12 "!v12idwithoutaserver"
#define DAY 86400000LL
#define LEVELS(say, bot)                                                                                           \
    "{\"type\":\"m.room.power_levels\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$l" say bot "\"," \
    "\"content\":{\"events_default\":" say ",\"users\":{\"" ASHA "\":100,\"" BOT "\":" bot "}}}"
#define TOMBSTONE                                                                                    \
    "{\"type\":\"m.room.tombstone\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$t\"," \
    "\"content\":{\"body\":\"moved\",\"replacement_room\":\"" NEW12 "\"}}"

static const char *last_down(struct world *world)
{
    const struct fake_record *record = fake_last(world->fake, FAKE_DOWN);
    return record != NULL ? record->text : "";
}

static void a_bot_that_may_not_speak_waits_until_the_levels_change(void **state)
{
    (void)state;
    struct world *world = world_open();
    assert_true(is_up(world, ROOM));
    fake_forget(world->fake);
    sync_events(world, LEVELS("50", "0"));
    assert_non_null(strstr(last_down(world), "takes power level 50, and it has 0"));
    sync_events(world, TEXT("$1", ASHA, "still read"));
    assert_string_equal(last_post(world)->text, "still read");
    assert_int_equal(fake_count(world->fake, FAKE_DOWN), 1); /* one line */
    fake_forget(world->fake);
    sync_events(world, LEVELS("50", "50"));
    assert_true(is_up(world, ROOM));
    world_free(world);
}

static void a_silent_room_is_known_from_the_start(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    log_in(world);
    sync_rooms(world, JOINED(ROOM, LEVELS("10", "-1")));
    assert_false(is_up(world, ROOM));
    assert_non_null(strstr(last_down(world), "takes power level 10, and it has -1"));
    world_free(world);
}

static void send_again(struct world *world, int attempt, int code)
{
    const struct hr_part part = {
        .size = sizeof(part),
        .id = 7,
        .txn = "store.7",
        .room = fake_api(world->fake)->room(fake_bot(world->fake), world->room),
        .act = HR_ACT_SAY,
        .body = PART,
        .body_len = strlen(PART),
        .attempt = attempt,
        .first_ms = FAKE_NOW_MS,
    };
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    answer(world, "PUT", code, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"not in room\"}");
}

static void a_room_that_vanished_is_noticed_and_said_once(void **state)
{
    (void)state;
    struct world *world = world_open();
    send_again(world, 1, 403);
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_ERETRY);
    send_again(world, 2, 403);
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_EFAIL);
    assert_non_null(fake_request(world->fake, "full_state=true"));
    sync_rooms(world, "");
    answer(world, "/v3/join/", 404, "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"unknown room\"}");
    assert_false(is_up(world, ROOM));
    assert_non_null(strstr(last_down(world), "the room is gone"));
    fake_forget(world->fake);
    sync_rooms(world, "");
    fake_pass(world->fake, DAY);
    assert_int_equal(fake_count(world->fake, FAKE_DOWN), 0);
    world_free(world);
}

static void a_refusal_by_a_room_the_bot_is_in_is_looked_into_now_and_then_only(void **state)
{
    (void)state;
    struct world *world = world_open();
    send_again(world, 2, 403);
    sync_rooms(world, JOINED(ROOM, ""));
    assert_true(is_up(world, ROOM));
    send_again(world, 2, 403);
    assert_null(fake_request(world->fake, "full_state=true"));
    world_free(world);
}

/* ---- upgrades ----------------------------------------------------------------------------- */

static void an_upgrade_survives_a_server_that_stumbles(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TOMBSTONE);
    answer(world, "/v3/join/%21v12idwithoutaserver?server_name=hs.test&via=hs.test", 200, "{}");
    answer(world, "/state/m.room.create", 502, "<html>");
    fake_pass(world->fake, 90001);
    answer(world, "/v3/join/", 200, "{}");
    answer(world, "/state/m.room.create", 200, "{\"room_version\":\"12\",\"predecessor\":{\"room_id\":\"" ROOM "\"}}");
    sync_rooms(world, "\"join\":{\"" NEW12 "\":{\"timeline\":{\"events\":[" MEMBER(BOT, "bot") "," TEXT(
                          "$1", ASHA, "in the new room") "]}}}");
    assert_string_equal(last_post(world)->text, "in the new room");
    assert_string_equal(last_post(world)->address, ROOM);
    world_free(world);
}

static void an_invite_opens_the_closed_room_that_follows(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TOMBSTONE);
    answer(world, "/v3/join/", 403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"not invited\"}");
    assert_non_null(strstr(last_down(world), "was upgraded to"));
    sync_rooms(world, INVITE(NEW12, BEN, ""));
    answer(world, "/v3/join/", 200, "{}");
    answer(world, "/state/m.room.create", 200, "{\"predecessor\":{\"room_id\":\"!another:hs.test\"}}");
    assert_non_null(strstr(last_down(world), "does not say that it follows"));
    world_free(world);
}

/* ---- private rooms --------------------------------------------------------------------------- */

static void open_private(struct world *world, int n)
{
    answer(world, "/v3/sync", 200,
           "{\"next_batch\":\"i%d\",\"rooms\":{\"invite\":{\"!dm%d:hs.test\":{\"invite_state\":{\"events\":["
           "{\"type\":\"m.room.member\",\"sender\":\"" BEN "\",\"state_key\":\"" BOT "\",\"content\":{"
           "\"membership\":\"invite\"}}]}}}}}",
           n, n);
}

static void come_in(struct world *world, int n, const char *words)
{
    answer(world, "/v3/sync", 200,
           "{\"next_batch\":\"j%d\",\"rooms\":{\"join\":{\"!dm%d:hs.test\":{\"timeline\":{\"events\":[" MEMBER(
               BOT, "bot") "," TEXT("$dm%d%s", BEN, "%s") "]}}}}}",
           n, n, n, words, words);
}

static void one_person_opens_three_private_rooms_at_most(void **state)
{
    (void)state;
    struct world *world = world_open();
    for (int n = 0; n < 3; n++) {
        open_private(world, n);
        answer(world, "/v3/join/", 200, "{}");
        come_in(world, n, "help");
    }
    for (int restart = 0; restart < 2; restart++) {
        open_private(world, 3 + restart);
        assert_null(fake_request(world->fake, "/v3/join/"));
        assert_non_null(fake_with(world->fake, FAKE_HTTP, "already have 3 conversations"));
        answer(world, "/leave", 200, "{}");
        fake_stop(world->fake);
        fake_forget(world->fake);
        assert_int_equal(fake_start(world->fake), HR_OK);
        sync_rooms(world, JOINED(ROOM, MEMBER(BEN, "Ben")) ",\"leave\":{}");
        if (restart == 0) { /* that reply named none of the private rooms: they are over */
            assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_room WHERE private"), 0);
            for (int n = 0; n < 3; n++) {
                open_private(world, n);
                answer(world, "/v3/join/", 200, "{}");
                come_in(world, n, "again");
            }
        }
    }
    world_free(world);
}

static void a_quiet_private_room_is_left_after_thirty_days_also_across_restarts(void **state)
{
    (void)state;
    struct world *world = world_open();
    open_private(world, 0);
    answer(world, "/v3/join/", 200, "{}");
    come_in(world, 0, "help");
    fake_pass(world->fake, 20 * DAY);
    come_in(world, 0, "later");
    fake_stop(world->fake);
    fake_pass(world->fake, 20 * DAY);
    assert_int_equal(fake_start(world->fake), HR_OK);
    answer(world, "/v3/sync", 200, "{\"next_batch\":\"x\",\"rooms\":{\"join\":{\"" ROOM "\":{},\"!dm0:hs.test\":{}}}}");
    fake_pass(world->fake, 9 * DAY);
    assert_null(fake_request(world->fake, "/leave"));
    fake_pass(world->fake, 2 * DAY);
    assert_non_null(fake_request(world->fake, "/rooms/%21dm0%3Ahs.test/leave"));
    assert_non_null(fake_with(world->fake, FAKE_HTTP, "for 30 days"));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bot_that_may_not_speak_waits_until_the_levels_change),
        cmocka_unit_test(a_silent_room_is_known_from_the_start),
        cmocka_unit_test(a_room_that_vanished_is_noticed_and_said_once),
        cmocka_unit_test(a_refusal_by_a_room_the_bot_is_in_is_looked_into_now_and_then_only),
        cmocka_unit_test(an_upgrade_survives_a_server_that_stumbles),
        cmocka_unit_test(an_invite_opens_the_closed_room_that_follows),
        cmocka_unit_test(one_person_opens_three_private_rooms_at_most),
        cmocka_unit_test(a_quiet_private_room_is_left_after_thirty_days_also_across_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
