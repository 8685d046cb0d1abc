/* SPDX-License-Identifier: MIT */
/* What X costs, counted by us. Money is in thousandths of a dollar. */
#include "budget.h"
#include "mem.h"
#include <inttypes.h>

static const int64_t DAY_MS = 24LL * 3600 * 1000;

struct kind {
    const char *name, *option;
};

static const struct kind kinds[] = {
    [BUDGET_POST_READ] = {"posts read", "price_post_read"},   [BUDGET_USER_READ] = {"people read", "price_user_read"},
    [BUDGET_OWN_READ] = {"own posts read", "price_own_read"}, [BUDGET_CREATE] = {"posts made", "price_create"},
    [BUDGET_DELETE] = {"posts taken back", "price_delete"},
};

struct budget {
    struct twitter *twitter;
    int64_t day_limit, month_limit, soft_percent;
    int64_t day; /* the sums are of this day and its month */
    int64_t day_spent, month_spent;
    bool warned;
    char words[160];
};

static int64_t number(struct twitter *twitter, const char *option)
{
    return twitter->api->option(twitter->bot, option)->num;
}

/* Days from 1970 to the first of a month and back need no library: count in 400 years of 146097 days. */
int64_t budget_month_start(int64_t day)
{
    int64_t z = day + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    return day - (doy - (153 * mp + 2) / 5);
}

static int take_sums(void *arg, const struct hr_value *column, size_t count)
{
    struct budget *budget = arg;
    if (count == 2) {
        budget->day_spent = column[0].num;
        budget->month_spent = column[1].num;
    }
    return HR_OK;
}

static void read_sums(struct budget *budget)
{
    struct twitter *twitter = budget->twitter;
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)), HR_V_INT(budget->day),
                              HR_V_INT(budget_month_start(budget->day))};
    budget->day_spent = budget->month_spent = 0;
    (void)twitter->api->sql(twitter->bot,
                            "SELECT coalesce(sum(cost) FILTER (WHERE day = ?2), 0), coalesce(sum(cost), 0)"
                            " FROM twitter_ledger WHERE instance = ?1 AND day >= ?3 AND day <= ?2",
                            args, 3, take_sums, budget);
}

static void new_day(struct budget *budget)
{
    struct twitter *twitter = budget->twitter;
    int64_t day = twitter->api->now_ms(twitter->bot) / DAY_MS;
    if (day == budget->day) {
        return;
    }
    budget->day = day;
    budget->warned = false;
    (void)twitter->api->sql(twitter->bot, "DELETE FROM twitter_read WHERE day < ?1",
                            (struct hr_value[]){HR_V_INT(day - 1)}, 1, NULL, NULL);
    read_sums(budget);
}

struct budget *budget_new(struct twitter *twitter)
{
    struct budget *budget = mem_calloc(1, sizeof(*budget));
    budget->twitter = twitter;
    budget->day_limit = number(twitter, "budget_day_cents") * 10;
    budget->month_limit = number(twitter, "budget_month_cents") * 10;
    budget->soft_percent = number(twitter, "soft_percent");
    budget->day = -1;
    new_day(budget);
    return budget;
}

void budget_free(struct budget *budget)
{
    free(budget);
}

static bool over(int64_t spent, int64_t limit, int64_t percent)
{
    return limit > 0 && spent * 100 >= limit * percent;
}

static void warn_once(struct budget *budget)
{
    bool day = over(budget->day_spent, budget->day_limit, budget->soft_percent);
    bool month = over(budget->month_spent, budget->month_limit, budget->soft_percent);
    if (budget->warned || (!day && !month)) {
        return;
    }
    budget->warned = true;
    budget->twitter->api->log(budget->twitter->bot, HR_WARN,
                              "Twitter has cost %" PRId64 " cents today and %" PRId64 " this month; at %" PRId64
                              " a day or %" PRId64 " a month reading stops (budget_day_cents, budget_month_cents)",
                              budget->day_spent / 10, budget->month_spent / 10, budget->day_limit / 10,
                              budget->month_limit / 10);
}

int budget_spend(struct budget *budget, enum budget_kind kind)
{
    struct twitter *twitter = budget->twitter;
    new_day(budget);
    int64_t cost = number(twitter, kinds[kind].option);
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)), HR_V_INT(budget->day),
                              HR_V_STR(kinds[kind].name), HR_V_INT(cost)};
    int status =
        twitter->api->sql(twitter->bot,
                          "INSERT INTO twitter_ledger(instance, day, kind, count, cost) VALUES(?1, ?2, ?3, 1, ?4)"
                          " ON CONFLICT(instance, day, kind) DO UPDATE SET count = count + 1, cost = cost + ?4",
                          args, 4, NULL, NULL);
    read_sums(budget); /* from the table: an undone callback undoes them too */
    warn_once(budget);
    return status;
}

static int count_row(void *arg, const struct hr_value *column, size_t count)
{
    (void)column;
    (void)count;
    ++*(int *)arg;
    return HR_OK;
}

int budget_read(struct budget *budget, enum budget_kind kind, const char *id)
{
    struct twitter *twitter = budget->twitter;
    int fresh = 0;
    new_day(budget);
    struct hr_value args[] = {HR_V_STR(twitter->api->instance(twitter->bot)), HR_V_INT(budget->day), HR_V_INT(kind),
                              HR_V_STR(id)};
    int status = twitter->api->sql(twitter->bot,
                                   "INSERT INTO twitter_read(instance, day, kind, id) VALUES(?1, ?2, ?3, ?4)"
                                   " ON CONFLICT DO NOTHING RETURNING 1",
                                   args, 4, count_row, &fresh);
    return status == HR_OK && fresh > 0 ? budget_spend(budget, kind) : status;
}

const char *budget_stop(struct budget *budget)
{
    new_day(budget);
    read_sums(budget);
    if (over(budget->day_spent, budget->day_limit, 100)) {
        snprintf(budget->words, sizeof(budget->words),
                 "today's budget of %" PRId64 " cents is used up; reading goes on at midnight UTC",
                 budget->day_limit / 10);
        return budget->words;
    }
    if (over(budget->month_spent, budget->month_limit, 100)) {
        snprintf(budget->words, sizeof(budget->words),
                 "this month's budget of %" PRId64 " cents is used up; reading goes on next month",
                 budget->month_limit / 10);
        return budget->words;
    }
    return NULL;
}

int64_t budget_posts_left(struct budget *budget)
{
    int64_t price = number(budget->twitter, kinds[BUDGET_POST_READ].option), left = INT64_MAX;
    if (budget_stop(budget) != NULL) {
        return 0;
    }
    if (price > 0 && budget->day_limit > 0) {
        left = (budget->day_limit - budget->day_spent) / price;
    }
    if (price > 0 && budget->month_limit > 0 && (budget->month_limit - budget->month_spent) / price < left) {
        left = (budget->month_limit - budget->month_spent) / price;
    }
    return left;
}

static void say_limit(char out[32], int64_t limit)
{
    out[0] = '\0';
    if (limit > 0) {
        snprintf(out, 32, " of %" PRId64, limit / 10);
    }
}

void budget_report(struct budget *budget, struct hr_out *out)
{
    struct twitter *twitter = budget->twitter;
    new_day(budget);
    read_sums(budget);
    char day[32], month[32];
    say_limit(day, budget->day_limit);
    say_limit(month, budget->month_limit);
    twitter->api->out(out, "Twitter has cost %" PRId64 "%s cents today and %" PRId64 "%s cents this month.\n",
                      budget->day_spent / 10, day, budget->month_spent / 10, month);
    const char *stop = budget_stop(budget);
    if (stop != NULL) {
        twitter->api->out(out, "Posts on Twitter are not read: %s.\n", stop);
    }
}
