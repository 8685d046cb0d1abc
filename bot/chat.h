/* SPDX-License-Identifier: MIT */
/* The host's small record of each chat (live session, open question, quiet until), kept in the database. */
#ifndef HASHROOM_CHAT_H
#define HASHROOM_CHAT_H
#include "app.h"

struct chat {
    struct hr_chat hr;
    const struct config_chat *config;
};

struct chats *chats_new(struct app *app); /* reads the configuration and the stored records */
void chats_free(struct chats *chats);
struct chat *chats_find(struct chats *chats, const char *name); /* or NULL */
int chats_set(struct chats *chats, const struct hr_chat *record); /* stores, then tells EV_CHAT */
struct chat *chats_each(struct chats *chats, struct chat *after); /* NULL: first */
struct chat *chats_only(struct chats *chats); /* the one chat, or the one that is live; NULL if that is unclear */
#endif
