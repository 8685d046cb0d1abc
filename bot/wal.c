/* SPDX-License-Identifier: MIT */
/* Keeps the database's log of changes (WAL) small. */
#include "wal.h"
#include "config.h"
#include "log.h"
#include "store.h"
#include "turn.h"
#include "xalloc.h"
#include <sys/stat.h>
#include <unistd.h>

enum {
    QUIET_MS = 2000,
    QUIET_PAGES = 32,         /* fewer aren't worth two syncs */
    AGAIN_MS = 10 * 1000,     /* after a try that a reader held up */
    TOLD_MS = 60 * 60 * 1000, /* between two lines about one reader */
    PAGE_MB = 256,            /* pages a MB */
    READERS_AT = 123,
    READERS = 5 /* SQLite's locks of readers in the file -shm, since 3.7.0 */
};

struct wal {
    struct app *app;
    uv_timer_t timer;
    int pages;        /* in the log */
    int64_t wrote_ms; /* monotonic: the last commit */
    int64_t told_ms;  /* monotonic: a reader was named; 0: none is in the way */
};

static void on_timer(uv_timer_t *timer);

/* In COMMIT, after it is done: nothing is touched here but the timer. */
static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct wal *wal = arg;
    (void)db;
    (void)name;
    wal->pages = pages;
    wal->wrote_ms = clock_monotonic_ms();
    if (!uv_is_active((uv_handle_t *)&wal->timer)) {
        (void)uv_timer_start(&wal->timer, on_timer, QUIET_MS, 0);
    } else if (pages >= WAL_FULL_PAGES && wal->told_ms == 0) {
        (void)uv_timer_start(&wal->timer, on_timer, 1, 0);
    }
    return SQLITE_OK;
}

/* Who holds a reader's lock on the log, from the system's list: opening the file ourselves and closing it again would
 * give up SQLite's own locks in it. 0: nobody found. */
static int find_reader(const struct wal *wal)
{
    CLEANUP_FREE char *path = xasprintf("%s/hashroom.db-shm", wal->app->config->state_dir);
    struct stat info;
    char line[256];
    int found = 0;
    FILE *locks = stat(path, &info) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (locks != NULL && found == 0 && fgets(line, sizeof(line), locks) != NULL) {
        int pid = 0;
        unsigned long inode = 0, start = 0;
        if (sscanf(line, "%*s POSIX %*s READ %d %*x:%*x:%lu %lu", &pid, &inode, &start) == 3 && inode == info.st_ino &&
            start >= READERS_AT && start < READERS_AT + READERS && pid != getpid()) {
            found = pid;
        }
    }
    if (locks != NULL) {
        (void)fclose(locks);
    }
    return found;
}

static void read_name(int pid, char *out, size_t size)
{
    CLEANUP_FREE char *path = xasprintf("/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(out, (int)size, file) == NULL) {
        (void)snprintf(out, size, "its name is not known");
    }
    out[strcspn(out, "\n")] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void tell_held(struct wal *wal)
{
    int64_t now_ms = clock_monotonic_ms();
    if (wal->told_ms != 0 && now_ms - wal->told_ms < TOLD_MS) {
        return;
    }
    char name[64] = "";
    int pid = find_reader(wal);
    if (pid != 0) {
        read_name(pid, name, sizeof(name));
        log_line(HR_WARN, NULL,
                 "hashroom.db-wal has grown to %d MB, because process %d (%s) reads the database and doesn't end. End "
                 "it; the file shrinks by itself then",
                 wal->pages / PAGE_MB, pid, name);
    } else {
        log_line(HR_WARN, NULL, "hashroom.db-wal has grown to %d MB and can't be cut off yet; tried again soon",
                 wal->pages / PAGE_MB);
    }
    wal->told_ms = now_ms;
}

void wal_tidy(struct wal *wal, bool quiet)
{
    bool over = wal->pages >= WAL_CEILING_PAGES;
    if (!over && wal->pages < (quiet ? QUIET_PAGES : WAL_FULL_PAGES)) {
        return;
    }
    turn_finish(wal->app->turn); /* under load there is always one open when a timer runs */
    int left = 0, moved = 0;
    sqlite3 *db = store_db(wal->app->store);
    (void)sqlite3_busy_timeout(db, 0); /* a reader isn't waited for: nothing else would go on meanwhile */
    int code = sqlite3_wal_checkpoint_v2(db, "main", over ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                                         &left, &moved);
    (void)sqlite3_busy_timeout(db, STORE_BUSY_MS);
    bool done = code == SQLITE_OK && left == moved;
    if (done) { /* the next commit begins the log anew */
        wal->pages = 0;
        wal->told_ms = 0;
    } else if (over) {
        tell_held(wal);
    } else if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) {
        store_fatal(wal->app->store, "moving changes into the database");
    }
    if (!done) {
        (void)uv_timer_start(&wal->timer, on_timer, AGAIN_MS, 0);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct wal *wal = timer->data;
    int64_t quiet_ms = clock_monotonic_ms() - wal->wrote_ms;
    if (quiet_ms < QUIET_MS && wal->pages < WAL_FULL_PAGES) {
        (void)uv_timer_start(timer, on_timer, (uint64_t)(QUIET_MS - quiet_ms), 0);
        return;
    }
    wal_tidy(wal, quiet_ms >= QUIET_MS);
}

struct wal *wal_new(struct app *app)
{
    struct wal *wal = xcalloc(1, sizeof(*wal));
    wal->app = app;
    (void)uv_timer_init(app->loop, &wal->timer);
    uv_unref((uv_handle_t *)&wal->timer);
    wal->timer.data = wal;
    (void)sqlite3_wal_autocheckpoint(store_db(app->store), 0); /* it would come in the middle of a commit */
    (void)sqlite3_wal_hook(store_db(app->store), on_commit, wal);
    return wal;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void wal_free(struct wal *wal)
{
    if (wal != NULL) {
        (void)sqlite3_wal_hook(store_db(wal->app->store), NULL, NULL);
        uv_close((uv_handle_t *)&wal->timer, on_closed);
    }
}

int wal_pages(const struct wal *wal)
{
    return wal->pages;
}
