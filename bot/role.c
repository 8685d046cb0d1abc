/* SPDX-License-Identifier: MIT */
/* Who may do what: roles by account or power level, each a set of permissions. */
#include "role.h"
#include "config.h"
#include "room.h"
#include <strings.h>

enum { OPERATOR_POWER = 50, MAX_NAMES = 5 };

static const struct permission {
    const char *name, *roles, *who;
} permissions[] = {
#define X(name, roles, who) {name, roles, who},
    ROLE_PERMISSIONS(X)
#undef X
};

static const struct permission *find(const char *name)
{
    for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
        if (strcmp(permissions[i].name, name) == 0) {
            return &permissions[i];
        }
    }
    return NULL;
}

static bool has(const struct permission *permission, const char *role)
{
    const size_t len = strlen(role);
    for (const char *at = permission->roles; *at != 0;) {
        const size_t n = strcspn(at, " ");
        if (n == len && memcmp(at, role, n) == 0) {
            return true;
        }
        at += n + strspn(at + n, " ");
    }
    return false;
}

static bool listed(char *const *list, const char *text)
{
    for (; list != NULL && *list != NULL; list++) {
        if (strcmp(*list, text) == 0) {
            return true;
        }
    }
    return false;
}

/* "libera/asha". IRC services don't tell accounts apart by case; Matrix user ids are exact. */
static bool is_account(const char *entry, const char *network, const char *account, bool any_case)
{
    const size_t n = strlen(network);
    if (strncmp(entry, network, n) != 0 || entry[n] != '/') {
        return false;
    }
    return (any_case ? strcasecmp(entry + n + 1, account) : strcmp(entry + n + 1, account)) == 0;
}

static bool names_account(const struct config_role *role, const char *network, const char *account, bool any_case)
{
    for (char *const *entry = role->accounts; entry != NULL && *entry != NULL; entry++) {
        if (is_account(*entry, network, account, any_case)) {
            return true;
        }
    }
    return false;
}

static bool covers(const struct config_role *role, const char *chat)
{
    return role->chats == NULL || role->chats[0] == NULL || (chat != NULL && listed(role->chats, chat));
}

static bool by_power(struct app *app, const struct hr_room *room, int power, const struct permission *permission)
{
    if (room->flags & HR_ROOM_PRIVATE) {
        return false;
    }
    if (power >= OPERATOR_POWER && has(permission, "operator")) {
        return true;
    }
    const struct room *own = rooms_get(app->rooms, room->id);
    return own != NULL && own->config != NULL && own->config->power_host > 0 && power >= own->config->power_host &&
           has(permission, "host");
}

bool role_may(struct app *app, const struct hr_room *room, const struct hr_person *person, const char *chat,
              const char *permission)
{
    if (permission == NULL) {
        return true;
    }
    const struct permission *wanted = find(permission);
    if (wanted == NULL || room == NULL || !(room->flags & (HR_ROOM_PEOPLE | HR_ROOM_PRIVATE))) {
        return false;
    }
    if (by_power(app, room, person->power, wanted)) {
        return true;
    }
    const bool any_case = strcmp(room->service, "IRC") == 0;
    for (size_t i = 0; person->account[0] != 0 && i < app->config->role_count; i++) {
        const struct config_role *role = &app->config->role[i];
        if (has(wanted, role->name) && covers(role, chat) &&
            names_account(role, room->network, person->account, any_case)) {
            return true;
        }
    }
    return false;
}

bool role_is_grave(const char *permission)
{
    return permission != NULL && strncmp(permission, "bot.", 4) == 0;
}

bool role_may_say(struct app *app, const struct hr_message *message, const char *chat, const char *permission)
{
    if ((message->flags & HR_MSG_WEAK) && role_is_grave(permission)) {
        return false;
    }
    return role_may(app, message->room, &message->author, chat, permission);
}

const char *role_who(const char *permission)
{
    const struct permission *found = find(permission);
    return found == NULL ? "" : found->who;
}

bool role_has(const char *permission, const char *role)
{
    const struct permission *found = find(permission);
    return found != NULL && has(found, role);
}

const char *role_hosts(struct app *app, struct arena *arena, const char *chat)
{
    const char *names[MAX_NAMES];
    size_t count = 0;
    for (size_t i = 0; i < app->config->role_count; i++) {
        const struct config_role *role = &app->config->role[i];
        if (strcmp(role->name, "host") != 0 || !covers(role, chat)) {
            continue;
        }
        for (char *const *name = role->names; name != NULL && *name != NULL && count < MAX_NAMES; name++) {
            bool known = false;
            for (size_t k = 0; k < count; k++) {
                known |= strcmp(names[k], *name) == 0;
            }
            if (!known) {
                names[count++] = *name;
            }
        }
    }
    const char *said = count > 0 ? names[0] : "";
    for (size_t i = 1; i < count; i++) {
        said = arena_printf(arena, "%s%s%s", said, i + 1 == count ? " or " : ", ", names[i]);
    }
    return said;
}

bool role_known(struct app *app, const char *network, const char *account)
{
    for (size_t i = 0; i < app->config->role_count; i++) {
        if (names_account(&app->config->role[i], network, account, true)) {
            return true;
        }
    }
    return false;
}
