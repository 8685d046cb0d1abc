/* SPDX-License-Identifier: MIT */
/* Pictures: whose are carried, what is asked of the homeserver, what is given out, what another room gets. */
#include "matrix_test.h"

#include "../../plugins/matrix/media_type.h"

#define PNG "\x89PNG\r\n"
#define IMAGE(url, more)                                                                                      \
    "{\"msgtype\":\"m.image\",\"body\":\"A red bus\",\"filename\":\"bus.png\",\"url\":\"" url "\",\"info\":{" \
    "\"mimetype\":\"image/png\",\"w\":30,\"h\":20" more "}}"
#define BUS IMAGE("mxc://far.test/AbC-1", "")
#define DOWNLOAD "GET http://127.0.0.1:8008/_matrix/client/v1/media/download/far.test/AbC-1"

static struct world *open_world(const char *whose)
{
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "media", whose);
    fake_pages(world->fake);
    fake_sql(world->fake, "CREATE TABLE core_pub_message(scope, key, state, author);"
                          "INSERT INTO core_pub_message VALUES('matrix', '$1', 'live', '" ASHA "'),"
                          "('matrix', '$2', 'live', '" ASHA "')");
    return world_enter(world);
}

/* What stands behind the address of the last picture. */
static const char *path_of(struct world *world)
{
    const char *url = last_post(world)->media_url, *base = "https://pages.example.org/home/";
    assert_int_equal(strncmp(url, base, strlen(base)), 0);
    return url + strlen(base);
}

static const struct fake_record *page(struct world *world)
{
    const struct fake_record *record = fake_last(world->fake, FAKE_PAGE);
    assert_non_null(record);
    return record;
}

static void pictures_are_described_and_no_more_unless_the_operator_wants_it(void **state)
{
    static const struct {
        const char *whose;
        bool asha, ben;
    } row[] = {{"nobody", false, false}, {"roles", true, false}, {"known", true, false}, {"everyone", true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct world *world = open_world(row[i].whose);
        sync_events(world, EVENT("$1", ASHA, BUS));
        assert_string_equal(last_post(world)->text, "(Image: A red bus)");
        assert_int_equal((last_post(world)->flags & HR_MSG_MEDIA) != 0, row[i].asha);
        sync_events(world, EVENT("$2", BEN, BUS));
        assert_int_equal((last_post(world)->flags & HR_MSG_MEDIA) != 0, row[i].ben);
        assert_int_equal(last_post(world)->media_url[0] != '\0', row[i].ben);
        world_free(world);
    }
}

static void who_spoke_a_day_ago_is_known(void **state)
{
    (void)state;
    struct world *world = open_world("known");
    sync_events(world, TEXT("$9", BEN, "hello"));
    fake_chat_clock(world->fake, FAKE_NOW_MS + 23 * 3600 * 1000);
    sync_events(world, EVENT("$1", BEN, BUS));
    assert_int_equal(last_post(world)->flags & HR_MSG_MEDIA, 0);
    fake_chat_clock(world->fake, FAKE_NOW_MS + 25 * 3600 * 1000);
    sync_events(world, EVENT("$2", BEN, BUS));
    assert_int_not_equal(last_post(world)->flags & HR_MSG_MEDIA, 0);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM matrix_media_person WHERE who LIKE '%ben%'"), 0);
    world_free(world);
}

static void who_came_over_a_bridge_or_is_another_bot_is_only_described(void **state)
{
    (void)state;
    struct world *world = open_world("everyone");
    sync_events(world, EVENT("$1", "@irc_ben:hs.test", BUS));
    assert_int_equal(last_post(world)->flags & HR_MSG_MEDIA, 0);
    world_free(world);
}

static void odd_pictures_are_only_described(void **state)
{
    static const char *const contents[] = {
        IMAGE("http://far.test/AbC", ""),
        IMAGE("mxc://far.test", ""),
        IMAGE("mxc://far.test/", ""),
        IMAGE("mxc:///AbC", ""),
        IMAGE("mxc://far.test/../AbC", ""),
        IMAGE("mxc://far.test/a/b", ""),
        IMAGE("mxc://far.test/a%2fb", ""),
        IMAGE("mxc://far.test/a?b", ""),
        IMAGE("mxc://far test/a", ""),
        IMAGE("mxc://far.test@evil/a", ""),
        IMAGE("mxc://far.test/AbC", ",\"size\":30000000"),
        "{\"msgtype\":\"m.image\",\"body\":\"A red bus\",\"url\":\"mxc://a/b\"}",
        "{\"msgtype\":\"m.image\",\"body\":\"A red "
        "bus\",\"url\":\"mxc://a/b\",\"info\":{\"mimetype\":\"image/svg+xml\"}}",
        "{\"msgtype\":\"m.image\",\"body\":\"A red bus\",\"url\":\"mxc://a/b\",\"info\":{\"mimetype\":\"text/html\"}}",
        "{\"msgtype\":\"m.image\",\"body\":\"A red bus\",\"file\":{\"url\":\"mxc://a/b\"},\"info\":{\"mimetype\":"
        "\"image/png\"}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        struct world *world = open_world("everyone");
        char *event = NULL;
        assert_true(asprintf(&event,
                             "{\"type\":\"m.room.message\",\"sender\":\"" ASHA "\",\"event_id\":\"$1\","
                             "\"origin_server_ts\":1669751999000,\"unsigned\":{\"age\":1000},\"content\":%s}",
                             contents[i]) > 0);
        sync_events(world, event);
        free(event);
        assert_int_equal(last_post(world)->flags & HR_MSG_MEDIA, 0);
        assert_string_equal(last_post(world)->text, "(Image: A red bus)");
        world_free(world);
    }
}

static void an_address_opens_what_the_homeserver_gives(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    const char *path = path_of(world);
    assert_int_equal(fake_visit(world->fake, path), HR_OK);
    const struct fake_record *asked = fake_with(world->fake, FAKE_HTTP, "");
    for (size_t i = 0; (asked = fake_nth(world->fake, FAKE_HTTP, i)) != NULL && strstr(asked->url, "media") == NULL;) {
        i++;
    }
    assert_non_null(asked);
    assert_non_null(strstr(asked->headers, "Authorization: Bearer tok1\n"));
    answer(world, DOWNLOAD, 200, PNG "bytes");
    assert_string_equal(page(world)->address, path);
    assert_int_equal(page(world)->number, 200);
    assert_string_equal(page(world)->key, "image/png");
    assert_string_equal(page(world)->name, "bus.png");
    assert_string_equal(page(world)->text, PNG "bytes");
    assert_int_equal(page(world)->flags, 0);
    assert_int_equal(page(world)->time_ms, 60000);
    world_free(world);
}

static void what_fails_is_said_and_nothing_given(void **state)
{
    static const struct {
        int code;
        const char *body;
        int page;
    } row[] = {
        {404, "{\"errcode\":\"M_NOT_FOUND\"}", 404},
        {403, "{\"errcode\":\"M_FORBIDDEN\"}", 404},
        {502, "<html>", 503},
        {429, "{\"errcode\":\"M_LIMIT_EXCEEDED\"}", 503},
        {200, "<html>", 415},
        {200, "", 415},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct world *world = open_world("roles");
        sync_events(world, EVENT("$1", ASHA, BUS));
        assert_int_equal(fake_visit(world->fake, path_of(world)), HR_OK);
        answer(world, DOWNLOAD, row[i].code, "%s", row[i].body);
        assert_int_equal(page(world)->number, row[i].page);
        assert_string_equal(page(world)->key, "text/plain; charset=utf-8");
        assert_int_equal(page(world)->time_ms, 0);
        world_free(world);
    }
}

static void the_token_stays_at_home_when_a_server_keeps_files_elsewhere(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    assert_int_equal(fake_visit(world->fake, path_of(world)), HR_OK);
    struct hr_reply reply = {.status = HR_OK,
                             .code = 307,
                             .body = "",
                             .headers = "x: y\nlocation: https://cdn.test/file?a=b\n",
                             .error = "",
                             .retry_ms = -1};
    fake_reply_full(world->fake, fake_request(world->fake, DOWNLOAD), &reply);
    const struct fake_record *asked = fake_last(world->fake, FAKE_HTTP);
    assert_string_equal(asked->url, "https://cdn.test/file?a=b");
    assert_null(strstr(asked->headers, "Authorization"));
    reply.headers = "location: https://third.test/\n";
    fake_reply_full(world->fake, asked->request, &reply); /* once is enough */
    assert_int_equal(page(world)->number, 404);
    world_free(world);
}

static void no_more_than_four_are_fetched_at_once(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(fake_visit(world->fake, path_of(world)), HR_OK);
        assert_int_equal(fake_count(world->fake, FAKE_PAGE), 0);
    }
    assert_int_equal(fake_visit(world->fake, path_of(world)), HR_OK);
    assert_int_equal(page(world)->number, 503);
    answer(world, DOWNLOAD, 200, PNG);
    assert_int_equal(page(world)->number, 200);
    fake_forget(world->fake);
    world_free(world);
}

static void a_forged_an_old_and_a_removed_address_lead_nowhere(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s", path_of(world));
    const char *const others[] = {"", "x", ".png", path + 1, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.png"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(fake_visit(world->fake, others[i]), HR_OK);
        assert_int_equal(page(world)->number, 404);
    }
    path[20] = path[20] == 'A' ? 'B' : 'A';
    assert_int_equal(fake_visit(world->fake, path), HR_OK);
    assert_int_equal(page(world)->number, 404);
    (void)snprintf(path, sizeof(path), "%s", path_of(world));
    fake_sql(world->fake, "UPDATE core_pub_message SET state = 'hidden'"); /* by a moderator */
    assert_int_equal(fake_visit(world->fake, path), HR_OK);
    assert_int_equal(page(world)->number, 404);
    fake_sql(world->fake, "UPDATE core_pub_message SET state = 'live'");
    fake_chat_clock(world->fake, FAKE_NOW_MS + INT64_C(7) * 24 * 3600 * 1000);
    assert_int_equal(fake_visit(world->fake, path), HR_OK);
    assert_int_equal(page(world)->number, 404);
    assert_null(fake_request(world->fake, "/media/download/"));
    world_free(world);
}

/* ---- into another room ------------------------------------------------------------------ */

#define PART                                                                                                          \
    "{\"type\":\"m.room.message\",\"content\":{\"msgtype\":\"m.text\",\"body\":\"Asha on Matrix: (Image: A red bus) " \
    "https://x\",\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$0\"}}},\"media\":{\"origin\":\"$1\","           \
    "\"caption\":\"Asha on Matrix: (Image: A red bus)\"}}"

static int send_part(struct world *world, int attempt)
{
    const struct hr_part part = {.size = sizeof(part),
                                 .id = 7,
                                 .txn = "store.7",
                                 .room = fake_api(world->fake)->room(fake_bot(world->fake), world->room),
                                 .act = HR_ACT_SAY,
                                 .body = PART,
                                 .body_len = strlen(PART),
                                 .attempt = attempt,
                                 .priority = HR_PEOPLE};
    return fake_send_part(world->fake, &part);
}

static void a_picture_is_uploaded_again_for_another_room(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    assert_int_equal(send_part(world, 1), HR_OK);
    answer(world, DOWNLOAD, 200, PNG "bytes");
    const struct fake_record *asked = fake_last(world->fake, FAKE_HTTP);
    assert_string_equal(asked->method, "POST");
    assert_non_null(strstr(asked->headers, "Content-Type: image/png\n"));
    assert_string_equal(asked->text, PNG "bytes");
    answer(world, "/_matrix/media/v3/upload", 200, "{\"content_uri\":\"mxc://hs.test/New1\"}");
    asked = fake_last(world->fake, FAKE_HTTP);
    assert_string_equal(asked->method, "PUT");
    assert_string_equal(
        asked->text,
        "{\"body\":\"Asha on Matrix: (Image: A red bus)\",\"filename\":\"bus.png\",\"info\":{\"h\":20,"
        "\"mimetype\":\"image/png\",\"size\":11,\"w\":30},\"m.mentions\":{},\"m.relates_to\":{"
        "\"m.in_reply_to\":{\"event_id\":\"$0\"}},\"msgtype\":\"m.image\",\"url\":\"mxc://hs.test/New1\"}");
    answer(world, "/send/m.room.message/store.7", 200, "{\"event_id\":\"$new\"}");
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_OK);
    assert_string_equal(fake_last(world->fake, FAKE_SENT)->key, "$new");
    world_free(world);
}

static void assert_words_went(struct world *world)
{
    const struct fake_record *asked = fake_last(world->fake, FAKE_HTTP);
    assert_string_equal(asked->method, "PUT");
    assert_non_null(strstr(asked->text, "\"body\":\"Asha on Matrix: (Image: A red bus) https://x\""));
    assert_non_null(strstr(asked->text, "\"msgtype\":\"m.text\""));
}

static void where_the_picture_can_not_be_had_the_words_go_alone(void **state)
{
    static const char *const uploads[] = {"{\"content_uri\":\"http://x/y\"}", "{}"};
    (void)state;
    struct world *world = open_world("roles");
    assert_int_equal(send_part(world, 1), HR_OK); /* nothing is known of it */
    assert_words_went(world);
    world_free(world);
    world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    assert_int_equal(send_part(world, 1), HR_OK);
    answer(world, DOWNLOAD, 404, "{\"errcode\":\"M_NOT_FOUND\"}");
    assert_words_went(world);
    world_free(world);
    for (size_t i = 0; i < 2; i++) {
        world = open_world("roles");
        sync_events(world, EVENT("$1", ASHA, BUS));
        assert_int_equal(send_part(world, 3), HR_OK);
        answer(world, DOWNLOAD, 200, PNG);
        answer(world, "/upload", 200, "%s", uploads[i]);
        assert_words_went(world);
        world_free(world);
    }
    world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    assert_int_equal(send_part(world, 1), HR_OK);
    answer(world, DOWNLOAD, 200, PNG);
    answer(world, "/upload", 413, "{\"errcode\":\"M_TOO_LARGE\"}");
    assert_words_went(world);
    world_free(world);
}

static void a_server_that_is_away_is_asked_again_before_words_go_alone(void **state)
{
    (void)state;
    struct world *world = open_world("roles");
    sync_events(world, EVENT("$1", ASHA, BUS));
    for (int attempt = 1; attempt < 3; attempt++) {
        assert_int_equal(send_part(world, attempt), HR_OK);
        answer(world, DOWNLOAD, 502, "<html>");
        assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_ERETRY);
        assert_true(fake_last(world->fake, FAKE_SENT)->retry_ms > 0);
    }
    assert_int_equal(send_part(world, 3), HR_OK);
    answer(world, DOWNLOAD, 502, "<html>");
    assert_words_went(world);
    world_free(world);
}

static void a_stop_in_the_middle_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int step = 0; step < 2; step++) {
        struct world *world = open_world("roles");
        sync_events(world, EVENT("$1", ASHA, BUS));
        assert_int_equal(fake_visit(world->fake, path_of(world)), HR_OK);
        assert_int_equal(send_part(world, 1), HR_OK);
        if (step > 0) {
            answer(world, DOWNLOAD, 200, PNG);
            answer(world, DOWNLOAD, 200, PNG);
        }
        world_free(world);
    }
}

static void a_file_is_what_its_first_bytes_say(void **state)
{
    static const struct {
        const char *type, *bytes;
        size_t len;
        bool fits;
    } row[] = {
        {"image/png", "\x89PNG", 4, true},
        {"image/png", "\x89PN", 3, false},
        {"image/jpeg", "\xff\xd8\xff\xe0", 4, true},
        {"image/jpeg", "\x89PNG", 4, false},
        {"image/webp", "RIFF\x01\x02\x03\x04WEBP", 12, true},
        {"image/webp", "RIFF\x01\x02\x03\x04WAVE", 12, false},
        {"audio/mpeg", "ID3\x04", 4, true},
        {"audio/mpeg", "\xff\xfb\x90", 3, true},
        {"video/mp4",
         "\0\0\0\x18"
         "ftypisom",
         12, true},
        {"text/plain; charset=utf-8", "words", 5, true},
        {"text/plain", "wo\0ds", 5, false},
        {"application/pdf", "<html>", 6, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct media_type *type = media_type_of(row[i].type);
        assert_non_null(type);
        assert_int_equal(media_type_fits(type, row[i].bytes, row[i].len), row[i].fits);
    }
    assert_null(media_type_of("image/svg+xml"));
    assert_null(media_type_of("text/html"));
    assert_null(media_type_of(""));
    assert_null(media_type_of(NULL));
}

static void the_option_is_one_of_four_words(void **state)
{
    (void)state;
    struct world *world = world_new(ROOM);
    fake_option(world->fake, "media", "anybody");
    assert_int_equal(fake_check(world->fake), 1);
    assert_non_null(fake_with(world->fake, FAKE_PROBLEM, "Write for example: media = roles"));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_described_and_no_more_unless_the_operator_wants_it),
        cmocka_unit_test(who_spoke_a_day_ago_is_known),
        cmocka_unit_test(who_came_over_a_bridge_or_is_another_bot_is_only_described),
        cmocka_unit_test(odd_pictures_are_only_described),
        cmocka_unit_test(an_address_opens_what_the_homeserver_gives),
        cmocka_unit_test(what_fails_is_said_and_nothing_given),
        cmocka_unit_test(the_token_stays_at_home_when_a_server_keeps_files_elsewhere),
        cmocka_unit_test(no_more_than_four_are_fetched_at_once),
        cmocka_unit_test(a_forged_an_old_and_a_removed_address_lead_nowhere),
        cmocka_unit_test(a_picture_is_uploaded_again_for_another_room),
        cmocka_unit_test(where_the_picture_can_not_be_had_the_words_go_alone),
        cmocka_unit_test(a_server_that_is_away_is_asked_again_before_words_go_alone),
        cmocka_unit_test(a_stop_in_the_middle_leaves_nothing_behind),
        cmocka_unit_test(a_file_is_what_its_first_bytes_say),
        cmocka_unit_test(the_option_is_one_of_four_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
