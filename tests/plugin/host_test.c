/* SPDX-License-Identifier: MIT */
/* The fake host keeps the promises that plugin.h makes, tried with a small plugin. */
#include "fake_host.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct toy {
    int worked, dropped;
    struct hr_bot *bot;
    const struct hr_api *api;
    struct hr_timer *timer;
    int ticks;
};

static const struct hr_option toy_options[] = {
    {.name = "every", .type = HR_DURATION, .preset = "30s", .help = "Time between two ticks."},
    {.name = "names", .type = HR_LIST, .preset = "{ \"a\", \"b\" }", .help = "Names."},
    {.name = "greeting", .type = HR_STR, .help = "Said at start."},
    {0},
};

static const struct hr_text toy_texts[] = {{"T1", "Tick {n} of {of}.", "n=1;of=2"}, {0}};
static const char *const toy_schema[] = {"CREATE TABLE toy_tick (n INTEGER NOT NULL UNIQUE)", NULL};

static void on_tick(void *arg)
{
    struct toy *toy = arg;
    toy->ticks++;
    const char *n = toy->api->print(toy->bot, "%d", toy->ticks);
    toy->api->log(toy->bot, HR_INFO, "%s", toy->api->words(toy->bot, "T1", "n", n, "of", "9", NULL));
    if (toy->ticks == 3) {
        toy->api->timer_stop(toy->timer);
    }
}

static int toy_start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct toy *toy = calloc(1, sizeof *toy);
    if (!toy) {
        return HR_EFAIL;
    }
    *toy = (struct toy){.bot = bot, .api = api};
    *state = toy;
    int64_t every = api->option(bot, "every")->num;
    return api->timer_in(bot, every, every, on_tick, toy, &toy->timer);
}

static void toy_stop(void *state)
{
    free(state);
}

static void work_toy(void *arg)
{
    ((struct toy *)arg)->worked++;
}

static void drop_toy(void *arg)
{
    ((struct toy *)arg)->dropped++;
}

static int run_save(void *state, const struct hr_call *call)
{
    struct toy *toy = state;
    int status = toy->api->sql(toy->bot, "INSERT INTO toy_tick VALUES (?1)", &HR_V_INT(call->argc), 1, NULL, NULL);
    (void)toy->api->answer(toy->bot, call, call->argc ? call->argv[0] : "nothing");
    status = status < 0 ? status : toy->api->work(toy->bot, work_toy, work_toy, drop_toy, toy);
    return call->argc == 3 ? HR_EFAIL : status;
}

static const struct hr_command toy_commands[] = {
    {.name = "save", .aliases = "keep store", .usage = "", .help = "Saves.", .example = "!save", .run = run_save},
    {0},
};

static int run_paint(void *state, int argc, const char *const *argv, struct hr_out *out)
{
    struct toy *toy = state;
    if (argc == 0) {
        return toy->api->ask(out, HR_ASK_HIDDEN, "Which %s?", "colour");
    }
    toy->api->out(out, "Painted %s.", argv[0]);
    return HR_OK;
}

static const struct hr_tool toy_tools[] = {
    {.name = "paint", .usage = "COLOUR", .help = "Paints.", .run = run_paint},
    {0},
};

static const struct hr_plugin toy_plugin = {
    HR_PLUGIN_HEADER,       .name = "toy",      .version = "1",       .help = "A toy.",
    .options = toy_options, .texts = toy_texts, .schema = toy_schema, .commands = toy_commands,
    .start = toy_start,     .stop = toy_stop,   .tools = toy_tools,
};

static struct fake *started(void)
{
    struct fake *fake = fake_new(&toy_plugin);
    fake_option(fake, "greeting", "hello");
    assert_int_equal(fake_start(fake), HR_OK);
    return fake;
}

static void timers_run_at_their_instants_and_stop_in_their_callback(void **state)
{
    (void)state;
    struct fake *fake = started();
    fake_pass(fake, 29999);
    assert_int_equal(fake_count(fake, FAKE_LOG), 0);
    fake_pass(fake, 1);
    assert_string_equal(fake_last(fake, FAKE_LOG)->text, "Tick 1 of 9.");
    fake_pass(fake, 600000);
    assert_int_equal(fake_count(fake, FAKE_LOG), 3);
    assert_int_equal(fake_timers(fake), 0);
    fake_free(fake);
}

static void options_are_read_as_written_in_a_file(void **state)
{
    (void)state;
    struct fake *fake = started();
    const struct hr_api *api = fake_api(fake);
    assert_int_equal(api->option(fake_bot(fake), "every")->num, 30000);
    assert_string_equal(api->option(fake_bot(fake), "names")->list[1], "b");
    assert_null(api->option(fake_bot(fake), "names")->list[2]);
    assert_string_equal(api->option(fake_bot(fake), "greeting")->str, "hello");
    fake_free(fake);
}

static void failed_callback_leaves_nothing_behind(void **state)
{
    (void)state;
    struct fake *fake = started();
    uint64_t room = fake_room(fake, "n", "#r", "IRC", "", HR_ROOM_PEOPLE);
    assert_int_equal(fake_command(fake, room, "!store one two three"), HR_EFAIL);
    assert_int_equal(fake_count(fake, FAKE_ANSWER), 0);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM toy_tick"), 0);
    assert_int_equal(fake_works(fake), 0);
    assert_int_equal(((struct toy *)fake_state(fake))->dropped, 1);
    assert_int_equal(fake_command(fake, room, "!store one"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ANSWER)->text, "one");
    assert_int_equal(fake_number(fake, "SELECT n FROM toy_tick"), 1);
    fake_free(fake);
}

static void restart_keeps_the_database_and_sweeps_timers(void **state)
{
    (void)state;
    struct fake *fake = started();
    uint64_t room = fake_room(fake, "n", "#r", "IRC", "", HR_ROOM_PEOPLE);
    assert_int_equal(fake_command(fake, room, "!save"), HR_OK);
    fake_stop(fake);
    assert_int_equal(fake_timers(fake), 0);
    assert_int_equal(fake_start(fake), HR_OK);
    assert_int_equal(fake_timers(fake), 1);
    assert_int_equal(fake_number(fake, "SELECT count(*) FROM toy_tick"), 1);
    fake_free(fake);
}

static void key_is_said_once(void **state)
{
    (void)state;
    struct fake *fake = started();
    uint64_t room = fake_room(fake, "n", "#r", "IRC", "", HR_ROOM_PEOPLE), message = 0;
    struct hr_say say = {.size = sizeof say, .text = "hello", .key = "k", .priority = HR_TIMING};
    assert_int_equal(fake_api(fake)->say(fake_bot(fake), &room, 1, &say, &message), HR_OK);
    assert_int_equal(message, 1);
    assert_int_equal(fake_api(fake)->say(fake_bot(fake), &room, 1, &say, NULL), HR_EEXIST);
    assert_int_equal(fake_count(fake, FAKE_SAY), 1);
    fake_free(fake);
}

struct sum {
    int to, result;
    bool done, dropped;
};

static void add_up(void *arg)
{
    struct sum *sum = arg;
    for (int i = 1; i <= sum->to; i++) {
        sum->result += i;
    }
}

static void on_added(void *arg)
{
    ((struct sum *)arg)->done = true;
}

static void on_dropped(void *arg)
{
    ((struct sum *)arg)->dropped = true;
}

static void work_is_done_when_the_test_says_so_or_dropped_at_the_stop(void **state)
{
    (void)state;
    struct fake *fake = started();
    const struct hr_api *api = fake_api(fake);
    struct sum one = {.to = 3}, two = {.to = 4};
    assert_int_equal(api->work(fake_bot(fake), add_up, on_added, on_dropped, &one), HR_OK);
    assert_false(one.done);
    assert_int_equal(fake_work(fake), 1);
    assert_true(one.done && one.result == 6 && !one.dropped);
    assert_int_equal(api->work(fake_bot(fake), add_up, on_added, on_dropped, &two), HR_OK);
    assert_int_equal(fake_works(fake), 1);
    fake_stop(fake);
    assert_true(two.dropped && !two.done && two.result == 0);
    fake_free(fake);
}

static void no_more_than_64_works_wait(void **state)
{
    (void)state;
    struct fake *fake = started();
    const struct hr_api *api = fake_api(fake);
    struct sum sum = {.to = 1};
    for (int i = 0; i < 64; i++) {
        assert_int_equal(api->work(fake_bot(fake), add_up, on_added, NULL, &sum), HR_OK);
    }
    assert_int_equal(api->work(fake_bot(fake), add_up, on_added, NULL, &sum), HR_ELIMIT);
    assert_int_equal(api->work(fake_bot(fake), NULL, on_added, NULL, &sum), HR_EINVAL);
    assert_int_equal(fake_work(fake), 64);
    fake_free(fake);
}

static void derived_bytes_depend_on_purpose_instance_and_key_alone(void **state)
{
    (void)state;
    struct fake *fake = started();
    const struct hr_api *api = fake_api(fake);
    unsigned char first[32], again[32];
    assert_int_equal(api->derive(fake_bot(fake), "p", first, sizeof first), HR_OK);
    assert_int_equal(api->derive(fake_bot(fake), "p", again, sizeof again), HR_OK);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(api->derive(fake_bot(fake), "q", again, sizeof again), HR_OK);
    assert_memory_not_equal(first, again, sizeof first);
    fake_key(fake, 2);
    assert_int_equal(api->derive(fake_bot(fake), "p", again, sizeof again), HR_OK);
    assert_memory_not_equal(first, again, sizeof first);
    assert_int_equal(api->derive(fake_bot(fake), "", again, sizeof again), HR_EINVAL);
    assert_int_equal(api->derive(fake_bot(fake), "p", again, 65), HR_EINVAL);
    fake_free(fake);
}

static void store_id_is_the_same_until_the_test_gives_another(void **state)
{
    (void)state;
    struct fake *fake = started();
    const struct hr_api *api = fake_api(fake);
    assert_int_equal(strlen(api->store_id(fake_bot(fake))), 16);
    fake_store_id(fake, "abc");
    assert_string_equal(api->store_id(fake_bot(fake)), "abc");
    assert_true(HR_HAS(api, store_id));
    fake_free(fake);
}

static void a_tool_asks_and_is_called_again_by_the_test(void **state)
{
    (void)state;
    const char *words[] = {"blue"};
    struct fake *fake = started();
    assert_int_equal(fake_tool(fake, "paint", 0, NULL), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_ASK)->text, "Which colour?");
    assert_int_equal(fake_last(fake, FAKE_ASK)->flags, HR_ASK_HIDDEN);
    assert_int_equal(fake_tool(fake, "paint", 1, words), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_OUT)->text, "Painted blue.");
    assert_int_equal(fake_tool(fake, "sing", 0, NULL), HR_ENOTFOUND);
    fake_free(fake);
}

static int toy_page(void *arg, const char *path)
{
    struct toy *toy = arg;
    const struct hr_page page = {.size = sizeof page, .code = 200, .type = "text/plain", .bytes = path, .len = 2};
    int rc = toy->api->page(toy->bot, path, &page);
    return strcmp(path, "no") == 0 ? HR_EFAIL : rc;
}

static void pages_are_asked_for_and_undone_with_their_callback(void **state)
{
    (void)state;
    struct fake *fake = fake_new(&toy_plugin);
    fake_option(fake, "greeting", "hi");
    assert_int_equal(fake_start(fake), HR_OK);
    struct toy *toy = fake_state(fake);
    assert_int_equal(toy->api->serve(toy->bot, toy_page, toy), HR_ENOTFOUND);
    assert_null(toy->api->serve_url(toy->bot));
    fake_stop(fake);
    fake_pages(fake);
    assert_int_equal(fake_start(fake), HR_OK);
    toy = fake_state(fake);
    assert_int_equal(fake_visit(fake, "ok"), HR_ENOTFOUND);
    assert_int_equal(toy->api->serve(toy->bot, toy_page, toy), HR_OK);
    assert_string_equal(toy->api->serve_url(toy->bot), "https://pages.example.org/toy/");
    assert_int_equal(fake_visit(fake, "ok"), HR_OK);
    assert_string_equal(fake_last(fake, FAKE_PAGE)->text, "ok");
    assert_int_equal(fake_visit(fake, "no"), HR_EFAIL);
    assert_int_equal(fake_count(fake, FAKE_PAGE), 1);
    assert_int_equal(fake_visit(fake, "not a path"), HR_EINVAL);
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_at_their_instants_and_stop_in_their_callback),
        cmocka_unit_test(options_are_read_as_written_in_a_file),
        cmocka_unit_test(failed_callback_leaves_nothing_behind),
        cmocka_unit_test(restart_keeps_the_database_and_sweeps_timers),
        cmocka_unit_test(key_is_said_once),
        cmocka_unit_test(a_tool_asks_and_is_called_again_by_the_test),
        cmocka_unit_test(work_is_done_when_the_test_says_so_or_dropped_at_the_stop),
        cmocka_unit_test(no_more_than_64_works_wait),
        cmocka_unit_test(derived_bytes_depend_on_purpose_instance_and_key_alone),
        cmocka_unit_test(pages_are_asked_for_and_undone_with_their_callback),
        cmocka_unit_test(store_id_is_the_same_until_the_test_gives_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
