/* SPDX-License-Identifier: MIT */
/* Formatted bodies to plain text. */
#include "html.h"

#include <hashroom/plugin.h>

#include <gumbo.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { MAX_BYTES = 40 * 1024, MAX_TAGS = 1500, MAX_DEPTH = 60 };

struct writer {
    struct mem_buf *out;
    bool space;          /* a space is due before the next word */
    const char *mark[8]; /* opening marks that wait for the word they belong to */
    size_t marks;
    bool keep; /* inside pre: as it stands */
    int depth;
    bool too_deep;
};

static void new_line(struct writer *writer)
{
    writer->space = false;
    if (writer->out->len > 0 && writer->out->at[writer->out->len - 1] != '\n') {
        mem_puts(writer->out, "\n");
    }
}

static void put_text(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++) {
        if (!writer->keep && strchr(" \t\r\n", *text) != NULL) {
            writer->space = true;
            continue;
        }
        if (writer->space && writer->out->len > 0 && writer->out->at[writer->out->len - 1] != '\n') {
            mem_puts(writer->out, " ");
        }
        writer->space = false;
        for (size_t i = 0; i < writer->marks; i++) {
            mem_puts(writer->out, writer->mark[i]);
        }
        writer->marks = 0;
        mem_add(writer->out, text, 1);
    }
}

/* False: too many at once, this one is left out. */
static bool open_mark(struct writer *writer, const char *mark)
{
    if (mark == NULL || writer->keep || writer->marks == sizeof(writer->mark) / sizeof(writer->mark[0])) {
        return false;
    }
    writer->mark[writer->marks++] = mark;
    return true;
}

/* Behind the last word, before a space that is due; nothing where no word came. */
static void close_mark(struct writer *writer, const char *mark)
{
    if (writer->marks > 0) {
        writer->marks--;
    } else {
        mem_puts(writer->out, mark);
    }
}

static const char *mark_of(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_STRONG:
    case GUMBO_TAG_B:
    case GUMBO_TAG_EM:
    case GUMBO_TAG_I: return "*";
    case GUMBO_TAG_CODE: return "`";
    default: return NULL;
    }
}

static bool is_block(GumboTag tag)
{
    static const GumboTag blocks[] = {
        GUMBO_TAG_P,   GUMBO_TAG_DIV, GUMBO_TAG_UL,    GUMBO_TAG_OL, GUMBO_TAG_LI, GUMBO_TAG_BLOCKQUOTE,
        GUMBO_TAG_PRE, GUMBO_TAG_H1,  GUMBO_TAG_H2,    GUMBO_TAG_H3, GUMBO_TAG_H4, GUMBO_TAG_H5,
        GUMBO_TAG_H6,  GUMBO_TAG_TR,  GUMBO_TAG_TABLE, GUMBO_TAG_HR,
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (blocks[i] == tag) {
            return true;
        }
    }
    return false;
}

static bool is_reply_quote(const GumboElement *element)
{
    GumboStringPiece name = element->original_tag;
    return element->tag == GUMBO_TAG_UNKNOWN && name.length > 9 && strncasecmp(name.data, "<mx-reply", 9) == 0;
}

static const char *attribute(const GumboElement *element, const char *name)
{
    const GumboAttribute *found = gumbo_get_attribute(&element->attributes, name);
    return found != NULL ? found->value : NULL;
}

/* A link to a person or room is shown by its words alone. */
static bool is_web(const char *url)
{
    return url != NULL && (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0) &&
           strncasecmp(url, "https://matrix.to/", 18) != 0;
}

static void put_link(struct writer *writer, const char *url, size_t from)
{
    const char *words = mem_text(writer->out) + (from < writer->out->len ? from : writer->out->len);
    while (*words == ' ' || *words == '\n') {
        words++;
    }
    if (is_web(url) && strcmp(words, url) != 0) {
        bool bare = *words == '\0';
        mem_puts(writer->out, bare ? "" : " (");
        mem_puts(writer->out, url);
        mem_puts(writer->out, bare ? "" : ")");
    }
}

static void walk(struct writer *writer, const GumboNode *node);

static void walk_children(struct writer *writer, const GumboVector *children)
{
    for (unsigned i = 0; i < children->length && !writer->too_deep; i++) {
        walk(writer, children->data[i]);
    }
}

static void walk_element(struct writer *writer, const GumboElement *element)
{
    const char *mark = mark_of(element->tag);
    bool block = is_block(element->tag), keep = writer->keep;
    size_t from = writer->out->len;
    if (element->tag == GUMBO_TAG_BR) {
        writer->space = false;
        mem_puts(writer->out, "\n");
        return;
    }
    if (element->tag == GUMBO_TAG_IMG) {
        const char *alt = attribute(element, "alt");
        put_text(writer, alt != NULL ? alt : "");
        return;
    }
    if (block) {
        new_line(writer);
    }
    if (element->tag == GUMBO_TAG_LI) {
        put_text(writer, "- ");
        writer->space = false;
        mem_puts(writer->out, writer->out->len > 0 && writer->out->at[writer->out->len - 1] == '-' ? " " : "");
    }
    bool marked = open_mark(writer, mark);
    writer->keep = keep || element->tag == GUMBO_TAG_PRE;
    walk_children(writer, &element->children);
    writer->keep = keep;
    if (marked) {
        close_mark(writer, mark);
    }
    if (element->tag == GUMBO_TAG_A) {
        put_link(writer, attribute(element, "href"), from);
    }
    if (block) {
        new_line(writer);
    }
}

static void walk(struct writer *writer, const GumboNode *node)
{
    if (++writer->depth > MAX_DEPTH) {
        writer->too_deep = true;
    } else if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE || node->type == GUMBO_NODE_CDATA) {
        put_text(writer, node->v.text.text);
    } else if (node->type == GUMBO_NODE_ELEMENT && node->v.element.tag != GUMBO_TAG_SCRIPT &&
               node->v.element.tag != GUMBO_TAG_STYLE && node->v.element.tag != GUMBO_TAG_HEAD &&
               !is_reply_quote(&node->v.element)) {
        walk_element(writer, &node->v.element);
    }
    writer->depth--;
}

int html_text(const char *html, size_t len, struct mem_buf *out)
{
    size_t tags = 0;
    for (size_t i = 0; i < len; i++) {
        tags += html[i] == '<';
    }
    if (len > MAX_BYTES || tags > MAX_TAGS) {
        return HR_ELIMIT;
    }
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;
    GumboOutput *parsed = gumbo_parse_with_options(&options, html, len);
    struct writer writer = {.out = out};
    walk(&writer, parsed->root);
    gumbo_destroy_output(&options, parsed);
    while (out->len > 0 && (out->at[out->len - 1] == '\n' || out->at[out->len - 1] == ' ')) {
        out->at[--out->len] = '\0';
    }
    return writer.too_deep || out->full ? HR_ELIMIT : HR_OK;
}
