/* SPDX-License-Identifier: MIT */
/* Private rooms that have fallen quiet. */
#include "private.h"

#include "room.h"

enum { AT_ONCE = 5 }; /* leaving costs what a line costs */

static const int64_t HOUR_MS = 3600000, QUIET_MS = 30LL * 24 * 3600 * 1000;
static const char QUIET[] = "Nobody has written here for 30 days. You can invite me again at any time.";

static void on_hour(void *arg)
{
    struct matrix *mx = arg;
    int64_t now = mx->api->now_ms(mx->bot);
    int left = 0;
    mx->private_timer = NULL;
    for (size_t i = 0; mx->up && i < mx->room_count && left < AT_ONCE; i++) {
        struct mx_room *room = mx->room[i];
        if (room->private && room->joined && room->gone == NULL && now - room->active_ms >= QUIET_MS) {
            room_leave(room, QUIET);
            left++;
        }
    }
    private_start(mx);
}

void private_start(struct matrix *mx)
{
    (void)mx->api->timer_at(mx->bot, mx->api->now_ms(mx->bot) + HOUR_MS, on_hour, mx, &mx->private_timer);
}
