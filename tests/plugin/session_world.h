/* SPDX-License-Identifier: MIT */
/* The world of the session tests: one chat at 8:30pm on Tuesdays, three rooms, four questions; it is 8pm. */
#ifndef SESSION_WORLD_H
#define SESSION_WORLD_H
#include "fake_host.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
#define START_MS (FAKE_NOW_MS + 30 * MINUTE) /* of the chat: Tuesday 29 November 2022, 8:30pm UK time */

struct world {
    struct fake *fake;
    uint64_t irc, matrix, x;
};

static inline bool nothing_is_allowed(const char *permission)
{
    (void)permission;
    return false;
}

static inline struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fake = fake_new(&hashroom_plugin);
    fake_instance(world->fake, "dpulo");
    fake_option(world->fake, "time", "20:30");
    fake_option(world->fake, "topic", "Access to Work");
    fake_option(world->fake, "questions", "{ \"What works?\", \"What helps?\", \"What is slow?\", \"What comes next?\" }");
    fake_chat(world->fake, "dpulo", "#DPULO");
    fake_hosts(world->fake, "Asha");
    world->irc = fake_room(world->fake, "libera", "#dpulo", "IRC", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world->matrix = fake_room(world->fake, "home", "!a:example.org", "Matrix", "dpulo", HR_ROOM_PEOPLE | HR_ROOM_UP);
    world->x = fake_room(world->fake, "x", "#dpulo", "Twitter", "dpulo", HR_ROOM_SOCIAL | HR_ROOM_UP);
    fake_sql(world->fake, "CREATE TABLE links(session, count); CREATE VIEW resources_pub_count AS SELECT * FROM links");
    return world;
}

static inline int set_up(void **state)
{
    struct world *world = world_new();
    *state = world;
    return fake_start(world->fake);
}

static inline int set_up_unstarted(void **state)
{
    *state = world_new();
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    fake_free(world->fake);
    free(world);
    return 0;
}

/* Lets time pass until so many minutes after the start. */
static inline void until(struct world *world, double minutes)
{
    int64_t at = START_MS + (int64_t)(minutes * MINUTE);
    assert_true(at >= fake_now_ms(world->fake));
    fake_pass(world->fake, at - fake_now_ms(world->fake));
}

static inline size_t said(struct world *world, const char *piece)
{
    size_t count = 0;
    for (size_t i = 0; i < fake_count(world->fake, FAKE_SAY); i++) {
        count += strstr(fake_nth(world->fake, FAKE_SAY, i)->text, piece) != NULL;
    }
    return count;
}

static inline const char *answer_to(struct world *world, const char *line)
{
    size_t before = fake_count(world->fake, FAKE_ANSWER);
    assert_int_equal(fake_command(world->fake, world->irc, line), 0);
    return fake_count(world->fake, FAKE_ANSWER) > before ? fake_last(world->fake, FAKE_ANSWER)->text : "";
}

static inline const struct hr_chat *record(struct world *world)
{
    return fake_chat_now(world->fake, "dpulo");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define T_UNSTARTED(name) cmocka_unit_test_setup_teardown(name, set_up_unstarted, tear_down)
#endif
