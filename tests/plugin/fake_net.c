/* SPDX-License-Identifier: MIT */
/* struct hr_network_api of the fake host, and the far side of it. */
#include "fake_inside.h"
#include <stdlib.h>
#include <string.h>

/* ---- what comes in --------------------------------------------------------------- */

static const struct hr_link *copy_links(struct fake_piece **memory, const struct hr_link *links, size_t count)
{
    struct hr_link *copy = fake_alloc(memory, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = (struct hr_link){fake_copy(memory, links[i].url), fake_copy(memory, links[i].title)};
    }
    return copy;
}

static void log_post(struct fake *fake, const struct hr_post *post, const struct hr_room *room,
                     struct fake_log_row *row)
{
    struct fake_piece **kept = &fake->kept;
    row->key = post->key ? fake_copy(kept, post->key) : NULL;
    row->revision = post->revision ? fake_copy(kept, post->revision) : NULL;
    row->message.room = room;
    row->message.author = (struct hr_person){
        .id = fake_copy(kept, post->author.id),
        .account = fake_copy(kept, post->author.account),
        .name = fake_copy(kept, post->author.name),
        .handle = fake_copy(kept, post->author.handle),
        .power = post->author.power,
    };
    row->message.text = fake_copy_bytes(kept, post->text, post->text_len);
    row->message.url = fake_copy(kept, post->url);
    row->message.links = copy_links(kept, post->links, post->link_count);
    row->message.link_count = post->link_count;
    row->message.time_ms = post->time_ms;
    row->message.flags = post->flags;
    row->message.chat = room ? room->chat : "";
}

static int net_post(struct hr_bot *bot, const struct hr_post *post, uint64_t *message)
{
    struct fake *fake = bot->fake;
    const struct hr_room *room = fake_room_find(fake, post->room);
    if (!room && !(post->flags & HR_MSG_PRIVATE)) {
        return HR_ENOTFOUND;
    }
    if (post->key && fake_log_remote(fake, post->key)) {
        return HR_EEXIST;
    }
    struct fake_log_row *row = fake_log_add(fake);
    log_post(fake, post, room, row);
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(fake, FAKE_POST, &memory);
    record->message = row->message.id;
    record->room = record->rooms[0] = room ? room->id : 0;
    record->room_count = room != NULL;
    record->address = fake_copy(memory, post->room);
    record->key = fake_copy(memory, post->key);
    record->revision = fake_copy(memory, post->revision);
    record->author_id = fake_copy(memory, post->author.id);
    record->account = fake_copy(memory, post->author.account);
    record->name = fake_copy(memory, post->author.name), record->handle = fake_copy(memory, post->author.handle);
    record->power = post->author.power;
    record->text = fake_copy_bytes(memory, post->text, post->text_len);
    record->len = post->text_len;
    record->url = fake_copy(memory, post->url);
    record->links = copy_links(memory, post->links, post->link_count), record->link_count = post->link_count;
    record->reply_to = fake_copy(memory, post->reply_to);
    record->reply_name = fake_copy(memory, post->reply_name);
    record->reply_text = fake_copy(memory, post->reply_text);
    record->media_url = fake_copy(memory, post->media_url);
    record->time_ms = post->time_ms, record->flags = post->flags;
    if (message) {
        *message = row->message.id;
    }
    return HR_OK;
}

static int net_edit(struct hr_bot *bot, const char *remote_id, const char *revision, const char *text, size_t text_len,
                    const char *author_id)
{
    struct fake *fake = bot->fake;
    struct fake_log_row *row = fake_log_remote(fake, remote_id);
    if (!row) {
        return HR_ENOTFOUND;
    }
    if (author_id && strcmp(author_id, row->message.author.id) != 0) {
        return HR_EDENIED;
    }
    row->message.text = fake_copy_bytes(&fake->kept, text, text_len);
    row->message.flags |= HR_MSG_EDITED;
    row->revision = revision ? fake_copy(&fake->kept, revision) : row->revision;
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(fake, FAKE_EDIT, &memory);
    record->message = row->message.id;
    record->key = fake_copy(memory, remote_id);
    record->revision = fake_copy(memory, revision);
    record->author_id = fake_copy(memory, author_id);
    record->text = fake_copy_bytes(memory, text, text_len);
    record->len = text_len;
    return HR_OK;
}

static int net_remove(struct hr_bot *bot, const char *remote_id)
{
    struct fake_log_row *row = fake_log_remote(bot->fake, remote_id);
    if (!row) {
        return HR_ENOTFOUND;
    }
    row->message.text = "";
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_REMOVE, &memory);
    record->message = row->message.id;
    record->key = fake_copy(memory, remote_id);
    return HR_OK;
}

/* ---- how the network stands ----------------------------------------------------------- */

static void net_sent(struct hr_bot *bot, uint64_t part, int status, const char *remote_id, int64_t retry_ms,
                     const char *reason)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_SENT, &memory);
    record->part = part;
    record->status = status;
    record->key = fake_copy(memory, remote_id);
    record->retry_ms = retry_ms;
    record->text = fake_copy(memory, reason);
}

static void set_up(struct fake *fake, const char *address, bool up)
{
    struct hr_room *room = fake_room_find(fake, address);
    if (room) {
        room->flags = up ? room->flags | HR_ROOM_UP : room->flags & ~(uint32_t)HR_ROOM_UP;
    }
}

static void net_up(struct hr_bot *bot, const char *room)
{
    struct fake_piece **memory;
    fake_record_add(bot->fake, FAKE_UP, &memory)->address = fake_copy(&bot->fake->kept, room);
    set_up(bot->fake, room, true);
}

static void net_down(struct hr_bot *bot, const char *room, const char *reason)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_DOWN, &memory);
    record->address = fake_copy(memory, room);
    record->text = fake_copy(memory, reason);
    record->len = strlen(record->text);
    set_up(bot->fake, room, false);
}

static void net_limits(struct hr_bot *bot, const struct hr_limits *limits)
{
    struct fake_piece **memory;
    fake_record_add(bot->fake, FAKE_LIMITS, &memory)->limits = *limits;
}

static void net_seal(struct hr_bot *bot, const char *room, bool sealed)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_SEAL, &memory);
    record->address = fake_copy(memory, room), record->number = sealed;
}

static void net_spend(struct hr_bot *bot, int tokens)
{
    struct fake_piece **memory;
    fake_record_add(bot->fake, FAKE_SPEND, &memory)->number = tokens;
}

static int net_rooms(struct hr_bot *bot, hr_room_fn *fn, void *arg)
{
    struct fake *fake = bot->fake;
    for (size_t i = 0; i < fake->room_count; i++) {
        if (strcmp(fake->rooms[i]->network, fake->instance) == 0) {
            int status = fn(arg, fake->rooms[i]);
            if (status < 0) {
                return status;
            }
        }
    }
    return HR_OK;
}

static bool net_allow_private(struct hr_bot *bot, const char *address)
{
    (void)address;
    return bot->fake->private_left-- > 0;
}

static void net_quit(struct hr_bot *bot)
{
    struct fake_piece **memory;
    (void)fake_record_add(bot->fake, FAKE_QUIT, &memory);
}

static bool net_account_known(struct hr_bot *bot, const char *account)
{
    for (size_t i = 0; account && i < bot->fake->account_count; i++) {
        if (strcmp(bot->fake->accounts[i], account) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- HTTP ------------------------------------------------------------------------------- */

static char *join_headers(struct fake_piece **memory, const char *const *headers)
{
    size_t len = 0;
    for (const char *const *h = headers; h && *h; h++) {
        len += strlen(*h) + 1;
    }
    char *joined = fake_alloc(memory, len + 1), *at = joined;
    for (const char *const *h = headers; h && *h; h++) {
        size_t part = strlen(*h);
        memcpy(at, *h, part);
        at[part] = '\n';
        at += part + 1;
    }
    return joined;
}

static int net_http(struct hr_bot *bot, const struct hr_http *http, hr_http_fn *fn, void *arg, struct hr_request **out)
{
    struct fake *fake = bot->fake;
    struct hr_request *request = calloc(1, sizeof *request);
    if (!request) {
        fake_die("out of memory");
    }
    const char *method = http->method ? http->method : "GET";
    request->fake = fake;
    request->line = fake_alloc(&fake->kept, strlen(method) + strlen(http->url) + 2);
    memcpy(request->line, method, strlen(method));
    request->line[strlen(method)] = ' ';
    memcpy(request->line + strlen(method) + 1, http->url, strlen(http->url));
    request->http = (struct hr_http){.size = sizeof *http, .data = http->data, .opened = http->opened};
    request->fn = fn;
    request->arg = arg;
    struct hr_request **end = &fake->requests;
    while (*end) {
        end = &(*end)->next;
    }
    *end = request;
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(fake, FAKE_HTTP, &memory);
    record->method = fake_copy(memory, method);
    record->url = fake_copy(memory, http->url);
    record->headers = join_headers(memory, http->headers);
    record->text = fake_copy_bytes(memory, http->body, http->body ? http->body_len : 0);
    record->len = http->body ? http->body_len : 0;
    record->request = request;
    if (out) {
        *out = request;
    }
    return HR_OK;
}

static void request_free(struct hr_request *request)
{
    for (struct hr_request **at = &request->fake->requests; *at; at = &(*at)->next) {
        if (*at == request) {
            *at = request->next;
            break;
        }
    }
    free(request);
}

static void net_http_cancel(struct hr_request *request)
{
    if (!request) {
        return;
    }
    struct fake_piece **memory;
    fake_record_add(request->fake, FAKE_HTTP_CANCEL, &memory)->url = fake_copy(&request->fake->kept, request->line);
    request_free(request);
}

struct hr_request *fake_request(struct fake *fake, const char *piece)
{
    for (struct hr_request *request = fake->requests; request; request = request->next) {
        if (strstr(request->line, piece)) {
            return request;
        }
    }
    return NULL;
}

void fake_reply_full(struct fake *fake, struct hr_request *request, const struct hr_reply *reply)
{
    if (!request) {
        fake_die("a reply to no request");
    }
    hr_http_fn *fn = request->fn;
    void *arg = request->arg;
    request_free(request);
    fake_enter(fake);
    fn(arg, reply);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
}

void fake_reply(struct fake *fake, struct hr_request *request, int code, const char *body)
{
    fake_reply_full(fake, request,
                    &(struct hr_reply){.status = HR_OK,
                                       .code = code,
                                       .body = body,
                                       .body_len = strlen(body),
                                       .retry_ms = -1,
                                       .headers = "",
                                       .error = "",
                                       .sent = true});
}

static bool is_waiting(const struct fake *fake, const struct hr_request *request)
{
    for (const struct hr_request *r = fake->requests; r; r = r->next) {
        if (r == request) {
            return true;
        }
    }
    return false;
}

int fake_reply_piece(struct fake *fake, struct hr_request *request, const char *bytes, size_t len)
{
    if (!request || !request->http.data) {
        fake_die("a piece for a request that isn't streamed");
    }
    fake_enter(fake);
    if (!request->opened && request->http.opened) {
        request->opened = true;
        request->http.opened(request->arg);
    }
    int status = is_waiting(fake, request) ? request->http.data(request->arg, bytes, len) : HR_OK;
    (void)fake_leave(fake, fake->entry_count, HR_OK);
    if (status < 0 && is_waiting(fake, request)) {
        request_free(request);
    }
    return status;
}

/* ---- streams ---------------------------------------------------------------------------- */

static int net_stream_open(struct hr_bot *bot, const struct hr_stream_target *target,
                           const struct hr_stream_calls *calls, void *arg, struct hr_stream **out)
{
    struct hr_stream *stream = fake_alloc(&bot->fake->kept, sizeof *stream);
    *stream = (struct hr_stream){.fake = bot->fake, .next = bot->fake->streams, .calls = *calls, .arg = arg};
    bot->fake->streams = stream;
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_STREAM_OPEN, &memory);
    record->url = fake_copy(memory, target->host);
    record->number = target->port;
    record->flags = target->plain;
    record->stream = stream;
    *out = stream;
    return HR_OK;
}

static int net_stream_write(struct hr_stream *stream, const void *bytes, size_t len)
{
    if (stream->closed) {
        fake_die("a write to a stream that is closed");
    }
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(stream->fake, FAKE_STREAM_WRITE, &memory);
    record->text = fake_copy_bytes(memory, bytes, len);
    record->len = len;
    record->stream = stream;
    return HR_OK;
}

static void net_stream_close(struct hr_stream *stream)
{
    if (!stream) {
        return;
    }
    if (stream->closed) {
        fake_die("a stream closed twice");
    }
    stream->closed = true;
    struct fake_piece **memory;
    fake_record_add(stream->fake, FAKE_STREAM_CLOSE, &memory)->stream = stream;
}

struct hr_stream *fake_stream(struct fake *fake)
{
    for (struct hr_stream *stream = fake->streams; stream; stream = stream->next) {
        if (!stream->closed) {
            return stream;
        }
    }
    return NULL;
}

void fake_stream_opened(struct fake *fake, struct hr_stream *stream, const char *how)
{
    fake_enter(fake);
    stream->calls.opened(stream->arg, how);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
}

void fake_stream_data(struct fake *fake, struct hr_stream *stream, const char *bytes, size_t len)
{
    if (stream->closed) {
        return; /* closed by the plugin: nothing more comes */
    }
    fake_enter(fake);
    stream->calls.data(stream->arg, bytes, len);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
}

void fake_stream_closed(struct fake *fake, struct hr_stream *stream, int status, const char *reason)
{
    if (stream->closed) {
        return;
    }
    stream->closed = true;
    fake_enter(fake);
    stream->calls.closed(stream->arg, status, reason);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
}

/* ---- terminal ---------------------------------------------------------------------------- */

static int net_terminal(struct hr_bot *bot, void (*line)(void *arg, const char *text), void *arg)
{
    if (bot->fake->line) {
        return HR_EEXIST;
    }
    bot->fake->line = line;
    bot->fake->line_arg = arg;
    return HR_OK;
}

static int net_terminal_write(struct hr_bot *bot, const char *text, size_t len)
{
    struct fake_piece **memory;
    struct fake_record *record = fake_record_add(bot->fake, FAKE_TERMINAL, &memory);
    record->text = fake_copy_bytes(memory, text, len);
    record->len = len;
    return HR_OK;
}

void fake_type(struct fake *fake, const char *line)
{
    if (!fake->line) {
        fake_die("nobody listens at the terminal");
    }
    fake_enter(fake);
    fake->line(fake->line_arg, line);
    (void)fake_leave(fake, fake->entry_count, HR_OK);
}

void fake_net_clear(struct fake *fake)
{
    while (fake->requests) {
        request_free(fake->requests);
    }
    for (struct hr_stream *stream = fake->streams; stream; stream = stream->next) {
        stream->closed = true;
    }
    fake->line = NULL;
}

void fake_fill_network(struct fake *fake)
{
    fake->net = (struct hr_network_api){
        .size = sizeof(struct hr_network_api),
        .post = net_post,
        .edit = net_edit,
        .remove = net_remove,
        .sent = net_sent,
        .up = net_up,
        .down = net_down,
        .limits = net_limits,
        .seal = net_seal,
        .spend = net_spend,
        .rooms = net_rooms,
        .allow_private = net_allow_private,
        .http = net_http,
        .http_cancel = net_http_cancel,
        .stream_open = net_stream_open,
        .stream_write = net_stream_write,
        .stream_close = net_stream_close,
        .terminal = net_terminal,
        .terminal_write = net_terminal_write,
        .quit = net_quit,
        .account_known = net_account_known,
    };
}
