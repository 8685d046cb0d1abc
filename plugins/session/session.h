/* SPDX-License-Identifier: MIT */
/*
 * What the files of the session plugin share.
 *
 * One instance serves one chat. Nothing about a running session lives in memory:
 * each timer and each command reads its row (store.c), takes one step (live.c or
 * wait.c) and writes it back in the same transaction, so that a restart goes on
 * exactly where the database stands.
 */
#ifndef SESSION_H
#define SESSION_H
#include "schedule.h"
#include <hashroom/plugin.h>

enum {
    MAX_QUESTIONS = 12,
    MAX_QUESTION_POINTS = 200, /* R4 */
    MAX_QUESTION_BYTES = MAX_QUESTION_POINTS * 4 + 1,
    MAX_TOPIC_POINTS = 80,
    MAX_TOPIC_BYTES = MAX_TOPIC_POINTS * 4 + 1,
    MAX_LEADS = 6,
    MAX_EXTENSIONS = 20, /* of one session; R38 asks for ten at least */
    MAX_ROOMS = 64,
};

static const int64_t NEVER_MS = INT64_MAX;
static const int64_t SECOND_MS = 1000;
static const int64_t MINUTE_MS = 60 * 1000;
static const int64_t HOUR_MS = 60 * 60 * 1000;
static const int64_t DAY_MS = 24 * 60 * 60 * 1000;

static const int64_t QUIET_BEFORE_MS = 5 * 1000; /* R27 */
static const int64_t QUIET_AFTER_MS = 15 * 1000;
static const int64_t READ_BEFORE_MS = 15 * 60 * 1000;
static const int64_t READ_AFTER_MS = 30 * 60 * 1000;
static const int64_t OVERRUN_MS = 30 * 60 * 1000; /* from the end to the hard stop */
static const int64_t ABSENCE_MS = 60 * 1000;      /* a longer one is told (T34) */
static const int64_t ALIVE_MS = 20 * 1000;        /* how often a live session notes that it is */

enum run_state { RUN_WELCOME = 1, RUN_QUESTION, RUN_CLOSING, RUN_ENDED };

enum { /* run.said: what has been said in this step */
    SAID_QUIET = 1 << 0,
    SAID_HALF = 1 << 1,
    SAID_WARNING = 1 << 2,
    SAID_HELLO = 1 << 3,
    SAID_NOBODY = 1 << 4,
    SAID_LAST = 1 << 5, /* two minutes to the end of the chat */
    SAID_OF_RUN = SAID_HELLO | SAID_NOBODY | SAID_LAST, /* kept from step to step */
};

struct run { /* a session: a row of session_run */
    int64_t id;
    enum run_state state;
    int question;       /* open, or the last one that was; 0 before the first */
    int64_t start_ms;
    int64_t step_ms;    /* when this step began */
    int64_t due_ms;     /* when it ends */
    int64_t end_ms;     /* when the chat ends, extensions included */
    int64_t added_ms;   /* extensions and pauses so far */
    int64_t question_ms; /* planned for each */
    int64_t paused_ms;  /* since when, 0: it runs */
    int64_t resume_ms;
    int64_t alive_ms;
    int extensions;
    bool host;          /* a host has acted */
    unsigned said;
    /* worked out from the questions when the row is read */
    int count; /* of questions, those left out too */
    int next;  /* the one that comes, 0 if none */
    int left;  /* how many come */
};

struct question {
    char text[MAX_QUESTION_BYTES];
    bool skipped;
};

struct plan { /* of the live session, or of the next one */
    int64_t session; /* 0: the next one */
    char topic[MAX_TOPIC_BYTES]; /* or "" */
    int count;
    struct question question[MAX_QUESTIONS]; /* the first is question 1 */
};

struct occurrence { /* the next time the chat is due */
    bool known;
    struct moment wall;
    int64_t at_ms;
};

struct session {
    struct hr_bot *bot;
    const struct hr_api *api;
    char chat[64];
    struct schedule schedule;
    char zone_name[64]; /* "UK time" */
    int64_t length_ms, welcome_ms, question_ms, closing_ms;
    int64_t lead_ms[MAX_LEADS];
    size_t lead_count;
    bool autopilot;
    int64_t late_days;
    struct hr_timer *timer;
    int64_t told_away_ms; /* monotonic: when T34 was last said, 0: not since the start */
};

/* ---- session.c ---------------------------------------------------------------- */

/* Takes every step that is due, then sets the timer for the next. */
void session_tick(struct session *session);

/* ---- store.c: rows ---------------------------------------------------------------- */

extern const char *const session_schema[];

int store_run(struct session *session, struct run *out, bool *live); /* the live one */
int store_new_run(struct session *session, struct run *run, const char *wall, const char *day);
int store_save(struct session *session, const struct run *run);
int store_plan(struct session *session, int64_t run, struct plan *out); /* run 0: the next one */
int store_save_plan(struct session *session, const struct plan *plan);
int store_presets(struct session *session); /* topic and questions of the file, until a host plans or a chat was held */
bool store_was_held(struct session *session, const char *wall);
int64_t store_number(struct session *session, const char *sql, const struct hr_value *args, size_t count, int64_t preset);
/* Marks something that is done once for a date; *first: it wasn't yet. */
int store_once(struct session *session, const char *what, bool *first);

/* ---- say.c: how it is said ------------------------------------------------------------ */

struct saying {
    const char *text;
    const char *key; /* or NULL */
    enum hr_priority priority;
    int64_t expires_ms;
    uint32_t flags;
};

const struct hr_chat *say_chat(struct session *session); /* the host's record; never NULL after start() */
const char *say_tag(struct session *session);
int say_room(struct session *session, uint64_t room, const struct saying *saying);
int say_people(struct session *session, const struct saying *saying);
int say_posts(struct session *session, const struct saying *saying); /* rooms on social networks */
const char *say_day(struct session *session, const struct moment *wall);  /* "Tuesday 29 November" */
const char *say_clock(struct session *session, const struct moment *wall); /* "8:30pm" */
const char *say_times(struct session *session, const struct moment *wall); /* "8pm to 9pm UK time" */
const char *say_when(struct session *session, int64_t at_ms);              /* "8pm UK time" */
const char *say_span(struct session *session, int64_t ms); /* "5 minutes", "1 hour" */
const char *say_count(struct session *session, int64_t n, const char *one, const char *many);
const char *say_sentence(struct session *session, const char *text); /* ends in . ! or ? */
int64_t say_minutes(int64_t ms); /* rounded, at least 1 */
bool say_has_service(struct session *session, const char *service);

/* ---- wait.c: between sessions ------------------------------------------------------------ */

struct occurrence wait_next(struct session *session, int64_t now);
int wait_window(struct session *session, int64_t now); /* tells the host when posts are read */
/* Says or starts what is due. 1: something was; 0: nothing, *next_ms: look again then. */
int wait_step(struct session *session, int64_t now, int64_t *next_ms);
/* The clocks change this weekend (T17): also due while a session is live. As wait_step(). */
int wait_clocks(struct session *session, int64_t now, int64_t *next_ms);

/* ---- live.c: the hour itself ------------------------------------------------------------------ */

int live_begin(struct session *session, const struct occurrence *occurrence, int64_t now, bool host);
int live_step(struct session *session, struct run *run, int64_t now, int64_t *next_ms); /* as wait_step() */
int live_record(struct session *session, const struct run *run, int64_t quiet_until_ms); /* tells the host */
int live_question(struct session *session, struct run *run, int question, int64_t planned_ms); /* opens and says it */
int live_say_question(struct session *session, const struct run *run, bool again);
int live_pause(struct session *session, struct run *run, int64_t ms);
int live_resume(struct session *session, struct run *run);
int live_extend(struct session *session, struct run *run, int64_t ms);
int live_end(struct session *session, struct run *run);
int live_came_back(struct session *session, struct run *run); /* after a restart: T34 if it was long */
int64_t live_hard_stop(const struct session *session, const struct run *run);
const char *live_where(struct session *session, const struct run *run); /* "We are on question 2 of 4." */

/* ---- texts.c, plan_commands.c, run_commands.c, ask_commands.c ------------------------------------ */

extern const struct hr_text session_texts[];

int run_topic(void *state, const struct hr_call *call);
int run_q(void *state, const struct hr_call *call);
int run_start(void *state, const struct hr_call *call);
int run_next(void *state, const struct hr_call *call);
int run_again(void *state, const struct hr_call *call);
int run_extend(void *state, const struct hr_call *call);
int run_pause(void *state, const struct hr_call *call);
int run_resume(void *state, const struct hr_call *call);
int run_skip(void *state, const struct hr_call *call);
int run_end(void *state, const struct hr_call *call);
int run_now(void *state, const struct hr_call *call);
int run_questions(void *state, const struct hr_call *call);
int run_when(void *state, const struct hr_call *call);
/* "There is no chat now. The next chat is ..." */
int answer_no_chat(struct session *session, const struct hr_call *call);
const char *ask_next_chat(struct session *session); /* "The next chat is ..." or that none is planned */

#endif
