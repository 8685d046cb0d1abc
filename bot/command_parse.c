/* SPDX-License-Identifier: MIT */
/* Is the first line of a message a command? */
#include "command.h"
#include <ctype.h>
#include <strings.h>

enum { MAX_WORD_BYTES = 32 };

struct slice {
    const char *at, *end;
};

static void trim(struct slice *s)
{
    while (s->at < s->end && *s->at == ' ') {
        s->at++;
    }
    while (s->end > s->at && s->end[-1] == ' ') {
        s->end--;
    }
}

static bool is_final(char c)
{
    return c != 0 && strchr(".,:;!?", c) != NULL;
}

/* Length of the command word at s: letters, digits, '-' and '_', then final
 * punctuation and the end of the word. 0: none. */
static size_t word_len(const struct slice *s)
{
    size_t n = 0;
    const size_t len = (size_t)(s->end - s->at);
    while (n < len && (isalnum((unsigned char)s->at[n]) || s->at[n] == '-' || s->at[n] == '_')) {
        n++;
    }
    size_t stop = n;
    while (stop < len && is_final(s->at[stop])) {
        stop++;
    }
    const bool ends = stop == len || s->at[stop] == ' ';
    return ends && n <= MAX_WORD_BYTES && n > 0 && isalpha((unsigned char)s->at[0]) ? n : 0;
}

/* "A2", "q2", "T12": the start of an answer, whatever prefix stands before it. */
static bool is_answer(const char *word, size_t len)
{
    if (len < 2 || strchr("aqtAQT", word[0]) == NULL) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        if (!isdigit((unsigned char)word[i])) {
            return false;
        }
    }
    return true;
}

/* Takes "hashroom, ", "Hashroom: " or "@hashroom " off the front. */
static bool take_name(struct slice *s, const char *name)
{
    const size_t n = strlen(name);
    const char *at = s->at + (s->at < s->end && *s->at == '@');
    if (n == 0 || (size_t)(s->end - at) <= n || strncasecmp(at, name, n) != 0) {
        return false;
    }
    const bool called = at > s->at && at[n] == ' ';
    at += n;
    while (at < s->end && *at == ' ') {
        at++;
    }
    if (!called && (at == s->end || (*at != ',' && *at != ':'))) {
        return false;
    }
    s->at = at + (*at == ',' || *at == ':');
    trim(s);
    return true;
}

/* Takes the prefix off. "! next" only where nothing but a number follows: "! wow, look" is talk. */
static bool take_prefix(struct slice *s, const char *prefix)
{
    const size_t n = strlen(prefix);
    if (n == 0 || (size_t)(s->end - s->at) <= n || strncmp(s->at, prefix, n) != 0) {
        return false;
    }
    struct slice after = {s->at + n, s->end};
    if (*after.at == ' ') {
        trim(&after);
        for (const char *at = after.at + word_len(&after); at < after.end; at++) {
            if (!isdigit((unsigned char)*at) && *at != ' ' && !is_final(*at)) {
                return false;
            }
        }
    }
    *s = after;
    return true;
}

static bool says_something(const struct slice *s)
{
    for (const char *at = s->at; at < s->end; at++) {
        if (isalnum((unsigned char)*at) || (unsigned char)*at >= 0x80) {
            return true;
        }
    }
    return false;
}

static const char *lower(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_strndup(arena, text, len);
    for (char *at = copy; *at != 0; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return copy;
}

bool command_parse(struct arena *arena, const char *prefix, const char *bot_name, const char *text, bool in_private,
                   struct command_line *out)
{
    struct slice s = {text, text + strcspn(text, "\n")};
    trim(&s);
    const bool named = take_name(&s, bot_name);
    if (!take_prefix(&s, prefix) && !named && !in_private) {
        return false;
    }
    const size_t n = word_len(&s);
    if (is_answer(s.at, n) || !says_something(&s) || (n == 0 && !in_private)) {
        return false;
    }
    struct slice rest = {s.at + n, s.end};
    while (n > 0 && rest.at < rest.end && is_final(*rest.at)) {
        rest.at++;
    }
    trim(&rest);
    if (memchr(rest.at, ' ', (size_t)(rest.end - rest.at)) == NULL) { /* "!extend 5." */
        while (rest.end > rest.at && strchr(".,;:!", rest.end[-1]) != NULL) {
            rest.end--;
        }
    }
    out->word = lower(arena, s.at, n);
    out->rest = arena_strndup(arena, rest.at, (size_t)(rest.end - rest.at));
    return true;
}
