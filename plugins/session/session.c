/* SPDX-License-Identifier: MIT */
/* The weekly chat: runs the hour by the clock or by its host, and remembers where it stands. */
#include "live.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

static const struct hr_option options[] = {
    {"rule", HR_STR, "FREQ=WEEKLY;BYDAY=TU", 0, 0,
     "On which days the chat is, as an iCalendar rule. The days are MO TU WE TH FR SA SU.", NULL},
    {"time", HR_STR, "20:00", 0, 0, "When it starts, from 00:00 to 23:59, on the clock of the zone.", NULL},
    {"zone", HR_STR, "Europe/London", 0, 0, "The time zone, by its IANA name.", NULL},
    {"zone_name", HR_STR, "", 0, 0, "How the zone is said after a time. Without it: UK time, or the city of the zone.",
     "UK time"},
    {"first", HR_STR, "", 0, 0, "A date the chat is or was on; needed for rules such as every second week.",
     "2026-01-06"},
    {"length", HR_DURATION, "60m", 15 * 60000, 8 * 3600000, "How long the chat is.", NULL},
    {"welcome", HR_DURATION, "5m", 0, 20 * 60000, "Time to say hello before the first question.", NULL},
    {"question_length", HR_DURATION, "12m", 60000, 60 * 60000, "How long each question is open.", NULL},
    {"closing", HR_DURATION, "7m", 0, 20 * 60000, "Time kept free after the last question.", NULL},
    {"reminders", HR_LIST, "{ \"1d\", \"1h\", \"10m\" }", 0, 0,
     "How long before the start a reminder is said, in d, h or m; at most 6.", NULL},
    {"topic", HR_STR, "", 0, 0, "Topic of the first chat. Hosts set that of the next ones with !topic.",
     "Access to Work"},
    {"questions", HR_LIST, "{}", 0, 0,
     "Questions of the first chat, at most 12. Hosts set those of the next ones with !q add.",
     "{ \"What has helped you?\", \"What gets in the way?\" }"},
    {"autopilot", HR_BOOL, "yes", 0, 0, "Start, and ask the questions, on time also without a host.", NULL},
    {"late_days", HR_INT, "7", 1, 30, "For how many days answers are welcome afterwards.", NULL},
    {0},
};

static const struct hr_command commands[] = {
    {"now", "question", "", "Says which question is open and how to answer it.", "!now", NULL, HR_CMD_CARD, run_now},
    {"questions", "agenda", "", "Shows all questions of the chat.", "!questions", NULL, HR_CMD_CARD, run_questions},
    {"when", "schedule", "", "Says when the next chat is.", "!when", NULL, HR_CMD_CARD, run_when},
    {"topic", NULL, "[words]", "Shows the topic. A host sets it with words after it.", "!topic Access to Work", NULL, 0,
     run_topic},
    {"q", NULL, "[add text | 2 text | drop 2 | move 3 1]", "Changes the list of questions, or shows it.",
     "!q add What has helped you?", "chat.plan", 0, run_q},
    {"start", "startmeeting", "", "Starts the chat, or takes the lead of it.", "!start", "chat.run", HR_CMD_HOSTS,
     run_start},
    {"next", NULL, "", "Opens the next question.", "!next", "chat.run", HR_CMD_HOSTS, run_next},
    {"again", NULL, "", "Says the open question once more.", "!again", "chat.run", 0, run_again},
    {"extend", NULL, "[minutes]", "Gives more minutes for this question. The chat gets longer too.", "!extend 5",
     "chat.run", HR_CMD_HOSTS, run_extend},
    {"pause", NULL, "[minutes]", "Stops the clock of the chat for some minutes.", "!pause 5", "chat.run", HR_CMD_HOSTS,
     run_pause},
    {"resume", NULL, "", "Ends a pause.", "!resume", "chat.run", 0, run_resume},
    {"skip", NULL, "", "Leaves out the question that comes next.", "!skip", "chat.run", 0, run_skip},
    {"end", "endmeeting", "", "Ends the chat.", "!end", NULL, HR_CMD_HOSTS, run_end},
    {0},
};

/* ---- options ------------------------------------------------------------------------ */

/* A number and d, h or m: "1d", "90m". */
static bool read_lead(const char *text, int64_t *ms)
{
    char *rest;
    long long n = strtoll(text, &rest, 10);
    int64_t unit = *rest == 'd' ? DAY_MS : *rest == 'h' ? HOUR_MS : *rest == 'm' ? MINUTE_MS : 0;
    if (rest == text || !unit || rest[1] || n < 1 || n > 14 * DAY_MS / unit) {
        return false;
    }
    *ms = n * unit;
    return true;
}

/* The longest first. */
static void sort_leads(struct session *session)
{
    for (size_t i = 1; i < session->lead_count; i++) {
        for (size_t k = i; k && session->lead_ms[k - 1] < session->lead_ms[k]; k--) {
            int64_t swap = session->lead_ms[k];
            session->lead_ms[k] = session->lead_ms[k - 1];
            session->lead_ms[k - 1] = swap;
        }
    }
}

static void read_schedule(struct hr_bot *bot, const struct hr_api *api, struct schedule *out)
{
    (void)snprintf(out->rule, sizeof(out->rule), "%s", api->option(bot, "rule")->str);
    (void)snprintf(out->time, sizeof(out->time), "%s", api->option(bot, "time")->str);
    (void)snprintf(out->zone, sizeof(out->zone), "%s", api->option(bot, "zone")->str);
    (void)snprintf(out->first, sizeof(out->first), "%s", api->option(bot, "first")->str);
}

/* "UK time"; "New York time". */
static void name_zone(struct session *session, const char *given)
{
    const char *city = strrchr(session->schedule.zone, '/');
    city = city ? city + 1 : session->schedule.zone;
    bool uk = strcmp(session->schedule.zone, "Europe/London") == 0;
    (void)snprintf(session->zone_name, sizeof(session->zone_name), given[0] ? "%s" : "%s time",
                   given[0] ? given
                   : uk     ? "UK"
                            : city);
    for (char *c = session->zone_name; *c; c++) {
        *c = *c == '_' ? ' ' : *c;
    }
}

static size_t points(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static void check_lists(struct hr_bot *bot, const struct hr_api *api)
{
    const char *const *lead = api->option(bot, "reminders")->list;
    int64_t ms;
    for (size_t i = 0; lead && lead[i]; i++) {
        if (i == MAX_LEADS) {
            api->problem(bot, "reminders", "there are more than %d reminders. Leave some out", MAX_LEADS);
        } else if (!read_lead(lead[i], &ms)) {
            api->problem(bot, "reminders",
                         "\"%s\" is not a time up to 14 days. Write for example \"1d\", \"1h\" or \"10m\"", lead[i]);
        }
    }
    const char *const *question = api->option(bot, "questions")->list;
    for (size_t i = 0; question && question[i]; i++) {
        if (i == MAX_QUESTIONS) {
            api->problem(bot, "questions", "there are more than %d questions. Leave some out", MAX_QUESTIONS);
        } else if (points(question[i]) > MAX_QUESTION_POINTS) {
            api->problem(bot, "questions", "question %zu has %zu characters. Make it at most %d", i + 1,
                         points(question[i]), MAX_QUESTION_POINTS);
        }
    }
    if (points(api->option(bot, "topic")->str) > MAX_TOPIC_POINTS) {
        api->problem(bot, "topic", "the topic is too long. Make it at most %d characters", MAX_TOPIC_POINTS);
    }
}

static void check(struct hr_bot *bot, const struct hr_api *api)
{
    struct schedule schedule;
    const char *option, *what;
    read_schedule(bot, api, &schedule);
    if (schedule_check(&schedule, &option, &what) < 0) {
        api->problem(bot, option, "\"%s\" %s", api->option(bot, option)->str, what);
    }
    if (api->option(bot, "welcome")->num + api->option(bot, "closing")->num >= api->option(bot, "length")->num) {
        api->problem(bot, "length",
                     "no time is left for questions. Make length longer than welcome and closing together");
    }
    check_lists(bot, api);
}

/* ---- time goes by ------------------------------------------------------------------------ */

static void on_timer(void *arg)
{
    struct session *session = arg;
    session->timer = NULL;
    session_tick(session);
}

static int one_step(struct session *session, int64_t *next_ms)
{
    int64_t now = session->api->now_ms(session->bot);
    struct run run;
    bool live;
    int status = wait_clocks(session, now, next_ms);
    if (status != 0) {
        return status;
    }
    status = store_run(session, &run, &live);
    if (status < 0) {
        return status;
    }
    return live ? live_step(session, &run, now, next_ms) : wait_step(session, now, next_ms);
}

void session_tick(struct session *session)
{
    enum { MOST_STEPS = 64 };
    int64_t now = session->api->now_ms(session->bot);
    int64_t next_ms = now + 6 * HOUR_MS; /* rules of zones may be updated meanwhile */
    int status = 1;
    for (int i = 0; i < MOST_STEPS && status > 0; i++) {
        next_ms = now + 6 * HOUR_MS;
        status = one_step(session, &next_ms);
    }
    if (status != 0) {
        next_ms = now + 5 * SECOND_MS;
    }
    if (status < 0) {
        session->api->log(session->bot, HR_ERROR, "a step of the chat failed (status %d), again in 5 s", status);
    }
    session->api->timer_stop(session->timer);
    session->timer = NULL;
    if (session->api->timer_at(session->bot, next_ms, on_timer, session, &session->timer) < 0) {
        session->api->log(session->bot, HR_ERROR,
                          "there is no timer left; the chat stands still until a host types !next");
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

static int come_back(struct session *session)
{
    const struct hr_value old = HR_V_INT(session->api->now_ms(session->bot) - 400 * DAY_MS);
    struct run run;
    bool live = false;
    int status = session->api->sql(session->bot, "DELETE FROM session_once WHERE at_ms < ?1", &old, 1, NULL, NULL);
    if (status >= 0) {
        status = store_presets(session);
    }
    if (status >= 0) {
        status = store_run(session, &run, &live);
    }
    if (status >= 0 && live) {
        status = live_came_back(session, &run);
    }
    return status;
}

struct only_chat {
    const char *name;
    int count;
};

static int count_chat(void *arg, const struct hr_chat *chat)
{
    struct only_chat *only = arg;
    only->name = chat->name;
    only->count++;
    return HR_OK;
}

/* The instance has the name of its chat; without instances in the file it is the only chat. */
static void find_chat(struct session *session)
{
    struct only_chat only = {0};
    const char *name = session->api->instance(session->bot);
    (void)session->api->chats(session->bot, count_chat, &only);
    bool unnamed = strcmp(name, "session") == 0 && !session->api->chat(session->bot, name);
    (void)snprintf(session->chat, sizeof(session->chat), "%s", unnamed && only.count == 1 ? only.name : name);
}

static void read_options(struct session *session)
{
    const struct hr_api *api = session->api;
    struct hr_bot *bot = session->bot;
    find_chat(session);
    read_schedule(bot, api, &session->schedule);
    name_zone(session, api->option(bot, "zone_name")->str);
    session->length_ms = api->option(bot, "length")->num;
    session->welcome_ms = api->option(bot, "welcome")->num;
    session->question_ms = api->option(bot, "question_length")->num;
    session->closing_ms = api->option(bot, "closing")->num;
    session->autopilot = api->option(bot, "autopilot")->num != 0;
    session->late_days = api->option(bot, "late_days")->num;
    const char *const *lead = api->option(bot, "reminders")->list;
    for (; lead && *lead && session->lead_count < MAX_LEADS; lead++) {
        session->lead_count += read_lead(*lead, &session->lead_ms[session->lead_count]);
    }
    sort_leads(session);
}

static int start(struct hr_bot *bot, const struct hr_api *api, void **state)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session) {
        abort();
    }
    session->bot = bot;
    session->api = api;
    read_options(session);
    if (!say_chat(session)) {
        api->log(bot, HR_ERROR,
                 "there is no chat \"%s\". Name the instance in session.conf like a chat in hashroom.conf",
                 session->chat);
        free(session);
        return HR_ENOTFOUND;
    }
    int status = come_back(session);
    if (status < 0) {
        free(session);
        return status;
    }
    *state = session;
    session_tick(session);
    return 0;
}

static void stop(void *state)
{
    struct session *session = state;
    session->api->timer_stop(session->timer);
    free(session);
}

/* A question of ours may or may not have come before the connection broke. */
static int event(void *state, const struct hr_event *event)
{
    struct session *session = state;
    struct run run;
    bool live = false;
    if (event->kind != HR_EV_DOUBT || strcmp(event->room->chat, session->chat) != 0) {
        return 0;
    }
    int status = store_run(session, &run, &live);
    if (status < 0 || !live || event->message->session != (uint64_t)run.id ||
        event->message->question != run.question || run.state != RUN_QUESTION) {
        return status < 0 ? status : 0; /* the chat has moved on */
    }
    return live_say_again(session, &run, event->room->id);
}

static void report(void *state, struct hr_out *out)
{
    struct session *session = state;
    struct run run;
    bool live = false;
    if (store_run(session, &run, &live) < 0 || !live) {
        session->api->out(out, "%s: %s\n", say_tag(session), ask_next_chat(session));
        return;
    }
    session->api->out(out, "%s: a chat is on. %s It ends at %s.\n", say_tag(session),
                      run.paused_ms ? "It is paused." : live_where(session, &run), say_when(session, run.end_ms));
}

const struct hr_plugin hashroom_plugin = {
    HR_PLUGIN_HEADER,
    .name = "session",
    .version = HASHROOM_VERSION,
    .help = "Runs the weekly chat: reminders, welcome, timed questions, the end. One instance a chat, with its name.",
    .events = HR_EV(HR_EV_DOUBT),
    .options = options,
    .commands = commands,
    .texts = session_texts,
    .schema = session_schema,
    .check = check,
    .start = start,
    .stop = stop,
    .event = event,
    .report = report,
};
