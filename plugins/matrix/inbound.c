/* SPDX-License-Identifier: MIT */
/* What people say, edit and take back. */
#include "inbound.h"

#include "consent.h"
#include "html.h"
#include "media.h"
#include "member.h"
#include "room.h"
#include "scan.h"
#include "seen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_TEXT = 128 * 1024 };

/* ---- words ---------------------------------------------------------------------------- */

static bool is_name_of_a_file(const char *text, size_t len)
{
    size_t dot = len;
    while (dot > 0 && isalnum((unsigned char)text[dot - 1])) {
        dot--;
    }
    return dot > 1 && text[dot - 1] == '.' && len - dot >= 2 && len - dot <= 5 && memchr(text, ' ', len) == NULL;
}

/* R24: what is described is said; the name of a file describes nothing. */
static void describe(const json_t *content, const char *what, bool name_counts, struct mem_buf *out)
{
    const json_t *body = json_object_get(content, "body");
    const char *text = json_string_value(body), *file = scan_text(content, "filename");
    size_t len = json_string_length(body);
    bool said = text != NULL && len > 0 && (file == NULL || strcmp(file, text) != 0);
    if (file == NULL && said && !name_counts && is_name_of_a_file(text, len)) {
        said = false;
    }
    if (!said && name_counts && file != NULL) {
        text = file;
        len = strlen(file);
        said = len > 0;
    }
    mem_puts(out, "(");
    mem_puts(out, what);
    if (said) {
        mem_puts(out, ": ");
        mem_add(out, text, len);
        mem_puts(out, ")");
    } else {
        mem_puts(out, name_counts ? " with no name.)" : " with no description.)");
    }
}

/* Old clients repeat what they answer: lines that start with "> ", then an empty one. */
static size_t fallback_length(const char *text, size_t len)
{
    size_t at = 0;
    while (at + 1 < len && text[at] == '>' && (text[at + 1] == ' ' || text[at + 1] == '\n')) {
        const char *end = memchr(text + at, '\n', len - at);
        if (end == NULL) {
            return 0; /* nothing but quotes: then it is what was said */
        }
        at = (size_t)(end - text) + 1;
    }
    return at > 0 && at < len && text[at] == '\n' ? at + 1 : at;
}

static void plain(const json_t *content, bool is_reply, struct mem_buf *out)
{
    const json_t *body = json_object_get(content, "body"), *html = json_object_get(content, "formatted_body");
    const char *format = scan_text(content, "format"), *text = json_string_value(body);
    size_t len = json_string_length(body);
    if (json_is_string(html) && format != NULL && strcmp(format, "org.matrix.custom.html") == 0 &&
        html_text(json_string_value(html), json_string_length(html), out) == HR_OK && out->len > 0) {
        return;
    }
    mem_clear(out);
    size_t skip = is_reply && text != NULL ? fallback_length(text, len) : 0;
    if (text != NULL) {
        mem_add(out, text + skip, len - skip);
    }
}

bool inbound_text(const json_t *content, bool is_reply, struct mem_buf *out, uint32_t *flags)
{
    static const struct {
        const char *type, *what;
        bool name_counts;
    } media[] = {
        {"m.image", "Image", false},
        {"m.video", "Video", false},
        {"m.audio", "Audio", true},
        {"m.file", "File", true},
    };
    const char *type = scan_text(content, "msgtype");
    if (type == NULL || strncmp(type, "m.key.verification", 18) == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        if (strcmp(type, media[i].type) == 0) {
            describe(content, media[i].what, media[i].name_counts, out);
            return true;
        }
    }
    if (strcmp(type, "m.notice") == 0) {
        *flags |= HR_MSG_NOTICE | HR_MSG_BOT;
    } else if (strcmp(type, "m.emote") == 0) {
        *flags |= HR_MSG_EMOTE;
    }
    plain(content, is_reply, out);
    return out->len > 0;
}

/* ---- events ------------------------------------------------------------------------------ */

struct relation {
    const char *edits;    /* event that is replaced, or NULL */
    const char *reply_to; /* or NULL */
};

static struct relation relation_of(const json_t *content)
{
    const json_t *relates = json_object_get(content, "m.relates_to");
    const char *type = scan_text(relates, "rel_type"), *id = scan_text(relates, "event_id");
    const char *answered = scan_text(json_object_get(relates, "m.in_reply_to"), "event_id");
    struct relation relation = {.reply_to = answered};
    if (type != NULL && strcmp(type, "m.replace") == 0) {
        relation = (struct relation){.edits = id != NULL ? id : ""};
    } else if (type != NULL && strcmp(type, "m.thread") == 0 &&
               (answered == NULL || json_is_true(json_object_get(relates, "is_falling_back")))) {
        relation.reply_to = id; /* said in a thread: it answers what the thread is about */
    }
    return relation;
}

/* The key came from a device of the sender, whose identity is the one known. */
static bool is_proven(const struct e2ee_plain *proof)
{
    return proof != NULL && proof->direct && proof->trust != TRUST_CHANGED;
}

/* Who said it, as far as is proven. Without an account nobody has a role. */
static struct hr_person author_of(struct mx_room *room, const struct event *event, const struct e2ee_plain *proof,
                                  uint32_t *flags)
{
    struct hr_person author = {.id = event->sender,
                               .account = event->sender,
                               .name = member_name(room, event->sender),
                               .handle = "",
                               .power = member_power(room, event->sender)};
    bool proven = proof != NULL && proof->direct && proof->trust >= TRUST_SIGNED && proof->trust != TRUST_CHANGED;
    if (!proven) {
        *flags |= HR_MSG_WEAK;
    }
    if (room->encrypted && !is_proven(proof)) {
        author.account = "";
        author.power = 0;
    }
    return author;
}

static void edited(struct mx_room *room, const struct event *event, const char *target)
{
    struct matrix *mx = room->mx;
    const json_t *content = json_object_get(event->content, "m.new_content");
    struct mem_buf text = {.max = MAX_TEXT};
    uint32_t flags = 0;
    seen_add(room, event->id, true);
    /* The host compares the author. */
    if (target[0] == '$' && seen_may_change(room, target, true) && json_is_object(content) &&
        inbound_text(content, false, &text, &flags)) {
        if (media_is_by(mx, target, event->sender)) {
            media_edited(room, target, content); /* before: what goes out now shows the new picture */
        }
        int rc = mx->net->edit(mx->bot, target, event->id, mem_text(&text), text.len, event->sender);
        if (rc < 0 && rc != HR_ENOTFOUND && rc != HR_EEXIST) {
            mx->api->log(mx->bot, HR_INFO, "edit %s by %s left aside (status %d)", event->id, event->sender, rc);
        }
    }
    mem_clear(&text);
}

static void redacted(struct mx_room *room, const struct event *event)
{
    const char *target = scan_text(event->content, "redacts"); /* where room version 11 puts it */
    target = target != NULL ? target : event->redacts;
    if (target[0] == '$' && seen_may_change(room, target, false)) {
        media_removed(room->mx, target);
        (void)room->mx->net->remove(room->mx->bot, target);
    }
}

/* Servers count in wall time, the host in the time of its chats: the age carries over. */
static int64_t age_ms(const struct matrix *mx, const struct event *event)
{
    int64_t age = event->age_ms >= 0 ? event->age_ms : mx->api->wall_ms(mx->bot) - event->time_ms;
    return age < 0 || event->time_ms <= 0 ? 0 : age;
}

/* Someone of another network, whom a bridge brought here: what they say is carried on, but they prove nothing. */
static bool is_ghost(const struct matrix *mx, const char *user_id)
{
    static const char *const networks[] = {"irc_",      "discord_",  "telegram_",  "slack_",   "signal_",
                                           "whatsapp_", "xmpp_",     "gitter_",    "twitter_", "facebook_",
                                           "zulip_",    "mastodon_", "mattermost_"};
    const char *name = user_id + (*user_id == '@');
    bool ghost = *name == '_' && strchr(name + 1, '_') != NULL; /* an application service's own part of the names */
    for (size_t i = 0; !ghost && i < sizeof(networks) / sizeof(networks[0]); i++) {
        size_t len = strlen(networks[i]);
        ghost = strncasecmp(name, networks[i], len) == 0 && name[len] != ':';
    }
    return ghost && !mx->net->account_known(mx->bot, user_id);
}

static void said(struct mx_room *room, const struct event *event, struct relation relation, uint32_t flags,
                 const struct e2ee_plain *proof)
{
    struct matrix *mx = room->mx;
    struct mem_buf text = {.max = MAX_TEXT};
    int64_t age = age_ms(mx, event);
    struct hr_person author = author_of(room, event, proof, &flags);
    if (!inbound_text(event->content, relation.reply_to != NULL, &text, &flags)) {
        mem_clear(&text);
        return;
    }
    flags |= is_ghost(mx, event->sender) ? (uint32_t)HR_MSG_BOT : 0;
    struct hr_post post = {
        .size = sizeof(post),
        .room = room->address,
        .key = event->id,
        .author = author,
        .text = mem_text(&text),
        .text_len = text.len,
        .reply_to = relation.reply_to,
        .time_ms = mx->api->now_ms(mx->bot) - age,
        .flags = flags | (room->private ? HR_MSG_PRIVATE : 0) | (age > MATRIX_LATE_MS ? HR_MSG_HISTORY : 0),
    };
    uint64_t message = 0;
    struct media_item item;
    bool has_media = media_offered(room, event, flags, proof, &item, &post.media_url);
    post.flags |= has_media ? (uint32_t)HR_MSG_MEDIA : 0;
    media_person(room, event);
    room->active_ms = room->active_ms > post.time_ms ? room->active_ms : post.time_ms; /* saved when all is read */
    seen_add(room, event->id, false);
    int rc = mx->net->post(mx->bot, &post, &message);
    if (rc < 0 && rc != HR_EEXIST) {
        mx->api->log(mx->bot, HR_WARN, "message %s in %s not taken (status %d)", event->id, room->address, rc);
    } else if (room->private && room->up) {
        mx->net->up(mx->bot, room->address); /* the host may know the room only now */
    }
    if (has_media && rc == HR_OK) {
        media_keep(mx, event->id, &item);
    }
    attachment_clear(&item.key);
    mem_clear(&text);
}

static bool is_verification(const struct event *event)
{
    const char *type = strcmp(event->type, "m.room.message") == 0 ? scan_text(event->content, "msgtype") : event->type;
    return type != NULL && strncmp(type, "m.key.verification.", 19) == 0;
}

static void message(struct mx_room *room, const struct event *event, uint32_t flags, const struct e2ee_plain *proof)
{
    struct relation relation = relation_of(event->content);
    if (relation.edits == NULL) {
        said(room, event, relation, flags, proof);
    } else if (!room->encrypted || is_proven(proof)) { /* else somebody else could put words into a mouth */
        edited(room, event, relation.edits);
    }
}

/* Somebody whose commands counted, and do not for now: said once for each identity. */
static void tell_changed(struct mx_room *room, const struct event *event)
{
    struct matrix *mx = room->mx;
    const char *shown = e2ee_identity(mx, event->sender);
    if (shown != NULL && mx->net->account_known(mx->bot, event->sender)) {
        room_say(room, mx->api->words(mx->bot, "M08", "name", member_name(room, event->sender), NULL),
                 mx->api->print(mx->bot, "changed:%s:%s", event->sender, shown));
    }
}

/* A device its owner has not signed is read all the same, and named once. */
static void warn_unsigned(struct mx_room *room, const struct e2ee_plain *plain)
{
    struct matrix *mx = room->mx;
    uint64_t hash = 0xCBF29CE484222325u;
    const char *const texts[] = {plain->event.sender, " ", plain->device};
    for (size_t i = 0; i < 3; i++) {
        for (const unsigned char *p = (const unsigned char *)texts[i]; *p != '\0'; p++) {
            hash = (hash ^ *p) * 0x100000001B3u;
        }
    }
    for (size_t i = 0; i < MATRIX_MAX_WARNED; i++) {
        if (mx->unsigned_device[i] == hash) {
            return;
        }
    }
    mx->unsigned_device[mx->unsigned_count++ % MATRIX_MAX_WARNED] = hash;
    mx->api->log(mx->bot, HR_WARN,
                 "%s writes in %s from device %s, which its owner has not verified; with strict = yes "
                 "it would not be read",
                 plain->event.sender, room->address, plain->device);
}

void inbound_plain(struct mx_room *room, const struct e2ee_plain *plain, uint32_t flags)
{
    if (strcmp(plain->event.sender, room->mx->user) == 0) {
        consent_echo(room, &plain->event);
    } else if (is_verification(&plain->event)) {
        e2ee_verification(room, &plain->event);
    } else if (strcmp(plain->event.type, "m.room.message") == 0) {
        if (plain->trust == TRUST_CHANGED) {
            tell_changed(room, &plain->event);
        } else if (plain->trust == TRUST_NONE && plain->device[0] != '\0') {
            warn_unsigned(room, plain);
        }
        message(room, &plain->event, flags, plain);
    }
}

static void encrypted(struct mx_room *room, const struct event *event, uint32_t flags)
{
    struct e2ee_plain plain;
    bool own = strcmp(event->sender, room->mx->user) == 0;
    if ((!own || room->pin_notice) && e2ee_decrypt(room, event, flags, &plain) == HR_OK) {
        inbound_plain(room, &plain, flags);
        event_clear(&plain.event);
    }
}

void inbound_event(struct mx_room *room, const struct event *event, uint32_t flags)
{
    if (event->is_state || event->id[0] != '$') {
        return;
    }
    if (strcmp(event->type, "m.room.encrypted") == 0) {
        encrypted(room, event, flags);
    } else if (strcmp(event->sender, room->mx->user) == 0) {
        return;
    } else if (is_verification(event)) {
        e2ee_verification(room, event);
    } else if (strcmp(event->type, "m.room.redaction") == 0) {
        redacted(room, event);
    } else if (strcmp(event->type, "m.room.message") == 0) {
        if (room->encrypted && !room->told_plain) {
            room->told_plain = true;
            room->mx->api->log(room->mx->bot, HR_WARN, "%s wrote in plain text in %s, which is encrypted",
                               event->sender, room->address);
        }
        message(room, event, flags, NULL);
    }
}
