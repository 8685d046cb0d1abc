/* SPDX-License-Identifier: MIT */
/* Notices that an old copy of the database was put back: a number in it and in a file beside it. */
#include "boot.h"
#include "config.h"
#include "durable.h"
#include "log.h"
#include "turn.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { MINUTE_MS = 60 * 1000, ID_MAX = 32, CHECK_MS = 10 * 1000 };

static const char file_name[] = "hashroom.boot";

struct boot {
    struct app *app;
    uv_timer_t timer;
    bool temporary, was_clean;
    int64_t number;
    uint64_t commits; /* when the number was raised last */
};

struct mark { /* what the file holds: "ID NUMBER running" or "... stopped" */
    char id[ID_MAX + 1];
    int64_t number;
    bool stopped;
};

static int64_t stored_number(struct boot *boot)
{
    sqlite3_stmt *stmt = store_sql(boot->app->store, "SELECT CAST(value AS INTEGER) FROM host_meta WHERE key = 'boot'");
    int64_t number = store_row(boot->app->store, stmt) ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return number;
}

static int write_mark(struct boot *boot, bool stopped)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "%s %" PRId64 " %s\n", store_id(boot->app->store), boot->number,
                   stopped ? "stopped" : "running");
    return durable_write(boot->app->config->state_dir, file_name, line, false);
}

/* HR_ENOTFOUND: there is none, or nobody can read it as one. */
static int read_mark(const char *path, struct mark *mark)
{
    char line[128], state[16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? HR_ENOTFOUND : HR_EFAIL;
    }
    ssize_t len = read(fd, line, sizeof(line) - 1);
    (void)close(fd);
    if (len < 0) {
        return HR_EFAIL;
    }
    line[len] = '\0';
    if (sscanf(line, "%32s %" SCNd64 " %15s", mark->id, &mark->number, state) != 3) {
        return HR_ENOTFOUND;
    }
    mark->stopped = strcmp(state, "stopped") == 0;
    return HR_OK;
}

/* Why it may be an old copy, in a sentence; NULL: it is the one that ran here last. */
static const char *doubt(struct boot *boot, int found, const struct mark *mark)
{
    if (found == HR_ENOTFOUND) { /* without a number the file was never written: the first start that knows it */
        return boot->number > 0 ? "hashroom.boot is missing beside the database, so it may be an old copy" : NULL;
    }
    if (strcmp(mark->id, store_id(boot->app->store)) != 0) {
        return "the database is another than the one that ran here last";
    }
    return mark->number > boot->number ? "the database is an older copy of the one that ran here last" : NULL;
}

static void raise_number(struct boot *boot)
{
    boot->number++;
    turn_write(boot->app->turn);
    sqlite3_stmt *stmt = store_sql(boot->app->store, "INSERT INTO host_meta(key, value) VALUES('boot', ?1)"
                                                     " ON CONFLICT(key) DO UPDATE SET value = ?1");
    sqlite3_bind_int64(stmt, 1, boot->number);
    (void)store_run(boot->app->store, stmt);
}

static void on_committed(void *arg)
{
    struct boot *boot = arg;
    boot->commits = turn_commits(boot->app->turn);
    if (write_mark(boot, false) < 0) {
        log_line(HR_WARN, NULL, "%s/%s can't be written: %s. Tried again in a minute", boot->app->config->state_dir,
                 file_name, strerror(errno));
    }
}

void boot_minute(struct boot *boot)
{
    if (turn_commits(boot->app->turn) != boot->commits) {
        raise_number(boot);
        turn_effect(boot->app->turn, on_committed, NULL, boot);
    }
}

static void on_timer(uv_timer_t *timer)
{
    boot_minute(timer->data);
}

static int first_mark(struct boot *boot, char *err, size_t err_size)
{
    struct mark mark = {.stopped = true};
    const char *dir = boot->app->config->state_dir;
    CLEANUP_FREE char *path = xasprintf("%s/%s", dir, file_name);
    int found = read_mark(path, &mark);
    if (found == HR_EFAIL) {
        (void)snprintf(err, err_size, "%s can't be read: %s", path, strerror(errno));
        return HR_EFAIL;
    }
    boot->was_clean = mark.stopped;
    if (!boot->was_clean) {
        log_line(HR_INFO, NULL, "the bot did not end by itself the last time; looking the database over");
        int rc = store_check(boot->app->store, CHECK_MS, err, err_size);
        if (rc < 0) {
            return rc;
        }
    }
    boot->number = stored_number(boot);
    const char *why = doubt(boot, found, &mark);
    if (why != NULL) {
        turn_write(boot->app->turn);
        store_renew_id(boot->app->store);
        log_line(HR_WARN, NULL, "%s. It goes on as a new one, so that no server takes its new messages for old ones",
                 why);
    }
    boot->number = mark.number > boot->number ? mark.number : boot->number;
    raise_number(boot);
    turn_finish(boot->app->turn);
    boot->commits = turn_commits(boot->app->turn);
    if (write_mark(boot, false) < 0) {
        (void)snprintf(err, err_size, "%s can't be written: %s", path, strerror(errno));
        return HR_EFAIL;
    }
    return HR_OK;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int boot_open(struct boot **out, struct app *app, bool temporary, char *err, size_t err_size)
{
    struct boot *boot = xcalloc(1, sizeof(*boot));
    *boot = (struct boot){.app = app, .temporary = temporary, .was_clean = true};
    int rc = temporary ? HR_OK : first_mark(boot, err, err_size);
    if (rc < 0) {
        free(boot);
        return rc;
    }
    uv_timer_init(app->loop, &boot->timer);
    boot->timer.data = boot;
    if (!temporary) {
        uv_timer_start(&boot->timer, on_timer, MINUTE_MS, MINUTE_MS);
    }
    uv_unref((uv_handle_t *)&boot->timer);
    *out = boot;
    return HR_OK;
}

bool boot_was_clean(const struct boot *boot)
{
    return boot->was_clean;
}

void boot_close(struct boot *boot)
{
    if (boot == NULL) {
        return;
    }
    if (!boot->temporary) {
        raise_number(boot);
        turn_finish(boot->app->turn);
        (void)write_mark(boot, true); /* else the next start believes in a crash, no more */
    }
    uv_close((uv_handle_t *)&boot->timer, on_closed);
}
