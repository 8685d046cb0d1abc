/* SPDX-License-Identifier: MIT */
/* Walks the list of links for an export: by session, by question, by number. */
#include "export.h"

#include <string.h>
#include <time.h>

void put(struct exporting *exporting, const char *text)
{
    exporting->resources->api->out(exporting->out, "%s", text);
}

void put_escaped(struct exporting *exporting, const char *text, const char *(*replace)(unsigned char c))
{
    while (*text) {
        size_t plain = 0;
        while (text[plain] && !replace((unsigned char)text[plain])) {
            plain++;
        }
        if (plain) {
            exporting->resources->api->out(exporting->out, "%.*s", (int)plain, text);
        }
        text += plain;
        if (*text) {
            put(exporting, replace((unsigned char)*text++));
        }
    }
}

const char *export_title(struct exporting *exporting, const struct line *line)
{
    const struct hr_api *api = exporting->resources->api;
    struct hr_bot *bot = exporting->resources->bot;
    if (exporting->many || !line || !line->day[0]) {
        return api->print(bot, "Links of the %s chat", exporting->tag);
    }
    return api->print(bot, "Links of the %s chat, %s", exporting->tag, line->day);
}

const char *export_question(struct exporting *exporting, const struct line *line)
{
    const struct hr_api *api = exporting->resources->api;
    struct hr_bot *bot = exporting->resources->bot;
    if (line->link.question == 0) {
        return "Other links";
    }
    return line->question_text[0] ? api->print(bot, "Question %d: %s", line->link.question, line->question_text)
                                  : api->print(bot, "Question %d", line->link.question);
}

const char *export_time(struct exporting *exporting, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32] = "";
    if (gmtime_r(&seconds, &tm)) {
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return exporting->resources->api->print(exporting->resources->bot, "%s", text);
}

/* ---- walking ------------------------------------------------------------------------- */

struct walk {
    struct exporting exporting;
    const struct format *format;
};

static void leave(struct walk *walk)
{
    if (walk->exporting.session >= 0) {
        walk->format->leave_question(&walk->exporting);
        walk->format->leave_session(&walk->exporting);
    }
}

static int on_line(void *arg, const struct hr_value *c, size_t count)
{
    (void)count;
    struct walk *walk = arg;
    struct exporting *exporting = &walk->exporting;
    struct line line = {
        .link = {.session = c[0].num,
                 .n = c[1].num,
                 .question = (int)c[2].num,
                 .title = c[3].str,
                 .url = c[4].str,
                 .site = c[5].str,
                 .first_ms = c[6].num},
        .day = c[7].str,
        .topic = c[8].str,
        .question_text = c[9].str,
    };
    bool new_session = exporting->session != line.link.session;
    if (exporting->session < 0) {
        walk->format->begin(exporting, &line);
    }
    if (new_session) {
        leave(walk);
        exporting->session = line.link.session;
        exporting->first = true;
        walk->format->session(exporting, &line);
    }
    if (new_session || exporting->question != line.link.question) {
        if (!new_session) {
            walk->format->leave_question(exporting);
        }
        exporting->question = line.link.question;
        walk->format->question(exporting, &line);
    }
    walk->format->link(exporting, &line);
    exporting->first = false;
    exporting->links++;
    return 0;
}

static int walk_all(struct walk *walk, int64_t session)
{
    struct resources *resources = walk->exporting.resources;
    const struct hr_value args[] = {HR_V_STR(walk->exporting.chat), HR_V_INT(session)};
    (void)links_ask_session(resources, "SELECT count(*) FROM session_pub_run", NULL, 0, 0);
    const char *const joined = "SELECT l.session, l.n, l.question, l.title, l.url, l.site, l.first_ms, coalesce(r.day, "
                               "''), coalesce(r.topic, ''),"
                               " coalesce(q.text, '') FROM resources_link l"
                               " LEFT JOIN session_pub_run r ON r.session = l.session"
                               " LEFT JOIN session_pub_question q ON q.session = l.session AND q.n = l.question"
                               " WHERE l.dropped = 0 AND l.chat = ?1 AND (?2 < 0 OR l.session = ?2)"
                               " ORDER BY l.session DESC, l.question = 0, l.question, l.n";
    const char *const alone = "SELECT session, n, question, title, url, site, first_ms, '', '', '' FROM resources_link"
                              " WHERE dropped = 0 AND chat = ?1 AND (?2 < 0 OR session = ?2)"
                              " ORDER BY session DESC, question = 0, question, n";
    return resources->api->sql(resources->bot, resources->alone ? alone : joined, args, 2, on_line, walk);
}

struct newest {
    struct resources *resources;
    const char *chat;
    int64_t session;
};

static int on_newest(void *arg, const struct hr_value *column, size_t count)
{
    (void)count;
    struct newest *newest = arg;
    newest->chat = newest->resources->api->print(newest->resources->bot, "%s", column[0].str);
    newest->session = column[1].num;
    return 0;
}

static const struct format *find_format(const char *name)
{
    static const struct format *const formats[] = {&export_html, &export_md, &export_csv, &export_json};
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            return formats[i];
        }
    }
    return NULL;
}

static int run(struct resources *resources, const char *chat, const char *format, struct hr_out *out, bool many)
{
    const struct hr_api *api = resources->api;
    struct newest newest = {resources, chat ? chat : "", -1};
    const struct hr_value name = HR_V_STR(newest.chat);
    int status = api->sql(resources->bot,
                          "SELECT chat, session FROM resources_link WHERE dropped = 0 AND (chat = ?1 OR ?1 = '')"
                          " ORDER BY session DESC, first_ms DESC LIMIT 1",
                          &name, 1, on_newest, &newest);
    if (status < 0) {
        return status;
    }
    const struct hr_chat *known = api->chat(resources->bot, newest.chat);
    struct walk walk = {
        .exporting =
            {.resources = resources, .out = out, .chat = newest.chat, .session = -1, .question = -1, .many = many},
        .format = find_format(format),
    };
    walk.exporting.tag = known && known->tag[0] ? known->tag : newest.chat;
    if (!walk.format) {
        return HR_EINVAL;
    }
    status = walk_all(&walk, many ? -1 : newest.session);
    if (status < 0) {
        return status;
    }
    if (walk.exporting.links == 0) {
        walk.format->begin(&walk.exporting, NULL);
    }
    leave(&walk);
    walk.format->end(&walk.exporting);
    return 0;
}

int export_last(void *state, const char *chat, const char *format, struct hr_out *out)
{
    return run(state, chat, format, out, false);
}

int export_all(void *state, const char *chat, const char *format, struct hr_out *out)
{
    return run(state, chat, format, out, true);
}
