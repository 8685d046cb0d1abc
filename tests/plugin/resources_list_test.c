/* SPDX-License-Identifier: MIT */
/* The list of links: caught, joined, tied to a question, tidied, exported. */
#include "fake_host.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct fake *fake;
    uint64_t irc, matrix, x;
};

static void live(struct world *world, uint64_t session, int question)
{
    struct hr_chat chat = {.size = sizeof(chat),
                           .name = "dpulo",
                           .tag = "#DPULO",
                           .session = session,
                           .question = question,
                           .read_from_ms = FAKE_NOW_MS - 15 * 60000,
                           .read_to_ms = FAKE_NOW_MS + 90 * 60000};
    fake_chat_record(world->fake, &chat);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fake = fake_new(&hashroom_plugin);
    fake_chat(world->fake, "dpulo", "#DPULO");
    world->irc = fake_room(world->fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world->matrix = fake_room(world->fake, "home", "!a:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world->x = fake_room(world->fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL | HR_ROOM_UP);
    fake_sql(
        world->fake,
        "CREATE TABLE run(session, chat, day, start_ms, end_ms, late_ms, live, topic);"
        "CREATE TABLE question(session, n, text, skipped);"
        "CREATE VIEW session_pub_run AS SELECT * FROM run; CREATE VIEW session_pub_question AS SELECT * FROM question;"
        "INSERT INTO question VALUES(1, 1, 'What works?', 0), (1, 2, 'What <helps> & why?', 0)");
    assert_int_equal(fake_start(world->fake), 0);
    live(world, 1, 1);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fake_free(world->fake);
    free(world);
    return 0;
}

static void hold_session(struct world *world)
{
    fake_sql(world->fake, "INSERT INTO run VALUES(1, 'dpulo', 'Tuesday 29 November 2022', 1669752000000, 1669755600000,"
                          " 1670360400000, 0, 'Access to Work')");
}

static int64_t listed(struct world *world)
{
    return fake_number(world->fake, "SELECT count(*) FROM resources_pub_link");
}

static const char *answer_to(struct world *world, const char *line)
{
    size_t before = fake_count(world->fake, FAKE_ANSWER);
    assert_int_equal(fake_command(world->fake, world->irc, line), 0);
    return fake_count(world->fake, FAKE_ANSWER) > before ? fake_last(world->fake, FAKE_ANSWER)->text : "";
}

static int64_t question_of(struct world *world, const char *url)
{
    char sql[300];
    (void)snprintf(sql, sizeof(sql), "SELECT question FROM resources_link WHERE url = '%s'", url);
    return fake_number(world->fake, sql);
}

static void links_of_all_networks_are_joined(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Ben", "Try https://example.org/guide, it helped me");
    fake_hear(world->fake, world->matrix, "Ana", "http://www.example.org/guide/?utm_source=m (and www.other.example)");
    assert_int_equal(listed(world), 2);
    assert_int_equal(fake_number(world->fake, "SELECT count FROM resources_pub_count WHERE session = 1"), 2);
    assert_string_equal(answer_to(world, "!links"),
                        "People shared 2 links:\nLink 1 to example.org. https://example.org/guide\n"
                        "Link 2 to other.example. https://www.other.example");
}

static void links_of_the_source_bring_their_title(void **state)
{
    struct world *world = *state;
    static const struct hr_link links[] = {{"https://example.org/list?utm_source=x", "My list"}};
    struct hr_person author = {.name = "Ana"};
    uint64_t id = fake_message(world->fake, world->x, &author, "A2 my list is here: https://example.org/list", 0);
    fake_message_at(world->fake, id)->links = links;
    fake_message_at(world->fake, id)->link_count = 1;
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, id), 0);
    assert_int_equal(listed(world), 1);
    assert_int_equal(question_of(world, "https://example.org/list"), 2);
    assert_string_equal(answer_to(world, "!links"),
                        "People shared 1 link:\nLink 1: My list. Site: example.org. https://example.org/list");
}

static void an_answer_names_its_question(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *text;
        int question;
    } cases[] = {
        {"https://a.example", 1},
        {"A2 https://b.example", 2},
        {"a2: see https://c.example", 2},
        {"Q2. https://d.example", 2},
        {"@dpulochat A2 https://e.example", 2},
        {"#dpulo t2 https://f.example", 2},
        {"A 2 https://g.example", 1},
        {"A9 https://h.example", 1},
        {"A2B https://i.example", 1},
        {"see A2 https://j.example", 1},
        {"hello\nA2 https://k.example", 2},
        {"https://l.example\nA2 yes", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fake_hear(world->fake, world->irc, "Ben", cases[i].text);
        char url[64];
        (void)snprintf(url, sizeof(url), "https://%c.example", 'a' + (int)i);
        assert_int_equal(question_of(world, url), cases[i].question);
    }
}

static void own_words_and_posts_are_not_listed(void **state)
{
    struct world *world = *state;
    struct hr_person author = {.name = "hashroom"};
    uint64_t own = fake_message(world->fake, world->irc, &author, "See https://example.org/own", HR_MSG_OWN);
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, own), 0);
    fake_hear(world->fake, world->irc, "Ben", "https://x.com/ana/status/12 https://matrix.to/#/@a:b.example");
    assert_int_equal(listed(world), 0);
}

static void a_removed_message_takes_its_links_unless_another_has_them(void **state)
{
    struct world *world = *state;
    uint64_t one = fake_hear(world->fake, world->irc, "Ben", "https://a.example https://b.example");
    uint64_t two = fake_hear(world->fake, world->matrix, "Ana", "yes, https://b.example");
    assert_int_equal(fake_tell(world->fake, HR_EV_REMOVE, one), 0);
    assert_int_equal(listed(world), 1);
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM resources_link WHERE url LIKE '%a.example%'"), 0);
    assert_int_equal(fake_tell(world->fake, HR_EV_REMOVE, two), 0);
    assert_int_equal(listed(world), 0);
    fake_hear(world->fake, world->irc, "Cem", "https://b.example again");
    assert_non_null(strstr(answer_to(world, "!links"), "Link 3 to b.example")); /* numbers are not given twice */
}

static void an_edit_changes_what_a_message_holds(void **state)
{
    struct world *world = *state;
    uint64_t id = fake_hear(world->fake, world->irc, "Ben", "https://a.example https://wrong.example");
    fake_message_at(world->fake, id)->text = "https://a.example https://right.example";
    assert_int_equal(fake_tell(world->fake, HR_EV_EDIT, id), 0);
    assert_int_equal(listed(world), 2);
    assert_int_equal(question_of(world, "https://wrong.example"), -1);
    assert_int_equal(question_of(world, "https://right.example"), 1);
    assert_int_equal(fake_number(world->fake, "SELECT n FROM resources_link WHERE url = 'https://a.example'"), 1);
}

static void a_link_is_added_by_command_and_acknowledged_shortly(void **state)
{
    struct world *world = *state;
    assert_string_equal(answer_to(world, "!link https://example.org/guide?fbclid=1 Access to Work guide."), "");
    const struct fake_record *ack = fake_last(world->fake, FAKE_SAY);
    assert_string_equal(ack->text, "Saved as link 1: Access to Work guide.");
    assert_int_equal(ack->priority, HR_ACK);
    assert_int_equal(ack->room, world->irc);
    assert_int_equal(ack->room_count, 1);
    (void)answer_to(world,
                    "!link https://example.org/b A title that is rather long, so that it would not fit into sixty");
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text, "Saved as link 2.");
    (void)answer_to(world, "!link The other way round: https://example.org/c");
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text, "Saved as link 3: The other way round:.");
    (void)answer_to(world, "!link gov.uk/access-to-work Official page");
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text, "Saved as link 4: Official page.");
    assert_non_null(strstr(answer_to(world, "!links official"),
                           "Link 4: Official page. Site: gov.uk. https://gov.uk/access-to-work"));
}

static void bad_use_gets_a_plain_sentence(void **state)
{
    struct world *world = *state;
    assert_non_null(strstr(answer_to(world, "!link"), "To add a link, type !link"));
    assert_non_null(strstr(answer_to(world, "!link drop"), "To add a link, type !link"));
    assert_non_null(strstr(answer_to(world, "!link https://user:pw@example.org"), "cannot list this address"));
    assert_non_null(strstr(answer_to(world, "!link drop 7"), "There is no link 7"));
    assert_non_null(strstr(answer_to(world, "!link 7 title x"), "There is no link 7"));
    assert_non_null(strstr(answer_to(world, "!links"), "Nobody has shared a link yet."));
    assert_non_null(strstr(answer_to(world, "!links zebra"), "No link has this word."));
}

static bool only_reading(const char *permission)
{
    return strcmp(permission, "links.tidy") != 0;
}

static void hosts_tidy_the_list(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Ben", "https://a.example https://b.example");
    (void)answer_to(world, "!link 1 title The A page");
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text, "Saved as link 1: The A page.");
    assert_string_equal(answer_to(world, "!link drop 2"), "Link 2 is off the list.");
    fake_hear(world->fake, world->irc, "Ben", "once more https://b.example"); /* dropped by a host: it stays away */
    assert_string_equal(answer_to(world, "!links"),
                        "People shared 1 link:\nLink 1: The A page. Site: a.example. https://a.example");
    fake_allow(world->fake, only_reading);
    assert_non_null(strstr(answer_to(world, "!link drop 1"), "Only hosts and moderators"));
    assert_int_equal(listed(world), 1);
}

static void the_last_five_are_shown(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 9; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "https://s%d.example/100%%_x", i);
        fake_hear(world->fake, world->irc, "Ben", text);
    }
    const char *answer = answer_to(world, "!links");
    assert_non_null(strstr(answer, "The last 5 of 9 links:\nLink 5 to s4.example."));
    assert_null(strstr(answer, "Link 4"));
    assert_non_null(strstr(answer_to(world, "!links 100%_x"), "The last 5 of 9 links I found:"));
    assert_non_null(strstr(answer_to(world, "!links S7.EXAMPLE"), "I found 1 link:"));
    assert_non_null(strstr(answer_to(world, "!links 1__%"), "No link has this word."));
}

static void after_the_chat_links_still_belong_to_it(void **state)
{
    struct world *world = *state;
    hold_session(world);
    live(world, 0, 0);
    fake_pass(world->fake, 3 * 24 * 3600000LL);
    fake_hear(world->fake, world->irc, "Ben", "A2 late but here: https://late.example");
    assert_int_equal(fake_number(world->fake, "SELECT session * 10 + question FROM resources_link"), 12);
    fake_pass(world->fake, 5 * 24 * 3600000LL);
    fake_hear(world->fake, world->irc, "Ben", "A2 too late: https://later.example");
    assert_int_equal(fake_number(world->fake, "SELECT session FROM resources_link WHERE url LIKE '%later%'"), 0);
}

static void the_minutes_before_belong_to_the_chat_that_comes(void **state)
{
    struct world *world = *state;
    live(world, 0, 0);
    fake_hear(world->fake, world->irc, "Ben", "I bring https://early.example");
    assert_int_equal(fake_number(world->fake, "SELECT session FROM resources_link"), 0);
    live(world, 4, 0);
    assert_int_equal(fake_number(world->fake, "SELECT session FROM resources_link"), 4);
    assert_int_equal(fake_number(world->fake, "SELECT session FROM resources_shared"), 4);
    fake_hear(world->fake, world->irc, "Ben", "and https://next.example");
    live(world, 4, 1);
    assert_int_equal(fake_number(world->fake, "SELECT max(n) FROM resources_link WHERE session = 4"), 2);
}

/* ---- exports ------------------------------------------------------------------------ */

static void fill(struct world *world)
{
    hold_session(world);
    fake_hear(world->fake, world->irc, "Ben", "https://a.example/?x=1&y=2");
    (void)answer_to(world, "!link https://b.example/\"x 'Quotes' & <b>tags</b>");
    (void)answer_to(world, "!link https://c.example/c =HYPERLINK(\"http://evil.example\")");
    fake_hear(world->fake, world->irc, "Ben", "A2 https://d.example/[x](y)*");
    live(world, 1, 0);
    fake_hear(world->fake, world->irc, "Ben", "https://e.example");
}

static char *export(struct world *world, const char *name, const char *format)
{
    char *text = calloc(1, 65536);
    assert_non_null(text);
    fake_forget(world->fake);
    assert_int_equal(fake_export(world->fake, name, "dpulo", format), 0);
    for (size_t i = 0; i < fake_count(world->fake, FAKE_OUT); i++) {
        const char *piece = fake_nth(world->fake, FAKE_OUT, i)->text;
        assert_true(strlen(text) + strlen(piece) < 65536);
        memcpy(text + strlen(text), piece, strlen(piece) + 1);
    }
    return text;
}

static void the_page_is_accessible_and_safe(void **state)
{
    struct world *world = *state;
    fill(world);
    char *page = export(world, "links", "html");
    assert_non_null(strstr(page, "<html lang=\"en-GB\">"));
    assert_non_null(strstr(page, "<title>Links of the #DPULO chat, Tuesday 29 November 2022</title>"));
    assert_non_null(strstr(page,
                           "<h1>Links of the #DPULO chat, Tuesday 29 November 2022</h1>\n<p>Topic: Access to Work</p>\n"
                           "<h2>Question 1: What works?</h2>\n<ol>\n<li value=\"1\">"));
    assert_non_null(strstr(page, "<h2>Question 2: What &lt;helps&gt; &amp; why?</h2>"));
    assert_non_null(strstr(page, "<h2>Other links</h2>"));
    assert_non_null(strstr(page, "<a href=\"https://a.example/?x=1&amp;y=2\">https://a.example/?x=1&amp;y=2</a>"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<b>"));
    assert_null(strstr(strstr(page, "<h1>") + 1, "<h1>"));
    free(page);
}

static void the_csv_runs_no_formula(void **state)
{
    struct world *world = *state;
    fill(world);
    char *csv = export(world, "links", "csv");
    assert_non_null(strstr(csv, "session,day,question_number,question,link_number,title,site,url,first_shared\r\n1,"
                                "\"Tuesday 29 November 2022\",1,"));
    assert_non_null(strstr(csv, ",\"'=HYPERLINK(\"\"http://evil.example\"\")\","));
    assert_non_null(strstr(csv, "\"2022-11-29T20:00:00Z\"\r\n"));
    free(csv);
}

static void the_json_is_well_formed(void **state)
{
    struct world *world = *state;
    fill(world);
    char *text = export(world, "links", "json");
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(json);
    json_t *session = json_array_get(json_object_get(json, "sessions"), 0);
    json_t *links = json_object_get(session, "links");
    assert_int_equal(json_array_size(links), 5);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(links, 3), "question")), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(links, 2), "title")),
                        "=HYPERLINK(\"http://evil.example\")");
    json_decref(json);
    free(text);
}

static void the_markdown_keeps_titles_as_text(void **state)
{
    struct world *world = *state;
    fill(world);
    char *md = export(world, "links", "md");
    assert_non_null(strstr(md, "# Links of the \\#DPULO chat, Tuesday 29 November 2022\n\nTopic: Access to Work\n\n## "
                               "Question 1: What works?\n\n1. ["));
    assert_non_null(strstr(md, "\\<b\\>tags\\</b\\>"));
    assert_non_null(strstr(md, "(<https://d.example/[x](y)>)"));
    free(md);
}

static void every_format_writes_an_empty_list(void **state)
{
    struct world *world = *state;
    static const char *const formats[] = {"html", "md", "csv", "json"};
    for (size_t i = 0; i < 4; i++) {
        char *text = export(world, "all-links", formats[i]);
        assert_true(strlen(text) > 20);
        free(text);
    }
    char *text = export(world, "links", "json");
    assert_string_equal(text, "{\"chat\": \"dpulo\", \"tag\": \"#DPULO\", \"sessions\": []}\n");
    free(text);
}

static void all_links_has_a_heading_a_chat(void **state)
{
    struct world *world = *state;
    fill(world);
    fake_sql(world->fake, "INSERT INTO run VALUES(2, 'dpulo', 'Tuesday 6 December 2022', 1670356800000, 1670360400000,"
                          " 1670965200000, 0, 'Money')");
    live(world, 2, 1);
    fake_hear(world->fake, world->irc, "Ben", "https://second.example");
    char *page = export(world, "all-links", "html");
    assert_non_null(strstr(page, "<h2>Tuesday 6 December 2022</h2>\n<h3>Question 1</h3>\n<ol>\n<li value=\"1\">"));
    assert_non_null(strstr(page, "<h2>Tuesday 29 November 2022</h2>\n<h3>Question 1: What works?</h3>"));
    free(page);
    char *text = export(world, "all-links", "json");
    json_t *json = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "sessions")), 2);
    json_decref(json);
    free(text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(links_of_all_networks_are_joined),
        T(links_of_the_source_bring_their_title),
        T(an_answer_names_its_question),
        T(own_words_and_posts_are_not_listed),
        T(a_removed_message_takes_its_links_unless_another_has_them),
        T(an_edit_changes_what_a_message_holds),
        T(a_link_is_added_by_command_and_acknowledged_shortly),
        T(bad_use_gets_a_plain_sentence),
        T(hosts_tidy_the_list),
        T(the_last_five_are_shown),
        T(after_the_chat_links_still_belong_to_it),
        T(the_minutes_before_belong_to_the_chat_that_comes),
        T(the_page_is_accessible_and_safe),
        T(the_csv_runs_no_formula),
        T(the_json_is_well_formed),
        T(the_markdown_keeps_titles_as_text),
        T(every_format_writes_an_empty_list),
        T(all_links_has_a_heading_a_chat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
