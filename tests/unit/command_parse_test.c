/* SPDX-License-Identifier: MIT */
/* Which lines are commands: the forgiving grammar. */
#include "command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena arena;

static void reads(const char *text, bool in_private, const char *word, const char *rest)
{
    struct command_line line = {0};
    if (!command_parse(&arena, "!", "DPULObot", text, in_private, &line)) {
        fail_msg("not taken: %s", text);
    }
    assert_string_equal(line.word, word);
    assert_string_equal(line.rest, rest);
}

static void is_talk(const char *text, bool in_private)
{
    struct command_line line;
    if (command_parse(&arena, "!", "DPULObot", text, in_private, &line)) {
        fail_msg("taken: %s", text);
    }
}

static void forgiving_forms_are_commands(void **state)
{
    (void)state;
    reads("!next", false, "next", "");
    reads("!Next.", false, "next", "");
    reads("  !NEXT!!  ", false, "next", "");
    reads("! next", false, "next", "");
    reads("! extend 5", false, "extend", "5");
    reads("!extend   5 ", false, "extend", "5");
    reads("!extend, 5", false, "extend", "5");
    reads("!extend 5.", false, "extend", "5");
    reads("!topic Why now.", false, "topic", "Why now.");
    reads("!topic What is  X?", false, "topic", "What is  X?");
    reads("!next\n!end", false, "next", "");
    reads("DPULObot, next", false, "next", "");
    reads("dpulobot: next.", false, "next", "");
    reads("dpulobot ,  !next", false, "next", "");
    reads("@DPULObot extend 5", false, "extend", "5");
    reads("!start-meeting now", false, "start-meeting", "now");
}

static void talk_is_not_a_command(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        " ",
        "!",
        "!!!",
        "!?",
        "! ",
        "wow!",
        "!1",
        "!100 people",
        "!!next",
        "hello !next",
        "next",
        "#next",
        "! this is important",
        "!important/urgent",
        "!next;end",
        "!\xC3\xA9t\xC3\xA9",
        "> !end",
        "\n!end",
        "hello\n!end",
        "DPULObot is nice",
        "DPULObotics: next",
        "DPULObot",
        "DPULObot,",
        "@DPULObot",
        "@ben: next",
        "!aaaaaaaaaabbbbbbbbbbccccccccccddd",
        "Ben on Twitter: !end",
        "A2 yes",
        "#startmeeting",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        is_talk(lines[i], false);
    }
}

static void answers_to_questions_are_not_commands(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "A2 yes", "A2: yes", "a2. yes", "T2 yes", "Q2:", "q12", "A2", "!A2 yes", "DPULObot: A2 yes"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        is_talk(lines[i], false);
        is_talk(lines[i], true);
    }
}

static void private_messages_need_no_prefix(void **state)
{
    (void)state;
    reads("next", true, "next", "");
    reads("!next", true, "next", "");
    reads("Help me, please", true, "help", "me, please");
    reads("A question about housing", true, "a", "question about housing");
    reads("#dpulo next", true, "", "#dpulo next");
    reads("3", true, "", "3");
    is_talk("", true);
    is_talk("?", true);
    is_talk("!!!", true);
}

static void prefix_can_be_another(void **state)
{
    (void)state;
    struct command_line line;
    assert_true(command_parse(&arena, "hr:", "b", "hr:next", false, &line));
    assert_string_equal(line.word, "next");
    assert_false(command_parse(&arena, ".", "b", "!next", false, &line));
    assert_false(command_parse(&arena, ".", "b", "...", false, &line));
    assert_true(command_parse(&arena, ".", "b", ".next", false, &line));
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgiving_forms_are_commands),
        cmocka_unit_test(talk_is_not_a_command),
        cmocka_unit_test(answers_to_questions_are_not_commands),
        cmocka_unit_test(private_messages_need_no_prefix),
        cmocka_unit_test(prefix_can_be_another),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
