/* SPDX-License-Identifier: MIT */
/* From a delivery to parts. */
#include "render.h"

#include "mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before the words of each part, and how it is linked. */
struct head {
    const char *lead, *url;
    char between[400]; /* ": ", " ", or ", replying to Asha: ", with a content note behind */
    bool hidden;       /* by a spoiler, until somebody wants to read it (R25) */
};

/* ---- pieces of text ------------------------------------------------------------------- */

static const char *escape_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    case '\n': return "<br>";
    default: return NULL;
    }
}

static void add_html(struct mem_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *escape = escape_of(text[i]);
        mem_add(out, escape != NULL ? escape : text + i, escape != NULL ? strlen(escape) : 1);
    }
}

/* Bytes that one byte of text costs in the event, body and HTML together. */
static size_t cost_of(char c, bool html)
{
    const char *escape = escape_of(c);
    size_t body = c == '"' || c == '\\' || c == '\n' ? 2 : (unsigned char)c < ' ' ? 6 : 1;
    return body + (html ? (escape != NULL ? strlen(escape) : body) : 0);
}

/* The last place before max at which a text may be cut: behind a line, a
 * sentence, a word, at worst before a whole code point. */
static size_t cut_before(const char *text, size_t max)
{
    size_t sentence = 0, word = 0;
    for (size_t i = max; i > max / 2; i--) {
        if (text[i - 1] == '\n') {
            return i;
        }
        if (text[i - 1] == ' ') {
            word = word > 0 ? word : i;
            if (sentence == 0 && i > 1 && memchr(".!?", text[i - 2], 3) != NULL) {
                sentence = i;
            }
        }
    }
    if (sentence > 0 || word > 0) {
        return sentence > 0 ? sentence : word;
    }
    while (max > 1 && ((unsigned char)text[max] & 0xC0) == 0x80) {
        max--;
    }
    return max;
}

/* Bytes of text that fit into one event. */
static size_t piece(const char *text, size_t len, bool html, size_t max)
{
    size_t cost = 0, at = 0;
    while (at < len && cost + cost_of(text[at], html) <= max) {
        cost += cost_of(text[at++], html);
    }
    return at == len ? len : cut_before(text, at);
}

static size_t without_space(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\n')) {
        len--;
    }
    return len;
}

/* ---- contents ---------------------------------------------------------------------------- */

static struct head head_of(const struct hr_delivery *delivery)
{
    struct head head = {.lead = delivery->lead, .url = delivery->lead_url};
    head.hidden = delivery->lead[0] != '\0' && (delivery->msg_flags & HR_MSG_SENSITIVE) != 0;
    const char *note = head.hidden ? "(Content note: its author marked this as sensitive.) " : "";
    bool says_whom =
        delivery->act == HR_ACT_SAY && delivery->reply_remote[0] == '\0' && delivery->reply_name[0] != '\0';
    if (delivery->lead[0] == '\0') {
        return head;
    }
    if (says_whom) {
        snprintf(head.between, sizeof(head.between), ", replying to %.300s: %s", delivery->reply_name, note);
    } else {
        snprintf(head.between, sizeof(head.between), "%s%s", delivery->msg_flags & HR_MSG_EMOTE ? " " : ": ", note);
    }
    return head;
}

static bool has_html(const struct head *head)
{
    return head->lead[0] != '\0' && (head->url[0] != '\0' || head->hidden);
}

/* "<a href=...>Ben on Twitter</a>: words" */
static void add_said(struct mem_buf *html, const struct head *head, const char *text, size_t len)
{
    bool linked = head->lead[0] != '\0' && head->url[0] != '\0';
    if (linked) {
        mem_puts(html, "<a href=\"");
        add_html(html, head->url, strlen(head->url));
        mem_puts(html, "\">");
    }
    add_html(html, head->lead, strlen(head->lead));
    mem_puts(html, linked ? "</a>" : "");
    add_html(html, head->between, strlen(head->between));
    mem_puts(html, head->hidden ? "<span data-mx-spoiler>" : "");
    add_html(html, text, len);
    mem_puts(html, head->hidden ? "</span>" : "");
}

static json_t *content_of(const struct hr_delivery *delivery, const struct head *head, const char *text, size_t len)
{
    bool spoken = head->lead[0] != '\0' || (delivery->say_flags & HR_SAY_TEXT) != 0;
    bool emote = head->lead[0] == '\0' && (delivery->msg_flags & HR_MSG_EMOTE) != 0;
    struct mem_buf body = {.max = 64 * 1024}, html = {.max = 64 * 1024};
    mem_puts(&body, head->lead);
    mem_puts(&body, head->between);
    mem_add(&body, text, len);
    json_t *content = json_pack("{s:s, s:s%, s:{}}", "msgtype",
                                emote    ? "m.emote"
                                : spoken ? "m.text"
                                         : "m.notice",
                                "body", mem_text(&body), body.len, "m.mentions");
    if (content != NULL && has_html(head)) {
        add_said(&html, head, text, len);
        json_object_set_new(content, "format", json_string("org.matrix.custom.html"));
        json_object_set_new(content, "formatted_body", json_stringn(mem_text(&html), html.len));
    }
    mem_clear(&body);
    mem_clear(&html);
    return content;
}

static void prefix_star(json_t *content, const char *key)
{
    const json_t *value = json_object_get(content, key);
    if (value != NULL) {
        struct mem_buf text = {.max = 70 * 1024};
        mem_puts(&text, "* ");
        mem_add(&text, json_string_value(value), json_string_length(value));
        json_object_set_new(content, key, json_stringn(mem_text(&text), text.len));
        mem_clear(&text);
    }
}

/* The new words for clients that know edits, behind `fallback` for those that don't. Takes both. */
static json_t *edit_of(json_t *content, json_t *fallback, const char *target)
{
    if (content != NULL && fallback != NULL) {
        prefix_star(fallback, "body");
        prefix_star(fallback, "formatted_body");
        json_object_set(fallback, "m.new_content", content);
        json_object_set_new(fallback, "m.relates_to",
                            json_pack("{s:s, s:s}", "rel_type", "m.replace", "event_id", target));
    }
    json_decref(content);
    return fallback;
}

static json_t *as_edit(json_t *content, const char *target)
{
    return edit_of(content, content != NULL ? json_deep_copy(content) : NULL, target);
}

/* ---- parts --------------------------------------------------------------------------------- */

static int put_within(struct hr_parts *out, const char *type, json_t *content, const char *redacts, size_t most)
{
    json_t *part = json_pack("{s:s, s:o*, s:s*}", "type", type, "content", content, "redacts", redacts);
    char *text = part != NULL && content != NULL ? json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(part);
    if (text == NULL) {
        return HR_EINVAL;
    }
    size_t len = strlen(text);
    if (len <= most) {
        out->add(out, text, len);
    }
    free(text);
    return len <= most ? HR_OK : HR_ELIMIT;
}

static int put(struct hr_parts *out, const char *type, json_t *content, const char *redacts)
{
    return put_within(out, type, content, redacts, SIZE_MAX);
}

/* A picture of another Matrix room: its event, and the words for both cases. */
static int put_picture(const struct hr_delivery *delivery, struct hr_parts *out)
{
    struct hr_delivery linked = *delivery;
    struct mem_buf text = {.max = RENDER_MAX_BYTES / 4};
    const struct head head = head_of(delivery);
    mem_puts(&text, delivery->text);
    mem_puts(&text, delivery->media_url[0] != '\0' ? " " : "");
    mem_puts(&text, delivery->media_url);
    linked.text = mem_text(&text);
    json_t *bare = content_of(delivery, &head, delivery->text, strlen(delivery->text));
    json_t *content = content_of(&linked, &head, linked.text, text.len);
    mem_clear(&text);
    if (delivery->act == HR_ACT_EDIT && delivery->target_count > 0) {
        content = as_edit(content, delivery->target[0]);
    } else if (delivery->reply_remote[0] == '$') {
        json_object_set_new(content, "m.relates_to",
                            json_pack("{s:{s:s}}", "m.in_reply_to", "event_id", delivery->reply_remote));
    }
    json_t *part = json_pack("{s:s, s:o, s:{s:s, s:O}}", "type", "m.room.message", "content", content, "media",
                             "origin", delivery->origin, "caption", json_object_get(bare, "body"));
    char *json = part != NULL ? json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(part);
    json_decref(bare);
    if (json != NULL) {
        out->add(out, json, strlen(json));
    }
    free(json);
    return json != NULL ? HR_OK : HR_EINVAL;
}

static int put_redaction(struct hr_parts *out, const char *target)
{
    return put(out, "m.room.redaction", json_object(), target);
}

static bool is_picture(const struct hr_delivery *delivery)
{
    return delivery->origin != NULL && delivery->origin[0] == '$' && delivery->text[0] != '\0' &&
           strlen(delivery->text) < RENDER_MAX_BYTES / 8 && delivery->target_count <= 1;
}

static int put_text(const struct hr_delivery *delivery, struct hr_parts *out)
{
    if (is_picture(delivery)) {
        return put_picture(delivery, out);
    }
    const struct head head = head_of(delivery);
    const char *text = delivery->text;
    bool html = has_html(&head);
    size_t max = RENDER_MAX_BYTES / (delivery->act == HR_ACT_EDIT ? 2 : 1); /* an edit carries everything twice */
    size_t left = strlen(text), no = 0;
    int rc = HR_OK;
    while (rc == HR_OK && (left > 0 || no == 0)) {
        size_t len = piece(text, left, html, max), shown = without_space(text, len);
        json_t *content = shown > 0 ? content_of(delivery, &head, text, shown) : NULL;
        if (shown == 0 && left > len) {
            text += len, left -= len;
            continue;
        }
        if (shown == 0) {
            break;
        }
        if (delivery->act == HR_ACT_EDIT && no < delivery->target_count) {
            content = as_edit(content, delivery->target[no]);
        } else if (no == 0 && delivery->reply_remote[0] == '$') {
            json_object_set_new(content, "m.relates_to",
                                json_pack("{s:{s:s}}", "m.in_reply_to", "event_id", delivery->reply_remote));
        }
        rc = put(out, "m.room.message", content, NULL);
        text += len, left -= len, no++;
    }
    for (; rc == HR_OK && delivery->act == HR_ACT_EDIT && no < delivery->target_count; no++) {
        rc = put_redaction(out, delivery->target[no]); /* the new words need fewer events */
    }
    return rc;
}

static json_t *paragraphs(const struct hr_delivery *const *deliveries, size_t count)
{
    struct mem_buf body = {.max = 1024 * 1024}, html = {.max = 1024 * 1024}; /* measured when it is whole */
    for (size_t i = 0; i < count; i++) {
        struct hr_delivery delivery = *deliveries[i];
        delivery.reply_remote = ""; /* one event answers one: here it is said in words, in an edit as well */
        delivery.act = HR_ACT_SAY;
        const struct head head = head_of(&delivery);
        mem_puts(&body, i > 0 ? "\n" : "");
        mem_puts(&body, head.lead);
        mem_puts(&body, head.between);
        mem_puts(&body, delivery.text);
        mem_puts(&html, "<p>");
        add_said(&html, &head, delivery.text, strlen(delivery.text));
        mem_puts(&html, "</p>");
    }
    json_t *content =
        json_pack("{s:s, s:s%, s:s, s:s%, s:{}}", "msgtype", "m.text", "body", mem_text(&body), body.len, "format",
                  "org.matrix.custom.html", "formatted_body", mem_text(&html), html.len, "m.mentions");
    mem_clear(&body);
    mem_clear(&html);
    return content;
}

/* Several lines as one event, a paragraph each. An edit repeats the changed one alone for clients that know no edits:
 * all of them twice would not fit. */
static int put_merged(const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out)
{
    bool edit = deliveries[0]->act == HR_ACT_EDIT && deliveries[0]->target_count > 0;
    size_t most = edit ? RENDER_EDIT_BYTES : RENDER_MERGED_BYTES, words = 0;
    for (size_t i = 0; i < count; i++) {
        words += strlen(deliveries[i]->text);
    }
    if (words > most) {
        return HR_ELIMIT;
    }
    json_t *content = paragraphs(deliveries, count);
    if (edit) {
        size_t changed = 0;
        for (size_t i = 0; i < count; i++) {
            changed = deliveries[i]->changed ? i : changed;
        }
        content = edit_of(content, paragraphs(&deliveries[changed], 1), deliveries[0]->target[0]);
    }
    return put_within(out, "m.room.message", content, NULL, most);
}

int render_delivery(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out,
                    char *err, size_t err_size)
{
    (void)state;
    if (count > 1) {
        int rc = put_merged(deliveries, count, out);
        if (rc < 0) {
            snprintf(err, err_size, rc == HR_ELIMIT ? "together they are too long" : "the text is not valid UTF-8");
        }
        return rc;
    }
    for (size_t i = 0; i < count; i++) {
        const struct hr_delivery *delivery = deliveries[i];
        int rc = HR_OK;
        if (delivery->act == HR_ACT_REMOVE) {
            for (size_t t = 0; rc == HR_OK && t < delivery->target_count; t++) {
                rc = put_redaction(out, delivery->target[t]);
            }
        } else {
            rc = put_text(delivery, out);
        }
        if (rc < 0) {
            snprintf(err, err_size, "the text is not valid UTF-8");
            return HR_EINVAL;
        }
    }
    return HR_OK;
}
