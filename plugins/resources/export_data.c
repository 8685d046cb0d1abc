/* SPDX-License-Identifier: MIT */
/* The list of links for other programs: CSV that a spreadsheet opens safely, and JSON. */
#include "export.h"

#include <string.h>

/* ---- CSV (RFC 4180) ---------------------------------------------------------------------- */

static const char *in_csv(unsigned char c)
{
    return c == '"' ? "\"\"" : c == '\n' ? " " : NULL;
}

/* A spreadsheet would run a field that starts like a formula: a quote in front keeps it text. */
static void csv(struct exporting *exporting, const char *text)
{
    put(exporting, *text && strchr("=+-@\t\r", *text) ? "\"'" : "\"");
    put_escaped(exporting, text, in_csv);
    put(exporting, "\"");
}

static void csv_begin(struct exporting *exporting, const struct line *first)
{
    (void)first;
    put(exporting, "session,day,question_number,question,link_number,title,site,url,first_shared\r\n");
}

static void csv_nothing(struct exporting *exporting, const struct line *line)
{
    (void)exporting;
    (void)line;
}

static void csv_link(struct exporting *exporting, const struct line *line)
{
    const struct hr_api *api = exporting->resources->api;
    const struct link *link = &line->link;
    api->out(exporting->out, "%lld,", (long long)link->session);
    csv(exporting, line->day);
    api->out(exporting->out, ",%d,", link->question);
    csv(exporting, line->question_text);
    api->out(exporting->out, ",%lld,", (long long)link->n);
    csv(exporting, link->title);
    put(exporting, ",");
    csv(exporting, link->site);
    put(exporting, ",");
    csv(exporting, link->url);
    put(exporting, ",");
    csv(exporting, export_time(exporting, link->first_ms));
    put(exporting, "\r\n");
}

static void nothing(struct exporting *exporting)
{
    (void)exporting;
}

const struct format export_csv = {"csv", csv_begin, csv_nothing, csv_nothing, csv_link, nothing, nothing, nothing};

/* ---- JSON -------------------------------------------------------------------------------------- */

static const char *in_json(unsigned char c)
{
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\t': return "\\t";
    case '<': return "\\u003c"; /* may be put into a page as it is */
    default: return c < ' ' || c == 0x7f ? " " : NULL;
    }
}

static void json(struct exporting *exporting, const char *name, const char *text)
{
    exporting->resources->api->out(exporting->out, "\"%s\": \"", name);
    put_escaped(exporting, text, in_json);
    put(exporting, "\"");
}

static void json_begin(struct exporting *exporting, const struct line *first)
{
    put(exporting, "{");
    json(exporting, "chat", exporting->chat);
    put(exporting, ", ");
    json(exporting, "tag", exporting->tag);
    put(exporting, first ? ", \"sessions\": [\n" : ", \"sessions\": [");
}

static void json_session(struct exporting *exporting, const struct line *line)
{
    exporting->resources->api->out(exporting->out, "%s{\"session\": %lld, ", exporting->links ? ",\n" : "",
                                   (long long)line->link.session);
    json(exporting, "day", line->day);
    put(exporting, ", ");
    json(exporting, "topic", line->topic);
    put(exporting, ", \"links\": [");
}

static void json_link(struct exporting *exporting, const struct line *line)
{
    const struct link *link = &line->link;
    exporting->resources->api->out(exporting->out, "%s\n  {\"number\": %lld, \"question\": %d, ",
                                   exporting->first ? "" : ",", (long long)link->n, link->question);
    json(exporting, "question_text", line->question_text);
    put(exporting, ", ");
    json(exporting, "title", link->title);
    put(exporting, ", ");
    json(exporting, "site", link->site);
    put(exporting, ", ");
    json(exporting, "url", link->url);
    put(exporting, ", ");
    json(exporting, "first_shared", export_time(exporting, link->first_ms));
    put(exporting, "}");
}

static void json_leave_session(struct exporting *exporting)
{
    put(exporting, "\n]}");
}

static void json_end(struct exporting *exporting)
{
    put(exporting, "]}\n");
}

const struct format export_json = {"json",    json_begin, json_session,       csv_nothing,
                                   json_link, nothing,    json_leave_session, json_end};
