/* SPDX-License-Identifier: MIT */
/*
 * From the text and entities of a post to what is shown. Offsets count code
 * points of the escaped text, so the text is cut first and decoded piece by
 * piece; an offset that does not lead to the link it names is not believed.
 */
#include "wording.h"
#include "media.h"
#include "mem.h"
#include "text.h"

enum { SWAP_MAX = 256, WORDING_MAX_BYTES = 256 * 1024, URL_MAX_BYTES = 4096 };

struct swap { /* bytes of the escaped text that give way */
    size_t start, end;
    const char *with; /* NULL: dropped */
};

struct source {
    const char *text;
    size_t len;
    struct swap *swap;
    size_t count;
};

static const char *str(const json_t *object, const char *name)
{
    const char *s = json_string_value(json_object_get(object, name));
    return s != NULL && s[0] != '\0' ? s : NULL;
}

static bool is_web(const char *url)
{
    return url != NULL && strlen(url) <= URL_MAX_BYTES && strpbrk(url, " \t\r\n") == NULL &&
           (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
}

static const char *leads_to(const json_t *url)
{
    const char *unwound = str(url, "unwound_url"), *expanded = str(url, "expanded_url");
    return is_web(unwound) ? unwound : is_web(expanded) ? expanded : str(url, "url");
}

static bool is_post(const char *url, const char *id)
{
    const char *at = id == NULL || url == NULL ? NULL : strstr(url, "/status/");
    return at != NULL && strncmp(at + 8, id, strlen(id)) == 0 && strspn(at + 8, "0123456789") == strlen(id);
}

static bool taken(const struct source *source, size_t start, size_t end)
{
    for (size_t i = 0; i < source->count; i++) {
        if (start < source->swap[i].end && end > source->swap[i].start) {
            return true;
        }
    }
    return false;
}

/* Where the short link really stands: at its offsets, else wherever it is found. */
static bool find_link(const struct source *source, const json_t *url, struct swap *out)
{
    const char *literal = str(url, "url");
    const json_t *start = json_object_get(url, "start");
    if (literal == NULL) {
        return false;
    }
    size_t n = strlen(literal);
    if (json_is_integer(start) && json_integer_value(start) >= 0) {
        size_t at = text_offset(source->text, source->len, (size_t)json_integer_value(start));
        if (n <= source->len - at && memcmp(source->text + at, literal, n) == 0) {
            *out = (struct swap){.start = at, .end = at + n};
            return true;
        }
    }
    for (const char *at = strstr(source->text, literal); at != NULL; at = strstr(at + 1, literal)) {
        size_t from = (size_t)(at - source->text);
        if (!taken(source, from, from + n)) {
            *out = (struct swap){.start = from, .end = from + n};
            return true;
        }
    }
    return false;
}

static int by_start(const void *a, const void *b)
{
    const struct swap *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void find_all(struct source *source, const json_t *urls)
{
    size_t i;
    json_t *url;
    source->swap = mem_calloc(SWAP_MAX, sizeof(*source->swap));
    json_array_foreach(urls, i, url)
    {
        struct swap swap;
        if (source->count < SWAP_MAX && find_link(source, url, &swap) && !taken(source, swap.start, swap.end)) {
            swap.with = media_is_link(url) ? NULL : leads_to(url);
            source->swap[source->count++] = swap;
        }
    }
    qsort(source->swap, source->count, sizeof(*source->swap), by_start);
}

/* Replies begin with names X put there itself: the visible part starts after
 * them. Believed only if what is left out is nothing but names. */
static size_t visible_from(const json_t *post, const char *text, size_t len)
{
    const json_t *range = json_object_get(post, "display_text_range");
    json_int_t from = json_integer_value(json_array_get(range, 0));
    if (!json_is_integer(json_array_get(range, 0)) || from <= 0) {
        return 0;
    }
    size_t end = text_offset(text, len, (size_t)from);
    for (size_t i = 0; i < end;) {
        size_t name = strcspn(text + i, " \n");
        if (text[i] != '@' || name < 2) {
            return 0;
        }
        i += name;
        i += strspn(text + i, " \n");
    }
    return end < len ? end : 0;
}

static void compose(struct text *out, const struct source *source, size_t from)
{
    size_t at = from;
    for (size_t i = 0; i <= source->count; i++) {
        bool last = i == source->count;
        size_t start = last ? source->len : source->swap[i].start;
        if (start < at) {
            continue;
        }
        if (out->len == 0) {
            while (at < start && strchr(" \n", source->text[at]) != NULL) {
                at++;
            }
        }
        text_unescape(out, source->text + at, start - at);
        if (last) {
            break;
        }
        at = source->swap[i].end;
        if (source->swap[i].with != NULL) {
            text_str(out, source->swap[i].with);
        } else {
            while (out->len > 0 && out->data[out->len - 1] == ' ') {
                out->data[--out->len] = '\0';
            }
        }
    }
    text_trim(out);
}

static void add_link(struct wording *wording, const json_t *url)
{
    const char *to = leads_to(url), *title = str(url, "title");
    if (!is_web(to) || wording->link_count >= SWAP_MAX) {
        return;
    }
    CLEANUP(mem_clear) char *line = text_normal(title == NULL ? "" : title);
    wording->links = mem_grow(wording->links, wording->link_count + 1, sizeof(*wording->links));
    struct text plain;
    text_init(&plain, WORDING_MAX_BYTES);
    text_unescape(&plain, line, strlen(line));
    wording->links[wording->link_count++] = (struct hr_link){.url = mem_dup(to), .title = text_detach(&plain)};
}

void wording_read(struct wording *wording, const json_t *post, const json_t *includes, const char *quoted,
                  const char *quoted_handle)
{
    *wording = (struct wording){0};
    const json_t *note = json_object_get(post, "note_tweet");
    note = str(note, "text") != NULL ? note : json_object_get(post, "note_post");
    const json_t *owner = str(note, "text") != NULL ? note : post;
    const json_t *urls = json_object_get(json_object_get(owner, "entities"), "urls");
    const char *raw = str(owner, "text");
    raw = raw == NULL ? "" : raw;
    struct source source = {.text = raw, .len = strlen(raw)};
    struct text out;
    text_init(&out, WORDING_MAX_BYTES);
    find_all(&source, urls);
    compose(&out, &source, visible_from(post, source.text, source.len));
    free(source.swap);

    bool quote_said = false;
    size_t i;
    json_t *url;
    json_array_foreach(urls, i, url)
    {
        if (is_post(leads_to(url), quoted)) {
            quote_said = true;
        } else if (!media_is_link(url)) {
            add_link(wording, url);
        }
    }
    media_words(&out, post, includes);
    if (quoted != NULL && !quote_said) {
        text_print(&out, "%shttps://x.com/%s/status/%s", out.len > 0 ? " " : "",
                   quoted_handle != NULL ? quoted_handle : "i", quoted);
    }
    wording->text = text_detach(&out);
}

void wording_clear(struct wording *wording)
{
    for (size_t i = 0; i < wording->link_count; i++) {
        free((char *)wording->links[i].url);
        free((char *)wording->links[i].title);
    }
    free(wording->links);
    free(wording->text);
    *wording = (struct wording){0};
}
