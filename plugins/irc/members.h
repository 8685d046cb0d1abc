/* SPDX-License-Identifier: MIT */
/*
 * Who is in our channels: account at services, rights, bot or not. What is known
 * of an account is dropped at NICK, QUIT and PART (DESIGN 4.6).
 */
#ifndef IRC_MEMBERS_H
#define IRC_MEMBERS_H
#include "isupport.h"
#include <uthash.h>

enum { MEMBERS_MAX = 50000, MEMBER_MODES = 8 };

enum known { ACCOUNT_UNKNOWN, ACCOUNT_NONE, ACCOUNT_IS };

struct seat { /* somebody in one channel */
    size_t channel;
    char modes[MEMBER_MODES];
};

struct member {
    char *key; /* folded nick */
    char account[WIRE_NAME_BYTES];
    enum known known;
    int64_t known_ms;  /* network clock: when that was learned */
    bool bot;
    struct seat *seat; /* array */
    size_t seats;
    UT_hash_handle hh;
};

struct members {
    const struct isupport *support;
    struct member *all;
    uint64_t refused; /* beyond MEMBERS_MAX */
};

void members_init(struct members *members, const struct isupport *support);
void members_clear(struct members *members);
struct member *members_find(const struct members *members, const char *nick); /* or NULL */
/* Adds the person and the seat where missing; NULL beyond MEMBERS_MAX. */
struct member *members_join(struct members *members, size_t channel, const char *nick);
void members_part(struct members *members, size_t channel, const char *nick);
void members_quit(struct members *members, const char *nick);
void members_rename(struct members *members, const char *from, const char *to);
void members_leave_channel(struct members *members, size_t channel); /* we left: all its seats go */
/* account "" or "*" or "0": none. */
void members_account(struct member *member, const char *account, int64_t now_ms);
void members_mode(struct member *member, size_t channel, char mode, bool adding);
const char *members_modes(const struct member *member, size_t channel); /* "" if not there */
#endif
