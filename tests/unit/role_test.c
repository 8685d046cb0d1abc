/* SPDX-License-Identifier: MIT */
/* Who may do what. */
#include "role.h"
#include "config.h"
#include "room.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct config_room plain_room = {.power_host = 0}, power_room = {.power_host = 60};
static struct room rooms[] = {
    {.hr = {.id = 1,
            .network = "libera",
            .address = "#dpulo",
            .service = "IRC",
            .chat = "dpulo",
            .flags = HR_ROOM_PEOPLE},
     .config = &plain_room},
    {.hr =
         {.id = 2, .network = "home", .address = "!a:x", .service = "Matrix", .chat = "dpulo", .flags = HR_ROOM_PEOPLE},
     .config = &power_room},
    {.hr = {.id = 3,
            .network = "libera",
            .address = "ben",
            .service = "IRC",
            .chat = "",
            .flags = HR_ROOM_PEOPLE | HR_ROOM_PRIVATE}},
    {.hr =
         {.id = 4, .network = "x", .address = "#dpulo", .service = "Twitter", .chat = "dpulo", .flags = HR_ROOM_SOCIAL},
     .config = &power_room},
};

struct room *rooms_get(struct rooms *unused, uint64_t id)
{
    (void)unused;
    return id >= 1 && id <= 4 ? &rooms[id - 1] : NULL;
}

#define S(text) ((char *)text)

static struct config_role roles[4];
static struct config config = {.role = roles, .role_count = 4};
static struct app app = {.config = &config};

static int setup(void **state)
{
    (void)state;
    static char *host_accounts[] = {S("libera/asha"), S("home/@asha:x"), S("x/asha"), NULL},
                *host_names[] = {S("Asha"), NULL}, *dpulo[] = {S("dpulo"), NULL}, *mods[] = {S("libera/mo"), NULL},
                *admins[] = {S("libera/root"), NULL}, *others[] = {S("libera/ben"), NULL},
                *other_names[] = {S("Ben"), S("Asha"), S("Cy"), NULL};
    roles[0] = (struct config_role){.name = S("host"), .accounts = host_accounts, .names = host_names, .chats = dpulo};
    roles[1] = (struct config_role){.name = S("moderator"), .accounts = mods};
    roles[2] = (struct config_role){.name = S("admin"), .accounts = admins};
    roles[3] = (struct config_role){.name = S("host"), .accounts = others, .names = other_names};
    return 0;
}

static bool may(uint64_t room, const char *account, int power, const char *chat, const char *permission)
{
    const struct hr_person person = {.id = "id", .account = account, .name = "asha", .handle = "asha", .power = power};
    return role_may(&app, &rooms[room - 1].hr, &person, chat, permission);
}

static void everyone_may_what_needs_no_permission(void **state)
{
    (void)state;
    assert_true(may(1, "", 0, NULL, NULL));
}

static void a_nick_alone_grants_nothing(void **state)
{
    (void)state;
    assert_false(may(1, "", 0, "dpulo", "chat.run"));
    assert_false(may(1, "mallory", 0, "dpulo", "chat.run"));
}

static void hosts_run_their_chat_only(void **state)
{
    (void)state;
    assert_true(may(1, "asha", 0, "dpulo", "chat.run"));
    assert_true(may(1, "Asha", 0, "dpulo", "chat.run"));
    assert_false(may(1, "asha", 0, "nhssm", "chat.run"));
    assert_false(may(1, "asha", 0, NULL, "chat.run"));
    assert_true(may(1, "ben", 0, "nhssm", "chat.run"));
    assert_true(may(3, "asha", 0, "dpulo", "chat.run"));
    assert_false(may(1, "asha", 0, "dpulo", "bot.operate"));
}

static void accounts_belong_to_their_network(void **state)
{
    (void)state;
    assert_true(may(2, "@asha:x", 0, "dpulo", "chat.run"));
    assert_false(may(2, "@Asha:x", 0, "dpulo", "chat.run"));
    assert_false(may(2, "asha", 0, "dpulo", "chat.run"));
    assert_false(may(1, "@asha:x", 0, "dpulo", "chat.run"));
}

static void nobody_commands_from_a_social_network(void **state)
{
    (void)state;
    assert_false(may(4, "asha", 100, "dpulo", "chat.run"));
    assert_false(may(4, "asha", 100, "dpulo", "room.stop"));
}

static void operators_may_stop_and_hold_in_their_room(void **state)
{
    (void)state;
    assert_true(may(1, "", 50, "dpulo", "room.stop"));
    assert_true(may(1, "", 50, "dpulo", "room.hold"));
    assert_false(may(1, "", 50, "dpulo", "room.moderate"));
    assert_false(may(1, "", 100, "dpulo", "chat.run"));
    assert_false(may(1, "", 49, "dpulo", "room.stop"));
    assert_false(may(3, "", 100, "dpulo", "room.stop"));
}

static void power_makes_a_host_only_where_configured(void **state)
{
    (void)state;
    assert_true(may(2, "", 60, "dpulo", "chat.run"));
    assert_false(may(2, "", 59, "dpulo", "chat.run"));
    assert_false(may(2, "", 100, "dpulo", "bot.operate"));
}

static void moderators_and_admins_have_their_own(void **state)
{
    (void)state;
    assert_true(may(1, "mo", 0, "dpulo", "room.moderate"));
    assert_true(may(1, "mo", 0, "dpulo", "room.hold"));
    assert_false(may(1, "mo", 0, "dpulo", "chat.run"));
    assert_true(may(1, "root", 0, NULL, "bot.operate"));
    assert_true(may(1, "root", 0, "dpulo", "chat.run"));
}

static void unknown_permissions_are_denied(void **state)
{
    (void)state;
    assert_false(may(1, "root", 100, "dpulo", "chat"));
    assert_false(may(1, "root", 100, "dpulo", ""));
    assert_string_equal(role_who("chat"), "");
    assert_string_equal(role_who("chat.run"), "hosts");
    assert_true(role_has("chat.run", "host"));
    assert_false(role_has("chat.run", "hos"));
}

static void names_of_hosts_are_said_once(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_string_equal(role_hosts(&app, &arena, "dpulo"), "Asha, Ben or Cy");
    assert_string_equal(role_hosts(&app, &arena, "nhssm"), "Ben, Asha or Cy");
    config.role_count = 1;
    assert_string_equal(role_hosts(&app, &arena, "dpulo"), "Asha");
    assert_string_equal(role_hosts(&app, &arena, "nhssm"), "");
    config.role_count = 4;
    arena_clear(&arena);
}

static void accounts_in_any_role_are_known(void **state)
{
    (void)state;
    assert_true(role_known(&app, "libera", "ASHA"));
    assert_true(role_known(&app, "libera", "mo"));
    assert_false(role_known(&app, "home", "mo"));
    assert_false(role_known(&app, "lib", "era/asha"));
}

static void what_changes_the_operation_needs_a_proven_device(void **state)
{
    (void)state;
    struct hr_message message = {.room = &rooms[0].hr,
                                 .author = {.id = "r", .account = "root", .name = "r", .handle = ""}};
    assert_true(role_may_say(&app, &message, NULL, "bot.operate"));
    message.flags = HR_MSG_WEAK;
    assert_false(role_may_say(&app, &message, NULL, "bot.operate"));
    assert_true(role_may_say(&app, &message, "dpulo", "chat.run"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everyone_may_what_needs_no_permission),
        cmocka_unit_test(a_nick_alone_grants_nothing),
        cmocka_unit_test(hosts_run_their_chat_only),
        cmocka_unit_test(accounts_belong_to_their_network),
        cmocka_unit_test(nobody_commands_from_a_social_network),
        cmocka_unit_test(operators_may_stop_and_hold_in_their_room),
        cmocka_unit_test(power_makes_a_host_only_where_configured),
        cmocka_unit_test(moderators_and_admins_have_their_own),
        cmocka_unit_test(unknown_permissions_are_denied),
        cmocka_unit_test(names_of_hosts_are_said_once),
        cmocka_unit_test(accounts_in_any_role_are_known),
        cmocka_unit_test(what_changes_the_operation_needs_a_proven_device),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
