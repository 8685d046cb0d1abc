/* SPDX-License-Identifier: MIT */
/* Nothing is said in plain words where a room is encrypted, or may be; private rooms that lead nowhere are left. */
#include "matrix_test.h"

#define CREATE \
    "{\"type\":\"m.room.create\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$c\",\"content\":{}}"

/* A reply that came before the full one tells nothing of encryption and rights. */
static void nothing_is_said_in_a_room_before_its_whole_state_is_known(void **state)
{
    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        struct world *world = world_new("#chat:hs.test");
        log_in(world);
        sync_rooms(world, JOINED(ROOM, "")); /* not known by its id yet */
        answer(world, "/v3/directory/", 200, "{\"room_id\":\"" ROOM "\",\"servers\":[]}");
        sync_events(world, TEXT("$1", ASHA, "hi"));
        assert_false(is_up(world, "#chat:hs.test"));
        assert_non_null(fake_request(world->fake, "timeout=0&full_state=true&since=s2"));
        sync_rooms(world, encrypted ? "\"join\":{\"" ROOM "\":{\"state\":{\"events\":[" CREATE "," ENCRYPTION "]}}}"
                                    : "\"join\":{\"" ROOM "\":{\"state\":{\"events\":[" CREATE "]}}}");
        assert_true(is_up(world, "#chat:hs.test"));
        assert_int_equal(fake_count(world->fake, FAKE_SEAL) > 0, encrypted);
        world_free(world);
    }
}

static void an_encryption_event_that_cannot_be_read_counts(void **state)
{
    (void)state;
    char deep[201];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    deep[200] = '\0';
    struct world *world = world_open();
    char text[600];
    snprintf(text, sizeof(text),
             "{\"type\":\"m.room.encryption\",\"sender\":\"" ASHA "\",\"state_key\":\"\",\"event_id\":\"$e\","
             "\"content\":{\"algorithm\":%s}}",
             deep);
    sync_events(world, text);
    assert_false(is_up(world, ROOM));
    assert_int_equal(
        fake_send(world->fake, 5, world->room, "{\"type\":\"m.room.message\",\"content\":{\"body\":\"x\"}}"),
        HR_ERETRY);
    assert_null(fake_request(world->fake, "PUT"));
    world_free(world);
}

static void a_room_encrypted_once_stays_so_under_another_name(void **state)
{
    (void)state;
    struct world *world = world_new("#chat:hs.test"); /* by its id before, and the server has lost the event */
    log_in(world);
    fake_sql(world->fake, "INSERT INTO matrix_encrypted VALUES('" ROOM "')");
    sync_rooms(world, "");
    answer(world, "/v3/directory/", 200, "{\"room_id\":\"" ROOM "\",\"servers\":[]}");
    answer(world, "/v3/join/", 200, "{\"room_id\":\"" ROOM "\"}");
    sync_rooms(world, JOINED(ROOM, CREATE));
    assert_false(is_up(world, "#chat:hs.test"));
    assert_non_null(fake_with(world->fake, FAKE_DOWN, "encrypted"));
    world_free(world);
}

static void a_private_room_without_anybody_else_is_left(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_rooms(world, INVITE("!dm:hs.test", ASHA, ""));
    answer(world, "/v3/join/%21dm", 200, "{\"room_id\":\"!dm:hs.test\"}");
    sync_rooms(world, JOINED("!dm:hs.test", ""));
    sync_rooms(world, "\"join\":{\"" ROOM "\":{\"summary\":{\"m.joined_member_count\":1}}}");
    assert_null(fake_request(world->fake, "/leave"));
    sync_rooms(world, "\"join\":{\"!dm:hs.test\":{\"summary\":{\"m.joined_member_count\":1}}}");
    assert_non_null(fake_request(world->fake, "/rooms/%21dm%3Ahs.test/leave"));
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_room WHERE private"), 0);
    answer(world, "/leave", 200, "{}");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_in_a_room_before_its_whole_state_is_known),
        cmocka_unit_test(an_encryption_event_that_cannot_be_read_counts),
        cmocka_unit_test(a_room_encrypted_once_stays_so_under_another_name),
        cmocka_unit_test(a_private_room_without_anybody_else_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
