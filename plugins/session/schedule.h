/* SPDX-License-Identifier: MIT */
/*
 * When the chat is. The one place that knows libical.
 *
 * A time is kept as it stands on the wall (local date and time) and the name of
 * its zone; instants are worked out when they are needed, so that a chat at 8pm
 * stays at 8pm when the clocks change.
 */
#ifndef SESSION_SCHEDULE_H
#define SESSION_SCHEDULE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct moment { /* on the wall */
    int year, month, day; /* month 1..12 */
    int hour, minute;
    int weekday; /* 0 is Sunday */
};

struct schedule {
    char rule[256]; /* RFC 5545: "FREQ=WEEKLY;BYDAY=TU" */
    char time[8];   /* "20:00" */
    char zone[64];  /* "Europe/London" */
    char first[16]; /* "2026-01-06": where rules that count start; or "" */
};

/* HR_EINVAL: which option is wrong and what to write, in words. */
int schedule_check(const struct schedule *schedule, const char **option, const char **what);
/* The first time the chat starts after an instant. HR_ENOTFOUND: the rule has ended. */
int schedule_next(const struct schedule *schedule, int64_t after_ms, struct moment *wall, int64_t *at_ms);
struct moment schedule_wall(const char *zone, int64_t at_ms);
/* A wall time the clocks jump over counts as the same time after the jump. */
int64_t schedule_instant(const char *zone, const struct moment *wall);
/* The first change of the clocks in [from, to). */
bool schedule_change(const char *zone, int64_t from_ms, int64_t to_ms, int64_t *at_ms);

#endif
