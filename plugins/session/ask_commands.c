/* SPDX-License-Identifier: MIT */
/* What everybody may ask: !now, !questions, !when. */
#include "session.h"

#include <string.h>

const char *ask_next_chat(struct session *session)
{
    struct occurrence next = wait_next(session, session->api->now_ms(session->bot));
    if (!next.known) {
        return session->api->words(session->bot, "next_none", NULL);
    }
    return session->api->words(session->bot, "next_chat", "day", say_day(session, &next.wall), "time",
                               say_when(session, next.at_ms), NULL);
}

int answer_no_chat(struct session *session, const struct hr_call *call)
{
    int64_t now = session->api->now_ms(session->bot);
    struct occurrence next = wait_next(session, now);
    const char *text;
    if (next.known && next.at_ms <= now) {
        text = session->api->words(session->bot, "not_begun", "time", say_when(session, next.at_ms), NULL);
    } else {
        text = session->api->words(session->bot, "no_chat", "next", ask_next_chat(session), NULL);
    }
    return session->api->answer(session->bot, call, text);
}

/* ---- !now ------------------------------------------------------------------------ */

static const char *time_left(struct session *session, const struct run *run)
{
    const struct hr_api *api = session->api;
    int64_t now = api->now_ms(session->bot);
    if (run->paused_ms) {
        return api->words(session->bot, "T22_paused", NULL);
    }
    if (!session->autopilot) {
        return api->words(session->bot, "T22_manual", NULL);
    }
    if (run->state == RUN_CLOSING || !run->next) {
        return api->words(session->bot, "T22_ends", "span", say_span(session, run->end_ms - now), NULL);
    }
    if (run->state == RUN_WELCOME) {
        return api->words(session->bot, "now_first", "span", say_span(session, run->due_ms - now), NULL);
    }
    if (say_minutes(run->due_ms - now) == 1) {
        return api->words(session->bot, "T22_left_one", NULL);
    }
    return api->words(session->bot, "T22_left", "span", say_span(session, run->due_ms - now), NULL);
}

int run_now(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    struct run run;
    struct plan plan;
    bool live;
    int status = store_run(session, &run, &live);
    if (status >= 0 && live) {
        status = store_plan(session, run.id, &plan);
    }
    if (status < 0) {
        return status;
    }
    if (!live) {
        return answer_no_chat(session, call);
    }
    const char *left = time_left(session, &run);
    if (run.question < 1 || run.question > plan.count) {
        return api->answer(session->bot, call,
                           api->words(session->bot, "now_welcome", "tag", say_tag(session), "left", left, NULL));
    }
    return api->answer(session->bot, call,
                       api->words(session->bot, "T22", "tag", say_tag(session), "n",
                                  api->print(session->bot, "%d", run.question), "of",
                                  api->print(session->bot, "%d", run.count), "text",
                                  plan.question[run.question - 1].text, "left", left, NULL));
}

/* ---- !questions ----------------------------------------------------------------------- */

static const char *list(struct session *session, const struct plan *plan)
{
    const struct hr_api *api = session->api;
    struct occurrence next = wait_next(session, api->now_ms(session->bot));
    const char *what =
        plan->session || !next.known ? api->words(session->bot, "questions_now", NULL) : say_day(session, &next.wall);
    const char *text = api->words(session->bot, "questions_head", "what", what, NULL);
    for (int i = 0; i < plan->count; i++) {
        const char *note = plan->question[i].skipped ? api->words(session->bot, "questions_skipped", NULL) : "";
        text = api->print(session->bot, "%s%s", text,
                          api->words(session->bot, "questions_line", "n", api->print(session->bot, "%d", i + 1), "text",
                                     plan->question[i].text, "note", note, NULL));
    }
    return text;
}

int run_questions(void *state, const struct hr_call *call)
{
    struct session *session = state;
    struct run run;
    struct plan plan;
    bool live;
    int status = store_run(session, &run, &live);
    if (status >= 0) {
        status = store_plan(session, live ? run.id : 0, &plan);
    }
    if (status < 0) {
        return status;
    }
    const char *text = plan.count ? list(session, &plan) : session->api->words(session->bot, "questions_none", NULL);
    return session->api->answer(session->bot, call, text);
}

/* ---- !when ---------------------------------------------------------------------------------- */

int run_when(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    struct run run;
    struct plan plan;
    bool live;
    int status = store_run(session, &run, &live);
    if (status >= 0) {
        status = store_plan(session, 0, &plan);
    }
    if (status < 0) {
        return status;
    }
    const char *text = "";
    if (live) {
        text = api->print(
            bot, "%s\n",
            api->words(bot, "when_live", "tag", say_tag(session), "time", say_when(session, run.end_ms), NULL));
    }
    struct occurrence next = wait_next(session, api->now_ms(bot));
    if (!next.known) {
        return api->answer(bot, call, api->print(bot, "%s%s", text, api->words(bot, "next_none", NULL)));
    }
    const char *topic =
        plan.topic[0] ? api->words(bot, "topic_part", "topic", say_sentence(session, plan.topic), NULL) : "";
    const char *questions = plan.count && !live ? api->words(bot, "questions_part", NULL) : "";
    const char *when = api->words(bot, "when", "tag", say_tag(session), "day", say_day(session, &next.wall), "times",
                                  say_times(session, &next.wall), "topic", topic, "questions", questions, NULL);
    return api->answer(bot, call, api->print(bot, "%s%s", text, when));
}
