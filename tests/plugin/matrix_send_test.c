/* SPDX-License-Identifier: MIT */
/* Parts to the server: the same request each time, and what each answer means. */
#include "matrix_test.h"

#define BODY "{\"content\":{\"body\":\"hi\",\"m.mentions\":{},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}"

static struct hr_part part_of(struct world *world, const char *body)
{
    return (struct hr_part){
        .size = sizeof(struct hr_part),
        .id = 7,
        .txn = "store.7",
        .room = fake_api(world->fake)->room(fake_bot(world->fake), world->room),
        .act = HR_ACT_SAY,
        .body = body,
        .body_len = strlen(body),
        .attempt = 1,
        .first_ms = FAKE_NOW_MS,
    };
}

static const struct fake_record *sent(struct world *world)
{
    const struct fake_record *record = fake_last(world->fake, FAKE_SENT);
    assert_non_null(record);
    assert_int_equal(record->part, 7);
    return record;
}

static void a_part_is_put_under_its_transaction_and_answered_with_the_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    for (part.attempt = 1; part.attempt < 3; part.attempt++) {
        assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
        const struct fake_record *put = fake_last(world->fake, FAKE_HTTP);
        assert_string_equal(put->method, "PUT");
        assert_string_equal(put->url,
                            "http://127.0.0.1:8008/_matrix/client/v3/rooms/%21room%3Ahs.test/send/m.room.message/"
                            "store.7");
        assert_string_equal(put->text, "{\"body\":\"hi\",\"m.mentions\":{},\"msgtype\":\"m.text\"}");
        answer(world, "PUT", 200, "{\"event_id\":\"$new\"}");
        assert_int_equal(sent(world)->status, HR_OK);
        assert_string_equal(sent(world)->key, "$new");
    }
    world_free(world);
}

static void a_redaction_is_put_at_its_target(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, "{\"content\":{},\"redacts\":\"$a/b\",\"type\":\"m.room.redaction\"}");
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    assert_string_equal(fake_last(world->fake, FAKE_HTTP)->url,
                        "http://127.0.0.1:8008/_matrix/client/v3/rooms/%21room%3Ahs.test/redact/%24a%2Fb/store.7");
    assert_string_equal(fake_last(world->fake, FAKE_HTTP)->text, "{}");
    world_free(world);
}

static void answers_settle_a_part_or_keep_it(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *body;
        int status;
        int64_t least_ms, most_ms;
        const char *reason;
    } table[] = {
        {429, "{\"errcode\":\"M_LIMIT_EXCEEDED\",\"retry_after_ms\":4321}", HR_ERETRY, 4321, 4321, "pause"},
        {429, "{\"errcode\":\"M_LIMIT_EXCEEDED\"}", HR_ERETRY, 5000, 5000, "pause"},
        {429, "{\"retry_after_ms\":99999999999}", HR_ERETRY, 600000, 600000, "pause"},
        {502, "<html>", HR_ERETRY, 500, 1500, "502"},
        {503, "{}", HR_ERETRY, 500, 1500, "503"},
        {200, "not JSON", HR_ERETRY, 500, 1500, NULL},
        {200, "{}", HR_ERETRY, 500, 1500, NULL},
        {403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"muted\"}", HR_EFAIL, 0, 0, "may not speak"},
        {413, "{\"errcode\":\"M_TOO_LARGE\"}", HR_EFAIL, 0, 0, "too long"},
        {400, "{\"errcode\":\"M_BAD_JSON\",\"error\":\"odd\\u0007 \\u202e\"}", HR_EFAIL, 0, 0, "M_BAD_JSON"},
        {404, "{}", HR_EFAIL, 0, 0, "404"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_open();
        struct hr_part part = part_of(world, BODY);
        assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
        answer(world, "PUT", table[i].code, "%s", table[i].body);
        const struct fake_record *record = sent(world);
        assert_int_equal(record->status, table[i].status);
        assert_in_range(record->retry_ms, table[i].least_ms, table[i].most_ms);
        if (table[i].reason != NULL && strstr(record->text, table[i].reason) == NULL) {
            fail_msg("%d: %s", table[i].code, record->text);
        }
        for (const char *c = record->text; *c != '\0'; c++) {
            assert_in_range(*c, ' ', '~');
        }
        world_free(world);
    }
}

static void no_answer_means_the_same_once_more(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    const struct hr_reply reply = {
        .status = HR_ERETRY, .retry_ms = -1, .body = "", .headers = "", .error = "cut", .sent = true};
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    fake_reply_full(world->fake, fake_request(world->fake, "PUT"), &reply);
    assert_int_equal(sent(world)->status, HR_ERETRY);
    assert_true(sent(world)->retry_ms > 0);
    world_free(world);
}

static void a_part_in_doubt_is_put_again_only_while_the_server_remembers(void **state)
{
    (void)state;
    static const int64_t hour = 3600000;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    part.flags = HR_PART_DOUBT;
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    assert_non_null(fake_request(world->fake, "PUT"));
    part.first_ms = FAKE_NOW_MS - 24 * hour;
    assert_int_equal(fake_send_part(world->fake, &part), HR_EUNKNOWN);
    part.first_ms = FAKE_NOW_MS - 1; /* before this device came to be: its transactions are others */
    assert_int_equal(fake_send_part(world->fake, &part), HR_EUNKNOWN);
    world_free(world);
}

static void the_second_pause_in_ten_minutes_lowers_the_rate(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    fake_forget(world->fake);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fake_count(world->fake, FAKE_LIMITS), 0);
        assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
        answer(world, "PUT", 429, "{\"retry_after_ms\":20000}");
        fake_pass(world->fake, 20000);
    }
    assert_int_equal(fake_count(world->fake, FAKE_LIMITS), 1);
    assert_true(fake_last(world->fake, FAKE_LIMITS)->limits.rate < 0.051);
    world_free(world);
}

static void limits_come_from_the_configuration(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "rate_ms", "500");
    fake_option(world->fake, "burst", "3");
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_true(fake_last(world->fake, FAKE_LIMITS)->limits.rate == 2.0);
    assert_true(fake_last(world->fake, FAKE_LIMITS)->limits.burst == 3.0);
    assert_int_equal(fake_last(world->fake, FAKE_LIMITS)->limits.window, 1);
    world_free(world);
    world = world_new(ROOM);
    fake_option(world->fake, "rate_ms", "0");
    fake_option(world->fake, "burst", "0");
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_true(fake_last(world->fake, FAKE_LIMITS)->limits.rate > 10000);
    world_free(world);
}

static void nothing_is_sent_without_a_session_or_a_room(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    assert_int_equal(fake_start(world->fake), HR_OK);
    struct hr_part part = part_of(world, BODY);
    assert_int_equal(fake_send_part(world->fake, &part), HR_ERETRY);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_put_under_its_transaction_and_answered_with_the_event),
        cmocka_unit_test(a_redaction_is_put_at_its_target),
        cmocka_unit_test(answers_settle_a_part_or_keep_it),
        cmocka_unit_test(no_answer_means_the_same_once_more),
        cmocka_unit_test(a_part_in_doubt_is_put_again_only_while_the_server_remembers),
        cmocka_unit_test(the_second_pause_in_ten_minutes_lowers_the_rate),
        cmocka_unit_test(limits_come_from_the_configuration),
        cmocka_unit_test(nothing_is_sent_without_a_session_or_a_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
