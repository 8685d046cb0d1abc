/* SPDX-License-Identifier: MIT */
/* The service desk: how the networks are, stopping what still waits for a room, where words are shown. */
#include "privacy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_BYTES = 340, LINES = 3, SENTENCE_BYTES = LINE_BYTES - 60, MORE_BYTES = 60 };

static const int64_t day_ms = 24 * 60 * 60 * 1000, late_ms = 60 * 1000, trouble_ms = 60 * 60 * 1000;

struct desk {
    struct hr_bot *bot;
    const struct hr_api *api;
};

static const struct hr_text texts[] = {
    {"up", "{name} has worked for {time}.", "name=libera;time=2 hours"},
    {"down", "{name} has not worked for {time}: {reason}.",
     "name=home;time=5 minutes;reason=no answer, I try again soon"},
    {"room-out", "I am not in {room} on {name}.", "room=#example;name=libera"},
    {"again", "{name} has worked for {time}. Before, it did not: {reason}.",
     "name=libera;time=2 minutes;reason=the server closed the line"},
    {"waiting-one", "1 message waits for {room} on {name}, for {time}.", "room=#example;name=libera;time=2 minutes"},
    {"waiting-many", "{n} messages wait for {room} on {name}, the oldest for {time}.",
     "n=12;room=#example;name=libera;time=4 minutes"},
    {"waiting-private-one", "1 private answer waits on {name}, for {time}.", "name=libera;time=4 minutes"},
    {"waiting-private", "{n} private answers wait on {name}, the oldest for {time}.", "n=2;name=libera;time=4 minutes"},
    {"refused", "{name} refused {n} of my messages today.", "n=2;name=libera"},
    {"unknown", "I do not know if {n} of my messages today reached {name}.", "n=1;name=libera"},
    {"none", "I am on no network.", NULL},
    {"no-such", "I know no network called {name}. To see all of them, type !status", "name=matrx"},
    {"more", "There is more. To see it, type for example: !status {name}", "name=libera"},
    {"stop-one", "I dropped 1 message that waited for this room.", NULL},
    {"stop-many", "I dropped {n} messages that waited for this room.", "n=12"},
    {"stop-none", "No messages wait for this room.", NULL},
    {"stop-private", "Please type !stop in the room that I should stop talking to.", NULL},
    PRIVACY_TEXTS,
    {0},
};

/* ---- !status --------------------------------------------------------------------- */

struct pages { /* sentences packed into lines */
    struct desk *desk;
    const char *only;  /* name of one network, or "" */
    const char *first; /* name of the first network, for the example */
    char line[LINES][LINE_BYTES + 1];
    int lines; /* used */
    bool found, more;
};

static const char *plural(struct desk *desk, int64_t n, const char *unit)
{
    return desk->api->print(desk->bot, "%lld %s%s", (long long)n, unit, n == 1 ? "" : "s");
}

static const char *duration(struct desk *desk, int64_t ms)
{
    const int64_t seconds = ms < 0 ? 0 : ms / 1000;
    if (seconds < 2) {
        return "a moment";
    }
    if (seconds < 2 * 60) {
        return plural(desk, seconds, "second");
    }
    if (seconds < 2 * 60 * 60) {
        return plural(desk, seconds / 60, "minute");
    }
    return seconds < 2 * 24 * 60 * 60 ? plural(desk, seconds / 3600, "hour") : plural(desk, seconds / 86400, "day");
}

/* The last line keeps room for the words that there is more. */
static void add(struct pages *pages, const char *sentence)
{
    const size_t len = strlen(sentence);
    if (len == 0 || len > SENTENCE_BYTES || pages->more) {
        pages->more |= len > SENTENCE_BYTES;
        return;
    }
    if (pages->lines == 0) {
        pages->lines = 1;
    }
    size_t used = strlen(pages->line[pages->lines - 1]);
    const size_t limit = pages->lines == LINES ? LINE_BYTES - MORE_BYTES : LINE_BYTES;
    if (used > 0 && used + 1 + len > limit) {
        if (pages->lines == LINES) {
            pages->more = true;
            return;
        }
        pages->lines++;
        used = 0;
    }
    char *line = pages->line[pages->lines - 1];
    if (used > 0) {
        line[used++] = ' ';
    }
    memcpy(line + used, sentence, len + 1);
}

/* At most len bytes of text, whole characters. */
static const char *cut(struct desk *desk, const char *text, size_t len)
{
    len = strnlen(text, len);
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
        len--;
    }
    return desk->api->print(desk->bot, "%.*s", (int)len, text);
}

/* One line without its last stop; a reason may come with or without it. */
static const char *tidy(struct desk *desk, const char *text)
{
    size_t len = strcspn(text, "\n");
    while (len > 0 && strchr(". ", text[len - 1]) != NULL) {
        len--;
    }
    return cut(desk, text, len < 200 ? len : 200);
}

static bool wanted(const struct pages *pages, const char *network)
{
    return pages->only[0] == '\0' || strcasecmp(pages->only, network) == 0;
}

static int add_down(void *arg, const struct hr_network_state *network)
{
    struct pages *pages = arg;
    const struct hr_api *api = pages->desk->api;
    if (pages->first == NULL) {
        pages->first = api->print(pages->desk->bot, "%s", network->name);
    }
    if (!wanted(pages, network->name)) {
        return 0;
    }
    pages->found = true;
    if (!network->up) {
        const char *reason = network->reason[0] == '\0' ? "no reason is known" : tidy(pages->desk, network->reason);
        add(pages, api->words(pages->desk->bot, "down", "name", network->name, "time",
                              duration(pages->desk, network->for_ms), "reason", reason, NULL));
    }
    return 0;
}

static int add_up(void *arg, const struct hr_network_state *network)
{
    struct pages *pages = arg;
    struct desk *desk = pages->desk;
    if (!network->up || !wanted(pages, network->name)) {
        return 0;
    }
    const char *time = duration(desk, network->for_ms);
    if (network->trouble[0] != '\0' && network->trouble_ago_ms < trouble_ms) {
        add(pages, desk->api->words(desk->bot, "again", "name", network->name, "time", time, "reason",
                                    tidy(desk, network->trouble), NULL));
    } else {
        add(pages, desk->api->words(desk->bot, "up", "name", network->name, "time", time, NULL));
    }
    return 0;
}

static int add_room(void *arg, const struct hr_room *room)
{
    struct pages *pages = arg;
    if ((room->flags & (HR_ROOM_PEOPLE | HR_ROOM_UP)) == HR_ROOM_PEOPLE && wanted(pages, room->network)) {
        add(pages,
            pages->desk->api->words(pages->desk->bot, "room-out", "room", room->address, "name", room->network, NULL));
    }
    return 0;
}

static int add_chat(void *arg, const struct hr_chat *chat)
{
    struct pages *pages = arg;
    return pages->desk->api->rooms(pages->desk->bot, chat->name, add_room, pages);
}

/* A name that can be said aloud: the id of a Matrix room can't, the tag of its chat can. */
static const char *room_name(struct desk *desk, uint64_t id, const char *address)
{
    const struct hr_room *room = desk->api->room(desk->bot, id);
    const struct hr_chat *chat = room != NULL && address[0] == '!' ? desk->api->chat(desk->bot, room->chat) : NULL;
    return chat != NULL && chat->tag[0] != '\0' ? chat->tag : address;
}

/* Columns: network, address, room, private, how many, since when. What waits for a moment is no news. */
static int add_waiting(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct pages *pages = arg;
    struct desk *desk = pages->desk;
    const struct hr_api *api = desk->api;
    const char *network = column[0].str;
    const int64_t n = column[4].num, age_ms = api->wall_ms(desk->bot) - column[5].num;
    if (!wanted(pages, network) || age_ms < late_ms) {
        return 0;
    }
    const char *time = duration(desk, age_ms), *many = api->print(desk->bot, "%lld", (long long)n);
    const char *room = room_name(desk, (uint64_t)column[2].num, column[1].str);
    if (column[3].num) { /* whose conversation it is concerns nobody else */
        add(pages, n == 1 ? api->words(desk->bot, "waiting-private-one", "name", network, "time", time, NULL)
                          : api->words(desk->bot, "waiting-private", "n", many, "name", network, "time", time, NULL));
    } else if (n == 1) {
        add(pages, api->words(desk->bot, "waiting-one", "room", room, "name", network, "time", time, NULL));
    } else {
        add(pages, api->words(desk->bot, "waiting-many", "n", many, "room", room, "name", network, "time", time, NULL));
    }
    return 0;
}

static int add_lost(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct pages *pages = arg;
    struct desk *desk = pages->desk;
    if (wanted(pages, column[0].str)) {
        add(pages, desk->api->words(desk->bot, column[1].str, "n",
                                    desk->api->print(desk->bot, "%lld", (long long)column[2].num), "name",
                                    column[0].str, NULL));
    }
    return 0;
}

/* None behind a word to type: it would be typed too. */
static const char *stop_of(const char *text, size_t len)
{
    size_t word = len;
    while (word > 0 && text[word - 1] != ' ') {
        word--;
    }
    return text[word] == '!' || strchr(".!?", text[len - 1]) != NULL ? "" : ".";
}

/* What a plugin has to say, line by line; with one network asked for, its own only. */
static int add_report(void *arg, const char *who, const char *text)
{
    struct pages *pages = arg;
    const char *instance = strchr(who, '/');
    if (pages->only[0] != '\0' && (instance == NULL || !wanted(pages, instance + 1))) {
        return 0;
    }
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        if (len > 0) {
            add(pages, pages->desk->api->print(pages->desk->bot, "%.*s%s", (int)len, text, stop_of(text, len)));
        }
        text += len + (text[len] == '\n');
    }
    return 0;
}

/* What is wrong comes first. */
static int fill(struct pages *pages)
{
    const struct hr_api *api = pages->desk->api;
    struct hr_bot *bot = pages->desk->bot;
    const struct hr_value since = HR_V_INT(api->wall_ms(bot) - day_ms);
    int status = api->networks(bot, add_down, pages);
    if (status >= 0) {
        status = api->chats(bot, add_chat, pages);
    }
    if (status >= 0) {
        status = api->sql(bot,
                          "SELECT d.network, min(d.address), d.room, r.private, sum(d.count), min(d.oldest_ms)"
                          " FROM core_pub_delivery d JOIN core_pub_room r ON r.id = d.room"
                          " WHERE d.state IN ('waiting', 'claimed')"
                          " GROUP BY d.network, r.private, iif(r.private, 0, d.room) ORDER BY min(d.oldest_ms)",
                          NULL, 0, add_waiting, pages);
    }
    if (status >= 0) {
        status =
            api->sql(bot,
                     "SELECT r.network, s.state, count(*) FROM core_pub_said s JOIN core_pub_room r ON r.id = s.room"
                     " WHERE s.state IN ('refused', 'unknown') AND s.settled_ms > ?1 GROUP BY r.network, s.state"
                     " ORDER BY r.network, s.state",
                     &since, 1, add_lost, pages);
    }
    if (status >= 0) {
        status = api->networks(bot, add_up, pages);
    }
    return status < 0 ? status : api->reports(bot, add_report, pages);
}

static int run_status(void *state, const struct hr_call *call)
{
    struct desk *desk = state;
    struct pages pages = {.desk = desk, .only = call->argc > 0 ? call->argv[0] : ""};
    const int status = fill(&pages);
    if (status < 0) {
        return status;
    }
    if (pages.only[0] != '\0' && !pages.found) {
        const char *name = cut(desk, pages.only, 40);
        return desk->api->answer(desk->bot, call, desk->api->words(desk->bot, "no-such", "name", name, NULL));
    }
    if (pages.lines == 0) {
        return desk->api->answer(desk->bot, call, desk->api->words(desk->bot, "none", NULL));
    }
    const char *text = pages.line[0];
    for (int i = 1; i < pages.lines; i++) {
        text = desk->api->print(desk->bot, "%s\n%s", text, pages.line[i]);
    }
    if (pages.more && pages.only[0] == '\0' && pages.first != NULL) {
        text =
            desk->api->print(desk->bot, "%s %s", text, desk->api->words(desk->bot, "more", "name", pages.first, NULL));
    }
    return desk->api->answer(desk->bot, call, text);
}

/* ---- !stop -------------------------------------------------------------------------- */

static int run_stop(void *state, const struct hr_call *call)
{
    struct desk *desk = state;
    if (call->in_private) {
        return desk->api->answer(desk->bot, call, desk->api->words(desk->bot, "stop-private", NULL));
    }
    const int count = desk->api->drop_waiting(desk->bot, call->room->id,
                                              desk->api->print(desk->bot, "stopped by %s", call->message->author.name));
    if (count < 0) {
        return count;
    }
    desk->api->log(desk->bot, HR_INFO, "%s stopped what waited for %s/%s: %d messages dropped",
                   call->message->author.name, call->room->network, call->room->address, count);
    const char *said =
        count == 0   ? desk->api->words(desk->bot, "stop-none", NULL)
        : count == 1 ? desk->api->words(desk->bot, "stop-one", NULL)
                     : desk->api->words(desk->bot, "stop-many", "n", desk->api->print(desk->bot, "%d", count), NULL);
    return desk->api->answer(desk->bot, call, said);
}

static int run_privacy(void *state, const struct hr_call *call)
{
    struct desk *desk = state;
    return desk->api->answer(desk->bot, call, privacy_words(desk->bot, desk->api, call));
}

static const struct hr_command commands[] = {
    {"privacy", NULL, "", "Says where what you write here is shown.", "!privacy", NULL, HR_CMD_NO_CHAT, run_privacy},
    {"status", NULL, "[network]", "Says which networks work, and what still waits.", "!status", "chat.run",
     HR_CMD_NO_CHAT, run_status},
    {"stop", NULL, "", "Drops all messages that still wait for this room.", "!stop", "room.stop", HR_CMD_NO_CHAT,
     run_stop},
    {0},
};

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct desk *desk = HR_HAS(api, store_id) ? calloc(1, sizeof(*desk)) : NULL;
    if (desk == NULL) {
        return HR_EFAIL;
    }
    *desk = (struct desk){.bot = bot, .api = api};
    *state = desk;
    return 0;
}

static void stop(void *state)
{
    free(state);
}

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,     .name = "desk",
    .version = "0.1.0",   .help = "Says how the networks are, and stops what still waits for a room.",
    .commands = commands, .texts = texts,
    .start = start,       .stop = stop,
};
