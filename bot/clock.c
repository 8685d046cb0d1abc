/* SPDX-License-Identifier: MIT */
/* The chat clock, which tests and rehearsals may set, and the two real ones. */
#include "clock.h"
#include <fcntl.h>
#include <hashroom/plugin.h>
#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256, DAY_MS = 24 * 60 * 60 * 1000 };

#define INSTANT_MAX_MS INT64_C(253402300799000) /* end of the year 9999 */
#define SPEED_MAX 1000000.0

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

static bool is_instant(int64_t ms)
{
    return ms >= 0 && ms <= INSTANT_MAX_MS;
}

static int read_file(const char *file, struct clock *out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return HR_EINVAL;
    }
    struct stat info;
    char line[LINE_MAX_BYTES];
    ssize_t len = fstat(fd, &info) == 0 ? read(fd, line, sizeof line - 1) : -1;
    (void)close(fd);
    if (len <= 0) {
        return HR_EINVAL;
    }
    line[len] = '\0';
    int64_t wall0 = 0, chat0 = 0;
    double speed = 0;
    if (sscanf(line, "%" SCNd64 " %" SCNd64 " %lf", &wall0, &chat0, &speed) != 3 || !is_instant(wall0) ||
        !is_instant(chat0) || !isfinite(speed) || speed < 0 || speed > SPEED_MAX) {
        return HR_EINVAL;
    }
    out->wall0_ms = wall0;
    out->chat0_ms = chat0;
    out->speed = speed;
    out->file_mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
    return HR_OK;
}

int clock_init(struct clock *clock, const char *file)
{
    int64_t now = clock_wall_ms();
    struct clock fresh = {.wall0_ms = now, .chat0_ms = now, .speed = 1, .file = file};
    if (file && read_file(file, &fresh) < 0) {
        return HR_EINVAL;
    }
    *clock = fresh;
    return HR_OK;
}

bool clock_reload(struct clock *clock)
{
    struct stat info;
    if (!clock->file || stat(clock->file, &info) != 0) {
        return false;
    }
    if ((int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec == clock->file_mtime_ns) {
        return false;
    }
    return read_file(clock->file, clock) == HR_OK; /* half written: read again at the next look */
}

void clock_set(struct clock *clock, int64_t chat_ms, double speed)
{
    clock->wall0_ms = clock_wall_ms();
    clock->chat0_ms = chat_ms;
    clock->speed = speed;
}

int64_t clock_chat_ms(const struct clock *clock)
{
    double passed = (double)(clock_wall_ms() - clock->wall0_ms) * clock->speed;
    return clock->chat0_ms + (int64_t)floor(passed);
}

int64_t clock_until_ms(const struct clock *clock, int64_t at_ms)
{
    int64_t now = clock_chat_ms(clock);
    if (at_ms <= now) {
        return 0;
    }
    if (clock->speed <= 0) {
        return DAY_MS; /* the clock stands still */
    }
    double real = ceil((double)(at_ms - now) / clock->speed);
    return real > DAY_MS ? DAY_MS : (int64_t)real;
}
