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
        {403, "{\"errcode\":\"M_FORBIDDEN\",\"error\":\"muted\"}", HR_ERETRY, 2000, 2000, "may not speak"},
        {413, "{\"errcode\":\"M_TOO_LARGE\"}", HR_EFAIL, 0, 0, "too long"},
        {400, "{\"errcode\":\"M_BAD_JSON\",\"error\":\"odd\\u0007 \\u202e\"}", HR_EFAIL, 0, 0, "M_BAD_JSON"},
        {404, "{}", HR_ERETRY, 2000, 2000, "404"},
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

static void a_part_in_doubt_is_put_again_while_the_server_remembers(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    part.flags = HR_PART_DOUBT;
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    assert_non_null(fake_request(world->fake, "PUT"));
    world_free(world);
}

#define HOUR 3600000LL
#define CONTENT "{\"body\":\"hi\",\"m.mentions\":{},\"msgtype\":\"m.text\"}"
/* An event of that age, in hours. */
#define AGED(id, who, age, content)                                                                       \
    "{\"type\":\"m.room.message\",\"sender\":\"" who "\",\"event_id\":\"" id "\",\"origin_server_ts\":1," \
    "\"unsigned\":{\"age\":" age "},\"content\":" content "}"
#define OTHER "{\"body\":\"other\",\"msgtype\":\"m.text\"}"

/* A line first tried a day ago; the history is given in the reply to it. */
static struct world *world_in_doubt(struct hr_part *part)
{
    struct world *world = world_open();
    *part = part_of(world, BODY);
    part->flags = HR_PART_DOUBT;
    part->first_ms = FAKE_NOW_MS - 24 * HOUR;
    assert_int_equal(fake_send_part(world->fake, part), HR_OK);
    assert_null(fake_request(world->fake, "PUT"));
    return world;
}

static void an_old_part_in_doubt_is_found_in_the_history(void **state)
{
    (void)state;
    struct hr_part part;
    struct world *world = world_in_doubt(&part);
    answer(world, "GET http://127.0.0.1:8008/_matrix/client/v3/rooms/%21room%3Ahs.test/messages?dir=b&limit=100", 200,
           "{\"chunk\":[" AGED("$a", ASHA, "80000000", CONTENT) "," AGED("$b", BOT, "80000000",
                                                                         OTHER) "],\"end\":\"p2\"}");
    answer(world, "&from=p2", 200, "{\"chunk\":[" AGED("$mine", BOT, "86399000", CONTENT) "],\"end\":\"p3\"}");
    assert_int_equal(sent(world)->status, HR_OK);
    assert_string_equal(sent(world)->key, "$mine");
    assert_null(fake_request(world->fake, "PUT"));
    world_free(world);
}

static void an_old_part_that_is_surely_not_there_is_put_again(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "{\"chunk\":[" AGED("$b", BOT, "80000000", OTHER) "," AGED("$c", ASHA, "86500000", CONTENT) "],\"end\":\"p2\"}",
        /* said before, too: another part */
        "{\"chunk\":[" AGED("$b", BOT, "90000000", CONTENT) "],\"end\":\"p2\"}",
        "{\"chunk\":[]}", /* the room's beginning */
    };
    for (size_t i = 0; i < 3; i++) {
        struct hr_part part;
        struct world *world = world_in_doubt(&part);
        answer(world, "/messages?dir=b", 200, "%s", pages[i]);
        assert_non_null(fake_request(world->fake, "PUT"));
        assert_non_null(strstr(fake_last(world->fake, FAKE_HTTP)->url, "/send/m.room.message/store.7"));
        answer(world, "PUT", 200, "{\"event_id\":\"$new\"}");
        assert_string_equal(sent(world)->key, "$new");
        world_free(world);
    }
}

static void a_history_that_cannot_tell_leaves_it_unknown(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *page;
        int status;
    } table[] = {
        {403, "{\"errcode\":\"M_FORBIDDEN\"}", HR_EUNKNOWN},
        {502, "<html>", HR_ERETRY},
        {200, "[]", HR_EUNKNOWN},
        /* removed by somebody since */
        {200, "{\"chunk\":[" AGED("$r", BOT, "80000000", "{}") "," AGED("$c", ASHA, "90000000", OTHER) "]}",
         HR_EUNKNOWN},
        /* ten seconds before the first try */
        {200, "{\"chunk\":[" AGED("$r", BOT, "86410000", CONTENT) "," AGED("$c", ASHA, "90000000", OTHER) "]}",
         HR_EUNKNOWN},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct hr_part part;
        struct world *world = world_in_doubt(&part);
        answer(world, "/messages?dir=b", table[i].code, "%s", table[i].page);
        assert_int_equal(sent(world)->status, table[i].status);
        world_free(world);
    }
    /* another server's dates prove nothing; and nobody reads for ever */
    struct hr_part part;
    struct world *world = world_in_doubt(&part);
    int pages = 0;
    for (; pages < 100 && fake_request(world->fake, "/messages?") != NULL; pages++) {
        answer(world, "/messages?", 200,
               "{\"chunk\":[" AGED("$f", "@eve:far.test", "990000000", OTHER) "],\"end\":\"p%d\"}", pages);
    }
    assert_int_equal(pages, 30);
    assert_int_equal(sent(world)->status, HR_EUNKNOWN);
    world_free(world);
}

static void a_part_of_an_earlier_device_is_looked_up_but_an_edit_is_put(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_part part = part_of(world, BODY);
    part.flags = HR_PART_DOUBT;
    part.first_ms = FAKE_NOW_MS - 1;
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK); /* the network was down in between */
    assert_int_equal(fake_count(world->fake, FAKE_HTTP_CANCEL), 1);
    part.act = HR_ACT_EDIT;
    part.id = 8;
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    assert_non_null(fake_request(world->fake, "PUT"));
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

static void a_lowered_rate_rises_hour_by_hour_and_outlives_a_restart(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "rate_ms", "1000");
    fake_option(world->fake, "burst", "10");
    log_in(world);
    sync_rooms(world, JOINED(ROOM, ""));
    struct hr_part part = part_of(world, BODY);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
        answer(world, "PUT", 429, "{\"retry_after_ms\":20000}");
    }
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.rate, 0.05, 1e-9);
    assert_int_equal(fake_report(world->fake) > 0, 1);
    assert_non_null(fake_with(world->fake, FAKE_OUT, "less than configured"));
    fake_pass(world->fake, 3 * HOUR + 1);
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.rate, 0.35, 1e-9);
    assert_int_equal(fake_send_part(world->fake, &part), HR_OK);
    answer(world, "PUT", 429, "{\"retry_after_ms\":20000}"); /* one alone lowers nothing, but starts the hour anew */
    fake_pass(world->fake, HOUR - 1);
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.rate, 0.35, 1e-9);
    fake_stop(world->fake);
    fake_pass(world->fake, 2 * HOUR); /* time away counts */
    assert_int_equal(fake_start(world->fake), HR_OK);
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.rate, 0.55, 1e-9);
    fake_pass(world->fake, 10 * HOUR);
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.rate, 1, 1e-9);
    assert_float_equal(fake_last(world->fake, FAKE_LIMITS)->limits.burst, 10, 1e-9);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_budget"), 0);
    fake_forget(world->fake);
    (void)fake_report(world->fake);
    assert_null(fake_with(world->fake, FAKE_OUT, "less than configured"));
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
        cmocka_unit_test(a_part_in_doubt_is_put_again_while_the_server_remembers),
        cmocka_unit_test(an_old_part_in_doubt_is_found_in_the_history),
        cmocka_unit_test(an_old_part_that_is_surely_not_there_is_put_again),
        cmocka_unit_test(a_history_that_cannot_tell_leaves_it_unknown),
        cmocka_unit_test(a_part_of_an_earlier_device_is_looked_up_but_an_edit_is_put),
        cmocka_unit_test(the_second_pause_in_ten_minutes_lowers_the_rate),
        cmocka_unit_test(a_lowered_rate_rises_hour_by_hour_and_outlives_a_restart),
        cmocka_unit_test(limits_come_from_the_configuration),
        cmocka_unit_test(nothing_is_sent_without_a_session_or_a_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
