/* SPDX-License-Identifier: MIT */
/* Deliveries to PRIVMSG lines; pure. */
#include "render.h"
#include "irc.h"
#include "mem.h"
#include "split.h"
#include "tags.h"

static const int64_t removal_said_ms = 5 * 60 * 1000;

enum {
    RELAYED_LINES = 12, /* of one message somebody wrote elsewhere; the rest is left out aloud */
    OWN_LINES = 60,     /* the host takes 64 parts */
    LEAST_BYTES = 100,
    TAGS_BYTES = 1200,
};

const char *render_line(const char *body)
{
    const char *space = *body == '@' ? strchr(body, ' ') : NULL;
    return space ? space + 1 : body;
}

size_t render_room(size_t nick, size_t user, size_t host, size_t target)
{
    size_t around = 1 + nick + 1 + user + 1 + host + 1 + 8 + target + 2 + 2;
    size_t left = around + LEAST_BYTES < 512 ? 512 - around : LEAST_BYTES;
    return left < RENDER_LINE_BYTES ? left : RENDER_LINE_BYTES;
}

/* Lines on their way to the host. The newest is held back, so that the last one
 * allowed can still be replaced by the note. */
struct writer {
    struct hr_parts *out;
    const char *target;
    size_t max, limit, count;
    char tags[TAGS_BYTES]; /* of the first line, with the space behind */
    char held[TAGS_BYTES + 64 + 2 * RENDER_LINE_BYTES];
    size_t held_len;
};

static void flush(struct writer *writer)
{
    if (writer->held_len) {
        writer->out->add(writer->out, writer->held, writer->held_len);
        writer->held_len = 0;
    }
}

static void write_part(struct writer *writer, const char *text, size_t len)
{
    static const char note[] = "The rest of this message is left out: it is too long for this channel.";
    if (writer->count > writer->limit) {
        return;
    }
    if (writer->count++ == writer->limit) {
        text = note;
        len = sizeof note - 1;
    } else {
        flush(writer);
    }
    writer->held_len = (size_t)snprintf(writer->held, sizeof writer->held, "%sPRIVMSG %s :%.*s", writer->tags,
                                        writer->target, (int)len, text);
    writer->tags[0] = '\0';
}

static void write_line(struct writer *writer, const char *text, size_t len)
{
    while (len) {
        size_t next = len;
        size_t piece = split_line(text, len, writer->max, &next);
        write_part(writer, text, piece);
        text += next;
        len -= next;
    }
}

/* Control characters cannot be said on IRC, and \1 would make a CTCP of it. */
static size_t clean_line(char *text, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c != 0x7f) {
            text[at++] = text[i];
        } else if (c == '\t') {
            text[at++] = ' ';
        }
    }
    while (at && text[at - 1] == ' ') {
        at--;
    }
    return at;
}

/* What stands before the text: "Correction: Ben on Matrix, replying to Asha: ". */
static void opening(const struct hr_delivery *delivery, char *out, size_t size)
{
    const char *correction = delivery->act == HR_ACT_EDIT ? "Correction: " : "";
    bool sensitive = delivery->msg_flags & HR_MSG_SENSITIVE;
    const char *note = sensitive ? "(Content note: its author marked this as sensitive.) " : "";
    const char *action = delivery->msg_flags & HR_MSG_EMOTE ? " (action)" : "";
    const char *reply = delivery->act == HR_ACT_SAY ? delivery->reply_name : "";
    if (*delivery->lead) {
        (void)snprintf(out, size, "%s%.160s%s%.120s%s: %s", correction, delivery->lead, *reply ? ", replying to " : "",
                       reply, action, note);
    } else {
        (void)snprintf(out, size, "%s%s", correction, note);
    }
}

/* Clients show what is answered; the name in front is for all others. */
static void answer_tags(struct writer *writer, const struct hr_delivery *delivery)
{
    char id[520];
    const char *remote = delivery->act == HR_ACT_SAY ? flights_msgid(delivery->reply_remote) : NULL;
    if (remote && tags_escape(id, sizeof id, remote)) {
        (void)snprintf(writer->tags, sizeof writer->tags, "@+draft/reply=%s;+reply=%s ", id, id);
    }
}

static void say(struct writer *writer, const struct hr_delivery *delivery)
{
    char start[512];
    answer_tags(writer, delivery);
    opening(delivery, start, sizeof start);
    size_t before = strlen(start), text = strlen(delivery->text);
    char *all = mem_new(before + text + 1);
    memcpy(all, start, before);
    memcpy(all + before, delivery->text, text);
    for (char *at = all; *at;) {
        size_t len = strcspn(at, "\r\n");
        char *next = at + len + (at[len] != '\0');
        write_line(writer, at, clean_line(at, len));
        at = next;
    }
    flush(writer);
    free(all);
}

int render_within(size_t max, const struct hr_delivery *delivery, struct hr_parts *out, char *err, size_t err_size)
{
    struct writer writer = {
        .out = out,
        .target = delivery->room->address,
        .max = max,
        .limit = *delivery->lead ? RELAYED_LINES : OWN_LINES,
    };
    if (strlen(writer.target) >= 64 || strpbrk(writer.target, " \r\n,") || !*writer.target) {
        (void)snprintf(err, err_size, "nothing can be sent to \"%.60s\" on IRC", writer.target);
        return HR_EINVAL;
    }
    if (delivery->act != HR_ACT_REMOVE) {
        say(&writer, delivery);
    } else if (delivery->age_ms < removal_said_ms && *delivery->lead) {
        char text[300];
        int len = snprintf(text, sizeof text, "A message from %.200s was removed.", delivery->lead);
        write_line(&writer, text, clean_line(text, (size_t)len));
        flush(&writer);
    }
    return 0;
}

int render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out, char *err,
           size_t err_size)
{
    const struct irc *irc = state;
    size_t nick = strlen(irc->nick), wanted = strlen(irc_option(irc, "nick"));
    size_t user = *irc->user ? strlen(irc->user) : 11, host = *irc->host ? strlen(irc->host) : 63;
    for (size_t i = 0; i < count; i++) {
        size_t max = render_room(nick > wanted ? nick : wanted, user, host, strlen(deliveries[i]->room->address));
        int status = render_within(max, deliveries[i], out, err, err_size);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}
