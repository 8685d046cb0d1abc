/* SPDX-License-Identifier: MIT */
/* From deliveries to events: exact JSON, sizes, what is refused before anybody connects. */
#include "matrix_test.h"

#include "../../plugins/matrix/check.h"

static struct hr_delivery delivery(enum hr_act act, const char *lead, const char *text)
{
    return (struct hr_delivery){
        .size = sizeof(struct hr_delivery),
        .act = act,
        .lead = lead,
        .lead_url = "",
        .text = text,
        .reply_remote = "",
        .reply_name = "",
        .reply_text = "",
        .thread_remote = "",
    };
}

static void expect(struct world *world, const struct hr_delivery *what, size_t count, const char *const *parts)
{
    fake_forget(world->fake);
    assert_int_equal(fake_render(world->fake, what), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(fake_nth(world->fake, FAKE_PART, i)->text, parts[i]);
    }
}

#define EXPECT(world, what, ...)                                      \
    do {                                                              \
        const char *const parts[] = {__VA_ARGS__};                    \
        expect(world, what, sizeof(parts) / sizeof(parts[0]), parts); \
    } while (0)

static void a_long_post_that_was_edited_fits_into_its_events(void **state)
{
    (void)state;
    struct world *world = world_open();
    char *text = malloc(25001);
    assert_non_null(text);
    memset(text, 'a', 25000);
    text[25000] = '\0';
    const char *const target[] = {"$1"};
    struct hr_delivery edit = delivery(HR_ACT_EDIT, "Ben on Twitter", text);
    edit.lead_url = "https://x.com/ben_r/status/1";
    edit.target = target;
    edit.target_count = 1;
    fake_forget(world->fake);
    size_t count = fake_render(world->fake, &edit);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(strlen(fake_nth(world->fake, FAKE_PART, i)->text), 1, 60000);
    }
    free(text);
    world_free(world);
}

static void peoples_words_are_text_and_the_bots_are_notices(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on IRC", "Hello \"all\"\nsecond <line>");
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Ben on IRC: Hello \\\"all\\\"\\nsecond <line>\",\"m.mentions\":{},"
           "\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    say = delivery(HR_ACT_SAY, "", "Saved.");
    EXPECT(
        world, &say,
        "{\"content\":{\"body\":\"Saved.\",\"m.mentions\":{},\"msgtype\":\"m.notice\"},\"type\":\"m.room.message\"}");
    say.say_flags = HR_SAY_TEXT;
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Saved.\",\"m.mentions\":{},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    world_free(world);
}

static void the_name_links_to_the_post_and_everything_is_escaped(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "A<b> on Twitter", "1 < 2 & \"3\"\nend");
    say.lead_url = "https://x.com/a?b=1&c=\"2\"";
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"A<b> on Twitter: 1 < 2 & \\\"3\\\"\\nend\",\"format\":\"org.matrix.custom.html\","
           "\"formatted_body\":\"<a href=\\\"https://x.com/a?b=1&amp;c=&quot;2&quot;\\\">A&lt;b&gt; on Twitter</a>: 1 "
           "&lt; 2 "
           "&amp; &quot;3&quot;<br>end\",\"m.mentions\":{},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    world_free(world);
}

static void what_its_author_marked_as_sensitive_says_so_and_is_hidden_until_wanted(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on Twitter", "a < b");
    say.msg_flags = HR_MSG_SENSITIVE;
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Ben on Twitter: (Content note: its author marked this as sensitive.) a < b\","
           "\"format\":\"org.matrix.custom.html\",\"formatted_body\":\"Ben on Twitter: (Content note: its author "
           "marked this as sensitive.) <span data-mx-spoiler>a &lt; b</span>\",\"m.mentions\":{},"
           "\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    const struct hr_delivery plain = delivery(HR_ACT_SAY, "Cy on IRC", "fine");
    const struct hr_delivery *const both[] = {&say, &plain};
    fake_forget(world->fake);
    assert_int_equal(fake_render_all(world->fake, both, 2), 1);
    assert_non_null(strstr(fake_last(world->fake, FAKE_PART)->text,
                           "<span data-mx-spoiler>a &lt; b</span></p><p>Cy on IRC: fine</p>"));
    world_free(world);
}

static void emotes_read_as_a_sentence(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on IRC", "waves");
    say.msg_flags = HR_MSG_EMOTE;
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Ben on IRC waves\",\"m.mentions\":{},\"msgtype\":\"m.text\"},"
           "\"type\":\"m.room.message\"}");
    world_free(world);
}

static void a_reply_points_at_its_parent_or_says_whom_it_answers(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on IRC", "Yes");
    say.reply_name = "Asha";
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Ben on IRC, replying to Asha: Yes\",\"m.mentions\":{},"
           "\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    say.reply_remote = "$parent";
    EXPECT(world, &say,
           "{\"content\":{\"body\":\"Ben on IRC: Yes\",\"m.mentions\":{},\"m.relates_to\":{\"m.in_reply_to\":"
           "{\"event_id\":\"$parent\"}},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    world_free(world);
}

static void an_edit_holds_the_new_words_twice(void **state)
{
    (void)state;
    struct world *world = world_open();
    const char *const target[] = {"$one", "$two"};
    struct hr_delivery edit = delivery(HR_ACT_EDIT, "Ben on IRC", "hello");
    edit.target = target;
    edit.target_count = 1;
    EXPECT(world, &edit,
           "{\"content\":{\"body\":\"* Ben on IRC: hello\",\"m.mentions\":{},\"m.new_content\":{\"body\":"
           "\"Ben on IRC: hello\",\"m.mentions\":{},\"msgtype\":\"m.text\"},\"m.relates_to\":{\"event_id\":\"$one\","
           "\"rel_type\":\"m.replace\"},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    edit.target_count = 2; /* was said in two events, needs one now */
    assert_int_equal(fake_render(world->fake, &edit), 2);
    assert_string_equal(fake_last(world->fake, FAKE_PART)->text,
                        "{\"content\":{},\"redacts\":\"$two\",\"type\":\"m.room.redaction\"}");
    world_free(world);
}

static void a_removal_takes_every_event_back(void **state)
{
    (void)state;
    struct world *world = world_open();
    const char *const target[] = {"$one", "$two"};
    struct hr_delivery gone = delivery(HR_ACT_REMOVE, "Ben on IRC", "");
    gone.target = target;
    gone.target_count = 2;
    EXPECT(world, &gone, "{\"content\":{},\"redacts\":\"$one\",\"type\":\"m.room.redaction\"}",
           "{\"content\":{},\"redacts\":\"$two\",\"type\":\"m.room.redaction\"}");
    world_free(world);
}

static void lines_that_waited_together_are_paragraphs_of_one_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    static const char *const target[] = {"$e1"};
    struct hr_delivery one = delivery(HR_ACT_SAY, "Ben on IRC", "1 < 2"),
                       two = delivery(HR_ACT_SAY, "Cai on Twitter", "yes");
    two.lead_url = "https://x.com/c";
    two.reply_remote = "$e0";
    two.reply_name = "Ben";
    const struct hr_delivery *const both[] = {&one, &two};
    assert_int_equal(fake_render_all(world->fake, both, 2), 1);
    assert_string_equal(fake_nth(world->fake, FAKE_PART, 0)->text,
                        "{\"content\":{\"body\":\"Ben on IRC: 1 < 2\\nCai on Twitter, replying to Ben: yes\","
                        "\"format\":\"org.matrix.custom.html\",\"formatted_body\":\"<p>Ben on IRC: 1 &lt; 2</p>"
                        "<p><a href=\\\"https://x.com/c\\\">Cai on Twitter</a>, replying to Ben: yes</p>\","
                        "\"m.mentions\":{},\"msgtype\":\"m.text\"},\"type\":\"m.room.message\"}");
    fake_forget(world->fake);
    one.act = two.act = HR_ACT_EDIT;
    one.target = two.target = target;
    one.target_count = two.target_count = 1;
    two.changed = true;
    assert_int_equal(fake_render_all(world->fake, both, 2), 1);
    const char *edit = fake_nth(world->fake, FAKE_PART, 0)->text;
    assert_non_null(strstr(edit, "\"m.relates_to\":{\"event_id\":\"$e1\",\"rel_type\":\"m.replace\"}"));
    assert_non_null(strstr(edit, "\"body\":\"* Cai on Twitter, replying to Ben: yes\""));
    assert_non_null(strstr(edit, "\"m.new_content\":{\"body\":\"Ben on IRC: 1 < 2\\n"
                                 "Cai on Twitter, replying to Ben: yes\""));
    world_free(world);
}

/* The largest name, address and words that still share an event: it can be sent, encrypted too, and be edited. */
static void many_lines_fit_into_an_event_an_encrypted_one_and_its_edit(void **state)
{
    (void)state;
    enum { LINES = 100, ENCRYPTED = 62000 };
    struct world *world = world_open();
    static const char *const target[] = {"$e1"};
    char text[400];
    struct hr_delivery line[LINES];
    const struct hr_delivery *list[LINES];
    for (size_t len = 1; len < sizeof(text); len++) {
        memset(text, '"', len); /* six bytes of HTML each, two of JSON */
        text[len] = '\0';
        for (size_t i = 0; i < LINES; i++) {
            line[i] = delivery(HR_ACT_SAY, "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80 on Twitter", text);
            line[i].lead_url = "https://x.com/somebody_else/status/1790708400000000000";
            list[i] = &line[i];
        }
        size_t most = LINES;
        while (most > 1 && (fake_forget(world->fake), fake_render_all(world->fake, list, most)) < 1) {
            most--;
        }
        assert_in_range(most, 10, LINES);
        assert_in_range(fake_nth(world->fake, FAKE_PART, 0)->len * 4 / 3, 1, ENCRYPTED);
        for (size_t i = 0; i < most; i++) {
            line[i].act = HR_ACT_EDIT;
            line[i].target = target;
            line[i].target_count = 1;
        }
        fake_forget(world->fake);
        assert_int_equal(fake_render_all(world->fake, list, most), 1);
        assert_in_range(fake_nth(world->fake, FAKE_PART, 0)->len * 4 / 3, 1, ENCRYPTED);
        len += len / 4;
    }
    world_free(world);
}

static void nothing_to_say_makes_no_event(void **state)
{
    (void)state;
    struct world *world = world_open();
    struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on IRC", "");
    assert_int_equal(fake_render(world->fake, &say), 0);
    world_free(world);
}

/* Every event stays below the server's limit, and together they hold all words in order. */
static void big_texts_are_split_between_words(void **state)
{
    (void)state;
    static const char *const unit[] = {"word ", "<&\"'>", "\xF0\x9F\x98\x80", "line\n", "A sentence. "};
    for (size_t u = 0; u < 5; u++) {
        for (int linked = 0; linked < 2; linked++) {
            struct world *world = world_open();
            size_t len = strlen(unit[u]), total = 90000 / len * len;
            char *text = malloc(total + 1), *joined = calloc(1, total + 4096);
            assert_non_null(text);
            assert_non_null(joined);
            for (size_t i = 0; i < total; i++) {
                text[i] = unit[u][i % len];
            }
            text[total] = '\0';
            struct hr_delivery say = delivery(HR_ACT_SAY, "Ben on Twitter", text);
            say.lead_url = linked ? "https://x.com/1" : "";
            size_t count = fake_render(world->fake, &say), at = 0;
            assert_true(count > 1);
            for (size_t i = 0; i < count; i++) {
                const struct fake_record *part = fake_nth(world->fake, FAKE_PART, i);
                assert_true(part->len < 45000);
                json_t *json = json_loadb(part->text, part->len, 0, NULL);
                assert_non_null(json);
                const char *body = json_string_value(json_object_get(json_object_get(json, "content"), "body"));
                assert_memory_equal(body, "Ben on Twitter: ", 16);
                size_t body_len = strlen(body + 16);
                memcpy(joined + at, body + 16, body_len);
                at += body_len;
                if (at < total && (text[at] == ' ' || text[at] == '\n')) {
                    joined[at] = text[at];
                    at++;
                }
                json_decref(json);
            }
            assert_memory_equal(joined, text, total - 1);
            free(text);
            free(joined);
            world_free(world);
        }
    }
}

/* ---- the configuration ----------------------------------------------------------------------- */

static void room_addresses_are_checked_with_a_fix(void **state)
{
    (void)state;
    static const struct {
        const char *address, *says; /* NULL: fine */
    } table[] = {
        {"!abc:example.org", NULL},
        {"!v12roomwithoutserver", NULL},
        {"#chat:example.org", NULL},
        {"#chat:example.org:8448", NULL},
        {"#chat", "#chat:example.org"},
        {"#chat:", "server"},
        {"chat:example.org", "alias"},
        {"@asha:example.org", "person"},
        {"https://matrix.to/#/#chat:example.org", "\"#chat:example.org\""},
        {"!", "no room"},
        {"#a b:example.org", "no room"},
        {"", "alias"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char err[200] = "";
        int rc = check_room(table[i].address, err, sizeof(err));
        assert_int_equal(rc, table[i].says == NULL ? HR_OK : HR_EINVAL);
        if (table[i].says != NULL && strstr(err, table[i].says) == NULL) {
            fail_msg("%s: %s", table[i].address, err);
        }
    }
}

static void options_are_checked_together(void **state)
{
    (void)state;
    static const struct {
        const char *homeserver, *user, *password, *token, *invite;
        int problems;
    } table[] = {
        {"https://hs.test", BOT, "p", "", "", 0},
        {"https://hs.test/", BOT, "", "t", "@asha:hs.test, hs.test", 0},
        {"http://127.0.0.1:8008", BOT, "p", "", "", 0},
        {"http://[::1]:8008", BOT, "p", "", "", 0},
        {"http://hs.test", BOT, "p", "", "", 1},
        {"http://127.0.0.1.evil.test", BOT, "p", "", "", 1},
        {"hs.test", BOT, "p", "", "", 0},
        {"hs.test:8448", BOT, "p", "", "", 0},
        {"", BOT, "p", "", "", 0},
        {"hs.test/", BOT, "p", "", "", 1},
        {"@hs.test", BOT, "p", "", "", 1},
        {"hs test", BOT, "p", "", "", 1},
        {"https://hs.test/_matrix", BOT, "p", "", "", 1},
        {"https://u:p@hs.test", BOT, "p", "", "", 1},
        {"https://hs.test", "bot", "p", "", "", 1},
        {"https://hs.test", "@bot", "p", "", "", 1},
        {"https://hs.test", BOT, "", "", "", 1},
        {"https://hs.test", BOT, "p", "t", "", 1},
        {"https://hs.test", BOT, "p", "", "@asha", 1},
        {"https://hs.test", BOT, "p", "", "*", 1},
        {"ftp://x", "x", "", "", "", 3},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct fake *fake = fake_new(&hashroom_plugin);
        fake_instance(fake, "home");
        fake_option(fake, "homeserver", table[i].homeserver);
        fake_option(fake, "user", table[i].user);
        fake_option(fake, "password_file", table[i].password);
        fake_option(fake, "token_file", table[i].token);
        fake_option(fake, "invite_from", table[i].invite);
        int problems = fake_check(fake);
        if (problems != table[i].problems) {
            fail_msg("row %zu (%s): %d problems", i, table[i].homeserver, problems);
        }
        fake_free(fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_post_that_was_edited_fits_into_its_events),
        cmocka_unit_test(peoples_words_are_text_and_the_bots_are_notices),
        cmocka_unit_test(the_name_links_to_the_post_and_everything_is_escaped),
        cmocka_unit_test(what_its_author_marked_as_sensitive_says_so_and_is_hidden_until_wanted),
        cmocka_unit_test(emotes_read_as_a_sentence),
        cmocka_unit_test(a_reply_points_at_its_parent_or_says_whom_it_answers),
        cmocka_unit_test(an_edit_holds_the_new_words_twice),
        cmocka_unit_test(a_removal_takes_every_event_back),
        cmocka_unit_test(lines_that_waited_together_are_paragraphs_of_one_event),
        cmocka_unit_test(many_lines_fit_into_an_event_an_encrypted_one_and_its_edit),
        cmocka_unit_test(nothing_to_say_makes_no_event),
        cmocka_unit_test(big_texts_are_split_between_words),
        cmocka_unit_test(room_addresses_are_checked_with_a_fix),
        cmocka_unit_test(options_are_checked_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
