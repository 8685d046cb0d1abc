/* SPDX-License-Identifier: MIT */
/* A small file that outlives a power cut. */
#include "durable.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <hashroom/plugin.h>
#include <unistd.h>

static bool write_all(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    size_t len = strlen(text);
    ssize_t done = write(fd, text, len); /* a line: at once or not at all */
    bool good = done == (ssize_t)len && fsync(fd) == 0;
    if (done >= 0 && done < (ssize_t)len) {
        errno = ENOSPC;
    }
    int why = errno;
    good = close(fd) == 0 && good;
    errno = why;
    return good;
}

static bool sync_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = why;
    return good;
}

int durable_write(const char *dir, const char *name, const char *text, bool fresh)
{
    CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
    CLEANUP_FREE char *beside = xasprintf("%s.new", path);
    (void)unlink(beside); /* left by a crash */
    bool good = write_all(beside, text) && (fresh ? link(beside, path) : rename(beside, path)) == 0;
    int why = errno;
    if (fresh || !good) {
        (void)unlink(beside);
    }
    errno = why;
    if (!good) {
        return fresh && why == EEXIST ? HR_EEXIST : HR_EFAIL;
    }
    return sync_folder(dir) ? HR_OK : HR_EFAIL;
}
