/* SPDX-License-Identifier: MIT */
/*
 * Lines of several people as one Matrix event, and one alone as several. The bytes are the lines, one byte before each
 * chooses who says it and how. The event is JSON of valid UTF-8 within the size a server takes, each line stands in
 * it whole, in order, behind its name, and the HTML says the same as the plain body.
 */
#include "../../plugins/matrix/html.h"
#include "../../plugins/matrix/render.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const int fuzz_rounds;
const int fuzz_rounds = 120; /* of fuzz_main.c: this target is slow */

enum { MOST = 10, EVENT_BYTES = 60000, PARTS = 64 };

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

struct said {
    struct hr_parts parts;
    json_t *part[PARTS];
    size_t count;
};

static void on_part(struct hr_parts *parts, const void *body, size_t len)
{
    struct said *said = (struct said *)(void *)parts;
    must(said->count < PARTS, "more parts than the host takes");
    must(len > 0 && len < EVENT_BYTES, "no event, or one too large for a server");
    json_t *part = json_loadb(body, len, 0, NULL);
    must(json_is_object(part) && json_is_object(json_object_get(part, "content")), "a part that is no event");
    said->part[said->count++] = part;
}

static void clear(struct said *said)
{
    for (size_t i = 0; i < said->count; i++) {
        json_decref(said->part[i]);
    }
    said->count = 0;
}

/* ---- what is said ----------------------------------------------------------------------------- */

/* As the host lets it in: whole characters, no control but '\n', no empty text. */
static char *cleaned(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 2);
    size_t len = 0;
    must(text != NULL, "memory");
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(data + at, (utf8proc_ssize_t)(size - at), &point);
        if (step > 0 && (point >= ' ' || point == '\n') && (point < 0x7f || point > 0x9f)) {
            memcpy(text + len, data + at, (size_t)step);
            len += (size_t)step;
        }
        at += step > 0 ? (size_t)step : 1;
    }
    while (len > 0 && strchr(" \n", text[len - 1]) != NULL) {
        len--;
    }
    memcpy(text + len, len == 0 ? "x" : "", len == 0 ? 2 : 1);
    return text;
}

static const struct hr_room room = {
    .id = 1, .network = "net", .address = "!a:b", .service = "Matrix", .chat = "dpulo", .flags = HR_ROOM_PEOPLE};

static struct hr_delivery delivery_of(uint8_t choice, const char *text)
{
    static const char *const leads[] = {"Ben on Twitter", "Asha & <Co> on IRC", "\"Q\" on X"};
    static const char *const target[] = {"$one", "$two"};
    return (struct hr_delivery){.size = sizeof(struct hr_delivery),
                                .room = &room,
                                .act = HR_ACT_SAY,
                                .lead = leads[choice % 3],
                                .lead_url = choice & 4 ? "https://x.com/ben/status/1?a=1&b=\"2\"" : "",
                                .text = text,
                                .msg_flags = (choice & 8 ? HR_MSG_EMOTE : 0u) | (choice & 64 ? HR_MSG_SENSITIVE : 0u),
                                .reply_remote = choice & 16 ? "$parent" : "",
                                .reply_name = choice & 16 ? "Asha" : "",
                                .reply_text = "",
                                .target = target,
                                .target_count = choice & 32 ? 2 : 1};
}

/* ---- what holds ----------------------------------------------------------------------------------- */

/* Where `words` end in `in` behind `from`, spaces aside; NULL: they are not there. */
static const char *after(const char *from, const char *words)
{
    const char *found = strstr(from, words);
    return found != NULL ? found + strlen(words) : NULL;
}

static void check_body(const char *body, const struct hr_delivery *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        body = after(body, all[i].lead);
        must(body != NULL, "a name is missing");
        body = after(body, all[i].text);
        must(body != NULL, "words are missing, or not in their order");
    }
}

static void squeeze(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        if (strchr(" \t\r\n", *text) == NULL) {
            *to++ = *text;
        }
    }
    *to = '\0';
}

/* HTML as a client shows it, links left out, has the same words; spaces aside. */
static void check_html(const json_t *content, const char *body)
{
    const char *html = json_string_value(json_object_get(content, "formatted_body"));
    struct mem_buf text = {.max = 128 * 1024};
    if (html != NULL && html_text(html, strlen(html), &text) == HR_OK) {
        char *shown = mem_dup(mem_text(&text)), *plain = mem_dup(body);
        static const char link[] = " (https://x.com/ben/status/1?a=1&b=\"2\")";
        for (char *at; (at = strstr(shown, link)) != NULL;) {
            memmove(at, at + sizeof(link) - 1, strlen(at + sizeof(link) - 1) + 1);
        }
        squeeze(shown);
        squeeze(plain);
        must(strstr(plain, "https://x.com") != NULL || strcmp(shown, plain) == 0, "the HTML says something else");
        free(shown);
        free(plain);
    }
    mem_clear(&text);
}

static void check_together(const struct hr_delivery *all, size_t count)
{
    const struct hr_delivery *one[MOST];
    struct said said = {.parts = {.add = on_part}};
    char err[200] = "";
    for (size_t i = 0; i < count; i++) {
        one[i] = &all[i];
    }
    int rc = render_delivery(NULL, one, count, &said.parts, err, sizeof(err));
    must(rc == HR_OK || rc == HR_ELIMIT, "refused");
    must(said.count == (rc == HR_OK), "several lines are one event");
    if (rc == HR_OK) {
        const json_t *content = json_object_get(said.part[0], "content");
        const json_t *fresh = json_object_get(content, "m.new_content");
        const char *body = json_string_value(json_object_get(fresh != NULL ? fresh : content, "body"));
        must(body != NULL && (fresh != NULL) == (all[0].act == HR_ACT_EDIT), "no body");
        check_body(body, all, count);
        check_html(fresh != NULL ? fresh : content, body);
    }
    clear(&said);
}

/* One line alone, however long: all of it, spaces aside, the name first. */
static void check_alone(const struct hr_delivery *delivery)
{
    struct said said = {.parts = {.add = on_part}};
    struct mem_buf all = {.max = 1024 * 1024};
    char err[200] = "", *due = mem_dup(delivery->text);
    must(render_delivery(NULL, &delivery, 1, &said.parts, err, sizeof(err)) == HR_OK, "refused alone");
    must(said.count > 0, "nothing is said");
    for (size_t i = 0; i < said.count; i++) {
        const json_t *content = json_object_get(said.part[i], "content");
        const char *body = json_string_value(json_object_get(content, "body"));
        must(body != NULL && strncmp(body, delivery->lead, strlen(delivery->lead)) == 0,
             "the name does not come first");
        body += strlen(delivery->lead);
        body += strncmp(body, ", replying to Asha", 18) == 0 ? 18 : 0;
        body += *body == ':';
        const char *noted = strstr(body, "(Content note: its author marked this as sensitive.) ");
        must(!(delivery->msg_flags & HR_MSG_SENSITIVE) || (noted != NULL && noted - body <= 1), "no content note");
        body += noted != NULL && noted - body <= 1 ? sizeof("(Content note: its author marked this as sensitive.)") : 0;
        mem_puts(&all, body);
        check_html(content, json_string_value(json_object_get(content, "body")));
    }
    char *heard = mem_dup(mem_text(&all));
    squeeze(heard);
    squeeze(due);
    must(strcmp(heard, due) == 0, "one line alone is not said whole");
    free(heard);
    free(due);
    mem_clear(&all);
    clear(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hr_delivery all[MOST];
    char *text[MOST];
    size_t count = 0;
    for (size_t at = 0; at + 1 < size && count < MOST;) {
        const uint8_t *end = memchr(data + at + 1, '\0', size - at - 1);
        size_t len = (end != NULL ? (size_t)(end - data) : size) - at - 1;
        text[count] = cleaned(data + at + 1, len);
        all[count] = delivery_of(data[at], text[count]);
        check_alone(&all[count]);
        count++;
        at += len + 2;
    }
    if (count > 1) {
        check_together(all, count);
        for (size_t i = 0; i < count; i++) {
            all[i].act = HR_ACT_EDIT;
        }
        check_together(all, count);
    }
    for (size_t i = 0; i < count; i++) {
        free(text[i]);
    }
    return 0;
}
