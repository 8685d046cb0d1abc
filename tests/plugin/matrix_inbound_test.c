/* SPDX-License-Identifier: MIT */
/* What people do in a room, as the host hears it. */
#include "matrix_test.h"

#include "../../plugins/matrix/html.h"

/* ---- messages ---------------------------------------------------------------------------- */

static void a_message_carries_who_said_it_where_and_when(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", ASHA, "Hello all"));
    const struct fake_record *post = last_post(world);
    assert_string_equal(post->address, ROOM);
    assert_string_equal(post->key, "$1");
    assert_string_equal(post->text, "Hello all");
    assert_string_equal(post->author_id, ASHA);
    assert_string_equal(post->account, ASHA);
    assert_string_equal(post->name, "Asha");
    assert_string_equal(post->handle, "");
    assert_int_equal(post->power, 50);
    assert_int_equal(post->flags, HR_MSG_WEAK);
    assert_int_equal(post->time_ms, FAKE_NOW_MS - 1000);
    world_free(world);
}

static void what_was_said_before_the_first_sync_is_not_read(void **state)
{
    (void)state;
    struct world *world = world_open();
    assert_int_equal(fake_count(world->fake, FAKE_POST), 0);
    world_free(world);
}

static void own_messages_and_reactions_are_not_read(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world,
                TEXT("$1", BOT, "my own") ",{\"type\":\"m.reaction\",\"sender\":\"" ASHA "\",\"event_id\":\"$2\","
                                          "\"content\":{\"m.relates_to\":{\"rel_type\":\"m.annotation\",\"event_id\":"
                                          "\"$1\",\"key\":\"+\"}}}");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 0);
    world_free(world);
}

static void kinds_of_messages_become_text_and_flags(void **state)
{
    (void)state;
    static const struct {
        const char *content, *text;
        uint32_t flags;
    } table[] = {
        {"{\"msgtype\":\"m.text\",\"body\":\"a\\nb\"}", "a\nb", 0},
        {"{\"msgtype\":\"m.notice\",\"body\":\"beep\"}", "beep", HR_MSG_NOTICE | HR_MSG_BOT},
        {"{\"msgtype\":\"m.emote\",\"body\":\"waves\"}", "waves", HR_MSG_EMOTE},
        {"{\"msgtype\":\"m.image\",\"body\":\"A ramp beside steps\",\"url\":\"mxc://a/b\"}",
         "(Image: A ramp beside steps)", 0},
        {"{\"msgtype\":\"m.image\",\"body\":\"IMG_0001.jpeg\",\"url\":\"mxc://a/b\"}", "(Image with no description.)",
         0},
        {"{\"msgtype\":\"m.image\",\"body\":\"a.png\",\"filename\":\"a.png\"}", "(Image with no description.)", 0},
        {"{\"msgtype\":\"m.image\",\"body\":\"My cat\",\"filename\":\"a.png\"}", "(Image: My cat)", 0},
        {"{\"msgtype\":\"m.image\",\"body\":\"\"}", "(Image with no description.)", 0},
        {"{\"msgtype\":\"m.image\"}", "(Image with no description.)", 0},
        {"{\"msgtype\":\"m.video\",\"body\":\"talk.mp4\"}", "(Video with no description.)", 0},
        {"{\"msgtype\":\"m.file\",\"body\":\"Plan.pdf\"}", "(File: Plan.pdf)", 0},
        {"{\"msgtype\":\"m.audio\",\"body\":\"Interview\"}", "(Audio: Interview)", 0},
        {"{\"msgtype\":\"m.file\",\"body\":\"Plan.pdf\",\"filename\":\"Plan.pdf\"}", "(File: Plan.pdf)", 0},
        {"{\"msgtype\":\"org.example.new\",\"body\":\"words\"}", "words", 0},
        {"{\"msgtype\":\"m.text\",\"body\":\"nul \\u0000 inside\"}", NULL, 0},
        {"{\"msgtype\":\"m.key.verification.request\",\"body\":\"verify\"}", "", 0},
        {"{\"msgtype\":\"m.text\"}", "", 0},
        {"{\"msgtype\":\"m.text\",\"body\":5}", "", 0},
        {"{\"body\":\"redacted or odd\"}", "", 0},
        {"{}", "", 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_open();
        char *event = NULL;
        assert_true(asprintf(&event, EVENT("$1", BEN, "%s"), table[i].content) > 0);
        sync_events(world, event);
        const struct fake_record *post = fake_last(world->fake, FAKE_POST);
        if (table[i].text == NULL) {
            assert_int_equal(post->len, strlen("nul   inside"));
        } else if (table[i].text[0] == '\0') {
            assert_null(post);
        } else {
            assert_non_null(post);
            assert_string_equal(post->text, table[i].text);
            assert_int_equal(post->flags, table[i].flags | HR_MSG_WEAK);
        }
        free(event);
        world_free(world);
    }
}

static void people_whom_a_bridge_brought_are_heard_but_never_obeyed(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        uint32_t flags;
    } table[] = {
        {"@_discord_12345:example.org", HR_MSG_BOT},
        {"@irc_ben:example.org", HR_MSG_BOT},
        {"@_oftc_ben:example.org", HR_MSG_BOT},
        {"@Telegram_99:example.org", HR_MSG_BOT},
        {"@_ben:example.org", 0},
        {"@irc:example.org", 0},
        {"@slacker:example.org", 0},
        {"@irc_asha:example.org", 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_open();
        fake_account(world->fake, "@irc_asha:example.org"); /* has a role here: the operator knows who that is */
        char *event = NULL;
        assert_true(asprintf(&event, EVENT("$1", "%s", "{\"msgtype\":\"m.text\",\"body\":\"!end\"}"), table[i].user) >
                    0);
        sync_events(world, event);
        assert_string_equal(last_post(world)->text, "!end");
        assert_int_equal(last_post(world)->flags, table[i].flags | HR_MSG_WEAK);
        free(event);
        world_free(world);
    }
}

static void what_is_two_minutes_old_is_history(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world,
                "{\"type\":\"m.room.message\",\"sender\":\"" ASHA "\",\"event_id\":\"$1\",\"origin_server_ts\":1,"
                "\"unsigned\":{\"age\":121000},\"content\":{\"msgtype\":\"m.text\",\"body\":\"!end\"}}");
    assert_int_equal(last_post(world)->flags, HR_MSG_HISTORY | HR_MSG_WEAK);
    assert_int_equal(last_post(world)->time_ms, FAKE_NOW_MS - 121000);
    world_free(world);
}

/* ---- replies, threads -------------------------------------------------------------------------- */

static void a_reply_names_its_parent_and_loses_the_quote(void **state)
{
    (void)state;
    static const struct {
        const char *content, *text, *reply_to;
    } table[] = {
        {"{\"msgtype\":\"m.text\",\"body\":\"Yes\",\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$p\"}}}", "Yes",
         "$p"},
        {"{\"msgtype\":\"m.text\",\"body\":\"> <@asha:hs.test> one\\n> two\\n\\nYes\",\"m.relates_to\":"
         "{\"m.in_reply_to\":{\"event_id\":\"$p\"}}}",
         "Yes", "$p"},
        {"{\"msgtype\":\"m.text\",\"body\":\"> only a "
         "quote\",\"m.relates_to\":{\"m.in_reply_to\":{\"event_id\":\"$p\"}}}",
         "> only a quote", "$p"},
        {"{\"msgtype\":\"m.text\",\"body\":\"> I quote\\n\\nnobody\"}", "> I quote\n\nnobody", ""},
        {"{\"msgtype\":\"m.text\",\"body\":\"> q\\n\\nYes\",\"format\":\"org.matrix.custom.html\",\"formatted_body\":"
         "\"<mx-reply><blockquote>q</blockquote></mx-reply>Yes <b>so</b>\",\"m.relates_to\":{\"m.in_reply_to\":"
         "{\"event_id\":\"$p\"}}}",
         "Yes *so*", "$p"},
        {"{\"msgtype\":\"m.text\",\"body\":\"t\",\"m.relates_to\":{\"rel_type\":\"m.thread\",\"event_id\":\"$root\","
         "\"is_falling_back\":true,\"m.in_reply_to\":{\"event_id\":\"$p\"}}}",
         "t", "$root"},
        {"{\"msgtype\":\"m.text\",\"body\":\"t\",\"m.relates_to\":{\"rel_type\":\"m.thread\",\"event_id\":\"$root\","
         "\"is_falling_back\":false,\"m.in_reply_to\":{\"event_id\":\"$p\"}}}",
         "t", "$p"},
        {"{\"msgtype\":\"m.text\",\"body\":\"t\",\"m.relates_to\":[1,2]}", "t", ""},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct world *world = world_open();
        char *event = NULL;
        assert_true(asprintf(&event, EVENT("$1", BEN, "%s"), table[i].content) > 0);
        sync_events(world, event);
        assert_string_equal(last_post(world)->text, table[i].text);
        assert_string_equal(last_post(world)->reply_to, table[i].reply_to);
        free(event);
        world_free(world);
    }
}

/* ---- edits, redactions ---------------------------------------------------------------------------- */

#define EDIT(id, who, target, text)                                                                    \
    EVENT(id, who,                                                                                     \
          "{\"msgtype\":\"m.text\",\"body\":\"* " text "\",\"m.new_content\":{\"msgtype\":\"m.text\"," \
          "\"body\":\"" text "\"},\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"" target "\"}}")

static void an_edit_by_the_author_counts(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", BEN, "helo") "," EDIT("$2", BEN, "$1", "hello"));
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    const struct fake_record *edit = fake_last(world->fake, FAKE_EDIT);
    assert_non_null(edit);
    assert_string_equal(edit->key, "$1");
    assert_string_equal(edit->revision, "$2");
    assert_string_equal(edit->text, "hello");
    assert_string_equal(edit->author_id, BEN);
    world_free(world);
}

static void other_peoples_edits_and_edits_of_edits_do_not_count(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world,
                TEXT("$1", BEN, "mine") "," EDIT("$2", ASHA, "$1", "theirs") "," EDIT(
                    "$3", BEN, "$1", "better") "," EDIT("$4", BEN, "$3", "worse") "," EDIT("$5", BEN, "", "none"));
    assert_int_equal(fake_count(world->fake, FAKE_EDIT), 1);
    assert_string_equal(fake_last(world->fake, FAKE_EDIT)->text, "better");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 1);
    world_free(world);
}

static void a_redaction_is_read_from_content_first(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world,
                TEXT("$1", BEN, "one") "," TEXT("$2", BEN, "two") ","
                                                                  "{\"type\":\"m.room.redaction\",\"sender\":\"" BEN
                                                                  "\",\"event_id\":\"$3\",\"redacts\":\"$2\","
                                                                  "\"content\":{\"redacts\":\"$1\"}}");
    assert_int_equal(fake_count(world->fake, FAKE_REMOVE), 1);
    assert_string_equal(fake_last(world->fake, FAKE_REMOVE)->key, "$1");
    sync_events(world, "{\"type\":\"m.room.redaction\",\"sender\":\"" BEN "\",\"event_id\":\"$4\",\"redacts\":\"$2\","
                       "\"content\":{}}");
    assert_string_equal(fake_last(world->fake, FAKE_REMOVE)->key, "$2");
    world_free(world);
}

/* ---- people ------------------------------------------------------------------------------------------ */

static void two_people_of_one_name_are_told_apart(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, MEMBER("@eve:evil.test", "Asha") "," TEXT("$1", "@eve:evil.test", "!end") "," TEXT("$2", ASHA,
                                                                                                          "not me"));
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 0)->name, "Asha (eve:evil.test)");
    assert_int_equal(fake_nth(world->fake, FAKE_POST, 0)->power, 0);
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 1)->name, "Asha (asha:hs.test)");
    world_free(world);
}

/* A server that sent a name before our restart doesn't send it again by itself. */
static void who_speaks_without_a_known_name_is_asked_for(void **state)
{
    (void)state;
    static const char speech[] = "{\"next_batch\":\"s2\",\"rooms\":{\"join\":{\"" ROOM
                                 "\":{\"timeline\":{\"events\":[" TEXT("$1", "@cyd:hs.test", "one") "]}}}}}";
    static const char named[] =
        "{\"next_batch\":\"s2\",\"rooms\":{\"join\":{\"" ROOM "\":{\"state\":{\"events\":[" MEMBER(
            "@cyd:hs.test", "Cyd") "]},\"timeline\":{\"events\":[" TEXT("$1", "@cyd:hs.test", "one") "]}}}}}";
    struct world *world = world_open();
    fake_forget(world->fake);
    struct hr_request *poll = fake_request(world->fake, "/v3/sync");
    assert_ptr_equal(fake_request(world->fake, "include_redundant_members%22%3Afalse"), poll);
    fake_reply(world->fake, poll, 200, speech);
    assert_null(fake_last(world->fake, FAKE_POST));
    poll = fake_request(world->fake, "since=s1");
    assert_non_null(poll);
    assert_ptr_equal(fake_request(world->fake, "include_redundant_members%22%3Atrue"), poll);
    fake_reply(world->fake, poll, 200, named);
    assert_string_equal(last_post(world)->name, "Cyd");
    poll = fake_request(world->fake, "since=s2");
    assert_ptr_equal(fake_request(world->fake, "include_redundant_members%22%3Afalse"), poll);
    fake_reply(world->fake, poll, 200,
               "{\"next_batch\":\"s3\",\"rooms\":{\"join\":{\"" ROOM
               "\":{\"timeline\":{\"events\":[" TEXT("$2", "@cyd:hs.test", "two") "]}}}}}");
    assert_string_equal(last_post(world)->text, "two");
    assert_string_equal(last_post(world)->name, "Cyd");
    world_free(world);
}

static void who_has_no_name_is_called_by_the_local_part(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(world, TEXT("$1", "@carl:else.test", "hi"));
    assert_string_equal(last_post(world)->name, "carl");
    world_free(world);
}

static void founders_of_a_version_12_room_have_rights_outside_the_list(void **state)
{
    (void)state;
    struct world *world = world_open();
    sync_events(
        world, "{\"type\":\"m.room.create\",\"sender\":\"" BEN "\",\"state_key\":\"\",\"event_id\":\"$c2\",\"content\":"
               "{\"room_version\":\"12\",\"additional_creators\":[\"@dora:hs.test\"]}},"
               "{\"type\":\"m.room.power_levels\",\"sender\":\"" BEN "\",\"state_key\":\"\",\"event_id\":\"$p2\","
               "\"content\":{\"users\":{},\"users_default\":\"7\"}}," TEXT("$1", BEN, "a") "," TEXT(
                   "$2", "@dora:hs.test", "b") "," TEXT("$3", ASHA, "c"));
    assert_true(fake_nth(world->fake, FAKE_POST, 0)->power > 100);
    assert_true(fake_nth(world->fake, FAKE_POST, 1)->power > 100);
    assert_int_equal(fake_nth(world->fake, FAKE_POST, 2)->power, 7);
    world_free(world);
}

static void names_are_remembered_up_to_a_limit(void **state)
{
    (void)state;
    struct world *world = world_open();
    for (int i = 0; i < 1200; i++) {
        char event[400];
        snprintf(event, sizeof(event),
                 "{\"type\":\"m.room.member\",\"sender\":\"@u%d:x\",\"state_key\":\"@u%d:x\",\"event_id\":\"$m%d\","
                 "\"content\":{\"membership\":\"join\",\"displayname\":\"User %d\"}}",
                 i, i, i, i);
        sync_events(world, event);
    }
    sync_events(world, TEXT("$1", "@u1199:x", "new") "," TEXT("$2", "@u0:x", "old"));
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 0)->name, "User 1199");
    assert_string_equal(fake_nth(world->fake, FAKE_POST, 1)->name, "u0");
    world_free(world);
}

/* ---- formatted text -------------------------------------------------------------------------------------- */

static void formatted_text_becomes_plain_words(void **state)
{
    (void)state;
    static const struct {
        const char *html, *text;
    } table[] = {
        {"plain", "plain"},
        {"so <em>much</em> <strong> better </strong>!", "so *much* *better* !"},
        {"<p>one</p><p>two</p>", "one\ntwo"},
        {"one<br>two<br/>three", "one\ntwo\nthree"},
        {"<ul><li>first</li><li>second</li></ul>after", "- first\n- second\nafter"},
        {"see <a href=\"https://a.example/x?y=1&amp;z=2\">this page</a>.",
         "see this page (https://a.example/x?y=1&z=2)."},
        {"<a href=\"https://a.example/\">https://a.example/</a>", "https://a.example/"},
        {"<a href=\"https://matrix.to/#/@asha:hs.test\">Asha</a>: hi", "Asha: hi"},
        {"<a href=\"javascript:alert(1)\">click</a>", "click"},
        {"<a href=\"https://a.example/\"></a>", "https://a.example/"},
        {"<mx-reply>quoted</mx-reply>answer", "answer"},
        {"<mx-reply>never closed", ""},
        {"<script>x()</script>a<style>b</style>c", "ac"},
        {"use <code>make check</code>", "use `make check`"},
        {"<pre><code>a\n  b</code></pre>", "a\n  b"},
        {"<img src=\"mxc://x\" alt=\":smile:\"> ok", ":smile: ok"},
        {"<font color=\"red\">red</font>", "red"},
        {"&lt;b&gt; &amp; &#x41;", "<b> & A"},
        {"  many   spaces \n here ", "many spaces here"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct mem_buf out = {.max = 4096};
        assert_int_equal(html_text(table[i].html, strlen(table[i].html), &out), HR_OK);
        assert_string_equal(mem_text(&out), table[i].text);
        mem_clear(&out);
    }
}

static void monstrous_html_falls_back_to_the_plain_body(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t count;
    } table[] = {{"<b>", 1400},       {"<p>", 5000}, {"<div>", 1000}, {"x", 50000}, {"<table><tr><td>", 400},
                 {"<a href=x>", 1400}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t len = strlen(table[i].piece);
        char *html = malloc(len * table[i].count + 1);
        assert_non_null(html);
        for (size_t n = 0; n < table[i].count; n++) {
            memcpy(html + n * len, table[i].piece, len);
        }
        struct mem_buf out = {.max = 4096};
        (void)html_text(html, len * table[i].count, &out);
        assert_true(out.len <= 4096);
        mem_clear(&out);
        free(html);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_carries_who_said_it_where_and_when),
        cmocka_unit_test(what_was_said_before_the_first_sync_is_not_read),
        cmocka_unit_test(own_messages_and_reactions_are_not_read),
        cmocka_unit_test(kinds_of_messages_become_text_and_flags),
        cmocka_unit_test(people_whom_a_bridge_brought_are_heard_but_never_obeyed),
        cmocka_unit_test(what_is_two_minutes_old_is_history),
        cmocka_unit_test(a_reply_names_its_parent_and_loses_the_quote),
        cmocka_unit_test(an_edit_by_the_author_counts),
        cmocka_unit_test(other_peoples_edits_and_edits_of_edits_do_not_count),
        cmocka_unit_test(a_redaction_is_read_from_content_first),
        cmocka_unit_test(two_people_of_one_name_are_told_apart),
        cmocka_unit_test(who_speaks_without_a_known_name_is_asked_for),
        cmocka_unit_test(who_has_no_name_is_called_by_the_local_part),
        cmocka_unit_test(founders_of_a_version_12_room_have_rights_outside_the_list),
        cmocka_unit_test(names_are_remembered_up_to_a_limit),
        cmocka_unit_test(formatted_text_becomes_plain_words),
        cmocka_unit_test(monstrous_html_falls_back_to_the_plain_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
