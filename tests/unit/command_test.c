/* SPDX-License-Identifier: MIT */
/* Commands: what is one, who may, what is answered. The rest of the host is faked. */
#include "command.h"
#include "chat.h"
#include "command_texts.h"
#include "config.h"
#include "instance.h"
#include "log.h"
#include "message.h"
#include "outbox.h"
#include "room.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- the fake host: no store, answers are kept in `said` ------------------------ */

static struct app app;
static struct config config;
static char said[8][1024];
static int said_count, log_count, run_count, run_status;
static int64_t now_ms = 1000;
static struct hr_call last_call;
static char last_rest[256], last_words[256];

static struct chat chats[2] = {{.hr = {.name = "dpulo", .tag = "#DPULO"}}, {.hr = {.name = "nhssm", .tag = "#NHSSM"}}};
static size_t chat_count = 1;
static struct room rooms[3] = {
    {.hr = {.id = 1,
            .network = "libera",
            .address = "#dpulo",
            .service = "IRC",
            .chat = "dpulo",
            .flags = HR_ROOM_PEOPLE}},
    {.hr = {.id = 2,
            .network = "libera",
            .address = "ben",
            .service = "IRC",
            .chat = "",
            .flags = HR_ROOM_PEOPLE | HR_ROOM_PRIVATE}},
    {.hr = {.id = 3, .network = "libera", .address = "#other", .service = "IRC", .chat = "", .flags = HR_ROOM_PEOPLE}},
};

struct room *rooms_get(struct rooms *unused, uint64_t id)
{
    (void)unused;
    return id >= 1 && id <= 3 ? &rooms[id - 1] : NULL;
}

struct chat *chats_find(struct chats *unused, const char *name)
{
    (void)unused;
    for (size_t i = 0; i < chat_count; i++) {
        if (strcmp(chats[i].hr.name, name) == 0) {
            return &chats[i];
        }
    }
    return NULL;
}

struct chat *chats_each(struct chats *unused, struct chat *after)
{
    (void)unused;
    const size_t next = after == NULL ? 0 : (size_t)(after - chats) + 1;
    return next < chat_count ? &chats[next] : NULL;
}

struct chat *chats_only(struct chats *unused)
{
    (void)unused;
    return chat_count == 1 ? &chats[0] : NULL;
}

uint64_t messages_own(struct messages *unused, struct hr_bot *from, const struct hr_say *say, const char *chat)
{
    (void)unused;
    (void)from;
    (void)chat;
    assert_true(said_count < 8);
    assert_int_equal(say->priority, HR_REPLY);
    (void)snprintf(said[said_count++], sizeof(said[0]), "%s", say->text);
    return 7;
}

int outbox_say(struct outbox *unused, uint64_t message, uint64_t reply_to, struct room *room, const struct hr_say *say)
{
    (void)unused;
    (void)reply_to;
    (void)say;
    assert_int_equal(message, 7);
    assert_non_null(room);
    return 0;
}

void instance_enter(struct hr_bot *bot)
{
    (void)bot;
}

void instance_leave(struct hr_bot *bot, int status)
{
    (void)bot;
    (void)status;
}

int64_t clock_monotonic_ms(void)
{
    return now_ms;
}

/* ---- a plugin ------------------------------------------------------------------- */

static int run(void *state, const struct hr_call *call)
{
    assert_ptr_equal(state, &run_count);
    run_count++;
    last_call = *call;
    (void)snprintf(last_rest, sizeof(last_rest), "%s", call->rest);
    last_words[0] = 0;
    for (int i = 0; i < call->argc; i++) {
        const size_t n = strlen(last_words);
        (void)snprintf(last_words + n, sizeof(last_words) - n, "%s|", call->argv[i]);
    }
    assert_null(call->argv[call->argc]);
    return run_status;
}

static const struct hr_command table[] = {
    {"now", "q question", "", "I say which question is open.", "!now", NULL, HR_CMD_CARD, run},
    {"links", "resources", "[word]", "I list the last links.", "!links housing", NULL, HR_CMD_CARD, run},
    {"start", "startmeeting", "", "Starts the chat now.", "!start", "chat.run", HR_CMD_HOSTS, run},
    {"next", NULL, "", "Opens the next question.", "!next", "chat.run", HR_CMD_HOSTS, run},
    {"status", NULL, "", "I say how the networks are.", "!status", "bot.operate", HR_CMD_NO_CHAT, run},
    {"stop", NULL, "", "I drop what still waits for this room.", "!stop", "room.stop", 0, run},
    {"help", NULL, "", "Not to be had.", "", NULL, 0, run},
    {0},
};
static const struct hr_plugin plugin = {HR_PLUGIN_HEADER, .name = "sample", .commands = table};
static struct hr_bot bot = {
    .app = &app, .plugin = &plugin, .state = &run_count, .who = (char *)"sample", .started = true};

static void on_log(void *arg, enum hr_level level, const char *line)
{
    (void)arg;
    (void)level;
    (void)line;
    log_count++;
}

static char *asha_accounts[] = {(char *)"libera/asha", NULL}, *asha_names[] = {(char *)"Asha", NULL};
static struct config_role roles[] = {{.name = (char *)"host", .accounts = asha_accounts, .names = asha_names}};

static int setup(void **state)
{
    (void)state;
    config = (struct config){.name = (char *)"DPULObot", .prefix = (char *)"!", .role = roles, .role_count = 1};
    app = (struct app){.config = &config};
    said_count = log_count = run_count = run_status = 0;
    chat_count = 1;
    log_sink(on_log, NULL);
    app.commands = commands_new(&app);
    commands_add(app.commands, &bot);
    log_count = 0; /* "help" was taken */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    commands_free(app.commands);
    arena_clear(&app.arena);
    log_sink(NULL, NULL);
    return 0;
}

/* What somebody types in room 1, 2 or 3; says whether it was taken as a command. */
static bool type(uint64_t room, const char *account, const char *text)
{
    const struct hr_message message = {
        .size = sizeof(message),
        .room = &rooms[room - 1].hr,
        .author = {.id = account, .account = account, .name = "Ben", .handle = ""},
        .text = text,
        .chat = rooms[room - 1].hr.chat,
    };
    struct command_line line;
    said_count = 0;
    if (!command_parse(&app.arena, config.prefix, config.name, text, (message.room->flags & HR_ROOM_PRIVATE) != 0,
                       &line)) {
        return false;
    }
    commands_run(app.commands, &message, &line);
    return true;
}

static void answers(uint64_t room, const char *account, const char *text, const char *want)
{
    assert_true(type(room, account, text));
    assert_int_equal(said_count, 1);
    assert_string_equal(said[0], want);
}

/* ---- running ------------------------------------------------------------------------- */

static void owner_gets_words_and_rest(void **state)
{
    (void)state;
    assert_true(type(1, "", "!Resources  social   care?"));
    assert_int_equal(run_count, 1);
    assert_string_equal(last_call.name, "links");
    assert_string_equal(last_rest, "social   care?");
    assert_string_equal(last_words, "social|care|");
    assert_string_equal(last_call.chat->name, "dpulo");
    assert_false(last_call.in_private);
    assert_int_equal(said_count, 0);
}

static void words_lose_punctuation_at_their_ends(void **state)
{
    (void)state;
    assert_true(type(1, "", "!links 1, 2. ?! on... https://example.org/a?b=1."));
    assert_string_equal(last_words, "1|2|?|on|https://example.org/a?b=1|");
}

static void more_words_than_the_ceiling_stay_in_rest(void **state)
{
    (void)state;
    assert_true(type(1, "", "!links 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"));
    assert_int_equal(last_call.argc, 32);
    assert_non_null(strstr(last_rest, "5 6"));
}

static void typo_gets_one_answer_with_a_suggestion(void **state)
{
    (void)state;
    answers(1, "a", "!satrt", "I do not know !satrt. Did you mean !start? For help, type !help");
    answers(1, "b", "!nxt", "I do not know !nxt. Did you mean !next? For help, type !help");
    answers(1, "c", "!startmetting", "I do not know !startmetting. Did you mean !startmeeting? For help, type !help");
    answers(1, "d", "!dance", "I do not know !dance. For help, type !help");
    answers(1, "e", "!helpp now", "I do not know !helpp. Did you mean !help? For help, type !help");
    assert_null(commands_suggest(app.commands, "x"));
    assert_string_equal(commands_suggest(app.commands, "nwo"), "now");
    assert_null(commands_suggest(app.commands, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"));
}

static void refusal_names_the_hosts(void **state)
{
    (void)state;
    answers(1, "ben", "!next", "Only hosts can use !next. The host is Asha.");
    answers(1, "", "!next",
            "Only hosts can use !next. The host is Asha. If you are a host, please sign in to your account first.");
    answers(1, "ben", "!status", "Only administrators can use !status.");
    config.role_count = 0;
    answers(1, "ben2", "!next", "Only hosts can use !next.");
    assert_int_equal(run_count, 0);
}

static void host_may_and_alias_keeps_the_permission(void **state)
{
    (void)state;
    assert_true(type(1, "asha", "!next"));
    assert_true(type(1, "ASHA", "DPULObot, startmeeting"));
    assert_int_equal(run_count, 2);
    assert_string_equal(last_call.name, "start");
    assert_true(type(1, "ben", "!startmeeting"));
    assert_int_equal(run_count, 2);
}

static void room_without_chat_gets_a_plain_sentence(void **state)
{
    (void)state;
    answers(3, "", "!now", "This room has no chat, so !now does nothing here.");
    answers(3, "", "!help",
            "You can type !now, !links or !help.\nTo read about one of them, type for example: !help now");
}

static void private_message_finds_its_chat(void **state)
{
    (void)state;
    assert_true(type(2, "", "now"));
    assert_int_equal(run_count, 1);
    assert_true(last_call.in_private);
    chat_count = 2;
    answers(2, "", "now", "Which chat do you mean? Type its name first, for example: dpulo now");
    assert_true(type(2, "", "nhssm now"));
    assert_string_equal(last_call.chat->name, "nhssm");
    assert_true(type(2, "", "#NHSSM: !now"));
    assert_string_equal(last_call.chat->name, "nhssm");
    assert_int_equal(run_count, 3);
}

static void private_sentence_is_answered_once(void **state)
{
    (void)state;
    answers(2, "", "I would like to know more about this",
            "I am a bot. I only know short commands. To see them, type help");
    assert_true(type(2, "", "and are you a person at all?"));
    assert_int_equal(said_count, 0);
    answers(2, "", "hepl", "I do not know !hepl. Did you mean !help? For help, type !help");
}

static void fast_typing_ends_in_silence_and_one_log_line(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(type(1, "ben", "!dance"));
        assert_int_equal(said_count, i < 6 ? 1 : 0);
    }
    assert_int_equal(log_count, 1);
    assert_true(type(1, "cy", "!dance"));
    assert_int_equal(said_count, 1);
    for (int i = 0; i < 20; i++) {
        assert_true(type(1, "asha", "!next"));
    }
    assert_int_equal(run_count, 20);
    now_ms += 30 * 1000;
    answers(1, "ben", "!dance", "I do not know !dance. For help, type !help");
}

static void a_failing_command_is_owned_up_to(void **state)
{
    (void)state;
    run_status = HR_EFAIL;
    answers(1, "", "!links", "Sorry, !links did not work. The fault is mine. Please try again later.");
    run_status = 0;
    bot.failed = true;
    answers(1, "", "!links", "Sorry, !links did not work. The fault is mine. Please try again later.");
    bot.failed = false;
}

static void help_card_has_two_lines_and_fits_the_person(void **state)
{
    (void)state;
    answers(1, "", "!help",
            "You can type !now, !links or !help.\nTo read about one of them, type for example: !help now");
    answers(1, "asha", "!commands",
            "You can type !now, !links or !help. As a host you can also type !start or !next.\n"
            "To read about one of them, type for example: !help now");
}

static void help_about_a_command_says_how_and_who(void **state)
{
    (void)state;
    answers(1, "", "!help next", "!next: Opens the next question. Only hosts can use it.\nFor example: !next");
    answers(1, "a", "!help !Question?",
            "!now: I say which question is open. You can also type !q or !question.\nFor example: !now");
    answers(1, "b", "!help nxt", "I do not know !nxt. Did you mean !next? For help, type !help");
    answers(1, "c", "!help housing", "I do not know !housing. For help, type !help");
    answers(1, "d", "!help help",
            "!help: I tell you what you can type. You can also type !commands.\nFor example: !help now");
}

static void another_prefix_is_said(void **state)
{
    (void)state;
    config.prefix = (char *)".";
    answers(1, "", ".nxt", "I do not know .nxt. Did you mean .next? For help, type .help");
    answers(1, "", ".help links",
            ".links: I list the last links. You can also type .resources.\nFor example: .links housing");
}

static void a_stopped_plugin_takes_its_commands_along(void **state)
{
    (void)state;
    static struct hr_bot second = {.app = &app, .plugin = &plugin, .state = &run_count, .who = (char *)"sample/2"};
    commands_add(app.commands, &second);
    commands_sweep(app.commands, &bot);
    assert_true(type(1, "", "!now"));
    assert_int_equal(run_count, 1);
    commands_sweep(app.commands, &second);
    answers(1, "", "!now", "I do not know !now. For help, type !help");
}

static void a_name_taken_is_left_out(void **state)
{
    (void)state;
    static const struct hr_command other_table[] = {
        {"now", NULL, "", "Other.", "", NULL, 0, run}, {"later", "links", "", "Later.", "", NULL, 0, run}, {0}};
    static const struct hr_plugin other = {HR_PLUGIN_HEADER, .name = "other", .commands = other_table};
    static struct hr_bot other_bot = {.app = &app, .plugin = &other, .state = NULL, .who = (char *)"other"};
    commands_add(app.commands, &other_bot);
    assert_int_equal(log_count, 2);
    assert_true(type(1, "", "!now"));
    assert_int_equal(run_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(owner_gets_words_and_rest),
        TEST(words_lose_punctuation_at_their_ends),
        TEST(more_words_than_the_ceiling_stay_in_rest),
        TEST(typo_gets_one_answer_with_a_suggestion),
        TEST(refusal_names_the_hosts),
        TEST(host_may_and_alias_keeps_the_permission),
        TEST(room_without_chat_gets_a_plain_sentence),
        TEST(private_message_finds_its_chat),
        TEST(private_sentence_is_answered_once),
        TEST(fast_typing_ends_in_silence_and_one_log_line),
        TEST(a_failing_command_is_owned_up_to),
        TEST(help_card_has_two_lines_and_fits_the_person),
        TEST(help_about_a_command_says_how_and_who),
        TEST(another_prefix_is_said),
        TEST(a_stopped_plugin_takes_its_commands_along),
        TEST(a_name_taken_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
