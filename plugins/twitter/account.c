/* SPDX-License-Identifier: MIT */
/* Whether X lets us in. */
#include "account.h"
#include "mem.h"
#include <inttypes.h>

enum { SIDES = 2, SPAN_BYTES = 32 };
enum state { LETS, REFUSES, ASKED };

struct side {
    struct account *account;
    enum state state;
    bool denied; /* the last answer was 401: a second one means it */
    bool away;   /* the last request had no answer at all */
    struct problem problem;
    struct hr_timer *timer; /* network clock */
};

struct account {
    struct twitter *twitter;
    void (*on_change)(void *arg, enum account_side side);
    void *arg;
    int64_t wait_ms;
    struct side side[SIDES];
};

static const char *const what[] = {
    [ACCOUNT_READ] = "Twitter is not read", [ACCOUNT_WRITE] = "nothing is posted on Twitter"};

struct account *account_new(struct twitter *twitter, void (*on_change)(void *arg, enum account_side side), void *arg)
{
    struct account *account = mem_calloc(1, sizeof(*account));
    *account = (struct account){.twitter = twitter, .on_change = on_change, .arg = arg};
    account->wait_ms = twitter->api->option(twitter->bot, "ask_again")->num;
    for (int i = 0; i < SIDES; i++) {
        account->side[i].account = account;
    }
    return account;
}

void account_free(struct account *account)
{
    for (int i = 0; account != NULL && i < SIDES; i++) {
        account->twitter->api->timer_stop(account->side[i].timer);
    }
    free(account);
}

static void on_due(void *arg)
{
    struct side *side = arg;
    side->timer = NULL;
    side->state = ASKED;
    side->account->on_change(side->account->arg, (enum account_side)(side - side->account->side));
}

static void say_span(char out[SPAN_BYTES], int64_t ms)
{
    if (ms % (60 * 60 * 1000) == 0 && ms > 0) {
        int64_t hours = ms / (60 * 60 * 1000);
        snprintf(out, SPAN_BYTES, "%" PRId64 " hour%s", hours, hours == 1 ? "" : "s");
    } else if (ms >= 60 * 1000) {
        snprintf(out, SPAN_BYTES, "%" PRId64 " min", ms / (60 * 1000));
    } else {
        snprintf(out, SPAN_BYTES, "%" PRId64 " s", (ms + 999) / 1000);
    }
}

/* One line, when it begins; a refused question in between is no news. */
static void tell(struct account *account, enum account_side which, bool both)
{
    struct twitter *twitter = account->twitter;
    const struct problem *problem = &account->side[which].problem;
    char span[SPAN_BYTES];
    say_span(span, account->wait_ms);
    const char *line =
        twitter->api->print(twitter->bot, "%s: %s (%d %s); asked again in %s, the rest of the chat goes on",
                            both ? "Twitter is neither read nor posted to" : what[which], problem_words(problem),
                            problem->code, problem->detail[0] != '\0' ? problem->detail : problem->title, span);
    if (which == ACCOUNT_WRITE || both) {
        twitter->api->net->down(twitter->bot, NULL, line);
    } else {
        twitter->api->log(twitter->bot, HR_ERROR, "%s", line);
    }
}

static void close_side(struct account *account, enum account_side which, const struct problem *problem)
{
    struct side *side = &account->side[which];
    struct twitter *twitter = account->twitter;
    side->state = REFUSES;
    side->away = false; /* for no request goes that could end it */
    side->problem = *problem;
    twitter->api->timer_stop(side->timer);
    side->timer = NULL;
    if (twitter->api->timer_in(twitter->bot, account->wait_ms, 0, on_due, side, &side->timer) != HR_OK) {
        twitter->api->log(twitter->bot, HR_ERROR, "no timer: Twitter is not asked again before a restart");
    }
}

static bool is_of_account(enum account_side which, const struct problem *problem)
{
    return problem->kind == PROBLEM_AUTH || problem->kind == PROBLEM_MONEY ||
           (problem->kind == PROBLEM_CAP && which == ACCOUNT_READ);
}

bool account_refused(struct account *account, enum account_side which, const struct problem *problem)
{
    struct side *side = &account->side[which], *other = &account->side[1 - which];
    if (!is_of_account(which, problem)) {
        return false;
    }
    if (problem->kind == PROBLEM_AUTH && problem->code == 401 && !side->denied && side->state == LETS) {
        side->denied = true;
        return false;
    }
    if (side->state == REFUSES) {
        return true;
    }
    bool news = side->state == LETS, both = problem->kind == PROBLEM_MONEY && other->state == LETS;
    close_side(account, which, problem);
    if (both) {
        close_side(account, 1 - which, problem);
    }
    if (news) {
        tell(account, which, both);
    }
    account->on_change(account->arg, which);
    if (both) {
        account->on_change(account->arg, 1 - which);
    }
    return true;
}

void account_worked(struct account *account, enum account_side which)
{
    struct side *side = &account->side[which];
    struct twitter *twitter = account->twitter;
    side->denied = false;
    if (side->state == LETS) {
        return;
    }
    twitter->api->timer_stop(side->timer);
    side->timer = NULL;
    side->state = LETS;
    twitter->api->log(twitter->bot, HR_INFO, "%s",
                      which == ACCOUNT_READ ? "Twitter can be read again" : "Twitter can be posted to again");
    if (which == ACCOUNT_WRITE) {
        twitter->api->net->up(twitter->bot, NULL);
    }
}

void account_ask(struct account *account, enum account_side which)
{
    struct side *side = &account->side[which];
    if (side->state == REFUSES) {
        account->twitter->api->timer_stop(side->timer);
        on_due(side);
    }
}

void account_still(struct account *account, enum account_side which)
{
    if (account->side[which].state == ASKED) {
        struct problem same = account->side[which].problem;
        close_side(account, which, &same);
    }
}

bool account_lets(const struct account *account, enum account_side which)
{
    return account->side[which].state != REFUSES;
}

bool account_asks(const struct account *account, enum account_side which)
{
    return account->side[which].state == ASKED;
}

void account_heard(struct account *account, enum account_side which, bool answered)
{
    struct side *side = &account->side[which];
    side->away = !answered && side->state != REFUSES;
}

bool account_away(const struct account *account, enum account_side which)
{
    return account->side[which].away;
}

void account_report(struct account *account, struct hr_out *out)
{
    const struct hr_api *api = account->twitter->api;
    const struct side *read = &account->side[ACCOUNT_READ], *write = &account->side[ACCOUNT_WRITE];
    if (read->state != LETS && write->state != LETS && read->problem.kind == write->problem.kind) {
        api->out(out, "Twitter is neither read nor posted to: %s.\n", problem_words(&read->problem));
        return;
    }
    for (int i = 0; i < SIDES; i++) {
        if (account->side[i].state != LETS) {
            api->out(out, i == ACCOUNT_READ ? "Twitter is not read: %s.\n" : "Nothing is posted on Twitter: %s.\n",
                     problem_words(&account->side[i].problem));
        }
    }
}
