/* SPDX-License-Identifier: MIT */
/* Posts that wait for a moderator, under numbers that stay theirs until they are settled. */
#include "moderation.h"

#include <string.h>
#include <strings.h>

enum { QUEUE_MAX = 500, SHOWN = 6, PER_LINE = 3, NAME_BYTES = 32, TEXT_BYTES = 50 };

static const int64_t fresh_numbers_ms = 60 * 60 * 1000; /* an old !ok must not meet a new post */

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    *(int64_t *)arg = column[0].num;
    return 0;
}

int queue_length(struct moderation *m, const char *chat)
{
    int64_t length = 0;
    const struct hr_value args[] = {HR_V_STR(chat)};
    const int status =
        m->api->sql(m->bot, "SELECT count(*) FROM moderation_queue WHERE chat = ?1", args, 1, on_number, &length);
    return status < 0 ? status : (int)length;
}

int queue_add(struct moderation *m, const struct hr_message *message)
{
    const int length = queue_length(m, message->chat);
    if (length < 0 || length >= QUEUE_MAX) {
        return length < 0 ? length : HR_ELIMIT;
    }
    const int64_t now_ms = m->api->now_ms(m->bot);
    const struct hr_value args[] = {HR_V_STR(message->chat), HR_V_INT((int64_t)message->id), HR_V_INT(now_ms),
                                    HR_V_INT(length == 0 ? now_ms - fresh_numbers_ms : INT64_MIN)};
    static const char *const steps[] = {
        "INSERT INTO moderation_chat VALUES(?1, 'off', 1, 0) ON CONFLICT(chat) DO NOTHING",
        "UPDATE moderation_chat SET next = 1 WHERE chat = ?1 AND added_ms < ?4",
        "INSERT INTO moderation_queue SELECT chat, next, ?2 FROM moderation_chat WHERE chat = ?1",
        "UPDATE moderation_chat SET next = next + 1, added_ms = ?3 WHERE chat = ?1",
    };
    static const size_t used[] = {1, 4, 2, 3};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const int status = m->api->sql(m->bot, steps[i], args, used[i], NULL, NULL);
        if (status < 0) {
            return status;
        }
    }
    return 0;
}

int queue_drop_message(struct moderation *m, uint64_t message)
{
    const struct hr_value args[] = {HR_V_INT((int64_t)message)};
    return m->api->sql(m->bot, "DELETE FROM moderation_queue WHERE message = ?1", args, 1, NULL, NULL);
}

int64_t queue_message(struct moderation *m, const char *chat, int64_t number)
{
    int64_t message = 0;
    const struct hr_value args[] = {HR_V_STR(chat), HR_V_INT(number)};
    const int status = m->api->sql(m->bot, "SELECT message FROM moderation_queue WHERE chat = ?1 AND number = ?2", args,
                                   2, on_number, &message);
    return status < 0 ? status : message;
}

/* ---- !queue ------------------------------------------------------------------- */

struct listing {
    struct moderation *m;
    int64_t first;
    int count;
    const char *line[2];
};

/* The start of a text without its addresses: nobody has to hear, or can click, what was held. */
static const char *excerpt(struct moderation *m, const char *text, size_t max_bytes)
{
    const char *said = "";
    for (const char *at = text; *at != '\0' && strlen(said) <= max_bytes;) {
        const bool link = strncasecmp(at, "http://", 7) == 0 || strncasecmp(at, "https://", 8) == 0;
        size_t len = strcspn(at, " \n");
        said = link ? m->api->print(m->bot, "%s%s(link)", said, said[0] == '\0' ? "" : " ")
                    : m->api->print(m->bot, "%s%s%.*s", said, said[0] == '\0' ? "" : " ", (int)len, at);
        at += len;
        at += strspn(at, " \n");
    }
    const size_t len = fold_excerpt(said, max_bytes);
    return len == strlen(said) ? said : m->api->print(m->bot, "%.*s...", (int)len, said);
}

static int on_item(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct listing *listing = arg;
    struct moderation *m = listing->m;
    struct hr_message message;
    if (m->api->message(m->bot, (uint64_t)column[1].num, &message) < 0) {
        return 0;
    }
    const char *item = m->api->words(m->bot, "queue-item", "number", m->api->print(m->bot, "%d", (int)column[0].num),
                                     "name", excerpt(m, message.author.name, NAME_BYTES), "service",
                                     message.room == NULL ? "" : message.room->service, "text",
                                     excerpt(m, message.text, TEXT_BYTES), NULL);
    const char **line = &listing->line[listing->count / PER_LINE];
    *line = (*line)[0] == '\0' ? item : m->api->print(m->bot, "%s; %s", *line, item);
    listing->first = listing->count == 0 ? column[0].num : listing->first;
    listing->count++;
    return 0;
}

int run_queue(void *state, const struct hr_call *call)
{
    struct moderation *m = state;
    const int length = queue_length(m, call->chat->name);
    if (length <= 0) {
        return length < 0 ? length : m->api->answer(m->bot, call, m->api->words(m->bot, "queue-none", NULL));
    }
    struct listing listing = {.m = m, .line = {"", ""}};
    const struct hr_value args[] = {HR_V_STR(call->chat->name), HR_V_INT(SHOWN)};
    const int status =
        m->api->sql(m->bot, "SELECT number, message FROM moderation_queue WHERE chat = ?1 ORDER BY number LIMIT ?2",
                    args, 2, on_item, &listing);
    if (status < 0) {
        return status;
    }
    const char *count = length == 1
                            ? m->api->words(m->bot, "queue-count-one", NULL)
                            : m->api->words(m->bot, "queue-count-many", "n", m->api->print(m->bot, "%d", length), NULL);
    const char *first = m->api->print(m->bot, "%d", (int)listing.first);
    const char *list =
        m->api->print(m->bot, listing.line[1][0] == '\0' ? "%s" : "%s\n%s", listing.line[0], listing.line[1]);
    return m->api->answer(m->bot, call,
                          m->api->words(m->bot, "queue", "count", count, "first", first, "list", list, NULL));
}

/* ---- !ok, !no -------------------------------------------------------------------- */

struct settling {
    struct moderation *m;
    const struct hr_call *call;
    bool in; /* let in, else leave out */
    int done;
    int64_t messages[QUEUE_MAX];
    size_t count;
};

static int on_message(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct settling *s = arg;
    if (s->count < QUEUE_MAX) {
        s->messages[s->count++] = column[0].num;
    }
    return 0;
}

/* Out of the queue first: releasing tells the other plugins, hiding tells this one too. */
static int settle(struct settling *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const uint64_t message = (uint64_t)s->messages[i];
        int status = queue_drop_message(s->m, message);
        if (status >= 0) {
            status = s->in ? s->m->api->release(s->m->bot, message) : s->m->api->hide(s->m->bot, message);
        }
        if (status < 0 && status != HR_ENOTFOUND) {
            return status;
        }
        s->done += status >= 0;
    }
    s->m->api->log(s->m->bot, HR_INFO, "%s %s %d waiting posts of %s", s->call->message->author.name,
                   s->in ? "let in" : "left out", s->done, s->call->chat->name);
    return 0;
}

/* The numbers of the call into s->messages; false if one of them is not right, which was answered. */
static bool pick(struct settling *s)
{
    struct moderation *m = s->m;
    const struct hr_call *call = s->call;
    for (int i = 0; i < call->argc; i++) {
        const int64_t number = read_number(call->argv[i] + strspn(call->argv[i], "#,"));
        const int64_t message = number < 0 ? 0 : queue_message(m, call->chat->name, number);
        if (message <= 0) {
            const char *said = number < 0 ? m->api->words(m->bot, "which", "name", call->name, "first", "3", NULL)
                                          : m->api->words(m->bot, "no-number", "number",
                                                          m->api->print(m->bot, "%d", (int)number), NULL);
            (void)m->api->answer(m->bot, call, said);
            return false;
        }
        s->messages[s->count++] = message;
    }
    return true;
}

static int run_settle(struct moderation *m, const struct hr_call *call, bool in)
{
    struct settling s = {.m = m, .call = call, .in = in};
    if (call->argc == 0) {
        return m->api->answer(m->bot, call, m->api->words(m->bot, "which", "name", call->name, "first", "3", NULL));
    }
    const bool all = call->argc == 1 && strcasecmp(call->argv[0], "all") == 0;
    int status = 0;
    if (all) {
        const struct hr_value args[] = {HR_V_STR(call->chat->name)};
        status = m->api->sql(m->bot, "SELECT message FROM moderation_queue WHERE chat = ?1 ORDER BY number", args, 1,
                             on_message, &s);
    } else if (!pick(&s)) {
        return 0;
    }
    if (status >= 0) {
        status = settle(&s);
    }
    if (status < 0) {
        return status;
    }
    const char *done = m->api->print(m->bot, "%d", s.done);
    const char *said = s.count == 0  ? m->api->words(m->bot, "queue-none", NULL)
                       : s.count > 1 ? m->api->words(m->bot, in ? "ok-many" : "no-many", "n", done, NULL)
                       : all         ? m->api->words(m->bot, in ? "ok-all-one" : "no-all-one", NULL)
                                     : m->api->words(m->bot, in ? "ok-one" : "no-one", "number",
                                                     call->argv[0] + strspn(call->argv[0], "#,"), NULL);
    return m->api->answer(m->bot, call, said);
}

int run_ok(void *state, const struct hr_call *call)
{
    return run_settle(state, call, true);
}

int run_no(void *state, const struct hr_call *call)
{
    return run_settle(state, call, false);
}
