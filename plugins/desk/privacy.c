/* SPDX-License-Identifier: MIT */
/* Where what is said in a room is shown, counted by service. */
#include "privacy.h"

#include <string.h>

enum { MOST_SERVICES = 8 };

struct counted {
    const char *service[MOST_SERVICES];
    int rooms[MOST_SERVICES], count;
};

static int on_room(void *arg, const struct hr_room *room)
{
    struct counted *counted = arg;
    for (int i = 0; i < counted->count; i++) {
        if (strcmp(counted->service[i], room->service) == 0) {
            counted->rooms[i]++;
            return HR_OK;
        }
    }
    if (counted->count < MOST_SERVICES) {
        counted->service[counted->count] = room->service;
        counted->rooms[counted->count++] = 1;
    }
    return HR_OK;
}

/* "1 room on IRC, 2 rooms on Matrix and 1 room on Twitter" */
static const char *list(struct hr_bot *bot, const struct hr_api *api, const struct counted *counted)
{
    const char *text = "";
    for (int i = 0; i < counted->count; i++) {
        const char *before = i == 0 ? "" : i == counted->count - 1 ? " and " : ", ";
        text = api->print(bot, "%s%s%d %s on %s", text, before, counted->rooms[i],
                          counted->rooms[i] == 1 ? "room" : "rooms", counted->service[i]);
    }
    return text;
}

const char *privacy_words(struct hr_bot *bot, const struct hr_api *api, const struct hr_call *call)
{
    struct counted counted = {.count = 0};
    if (call->in_private) {
        return api->words(bot, "privacy-private", NULL);
    }
    if (call->room->flags & HR_ROOM_SEALED) {
        return api->words(bot, "privacy-sealed", NULL);
    }
    (void)api->routes(bot, call->room->id, on_room, &counted);
    const char *where = counted.count == 0
                            ? api->words(bot, "privacy-alone", NULL)
                            : api->words(bot, "privacy-carried", "rooms", list(bot, api, &counted), NULL);
    const char *encrypted = counted.count > 0 && (call->room->flags & HR_ROOM_ENCRYPTED) != 0
                                ? api->words(bot, "privacy-encrypted", NULL)
                                : "";
    return api->print(bot, "%s%s%s %s", where, encrypted[0] != '\0' ? " " : "", encrypted,
                      api->words(bot, "privacy-kept", NULL));
}
