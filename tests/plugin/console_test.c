/* SPDX-License-Identifier: MIT */
/* The room in the terminal: lines in, lines out, leaving. */
#include "fake_host.h"
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct fake *fake;
    uint64_t room;
};

static int set_up(void **state)
{
    static struct world world;
    world.fake = fake_new(&hashroom_plugin);
    fake_option(world.fake, "prefix", "yes");
    fake_option(world.fake, "quit_at_end", "yes");
    world.room = fake_room(world.fake, "console", "room", "the terminal", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    *state = &world;
    return fake_start(world.fake);
}

static int tear_down(void **state)
{
    fake_free(((struct world *)*state)->fake);
    return 0;
}

static const char *render(struct world *world, struct hr_delivery delivery)
{
    struct hr_room room = {
        .id = world->room, .address = "room", .network = "console", .service = "the terminal", .chat = "dpulo"};
    delivery.size = sizeof(delivery);
    delivery.room = &room;
    delivery.lead = delivery.lead ? delivery.lead : "";
    delivery.lead_url = delivery.reply_remote = delivery.reply_text = delivery.thread_remote = "";
    delivery.reply_name = delivery.reply_name ? delivery.reply_name : "";
    return fake_render(world->fake, &delivery) ? fake_last(world->fake, FAKE_PART)->text : "";
}

static void what_is_typed_is_said_in_the_room(void **state)
{
    struct world *world = *state;
    fake_type(world->fake, "  Hello, all  ");
    const struct fake_record *post = fake_last(world->fake, FAKE_POST);
    assert_non_null(post);
    assert_string_equal(post->text, "Hello, all");
    assert_string_equal(post->name, "You");
    assert_string_equal(post->account, "you");
    assert_string_equal(post->address, "room");
}

static void empty_lines_are_nothing(void **state)
{
    struct world *world = *state;
    fake_type(world->fake, "");
    fake_type(world->fake, "   ");
    assert_int_equal(fake_count(world->fake, FAKE_POST), 0);
}

static void quit_leaves_in_any_case(void **state)
{
    struct world *world = *state;
    fake_type(world->fake, "!quitting time");
    assert_int_equal(fake_count(world->fake, FAKE_QUIT), 0);
    fake_type(world->fake, " !Quit ");
    assert_int_equal(fake_count(world->fake, FAKE_QUIT), 1);
}

static void end_of_input_leaves(void **state)
{
    struct world *world = *state;
    fake_type(world->fake, NULL);
    assert_int_equal(fake_count(world->fake, FAKE_QUIT), 1);
}

static void a_relayed_line_has_the_name_first(void **state)
{
    struct world *world = *state;
    assert_string_equal(render(world, (struct hr_delivery){.lead = "Ben on Twitter", .text = "A2 One adviser."}),
                        "Ben on Twitter: A2 One adviser.");
    assert_string_equal(render(world, (struct hr_delivery){.text = "Question 1"}), "Question 1");
}

static void edits_replies_and_actions_are_said_in_words(void **state)
{
    struct world *world = *state;
    assert_string_equal(render(world, (struct hr_delivery){.act = HR_ACT_EDIT, .lead = "Ben on IRC", .text = "two"}),
                        "Correction: Ben on IRC: two");
    assert_string_equal(render(world, (struct hr_delivery){.lead = "Ben on IRC", .text = "yes", .reply_name = "Asha"}),
                        "Ben on IRC, answering Asha: yes");
    assert_string_equal(
        render(world, (struct hr_delivery){.lead = "Ben on IRC", .text = "waves", .msg_flags = HR_MSG_EMOTE}),
        "Ben on IRC waves");
}

static void a_removal_is_said_while_it_is_fresh(void **state)
{
    struct world *world = *state;
    assert_string_equal(
        render(world, (struct hr_delivery){.act = HR_ACT_REMOVE, .lead = "Ben on IRC", .text = "", .age_ms = 1000}),
        "A message of Ben on IRC was removed.");
    assert_string_equal(
        render(world, (struct hr_delivery){.act = HR_ACT_REMOVE, .lead = "Ben on IRC", .text = "", .age_ms = 3600000}),
        "");
}

static void each_line_starts_with_the_room(void **state)
{
    struct world *world = *state;
    assert_int_equal(fake_send(world->fake, 7, world->room, "Question 1 of 4: Why?\nTo answer, start with A1."), 0);
    assert_int_equal(fake_count(world->fake, FAKE_TERMINAL), 2);
    assert_string_equal(fake_nth(world->fake, FAKE_TERMINAL, 0)->text, "room | Question 1 of 4: Why?\n");
    assert_string_equal(fake_nth(world->fake, FAKE_TERMINAL, 1)->text, "room | To answer, start with A1.\n");
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->status, HR_OK);
    assert_int_equal(fake_last(world->fake, FAKE_SENT)->part, 7);
}

static void other_rooms_are_refused_with_the_fix(void **state)
{
    (void)state;
    char err[200] = "";
    assert_int_equal(hashroom_plugin.network->check_room("#dpulo", err, sizeof(err)), HR_EINVAL);
    assert_non_null(strstr(err, "/room"));
    assert_int_equal(hashroom_plugin.network->check_room("room", err, sizeof(err)), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_typed_is_said_in_the_room),
        T(empty_lines_are_nothing),
        T(quit_leaves_in_any_case),
        T(end_of_input_leaves),
        T(a_relayed_line_has_the_name_first),
        T(edits_replies_and_actions_are_said_in_words),
        T(a_removal_is_said_while_it_is_fresh),
        T(each_line_starts_with_the_room),
        T(other_rooms_are_refused_with_the_fix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
