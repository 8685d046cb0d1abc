/* SPDX-License-Identifier: MIT */
/* The outbox where things go wrong around it: callbacks that are undone, !stop, doubts, a clock that jumps. */
#include "host_fixture.h"

/* What a plugin does in a callback that fails is undone, in memory as on disk. */
static void a_removal_that_is_undone_leaves_the_line_waiting_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *bot = fixture_bot(f, "feature");
    f->relay = true;
    for (int i = 0; i < 3; i++) {
        static const char *const keys[] = {"k0", "k1", "k2"};
        assert_int_equal(fixture_post(f, "b", "one", keys[i], "ben", keys[i]), HR_OK);
    }
    fixture_turn(f);
    for (int i = 0; i < 3; i++) { /* the middle, then the last, then the first with what is left */
        static const uint64_t order[] = {2, 3, 1};
        instance_enter(bot);
        assert_int_equal(messages_hide(f->app.messages, order[i]), HR_OK);
        if (i == 2) {
            assert_int_equal(messages_hide(f->app.messages, 2), HR_OK);
        }
        instance_leave(bot, HR_EFAIL);
    }
    fixture_turn(f);
    fixture_all_up(f);
    const char *said[3];
    size_t count = 0;
    for (size_t i = 0; i < f->sent_count; i++) {
        if (strcmp(f->sent[i].room, "a/one") == 0 && count < 3) {
            said[count++] = f->sent[i].body;
        }
    }
    assert_int_equal(count, 3);
    assert_string_equal(said[0], "Lead: k0");
    assert_string_equal(said[1], "Lead: k1");
    assert_string_equal(said[2], "Lead: k2");
}

static void a_stop_that_is_undone_drops_nothing(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *bot = fixture_bot(f, "feature");
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "1", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "2", NULL), HR_OK);
    instance_enter(bot);
    assert_int_equal(outbox_drop_waiting(f->app.outbox, fixture_room(f, "a/one"), "stopped"), 2);
    instance_leave(bot, HR_EFAIL);
    fixture_all_up(f);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[0].body, "1");
    assert_string_equal(f->sent[1].body, "2");
    assert_int_equal(fixture_in_state(f, "delivered"), 2);
}

static void a_refusal_told_in_a_callback_that_is_undone_still_counts(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "1\n2", NULL), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "3", NULL), HR_OK);
    fixture_turn(f);
    struct hr_bot *bot = fixture_bot(f, "a");
    instance_enter(bot);
    outbox_sent(f->app.outbox, bot, f->sent[0].part, HR_EFAIL, NULL, -1, "no");
    instance_leave(bot, HR_EFAIL);
    fixture_turn(f);
    assert_int_equal(fixture_in_state(f, "refused"), 1);
    assert_int_equal(f->sent_count, 2);
    assert_string_equal(f->sent[1].body, "3");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM part WHERE state = 'dropped'"), 1);
}

static void a_removal_goes_out_although_the_room_was_stopped(void **state)
{
    struct fixture *f = *state;
    fixture_all_up(f);
    f->relay = true;
    assert_int_equal(fixture_post(f, "b", "one", "k", "ben", "rude"), HR_OK);
    fixture_turn(f);
    size_t before = f->sent_count;
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "in the way", NULL), HR_OK);
    fixture_turn(f);
    struct hr_bot *bot = fixture_bot(f, "feature");
    instance_enter(bot);
    assert_int_equal(messages_hide(f->app.messages, 1), HR_OK);
    assert_int_equal(outbox_drop_waiting(f->app.outbox, fixture_room(f, "a/one"), "stopped"), 0);
    instance_leave(bot, HR_OK);
    outbox_sent(f->app.outbox, fixture_bot(f, "a"), f->sent[before].part, HR_OK, NULL, -1, NULL);
    f->answer = HR_OK;
    fixture_turn(f);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM delivery WHERE act = 2 AND state = 'delivered'"), 2);
}

static void each_feature_is_told_of_a_doubt_with_the_words_whole(void **state)
{
    struct fixture *f = fixture_new("chat \"c\" {\n tag = \"#C\"\n room \"a/one\" { }\n}\n"
                                    "chat \"d\" {\n tag = \"#D\"\n room \"b/one\" { }\n}\n");
    enum { LONG = 100 * 1000 }; /* too long for what the arena keeps */
    char *text = xmalloc(LONG + 1), path[128];
    (void)state;
    memset(text, 'q', LONG);
    text[LONG] = '\0';
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "one");
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_QUESTION, text, NULL), HR_OK);
    fixture_turn(f);
    free(text);
    snprintf(path, sizeof(path), "%s/plugins/feature.conf", f->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("instance \"c\" { }\ninstance \"d\" { }\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    f->events = 0;
    fixture_restart(f, false);
    assert_int_equal(f->events, 2);
    assert_memory_equal(f->last_event, "6:qqqq", 6);
    fixture_free(f);
}

/* The system's clock was wrong by a day and is put right in the middle of a quiet minute. */
static void a_clock_that_jumps_back_makes_no_day_of_silence(void **state)
{
    struct fixture *f = *state;
    const int64_t day_ms = 24 * 3600 * 1000, now_ms = clock_chat_ms(&f->app.clock);
    fixture_all_up(f);
    struct hr_chat chat = chats_find(f->app.chats, "c")->hr;
    chat.quiet_until_ms = now_ms + 60 * 1000;
    assert_int_equal(chats_set(f->app.chats, &chat), HR_OK);
    assert_int_equal(fixture_say(f, "a/one", HR_POSTS, "post", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 0);
    clock_set(&f->app.clock, now_ms - day_ms, 1);
    turn_touch(f->app.turn);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
}

/* Whoever hides a message does not want it to stand there until all posts are through. */
static void what_a_moderator_hides_goes_before_what_waits(void **state)
{
    struct fixture *f = *state;
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "one");
    f->relay = true;
    assert_int_equal(fixture_post(f, "b", "one", "k", "ben", "rude"), HR_OK);
    assert_int_equal(fixture_post(f, "b", "one", "l", "ben", "withdrawn"), HR_OK);
    fixture_turn(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_REPLY, "on its way", NULL), HR_OK);
    fixture_turn(f);
    assert_int_equal(fixture_say(f, "a/one", HR_PEOPLE, "waits", NULL), HR_OK);
    struct hr_bot *bot = fixture_bot(f, "b");
    instance_enter(bot);
    assert_int_equal(messages_remove(f->app.messages, bot, "l"), HR_OK); /* its author's own affair: no hurry */
    assert_int_equal(messages_hide(f->app.messages, 1), HR_OK);
    instance_leave(bot, HR_OK);
    f->answer = HR_OK;
    outbox_sent(f->app.outbox, fixture_bot(f, "a"), f->sent[2].part, HR_OK, NULL, -1, NULL);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 6);
    assert_memory_equal(f->sent[3].body, "Removed", 7);
    assert_string_equal(f->sent[4].body, "waits");
    assert_memory_equal(f->sent[5].body, "Removed", 7);
}

static void a_line_of_which_a_part_is_unknown_is_unknown_after_a_restart_too(void **state)
{
    struct fixture *f = *state;
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "one");
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "1\n2", NULL), HR_OK);
    fixture_turn(f);
    outbox_sent(f->app.outbox, fixture_bot(f, "a"), f->sent[0].part, HR_EUNKNOWN, NULL, -1, "cut off");
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    fixture_restart(f, false);
    f->answer = HR_OK;
    network_up(fixture_bot(f, "a"), NULL);
    network_up(fixture_bot(f, "a"), "one");
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    assert_int_equal(fixture_in_state(f, "unknown"), 1);
}

/* A far side may ask for any pause; a day is enough. */
static void a_pause_without_end_is_a_day(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *bot = fixture_bot(f, "a");
    fixture_all_up(f);
    f->answer = 1;
    assert_int_equal(fixture_say(f, "a/one", HR_TIMING, "1", NULL), HR_OK);
    fixture_turn(f);
    outbox_sent(f->app.outbox, bot, f->sent[0].part, HR_ERETRY, NULL, INT64_MAX, "slow down");
    assert_in_range(bot->network->blocked_until_ms, clock_monotonic_ms(), clock_monotonic_ms() + 24 * 3600 * 1000);
}

/* The correction has arrived, and its row doesn't say so yet: it is taken back all the same. */
static void a_removal_right_behind_a_correction_takes_both_back(void **state)
{
    struct fixture *f = *state;
    struct hr_bot *a = fixture_bot(f, "a"), *b = fixture_bot(f, "b");
    network_up(a, NULL);
    network_up(a, "one");
    f->relay = true;
    assert_int_equal(fixture_post(f, "b", "one", "k", "ben", "rude"), HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 1);
    f->answer = 1;
    instance_enter(b);
    assert_int_equal(messages_edit(f->app.messages, b, "k", "k2", "ruder", 5, "ben"), HR_OK);
    instance_leave(b, HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2);
    instance_enter(b);
    assert_int_equal(messages_remove(f->app.messages, b, "k"), HR_OK);
    instance_leave(b, HR_OK);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 2); /* it waits for the correction */
    outbox_sent(f->app.outbox, a, f->sent[1].part, HR_OK, "the-edit", -1, NULL);
    f->answer = HR_OK;
    fixture_turn(f);
    fixture_turn(f);
    assert_int_equal(f->sent_count, 4);
    assert_non_null(strstr(f->sent[3].body, "the-edit"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_removal_that_is_undone_leaves_the_line_waiting_in_its_place),
        T(a_stop_that_is_undone_drops_nothing),
        T(a_refusal_told_in_a_callback_that_is_undone_still_counts),
        T(a_removal_goes_out_although_the_room_was_stopped),
        cmocka_unit_test(each_feature_is_told_of_a_doubt_with_the_words_whole),
        T(a_pause_without_end_is_a_day),
        T(a_removal_right_behind_a_correction_takes_both_back),
        T(what_a_moderator_hides_goes_before_what_waits),
        T(a_line_of_which_a_part_is_unknown_is_unknown_after_a_restart_too),
        T(a_clock_that_jumps_back_makes_no_day_of_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
