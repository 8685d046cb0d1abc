/* SPDX-License-Identifier: MIT */
/*
 * Somebody who writes many lines at once is shown in the other rooms more slowly, so that the others keep their place
 * there. Lines beyond the burst wait and go in at the pace; what is too much even for that is left out aloud.
 * moderation_flood holds those that wait, in order.
 */
#include "moderation.h"

#include <string.h>

enum { LINES_MAX = 12 }; /* of one message, as the rooms see at most */

static const int64_t tick_ms = 1000;

static const struct talker nobody;

/* ---- people -------------------------------------------------------------------------- */

/* One account may carry many people: "<ben> hello" of another bridge. */
static int64_t number_of(struct moderation *m, const struct hr_message *message)
{
    const char *text = message->text;
    size_t len = strcspn(text, "> \n");
    if (*text == '<' && text[len] == '>') {
        return known_number(message->room->network,
                            m->api->print(m->bot, "%s %.*s", message->author.id, (int)len, text));
    }
    return known_number(message->room->network, message->author.id);
}

static void refill(struct moderation *m, struct talker *talker)
{
    int64_t now_ms = m->api->monotonic_ms(m->bot);
    talker->tokens += (double)(now_ms - talker->at_ms) / (double)m->flood_pace_ms;
    talker->at_ms = now_ms;
    if (talker->tokens > (double)m->flood_burst) {
        talker->tokens = (double)m->flood_burst;
    }
}

static struct talker *find(struct moderation *m, uint64_t room, int64_t who)
{
    struct talker *oldest = NULL;
    for (size_t i = 0; i < FLOOD_TALKERS; i++) {
        struct talker *talker = &m->talker[i];
        if (talker->who == who && talker->room == room) {
            return talker;
        }
        if (talker->held == 0 && talker->left_out == 0 && (oldest == NULL || talker->at_ms < oldest->at_ms)) {
            oldest = talker;
        }
    }
    if (oldest != NULL) {
        *oldest = nobody;
        oldest->who = who;
        oldest->room = room;
        oldest->at_ms = m->api->monotonic_ms(m->bot);
        oldest->tokens = (double)m->flood_burst;
    }
    return oldest; /* all are busy: this one goes its way */
}

/* ---- words ------------------------------------------------------------------------------- */

struct rooms {
    uint64_t id[FLOOD_ROOMS];
    size_t count;
};

static int on_room(void *arg, const struct hr_room *room)
{
    struct rooms *rooms = arg;
    if (rooms->count < FLOOD_ROOMS && (room->flags & HR_ROOM_PEOPLE)) {
        rooms->id[rooms->count++] = room->id;
    }
    return 0;
}

static void say(struct moderation *m, const struct talker *talker, const char *text, bool everywhere)
{
    const struct hr_room *own = m->api->room(m->bot, talker->room);
    struct rooms rooms = {0};
    if (own != NULL) {
        (void)on_room(&rooms, own);
    }
    if (everywhere) {
        (void)m->api->routes(m->bot, talker->room, on_room, &rooms);
    }
    const struct hr_say words = {.size = sizeof(words), .text = text, .priority = HR_ACK};
    if (rooms.count > 0) {
        (void)m->api->say(m->bot, rooms.id, rooms.count, &words, NULL);
    }
}

static void say_left_out(struct moderation *m, struct talker *talker)
{
    int count = talker->left_out;
    talker->left_out = 0;
    say(m, talker,
        count == 1 ? m->api->words(m->bot, "flood-over-one", NULL)
                   : m->api->words(m->bot, "flood-over-many", "n", m->api->print(m->bot, "%d", count), NULL),
        true);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static int forget(struct moderation *m, uint64_t message)
{
    const struct hr_value id = HR_V_INT((int64_t)message);
    return m->api->sql(m->bot, "DELETE FROM moderation_flood WHERE message = ?1", &id, 1, NULL, NULL);
}

static void let_one_go(struct moderation *m, struct talker *talker)
{
    uint64_t message = talker->message[0];
    memmove(talker->message, talker->message + 1, --talker->held * sizeof(talker->message[0]));
    talker->tokens -= 1;
    if (forget(m, message) >= 0) {
        (void)m->api->release(m->bot, message); /* not there any more: nothing to show */
    }
    if (talker->held == 0 && talker->left_out > 0) {
        say_left_out(m, talker);
    }
}

static void on_tick(void *arg)
{
    struct moderation *m = arg;
    size_t waiting = 0;
    for (size_t i = 0; i < FLOOD_TALKERS; i++) {
        struct talker *talker = &m->talker[i];
        if (talker->held > 0 && m->flood_pace_ms > 0) {
            refill(m, talker);
        }
        while (talker->held > 0 && (talker->tokens >= 1 || m->flood_pace_ms == 0)) {
            let_one_go(m, talker);
        }
        waiting += talker->held;
    }
    if (waiting == 0) {
        m->api->timer_stop(m->flood_timer);
        m->flood_timer = NULL;
    }
}

static void wake(struct moderation *m)
{
    if (m->flood_timer == NULL) {
        (void)m->api->timer_in(m->bot, tick_ms, tick_ms, on_tick, m, &m->flood_timer);
    }
}

static enum hr_verdict hold(struct moderation *m, struct talker *talker, const struct hr_message *message)
{
    const struct hr_value args[] = {HR_V_INT((int64_t)message->id), HR_V_INT((int64_t)talker->room),
                                    HR_V_INT(talker->who)};
    if (talker->held == FLOOD_HELD ||
        m->api->sql(m->bot, "INSERT INTO moderation_flood VALUES(?1, ?2, ?3)", args, 3, NULL, NULL) < 0) {
        talker->left_out++;
        return HR_HIDE;
    }
    if (talker->held == 0) {
        say(m, talker, m->api->words(m->bot, "flood", NULL), false);
    }
    talker->message[talker->held++] = message->id;
    wake(m);
    return HR_HOLD;
}

/* ---- what moderation.c calls ------------------------------------------------------------------ */

static int lines_of(const char *text)
{
    int lines = 1;
    for (; *text != '\0' && lines < LINES_MAX; text++) {
        lines += *text == '\n';
    }
    return lines;
}

enum hr_verdict flood_judge(struct moderation *m, const struct hr_message *message)
{
    enum { OPERATOR = 50 };
    if (m->flood_pace_ms <= 0 || (message->flags & HR_MSG_HISTORY) || message->author.power >= OPERATOR) {
        return HR_PASS;
    }
    struct talker *talker = find(m, message->room->id, number_of(m, message));
    if (talker == NULL) {
        return HR_PASS;
    }
    refill(m, talker);
    if (talker->held == 0 && talker->tokens >= 1) {
        talker->tokens -= lines_of(message->text);
        return HR_PASS;
    }
    return hold(m, talker, message);
}

int flood_drop_message(struct moderation *m, uint64_t message)
{
    for (size_t i = 0; i < FLOOD_TALKERS; i++) {
        struct talker *talker = &m->talker[i];
        for (size_t h = 0; h < talker->held; h++) {
            if (talker->message[h] == message) {
                talker->held--;
                memmove(talker->message + h, talker->message + h + 1, (talker->held - h) * sizeof(talker->message[0]));
                return forget(m, message);
            }
        }
    }
    return 0;
}

static int on_waiting(void *arg, const struct hr_value *column, size_t count)
{
    struct moderation *m = arg;
    struct talker *talker = find(m, (uint64_t)column[1].num, column[2].num);
    (void)count;
    if (talker != NULL && talker->held < FLOOD_HELD) {
        talker->tokens = 0;
        talker->message[talker->held++] = (uint64_t)column[0].num;
    }
    return 0;
}

int flood_start(struct moderation *m)
{
    m->flood_burst = (int)m->api->option(m->bot, "flood_burst")->num;
    m->flood_pace_ms = m->api->option(m->bot, "flood_pace")->num;
    int status =
        m->api->sql(m->bot, "SELECT message, room, who FROM moderation_flood ORDER BY message", NULL, 0, on_waiting, m);
    wake(m); /* ends by itself when nothing waits */
    return status;
}

int flood_waiting(const struct moderation *m)
{
    size_t waiting = 0;
    for (size_t i = 0; i < FLOOD_TALKERS; i++) {
        waiting += m->talker[i].held;
    }
    return (int)waiting;
}
