/* SPDX-License-Identifier: MIT */
/* An administrator compares emoji by encrypted private message. */
#include "verify_chat.h"

#include "../room.h"
#include "verify_sas.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *words(struct matrix *mx, const char *id, const char *user)
{
    return user != NULL ? mx->api->words(mx->bot, id, "user", user, NULL) : mx->api->words(mx->bot, id, NULL);
}

static int answer(struct matrix *mx, const struct hr_call *call, const char *id, const char *user)
{
    return mx->api->answer(mx->bot, call, words(mx, id, user));
}

/* May it be answered by `admin`? */
static bool is_theirs(const struct verification *verification, const char *admin)
{
    const char *user = verification->user;
    return verification->step == VERIFY_SHOWN && strcmp(user, admin) != 0 && strcmp(user, verification->mx->user) != 0;
}

static struct verification *oldest(struct matrix *mx, const char *admin)
{
    struct verification *found = NULL, *at = NULL;
    while ((at = verify_next(mx, at)) != NULL) {
        found = is_theirs(at, admin) ? at : found; /* the list begins with the newest */
    }
    return found;
}

/* The one they were shown last: another one may have come since, and must not get the answer. */
static struct verification *seen(struct matrix *mx, const char *admin)
{
    struct verification *at = NULL;
    while ((at = verify_next(mx, at)) != NULL) {
        if (is_theirs(at, admin) && at->shown_to != NULL && strcmp(at->shown_to, admin) == 0) {
            return at;
        }
    }
    return NULL;
}

static int show(struct matrix *mx, const struct hr_call *call, const char *admin)
{
    struct verification *verification = oldest(mx, admin), *before = seen(mx, admin);
    char names[256] = "";
    size_t len = 0;
    if (before != NULL) {
        mem_set(&before->shown_to, NULL);
    }
    if (verification == NULL) {
        return answer(mx, call, "M11", mx->user);
    }
    mem_set(&verification->shown_to, admin);
    const struct sas_code *code = &verification->code;
    for (size_t i = 0; i < SAS_EMOJI && len < sizeof(names); i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
                                sas_emoji(code->emoji[i])->name);
    }
    const char *numbers = mx->api->print(mx->bot, "%u, %u, %u", code->decimal[0], code->decimal[1], code->decimal[2]);
    return mx->api->answer(
        mx->bot, call,
        mx->api->words(mx->bot, "M12", "user", verification->user, "emoji", names, "numbers", numbers, NULL));
}

/* What was answered is told before it is done: the host takes both back together. */
static int decide(struct matrix *mx, const struct hr_call *call, const char *admin, bool same)
{
    struct verification *verification = seen(mx, admin);
    if (verification == NULL) {
        return oldest(mx, admin) != NULL ? answer(mx, call, "M13", NULL) : answer(mx, call, "M11", mx->user);
    }
    int rc = answer(mx, call, same ? "M14" : "M15", verification->user);
    if (rc == HR_OK) {
        mx->api->log(mx->bot, HR_INFO, "%s says that %s %s", admin, verification->user,
                     same ? "sees the same emoji" : "sees other emoji: not verified");
        verify_sas_answer(verification, same);
    }
    return rc;
}

int verify_chat_command(void *state, const struct hr_call *call)
{
    struct matrix *mx = state;
    const struct mx_room *room =
        strcmp(call->room->network, mx->name) == 0 ? room_by_address(mx, call->room->address) : NULL;
    const char *admin = call->message->author.account;
    bool yes = call->argc == 1 && strcasecmp(call->argv[0], "yes") == 0;
    bool no = call->argc == 1 && strcasecmp(call->argv[0], "no") == 0;
    if (!call->in_private || room == NULL || !room->encrypted || (call->message->flags & HR_MSG_WEAK)) {
        return answer(mx, call, "M09", NULL);
    }
    if (!people_is_verified(mx, admin)) {
        return answer(mx, call, "M10", NULL);
    }
    if (call->argc > 0 && !yes && !no) {
        return answer(mx, call, "M16", NULL);
    }
    return yes || no ? decide(mx, call, admin, yes) : show(mx, call, admin);
}
