/* SPDX-License-Identifier: MIT */
/* What is said in words for the pictures and films of a post (R24). */
#include "media.h"
#include "mem.h"

enum { MEDIA_MAX = 16 };

bool media_is_link(const json_t *url_entity)
{
    if (json_is_string(json_object_get(url_entity, "media_key"))) {
        return true;
    }
    const char *to = json_string_value(json_object_get(url_entity, "expanded_url"));
    const char *status = to == NULL ? NULL : strstr(to, "/status/");
    if (status == NULL) {
        return false;
    }
    const char *rest = status + strlen("/status/");
    rest += strspn(rest, "0123456789");
    return strncmp(rest, "/photo/", 7) == 0 || strncmp(rest, "/video/", 7) == 0;
}

static const json_t *media_find(const json_t *includes, const char *key)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(includes, "media"), i, one)
    {
        const char *have = json_string_value(json_object_get(one, "media_key"));
        if (have != NULL && strcmp(have, key) == 0) {
            return one;
        }
    }
    return NULL;
}

/* The object's type, else what the key's prefix says: 3_ photo, 7_ and 13_ video, 16_ GIF. */
static const char *media_name(const json_t *media, const char *key)
{
    const char *type = json_string_value(json_object_get(media, "type"));
    if (type == NULL) {
        type = strncmp(key, "3_", 2) == 0                                  ? "photo"
               : strncmp(key, "7_", 2) == 0 || strncmp(key, "13_", 3) == 0 ? "video"
               : strncmp(key, "16_", 3) == 0                               ? "animated_gif"
                                                                           : "";
    }
    return strcmp(type, "photo") == 0          ? "Image"
           : strcmp(type, "video") == 0        ? "Video"
           : strcmp(type, "animated_gif") == 0 ? "Moving image"
                                               : "Attachment";
}

static void say_one(struct text *out, const json_t *includes, const char *key)
{
    const json_t *media = media_find(includes, key);
    const char *name = media_name(media, key);
    const char *alt = json_string_value(json_object_get(media, "alt_text"));
    CLEANUP(mem_clear) char *line = text_normal(alt == NULL ? "" : alt);
    text_str(out, out->len > 0 ? " " : "");
    if (line[0] != '\0') {
        text_print(out, "(%s: %s)", name, line);
    } else {
        text_print(out, "(%s with no description.)", name);
    }
}

/* Where the post names no attachments, its media links do. */
static void say_links(struct text *out, const json_t *post, const json_t *includes)
{
    const char *last = NULL;
    size_t i, said = 0;
    json_t *url;
    json_array_foreach(json_object_get(json_object_get(post, "entities"), "urls"), i, url)
    {
        if (!media_is_link(url) || said >= MEDIA_MAX) {
            continue;
        }
        const char *key = json_string_value(json_object_get(url, "media_key"));
        const char *to = json_string_value(json_object_get(url, "expanded_url"));
        if (key == NULL) {
            key = to != NULL && strstr(to, "/photo/") != NULL ? "3_" : "7_";
        }
        if (last == NULL || strcmp(last, key) != 0) {
            say_one(out, includes, key);
            said++;
        }
        last = key;
    }
}

void media_words(struct text *out, const json_t *post, const json_t *includes)
{
    const json_t *attachments = json_object_get(post, "attachments");
    const json_t *keys = json_object_get(attachments, "media_keys");
    size_t i;
    json_t *key;
    if (json_array_size(keys) == 0) {
        say_links(out, post, includes);
    }
    json_array_foreach(keys, i, key)
    {
        if (json_is_string(key) && i < MEDIA_MAX) {
            say_one(out, includes, json_string_value(key));
        }
    }
    if (json_array_size(json_object_get(attachments, "poll_ids")) > 0) {
        text_str(out, out->len > 0 ? " (With a poll.)" : "(With a poll.)");
    }
}
