/* SPDX-License-Identifier: MIT */
/* Hand mode: a person posts for the bot. */
#include "hand.h"
#include "mem.h"
#include "say.h"
#include "snowflake.h"

static const int64_t GIVE_UP_MS = 15 * 60 * 1000;
enum { WAITING_MAX = 64 };

struct waiting {
    struct hand *hand;
    uint64_t part;
    char *room, *text, *reply_to; /* text NULL: a post to take away, its id in reply_to */
    struct hr_timer *timer;
    struct waiting *next;
};

struct hand {
    struct twitter *twitter;
    struct waiting *first;
    uint64_t told_session; /* announced in the log once a session */
};

struct hand *hand_new(struct twitter *twitter)
{
    struct hand *hand = mem_calloc(1, sizeof(*hand));
    hand->twitter = twitter;
    return hand;
}

static void drop(struct hand *hand, struct waiting *one)
{
    struct waiting **at = &hand->first;
    while (*at != one) {
        at = &(*at)->next;
    }
    *at = one->next;
    hand->twitter->api->timer_stop(one->timer);
    free(one->room);
    free(one->text);
    free(one->reply_to);
    free(one);
}

void hand_free(struct hand *hand)
{
    while (hand != NULL && hand->first != NULL) {
        drop(hand, hand->first);
    }
    free(hand);
}

static void on_late(void *arg)
{
    struct waiting *one = arg;
    struct twitter *twitter = one->hand->twitter;
    uint64_t part = one->part;
    one->timer = NULL;
    drop(one->hand, one);
    twitter->api->net->sent(twitter->bot, part, HR_EFAIL, NULL, -1, "nobody posted it on Twitter within 15 minutes");
}

static void tell_once(struct hand *hand, const struct hr_room *room)
{
    struct twitter *twitter = hand->twitter;
    const struct hr_chat *chat = twitter->api->chat(twitter->bot, room->chat);
    uint64_t session = chat != NULL ? chat->session : 0;
    if (session == 0 || session != hand->told_session) {
        hand->told_session = session;
        twitter->api->log(
            twitter->bot, HR_INFO,
            "a text waits to be posted on Twitter by hand: hosts type !post to see it, then !posted and the link");
    }
}

int hand_send(struct hand *hand, const struct hr_part *part)
{
    struct twitter *twitter = hand->twitter;
    if (hand_waiting(hand) >= WAITING_MAX) {
        return HR_ELIMIT;
    }
    struct waiting *one = mem_calloc(1, sizeof(*one));
    one->hand = hand;
    one->part = part->id;
    one->room = mem_dup(part->room->address);
    if (part->act == HR_ACT_REMOVE) {
        one->reply_to = mem_dup(part->body);
    } else {
        one->text = say_text(part->body);
        one->reply_to = say_reply_to(part->body);
    }
    struct waiting **at = &hand->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = one;
    if (twitter->api->timer_in(twitter->bot, GIVE_UP_MS, 0, on_late, one, &one->timer) != HR_OK) {
        drop(hand, one);
        return HR_ERETRY;
    }
    tell_once(hand, part->room);
    return HR_OK;
}

static int answer(struct hand *hand, const struct hr_call *call, const char *id, const char *name, const char *value)
{
    struct twitter *twitter = hand->twitter;
    return twitter->api->answer(twitter->bot, call, twitter->api->words(twitter->bot, id, name, value, NULL));
}

int hand_run_post(struct hand *hand, const struct hr_call *call)
{
    struct twitter *twitter = hand->twitter;
    const struct waiting *one = hand->first;
    if (one == NULL) {
        return answer(hand, call, "hand-nothing", "command", "!post");
    }
    if (one->text == NULL) {
        return answer(hand, call, "hand-delete", "id", one->reply_to);
    }
    if (one->reply_to != NULL) {
        const char *words =
            twitter->api->words(twitter->bot, "hand-reply", "text", one->text, "id", one->reply_to, NULL);
        return twitter->api->answer(twitter->bot, call, words);
    }
    return answer(hand, call, "hand-post", "text", one->text);
}

char *hand_link_id(const char *link)
{
    const char *at = strstr(link, "/status/");
    bool web = strncmp(link, "https://", 8) == 0 || strncmp(link, "http://", 7) == 0;
    const char *host = web ? strstr(link, "://") + 3 : link;
    bool known = strncmp(host, "x.com/", 6) == 0 || strncmp(host, "www.x.com/", 10) == 0 ||
                 strncmp(host, "twitter.com/", 12) == 0 || strncmp(host, "mobile.twitter.com/", 19) == 0 ||
                 strncmp(host, "mobile.x.com/", 13) == 0 || strncmp(host, "www.twitter.com/", 16) == 0;
    if (at == NULL || !known) {
        return NULL;
    }
    char *id = mem_copy(at + 8, strspn(at + 8, "0123456789"));
    if (!snowflake_valid(id)) {
        mem_clear(&id);
    }
    return id;
}

int hand_run_posted(struct hand *hand, const struct hr_call *call)
{
    struct twitter *twitter = hand->twitter;
    struct waiting *one = hand->first;
    if (one == NULL) {
        return answer(hand, call, "hand-nothing", "command", "!posted");
    }
    CLEANUP(mem_clear) char *id = call->argc > 0 ? hand_link_id(call->argv[0]) : NULL;
    if (id == NULL && one->text != NULL) {
        return answer(hand, call, "hand-no-link", "command", "!posted");
    }
    uint64_t part = one->part;
    drop(hand, one);
    twitter->api->net->sent(twitter->bot, part, HR_OK, id, -1, NULL);
    return answer(hand, call, hand->first != NULL ? "hand-more" : "hand-done", "command", "!post");
}

size_t hand_waiting(const struct hand *hand)
{
    size_t n = 0;
    for (const struct waiting *one = hand == NULL ? NULL : hand->first; one != NULL; one = one->next) {
        n++;
    }
    return n;
}
