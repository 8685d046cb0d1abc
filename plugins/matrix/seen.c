/* SPDX-License-Identifier: MIT */
/* The last messages read, by a hash of their ids. */
#include "seen.h"

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a; ids are hashes of the server's already */
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    }
    return hash;
}

void seen_add(const struct mx_room *room, const char *event_id, bool is_edit)
{
    struct matrix *mx = room->mx;
    mx->seen[mx->seen_count++ % MATRIX_MAX_SEEN] =
        (struct seen){.hash = hash_of(event_id), .room = room, .is_edit = is_edit};
}

void seen_forget(const struct mx_room *room)
{
    for (size_t i = 0; i < MATRIX_MAX_SEEN; i++) {
        if (room->mx->seen[i].room == room) {
            room->mx->seen[i] = (struct seen){0};
        }
    }
}

bool seen_may_change(const struct mx_room *room, const char *event_id, bool by_edit)
{
    const struct matrix *mx = room->mx;
    uint64_t hash = hash_of(event_id);
    for (size_t i = 0; i < MATRIX_MAX_SEEN; i++) {
        if (mx->seen[i].hash == hash) {
            return mx->seen[i].room == room && !(by_edit && mx->seen[i].is_edit);
        }
    }
    return true;
}
