/* SPDX-License-Identifier: MIT */
/* Who is in a room, under which name, with which rights. */
#include "member.h"

#include "scan.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 256, MAX_POWER = 1000, MAX_FOUNDERS = 20, FOUNDER = 1000000 };

/* Where id is, or where it would go. */
static size_t place(const struct mx_room *room, const char *id, bool *found)
{
    size_t low = 0, high = room->member_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(room->member[middle].id, id);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void forget(struct mx_room *room, size_t index)
{
    free(room->member[index].id);
    free(room->member[index].name);
    memmove(room->member + index, room->member + index + 1, (--room->member_count - index) * sizeof(*room->member));
}

static void forget_oldest(struct mx_room *room)
{
    size_t oldest = 0;
    for (size_t i = 1; i < room->member_count; i++) {
        if (room->member[i].seen < room->member[oldest].seen) {
            oldest = i;
        }
    }
    forget(room, oldest);
}

void member_event(struct mx_room *room, const struct event *event)
{
    const char *membership = scan_text(event->content, "membership"), *name = scan_text(event->content, "displayname");
    bool found;
    if (membership == NULL || event->state_key[0] != '@') {
        return;
    }
    bool joined = strcmp(membership, "join") == 0;
    size_t index = place(room, event->state_key, &found);
    if (!found && room->member_count == MATRIX_MAX_MEMBERS) {
        forget_oldest(room);
        index = place(room, event->state_key, &found);
    }
    if (!found) {
        room->member = mem_grow(room->member, room->member_count, &room->member_cap, sizeof(*room->member));
        memmove(room->member + index + 1, room->member + index, (room->member_count++ - index) * sizeof(*room->member));
        room->member[index] = (struct member){.id = mem_dup(event->state_key), .name = mem_dup("")};
    }
    struct member *member = &room->member[index];
    member->joined = joined;
    member->seen = ++room->clock;
    if (joined || name != NULL) { /* who leaves keeps the name for what is still to be read */
        free(member->name);
        member->name = mem_copy(name != NULL ? name : "", name != NULL ? strnlen(name, MAX_NAME) : 0);
    }
}

const char *member_name(struct mx_room *room, const char *id)
{
    bool found;
    size_t index = place(room, id, &found);
    const struct hr_api *api = room->mx->api;
    if (!found || room->member[index].name[0] == '\0') {
        const char *colon = strchr(id, ':'); /* nobody but the person has the full id for a name */
        return colon != NULL ? api->print(room->mx->bot, "%.*s", (int)(colon - id - 1), id + 1) : id;
    }
    const struct member *member = &room->member[index];
    room->member[index].seen = ++room->clock;
    for (size_t i = 0; i < room->member_count; i++) {
        if (i != index && room->member[i].joined && strcmp(room->member[i].name, member->name) == 0) {
            return api->print(room->mx->bot, "%s (%s)", member->name, id + 1); /* without @: a name is no handle */
        }
    }
    return member->name;
}

bool member_is_known(const struct mx_room *room, const char *id)
{
    bool found;
    (void)place(room, id, &found);
    return found;
}

bool member_is_joined(const struct mx_room *room, const char *id)
{
    bool found;
    size_t index = place(room, id, &found);
    return found && room->member[index].joined;
}

/* ---- rights ------------------------------------------------------------------------- */

static void power_clear(struct power *power)
{
    for (size_t i = 0; i < power->count; i++) {
        free(power->id[i]);
    }
    free(power->id);
    free(power->level);
    power->id = NULL;
    power->level = NULL;
    power->count = power->cap = 0;
}

/* Old room versions also knew "50" in quotes. */
static int level_of(const json_t *value, int otherwise)
{
    json_int_t level = otherwise;
    if (json_is_integer(value)) {
        level = json_integer_value(value);
    } else if (json_is_string(value)) {
        level = strtoll(json_string_value(value), NULL, 10);
    }
    return level > FOUNDER - 1 ? FOUNDER - 1 : level < -FOUNDER ? -FOUNDER : (int)level;
}

void member_power_event(struct mx_room *room, const struct event *event)
{
    struct power *power = &room->power;
    const char *id;
    json_t *level;
    power_clear(power);
    power->known = true;
    power->preset = level_of(json_object_get(event->content, "users_default"), 0);
    const json_t *events = json_object_get(event->content, "events");
    int other = level_of(json_object_get(event->content, "events_default"), 0);
    power->say = level_of(json_object_get(events, "m.room.message"), other);
    power->say_sealed = level_of(json_object_get(events, "m.room.encrypted"), other);
    json_object_foreach(json_object_get(event->content, "users"), id, level)
    {
        size_t cap = power->cap;
        if (power->count == MAX_POWER) {
            break;
        }
        power->id = mem_grow(power->id, power->count, &power->cap, sizeof(*power->id));
        power->level = mem_grow(power->level, power->count, &cap, sizeof(*power->level));
        power->id[power->count] = mem_dup(id);
        power->level[power->count++] = level_of(level, 0);
    }
}

static bool founders_rule(const char *version)
{
    return version != NULL && strtol(version, NULL, 10) >= 12;
}

static void add_founder(struct power *power, const char *id)
{
    if (id != NULL && power->founder_count < MAX_FOUNDERS) {
        power->founder = reallocarray(power->founder, power->founder_count + 1, sizeof(*power->founder));
        if (power->founder == NULL) {
            abort();
        }
        power->founder[power->founder_count++] = mem_dup(id);
    }
}

static void founders_clear(struct power *power)
{
    for (size_t i = 0; i < power->founder_count; i++) {
        free(power->founder[i]);
    }
    free(power->founder);
    power->founder = NULL;
    power->founder_count = 0;
}

void member_create_event(struct mx_room *room, const struct event *event)
{
    struct power *power = &room->power;
    size_t i;
    const json_t *other;
    mem_set(&power->creator, event->sender);
    founders_clear(power);
    if (founders_rule(scan_text(event->content, "room_version"))) {
        add_founder(power, event->sender);
        json_array_foreach(json_object_get(event->content, "additional_creators"), i, other)
        {
            add_founder(power, json_string_value(other));
        }
    }
}

int member_power(const struct mx_room *room, const char *id)
{
    const struct power *power = &room->power;
    for (size_t i = 0; i < power->founder_count; i++) {
        if (strcmp(power->founder[i], id) == 0) {
            return FOUNDER;
        }
    }
    for (size_t i = 0; i < power->count; i++) {
        if (strcmp(power->id[i], id) == 0) {
            return power->level[i];
        }
    }
    return !power->known && power->creator != NULL && strcmp(power->creator, id) == 0 ? 100 : power->preset;
}

bool member_may_speak(const struct mx_room *room, int *has, int *needs)
{
    *has = member_power(room, room->mx->user);
    *needs = room->encrypted ? room->power.say_sealed : room->power.say;
    return *has >= *needs;
}

void member_clear(struct mx_room *room)
{
    while (room->member_count > 0) {
        forget(room, room->member_count - 1);
    }
    free(room->member);
    room->member = NULL;
    room->member_cap = 0;
    power_clear(&room->power);
    founders_clear(&room->power);
    free(room->power.creator);
    room->power = (struct power){0};
    room->whole = false;
}
