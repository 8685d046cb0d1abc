/* SPDX-License-Identifier: MIT */
/*
 * The first look at a configuration file. libconfuse takes a # inside an
 * unquoted word for a comment, replaces ${NAME} by the environment, reads over a
 * missing } at the end of a file, and stays inside a string that was never
 * closed when it reads the next file. All that is told here, with its line. And
 * it counts lines with a comment more than once (3.3), so it gets to see none.
 */
#include "config_inside.h"
#include "utf8.h"

enum { DEPTH_MAX = 8 };

struct scan {
    char *text;
    size_t len, at;
    int line;
    int opened[DEPTH_MAX]; /* lines of the braces that are open */
    int depth;
    bool value_due; /* '=' was the last thing on this line */
    const char *wrong;
};

static bool fail(struct scan *scan, const char *wrong)
{
    scan->wrong = wrong;
    return false;
}

static bool check_bytes(struct scan *scan)
{
    if (scan->len >= 3 && memcmp(scan->text, "\xEF\xBB\xBF", 3) == 0) {
        memset(scan->text, ' ', 3); /* the mark some editors put in front */
    }
    size_t start = 0;
    for (size_t i = 0; i <= scan->len; i++) {
        unsigned char c = (unsigned char)scan->text[i];
        if (i < scan->len && c == '\r' && scan->text[i + 1] == '\n') {
            scan->text[i] = ' ';
        } else if (i < scan->len && ((c < ' ' && c != '\t' && c != '\n') || c == 0x7F)) {
            return fail(scan, "a control character stands in this line. Remove it and type the line anew");
        }
        if (i == scan->len || c == '\n') {
            if (!utf8_valid(scan->text + start, i - start)) {
                return fail(scan, "this line is not valid UTF-8. Save the file as UTF-8");
            }
            start = i + 1;
            scan->line++;
        }
    }
    scan->line = 1;
    return true;
}

static bool scan_string(struct scan *scan, char quote)
{
    for (scan->at++; scan->at < scan->len; scan->at++) {
        char c = scan->text[scan->at], next = scan->text[scan->at + 1];
        if (c == quote) {
            return true;
        }
        if (c == '\n') {
            break;
        }
        if (c == '\\' && (next == quote || next == '\\')) {
            scan->at++;
        } else if (c == '\\' && quote == '"') {
            return fail(scan,
                        "a backslash may stand only before \" or another backslash. Write the character itself, or "
                        "put the value into single quotes");
        } else if (c == '$' && next == '{' && quote == '"') {
            return fail(scan, "${...} is not replaced in this file. Write the value itself, or put a $ that is meant "
                              "into single quotes");
        }
    }
    return fail(scan, "the closing quote is missing. Values stay on one line");
}

static void blank(struct scan *scan, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        scan->text[i] = scan->text[i] == '\n' ? '\n' : ' ';
    }
}

static bool scan_block_comment(struct scan *scan)
{
    int begun = scan->line;
    size_t from = scan->at;
    for (scan->at += 2; scan->at < scan->len; scan->at++) {
        if (scan->text[scan->at] == '\n') {
            scan->line++;
        } else if (scan->text[scan->at] == '*' && scan->text[scan->at + 1] == '/') {
            scan->at++;
            blank(scan, from, scan->at + 1);
            return true;
        }
    }
    scan->line = begun;
    return fail(scan, "this comment is never closed. Write */ at its end");
}

static bool scan_brace(struct scan *scan, char c)
{
    if (c == '{') {
        if (scan->depth == DEPTH_MAX) {
            return fail(scan, "sections are nested too deeply. Close the ones before with }");
        }
        scan->opened[scan->depth++] = scan->line;
    } else if (scan->depth-- == 0) {
        return fail(scan, "this } closes nothing. Remove it");
    }
    return true;
}

/* Does a comment begin here, though a person meant a part of the word? */
static bool is_glued(const struct scan *scan)
{
    if (scan->value_due || scan->at == 0) {
        return scan->value_due;
    }
    const char *before = scan->text + scan->at - 1;
    return !strchr(" \t\n{}=,;\"'", before[0]);
}

/* U+2018 to U+201F, as word processors make them. */
static bool is_curly(const struct scan *scan)
{
    const unsigned char *c = (const unsigned char *)scan->text + scan->at;
    return c[0] == 0xE2 && c[1] == 0x80 && c[2] >= 0x98 && c[2] <= 0x9F;
}

static bool scan_plain(struct scan *scan)
{
    char c = scan->text[scan->at], next = scan->text[scan->at + 1];
    if (c == '"' || c == '\'') {
        scan->value_due = false;
        return scan_string(scan, c);
    }
    if (c == '/' && next == '*') {
        return scan_block_comment(scan);
    }
    if (c == '#' || (c == '/' && next == '/')) {
        if (is_glued(scan)) {
            return fail(scan, c == '#' ? "what stands behind # would be a comment. Put quotes around it: \"#channel\""
                                       : "what stands behind // would be a comment. Put quotes around it");
        }
        size_t end = scan->at + strcspn(scan->text + scan->at, "\n");
        blank(scan, scan->at, end);
        scan->at = end - 1;
        return true;
    }
    if (c == '$' && next == '{') {
        return fail(scan, "${...} is not replaced in this file. Write the value itself");
    }
    if (is_curly(scan)) {
        return fail(scan, "these are not the quotes of a program. Type \" in their place");
    }
    if (c == '\n') {
        scan->line++;
        scan->value_due = false;
    } else if (c == '{' || c == '}') {
        scan->value_due = false;
        return scan_brace(scan, c);
    } else if (c == '=') {
        scan->value_due = true;
    } else if (c != ' ' && c != '\t') {
        scan->value_due = false;
    }
    return true;
}

bool config_scan(char *text, size_t len, int *line, const char **wrong)
{
    struct scan scan = {.text = text, .len = len, .line = 1};
    bool good = check_bytes(&scan);
    for (; good && scan.at < len; scan.at++) {
        good = scan_plain(&scan);
    }
    if (good && scan.depth > 0) {
        scan.line = scan.opened[scan.depth - 1];
        good = fail(&scan, "the { of this line is never closed. Write } at the end of the section");
    }
    if (!good) {
        *line = scan.line;
        *wrong = scan.wrong;
    }
    return good;
}
