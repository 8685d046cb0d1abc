/* SPDX-License-Identifier: MIT */
/* What a host does during the chat: !start !next !again !extend !pause !resume !skip !end. */
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int answer(struct session *session, const struct hr_call *call, const char *text)
{
    return session->api->answer(session->bot, call, text);
}

static const char *number(struct session *session, int n)
{
    return session->api->print(session->bot, "%d", n);
}

/* The live session, marked as led by a host; answers where there is none. */
static int led(struct session *session, const struct hr_call *call, struct run *run, bool *live)
{
    int status = store_run(session, run, live);
    if (status < 0) {
        return status;
    }
    if (!*live) {
        return answer_no_chat(session, call);
    }
    run->host = true;
    return store_save(session, run);
}

/* After a step the timer has to be set anew. */
static int done(struct session *session, int status)
{
    if (status >= 0) {
        session_tick(session);
    }
    return status;
}

/* "5", "5 minutes", "" for the preset; false: not between 1 and most. */
static bool read_minutes(const char *text, int preset, int most, int64_t *ms)
{
    char *rest;
    long n = *text ? strtol(text, &rest, 10) : preset;
    if (*text && (rest == text || (*rest && *rest != ' ' && *rest != 'm'))) {
        return false;
    }
    if (n < 1 || n > most) { /* before it is multiplied: people type any number */
        return false;
    }
    *ms = n * MINUTE_MS;
    return true;
}

int run_start(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    int64_t now = api->now_ms(session->bot);
    struct run run;
    bool live;
    int status = store_run(session, &run, &live);
    if (status < 0) {
        return status;
    }
    if (live) {
        run.host = true;
        status = store_save(session, &run);
        const char *id = session->autopilot ? "start_taken" : "start_taken_manual";
        return status < 0 ? status : answer(session, call, api->words(session->bot, id, NULL));
    }
    struct occurrence next = wait_next(session, now);
    bool soon = next.known && next.at_ms - now <= HOUR_MS;
    if (next.known && !soon && strcasecmp(call->rest, "now") != 0) {
        return answer(session, call,
                      api->words(session->bot, "start_early", "day",
                                 api->print(session->bot, "on %s", say_day(session, &next.wall)), "time",
                                 say_when(session, next.at_ms), NULL));
    }
    /* far from its time it is an extra chat: the planned one still comes */
    next.known = next.known && next.at_ms - now <= 12 * HOUR_MS;
    return done(session, live_begin(session, &next, now, true));
}

int run_next(void *state, const struct hr_call *call)
{
    struct session *session = state;
    struct run run;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!run.next) {
        return answer(session, call,
                      session->api->words(session->bot, "next_no_more", "time", say_when(session, run.end_ms), NULL));
    }
    return done(session, live_question(session, &run, run.next, session->api->now_ms(session->bot)));
}

int run_again(void *state, const struct hr_call *call)
{
    struct session *session = state;
    struct run run;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!run.question) {
        return answer(session, call, session->api->words(session->bot, "again_none", NULL));
    }
    status = live_record(session, &run, session->api->now_ms(session->bot) + QUIET_AFTER_MS);
    return status < 0 ? status : live_say_question(session, &run, true);
}

int run_extend(void *state, const struct hr_call *call)
{
    struct session *session = state;
    int64_t ms;
    struct run run;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!read_minutes(call->rest, 5, 30, &ms)) {
        return answer(session, call, session->api->words(session->bot, "extend_how", NULL));
    }
    if (run.extensions >= MAX_EXTENSIONS) {
        return answer(session, call,
                      session->api->words(session->bot, "extend_full", "count", number(session, MAX_EXTENSIONS), NULL));
    }
    return done(session, live_extend(session, &run, ms));
}

int run_pause(void *state, const struct hr_call *call)
{
    struct session *session = state;
    int64_t ms;
    struct run run;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!read_minutes(call->rest, 5, 60, &ms)) {
        return answer(session, call, session->api->words(session->bot, "pause_how", NULL));
    }
    return done(session, live_pause(session, &run, ms));
}

int run_resume(void *state, const struct hr_call *call)
{
    struct session *session = state;
    struct run run;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!run.paused_ms) {
        return answer(session, call, session->api->words(session->bot, "not_paused", NULL));
    }
    return done(session, live_resume(session, &run));
}

int run_skip(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    struct run run;
    struct plan plan;
    bool live;
    int status = led(session, call, &run, &live);
    if (status < 0 || !live) {
        return status;
    }
    if (!run.next) {
        return answer(session, call, api->words(session->bot, "skip_none", NULL));
    }
    status = store_plan(session, run.id, &plan);
    if (status < 0) {
        return status;
    }
    int left_out = run.next;
    plan.question[left_out - 1].skipped = true;
    status = store_save_plan(session, &plan);
    if (status >= 0) {
        status = store_run(session, &run, &live);
    }
    if (status < 0) {
        return status;
    }
    const char *next = run.next ? api->words(session->bot, "skipped_next", "n", number(session, run.next), NULL)
                                : api->words(session->bot, "skipped_last", NULL);
    return done(
        session,
        answer(session, call, api->words(session->bot, "skipped", "n", number(session, left_out), "next", next, NULL)));
}

/* After its planned end anybody present may end the chat: a host who is gone
 * must not keep it open. */
int run_end(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    struct run run;
    bool live;
    int status = store_run(session, &run, &live);
    if (status < 0) {
        return status;
    }
    bool overrun = live && api->now_ms(session->bot) >= run.start_ms + session->length_ms + run.added_ms;
    if (!overrun && !api->may(session->bot, call, "chat.run")) {
        const char *hosts = api->hosts(session->bot, session->chat);
        return answer(session, call,
                      api->words(session->bot, "T21", "command", "!end", "hosts",
                                 hosts[0] ? api->words(session->bot, "T21_hosts", "hosts", hosts, NULL) : "", NULL));
    }
    if (!live) {
        return answer_no_chat(session, call);
    }
    return done(session, live_end(session, &run));
}
