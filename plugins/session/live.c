/* SPDX-License-Identifier: MIT */
/* The hour itself: what happens when, and the steps from one question to the next. */
#include "live.h"

#include <string.h>

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t live_hard_stop(const struct session *session, const struct run *run)
{
    return run->start_ms + session->length_ms + run->added_ms + OVERRUN_MS;
}

int live_record(struct session *session, const struct run *run, int64_t quiet_until_ms)
{
    const struct hr_chat *chat = say_chat(session);
    struct hr_chat record = *chat;
    record.session = run->state == RUN_ENDED ? 0 : (uint64_t)run->id;
    record.question = run->state == RUN_ENDED ? 0 : run->question;
    record.quiet_until_ms = quiet_until_ms;
    record.starts_ms = run->state == RUN_ENDED ? 0 : run->start_ms;
    record.ends_ms = run->state == RUN_ENDED ? 0 : run->end_ms;
    record.read_from_ms = run->start_ms - READ_BEFORE_MS;
    record.read_to_ms = run->end_ms + (run->paused_ms ? run->resume_ms - run->paused_ms : 0) + READ_AFTER_MS;
    return session->api->chat_set(session->bot, &record);
}

/* ---- begin ------------------------------------------------------------------------ */

/* Each question gets its planned time, or less where there are many of them. */
static int64_t fitting_question_ms(const struct session *session, int count)
{
    int64_t room = session->length_ms - session->welcome_ms - session->closing_ms;
    if (count == 0) {
        return session->question_ms;
    }
    return earlier(session->question_ms, later(room / count, 5 * MINUTE_MS));
}

int live_begin(struct session *session, const struct occurrence *occurrence, int64_t now, bool host)
{
    struct plan plan;
    int status = store_plan(session, 0, &plan);
    if (status < 0) {
        return status;
    }
    struct moment wall = occurrence->known ? occurrence->wall : schedule_wall(session->schedule.zone, now);
    struct run run = {
        .state = RUN_WELCOME,
        .start_ms = now,
        .step_ms = now,
        .due_ms = now + session->welcome_ms,
        .end_ms = now + session->length_ms,
        .question_ms = fitting_question_ms(session, plan.count),
        .alive_ms = now,
        .host = host,
        .count = plan.count,
    };
    const struct hr_api *api = session->api;
    const char *name =
        api->print(session->bot, "%04d-%02d-%02dT%02d:%02d", wall.year, wall.month, wall.day, wall.hour, wall.minute);
    status = store_new_run(session, &run, name, api->print(session->bot, "%s %d", say_day(session, &wall), wall.year));
    if (status >= 0) {
        status = live_record(session, &run, now + QUIET_AFTER_MS);
    }
    if (status >= 0) {
        api->log(session->bot, HR_INFO, "the chat has started, %d questions, it ends at %s", plan.count,
                 say_when(session, run.end_ms));
        status = live_say_welcome(session, &run, &plan);
    }
    return status;
}

/* ---- questions ------------------------------------------------------------------------ */

/* Moves on without a word. A late step keeps the plan's times, but each question
 * is open for half of its time at least. */
static int move_to(struct session *session, struct run *run, int question, int64_t planned_ms)
{
    int64_t now = session->api->now_ms(session->bot);
    run->state = RUN_QUESTION;
    run->question = question;
    run->left = 0;
    run->next = 0;
    struct plan plan;
    int status = store_plan(session, run->id, &plan);
    for (int n = plan.count; n > question && status >= 0; n--) {
        if (!plan.question[n - 1].skipped) {
            run->next = n;
            run->left++;
        }
    }
    run->step_ms = now;
    run->due_ms = later(planned_ms + run->question_ms, now + run->question_ms / 2);
    run->end_ms = earlier(later(run->end_ms, run->due_ms + run->left * run->question_ms), live_hard_stop(session, run));
    run->paused_ms = run->resume_ms = 0;
    run->said &= SAID_OF_RUN;
    run->alive_ms = now;
    if (status >= 0) {
        status = store_save(session, run);
    }
    return status < 0 ? status : live_record(session, run, now + QUIET_AFTER_MS);
}

int live_question(struct session *session, struct run *run, int question, int64_t planned_ms)
{
    int status = move_to(session, run, question, planned_ms);
    return status < 0 ? status : live_say_question(session, run, false);
}

/* ---- what the host may do with the clock ---------------------------------------------------- */

static int save_all(struct session *session, const struct run *run)
{
    int status = store_save(session, run);
    return status < 0 ? status : live_record(session, run, say_chat(session)->quiet_until_ms);
}

int live_extend(struct session *session, struct run *run, int64_t ms)
{
    run->due_ms += run->state == RUN_CLOSING ? 0 : ms;
    run->end_ms += ms;
    run->added_ms += ms;
    run->extensions++;
    run->said &= ~(unsigned)(SAID_WARNING | SAID_QUIET | SAID_LAST);
    int status = save_all(session, run);
    return status < 0 ? status : live_say_extended(session, run, ms);
}

int live_pause(struct session *session, struct run *run, int64_t ms)
{
    int64_t now = session->api->now_ms(session->bot);
    if (!run->paused_ms) {
        run->paused_ms = now;
    }
    run->resume_ms = now + ms;
    int status = save_all(session, run);
    return status < 0 ? status : live_say_paused(session, run, ms);
}

static void shift(struct run *run, int64_t now)
{
    int64_t ms = later(now - run->paused_ms, 0);
    run->step_ms += ms;
    run->due_ms += ms;
    run->end_ms += ms;
    run->added_ms += ms;
    run->paused_ms = run->resume_ms = 0;
    run->said &= ~(unsigned)SAID_QUIET;
}

int live_resume(struct session *session, struct run *run)
{
    shift(run, session->api->now_ms(session->bot));
    int status = save_all(session, run);
    return status < 0 ? status : live_say_resumed(session, run);
}

int live_end(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    bool stale = now > live_hard_stop(session, run) + OVERRUN_MS;
    run->state = RUN_ENDED;
    run->end_ms = now;
    run->paused_ms = run->resume_ms = 0;
    int status = store_save(session, run);
    if (status >= 0) {
        status = live_record(session, run, 0);
    }
    if (status < 0) {
        return status;
    }
    session->api->log(session->bot, HR_INFO, "the chat has ended%s",
                      stale ? " while I was away; nothing is said, it is too long ago" : "");
    return stale ? 0 : live_say_end(session, run);
}

/* ---- after a restart ---------------------------------------------------------------------------- */

int live_came_back(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int64_t away = now - run->alive_ms;
    int64_t since = run->alive_ms;
    int64_t end = session->autopilot ? run->end_ms : live_hard_stop(session, run);
    if (away <= ABSENCE_MS || (!run->paused_ms && now >= end)) {
        return 0; /* what is due is done as always; the end needs no other word */
    }
    if (run->paused_ms && run->resume_ms <= now) {
        shift(run, run->resume_ms);
    }
    bool moved = session->autopilot && !run->paused_ms && run->next && now >= run->due_ms && run->state != RUN_CLOSING;
    run->alive_ms = now;
    int status = moved ? move_to(session, run, run->next, run->due_ms) : store_save(session, run);
    if (status >= 0) {
        status = live_say_back(session, run, away, since);
    }
    return status >= 0 && moved ? live_say_question(session, run, false) : status;
}

/* ---- what is due when ---------------------------------------------------------------------------- */

static bool running(const struct run *run)
{
    return !run->paused_ms;
}

static int64_t at_resume(const struct session *session, const struct run *run)
{
    (void)session;
    return run->paused_ms ? run->resume_ms : NEVER_MS;
}

static int64_t at_quiet(const struct session *session, const struct run *run)
{
    bool comes = session->autopilot && running(run) && run->next && run->state != RUN_CLOSING;
    return comes && !(run->said & SAID_QUIET) ? run->due_ms - QUIET_BEFORE_MS : NEVER_MS;
}

static int64_t at_hello(const struct session *session, const struct run *run)
{
    (void)session;
    return run->said & SAID_HELLO ? NEVER_MS : run->start_ms + MINUTE_MS;
}

static int64_t at_nobody(const struct session *session, const struct run *run)
{
    return session->autopilot && !run->host && !(run->said & SAID_NOBODY) ? run->start_ms + 2 * MINUTE_MS : NEVER_MS;
}

static int64_t at_half(const struct session *session, const struct run *run)
{
    (void)session;
    bool due = run->state == RUN_QUESTION && running(run) && !(run->said & SAID_HALF);
    return due ? run->step_ms + (run->due_ms - run->step_ms) / 2 : NEVER_MS;
}

static int64_t at_warning(const struct session *session, const struct run *run)
{
    bool due =
        session->autopilot && run->state == RUN_QUESTION && run->next && running(run) && !(run->said & SAID_WARNING);
    return due ? run->due_ms - 2 * MINUTE_MS : NEVER_MS;
}

static int64_t at_last(const struct session *session, const struct run *run)
{
    bool due = session->autopilot && !run->next && running(run) && !(run->said & SAID_LAST);
    return due ? run->end_ms - 2 * MINUTE_MS : NEVER_MS;
}

static int64_t at_due(const struct session *session, const struct run *run)
{
    return session->autopilot && running(run) && run->state != RUN_CLOSING ? run->due_ms : NEVER_MS;
}

static int64_t at_end(const struct session *session, const struct run *run)
{
    if (!running(run)) {
        return NEVER_MS;
    }
    return session->autopilot ? run->end_ms : live_hard_stop(session, run);
}

static int64_t at_alive(const struct session *session, const struct run *run)
{
    (void)session;
    return run->alive_ms + ALIVE_MS;
}

static int do_quiet(struct session *session, struct run *run)
{
    run->said |= SAID_QUIET;
    int status = store_save(session, run);
    return status < 0 ? status : live_record(session, run, run->due_ms + QUIET_AFTER_MS);
}

static int mark(struct session *session, struct run *run, unsigned flag)
{
    run->said |= flag;
    return store_save(session, run);
}

static int do_hello(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int status = mark(session, run, SAID_HELLO);
    bool fits = run->state == RUN_WELCOME && run->due_ms - now >= MINUTE_MS;
    return status < 0 || !fits ? status : live_say_hello(session, run);
}

static int do_nobody(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int status = mark(session, run, SAID_NOBODY);
    bool fits = run->count && now < run->start_ms + 10 * MINUTE_MS;
    return status < 0 || !fits ? status : live_say_nobody(session, run);
}

/* A short question needs no repeating, a late repeat helps nobody. */
static int do_half(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int status = mark(session, run, SAID_HALF);
    bool fits = run->due_ms - run->step_ms >= 4 * MINUTE_MS && (!session->autopilot || run->due_ms - now >= MINUTE_MS);
    return status < 0 || !fits ? status : live_say_half(session, run);
}

static int do_warning(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int status = mark(session, run, SAID_WARNING);
    bool fits = run->due_ms - run->step_ms >= 4 * MINUTE_MS && run->due_ms - now >= MINUTE_MS;
    return status < 0 || !fits ? status : live_say_warning(session, run);
}

static int do_last(struct session *session, struct run *run)
{
    int64_t now = session->api->now_ms(session->bot);
    int status = mark(session, run, SAID_LAST);
    return status < 0 || run->end_ms - now < MINUTE_MS ? status : live_say_last(session, run);
}

static int do_due(struct session *session, struct run *run)
{
    if (run->next) {
        return live_question(session, run, run->next, run->due_ms);
    }
    run->state = RUN_CLOSING;
    return store_save(session, run);
}

static int do_alive(struct session *session, struct run *run)
{
    run->alive_ms = session->api->now_ms(session->bot);
    return store_save(session, run);
}

/* Of what is due the earliest comes first, of two at one instant the upper one. */
static const struct {
    int64_t (*at)(const struct session *session, const struct run *run);
    int (*run)(struct session *session, struct run *run);
} steps[] = {
    {at_resume, live_resume}, {at_quiet, do_quiet}, {at_hello, do_hello}, {at_nobody, do_nobody}, {at_half, do_half},
    {at_warning, do_warning}, {at_last, do_last},   {at_due, do_due},     {at_alive, do_alive},
};

/* A step that failed half-way is taken back; what it had said stays said, by its key. */
static int take_back(struct session *session, const struct run *before, int status)
{
    if (store_save(session, before) < 0 || live_record(session, before, say_chat(session)->quiet_until_ms) < 0) {
        session->api->log(session->bot, HR_ERROR, "a failed step could not be taken back either");
    }
    return status;
}

int live_step(struct session *session, struct run *run, int64_t now, int64_t *next_ms)
{
    const struct run before = *run;
    size_t best = 0;
    int64_t best_ms = at_end(session, run);
    if (best_ms <= now) { /* it is over: what was due before is worth nothing now */
        int status = live_end(session, run);
        return status < 0 ? take_back(session, &before, status) : 1;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        int64_t at = steps[i].at(session, run);
        if (at < best_ms) {
            best_ms = at;
            best = i;
        }
    }
    if (best_ms > now) {
        *next_ms = earlier(*next_ms, best_ms);
        return 0;
    }
    int status = steps[best].run(session, run);
    return status < 0 ? take_back(session, &before, status) : 1;
}
