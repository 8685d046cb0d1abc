/* SPDX-License-Identifier: MIT */
/* The log: the one way in for what somebody said. */
#include "message.h"
#include "chat.h"
#include "command.h"
#include "config.h"
#include "event.h"
#include "instance.h"
#include "log.h"
#include "message_row.h"
#include "network.h"
#include "outbox.h"
#include "room.h"
#include "turn.h"
#include "utf8.h"
#include "xalloc.h"

enum { TEXT_MAX_BYTES = 32768, ID_MAX_BYTES = 512, EXCERPT_MAX_BYTES = 80 };

struct messages *messages_new(struct app *app)
{
    struct messages *messages = xcalloc(1, sizeof(*messages));
    messages->app = app;
    buf_init(&messages->clean, TEXT_MAX_BYTES + 1);
    return messages;
}

void messages_free(struct messages *messages)
{
    if (messages != NULL) {
        buf_clear(&messages->clean);
        free(messages);
    }
}

/* Foreign text through the door, into the arena of the callback. */
static const char *clean(struct messages *messages, const char *text, size_t len, unsigned flags)
{
    buf_reset(&messages->clean);
    (void)utf8_clean(&messages->clean, text, len, TEXT_MAX_BYTES, flags);
    return arena_strndup(&messages->app->arena, buf_str(&messages->clean), messages->clean.len);
}

static const char *clean_line(struct messages *messages, const char *text)
{
    return text == NULL ? "" : clean(messages, text, strnlen(text, TEXT_MAX_BYTES), UTF8_LINE);
}

static const char *clean_name(struct messages *messages, const char *name)
{
    buf_reset(&messages->clean);
    (void)utf8_name(&messages->clean, name == NULL ? "" : name, name == NULL ? 0 : strnlen(name, TEXT_MAX_BYTES));
    return arena_strndup(&messages->app->arena, buf_str(&messages->clean), messages->clean.len);
}

static bool id_is_sound(const char *id)
{
    return id == NULL || (id[0] != '\0' && strnlen(id, ID_MAX_BYTES + 1) <= ID_MAX_BYTES);
}

/* Ids are compared and stored, never shown: a foreign byte that is not text ends the post. */
static bool post_is_sound(const struct hr_post *post)
{
    return post->room != NULL && post->text != NULL && post->author.id != NULL && id_is_sound(post->key) &&
           id_is_sound(post->revision) && id_is_sound(post->author.id) &&
           (post->key == NULL || utf8_valid(post->key, strlen(post->key))) &&
           (post->revision == NULL || utf8_valid(post->revision, strlen(post->revision)));
}

static const struct hr_link *clean_links(struct messages *messages, const struct hr_post *post, size_t *count)
{
    enum { LINKS_MAX = 20 };
    size_t n = post->link_count < LINKS_MAX ? post->link_count : LINKS_MAX;
    struct hr_link *links = arena_alloc(&messages->app->arena, (n + 1) * sizeof(*links));
    for (size_t i = 0; i < n; i++) {
        links[i].url = clean_line(messages, post->links[i].url);
        links[i].title = clean_line(messages, post->links[i].title);
    }
    *count = n;
    return links;
}

static void answer_of(struct messages *messages, const struct hr_bot *from, const struct hr_post *post,
                      struct hr_message *message)
{
    message->reply_name = clean_name(messages, post->reply_name != NULL ? post->reply_name : "");
    if (post->reply_name == NULL) {
        message->reply_name = "";
    }
    message->reply_text = clean_line(messages, post->reply_text);
    if (post->reply_to == NULL || !id_is_sound(post->reply_to)) {
        return;
    }
    message->reply_to = messages_by_remote(messages, from->network->scope, post->reply_to);
    struct hr_message parent;
    if (message->reply_to != 0 && messages_read(messages, &messages->app->arena, message->reply_to, &parent) == HR_OK) {
        message->reply_name = parent.author.name;
        message->reply_text = arena_strndup(&messages->app->arena, parent.text,
                                            utf8_prefix(parent.text, strcspn(parent.text, "\n"), EXCERPT_MAX_BYTES));
    }
}

/* Roles hang on it: an account that cleaning would make another one proves nothing. */
static const char *account_of(struct messages *messages, const char *account)
{
    const char *cleaned = clean_line(messages, account);
    return account != NULL && strcmp(cleaned, account) == 0 ? cleaned : "";
}

static void fill(struct messages *messages, const struct hr_bot *from, struct room *room, const struct hr_post *post,
                 struct hr_message *message)
{
    *message = (struct hr_message){
        .size = sizeof(*message),
        .room = &room->hr,
        .author = {.id = clean_line(messages, post->author.id),
                   .account = account_of(messages, post->author.account),
                   .name = clean_name(messages, post->author.name),
                   .handle = clean_line(messages, post->author.handle),
                   .power = post->author.power},
        .text = clean(messages, post->text, post->text_len, 0),
        .url = clean_line(messages, post->url),
        .time_ms = post->time_ms,
        .logged_ms = clock_chat_ms(&messages->app->clock),
        .chat = room->hr.chat,
        .flags = post->flags & ~(uint32_t)(HR_MSG_OWN | HR_MSG_COMMAND | HR_MSG_EDITED),
        .media_url = clean_line(messages, post->flags & HR_MSG_MEDIA ? post->media_url : NULL),
    };
    message->links = clean_links(messages, post, &message->link_count);
    if (room->chat != NULL) {
        message->session = room->chat->hr.session;
        message->question = room->chat->hr.question;
    }
    answer_of(messages, from, post, message);
}

static bool reads_as_command(struct messages *messages, const struct hr_message *message, struct command_line *line)
{
    const struct config *config = messages->app->config;
    return !(message->flags & (HR_MSG_NOTICE | HR_MSG_BOT | HR_MSG_EMOTE)) &&
           (message->room->flags & HR_ROOM_PEOPLE) != 0 &&
           command_parse(&messages->app->arena, config->prefix, config->name, message->text,
                         (message->flags & HR_MSG_PRIVATE) != 0, line);
}

static void tell(struct messages *messages, enum hr_event_kind kind, const struct hr_message *message)
{
    struct chat *chat = message->chat[0] != '\0' ? chats_find(messages->app->chats, message->chat) : NULL;
    const struct hr_message *before = messages->told;
    messages->told = message;
    event_tell(messages->app, &(struct hr_event){.size = sizeof(struct hr_event),
                                                 .kind = kind,
                                                 .message = message,
                                                 .chat = chat != NULL ? &chat->hr : NULL});
    messages->told = before;
}

static void go_on(struct messages *messages, const struct hr_message *message)
{
    enum hr_verdict verdict = event_judge(messages->app, message);
    if (verdict == HR_PASS) {
        tell(messages, HR_EV_MESSAGE, message);
    } else {
        message_row_state(messages, message->id, verdict == HR_HOLD ? "held" : "hidden");
    }
}

static int post_again(struct messages *messages, struct hr_bot *from, const struct hr_post *post)
{
    if (post->revision == NULL || strcmp(post->revision, post->key) == 0) {
        return HR_EEXIST;
    }
    int rc = messages_edit(messages, from, post->key, post->revision, post->text, post->text_len, post->author.id);
    return rc == HR_OK ? HR_EEXIST : rc;
}

int messages_post(struct messages *messages, struct hr_bot *from, const struct hr_post *post, uint64_t *id)
{
    if (from->network == NULL || !post_is_sound(post)) {
        return HR_EINVAL;
    }
    turn_write(messages->app->turn); /* what has arrived is settled first: an own post that comes back is known */
    const char *network = from->network->name;
    struct room *room = rooms_find(messages->app->rooms, network, post->room);
    if (room == NULL && (post->flags & HR_MSG_PRIVATE)) {
        room = rooms_private(messages->app->rooms, network, post->room);
    }
    if (room == NULL) {
        return HR_ENOTFOUND;
    }
    if (post->key != NULL && messages_by_remote(messages, from->network->scope, post->key) != 0) {
        return post_again(messages, from, post);
    }
    struct hr_message message;
    fill(messages, from, room, post, &message);
    if (room->hr.flags & HR_ROOM_PRIVATE) {
        message.flags |= HR_MSG_PRIVATE;
    }
    struct command_line line;
    bool command = reads_as_command(messages, &message, &line);
    message.flags |= command ? (uint32_t)HR_MSG_COMMAND : 0;
    if (!command && (room->hr.flags & HR_ROOM_SEALED)) { /* nobody agreed that it leaves the room, or is kept */
        message.flags |= HR_MSG_PRIVATE;
    }
    /* The host's own numbers are no ids of the service: none of those may be taken for one. */
    message.id = message_row_insert(messages, post->key != NULL ? from->network->scope : "local", post->key, &message);
    if (post->key != NULL && post->revision != NULL && strcmp(post->revision, post->key) != 0) {
        messages_revision(messages, from->network->scope, post->revision, message.id);
    }
    if (id != NULL) {
        *id = message.id;
    }
    if (command) { /* one from history is too late to run, and still nothing to show others */
        if (!(message.flags & HR_MSG_HISTORY)) {
            commands_run(messages->app->commands, &message, &line);
        }
    } else if (!(message.flags & HR_MSG_PRIVATE)) {
        go_on(messages, &message);
    }
    return HR_OK;
}

int messages_edit(struct messages *messages, struct hr_bot *from, const char *remote_id, const char *revision,
                  const char *text, size_t text_len, const char *author_id)
{
    const char *scope = from->network->scope;
    uint64_t id = messages_by_remote(messages, scope, remote_id);
    struct hr_message message;
    if (id == 0 || messages_read(messages, &messages->app->arena, id, &message) != HR_OK) {
        return HR_ENOTFOUND;
    }
    if (author_id != NULL && strcmp(author_id, message.author.id) != 0) {
        return HR_EDENIED;
    }
    if (revision != NULL && messages_by_remote(messages, scope, revision) != 0) {
        return HR_EEXIST;
    }
    const char *state = message_row_get_state(messages, id);
    if (strcmp(state, "removed") == 0 || strcmp(state, "hidden") == 0 || (message.flags & HR_MSG_OWN)) {
        return HR_EDENIED;
    }
    if (revision != NULL && id_is_sound(revision)) {
        messages_revision(messages, scope, revision, id);
    }
    const char *fresh = clean(messages, text, text_len, 0);
    if (strcmp(fresh, message.text) == 0) {
        return HR_OK;
    }
    struct command_line line;
    struct hr_message after = message;
    after.text = fresh;
    if (message.room != NULL && reads_as_command(messages, &after, &line)) {
        return HR_OK; /* neither run nor carried on: the other rooms keep the words they have */
    }
    message.text = fresh;
    message.flags |= HR_MSG_EDITED;
    message_row_text(messages, id, fresh, message.flags);
    if (strcmp(state, "live") == 0 && !(message.flags & (HR_MSG_COMMAND | HR_MSG_PRIVATE))) {
        outbox_changed(messages->app->outbox, id, HR_ACT_EDIT, false);
        tell(messages, HR_EV_EDIT, &message);
    }
    return HR_OK;
}

static int take_away(struct messages *messages, uint64_t id, const char *state)
{
    struct hr_message message;
    if (messages_read(messages, &messages->app->arena, id, &message) != HR_OK) {
        return HR_ENOTFOUND;
    }
    const char *was = message_row_get_state(messages, id);
    if (strcmp(was, "removed") == 0 || strcmp(was, state) == 0) {
        return HR_OK;
    }
    message_row_state(messages, id, state);
    message_row_text(messages, id, "", message.flags); /* what must outlive it was derived when it came in */
    if (strcmp(was, "live") == 0) {
        message.text = "";
        outbox_changed(messages->app->outbox, id, HR_ACT_REMOVE, strcmp(state, "hidden") == 0);
    }
    message.text = "";
    tell(messages, HR_EV_REMOVE, &message);
    return HR_OK;
}

int messages_remove(struct messages *messages, struct hr_bot *from, const char *remote_id)
{
    uint64_t id = messages_by_remote(messages, from->network->scope, remote_id);
    return id == 0 ? HR_ENOTFOUND : take_away(messages, id, "removed");
}

int messages_hide(struct messages *messages, uint64_t id)
{
    return take_away(messages, id, "hidden");
}

int messages_release(struct messages *messages, uint64_t id)
{
    struct hr_message message;
    if (messages_read(messages, &messages->app->arena, id, &message) != HR_OK ||
        strcmp(message_row_get_state(messages, id), "held") != 0) {
        return HR_ENOTFOUND;
    }
    message_row_state(messages, id, "live");
    tell(messages, HR_EV_MESSAGE, &message);
    return HR_OK;
}

uint64_t messages_own(struct messages *messages, struct hr_bot *from, const struct hr_say *say, const char *chat)
{
    struct chat *record = chat[0] != '\0' ? chats_find(messages->app->chats, chat) : NULL;
    struct hr_message message = {
        .size = sizeof(message),
        .author = {.id = "hashroom", .account = "", .name = messages->app->config->name, .handle = ""},
        .text = say->text,
        .url = "",
        .reply_name = "",
        .reply_text = "",
        .time_ms = clock_chat_ms(&messages->app->clock),
        .logged_ms = clock_chat_ms(&messages->app->clock),
        .chat = chat,
        .session = record != NULL ? record->hr.session : 0,
        .question = record != NULL ? record->hr.question : 0,
        .flags = HR_MSG_OWN,
        .media_url = "",
    };
    const char *key = say->key == NULL ? NULL
                                       : arena_printf(&messages->app->arena, "%s:%s",
                                                      from == NULL ? "host" : from->plugin->name, say->key);
    return message_row_insert(messages, "own", key, &message);
}
