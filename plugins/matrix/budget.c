/* SPDX-License-Identifier: MIT */
/* What the account may send, and what the server taught about it. */
#include "budget.h"

/* A second 429 within this time is no accident: the account gets less than we thought. */
static const int64_t AGAIN_MS = 600000;
static const int64_t HOUR_MS = 3600000;
static const double LEAST_RATE = 1.0 / 60;
static const double FAST_RATE = 10, LARGE_BURST = 100; /* as good as no limit */
static const double STEPS = 10;                        /* from nothing to what is configured: ten hours */

static bool is_lowered(const struct matrix *mx)
{
    return mx->rate < mx->rate_set || mx->burst < mx->burst_set;
}

static void tell(struct matrix *mx)
{
    struct hr_limits limits = {
        .size = sizeof(limits), .rate = mx->rate, .burst = mx->burst, .window = 1, .window_all = 8};
    mx->net->limits(mx->bot, &limits);
}

static double raised(double now, double set, double enough)
{
    double top = set < enough ? set : enough;
    now += top / STEPS;
    return now >= top ? set : now;
}

static void raise_by_an_hour(struct matrix *mx)
{
    mx->rate = raised(mx->rate, mx->rate_set, FAST_RATE);
    mx->burst = raised(mx->burst, mx->burst_set, LARGE_BURST);
}

static void save(struct matrix *mx)
{
    const struct hr_value args[] = {
        HR_V_STR(mx->name),
        {.type = HR_REAL, .real = mx->rate},
        {.type = HR_REAL, .real = mx->burst},
        {.type = HR_REAL, .real = mx->rate_set},
        {.type = HR_REAL, .real = mx->burst_set},
        HR_V_INT(mx->api->wall_ms(mx->bot)),
    };
    (void)mx->api->sql(mx->bot,
                       is_lowered(mx) ? "INSERT OR REPLACE INTO matrix_budget(instance, rate, burst, rate_set,"
                                        " burst_set, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                                      : "DELETE FROM matrix_budget WHERE instance = ?1",
                       args, is_lowered(mx) ? 6 : 1, NULL, NULL);
}

static void on_hour(void *arg);

static void wait_an_hour(struct matrix *mx)
{
    mx->api->timer_stop(mx->budget_timer);
    mx->budget_timer = NULL;
    if (is_lowered(mx)) {
        (void)mx->api->timer_in(mx->bot, HOUR_MS, 0, on_hour, mx, &mx->budget_timer);
    }
}

static void on_hour(void *arg)
{
    struct matrix *mx = arg;
    mx->budget_timer = NULL;
    raise_by_an_hour(mx);
    if (is_lowered(mx)) {
        mx->api->log(mx->bot, HR_INFO, "an hour without a pause: from now on one event in %.1f s", 1 / mx->rate);
    } else {
        mx->api->log(mx->bot, HR_INFO, "the account sends as configured again");
    }
    save(mx);
    tell(mx);
    wait_an_hour(mx);
}

static int on_row(void *arg, const struct hr_value *column, size_t count)
{
    struct matrix *mx = arg;
    (void)count;
    if (column[2].real != mx->rate_set || column[3].real != mx->burst_set) {
        return HR_OK; /* the operator knows better by now */
    }
    mx->rate = column[0].real < mx->rate_set ? column[0].real : mx->rate_set;
    mx->burst = column[1].real < mx->burst_set ? column[1].real : mx->burst_set;
    int64_t hours = (mx->api->wall_ms(mx->bot) - column[4].num) / HOUR_MS;
    for (int64_t i = 0; i < hours && is_lowered(mx); i++) {
        raise_by_an_hour(mx);
    }
    return HR_OK;
}

int budget_start(struct matrix *mx)
{
    const struct hr_value args[] = {HR_V_STR(mx->name)};
    mx->rate = mx->rate_set;
    mx->burst = mx->burst_set;
    int rc =
        mx->api->sql(mx->bot, "SELECT rate, burst, rate_set, burst_set, at_ms FROM matrix_budget WHERE instance = ?1",
                     args, 1, on_row, mx);
    tell(mx);
    wait_an_hour(mx);
    return rc;
}

void budget_limited(struct matrix *mx, int64_t retry_ms)
{
    int64_t now = mx->api->monotonic_ms(mx->bot);
    bool again = mx->limited_ms > 0 && now - mx->limited_ms < AGAIN_MS;
    mx->limited_ms = now;
    mx->limited_count++;
    if (again) {
        double asked = 1000.0 / (double)(retry_ms > 1000 ? retry_ms : 1000);
        double rate = mx->rate > asked ? asked : mx->rate * 0.8;
        mx->rate = rate < LEAST_RATE ? LEAST_RATE : rate;
        mx->burst = mx->burst > 20  ? 10
                    : mx->burst < 2 ? 1
                                    : mx->burst / 2; /* what we thought saved up was not there */
        matrix_error(mx, "the server limits this account further: from now on one event in %.1f s", 1 / mx->rate);
        tell(mx);
    }
    if (is_lowered(mx)) {
        save(mx); /* when the last one came, too */
    }
    wait_an_hour(mx);
}

void budget_report(const struct matrix *mx, struct hr_out *out)
{
    if (mx->rate >= MATRIX_NO_LIMIT) {
        return;
    }
    mx->api->out(out, "It may say one thing in %.1f seconds, %.0f at once.\n", 1 / mx->rate, mx->burst);
    if (is_lowered(mx)) {
        mx->api->out(out, "That is less than configured: the server asked for pauses. It rises hour by hour.\n");
    }
}
