/* SPDX-License-Identifier: MIT */
/* The people in our channels, by folded nick. */
#include "members.h"
#include "mem.h"

void members_init(struct members *members, const struct isupport *support)
{
    *members = (struct members){.support = support};
}

static void drop(struct members *members, struct member *member)
{
    HASH_DEL(members->all, member);
    free(member->key);
    free(member->seat);
    free(member);
}

void members_clear(struct members *members)
{
    struct member *member, *next;
    HASH_ITER(hh, members->all, member, next)
    {
        drop(members, member);
    }
}

struct member *members_find(const struct members *members, const char *nick)
{
    char key[WIRE_NAME_BYTES];
    struct member *found = NULL;
    name_fold(members->support, key, sizeof key, nick);
    HASH_FIND_STR(members->all, key, found);
    return found;
}

static struct seat *find_seat(const struct member *member, size_t channel)
{
    for (size_t i = 0; i < member->seats; i++) {
        if (member->seat[i].channel == channel) {
            return &member->seat[i];
        }
    }
    return NULL;
}

static struct member *add(struct members *members, const char *nick)
{
    if (HASH_COUNT(members->all) >= MEMBERS_MAX) {
        members->refused++;
        return NULL;
    }
    char key[WIRE_NAME_BYTES];
    name_fold(members->support, key, sizeof key, nick);
    struct member *member = mem_new(sizeof *member);
    member->key = mem_copy(key);
    HASH_ADD_KEYPTR(hh, members->all, member->key, strlen(member->key), member);
    return member;
}

struct member *members_join(struct members *members, size_t channel, const char *nick)
{
    struct member *member = members_find(members, nick);
    if (!member) {
        member = add(members, nick);
    }
    if (member && !find_seat(member, channel)) {
        member->seat = mem_check(realloc(member->seat, (member->seats + 1) * sizeof *member->seat));
        member->seat[member->seats++] = (struct seat){.channel = channel};
    }
    return member;
}

static void leave(struct members *members, struct member *member, size_t channel)
{
    struct seat *seat = find_seat(member, channel);
    if (seat) {
        *seat = member->seat[--member->seats];
    }
    if (!member->seats) {
        drop(members, member);
    }
}

void members_part(struct members *members, size_t channel, const char *nick)
{
    struct member *member = members_find(members, nick);
    if (member) {
        member->known = ACCOUNT_UNKNOWN;
        leave(members, member, channel);
    }
}

void members_quit(struct members *members, const char *nick)
{
    struct member *member = members_find(members, nick);
    if (member) {
        drop(members, member);
    }
}

void members_rename(struct members *members, const char *from, const char *to)
{
    struct member *member = members_find(members, from);
    if (!member) {
        return;
    }
    char key[WIRE_NAME_BYTES];
    name_fold(members->support, key, sizeof key, to);
    if (strcmp(key, member->key) != 0) {
        members_quit(members, to); /* the server would not allow it; the name has one owner here too */
        HASH_DEL(members->all, member);
        free(member->key);
        member->key = mem_copy(key);
        HASH_ADD_KEYPTR(hh, members->all, member->key, strlen(member->key), member);
    }
    member->known = ACCOUNT_UNKNOWN;
    member->account[0] = '\0';
}

void members_leave_channel(struct members *members, size_t channel)
{
    struct member *member, *next;
    HASH_ITER(hh, members->all, member, next)
    {
        leave(members, member, channel);
    }
}

void members_account(struct member *member, const char *account, int64_t now_ms)
{
    bool none = !*account || strcmp(account, "*") == 0 || strcmp(account, "0") == 0;
    member->known = none ? ACCOUNT_NONE : ACCOUNT_IS;
    member->known_ms = now_ms;
    (void)snprintf(member->account, sizeof member->account, "%s", none ? "" : account);
}

void members_mode(struct member *member, size_t channel, char mode, bool adding)
{
    struct seat *seat = find_seat(member, channel);
    if (!seat) {
        return;
    }
    char *at = strchr(seat->modes, mode);
    size_t len = strlen(seat->modes);
    if (adding && !at && len + 1 < sizeof seat->modes) {
        seat->modes[len] = mode;
    } else if (!adding && at) {
        *at = seat->modes[len - 1];
        seat->modes[len - 1] = '\0';
    }
}

const char *members_modes(const struct member *member, size_t channel)
{
    const struct seat *seat = member ? find_seat(member, channel) : NULL;
    return seat ? seat->modes : "";
}
