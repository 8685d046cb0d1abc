/* SPDX-License-Identifier: MIT */
/* Our channels: joining, being refused, kicked; who sits there. */
#include "channels.h"
#include "irc.h"
#include "link.h"
#include "mem.h"
#include "tags.h"

enum { JOIN_BYTES = 400 };
static const int64_t who_every_ms = 4000;

/* The token of our WHOX queries, to know their answers from others. */
#define WHOX_TOKEN "152"

static int add_room(void *arg, const struct hr_room *room)
{
    struct irc *irc = arg;
    struct channels *channels = &irc->channels;
    if (room->flags & HR_ROOM_PRIVATE) {
        return 0;
    }
    if (channels->count == CHANNELS_MAX) {
        irc->api->log(irc->bot, HR_ERROR, "more than %d channels on one network; %s and those after it are left out",
                      CHANNELS_MAX, room->address);
        return HR_ELIMIT;
    }
    channels->all = mem_check(realloc(channels->all, (channels->count + 1) * sizeof *channels->all));
    struct channel *channel = &channels->all[channels->count++];
    *channel = (struct channel){.place = PLACE_OUT, .room = room->id};
    (void)snprintf(channel->address, sizeof channel->address, "%s", room->address);
    return 0;
}

void channels_init(struct irc *irc)
{
    (void)irc->net->rooms(irc->bot, add_room, irc);
}

void channels_clear(struct channels *channels)
{
    free(channels->all);
    *channels = (struct channels){0};
}

struct channel *channels_find(const struct irc *irc, const char *name)
{
    for (size_t i = 0; i < irc->channels.count; i++) {
        if (name_equal(&irc->support, irc->channels.all[i].address, name)) {
            return &irc->channels.all[i];
        }
    }
    return NULL;
}

size_t channels_index(const struct irc *irc, const struct channel *channel)
{
    return (size_t)(channel - irc->channels.all);
}

static void send_join(struct irc *irc, const char *names)
{
    char line[512];
    size_t len = gate_join(irc->gate, names, line, sizeof line);
    if (len) {
        irc->net->spend(irc->bot, 1);
        link_bytes(irc, line, len);
    }
}

void channels_join_all(struct irc *irc)
{
    char names[JOIN_BYTES] = "";
    size_t len = 0;
    for (size_t i = 0; i < irc->channels.count; i++) {
        struct channel *channel = &irc->channels.all[i];
        if (channel->place != PLACE_OUT) {
            continue;
        }
        if (len + strlen(channel->address) + 2 > sizeof names) {
            send_join(irc, names);
            len = 0;
        }
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? "," : "", channel->address);
        channel->place = PLACE_JOINING;
    }
    if (len) {
        send_join(irc, names);
    }
}

void channels_lost(struct irc *irc)
{
    for (size_t i = 0; i < irc->channels.count; i++) {
        struct channel *channel = &irc->channels.all[i];
        if (channel->place == PLACE_IN) {
            irc->net->down(irc->bot, channel->address, "the network is not connected; it is joined again when it is");
        }
        if (channel->place != PLACE_REFUSED) {
            channel->place = PLACE_OUT;
        }
    }
}

static void refuse(struct irc *irc, struct channel *channel, const char *reason)
{
    channel->place = PLACE_REFUSED;
    (void)snprintf(channel->reason, sizeof channel->reason, "%s", reason);
    members_leave_channel(&irc->members, channels_index(irc, channel));
    history_left(irc, channel);
    irc->net->down(irc->bot, channel->address, reason);
}

void channels_watch(struct irc *irc, int64_t now)
{
    if (now - irc->who_ms < who_every_ms || (irc->caps & CAP_ACCOUNT_TAG) ||
        (!irc->support.whox && !irc->support.bot_mode)) {
        return; /* each line says whose it is, or nothing would be learned */
    }
    for (size_t i = 0; i < irc->channels.count; i++) {
        struct channel *channel = &irc->channels.all[i];
        if (channel->place == PLACE_IN && channel->wants_who) {
            channel->wants_who = false;
            irc->who_ms = now;
            irc->net->spend(irc->bot, 1);
            link_line(irc, irc->support.whox ? "WHO %s %%tcnfa," WHOX_TOKEN : "WHO %s", channel->address);
            return;
        }
    }
}

static void joined(struct irc *irc, struct channel *channel, const struct gate_event *event)
{
    struct wire_source me;
    wire_source_split(&me, event->source);
    if (*me.host) {
        (void)snprintf(irc->user, sizeof irc->user, "%s", me.user);
        (void)snprintf(irc->host, sizeof irc->host, "%s", me.host);
    }
    const char *time = tags_get(event->wire, "time");
    int64_t at = time ? tags_time(time) : -1;
    /* Without the server's clock, what is a minute older than now is not live. */
    channel->joined_ms = at >= 0 ? at : irc->api->wall_ms(irc->bot) - 60 * 1000;
    channel->place = PLACE_IN;
    channel->reason[0] = '\0';
    history_joined(irc, channel);
    channel->wants_who = true;
    channels_watch(irc, irc->api->monotonic_ms(irc->bot));
}

void channels_on_join(struct irc *irc, const struct gate_event *event)
{
    if (event->count < 1) {
        return;
    }
    struct channel *channel = channels_find(irc, event->param[0]);
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (!channel) {
        if (irc_is_me(irc, who.nick)) { /* forwarded or forced somewhere: nobody asked us in there */
            char line[512];
            size_t len = gate_part(irc->gate, event->param[0], line, sizeof line);
            if (len) {
                link_bytes(irc, line, len);
            }
        }
        return;
    }
    if (irc_is_me(irc, who.nick)) {
        joined(irc, channel, event);
    }
    struct member *member = members_join(&irc->members, channels_index(irc, channel), who.nick);
    if (member && (irc->caps & CAP_EXTENDED_JOIN) && event->count > 1) {
        members_account(member, event->param[1], irc->api->monotonic_ms(irc->bot));
    }
}

void channels_on_part(struct irc *irc, const struct gate_event *event)
{
    struct channel *channel = event->count ? channels_find(irc, event->param[0]) : NULL;
    struct wire_source who;
    wire_source_split(&who, event->source);
    if (channel && irc_is_me(irc, who.nick)) {
        refuse(irc, channel, "an operator of the network made the bot leave; it stays out until it is restarted");
    } else if (channel) {
        members_part(&irc->members, channels_index(irc, channel), who.nick);
    }
}

void channels_on_kick(struct irc *irc, const struct gate_event *event)
{
    struct channel *channel = event->count > 1 ? channels_find(irc, event->param[0]) : NULL;
    if (!channel) {
        return;
    }
    if (!irc_is_me(irc, event->param[1])) {
        members_part(&irc->members, channels_index(irc, channel), event->param[1]);
        return;
    }
    struct wire_source by;
    wire_source_split(&by, event->source);
    refuse(irc, channel,
           irc->api->print(irc->bot,
                           "%s removed the bot from the channel (%s). It stays out until it is restarted: "
                           "ask the channel's operators first",
                           by.nick, event->count > 2 ? event->param[2] : "no reason"));
}

void channels_on_mode(struct irc *irc, const struct gate_event *event)
{
    struct channel *channel = event->count > 1 ? channels_find(irc, event->param[0]) : NULL;
    if (!channel) {
        return;
    }
    bool adding = true;
    size_t arg = 2;
    for (const char *mode = event->param[1]; *mode; mode++) {
        if (*mode == '+' || *mode == '-') {
            adding = *mode == '+';
            continue;
        }
        if (!isupport_takes_arg(&irc->support, *mode, adding)) {
            continue;
        }
        if (arg >= event->count) {
            return;
        }
        struct member *member = members_find(&irc->members, event->param[arg++]);
        if (member && strchr(irc->support.prefix_mode, *mode)) {
            members_mode(member, channels_index(irc, channel), *mode, adding);
        }
    }
}

/* "@+nick" or "@+nick!user@host": a seat with its modes. */
static struct member *seat_named(struct irc *irc, struct channel *channel, const char *name)
{
    char modes[MEMBER_MODES] = "";
    size_t len = 0;
    const char *sign;
    while (*name && (sign = strchr(irc->support.prefix_sign, *name)) != NULL) {
        if (len + 1 < sizeof modes) {
            modes[len++] = irc->support.prefix_mode[sign - irc->support.prefix_sign];
        }
        name++;
    }
    struct wire_source who;
    wire_source_split(&who, name);
    struct member *member = *who.nick ? members_join(&irc->members, channels_index(irc, channel), who.nick) : NULL;
    for (size_t i = 0; member && modes[i]; i++) {
        members_mode(member, channels_index(irc, channel), modes[i], true);
    }
    return member;
}

void channels_on_names(struct irc *irc, const struct gate_event *event)
{
    struct channel *channel = event->count > 3 ? channels_find(irc, event->param[2]) : NULL;
    if (!channel) {
        return;
    }
    char *names = mem_copy(event->param[3]);
    for (char *at = names; *at;) {
        char *end = at + strcspn(at, " ");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (*at) {
            (void)seat_named(irc, channel, at);
        }
        at = next;
    }
    free(names);
}

/* 352 me #chan user host server nick flags :hops name   354 me token #chan nick flags account */
void channels_on_who(struct irc *irc, const struct gate_event *event)
{
    bool whox = strcmp(event->command, "354") == 0;
    if (whox ? event->count < 6 || strcmp(event->param[1], WHOX_TOKEN) != 0 : event->count < 7) {
        return;
    }
    struct member *member = members_find(&irc->members, event->param[whox ? 3 : 5]);
    if (!member) {
        return;
    }
    const char *flags = event->param[whox ? 4 : 6];
    member->bot = irc->support.bot_mode && strchr(flags, irc->support.bot_mode);
    if (whox) {
        members_account(member, event->param[5], irc->api->monotonic_ms(irc->bot));
    }
}

/* ---- refused ------------------------------------------------------------------- */

static const struct {
    int numeric;
    const char *reason;
} refusals[] = {
    {403, "the network knows no such channel: check the address in the configuration"},
    {405, "the network allows the bot no further channels"},
    {437, "the channel is not available now; the bot tries again at the next connection"},
    {470, "the network sends the bot to another channel: ask the channel's operators to let it in"},
    {471, "the channel is full (+l): ask its operators to make room, then restart the bot"},
    {473, "the channel is by invitation only (+i): ask its operators to let the bot in, then restart it"},
    {474, "the bot is banned from the channel: ask its operators, then restart the bot"},
    {475, "the channel wants a key (+k): ask its operators to take it off, then restart the bot"},
    {476, "the network knows no such channel name: check the address in the configuration"},
    {477, "the channel is for registered names: give the bot an account (sasl, sasl_account) or ask its operators"},
    {479, "the network refuses this channel name: check the address in the configuration"},
    {489, "the channel takes only members with TLS: set tls = yes"},
    {520, "the channel is for the network's operators only"},
};

bool channels_on_refusal(struct irc *irc, int numeric, const struct gate_event *event)
{
    struct channel *channel = event->count > 1 ? channels_find(irc, event->param[1]) : NULL;
    if (!channel || channel->place != PLACE_JOINING) {
        return false;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].numeric == numeric) {
            refuse(irc, channel, refusals[i].reason);
            if (numeric == 437) {
                channel->place = PLACE_OUT;
            }
            return true;
        }
    }
    return false;
}
