/* SPDX-License-Identifier: MIT */
/* The running bot: signals, the clock file, the service manager; start and clean end. */
#include "run.h"
#include "config.h"
#include "log.h"
#include "plugins.h"
#include "timer.h"
#include "turn.h"
#include "xalloc.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

enum { CLOCK_POLL_MS = 50 };

struct run {
    struct app *app;
    uv_signal_t term, interrupt, hangup;
    uv_timer_t clock, watchdog;
    bool again;
};

void run_harden(void)
{
    struct rlimit none = {0};
    signal(SIGPIPE, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &none); /* memory holds secrets */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
}

char **run_plugin_path(char *const *configured)
{
    char **path = xcalloc(16, sizeof(*path));
    size_t count = 0;
    for (size_t i = 0; configured != NULL && configured[i] != NULL && count < 14; i++) {
        path[count++] = xstrdup(configured[i]);
    }
    if (count > 0) {
        return path;
    }
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len > 0) {
        self[len] = '\0';
        *strrchr(self, '/') = '\0';
        char *beside = xasprintf("%s/plugins", self);
        if (access(beside, R_OK | X_OK) == 0) {
            path[count++] = beside;
            return path;
        }
        free(beside);
    }
    path[count] = xstrdup(HASHROOM_LIBDIR);
    return path;
}

void run_path_free(char **path)
{
    for (size_t i = 0; path != NULL && path[i] != NULL; i++) {
        free(path[i]);
    }
    free(path);
}

static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
    (void)sd_notify(0, state);
#else
    (void)state;
#endif
}

static void stop(struct run *run, int code)
{
    run->app->stopping = true;
    run->app->exit_code = code;
    uv_stop(run->app->loop);
}

static void on_term(uv_signal_t *handle, int number)
{
    log_line(HR_INFO, NULL, "stopping: %s", number == SIGINT ? "interrupted from the keyboard" : "asked to end");
    stop(handle->data, 0);
}

/* SIGHUP: a configuration with faults changes nothing; a sound one restarts the process in place. */
static const struct hr_plugin *find_plugin(void *arg, const char *name, char *err, size_t err_size)
{
    return plugins_load(arg, name, err, err_size);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    (void)number;
    struct config *fresh = config_read(run->app->config_dir, find_plugin, run->app->plugins);
    if (fresh->problem_count > 0) {
        log_line(HR_ERROR, NULL, "the new configuration has %zu problem%s and is not used; the bot goes on as it is",
                 fresh->problem_count, fresh->problem_count == 1 ? "" : "s");
        char *rest = fresh->problems.ptr, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            if (line[0] != '\0') {
                log_line(HR_ERROR, NULL, "%s", line);
            }
        }
    } else {
        log_line(HR_INFO, NULL, "the new configuration is sound: starting again with it");
        run->again = true;
        notify("RELOADING=1");
        stop(run, 0);
    }
    config_free(fresh);
}

static void on_clock(uv_timer_t *timer)
{
    struct run *run = timer->data;
    if (clock_reload(&run->app->clock)) {
        timers_clock_changed(run->app->timers);
        turn_touch(run->app->turn);
    }
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify("WATCHDOG=1");
}

static void start_watchdog(struct run *run)
{
#ifdef HAVE_SYSTEMD
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) > 0 && usec > 2000) {
        uv_timer_start(&run->watchdog, on_watchdog, usec / 2000, usec / 2000);
    }
#else
    (void)run;
    (void)on_watchdog;
#endif
}

static void handles_open(struct run *run)
{
    uv_loop_t *loop = run->app->loop;
    struct { uv_signal_t *handle; uv_signal_cb fn; int number; } signals[] = {
        {&run->term, on_term, SIGTERM}, {&run->interrupt, on_term, SIGINT}, {&run->hangup, on_hangup, SIGHUP}};
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        uv_signal_init(loop, signals[i].handle);
        signals[i].handle->data = run;
        uv_signal_start(signals[i].handle, signals[i].fn, signals[i].number);
    }
    uv_timer_init(loop, &run->clock);
    uv_timer_init(loop, &run->watchdog);
    run->clock.data = run;
    run->watchdog.data = run;
    if (run->app->clock.file != NULL) {
        uv_timer_start(&run->clock, on_clock, CLOCK_POLL_MS, CLOCK_POLL_MS);
    }
    start_watchdog(run);
}

static void handles_close(struct run *run)
{
    uv_close((uv_handle_t *)&run->term, NULL);
    uv_close((uv_handle_t *)&run->interrupt, NULL);
    uv_close((uv_handle_t *)&run->hangup, NULL);
    uv_close((uv_handle_t *)&run->clock, NULL);
    uv_close((uv_handle_t *)&run->watchdog, NULL);
}

int run_loop(struct app *app, unsigned store_flags, void (*started)(void *arg), void *arg)
{
    struct run run = {.app = app};
    char err[512] = "";
    if (app_open(app, store_flags, err, sizeof(err)) != HR_OK) {
        log_line(HR_ERROR, NULL, "%s", err);
        return 1;
    }
    handles_open(&run);
    notify("READY=1");
    log_line(HR_INFO, NULL, "ready");
    if (started != NULL) {
        started(arg);
    }
    if (!app->stopping) {
        uv_run(app->loop, UV_RUN_DEFAULT);
    }
    notify("STOPPING=1");
    handles_close(&run);
    app_close(app);
    return run.again ? RUN_AGAIN : app->exit_code;
}
