/* SPDX-License-Identifier: MIT */
/*
 * Loaded before the C library into a bot under test: its wall clock, its
 * lookups of names and its disk do what the file named by HASHROOM_SHIM says.
 * The file is an array of int64_t, mapped, so that a change counts at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    CLOCK_OFFSET_S, /* added to the wall clock */
    NAMES,          /* 0: names ending in .test are this machine; 1: no such name; 2: no answer, after 10 s; 3: at once */
    WRITES_LEFT,    /* writes to files of the database until the disk is full; negative: no limit */
    WRITES_SEEN,
    FIELDS
};

static volatile int64_t *control(void)
{
    static volatile int64_t *map; /* one for the process, never changes once set */
    static int64_t none[FIELDS] = {0, 0, -1, 0};
    const char *path = getenv("HASHROOM_SHIM");
    if (map == NULL) {
        int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
        void *found = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        map = found == MAP_FAILED ? none : found;
        if (fd >= 0) {
            close(fd);
        }
    }
    return map;
}

#define REAL(name, type) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))

/* ---- the wall clock ------------------------------------------------------------ */

int clock_gettime(clockid_t id, struct timespec *out)
{
    static int (*real)(clockid_t, struct timespec *);
    real = real != NULL ? real : REAL("clock_gettime", int (*)(clockid_t, struct timespec *));
    int rc = real(id, out);
    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        out->tv_sec += (time_t)control()[CLOCK_OFFSET_S];
    }
    return rc;
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

/* ---- names ---------------------------------------------------------------------- */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        REAL("getaddrinfo", int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **));
    size_t len = node == NULL ? 0 : strlen(node);
    if (len < 5 || strcmp(node + len - 5, ".test") != 0) {
        return real(node, service, hints, out);
    }
    for (int waited = 0; control()[NAMES] == 2 && waited < 100; waited++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
    if (control()[NAMES] != 0) {
        return control()[NAMES] == 1 ? EAI_NONAME : EAI_AGAIN;
    }
    return real("127.0.0.1", service, hints, out);
}

/* ---- the disk ------------------------------------------------------------------- */

static int is_full(int fd)
{
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0) {
        return 0;
    }
    path[len] = '\0';
    if (strstr(path, "/hashroom.db") == NULL) {
        return 0;
    }
    volatile int64_t *now = control();
    now[WRITES_SEEN]++;
    if (now[WRITES_LEFT] > 0) {
        now[WRITES_LEFT]--;
        return 0;
    }
    return now[WRITES_LEFT] == 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    real = real != NULL ? real : REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t));
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, len, at);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    real = real != NULL ? real : REAL("write", ssize_t (*)(int, const void *, size_t));
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, len);
}
