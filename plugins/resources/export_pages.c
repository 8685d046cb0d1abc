/* SPDX-License-Identifier: MIT */
/* The list of links to read: an accessible page (WCAG 2.2 AA), and Markdown. */
#include "export.h"

/* ---- HTML ----------------------------------------------------------------------------- */

static const char *in_html(unsigned char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static void html(struct exporting *exporting, const char *text)
{
    put_escaped(exporting, text, in_html);
}

static void html_begin(struct exporting *exporting, const struct line *first)
{
    const char *title = export_title(exporting, first);
    put(exporting, "<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    html(exporting, title);
    put(exporting, "</title>\n<style>\n"
                   "body { color: #111; background: #fff; font: 1.125rem/1.6 sans-serif; margin: 1rem; }\n"
                   "main { max-width: 40rem; margin: 0 auto; overflow-wrap: break-word; }\n"
                   "a { color: #003e9c; text-decoration: underline; }\n"
                   "a:focus-visible { outline: 3px solid #111; outline-offset: 2px; }\n"
                   "li { margin: 0.75rem 0; }\n"
                   "</style>\n</head>\n<body>\n<main>\n<h1>");
    html(exporting, title);
    put(exporting, "</h1>\n");
    if (!first) {
        put(exporting, "<p>Nobody has shared a link.</p>\n");
    } else if (!exporting->many && first->topic[0]) {
        put(exporting, "<p>Topic: ");
        html(exporting, first->topic);
        put(exporting, "</p>\n");
    }
}

static void html_session(struct exporting *exporting, const struct line *line)
{
    if (exporting->many) {
        put(exporting, "<h2>");
        html(exporting, line->day[0] ? line->day : "Before the first chat");
        put(exporting, "</h2>\n");
    }
}

static void html_question(struct exporting *exporting, const struct line *line)
{
    put(exporting, exporting->many ? "<h3>" : "<h2>");
    html(exporting, export_question(exporting, line));
    put(exporting, exporting->many ? "</h3>\n<ol>\n" : "</h2>\n<ol>\n");
}

static void html_link(struct exporting *exporting, const struct line *line)
{
    exporting->resources->api->out(exporting->out, "<li value=\"%lld\"><a href=\"", (long long)line->link.n);
    html(exporting, line->link.url);
    put(exporting, "\">");
    if (line->link.title[0]) {
        html(exporting, line->link.title);
        put(exporting, "</a> (");
        html(exporting, line->link.site);
        put(exporting, ")</li>\n");
    } else {
        html(exporting, line->link.url);
        put(exporting, "</a></li>\n");
    }
}

static void html_leave_question(struct exporting *exporting)
{
    put(exporting, "</ol>\n");
}

static void nothing(struct exporting *exporting)
{
    (void)exporting;
}

static void html_end(struct exporting *exporting)
{
    put(exporting, "</main>\n</body>\n</html>\n");
}

const struct format export_html = {"html",    html_begin,          html_session, html_question,
                                   html_link, html_leave_question, nothing,      html_end};

/* ---- Markdown ---------------------------------------------------------------------------- */

static const char *in_markdown(unsigned char c)
{
    static const char *const escaped[] = {"\\\\", "\\`", "\\*", "\\_", "\\{", "\\}", "\\[", "\\]",
                                          "\\<",  "\\>", "\\#", "\\|", "\\!", "\\~", "\\&"};
    for (size_t i = 0; i < sizeof(escaped) / sizeof(*escaped); i++) {
        if ((unsigned char)escaped[i][1] == c) {
            return escaped[i];
        }
    }
    return c == '\n' ? " " : NULL;
}

/* Between < and > only these two would end an address early. */
static const char *in_target(unsigned char c)
{
    return c == '<' ? "%3C" : c == '>' ? "%3E" : c == '\\' ? "%5C" : NULL;
}

static void markdown(struct exporting *exporting, const char *text)
{
    put_escaped(exporting, text, in_markdown);
}

static void md_begin(struct exporting *exporting, const struct line *first)
{
    put(exporting, "# ");
    markdown(exporting, export_title(exporting, first));
    put(exporting, "\n");
    if (!first) {
        put(exporting, "\nNobody has shared a link.\n");
    } else if (!exporting->many && first->topic[0]) {
        put(exporting, "\nTopic: ");
        markdown(exporting, first->topic);
        put(exporting, "\n");
    }
}

static void md_session(struct exporting *exporting, const struct line *line)
{
    if (exporting->many) {
        put(exporting, "\n## ");
        markdown(exporting, line->day[0] ? line->day : "Before the first chat");
        put(exporting, "\n");
    }
}

static void md_question(struct exporting *exporting, const struct line *line)
{
    put(exporting, exporting->many ? "\n### " : "\n## ");
    markdown(exporting, export_question(exporting, line));
    put(exporting, "\n\n");
}

static void md_link(struct exporting *exporting, const struct line *line)
{
    const struct link *link = &line->link;
    exporting->resources->api->out(exporting->out, "%lld. [", (long long)link->n);
    markdown(exporting, link->title[0] ? link->title : link->url);
    put(exporting, "](<");
    put_escaped(exporting, link->url, in_target);
    put(exporting, ">)");
    if (link->title[0]) {
        put(exporting, " (");
        markdown(exporting, link->site);
        put(exporting, ")");
    }
    put(exporting, "\n");
}

const struct format export_md = {"md", md_begin, md_session, md_question, md_link, nothing, nothing, nothing};
