/* SPDX-License-Identifier: MIT */
/* What a live session says, and until when it is worth saying. */
#include "live.h"

#include <string.h>

static const char *key(struct session *session, const struct run *run, const char *what)
{
    return session->api->print(session->bot, "s%lld:%s", (long long)run->id, what);
}

static const char *number(struct session *session, int64_t n)
{
    return session->api->print(session->bot, "%lld", (long long)n);
}

static int say(struct session *session, const struct run *run, const char *what, const char *text, int64_t expires_ms,
               uint32_t flags)
{
    struct saying saying = {
        .text = text,
        .key = what ? key(session, run, what) : NULL,
        .priority = HR_TIMING,
        .expires_ms = expires_ms,
        .flags = flags,
    };
    return say_people(session, &saying);
}

/* Text of the open question; "" if there is none. */
static const char *open_text(struct session *session, const struct run *run)
{
    struct plan plan;
    if (store_plan(session, run->id, &plan) < 0 || run->question < 1 || run->question > plan.count) {
        return "";
    }
    return session->api->print(session->bot, "%s", plan.question[run->question - 1].text);
}

const char *live_where(struct session *session, const struct run *run)
{
    const struct hr_api *api = session->api;
    if (run->question) {
        return api->words(session->bot, "where", "n", number(session, run->question), "of", number(session, run->count),
                          NULL);
    }
    return api->words(session->bot, run->next ? "where_welcome" : "where_open", NULL);
}

/* ---- start ---------------------------------------------------------------------- */

static const char *questions_line(struct session *session, const struct run *run, int count)
{
    const char *minutes = say_span(session, run->question_ms);
    if (count == 0) {
        return "";
    }
    if (count == 1) {
        return session->api->words(session->bot, "T05_question", "minutes", minutes, NULL);
    }
    return session->api->words(session->bot, "T05_questions", "count",
                               say_count(session, count, "question", "questions"), "minutes", minutes, NULL);
}

int live_say_welcome(struct session *session, const struct run *run, const struct plan *plan)
{
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    const char *host = api->hosts(bot, session->chat);
    const char *topic =
        plan->topic[0] ? api->words(bot, "T05_topic", "topic", say_sentence(session, plan->topic), NULL) : "";
    const char *text = api->words(bot, "T05", "tag", say_tag(session), "topic", topic, "host",
                                  host[0] ? api->words(bot, "T05_host", "host", host, NULL) : "", "questions",
                                  questions_line(session, run, plan->count), NULL);
    return say(session, run, "welcome", text, run->end_ms, HR_SAY_TEXT);
}

int live_say_hello(struct session *session, const struct run *run)
{
    return say(session, run, "hello", session->api->words(session->bot, "T06", NULL), run->due_ms, 0);
}

int live_say_nobody(struct session *session, const struct run *run)
{
    return say(session, run, "nobody", session->api->words(session->bot, "T35", NULL), run->end_ms, 0);
}

/* ---- questions ---------------------------------------------------------------------- */

static int say_in_rooms(struct session *session, const struct run *run, const char *text, bool again)
{
    const char *n = number(session, run->question);
    struct saying saying = {
        .text = session->api->words(session->bot, "T07", "n", n, "of", number(session, run->count), "text", text, NULL),
        .key = again ? NULL : key(session, run, session->api->print(session->bot, "q%s", n)),
        .priority = HR_QUESTION,
        .expires_ms = session->autopilot && run->next ? run->due_ms : run->end_ms,
        .flags = HR_SAY_TEXT,
    };
    return say_people(session, &saying);
}

/* One post a question, with its number and the hashtag, in the thread of the session. */
static int say_in_posts(struct session *session, const struct run *run, const char *text)
{
    const char *n = number(session, run->question);
    struct saying saying = {
        .text = session->api->words(session->bot, "T07_post", "n", n, "text", text, "tag", say_tag(session), NULL),
        .key = key(session, run, session->api->print(session->bot, "q%s:post", n)),
        .priority = HR_QUESTION,
        .expires_ms = session->autopilot && run->next ? run->due_ms : run->end_ms,
        .flags = HR_SAY_THREAD,
    };
    return say_posts(session, &saying);
}

int live_say_question(struct session *session, const struct run *run, bool again)
{
    const char *text = open_text(session, run);
    int status = say_in_rooms(session, run, text, again);
    if (status < 0 || again) {
        return status;
    }
    status = say_in_posts(session, run, text);
    if (status < 0 || run->next || !session->autopilot) {
        return status;
    }
    int64_t left = run->end_ms - session->api->now_ms(session->bot);
    return say(session, run, "last", session->api->words(session->bot, "T13", "span", say_span(session, left), NULL),
               run->due_ms, 0);
}

/* A question that a host wrote without its mark still ends before the next sentence. */
static const char *as_sentence(struct session *session, const char *text)
{
    size_t len = strlen(text);
    return len > 0 && strchr(".?!", text[len - 1]) ? text : session->api->print(session->bot, "%s.", text);
}

int live_say_half(struct session *session, const struct run *run)
{
    const char *n = number(session, run->question);
    const char *text = session->api->words(session->bot, "T08", "n", n, "of", number(session, run->count), "text",
                                           as_sentence(session, open_text(session, run)), NULL);
    return say(session, run, session->api->print(session->bot, "q%s:half", n), text, run->due_ms, 0);
}

int live_say_warning(struct session *session, const struct run *run)
{
    const char *n = number(session, run->question);
    int64_t left = run->due_ms - session->api->now_ms(session->bot);
    const char *text = session->api->words(session->bot, "T09", "next", number(session, run->next), "lead",
                                           say_span(session, left), "n", n, NULL);
    const char *what = session->api->print(session->bot, "q%s:warning:%d", n, run->extensions);
    return say(session, run, what, text, run->due_ms, 0);
}

int live_say_last(struct session *session, const struct run *run)
{
    int64_t left = run->end_ms - session->api->now_ms(session->bot);
    const char *id = run->question ? "T13" : "T13_open";
    const char *what = session->api->print(session->bot, "ending:%d", run->extensions);
    return say(session, run, what, session->api->words(session->bot, id, "span", say_span(session, left), NULL),
               run->end_ms, 0);
}

/* ---- the clock ------------------------------------------------------------------------- */

int live_say_extended(struct session *session, const struct run *run, int64_t ms)
{
    const char *more = number(session, say_minutes(ms)), *unit = say_minutes(ms) == 1 ? "minute" : "minutes";
    const struct hr_api *api = session->api;
    const char *text;
    if (run->state == RUN_QUESTION) {
        text = api->words(session->bot, "T10", "more", more, "unit", unit, "n", number(session, run->question), NULL);
    } else if (run->state == RUN_WELCOME && run->next) {
        text = api->words(session->bot, "T10_welcome", "more", more, "unit", unit, NULL);
    } else {
        text = api->words(session->bot, "T10_closing", "more", more, "unit", unit, "time",
                          say_when(session, run->end_ms), NULL);
    }
    return say(session, run, NULL, text, run->end_ms, 0);
}

int live_say_paused(struct session *session, const struct run *run, int64_t ms)
{
    const char *text = session->api->words(session->bot, "T11", "span", say_span(session, ms), NULL);
    return say(session, run, NULL, text, run->resume_ms, 0);
}

int live_say_resumed(struct session *session, const struct run *run)
{
    const char *where = session->api->print(session->bot, " %s", live_where(session, run));
    return say(session, run, NULL, session->api->words(session->bot, "T12", "where", where, NULL), run->end_ms, 0);
}

static const char *back_text(struct session *session, const struct run *run, int64_t away_ms)
{
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    const char *services =
        api->print(bot, "%s%s", say_has_service(session, "Matrix") ? api->words(bot, "T34_matrix", NULL) : "",
                   say_has_service(session, "IRC") ? api->words(bot, "T34_irc", NULL) : "");
    const char *where = run->paused_ms ? api->words(bot, "T22_paused", NULL) : live_where(session, run);
    return api->words(bot, "T34", "span", say_span(session, away_ms), "where", where, "services", services, NULL);
}

int live_say_back(struct session *session, const struct run *run, int64_t away_ms, int64_t since_ms)
{
    struct saying saying = {
        .text = back_text(session, run, away_ms),
        .key = key(session, run, session->api->print(session->bot, "away:%lld", (long long)since_ms)),
        .priority = HR_QUESTION, /* it has to come before the question it speaks of */
        .expires_ms = session->autopilot && run->next ? run->due_ms : run->end_ms,
    };
    session->told_away_ms = session->api->monotonic_ms(session->bot);
    return say_people(session, &saying);
}

/* The note, and under it the question it is about: a repeat is then a clear restatement. */
int live_say_again(struct session *session, const struct run *run, uint64_t room)
{
    int64_t now = session->api->now_ms(session->bot), monotonic = session->api->monotonic_ms(session->bot);
    struct saying saying = {
        .text = back_text(session, run, now - run->alive_ms),
        .priority = HR_QUESTION,
        .expires_ms = session->autopilot && run->next ? run->due_ms : run->end_ms,
    };
    int status = 0;
    if (session->told_away_ms == 0 || monotonic - session->told_away_ms > MINUTE_MS) {
        status = say_room(session, room, &saying);
    }
    if (status < 0 || run->question == 0) {
        return status;
    }
    saying.text = session->api->words(session->bot, "T07", "n", number(session, run->question), "of",
                                      number(session, run->count), "text", open_text(session, run), NULL);
    saying.flags = HR_SAY_TEXT;
    return say_room(session, room, &saying);
}

/* ---- end ---------------------------------------------------------------------------------- */

/* The list of links is another plugin's: read what it publishes, if it is there. */
static const char *links_line(struct session *session, const struct run *run)
{
    const struct hr_value id = HR_V_INT(run->id);
    int64_t links = store_number(session, "SELECT count FROM resources_pub_count WHERE session = ?1", &id, 1, 0);
    if (links <= 0) {
        return "";
    }
    return session->api->words(session->bot, "T14_links", "count", say_count(session, links, "link", "links"), "them",
                               links == 1 ? "it" : "them", NULL);
}

int live_say_end(struct session *session, const struct run *run)
{
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    const char *late = "", *next = "";
    if (run->count && session->late_days) {
        struct moment day = schedule_wall(session->schedule.zone, run->end_ms + session->late_days * DAY_MS);
        late = api->words(bot, "T14_late", "day", say_day(session, &day), NULL);
    }
    if (wait_next(session, run->end_ms).known) {
        next = api->print(bot, "\n%s", ask_next_chat(session));
    }
    const char *text = api->words(bot, "T14", "tag", say_tag(session), "late", late, "links", links_line(session, run),
                                  "next", next, NULL);
    return say(session, run, "end", text, run->end_ms + DAY_MS, HR_SAY_TEXT);
}
