/* SPDX-License-Identifier: MIT */
/* The running bot: signals, systemd, the test clock, the loop. */
#include "run.h"
#include "config.h"
#include "log.h"
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

enum { TICK_MS = 50, STOP_LIMIT_S = 5, HANDLES_MAX = 6 };

struct run {
    struct cli *cli;
    struct app *app;
    void (*each)(void *arg);
    void *arg;
    bool restart;
    uv_signal_t signals[3];
    uv_timer_t tick, watchdog;
    uv_handle_t *handles[HANDLES_MAX]; /* those that are open */
    size_t handle_count;
};

void run_harden(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* secrets are in memory */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(077);
}

/* ---- systemd ------------------------------------------------------------------ */

#ifdef HAVE_SYSTEMD
static void tell_systemd(const char *state)
{
    (void)sd_notify(0, state);
}

static uint64_t watchdog_ms(void)
{
    uint64_t usec = 0;
    return sd_watchdog_enabled(0, &usec) > 0 ? usec / 1000 : 0;
}
#else
static void tell_systemd(const char *state)
{
    (void)state;
}

static uint64_t watchdog_ms(void)
{
    return 0;
}
#endif

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    tell_systemd("WATCHDOG=1");
}

/* ---- the loop ------------------------------------------------------------------- */

static void stop(struct run *run)
{
    run->app->stopping = true;
    uv_stop(run->app->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    if (number != SIGHUP) {
        stop(run);
    } else if (cli_config_is_well(run->cli, run->app)) {
        log_line(HR_INFO, NULL, "the configuration is in order; the bot restarts with it");
        run->restart = true;
        tell_systemd("RELOADING=1");
        stop(run);
    } else {
        log_line(HR_ERROR, NULL, "the new configuration has problems (above); the bot goes on with the old one");
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct run *run = timer->data;
    if (clock_reload(&run->app->clock)) {
        timers_clock_changed(run->app->timers);
        turn_touch(run->app->turn); /* what waits for the chat clock may be due */
    }
    if (run->each) {
        run->each(run->arg);
    }
}

static void add_handle(struct run *run, uv_handle_t *handle)
{
    handle->data = run;
    BUG_IF(run->handle_count == HANDLES_MAX);
    run->handles[run->handle_count++] = handle;
}

/* Before anything starts: a bot that is told to stop while it starts ends as it does at any other time. */
static void open_signals(struct run *run)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        BUG_IF(uv_signal_init(run->app->loop, &run->signals[i]) != 0);
        BUG_IF(uv_signal_start(&run->signals[i], on_signal, numbers[i]) != 0);
        add_handle(run, (uv_handle_t *)&run->signals[i]);
        uv_unref((uv_handle_t *)&run->signals[i]); /* a start that fails runs the loop empty */
    }
}

static void open_timers(struct run *run)
{
    for (size_t i = 0; i < run->handle_count; i++) {
        uv_ref(run->handles[i]);
    }
    if (run->app->clock.file || run->each) {
        (void)uv_timer_init(run->app->loop, &run->tick);
        (void)uv_timer_start(&run->tick, on_tick, TICK_MS, TICK_MS);
        add_handle(run, (uv_handle_t *)&run->tick);
    }
    uint64_t limit_ms = watchdog_ms();
    if (limit_ms > 0) {
        (void)uv_timer_init(run->app->loop, &run->watchdog);
        (void)uv_timer_start(&run->watchdog, on_watchdog, limit_ms / 3, limit_ms / 3);
        add_handle(run, (uv_handle_t *)&run->watchdog);
    }
}

/* All that counts is on disk by then: a far side that doesn't take our last bytes can't hold the stop up. */
static void on_stop_limit(int number)
{
    (void)number;
    _exit(CLI_OK);
}

static void close_handles(struct run *run)
{
    for (size_t i = 0; i < run->handle_count; i++) {
        uv_close(run->handles[i], NULL);
    }
}

static void close_app(struct run *run)
{
    tell_systemd("STOPPING=1");
    close_handles(run);
    if (!run->restart) {
        (void)signal(SIGALRM, on_stop_limit);
        (void)alarm(STOP_LIMIT_S);
    }
    app_close(run->app);
    (void)alarm(0);
}

int run_app(struct cli *cli, struct app *app, unsigned store_flags, void (*each)(void *arg), void *arg, bool *restart)
{
    struct run run = {.cli = cli, .app = app, .each = each, .arg = arg};
    char err[1024] = "";
    open_signals(&run);
    int status = app_open(app, store_flags, err, sizeof err);
    if (status < 0) {
        close_handles(&run);
        (void)uv_run(app->loop, UV_RUN_DEFAULT);
        log_line(HR_ERROR, NULL, "the bot did not start: %s", err);
        return status == HR_EFAIL ? CLI_FAILED : CLI_WRONG; /* else a restart would change nothing */
    }
    open_timers(&run);
    tell_systemd("READY=1");
    log_line(HR_INFO, NULL, "ready");
    if (!app->stopping) { /* a plugin may have quit while it started */
        (void)uv_run(app->loop, UV_RUN_DEFAULT);
    }
    log_line(HR_INFO, NULL, run.restart ? "stopping, to start again" : "stopping");
    turn_touch(app->turn);
    turn_finish(app->turn); /* what was asked for just before the end may still be answered */
    close_app(&run);
    *restart = run.restart;
    return app->exit_code;
}

int cli_run(struct cli *cli)
{
    struct app app = {0};
    bool restart = false;
    if (!cli_no_more(cli, 0)) {
        return CLI_WRONG;
    }
    run_harden();
    int code = cli_open(cli, &app);
    if (code == CLI_OK) {
        if (app.config->warning_count > 0) {
            log_line(HR_WARN, NULL, "%s", buf_str(&app.config->warnings));
        }
        code = run_app(cli, &app, 0, NULL, NULL, &restart);
    }
    cli_close(&app);
    if (restart) {
        (void)execv("/proc/self/exe", cli->whole_argv);
        log_line(HR_ERROR, NULL, "the program could not be started again; start it by hand");
        return CLI_FAILED;
    }
    return code;
}
