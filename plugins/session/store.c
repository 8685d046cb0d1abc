/* SPDX-License-Identifier: MIT */
/* Sessions, topics and questions in the database. */
#include "session.h"

#include <string.h>

const char *const session_schema[] = {
    "CREATE TABLE session_run(id INTEGER PRIMARY KEY, chat TEXT NOT NULL, wall TEXT NOT NULL, zone TEXT NOT NULL,"
    " day TEXT NOT NULL, state INTEGER NOT NULL, question INTEGER NOT NULL, start_ms INTEGER NOT NULL,"
    " step_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, added_ms INTEGER NOT NULL,"
    " question_ms INTEGER NOT NULL, paused_ms INTEGER NOT NULL, resume_ms INTEGER NOT NULL, alive_ms INTEGER NOT NULL,"
    " extensions INTEGER NOT NULL, host INTEGER NOT NULL, said INTEGER NOT NULL, late_ms INTEGER NOT NULL)",
    /* session 0 is the next one; from_file: no host has changed it */
    "CREATE TABLE session_plan(chat TEXT NOT NULL, session INTEGER NOT NULL, topic TEXT NOT NULL,"
    " from_file INTEGER NOT NULL, PRIMARY KEY(chat, session)) WITHOUT ROWID",
    "CREATE TABLE session_question(chat TEXT NOT NULL, session INTEGER NOT NULL, n INTEGER NOT NULL, text TEXT NOT "
    "NULL,"
    " skipped INTEGER NOT NULL, PRIMARY KEY(chat, session, n)) WITHOUT ROWID",
    "CREATE TABLE session_once(what TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE VIEW session_pub_run AS SELECT r.id AS session, r.chat AS chat, r.day AS day, r.start_ms AS start_ms,"
    " r.end_ms AS end_ms, r.late_ms AS late_ms, r.state < 4 AS live, coalesce(p.topic, '') AS topic"
    " FROM session_run r LEFT JOIN session_plan p ON p.chat = r.chat AND p.session = r.id",
    "CREATE VIEW session_pub_question AS SELECT session, n, text, skipped FROM session_question WHERE session > 0",
    NULL,
};

enum { RUN_COLUMNS = 18 };

static int on_run(void *arg, const struct hr_value *c, size_t count)
{
    struct run *run = arg;
    if (count != RUN_COLUMNS) {
        return HR_EINVAL;
    }
    *run = (struct run){
        .id = c[0].num,
        .state = (enum run_state)c[1].num,
        .question = (int)c[2].num,
        .start_ms = c[3].num,
        .step_ms = c[4].num,
        .due_ms = c[5].num,
        .end_ms = c[6].num,
        .added_ms = c[7].num,
        .question_ms = c[8].num,
        .paused_ms = c[9].num,
        .resume_ms = c[10].num,
        .alive_ms = c[11].num,
        .extensions = (int)c[12].num,
        .host = c[13].num != 0,
        .said = (unsigned)c[14].num,
        .count = (int)c[15].num,
        .next = (int)c[16].num,
        .left = (int)c[17].num,
    };
    return 0;
}

int store_run(struct session *session, struct run *out, bool *live)
{
    const struct hr_value chat = HR_V_STR(session->chat);
    struct run run = {0};
    int status = session->api->sql(
        session->bot,
        "SELECT r.id, r.state, r.question, r.start_ms, r.step_ms, r.due_ms, r.end_ms, r.added_ms, r.question_ms, "
        "r.paused_ms,"
        " r.resume_ms, r.alive_ms, r.extensions, r.host, r.said,"
        " (SELECT count(*) FROM session_question q WHERE q.chat = r.chat AND q.session = r.id),"
        " (SELECT coalesce(min(n), 0) FROM session_question q WHERE q.chat = r.chat AND q.session = r.id"
        "   AND q.n > r.question AND NOT q.skipped),"
        " (SELECT count(*) FROM session_question q WHERE q.chat = r.chat AND q.session = r.id"
        "   AND q.n > r.question AND NOT q.skipped)"
        " FROM session_run r WHERE r.chat = ?1 AND r.state < 4 ORDER BY r.id DESC LIMIT 1",
        &chat, 1, on_run, &run);
    if (status < 0) {
        return status;
    }
    *live = run.id != 0;
    *out = run;
    return 0;
}

static int on_number(void *arg, const struct hr_value *column, size_t count)
{
    if (count && column[0].type == HR_INT) {
        *(int64_t *)arg = column[0].num;
    }
    return 0;
}

int64_t store_number(struct session *session, const char *sql, const struct hr_value *args, size_t count,
                     int64_t preset)
{
    int64_t out = preset;
    return session->api->sql(session->bot, sql, args, count, on_number, &out) < 0 ? preset : out;
}

/* The plan of the next session becomes the plan of this one. */
static int take_plan(struct session *session, int64_t id)
{
    const struct hr_value args[] = {HR_V_STR(session->chat), HR_V_INT(id)};
    int status = session->api->sql(session->bot, "UPDATE session_plan SET session = ?2 WHERE chat = ?1 AND session = 0",
                                   args, 2, NULL, NULL);
    if (status < 0) {
        return status;
    }
    return session->api->sql(session->bot, "UPDATE session_question SET session = ?2 WHERE chat = ?1 AND session = 0",
                             args, 2, NULL, NULL);
}

int store_new_run(struct session *session, struct run *run, const char *wall, const char *day)
{
    run->id = store_number(session, "SELECT coalesce(max(id), 0) + 1 FROM session_run", NULL, 0, 0);
    if (run->id <= 0) {
        return HR_EFAIL;
    }
    const struct hr_value args[] = {HR_V_INT(run->id), HR_V_STR(session->chat),
                                    HR_V_STR(wall),    HR_V_STR(session->schedule.zone),
                                    HR_V_STR(day),     HR_V_INT(run->start_ms)};
    int status = session->api->sql(
        session->bot,
        "INSERT INTO session_run VALUES(?1, ?2, ?3, ?4, ?5, 1, 0, ?6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)", args, 6,
        NULL, NULL);
    if (status >= 0) {
        status = take_plan(session, run->id);
    }
    return status < 0 ? status : store_save(session, run);
}

int store_save(struct session *session, const struct run *run)
{
    int64_t late_ms = run->end_ms + session->late_days * DAY_MS;
    const struct hr_value args[] = {
        HR_V_INT(run->id),        HR_V_INT(run->state),     HR_V_INT(run->question), HR_V_INT(run->step_ms),
        HR_V_INT(run->due_ms),    HR_V_INT(run->end_ms),    HR_V_INT(run->added_ms), HR_V_INT(run->question_ms),
        HR_V_INT(run->paused_ms), HR_V_INT(run->resume_ms), HR_V_INT(run->alive_ms), HR_V_INT(run->extensions),
        HR_V_INT(run->host),      HR_V_INT(run->said),      HR_V_INT(late_ms),
    };
    return session->api->sql(session->bot,
                             "UPDATE session_run SET state = ?2, question = ?3, step_ms = ?4, due_ms = ?5, end_ms = ?6,"
                             " added_ms = ?7, question_ms = ?8, paused_ms = ?9, resume_ms = ?10, alive_ms = ?11,"
                             " extensions = ?12, host = ?13, said = ?14, late_ms = ?15 WHERE id = ?1",
                             args, sizeof(args) / sizeof(*args), NULL, NULL);
}

/* ---- plans ---------------------------------------------------------------------- */

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text ? text : "");
}

static int on_topic(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct plan *plan = arg;
    copy(plan->topic, sizeof(plan->topic), column[0].str);
    return 0;
}

static int on_question(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct plan *plan = arg;
    if (plan->count < MAX_QUESTIONS) {
        struct question *question = &plan->question[plan->count++];
        copy(question->text, sizeof(question->text), column[0].str);
        question->skipped = column[1].num != 0;
    }
    return 0;
}

int store_plan(struct session *session, int64_t run, struct plan *out)
{
    const struct hr_value args[] = {HR_V_STR(session->chat), HR_V_INT(run)};
    out->session = run;
    out->topic[0] = '\0';
    out->count = 0;
    int status = session->api->sql(session->bot, "SELECT topic FROM session_plan WHERE chat = ?1 AND session = ?2",
                                   args, 2, on_topic, out);
    if (status < 0) {
        return status;
    }
    return session->api->sql(session->bot,
                             "SELECT text, skipped FROM session_question WHERE chat = ?1 AND session = ?2 ORDER BY n",
                             args, 2, on_question, out);
}

static int write_plan(struct session *session, const struct plan *plan, bool from_file)
{
    const struct hr_value args[] = {HR_V_STR(session->chat), HR_V_INT(plan->session), HR_V_STR(plan->topic),
                                    HR_V_INT(from_file)};
    int status = session->api->sql(session->bot, "INSERT OR REPLACE INTO session_plan VALUES(?1, ?2, ?3, ?4)", args, 4,
                                   NULL, NULL);
    if (status >= 0) {
        status = session->api->sql(session->bot, "DELETE FROM session_question WHERE chat = ?1 AND session = ?2", args,
                                   2, NULL, NULL);
    }
    for (int i = 0; i < plan->count && status >= 0; i++) {
        const struct hr_value row[] = {args[0], args[1], HR_V_INT(i + 1), HR_V_STR(plan->question[i].text),
                                       HR_V_INT(plan->question[i].skipped)};
        status = session->api->sql(session->bot, "INSERT INTO session_question VALUES(?1, ?2, ?3, ?4, ?5)", row, 5,
                                   NULL, NULL);
    }
    return status;
}

int store_save_plan(struct session *session, const struct plan *plan)
{
    return write_plan(session, plan, false);
}

int store_presets(struct session *session)
{
    const struct hr_value chat = HR_V_STR(session->chat);
    int64_t settled = store_number(session,
                                   "SELECT (SELECT count(*) FROM session_run WHERE chat = ?1)"
                                   " + (SELECT count(*) FROM session_plan WHERE chat = ?1 AND NOT from_file)",
                                   &chat, 1, 1);
    if (settled) {
        return 0;
    }
    struct plan plan = {0};
    copy(plan.topic, sizeof(plan.topic), session->api->option(session->bot, "topic")->str);
    const char *const *question = session->api->option(session->bot, "questions")->list;
    for (; question && *question && plan.count < MAX_QUESTIONS; question++) {
        copy(plan.question[plan.count].text, sizeof(plan.question[plan.count].text), *question);
        plan.count++;
    }
    return write_plan(session, &plan, true);
}

bool store_was_held(struct session *session, const char *wall)
{
    const struct hr_value args[] = {HR_V_STR(session->chat), HR_V_STR(wall)};
    return store_number(session, "SELECT count(*) FROM session_run WHERE chat = ?1 AND wall = ?2", args, 2, 0) > 0;
}

int store_once(struct session *session, const char *what, bool *first)
{
    const struct hr_value args[] = {HR_V_STR(what), HR_V_INT(session->api->now_ms(session->bot))};
    if (store_number(session, "SELECT count(*) FROM session_once WHERE what = ?1", args, 1, 0) > 0) {
        *first = false;
        return 0;
    }
    *first = true;
    return session->api->sql(session->bot, "INSERT INTO session_once VALUES(?1, ?2)", args, 2, NULL, NULL);
}
