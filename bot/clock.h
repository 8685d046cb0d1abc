/* SPDX-License-Identifier: MIT */
/*
 * The three clocks of DESIGN 4.9.
 *
 * chat: schedule, session, expiry, calm rate. chat = chat0 + (wall - wall0) * speed.
 *       The file named by HASHROOM_CLOCK holds one line "wall0_ms chat0_ms speed";
 *       it is read at start and again when it changes, so a test's clock survives
 *       kill -9. Without it chat is the system's clock.
 * monotonic: budgets, retry, timeouts.   wall: the system's clock, for signatures.
 */
#ifndef HASHROOM_CLOCK_H
#define HASHROOM_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t wall0_ms, chat0_ms;
    double speed;
    const char *file; /* or NULL */
    int64_t file_mtime_ns;
};

int clock_init(struct clock *clock, const char *file); /* HR_EINVAL: unreadable file */
bool clock_reload(struct clock *clock);                /* true if it changed */
void clock_set(struct clock *clock, int64_t chat_ms, double speed); /* rehearsal */
int64_t clock_chat_ms(const struct clock *clock);
int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);
/* Real milliseconds until the chat clock shows at_ms (0 if past, capped at a day). */
int64_t clock_until_ms(const struct clock *clock, int64_t at_ms);
#endif
