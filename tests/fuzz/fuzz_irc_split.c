/* SPDX-License-Identifier: MIT */
/*
 * Any text to lines of IRC. The first bytes choose the room for a line and what stands in front. No byte but spaces
 * is lost, no character is cut, each line fits, the name comes first, and what is too long is left out aloud.
 */
#include "../../plugins/irc/render.h"
#include "../../plugins/irc/split.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAST = 8, HEAD = 3, SAID = 70 };
#define TARGET "#dpulo"
#define REST "The rest of this message is left out: it is too long for this channel."

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static size_t point(const char *text, size_t len)
{
    utf8proc_int32_t ignored;
    utf8proc_ssize_t got = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &ignored);
    return got > 0 ? (size_t)got : 0;
}

static void is_whole(const char *text, size_t len)
{
    for (size_t at = 0, step; at < len; at += step) {
        step = point(text + at, len - at);
        must(step > 0, "a character is cut");
    }
}

/* As the host lets it in: whole characters, no NUL. */
static char *cleaned(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t len = 0;
    must(text != NULL, "memory");
    for (size_t at = 0, step; at < size; at += step ? step : 1) {
        step = point((const char *)data + at, size - at);
        if (data[at] != '\0') {
            memcpy(text + len, data + at, step);
            len += step;
        }
    }
    text[len] = '\0';
    return text;
}

/* ---- one line ------------------------------------------------------------------------------- */

static void check_split(const char *text, size_t max)
{
    size_t len = strlen(text);
    while (len > 0) {
        size_t next = 0, piece = split_line(text, len, max, &next);
        must(piece > 0 && piece <= max, "a piece of no size, or of too much");
        must(next >= piece && next <= len, "the rest begins before the end of the piece");
        must(strspn(text + piece, " ") >= next - piece, "more than spaces are left out");
        is_whole(text, piece);
        text += next;
        len -= next;
    }
}

/* ---- a delivery ------------------------------------------------------------------------------- */

struct said {
    struct hr_parts parts;
    char *line[SAID];
    size_t count;
};

static void on_part(struct hr_parts *parts, const void *body, size_t len)
{
    struct said *said = (struct said *)(void *)parts;
    must(said->count < SAID, "more lines than the host takes");
    said->line[said->count] = malloc(len + 1);
    memcpy(said->line[said->count], body, len);
    said->line[said->count++][len] = '\0';
}

/* What must be heard of a text: all but spaces and control characters. */
static bool is_heard(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f;
}

static const char *next_heard(const char *at)
{
    while (*at != '\0' && !is_heard(*at)) {
        at++;
    }
    return at;
}

static void check_words(const struct said *said, const char *start, const char *text)
{
    size_t max = strlen(start) + strlen(text) + 1;
    char *all = malloc(max);
    must(all != NULL, "memory");
    snprintf(all, max, "%s%s", start, text);
    const char *due = next_heard(all);
    for (size_t i = 0; i < said->count; i++) {
        const char *words = said->line[i] + sizeof("PRIVMSG " TARGET " :") - 1;
        bool rest = i + 1 == said->count && strcmp(words, REST) == 0 && *due != '\0';
        for (const char *at = next_heard(words); !rest && *at != '\0'; at = next_heard(at + 1)) {
            must(*at == *due, "another character than was said");
            due = next_heard(due + 1);
        }
        must(!rest || i == 11, "left out too early");
        due = rest ? "" : due;
    }
    must(*due == '\0', "something was not said");
    free(all);
}

static void check_render(const char *text, size_t max, uint8_t choice)
{
    static const struct hr_room room = {
        .id = 1, .network = "net", .address = TARGET, .service = "IRC", .chat = "dpulo", .flags = HR_ROOM_PEOPLE};
    struct hr_delivery delivery = {.size = sizeof(delivery),
                                   .act = choice & 1 ? HR_ACT_EDIT : HR_ACT_SAY,
                                   .room = &room,
                                   .lead = "Ben on Twitter",
                                   .lead_url = "",
                                   .text = text,
                                   .msg_flags = choice & 2 ? HR_MSG_EMOTE : 0,
                                   .reply_remote = "",
                                   .reply_name = choice & 4 ? "Asha" : "",
                                   .reply_text = ""};
    struct said said = {.parts = {.add = on_part}};
    char start[128], err[200] = "";
    snprintf(start, sizeof(start), "%sBen on Twitter%s%s: ", choice & 1 ? "Correction: " : "",
             (choice & 5) == 4 ? ", replying to Asha" : "", choice & 2 ? " (action)" : "");
    must(render_within(max, &delivery, &said.parts, err, sizeof(err)) == HR_OK, "refused");
    must(said.count > 0 && said.count <= 12, "no line, or too many");
    for (size_t i = 0; i < said.count; i++) {
        size_t len = strlen(said.line[i]), verb = sizeof("PRIVMSG " TARGET " :") - 1;
        must(strncmp(said.line[i], "PRIVMSG " TARGET " :", verb) == 0, "no PRIVMSG");
        must(len > verb && (len - verb <= max || strcmp(said.line[i] + verb, REST) == 0), "an empty or too long line");
        must(strpbrk(said.line[i], "\r\n\1") == NULL, "a control character");
        is_whole(said.line[i], len);
    }
    check_words(&said, start, text);
    for (size_t i = 0; i < said.count; i++) {
        free(said.line[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD) {
        return 0;
    }
    char *text = cleaned(data + HEAD, size - HEAD);
    check_split(text, LEAST + data[0] % 128);
    check_split(text, RENDER_LINE_BYTES);
    check_render(text, 100 + data[1], data[2]);
    free(text);
    return 0;
}
