/* SPDX-License-Identifier: MIT */
/* Rooms and routes in memory; their rows in the database. */
#include "room.h"
#include "chat.h"
#include "config.h"
#include "log.h"
#include "network.h"
#include "plugins.h"
#include "instance.h"
#include "turn.h"
#include "xalloc.h"

enum { PRIVATE_MAX = 200 }; /* on each network */

struct rooms {
    struct app *app;
    struct room *first, **last;
    struct route *routes, **last_route;
};

struct rooms *rooms_new(struct app *app)
{
    struct rooms *rooms = xcalloc(1, sizeof(*rooms));
    rooms->app = app;
    rooms->last = &rooms->first;
    rooms->last_route = &rooms->routes;
    return rooms;
}

static void room_free(struct room *room)
{
    free((char *)room->hr.network);
    free((char *)room->hr.address);
    free(room->down_reason);
    free(room);
}

void rooms_free(struct rooms *rooms)
{
    if (rooms == NULL) {
        return;
    }
    while (rooms->first != NULL) {
        struct room *next = rooms->first->next;
        room_free(rooms->first);
        rooms->first = next;
    }
    while (rooms->routes != NULL) {
        struct route *next = rooms->routes->next;
        free(rooms->routes);
        rooms->routes = next;
    }
    free(rooms);
}

static uint64_t row_id(struct rooms *rooms, const char *network, const char *address, bool is_private)
{
    struct store *store = rooms->app->store;
    turn_write(rooms->app->turn);
    sqlite3_stmt *stmt = store_sql(store, "INSERT INTO room(network, address, private) VALUES(?1, ?2, ?3)"
                                          " ON CONFLICT(network, address) DO UPDATE SET private = ?3 RETURNING id");
    sqlite3_bind_text(stmt, 1, network, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, address, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, is_private);
    BUG_IF(!store_row(store, stmt));
    uint64_t id = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return id;
}

static void append(struct rooms *rooms, struct room *room)
{
    room->next = NULL;
    *rooms->last = room;
    rooms->last = &room->next;
}

static struct room *add(struct rooms *rooms, const char *network, const char *address, uint32_t flags)
{
    struct room *room = xcalloc(1, sizeof(*room));
    room->hr.network = xstrdup(network);
    room->hr.address = xstrdup(address);
    room->hr.service = "";
    room->hr.chat = "";
    room->hr.flags = flags;
    room->hr.id = row_id(rooms, network, address, (flags & HR_ROOM_PRIVATE) != 0);
    append(rooms, room);
    return room;
}

static void bind_service(struct rooms *rooms, struct room *room)
{
    const struct hr_plugin *plugin = NULL;
    if (config_network(rooms->app->config, room->hr.network, &plugin) != NULL && plugin->network != NULL) {
        room->hr.service = plugin->network->service;
        room->hr.flags |= plugin->network->room_flags;
    }
}

static bool is_irc_pair(const struct room *a, const struct room *b)
{
    return strcmp(a->hr.service, "IRC") == 0 && strcmp(b->hr.service, "IRC") == 0;
}

static void add_route(struct rooms *rooms, struct room *from, struct room *to, bool live_only)
{
    struct route *route = xcalloc(1, sizeof(*route));
    *route = (struct route){.from = from, .to = to, .live_only = live_only};
    *rooms->last_route = route;
    rooms->last_route = &route->next;
}

static void mesh(struct rooms *rooms, const struct config_chat *config, struct room **room)
{
    for (size_t i = 0; i < config->room_count; i++) {
        for (size_t j = 0; j < config->room_count; j++) {
            if (i == j || !(room[j]->hr.flags & HR_ROOM_PEOPLE)) {
                continue;
            }
            if (!config->irc_to_irc && is_irc_pair(room[i], room[j])) {
                continue;
            }
            add_route(rooms, room[i], room[j], false);
        }
    }
}

void rooms_configure(struct rooms *rooms)
{
    const struct config *config = rooms->app->config;
    for (size_t c = 0; c < config->chat_count; c++) {
        const struct config_chat *chat = &config->chat[c];
        struct room **made = xcalloc(chat->room_count, sizeof(struct room *));
        for (size_t i = 0; i < chat->room_count; i++) {
            const struct config_room *from = &chat->room[i];
            struct room *room = add(rooms, from->network, from->address, from->full ? HR_ROOM_FULL : 0);
            room->config = from;
            room->chat = chats_find(rooms->app->chats, chat->name);
            room->hr.chat = chat->name;
            bind_service(rooms, room);
            made[i] = room;
        }
        for (size_t r = 0; r < chat->route_count; r++) {
            for (size_t t = 0; t < chat->route[r].to_count; t++) {
                add_route(rooms, made[chat->route[r].from], made[chat->route[r].to[t]], chat->route[r].live_only);
            }
        }
        if (chat->route_count == 0) {
            mesh(rooms, chat, made);
        }
        free(made);
    }
}

struct room *rooms_get(struct rooms *rooms, uint64_t id)
{
    for (struct room *room = rooms->first; room != NULL; room = room->next) {
        if (room->hr.id == id) {
            return room;
        }
    }
    return NULL;
}

struct room *rooms_find(struct rooms *rooms, const char *network, const char *address)
{
    for (struct room *room = rooms->first; room != NULL; room = room->next) {
        if (strcmp(room->hr.network, network) == 0 && strcmp(room->hr.address, address) == 0) {
            return room;
        }
    }
    return NULL;
}

struct room *rooms_next(struct rooms *rooms, const struct room *after)
{
    return after == NULL ? rooms->first : after->next;
}

struct moved { /* a private room made or forgotten in a callback that may yet be undone */
    struct rooms *rooms;
    struct room *room;
};

static void moved_at_the_end(struct rooms *rooms, struct room *room, turn_effect_fn *kept, turn_effect_fn *undone)
{
    struct moved *moved = xcalloc(1, sizeof(*moved));
    *moved = (struct moved){.rooms = rooms, .room = room};
    turn_effect(rooms->app->turn, kept, undone, moved);
}

static void take_out(struct rooms *rooms, struct room *room)
{
    struct room **at = &rooms->first;
    while (*at != room) {
        BUG_IF(*at == NULL);
        at = &(*at)->next;
    }
    *at = room->next; /* its own stays: somebody may be walking the list */
    if (rooms->last == &room->next) {
        rooms->last = at;
    }
}

static void made_undone(void *arg)
{
    struct moved *made = arg;
    take_out(made->rooms, made->room);
    room_free(made->room);
    free(made);
}

static void forgotten_kept(void *arg)
{
    struct moved *forgotten = arg;
    room_free(forgotten->room);
    free(forgotten);
}

static void forgotten_undone(void *arg)
{
    struct moved *forgotten = arg;
    append(forgotten->rooms, forgotten->room);
    free(forgotten);
}

static bool is_idle(const struct room *room)
{
    bool idle = room->lane.piece == NULL;
    for (int p = 0; idle && p < LANE_PRIORITIES; p++) {
        idle = room->lane.head[p] == NULL;
    }
    return idle;
}

/* How many there are on this network; *idle: the one for which nothing waited longest since it was made, or NULL. */
static int count_private(struct rooms *rooms, const char *network, struct room **idle)
{
    int count = 0;
    *idle = NULL;
    for (struct room *room = rooms->first; room != NULL; room = room->next) {
        if ((room->hr.flags & HR_ROOM_PRIVATE) && strcmp(room->hr.network, network) == 0) {
            count++;
            *idle = *idle == NULL && is_idle(room) ? room : *idle;
        }
    }
    return count;
}

bool rooms_may_be_private(struct rooms *rooms, const struct network *network, const char *address)
{
    const struct room *known = rooms_find(rooms, network->name, address);
    struct room *idle;
    return (known != NULL && (known->hr.flags & HR_ROOM_PRIVATE)) ||
           count_private(rooms, network->name, &idle) < PRIVATE_MAX || idle != NULL;
}

struct room *rooms_private(struct rooms *rooms, const char *network, const char *address)
{
    struct room *room = rooms_find(rooms, network, address);
    if (room != NULL) {
        return room;
    }
    struct room *idle;
    if (count_private(rooms, network, &idle) >= PRIVATE_MAX && idle != NULL) {
        take_out(rooms, idle); /* its row stays: it comes back under the same id */
        moved_at_the_end(rooms, idle, forgotten_kept, forgotten_undone);
    }
    room = add(rooms, network, address, HR_ROOM_PRIVATE | HR_ROOM_FULL);
    bind_service(rooms, room);
    room->hr.flags |= HR_ROOM_PRIVATE | HR_ROOM_PEOPLE;
    room->up = true;
    room->hr.flags |= HR_ROOM_UP;
    moved_at_the_end(rooms, room, free, made_undone);
    for (struct hr_bot *bot = plugins_each(rooms->app->plugins, NULL); bot != NULL;
         bot = plugins_each(rooms->app->plugins, bot)) {
        if (bot->network != NULL && strcmp(bot->network->name, network) == 0) {
            room->network = bot->network;
        }
    }
    return room;
}

int rooms_each(struct rooms *rooms, bool (*want)(const struct room *room, const void *key), const void *key,
               hr_room_fn *fn, void *arg)
{
    for (struct room *room = rooms->first; room != NULL; room = room->next) {
        if (want == NULL || want(room, key)) {
            int rc = fn(arg, &room->hr);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return HR_OK;
}

int rooms_routes(struct rooms *rooms, struct room *from, hr_room_fn *fn, void *arg)
{
    for (struct route *route = rooms->routes; route != NULL; route = route->next) {
        if (((from->hr.flags | route->to->hr.flags) & HR_ROOM_SEALED) != 0) {
            continue;
        }
        if (route->from != from || (route->live_only && (from->chat == NULL || from->chat->hr.session == 0))) {
            continue;
        }
        int rc = fn(arg, &route->to->hr);
        if (rc < 0) {
            return rc;
        }
    }
    return HR_OK;
}
