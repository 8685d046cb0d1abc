/* SPDX-License-Identifier: MIT */
/* !hide: takes a message away from every room it was brought to. */
#include "moderation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LOOK_BACK = 500 };

struct looking {
    struct moderation *m;
    const char *wanted; /* folded */
    int best;           /* see fold_match() */
    uint64_t message;
    const char *name;
};

static int on_message(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct looking *look = arg;
    char *name = fold(column[1].str), *handle = fold(column[2].str);
    int match = name == NULL ? 0 : fold_match(name, look->wanted);
    if (handle != NULL && fold_match(handle, look->wanted) == 2) {
        match = 2;
    }
    if (match > look->best) { /* newest first: an equal one is older */
        look->best = match;
        look->message = (uint64_t)column[0].num;
        look->name = look->m->api->print(look->m->bot, "%s", column[1].str);
    }
    free(name);
    free(handle);
    return 0;
}

static int look_for(struct looking *look, const char *chat)
{
    const struct hr_value args[] = {HR_V_STR(chat), HR_V_INT(LOOK_BACK), HR_V_INT(HR_MSG_OWN)};
    return look->m->api->sql(
        look->m->bot,
        "SELECT m.id, m.name, m.handle FROM core_pub_message m WHERE m.chat = ?1 AND m.state = 'live'"
        " AND (m.flags & ?3) = 0 AND EXISTS(SELECT 1 FROM core_pub_said s WHERE s.message = m.id"
        " AND s.act = 0 AND s.state IN ('waiting', 'claimed', 'delivered', 'unknown'))"
        " ORDER BY m.id DESC LIMIT ?2",
        args, 3, on_message, look);
}

static int take_away(struct moderation *m, const struct hr_call *call, uint64_t message, const char *name)
{
    const int status = m->api->hide(m->bot, message);
    if (status < 0) {
        return status;
    }
    m->api->log(m->bot, HR_INFO, "%s took away message %llu of %s in %s", call->message->author.name,
                (unsigned long long)message, name, call->chat->name);
    return m->api->answer(m->bot, call, m->api->words(m->bot, "hidden", "name", name, NULL));
}

static int hide_last(struct moderation *m, const struct hr_call *call, const char *name)
{
    name += strspn(name, " @");
    char *wanted = fold(name);
    struct looking look = {.m = m, .wanted = wanted == NULL ? "" : wanted};
    const int status = look.wanted[0] == '\0' ? 0 : look_for(&look, call->chat->name);
    free(wanted);
    if (status < 0) {
        return status;
    }
    if (look.message == 0) {
        const size_t len = fold_excerpt(name, 40);
        const char *said = m->api->print(m->bot, "%.*s", (int)len, name);
        return m->api->answer(m->bot, call, m->api->words(m->bot, "hide-none", "name", said, NULL));
    }
    return take_away(m, call, look.message, look.name);
}

/* `!hide` in answer to the message itself. */
static int hide_parent(struct moderation *m, const struct hr_call *call)
{
    struct hr_message parent;
    const uint64_t id = call->message->reply_to;
    if (m->api->message(m->bot, id, &parent) < 0 || (parent.flags & HR_MSG_OWN) ||
        strcmp(parent.chat, call->chat->name) != 0) {
        return m->api->answer(m->bot, call, m->api->words(m->bot, "hide-reply", NULL));
    }
    return take_away(m, call, id, m->api->print(m->bot, "%s", parent.author.name));
}

int run_hide(void *state, const struct hr_call *call)
{
    struct moderation *m = state;
    if (call->argc == 0 && call->message->reply_to != 0) {
        return hide_parent(m, call);
    }
    if (call->argc >= 2 && strcasecmp(call->argv[0], "last") == 0) {
        return hide_last(m, call, call->rest + strcspn(call->rest, " "));
    }
    if (call->argc == 1 && read_number(call->argv[0]) >= 0) {
        return run_no(state, call);
    }
    return m->api->answer(m->bot, call, m->api->words(m->bot, "hide-what", NULL));
}
