/* SPDX-License-Identifier: MIT */
/* Warns before the disk is full. */
#include "disk.h"
#include "config.h"
#include "log.h"
#include "xalloc.h"
#include <inttypes.h>
#include <sys/statvfs.h>

enum { EVERY_MS = 60 * 1000 };
#define LOW_BYTES (64ULL << 20)

struct disk {
    uv_timer_t timer;
    const char *dir;
    bool low;
};

void disk_look(struct disk *disk, uint64_t free_bytes)
{
    bool low = free_bytes < LOW_BYTES;
    if (low && !disk->low) {
        log_line(HR_ERROR, NULL,
                 "the disk of %s has %" PRIu64 " MB left. Make room: when it is full the bot has to stop", disk->dir,
                 free_bytes >> 20);
    } else if (!low && disk->low) {
        log_line(HR_INFO, NULL, "the disk of %s has room again", disk->dir);
    }
    disk->low = low;
}

static void on_timer(uv_timer_t *timer)
{
    struct disk *disk = timer->data;
    struct statvfs info;
    if (statvfs(disk->dir, &info) == 0) {
        disk_look(disk, (uint64_t)info.f_bavail * info.f_frsize);
    }
}

struct disk *disk_new(struct app *app)
{
    struct disk *disk = xcalloc(1, sizeof(*disk));
    disk->dir = app->config->state_dir;
    uv_timer_init(app->loop, &disk->timer);
    disk->timer.data = disk;
    uv_timer_start(&disk->timer, on_timer, 0, EVERY_MS);
    uv_unref((uv_handle_t *)&disk->timer);
    return disk;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void disk_free(struct disk *disk)
{
    if (disk != NULL) {
        uv_close((uv_handle_t *)&disk->timer, on_closed);
    }
}
