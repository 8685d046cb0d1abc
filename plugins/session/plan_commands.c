/* SPDX-License-Identifier: MIT */
/* Topic and questions, before and during the chat: !topic, !q. */
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int answer(struct session *session, const struct hr_call *call, const char *text)
{
    return session->api->answer(session->bot, call, text);
}

static const char *number(struct session *session, size_t n)
{
    return session->api->print(session->bot, "%zu", n);
}

/* Spaces and line ends in a row count as one space. */
static const char *flat(struct session *session, const char *text)
{
    char *out = (char *)session->api->print(session->bot, "%s", text);
    size_t len = 0;
    for (const char *c = text; *c; c++) {
        bool space = *c == ' ' || *c == '\n' || *c == '\t';
        if (!space) {
            out[len++] = *c;
        } else if (len && out[len - 1] != ' ') {
            out[len++] = ' ';
        }
    }
    while (len && out[len - 1] == ' ') {
        len--;
    }
    out[len] = '\0';
    return out;
}

static size_t points(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* The plan that is being worked on: of the live session, else of the next one. */
static int read_plan(struct session *session, struct plan *plan, int *asked)
{
    struct run run;
    bool live;
    int status = store_run(session, &run, &live);
    if (status < 0) {
        return status;
    }
    *asked = live ? run.question : 0;
    return store_plan(session, live ? run.id : 0, plan);
}

/* ---- !topic ------------------------------------------------------------------------ */

static int show_topic(struct session *session, const struct hr_call *call, const struct plan *plan)
{
    const struct hr_api *api = session->api;
    return answer(session, call,
                  plan->topic[0]
                      ? api->words(session->bot, "topic_show", "topic", say_sentence(session, plan->topic), NULL)
                      : api->words(session->bot, "topic_none", NULL));
}

int run_topic(void *state, const struct hr_call *call)
{
    struct session *session = state;
    const struct hr_api *api = session->api;
    struct plan plan;
    int asked;
    int status = read_plan(session, &plan, &asked);
    const char *words = flat(session, call->rest);
    if (status < 0) {
        return status;
    }
    if (!words[0]) {
        return show_topic(session, call, &plan);
    }
    if (!api->may(session->bot, call, "chat.plan")) {
        const char *hosts = api->hosts(session->bot, session->chat);
        return answer(session, call,
                      api->words(session->bot, "T21", "command", "!topic to set the topic", "hosts",
                                 hosts[0] ? api->words(session->bot, "T21_hosts", "hosts", hosts, NULL) : "", NULL));
    }
    if (points(words) > MAX_TOPIC_POINTS) {
        return answer(session, call,
                      api->words(session->bot, "topic_long", "max", number(session, MAX_TOPIC_POINTS), NULL));
    }
    (void)snprintf(plan.topic, sizeof(plan.topic), "%s", words);
    status = store_save_plan(session, &plan);
    return status < 0 ? status
                      : answer(session, call,
                               api->words(session->bot, "topic_set", "topic", say_sentence(session, words), NULL));
}

/* ---- !q -------------------------------------------------------------------------------- */

/* What would make the question easier to answer, or "". */
static const char *hint(struct session *session, const char *text, int n)
{
    size_t marks = 0;
    for (const char *c = text; *c; c++) {
        marks += *c == '?';
    }
    if (marks == 1) {
        return "";
    }
    if (marks == 0) {
        return session->api->words(session->bot, "q_no_mark", "n", number(session, (size_t)n), NULL);
    }
    return session->api->words(session->bot, "q_many_marks", "count", number(session, marks), "n",
                               number(session, (size_t)n), NULL);
}

static int save_question(struct session *session, const struct hr_call *call, struct plan *plan, int n,
                         const char *rest)
{
    const struct hr_api *api = session->api;
    const char *text = flat(session, rest);
    if (!text[0]) {
        return answer(session, call, api->words(session->bot, "q_how", NULL));
    }
    if (points(text) > MAX_QUESTION_POINTS) {
        return answer(session, call,
                      api->words(session->bot, "q_long", "count", number(session, points(text)), "max",
                                 number(session, MAX_QUESTION_POINTS), NULL));
    }
    if (n > MAX_QUESTIONS) {
        return answer(session, call, api->words(session->bot, "q_full", "max", number(session, MAX_QUESTIONS), NULL));
    }
    struct question *question = &plan->question[n - 1];
    (void)snprintf(question->text, sizeof(question->text), "%s", text);
    question->skipped = false;
    plan->count = n > plan->count ? n : plan->count;
    int status = store_save_plan(session, plan);
    return status < 0 ? status
                      : answer(session, call,
                               api->words(session->bot, "q_saved", "n", number(session, (size_t)n), "hint",
                                          hint(session, text, n), NULL));
}

/* Is there a question n that may still be changed? If not, it has been answered. */
static bool may_change(struct session *session, const struct hr_call *call, const struct plan *plan, int asked, long n,
                       int *status)
{
    const char *id = n < 1 || n > plan->count ? "q_unknown" : n <= asked ? "q_asked" : NULL;
    if (id) {
        *status = answer(session, call,
                         session->api->words(session->bot, id, "n", session->api->print(session->bot, "%ld", n), NULL));
    }
    return !id;
}

static int drop(struct session *session, const struct hr_call *call, struct plan *plan, int asked, long n)
{
    int status;
    if (!may_change(session, call, plan, asked, n, &status)) {
        return status;
    }
    memmove(&plan->question[n - 1], &plan->question[n], (size_t)(plan->count - n) * sizeof(plan->question[0]));
    plan->count--;
    status = store_save_plan(session, plan);
    return status < 0
               ? status
               : answer(session, call,
                        session->api->words(session->bot, "q_dropped", "n", number(session, (size_t)n), "count",
                                            say_count(session, plan->count, "question is", "questions are"), NULL));
}

static int move(struct session *session, const struct hr_call *call, struct plan *plan, int asked, long from, long to)
{
    int status;
    if (!may_change(session, call, plan, asked, from, &status) ||
        !may_change(session, call, plan, asked, to, &status)) {
        return status;
    }
    struct question moved = plan->question[from - 1];
    long step = to > from ? 1 : -1;
    for (long n = from; n != to; n += step) {
        plan->question[n - 1] = plan->question[n + step - 1];
    }
    plan->question[to - 1] = moved;
    status = store_save_plan(session, plan);
    return status < 0 ? status
                      : answer(session, call,
                               session->api->words(session->bot, "q_moved", "from", number(session, (size_t)from), "to",
                                                   number(session, (size_t)to), NULL));
}

/* The text after the first word of `rest`. */
static const char *after_word(const char *rest)
{
    rest += strcspn(rest, " \n\t");
    return rest + strspn(rest, " \n\t");
}

static bool whole_number(const char *text, long *out)
{
    char *rest;
    *out = strtol(text, &rest, 10);
    return rest != text && *out > 0 && *out < 1000 &&
           (*rest == '\0' || ((*rest == '.' || *rest == ':') && rest[1] == '\0'));
}

static int change(struct session *session, const struct hr_call *call, struct plan *plan, int asked)
{
    const char *const *word = call->argv;
    long n, to;
    if (strcasecmp(word[0], "add") == 0) {
        return save_question(session, call, plan, plan->count + 1, after_word(call->rest));
    }
    if (strcasecmp(word[0], "drop") == 0 && call->argc == 2 && whole_number(word[1], &n)) {
        return drop(session, call, plan, asked, n);
    }
    if (strcasecmp(word[0], "move") == 0) {
        if (call->argc == 3 && whole_number(word[1], &n) && whole_number(word[2], &to)) {
            return move(session, call, plan, asked, n, to);
        }
        return answer(session, call, session->api->words(session->bot, "q_how_move", NULL));
    }
    if (whole_number(word[0], &n) && call->argc > 1) {
        int status;
        if (n == plan->count + 1) {
            return save_question(session, call, plan, (int)n, after_word(call->rest));
        }
        return may_change(session, call, plan, asked, n, &status)
                   ? save_question(session, call, plan, (int)n, after_word(call->rest))
                   : status;
    }
    return answer(session, call, session->api->words(session->bot, "q_how", NULL));
}

int run_q(void *state, const struct hr_call *call)
{
    struct session *session = state;
    struct plan plan;
    int asked;
    if (call->argc == 0) {
        return run_questions(state, call);
    }
    int status = read_plan(session, &plan, &asked);
    if (status >= 0) {
        status = change(session, call, &plan, asked);
    }
    if (status >= 0) {
        session_tick(session); /* a question more or less: what comes next may have changed */
    }
    return status;
}
