/* SPDX-License-Identifier: MIT */
/* Lets a moderator look at posts of social networks first, and take away what was shown. */
#include "moderation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct hr_option options[] = {
    {"flood_burst", HR_INT, "8", 1, 1000,
     "Lines one person may write at once before their next ones reach the other rooms more slowly.", NULL},
    {"flood_pace", HR_DURATION, "5s", 0, 3600000,
     "How long each further line of that person waits for the one before it. 0: no limit.", NULL},
    {0},
};

static const struct hr_text texts[] = {
    {"flood", "One person wrote many lines at once. I show them in the other rooms more slowly.", NULL},
    {"flood-over-one", "I left out 1 line in the other rooms. One person wrote too many at once.", NULL},
    {"flood-over-many", "I left out {n} lines in the other rooms. One person wrote too many at once.", "n=12"},
    {"hold-on", "New posts from social networks wait now. To see them, type !queue", NULL},
    {"hold-new", "Posts from people who are new here wait now. To see them, type !queue", NULL},
    {"hold-off", "New posts do not wait any more.", NULL},
    {"hold-is-on", "All posts from social networks wait. To change this, type !hold off or !hold new", NULL},
    {"hold-is-new", "Posts from people who are new here wait. To change this, type !hold off or !hold on", NULL},
    {"hold-is-off", "Posts do not wait. To change this, type !hold on or !hold new", NULL},
    {"hold-what", "I did not understand that. Please type !hold on, !hold off or !hold new", NULL},
    {"rest-one", "1 post still waits. To see it, type !queue", NULL},
    {"rest-many", "{n} posts still wait. To see them, type !queue", "n=3"},
    {"queue-none", "No posts wait.", NULL},
    {"queue", "{count} To let number {first} in, type !ok {first}. To leave it out, type !no {first}\n{list}",
     "count=2 posts wait.;first=1;list=1 Ben on Twitter: We asked for one named adviser."},
    {"queue-count-one", "1 post waits.", NULL},
    {"queue-count-many", "{n} posts wait.", "n=12"},
    {"queue-item", "{number} {name} on {service}: {text}", "number=1;name=Ben;service=Twitter;text=We asked."},
    {"which", "Please say which post, by its number. For example, type !{name} {first} or !{name} all",
     "name=ok;first=3"},
    {"no-number", "No post with number {number} waits. To see which wait, type !queue", "number=7"},
    {"ok-one", "Post {number} goes in.", "number=3"},
    {"ok-many", "{n} posts go in.", "n=3"},
    {"ok-all-one", "1 post goes in.", NULL},
    {"no-one", "Post {number} is left out.", "number=3"},
    {"no-many", "{n} posts are left out.", "n=3"},
    {"no-all-one", "1 post is left out.", NULL},
    {"hide-what", "Please say whose last message I should take away. For example, type !hide last Ben", NULL},
    {"hide-none", "I have not shown a message from {name}. Please type the name as you see it in the room.",
     "name=Ben"},
    {"hide-reply", "I cannot take that message away. It is not one that I brought here.", NULL},
    {"hidden", "I took away the last message from {name}. Lines already shown on IRC stay there.", "name=Ben"},
    {0},
};

static const char *const schema[] = {
    "CREATE TABLE moderation_chat(chat TEXT PRIMARY KEY, hold TEXT NOT NULL, next INTEGER NOT NULL,"
    " added_ms INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE moderation_queue(chat TEXT NOT NULL, number INTEGER NOT NULL, message INTEGER NOT NULL UNIQUE,"
    " PRIMARY KEY(chat, number)) WITHOUT ROWID",
    /* authors let in before; `who` is made of network and id and tells neither */
    "CREATE TABLE moderation_known(who INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL)",
    "CREATE INDEX moderation_known_seen ON moderation_known(seen_ms)",
    /* lines of somebody who wrote many at once */
    "CREATE TABLE moderation_flood(message INTEGER PRIMARY KEY, room INTEGER NOT NULL, who INTEGER NOT NULL)",
    NULL,
};

/* ---- what waits --------------------------------------------------------------- */

enum hold { HOLD_OFF, HOLD_ON, HOLD_NEW };

static const char *const hold_names[] = {"off", "on", "new"};

static int on_hold(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    for (int i = HOLD_OFF; i <= HOLD_NEW; i++) {
        if (strcmp(column[0].str, hold_names[i]) == 0) {
            *(enum hold *)arg = (enum hold)i;
        }
    }
    return 0;
}

static enum hold hold_of(struct moderation *m, const char *chat)
{
    enum hold hold = HOLD_OFF;
    const struct hr_value args[] = {HR_V_STR(chat)};
    const int status = m->api->sql(m->bot, "SELECT hold FROM moderation_chat WHERE chat = ?1", args, 1, on_hold, &hold);
    return status < 0 ? HOLD_ON : hold; /* in doubt a person looks first */
}

static bool is_held(struct moderation *m, const struct hr_message *message)
{
    const enum hold hold = message->room->flags & HR_ROOM_SOCIAL ? hold_of(m, message->chat) : HOLD_OFF;
    return hold == HOLD_ON || (hold == HOLD_NEW && !known_has(m, message));
}

static enum hr_verdict judge(void *state, const struct hr_message *message)
{
    struct moderation *m = state;
    if (message->room == NULL || message->chat[0] == '\0') {
        return HR_PASS;
    }
    if (!is_held(m, message)) {
        return flood_judge(m, message);
    }
    if (queue_add(m, message) >= 0) {
        m->full_told = false;
        return HR_HOLD;
    }
    if (!m->full_told) {
        m->full_told = true;
        m->api->log(m->bot, HR_WARN, "no more posts can wait in %s; new ones are left out until the queue is shorter",
                    message->chat);
    }
    return HR_HIDE;
}

static int event(void *state, const struct hr_event *event)
{
    if (event->kind == HR_EV_MESSAGE) {
        return known_let_in(state, event->message);
    }
    const int status = queue_drop_message(state, event->message->id); /* its author took it back while it waited */
    return status < 0 ? status : flood_drop_message(state, event->message->id);
}

/* ---- !hold --------------------------------------------------------------------- */

/* Hold is off; what was held before still waits. */
static const char *off_words(struct moderation *m, const char *chat)
{
    const int length = queue_length(m, chat);
    const char *off = m->api->words(m->bot, "hold-off", NULL);
    if (length <= 0) {
        return off;
    }
    const char *more = length == 1 ? m->api->words(m->bot, "rest-one", NULL)
                                   : m->api->words(m->bot, "rest-many", "n", m->api->print(m->bot, "%d", length), NULL);
    return m->api->print(m->bot, "%s %s", off, more);
}

static int run_hold(void *state, const struct hr_call *call)
{
    struct moderation *m = state;
    static const char *const now[] = {"hold-is-off", "hold-is-on", "hold-is-new"};
    if (call->argc == 0) {
        return m->api->answer(m->bot, call, m->api->words(m->bot, now[hold_of(m, call->chat->name)], NULL));
    }
    enum hold hold = HOLD_OFF;
    while (hold <= HOLD_NEW && strcasecmp(call->argv[0], hold_names[hold]) != 0) {
        hold++;
    }
    if (hold > HOLD_NEW) {
        return m->api->answer(m->bot, call, m->api->words(m->bot, "hold-what", NULL));
    }
    const struct hr_value args[] = {HR_V_STR(call->chat->name), HR_V_STR(hold_names[hold])};
    const int status = m->api->sql(m->bot,
                                   "INSERT INTO moderation_chat VALUES(?1, ?2, 1, 0)"
                                   " ON CONFLICT(chat) DO UPDATE SET hold = ?2",
                                   args, 2, NULL, NULL);
    if (status < 0) {
        return status;
    }
    m->api->log(m->bot, HR_INFO, "%s set hold to '%s' for %s", call->message->author.name, hold_names[hold],
                call->chat->name);
    const char *said = hold == HOLD_OFF ? off_words(m, call->chat->name)
                                        : m->api->words(m->bot, hold == HOLD_ON ? "hold-on" : "hold-new", NULL);
    return m->api->answer(m->bot, call, said);
}

static const struct hr_command commands[] = {
    {"hold", NULL, "[on, off or new]", "Makes posts from social networks wait until a moderator lets them in.",
     "!hold on", "room.hold", 0, run_hold},
    {"queue", NULL, "", "Lists the posts that wait.", "!queue", "room.moderate", 0, run_queue},
    {"ok", NULL, "[numbers or all]", "Lets waiting posts in.", "!ok 3", "room.moderate", 0, run_ok},
    {"no", NULL, "[numbers or all]", "Leaves waiting posts out.", "!no 3", "room.moderate", 0, run_no},
    {"hide", NULL, "[last NAME]", "Takes away a message that I brought here.", "!hide last Ben", "room.moderate", 0,
     run_hide},
    {0},
};

/* ---- life ------------------------------------------------------------------------ */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct moderation *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return HR_EFAIL;
    }
    *m = (struct moderation){.bot = bot, .api = api};
    int status = known_start(m);
    status = status < 0 ? status : flood_start(m);
    if (status < 0) {
        free(m);
        return status;
    }
    *state = m;
    return 0;
}

static void stop(void *state)
{
    free(state);
}

struct reporting {
    struct moderation *m;
    struct hr_out *out;
};

static int report_chat(void *arg, const struct hr_chat *chat)
{
    struct reporting *r = arg;
    const int length = queue_length(r->m, chat->name);
    if (length > 0) {
        r->m->api->out(
            r->out, length == 1 ? "%d post waits for a moderator in %s.\n" : "%d posts wait for a moderator in %s.\n",
            length, chat->tag);
    }
    return 0;
}

static void report(void *state, struct hr_out *out)
{
    struct reporting r = {.m = state, .out = out};
    (void)r.m->api->chats(r.m->bot, report_chat, &r);
    const int waiting = flood_waiting(r.m);
    if (waiting > 0) {
        r.m->api->out(out, "%d line%s of people who wrote many at once wait%s.\n", waiting, waiting == 1 ? "" : "s",
                      waiting == 1 ? "s" : "");
    }
}

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "moderation",
    .version = "0.1.0",
    .help =
        "Lets a moderator look at posts first, and take away what was shown. Slows down who writes too much at once.",
    .events = HR_EV(HR_EV_MESSAGE) | HR_EV(HR_EV_REMOVE),
    .options = options,
    .commands = commands,
    .texts = texts,
    .schema = schema,
    .start = start,
    .stop = stop,
    .event = event,
    .judge = judge,
    .report = report,
};
