/* SPDX-License-Identifier: MIT */
/* From room to room: names, what stays, the loop breaker, !source. */
#include "fake_host.h"
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

struct world {
    struct fake *fake;
    uint64_t irc, matrix, x;
};

static int set_up(void **state)
{
    static struct world world;
    world.fake = fake_new(&hashroom_plugin);
    fake_chat(world.fake, "dpulo", "#DPULO");
    world.irc = fake_room(world.fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world.matrix = fake_room(world.fake, "home", "!a:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world.x = fake_room(world.fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL | HR_ROOM_UP);
    *state = &world;
    return fake_start(world.fake);
}

static int tear_down(void **state)
{
    fake_free(((struct world *)*state)->fake);
    return 0;
}

static uint64_t post(struct world *world, const char *name, const char *handle, const char *text, const char *url)
{
    struct hr_person author = {.id = handle, .account = "", .name = name, .handle = handle};
    uint64_t id = fake_message(world->fake, world->x, &author, text, 0);
    fake_message_at(world->fake, id)->url = url;
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, id), 0);
    return id;
}

static size_t heard(struct world *world, uint64_t room, uint32_t flags)
{
    struct hr_person author = {.id = "ben", .account = "", .name = "Ben", .handle = ""};
    fake_forget(world->fake);
    uint64_t id = fake_message(world->fake, room, &author, "hello there", flags);
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, id), 0);
    return fake_count(world->fake, FAKE_RELAY);
}

static void a_line_goes_to_the_other_room_with_the_name(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Ben", "hello");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 1);
    const struct fake_record *relay = fake_last(world->fake, FAKE_RELAY);
    assert_int_equal(relay->room, world->matrix);
    assert_string_equal(relay->lead, "Ben on IRC");
    assert_int_equal(relay->priority, HR_PEOPLE);
    assert_true(relay->flags & HR_SAY_TEXT);
}

static void a_long_name_is_not_cut_into_our_own_lead(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Asha 678901234567890123456789 on Twitterandsoon", "hello");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Asha 678901234567890123456789 on IRC");
    fake_hear(world->fake, world->irc, "Asha on Matrix, on Twitter:", "good evening");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Asha on IRC");
}

static void the_first_post_of_an_author_says_the_handle(void **state)
{
    struct world *world = *state;
    post(world, "Ana", "ana_reads", "A1 poems", "https://x.com/ana_reads/status/1");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Ana (@ana_reads) on Twitter");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead_url, "https://x.com/ana_reads/status/1");
    assert_int_equal(fake_last(world->fake, FAKE_RELAY)->priority, HR_POSTS);
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 2);
    post(world, "Ana", "ana_reads", "and songs", "https://x.com/ana_reads/status/2");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Ana on Twitter");
}

static void the_handle_is_said_again_in_the_next_session(void **state)
{
    struct world *world = *state;
    struct hr_chat chat = {.size = sizeof(chat), .name = "dpulo", .tag = "#DPULO", .session = 4};
    fake_chat_record(world->fake, &chat);
    post(world, "Ana", "ana_reads", "one", "");
    chat.session = 5;
    fake_chat_record(world->fake, &chat);
    post(world, "Ana", "ana_reads", "two", "");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Ana (@ana_reads) on Twitter");
    assert_int_equal(fake_number(world->fake, "SELECT count(*) FROM relay_seen"), 1);
}

static void names_cannot_pretend_another_service(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Asha on Matrix on twitter", "hello");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Asha on IRC");
    fake_hear(world->fake, world->irc, "Asha:", "hello");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "Asha on IRC");
    post(world, "", "quiet_one", "hello", "");
    assert_string_equal(fake_last(world->fake, FAKE_RELAY)->lead, "quiet_one on Twitter");
}

static void commands_private_lines_and_machines_stay(void **state)
{
    struct world *world = *state;
    assert_int_equal(heard(world, world->irc, 0), 1);
    assert_int_equal(heard(world, world->irc, HR_MSG_NOTICE), 1);
    assert_int_equal(heard(world, world->irc, HR_MSG_COMMAND), 0);
    assert_int_equal(heard(world, world->irc, HR_MSG_PRIVATE), 0);
    assert_int_equal(heard(world, world->irc, HR_MSG_OWN), 0);
    assert_int_equal(heard(world, world->irc, HR_MSG_NOTICE | HR_MSG_BOT), 0);
}

static const char *lead_after(struct world *world, int64_t age_ms, uint32_t flags)
{
    struct hr_person author = {.id = "ben", .account = "", .name = "Ben", .handle = ""};
    fake_forget(world->fake);
    uint64_t id = fake_message(world->fake, world->irc, &author, "hello there", flags);
    fake_message_at(world->fake, id)->time_ms = fake_now_ms(world->fake) - age_ms;
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, id), 0);
    return fake_last(world->fake, FAKE_RELAY)->lead;
}

static void what_comes_late_says_how_late(void **state)
{
    struct world *world = *state;
    const int64_t minute = 60 * 1000;
    assert_string_equal(lead_after(world, minute - 1, HR_MSG_HISTORY), "Ben on IRC");
    assert_string_equal(lead_after(world, minute, HR_MSG_HISTORY), "Ben on IRC, 1 minute ago");
    assert_string_equal(lead_after(world, 59 * minute, HR_MSG_HISTORY), "Ben on IRC, 59 minutes ago");
    assert_string_equal(lead_after(world, 130 * minute, HR_MSG_HISTORY), "Ben on IRC, 2 hours ago");
    assert_string_equal(lead_after(world, 25 * 60 * minute, HR_MSG_HISTORY), "Ben on IRC, 1 day ago");
    assert_string_equal(lead_after(world, -5 * minute, HR_MSG_HISTORY), "Ben on IRC");
    assert_string_equal(lead_after(world, 5 * minute, 0), "Ben on IRC"); /* a source's clock that is off */
}

static void a_loop_is_broken_at_the_third_turn_and_said(void **state)
{
    struct world *world = *state;
    const char *said[] = {"first line", "second line", "third line", "fourth line"};
    for (int i = 0; i < 4; i++) {
        fake_hear(world->fake, world->irc, "Ben", said[i]);
        char back[64];
        (void)snprintf(back, sizeof(back), "<bot> Ben on IRC: %s", said[i]);
        fake_forget(world->fake);
        fake_hear(world->fake, world->matrix, "otherbridge", back);
        assert_int_equal(fake_count(world->fake, FAKE_RELAY), i < 2 ? 1 : 0);
        assert_int_equal(fake_count(world->fake, FAKE_SAY), i == 2 ? 1 : 0);
        if (i == 2) {
            assert_int_equal(fake_last(world->fake, FAKE_SAY)->room, world->irc);
            assert_non_null(strstr(fake_last(world->fake, FAKE_SAY)->text, "For 10 minutes"));
            assert_int_equal(fake_last(world->fake, FAKE_LOG)->level, HR_WARN);
        }
        fake_pass(world->fake, 5000);
    }
    fake_forget(world->fake);
    fake_hear(world->fake, world->matrix, "Carol", "I am a person");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 0);
    fake_pass(world->fake, 10 * 60 * 1000);
    fake_hear(world->fake, world->matrix, "Carol", "And now I am heard");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 1);
}

static void people_who_agree_are_no_loop(void **state)
{
    struct world *world = *state;
    fake_hear(world->fake, world->irc, "Ben", "yes");
    fake_hear(world->fake, world->matrix, "Ana", "yes");
    fake_hear(world->fake, world->matrix, "Cem", "yes");
    fake_hear(world->fake, world->matrix, "Dee", "oh yes");
    fake_hear(world->fake, world->matrix, "Eve", "yes");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 5);
    assert_int_equal(fake_count(world->fake, FAKE_SAY), 0);
}

static size_t relays_after(struct world *world, uint64_t room, const char *name, const char *text, uint32_t flags)
{
    struct hr_person author = {.name = name};
    fake_forget(world->fake);
    uint64_t id = fake_message(world->fake, room, &author, text, flags);
    assert_int_equal(fake_tell(world->fake, HR_EV_MESSAGE, id), 0);
    return fake_count(world->fake, FAKE_RELAY);
}

/* Another bridge shows what is said on IRC as "<name> words" in the Matrix room. */
static void said_and_bridged(struct world *world, const char *name, const char *text)
{
    char copy[128];
    (void)relays_after(world, world->irc, name, text, 0);
    (void)snprintf(copy, sizeof(copy), "<%s> %s", name, text);
    fake_pass(world->fake, 1000);
    (void)relays_after(world, world->matrix, "bridge", copy, 0);
}

static void another_bridge_keeps_its_way_and_it_is_said(void **state)
{
    struct world *world = *state;
    said_and_bridged(world, "Ben", "one");
    said_and_bridged(world, "Ben", "two");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 1); /* not sure yet */
    said_and_bridged(world, "Ben", "three");
    assert_int_equal(fake_count(world->fake, FAKE_RELAY), 0);
    assert_int_equal(fake_last(world->fake, FAKE_SAY)->room, world->matrix);
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text,
                        "Another bridge already shows messages from IRC here. I do not show them a second time.");
    assert_int_equal(relays_after(world, world->irc, "Cem", "four", 0), 0); /* the other one carries it */
    assert_int_equal(relays_after(world, world->matrix, "bridge", "<Cem> four", 0), 0);
    assert_int_equal(relays_after(world, world->matrix, "Ana", "but this way it does not", 0), 1);
    fake_forget(world->fake);
    assert_int_equal(fake_report(world->fake), 1);
    assert_non_null(fake_with(world->fake, FAKE_OUT, "libera/#dpulo to home/!a:example.org"));
}

static void when_the_other_bridge_is_silent_we_carry_again(void **state)
{
    struct world *world = *state;
    said_and_bridged(world, "Ben", "one");
    said_and_bridged(world, "Ben", "two");
    said_and_bridged(world, "Ben", "three");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(relays_after(world, world->irc, "Ben", i % 2 ? "odd" : "even", 0), 0);
        fake_pass(world->fake, 20000);
    }
    assert_int_equal(relays_after(world, world->irc, "Ben", "is anybody there", 0), 1);
    assert_string_equal(fake_last(world->fake, FAKE_SAY)->text,
                        "The other bridge is silent. I show messages from IRC here again.");
    assert_int_equal(fake_report(world->fake), 0);
}

static void names_of_ghosts_count_only_for_several_people(void **state)
{
    struct world *world = *state;
    const char *const text[] = {"good evening", "I agree", "so do I", "good night"};
    for (int i = 0; i < 4; i++) { /* one person who writes the same into both rooms */
        assert_int_equal(relays_after(world, world->irc, "ben", text[i], 0), 1);
        assert_int_equal(relays_after(world, world->matrix, "Ben", text[i], 0), 1);
        fake_pass(world->fake, 30000);
    }
    for (int i = 0; i < 3; i++) { /* two people and their ghosts */
        bool cem = i == 1;
        size_t carried = i < 1 ? 1 : 0; /* with what Ben wrote twice, two people make three pairs */
        assert_int_equal(relays_after(world, world->irc, cem ? "cem" : "ben", text[i], 0), i < 2 ? 1 : 0);
        assert_int_equal(relays_after(world, world->matrix, cem ? "cem[m]" : "ben[m]", text[i], 0), carried);
        fake_pass(world->fake, 30000);
    }
}

static void our_own_line_that_comes_back_into_its_room_goes_nowhere(void **state)
{
    struct world *world = *state;
    const char *said[] = {"first line", "second line", "third line", "fourth line"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(relays_after(world, world->irc, "Ben", said[i], 0), 1);
        char back[64];
        (void)snprintf(back, sizeof(back), "<hashroom> Ben on IRC: %s", said[i]);
        assert_int_equal(relays_after(world, world->irc, "otherbridge", back, 0), 0);
        assert_int_equal(fake_count(world->fake, FAKE_SAY), i == 2 ? 1 : 0);
        fake_pass(world->fake, 5000);
    }
    assert_int_equal(relays_after(world, world->irc, "Cem", "Ben on IRC is funny", 0), 1);
}

static void source_gives_the_link_of_the_last_post(void **state)
{
    struct world *world = *state;
    assert_int_equal(fake_command(world->fake, world->irc, "!source"), 0);
    assert_non_null(strstr(fake_last(world->fake, FAKE_ANSWER)->text, "not shown a post"));
    post(world, "Ana", "ana_reads", "poems", "https://x.com/ana_reads/status/1");
    uint64_t last = post(world, "Ben", "ben_r", "songs", "https://x.com/ben_r/status/2");
    assert_int_equal(fake_command(world->fake, world->irc, "!source"), 0);
    assert_string_equal(fake_last(world->fake, FAKE_ANSWER)->text,
                        "The last post here was by Ben on Twitter: https://x.com/ben_r/status/2");
    assert_int_equal(fake_tell(world->fake, HR_EV_REMOVE, last), 0);
    assert_int_equal(fake_command(world->fake, world->irc, "!source"), 0);
    assert_non_null(strstr(fake_last(world->fake, FAKE_ANSWER)->text, "not shown a post"));
}

static void a_post_left_out_of_two_rooms_is_shown_once(void **state)
{
    struct world *world = *state;
    char sql[400];
    uint64_t own =
        fake_room(world->fake, "home", "!dm:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_PRIVATE);
    fake_sql(world->fake, "CREATE TABLE gone(id, room, message, chat, lead, text, url);"
                          "CREATE VIEW core_pub_left_out AS SELECT * FROM gone");
    for (int i = 1; i <= 7; i++) {
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO gone VALUES(%d, %d, %d, 'dpulo', 'Ana on Twitter', 'post %d', ''),"
                       "(%d, %d, %d, 'dpulo', 'Ana on Twitter', 'post %d', '')",
                       2 * i, (int)world->irc, i, i, 2 * i + 1, (int)world->matrix, i, i);
        fake_sql(world->fake, sql);
    }
    assert_int_equal(fake_command(world->fake, own, "!missed"), 0);
    assert_non_null(strstr(fake_last(world->fake, FAKE_ANSWER)->text, "post 5\nThere are 2 more."));
    assert_int_equal(fake_command(world->fake, own, "!missed"), 0);
    assert_string_equal(fake_last(world->fake, FAKE_ANSWER)->text, "Ana on Twitter: post 6\nAna on Twitter: post 7");
    assert_int_equal(fake_command(world->fake, own, "!missed"), 0);
    assert_non_null(strstr(fake_last(world->fake, FAKE_ANSWER)->text, "seen them all"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_line_goes_to_the_other_room_with_the_name),
        T(a_long_name_is_not_cut_into_our_own_lead),
        T(a_post_left_out_of_two_rooms_is_shown_once),
        T(the_first_post_of_an_author_says_the_handle),
        T(the_handle_is_said_again_in_the_next_session),
        T(names_cannot_pretend_another_service),
        T(commands_private_lines_and_machines_stay),
        T(what_comes_late_says_how_late),
        T(a_loop_is_broken_at_the_third_turn_and_said),
        T(people_who_agree_are_no_loop),
        T(source_gives_the_link_of_the_last_post),
        T(another_bridge_keeps_its_way_and_it_is_said),
        T(when_the_other_bridge_is_silent_we_carry_again),
        T(names_of_ghosts_count_only_for_several_people),
        T(our_own_line_that_comes_back_into_its_room_goes_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
