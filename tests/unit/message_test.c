/* SPDX-License-Identifier: MIT */
/* The log: what comes in once, what becomes a command, what follows an edit or a removal. */
#include "api.h"
#include "host_fixture.h"

static int setup(void **state)
{
    struct fixture *f = fixture_new(NULL);
    fixture_all_up(f);
    f->events = 0;
    f->relay = true;
    *state = f;
    return 0;
}

static int edit(struct fixture *f, const char *key, const char *revision, const char *text, const char *author)
{
    struct hr_bot *a = fixture_bot(f, "a");
    instance_enter(a);
    int rc = messages_edit(f->app.messages, a, key, revision, text, strlen(text), author);
    instance_leave(a, HR_OK);
    fixture_turn(f);
    return rc;
}

static int take_away(struct fixture *f, const char *key)
{
    struct hr_bot *a = fixture_bot(f, "a");
    instance_enter(a);
    int rc = messages_remove(f->app.messages, a, key);
    instance_leave(a, HR_OK);
    fixture_turn(f);
    return rc;
}

static void a_message_goes_to_the_other_rooms_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "hi all"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "hi all"), HR_EEXIST);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].body, "Lead: hi all");
    assert_int_equal(f->events, 1);
    fixture_restart(f, true);
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "hi all"), HR_EEXIST);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 0);
}

static void without_a_key_equal_words_are_two_messages(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", NULL, "ann", "yes"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "one", NULL, "ann", "yes"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 4);
}

static void foreign_text_is_cleaned_at_the_door(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "a\x02nn\r\n",
                                  "x\x03"
                                  "04,05y\xff\xe2\x80\xae!"),
                     HR_OK);
    fixture_turn(f);
    assert_string_equal(f->last_event, "1:xy\xef\xbf\xbd!");
    assert_int_equal(fixture_number(f, "SELECT name = 'ann' FROM message WHERE scope <> 'own'"), 1);
}

static void an_unknown_room_is_refused_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "elsewhere", "k", "ann", "hi"), HR_ENOTFOUND);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message"), 0);
}

static void commands_are_answered_where_asked_and_never_relayed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "!hello"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->events, 0);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].room, "a/one");
    assert_string_equal(f->sent[0].body, "hello");
}

static void only_the_account_of_a_host_may_run_what_is_for_hosts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k1", "boss", "!secret"), HR_OK);
    fixture_turn(f);
    assert_string_equal(f->sent[0].body, "hello");
    assert_int_equal(fixture_post(f, "b", "one", "k2", "boss", "!secret"), HR_OK); /* same name, another network */
    fixture_turn(f);
    assert_non_null(strstr(f->sent[1].body, "Only hosts can use !secret"));
}

static void an_edit_into_a_command_is_neither_run_nor_carried_on(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "boss", "hello"), HR_OK);
    fixture_turn(f);
    size_t before = f->sent_count;
    assert_int_equal(edit(f, "k", "k2", "!secret", "boss"), HR_OK);
    assert_int_equal(f->sent_count, before);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE text = 'hello'"), 1);
}

static void an_edit_follows_the_message_and_only_its_author_may(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "old"), HR_OK);
    fixture_turn(f);
    assert_int_equal(edit(f, "k", "k2", "forged", "eve"), HR_EDENIED);
    assert_int_equal(edit(f, "k", "k2", "new", "ann"), HR_OK);
    assert_int_equal(edit(f, "k", "k2", "new", "ann"), HR_EEXIST);
    assert_int_equal(f->sent_count, 4);
    assert_string_equal(f->sent[2].body, "Correction: Lead: newr1");
    assert_string_equal(f->last_event, "2:new");
    assert_int_equal(edit(f, "nowhere", "k3", "x", "ann"), HR_ENOTFOUND);
}

static void an_edit_of_what_still_waits_is_said_in_its_new_words(void **state)
{
    struct fixture *f = *state;
    network_down(fixture_bot(f, "b"), NULL, "gone");
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "old"), HR_OK);
    fixture_turn(f);
    assert_int_equal(edit(f, "k", "k2", "new", "ann"), HR_OK);
    size_t before = f->sent_count;
    network_up(fixture_bot(f, "b"), NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, before + 1);
    assert_string_equal(f->sent[before].body, "Lead: new");
}

static void a_removal_takes_words_from_the_log_and_follows_every_delivery(void **state)
{
    struct fixture *f = *state;
    network_down(fixture_bot(f, "b"), NULL, "gone");
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "regret"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(take_away(f, "k"), HR_OK);
    assert_int_equal(take_away(f, "k"), HR_OK); /* twice is once */
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[1].body, "Removed: Lead: r1");
    network_up(fixture_bot(f, "b"), NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2); /* what waited for b is not said at all */
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE text = 'regret'"), 0);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state IN ('waiting', 'claimed')"), 0);
}

static void an_edit_brings_no_hidden_words_back(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ben", "rude"), HR_OK);
    fixture_turn(f);
    instance_enter(fixture_bot(f, "feature"));
    assert_int_equal(messages_hide(f->app.messages, 1), HR_OK);
    instance_leave(fixture_bot(f, "feature"), HR_OK);
    assert_int_equal(edit(f, "k", "k2", "rude again", "ben"), HR_EDENIED);
    assert_int_equal(fixture_number(f, "SELECT length(text) FROM message WHERE id = 1"), 0);
}

/* A server's id may look like the number the host gives to a line without one. */
static void a_foreign_id_takes_no_line_its_place(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "n2", "ben", "with an id"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "one", NULL, "ben", "without"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "one", "n4", "ben", "with an id"), HR_OK);
    fixture_turn(f);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message"), 3);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery"), 6);
}

static void held_messages_wait_for_their_release(void **state)
{
    struct fixture *f = *state;
    f->verdict = HR_HOLD;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "hm"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count + (size_t)f->events, 0);
    uint64_t id = (uint64_t)fixture_number(f, "SELECT id FROM message WHERE state = 'held'");
    instance_enter(fixture_bot(f, "feature"));
    assert_int_equal(messages_release(f->app.messages, id), HR_OK);
    assert_int_equal(messages_release(f->app.messages, id), HR_ENOTFOUND);
    instance_leave(fixture_bot(f, "feature"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    f->verdict = HR_HIDE;
    assert_int_equal(fixture_post(f, "a", "one", "k2", "ann", "spam"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
}

static void a_feature_that_fails_takes_back_only_its_own(void **state)
{
    struct fixture *f = *state;
    f->fail_event = true;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "hi"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery"), 0);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message"), 1);
}

static void a_reply_names_its_parent_in_the_other_room(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_post(f, "a", "one", "k", "ann", "parent"), HR_OK);
    fixture_turn(f);
    struct hr_bot *a = fixture_bot(f, "a");
    struct hr_post post = {.size = sizeof(post),
                           .room = "one",
                           .key = "k2",
                           .reply_to = "k",
                           .author = {.id = "ben", .name = "ben"},
                           .text = "child",
                           .text_len = 5};
    instance_enter(a);
    assert_int_equal(messages_post(f->app.messages, a, &post, NULL), HR_OK);
    instance_leave(a, HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 4);
    assert_string_equal(f->sent[2].body, "Lead: child ^r1");
    assert_string_equal(f->sent[3].body, "Lead: child ^r2");
}

static void private_words_are_not_kept_or_relayed(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *a = fixture_bot(f, "a");
    struct hr_post post = {.size = sizeof(post),
                           .room = "ann",
                           .key = NULL,
                           .flags = HR_MSG_PRIVATE,
                           .author = {.id = "ann", .name = "ann"},
                           .text = "hello",
                           .text_len = 5};
    instance_enter(a);
    assert_int_equal(messages_post(f->app.messages, a, &post, NULL), HR_OK);
    instance_leave(a, HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].room, "a/ann");
    assert_string_equal(f->sent[0].body, "hello"); /* the command, without its prefix */
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE text = 'hello' AND scope <> 'own'"), 0);
}

static void odd_ids_are_refused(void **state)
{
    struct fixture *f = *state;
    char long_key[1000];
    memset(long_key, 'k', sizeof(long_key) - 1);
    long_key[sizeof(long_key) - 1] = '\0';
    assert_int_equal(fixture_post(f, "a", "one", long_key, "ann", "hi"), HR_EINVAL);
    assert_int_equal(fixture_post(f, "a", "one", "", "ann", "hi"), HR_EINVAL);
    assert_int_equal(fixture_post(f, "a", "one", "\xff", "ann", "hi"), HR_EINVAL);
}

static int post_flags(struct fixture *f, const char *account, const char *text, uint32_t flags)
{
    struct hr_bot *bot = fixture_bot(f, "a");
    struct hr_post post = {.size = sizeof(post),
                           .room = "one",
                           .text = text,
                           .text_len = strlen(text),
                           .time_ms = 1,
                           .author = {.id = "someone", .account = account, .name = "Someone", .handle = ""},
                           .flags = flags};
    instance_enter(bot);
    int rc = messages_post(f->app.messages, bot, &post, NULL);
    instance_leave(bot, HR_OK);
    fixture_turn(f);
    return rc;
}

/* Said while the bot was away: neither run late nor shown to the other rooms. */
static void a_command_from_history_is_not_run_and_not_relayed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post_flags(f, "", "!hello", HR_MSG_HISTORY), HR_OK);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery"), 0);
    assert_int_equal(post_flags(f, "", "hello", HR_MSG_HISTORY), HR_OK);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery"), 2);
}

/* "bo<zero width space>ss" is another account than "boss", although cleaning makes them equal. */
static void an_account_that_had_to_be_cleaned_proves_nothing(void **state)
{
    static const char *const odd[] = {"bo\xe2\x80\x8bss", "boss\x02", " boss", "boss ", "boss\xe2\x80\xae", "boss\n"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        assert_int_equal(post_flags(f, odd[i], "!secret", 0), HR_OK);
        assert_true(f->sent_count > 0);
        assert_string_not_equal(f->sent[f->sent_count - 1].body, "hello");
    }
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE account <> ''"), 0);
    assert_int_equal(post_flags(f, "boss", "!secret", 0), HR_OK);
    assert_string_equal(f->sent[f->sent_count - 1].body, "hello");
}

static void a_network_that_could_not_start_keeps_no_other_room_from_hearing(void **state)
{
    struct fixture *f = *state;
    network_detach(fixture_bot(f, "b")); /* as after a start() that failed */
    assert_int_equal(fixture_post(f, "a", "one", "k", "ben", "hello"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].room, "a/two");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state = 'expired'"
                                       " AND reason = 'its network is not running'"),
                     1);
    fixture_restart(f, true);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE state = 'waiting'"), 0);
}

static bool write_in_private(struct fixture *f, int n)
{
    struct hr_bot *bot = fixture_bot(f, "a");
    const struct hr_network_api *net = api_table(true)->net;
    char nick[32];
    snprintf(nick, sizeof(nick), "nick%d", n);
    struct hr_post post = {.size = sizeof(post),
                           .room = nick,
                           .text = "!hello",
                           .text_len = 6,
                           .time_ms = 1,
                           .author = {.id = nick, .account = "", .name = nick, .handle = ""},
                           .flags = HR_MSG_PRIVATE};
    instance_enter(bot);
    bool allowed = net->allow_private(bot, nick);
    if (allowed) {
        assert_int_equal(net->post(bot, &post, NULL), HR_OK);
    }
    instance_leave(bot, HR_OK);
    return allowed;
}

static size_t private_rooms(struct fixture *f)
{
    size_t count = 0;
    for (struct room *room = rooms_next(f->app.rooms, NULL); room != NULL; room = rooms_next(f->app.rooms, room)) {
        count += (room->hr.flags & HR_ROOM_PRIVATE) != 0;
    }
    return count;
}

/* Strangers can't use up the places: who was answered makes room for the next. */
static void private_rooms_have_a_ceiling_and_idle_ones_make_place(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 300; i++) {
        assert_true(write_in_private(f, i));
        fixture_turn(f);
        assert_string_equal(f->sent[f->sent_count - 1].body, "hello");
    }
    assert_true(private_rooms(f) <= 200);
    assert_true(write_in_private(f, 0)); /* comes back under the same id */
    fixture_turn(f);
    assert_int_equal(f->sent_count, 301);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM room WHERE private = 1"), 300);
}

static void private_rooms_that_wait_for_an_answer_stay(void **state)
{
    struct fixture *f = *state;
    int opened = 0;
    network_down(fixture_bot(f, "a"), NULL, "gone");
    for (int i = 0; i < 300; i++) {
        opened += write_in_private(f, i);
        fixture_turn(f);
    }
    assert_int_equal(opened, 200);
    network_up(fixture_bot(f, "a"), NULL);
    for (int i = 0; i < 4; i++) {
        fixture_turn(f);
    }
    assert_int_equal(f->sent_count, 200);
}

static void a_sealed_room_obeys_and_carries_nothing(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *a = fixture_bot(f, "a");
    network_seal(a, "one", true);
    assert_int_equal(fixture_post(f, "a", "one", "k1", "ann", "for us alone"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "two", "k2", "ben", "hi"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->events, 1); /* ben's */
    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].room, "b/one");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE text LIKE '%alone%'"), 0);
    assert_int_equal(fixture_post(f, "a", "one", "k3", "ann", "!help"), HR_OK);
    fixture_turn(f);
    assert_true(f->sent_count >= 2); /* the answer, a line or two */
    f->sent_count = 0;
    network_seal(a, "one", false);
    assert_int_equal(fixture_post(f, "a", "one", "k4", "ann", "for all"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
}

static int post_picture(struct fixture *f, const char *key, const char *text)
{
    struct hr_bot *a = fixture_bot(f, "a");
    const struct hr_post post = {.size = sizeof(post),
                                 .room = "one",
                                 .key = key,
                                 .author = {.id = "ann", .name = "ann"},
                                 .text = text,
                                 .text_len = strlen(text),
                                 .flags = HR_MSG_MEDIA,
                                 .media_url = "https://m.example.org/a/x.png"};
    instance_enter(a);
    int rc = messages_post(f->app.messages, a, &post, NULL);
    instance_leave(a, rc);
    fixture_turn(f);
    return rc;
}

static void a_picture_is_handed_on_by_its_service_and_linked_elsewhere(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(post_picture(f, "k1", "(Image: a bus)"), HR_OK);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].body, "Lead: (Image: a bus) shows k1");
    assert_string_equal(f->sent[1].body, "Lead: (Image: a bus) https://m.example.org/a/x.png");
    assert_string_equal(f->last_event, "1:(Image: a bus)"); /* features see no address that ends */
    assert_int_equal(edit(f, "k1", "k2", "(Image: a red bus)", "ann"), HR_OK);
    assert_string_equal(f->sent[2].body, "Correction: Lead: (Image: a red bus)r1 shows k1");
    assert_int_equal(take_away(f, "k1"), HR_OK);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM message WHERE media_url <> ''"), 0);
}

static void pictures_share_no_event_with_other_lines(void **state)
{
    struct fixture *f = *state;
    network_down(fixture_bot(f, "a"), "two", "away");
    network_limits(fixture_bot(f, "a"),
                   &(struct hr_limits){
                       .size = sizeof(struct hr_limits), .rate = 0.0001, .burst = 6, .window = 1, .window_all = 8});
    for (int i = 0; i < 3; i++) {
        char key[8];
        snprintf(key, sizeof(key), "t%d", i);
        assert_int_equal(fixture_post(f, "a", "one", key, "ann", key), HR_OK);
    }
    assert_int_equal(post_picture(f, "p", "(Image)"), HR_OK);
    assert_int_equal(fixture_post(f, "a", "one", "t4", "ann", "t4"), HR_OK);
    f->sent_count = 0;
    network_up(fixture_bot(f, "a"), "two");
    fixture_turn(f);
    for (size_t i = 0; i < f->sent_count; i++) {
        if (strstr(f->sent[i].body, "Image") != NULL) {
            assert_null(strstr(f->sent[i].body, " | "));
        }
    }
    assert_true(f->sent_count > 0);
    assert_non_null(strstr(f->sent[0].body, "t0 | t1 | t2"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_message_goes_to_the_other_rooms_once),
        T(without_a_key_equal_words_are_two_messages),
        T(foreign_text_is_cleaned_at_the_door),
        T(an_unknown_room_is_refused_and_leaves_nothing),
        T(commands_are_answered_where_asked_and_never_relayed),
        T(only_the_account_of_a_host_may_run_what_is_for_hosts),
        T(an_edit_into_a_command_is_neither_run_nor_carried_on),
        T(an_edit_follows_the_message_and_only_its_author_may),
        T(an_edit_of_what_still_waits_is_said_in_its_new_words),
        T(a_removal_takes_words_from_the_log_and_follows_every_delivery),
        T(held_messages_wait_for_their_release),
        T(a_feature_that_fails_takes_back_only_its_own),
        T(a_reply_names_its_parent_in_the_other_room),
        T(private_words_are_not_kept_or_relayed),
        T(odd_ids_are_refused),
        T(a_command_from_history_is_not_run_and_not_relayed),
        T(a_network_that_could_not_start_keeps_no_other_room_from_hearing),
        T(private_rooms_have_a_ceiling_and_idle_ones_make_place),
        T(private_rooms_that_wait_for_an_answer_stay),
        T(an_edit_brings_no_hidden_words_back),
        T(a_foreign_id_takes_no_line_its_place),
        T(an_account_that_had_to_be_cleaned_proves_nothing),
        T(a_picture_is_handed_on_by_its_service_and_linked_elsewhere),
        T(pictures_share_no_event_with_other_lines),
        T(a_sealed_room_obeys_and_carries_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
