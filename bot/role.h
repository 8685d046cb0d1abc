/* SPDX-License-Identifier: MIT */
/*
 * Who may do what. A role is a named set of permissions; a person has a role by
 * account (configuration), by power level where a room says so, or for one
 * chat. A nick alone grants nothing. Default deny.
 */
#ifndef HASHROOM_ROLE_H
#define HASHROOM_ROLE_H
#include "app.h"

/* X(permission, roles that have it, who is named in a refusal). bot.* are grave. */
#define ROLE_PERMISSIONS(X)                                                  \
    X("chat.run",      "host guest admin",             "hosts")              \
    X("chat.plan",     "host guest planner admin",     "hosts")              \
    X("links.tidy",    "host guest moderator admin",   "hosts and moderators") \
    X("room.moderate", "host guest moderator admin",   "hosts and moderators") \
    X("room.hold",     "host guest moderator operator admin", "hosts, moderators and channel operators") \
    X("room.stop",     "host guest moderator operator admin", "hosts, moderators and channel operators") \
    X("chat.schedule", "planner admin",                "planners")           \
    X("bot.operate",   "admin",                        "administrators")

/* person: hr_message.author in hr_message.room. chat may be NULL or "". permission
 * NULL: everyone. "operator" is whoever has power 50 or more in a room of many. */
bool role_may(struct app *app, const struct hr_room *room, const struct hr_person *person, const char *chat,
              const char *permission);
/* Changes the operation itself: not for a message with HR_MSG_WEAK. */
bool role_is_grave(const char *permission);
/* role_may() for who said `message`, where it was said. */
bool role_may_say(struct app *app, const struct hr_message *message, const char *chat, const char *permission);
const char *role_who(const char *permission); /* "hosts": for T21; "" for an unknown one */
bool role_has(const char *permission, const char *role); /* does the table give it to this role? */
/* Names of the hosts of a chat to say aloud: "Asha or Ben"; "" if none are set. */
const char *role_hosts(struct app *app, struct arena *arena, const char *chat);
bool role_known(struct app *app, const char *network, const char *account); /* in any role? */
#endif
