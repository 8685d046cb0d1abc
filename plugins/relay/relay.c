/* SPDX-License-Identifier: MIT */
/* Hands what people and posts say on to the other rooms of the chat, with a name in front. */
#include "relay.h"

#include <stdlib.h>
#include <string.h>

static const struct hr_text texts[] = {
    {"muted", "For 10 minutes I do not show messages from {service} here. Another program there repeats what I say.",
     "service=IRC"},
    {"repeated", "Another program in this room repeats what I say. I do not carry that on.", NULL},
    {"twice", "Another bridge already shows messages from {service} here. I do not show them a second time.",
     "service=IRC"},
    {"twice_over", "The other bridge is silent. I show messages from {service} here again.", "service=IRC"},
    {"source", "The last post here was by {name}: {url}", "name=Ben on Twitter;url=https://x.com/ben_r/status/1"},
    {"T30", "{service} is busy. I am showing 4 messages a minute so we can keep up.", "service=Twitter"},
    {"T30_left_out", "I left out {count} from {service}. To see {them}, type !missed",
     "count=12 older messages;service=Twitter;them=them"},
    {"missed_none", "I have left out no posts here, or you have seen them all.", ""},
    {"missed_line", "{lead}: {text}", "lead=Ben on Twitter;text=A2 We asked for one named adviser."},
    {"missed_more", "There are {count} more. To see them, type !missed", "count=7"},
    {"no_source", "I have not shown a post with a link here yet.", ""},
    {0},
};

static const char *const schema[] = {
    /* who has been named with the handle in this session (R18) */
    "CREATE TABLE relay_seen(chat TEXT NOT NULL, session INTEGER NOT NULL, author TEXT NOT NULL,"
    " PRIMARY KEY(chat, session, author)) WITHOUT ROWID",
    /* the last post with a link in each room, for !source */
    "CREATE TABLE relay_last(room INTEGER PRIMARY KEY, message INTEGER NOT NULL, name TEXT NOT NULL, url TEXT NOT "
    "NULL)",
    /* how far !missed has been read in each room */
    "CREATE TABLE relay_missed(room INTEGER PRIMARY KEY, shown INTEGER NOT NULL)",
    NULL,
};

struct handing { /* one message on its way to its rooms */
    struct relay *relay;
    const struct hr_message *message;
    struct hr_say say;
    const char *name;
    bool social, done;
};

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return 0;
}

/* True the first time an author speaks in a session. */
static int first_time(struct relay *relay, const struct hr_message *message, bool *first)
{
    const char *author = relay->api->print(relay->bot, "%s %s", message->room->service, message->author.id);
    const struct hr_value args[] = {HR_V_STR(message->chat), HR_V_INT((int64_t)message->session), HR_V_STR(author)};
    int64_t known = 0;
    int status =
        relay->api->sql(relay->bot, "SELECT count(*) FROM relay_seen WHERE chat = ?1 AND session = ?2 AND author = ?3",
                        args, 3, on_number, &known);
    if (status < 0) {
        return status;
    }
    *first = known == 0;
    if (known) {
        return 0;
    }
    status =
        relay->api->sql(relay->bot, "DELETE FROM relay_seen WHERE chat = ?1 AND session <> ?2", args, 2, NULL, NULL);
    return status < 0 ? status
                      : relay->api->sql(relay->bot, "INSERT INTO relay_seen VALUES(?1, ?2, ?3)", args, 3, NULL, NULL);
}

static int remember_link(struct handing *handing, uint64_t room)
{
    struct relay *relay = handing->relay;
    const struct hr_value args[] = {HR_V_INT((int64_t)room), HR_V_INT((int64_t)handing->message->id),
                                    HR_V_STR(handing->name), HR_V_STR(handing->message->url)};
    return relay->api->sql(relay->bot, "INSERT OR REPLACE INTO relay_last VALUES(?1, ?2, ?3, ?4)", args, 4, NULL, NULL);
}

static int hand_on(void *arg, const struct hr_room *room)
{
    struct handing *handing = arg;
    struct relay *relay = handing->relay;
    if (loop_is_mute(relay, handing->message->room->id, room->id) ||
        twice_is_carried(relay, handing->message->room->id, room->id)) {
        return 0;
    }
    int status = relay->api->relay(relay->bot, handing->message->id, room->id, &handing->say);
    if (status < 0 && status != HR_EEXIST) {
        return status;
    }
    handing->done = true;
    return handing->social && handing->message->url[0] ? remember_link(handing, room->id) : 0;
}

static bool stays_here(const struct hr_message *message)
{
    const uint32_t never = HR_MSG_OWN | HR_MSG_COMMAND | HR_MSG_PRIVATE;
    const uint32_t machine = HR_MSG_NOTICE | HR_MSG_BOT;
    return !message->room || (message->flags & never) || (message->flags & machine) == machine || !message->text[0];
}

static int on_message(struct relay *relay, const struct hr_message *message)
{
    if (stays_here(message)) {
        return 0;
    }
    if (twice_is_copy(relay, message) || loop_is_echo(relay, message)) {
        loop_note(relay, message, false);
        return 0;
    }
    struct handing handing = {
        .relay = relay,
        .message = message,
        .social = message->room->flags & HR_ROOM_SOCIAL,
    };
    bool with_handle = false;
    if (handing.social) {
        int status = first_time(relay, message, &with_handle);
        if (status < 0) {
            return status;
        }
    }
    handing.name = relay_lead(relay, message, false);
    handing.say = (struct hr_say){
        .size = sizeof(handing.say),
        .text = "",
        .lead = relay_late(relay, message, with_handle ? relay_lead(relay, message, true) : handing.name),
        .lead_url = handing.social && message->url[0] ? message->url : NULL,
        .priority = handing.social ? HR_POSTS : HR_PEOPLE,
        .flags = HR_SAY_TEXT,
    };
    int status = relay->api->routes(relay->bot, message->room->id, hand_on, &handing);
    if (status >= 0) {
        loop_note(relay, message, handing.done);
    }
    return status;
}

static int event(void *state, const struct hr_event *event)
{
    struct relay *relay = state;
    if (event->kind == HR_EV_MESSAGE) {
        return on_message(relay, event->message);
    }
    if (event->kind != HR_EV_REMOVE) {
        return missed_event(relay, event);
    }
    const struct hr_value gone = HR_V_INT((int64_t)event->message->id);
    return relay->api->sql(relay->bot, "DELETE FROM relay_last WHERE message = ?1", &gone, 1, NULL, NULL);
}

/* ---- !source ----------------------------------------------------------------- */

struct source {
    struct relay *relay;
    const char *text;
};

static int on_source(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct source *source = arg;
    source->text =
        source->relay->api->words(source->relay->bot, "source", "name", column[0].str, "url", column[1].str, NULL);
    return 0;
}

static int run_source(void *state, const struct hr_call *call)
{
    struct source source = {.relay = state};
    const struct hr_api *api = source.relay->api;
    struct hr_bot *bot = source.relay->bot;
    const struct hr_value room = HR_V_INT((int64_t)call->room->id);
    int status = api->sql(bot, "SELECT name, url FROM relay_last WHERE room = ?1", &room, 1, on_source, &source);
    if (status < 0) {
        return status;
    }
    return api->answer(bot, call, source.text ? source.text : api->words(bot, "no_source", NULL));
}

static const struct hr_command commands[] = {
    {.name = "source",
     .usage = "",
     .help = "Gives the link of the last post shown in this room.",
     .example = "!source",
     .run = run_source},
    {.name = "missed",
     .usage = "",
     .help = "Shows posts that were left out of the room because there were too many.",
     .example = "!missed",
     .run = run_missed},
    {0},
};

/* ---- life -------------------------------------------------------------------- */

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay) {
        abort();
    }
    relay->bot = bot;
    relay->api = api;
    *state = relay;
    return 0;
}

static void stop(void *state)
{
    free(state);
}

static void report(void *state, struct hr_out *out)
{
    twice_report(state, out);
}

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "relay",
    .version = HASHROOM_VERSION,
    .help = "Hands messages on from room to room, with the name of who said them.",
    .events = HR_EV(HR_EV_MESSAGE) | HR_EV(HR_EV_REMOVE) | HR_EV(HR_EV_BACKLOG) | HR_EV(HR_EV_LEFT_OUT),
    .commands = commands,
    .texts = texts,
    .schema = schema,
    .start = start,
    .stop = stop,
    .event = event,
    .report = report,
};
