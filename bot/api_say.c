/* SPDX-License-Identifier: MIT */
/* Saying, relaying and answering for plugins. */
#include "api_say.h"
#include "command.h"
#include "instance.h"
#include "message.h"
#include "outbox.h"
#include "role.h"
#include "room.h"
#include "turn.h"

int api_say(struct hr_bot *bot, const uint64_t *rooms, size_t count, const struct hr_say *say, uint64_t *message)
{
    if (say->text == NULL || say->text[0] == '\0' || count == 0) {
        return HR_EINVAL;
    }
    struct room *first = NULL;
    for (size_t i = 0; i < count; i++) {
        struct room *room = rooms_get(bot->app->rooms, rooms[i]);
        if (room == NULL) {
            return HR_ENOTFOUND;
        }
        first = first == NULL ? room : first;
    }
    turn_enter(bot->app->turn);
    uint64_t id = messages_own(bot->app->messages, bot, say, first->hr.chat);
    int rc = id == 0 ? HR_EEXIST : HR_OK;
    for (size_t i = 0; rc == HR_OK && i < count; i++) {
        rc = outbox_say(bot->app->outbox, id, 0, rooms_get(bot->app->rooms, rooms[i]), say);
    }
    turn_leave(bot->app->turn, rc == HR_OK);
    if (rc == HR_OK && message != NULL) {
        *message = id;
    }
    return rc;
}

int api_relay(struct hr_bot *bot, uint64_t message, uint64_t room_id, const struct hr_say *say)
{
    struct room *room = rooms_get(bot->app->rooms, room_id);
    uint64_t reply_to;
    uint32_t flags;
    if (room == NULL || messages_read_flags(bot->app->messages, message, &flags, &reply_to) != HR_OK) {
        return HR_ENOTFOUND;
    }
    if (flags & (HR_MSG_COMMAND | HR_MSG_PRIVATE)) {
        return HR_EDENIED;
    }
    struct hr_say way = *say;
    way.flags |= flags & HR_MSG_MEDIA ? (uint32_t)HR_SAY_ALONE : 0;
    return outbox_say(bot->app->outbox, message, reply_to, room, &way);
}

int api_answer(struct hr_bot *bot, const struct hr_call *call, const char *text)
{
    return command_answer(bot->app, call->room, text);
}

bool api_may(struct hr_bot *bot, const struct hr_call *call, const char *permission)
{
    return role_may_say(bot->app, call->message, call->chat == NULL ? NULL : call->chat->name, permission);
}
