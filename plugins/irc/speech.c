/* SPDX-License-Identifier: MIT */
/* PRIVMSG, NOTICE and actions: who, where, when, and whether it is live. */
#include "speech.h"
#include "record.h"
#include "tags.h"
#include <string.h>

static const int64_t account_lasts_ms = 10 * 60 * 1000, none_lasts_ms = 30 * 1000;
static const int64_t oldest_ms = INT64_C(366) * 24 * 3600 * 1000;

void speech_post(struct irc *irc, const struct said *said)
{
    struct wire_source who;
    wire_source_split(&who, said->source);
    struct hr_post post = {
        .size = sizeof post,
        .room = said->room,
        .key = said->key,
        .author =
            {
                .id = *said->account ? said->account : said->source,
                .account = said->account,
                .name = who.nick,
                .handle = "",
                .power = said->power,
            },
        .text = said->text,
        .text_len = strlen(said->text),
        .reply_to = said->reply_to,
        .time_ms = said->time_ms,
        .flags = said->flags,
    };
    int status = irc->net->post(irc->bot, &post, NULL);
    struct channel *channel = channels_find(irc, said->room);
    if (channel) {
        record_seen(irc, channel, said->server_ms);
    }
    if (status < 0 && status != HR_EEXIST) {
        irc->api->log(irc->bot, HR_WARN, "a line of %s in %s was not taken (status %d) and is left out", who.nick,
                      said->room, status);
    }
}

/* Clocks of servers and ours differ, and the chat clock is a third: what counts is the age. */
static int64_t time_of(const struct irc *irc, int64_t server_ms)
{
    int64_t now = irc->api->now_ms(irc->bot), age = irc->api->wall_ms(irc->bot) - server_ms;
    return server_ms < 0 || age <= 0 || age > oldest_ms ? now : now - age;
}

static int find_private(void *arg, const struct hr_room *room)
{
    const char *nick = arg;
    return room->flags & HR_ROOM_PRIVATE && strcmp(room->address, nick) == 0 ? HR_EEXIST : 0;
}

static bool private_allowed(const struct irc *irc, const char *nick)
{
    char address[WIRE_NAME_BYTES];
    (void)snprintf(address, sizeof address, "%s", nick);
    return irc->net->rooms(irc->bot, find_private, address) == HR_EEXIST || irc->net->allow_private(irc->bot, address);
}

/* Is what we know of this person good enough to say so now? */
static bool account_known(const struct irc *irc, const struct member *member)
{
    if (!member || member->known == ACCOUNT_UNKNOWN) {
        return false;
    }
    int64_t age = irc->api->monotonic_ms(irc->bot) - member->known_ms;
    return (irc->caps & CAP_ACCOUNT_NOTIFY) || age < (member->known == ACCOUNT_IS ? account_lasts_ms : none_lasts_ms);
}

static bool has_services(const struct irc *irc)
{
    return irc->support.accounts ||
           (irc->login.offered & (CAP_SASL | CAP_ACCOUNT_TAG | CAP_ACCOUNT_NOTIFY | CAP_EXTENDED_JOIN));
}

static void identify(struct irc *irc, struct said *said, const struct wire *wire, const struct member *member)
{
    const char *account = tags_get(wire, "account");
    bool never_commands = said->flags & (HR_MSG_NOTICE | HR_MSG_HISTORY | HR_MSG_BOT);
    bool ask = false;
    said->account = "";
    if (account && *account) {
        said->account = account;
    } else if (!never_commands && !(irc->caps & CAP_ACCOUNT_TAG)) {
        if (account_known(irc, member)) {
            said->account = member->account;
        } else {
            ask = has_services(irc);
        }
    }
    if (!identity_hold(irc, said, ask)) {
        speech_post(irc, said);
    }
}

/* Where it was said, or false if it is not for us: server notices, words to the
 * operators of a channel alone (@#channel), notices of services. */
static bool place(struct irc *irc, struct said *said, const char *nick, const struct gate_event *event,
                  const struct channel **channel)
{
    const char *target = event->param[0];
    if (isupport_channel(&irc->support, target)) {
        *channel = channels_find(irc, target);
        said->room = *channel ? (*channel)->address : NULL;
        return *channel && (*channel)->place == PLACE_IN;
    }
    if (!irc_is_me(irc, target) || said->flags & HR_MSG_NOTICE || !wire_nick_valid(nick) ||
        !private_allowed(irc, nick)) {
        return false;
    }
    said->room = nick;
    said->flags |= HR_MSG_PRIVATE;
    return true;
}

void speech_on_text(struct irc *irc, const struct gate_event *event, const struct batch *batch)
{
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (event->ctcp || event->count < 2 || !*event->param[1] || !*who.user || !*who.host) {
        return;
    }
    const struct channel *channel = NULL;
    const char *time = tags_get(event->wire, "time");
    int64_t server_ms = time ? tags_time(time) : -1;
    const char *reply = tags_get(event->wire, "+reply");
    struct said said = {
        .source = event->source,
        .text = event->param[1],
        .key = flights_msgid(tags_get(event->wire, "msgid")),
        .reply_to = flights_msgid(reply ? reply : tags_get(event->wire, "+draft/reply")),
        .time_ms = time_of(irc, server_ms),
        .server_ms = server_ms,
        .flags = (event->action ? HR_MSG_EMOTE : 0u) | (strcmp(event->command, "NOTICE") == 0 ? HR_MSG_NOTICE : 0u),
    };
    if (!place(irc, &said, who.nick, event, &channel)) {
        return;
    }
    int64_t live_from = channel ? channel->joined_ms : irc->welcome_ms;
    if ((batch && batch->history) || (server_ms >= 0 && server_ms < live_from)) {
        said.flags |= HR_MSG_HISTORY;
    }
    const struct member *member = members_find(&irc->members, who.nick);
    if (tags_get(event->wire, "bot") || tags_get(event->wire, "draft/bot") || (member && member->bot)) {
        said.flags |= HR_MSG_BOT;
    }
    if (channel) {
        said.power = isupport_power(&irc->support, members_modes(member, channels_index(irc, channel)));
    }
    identify(irc, &said, event->wire, member);
}
