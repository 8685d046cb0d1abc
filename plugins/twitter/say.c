/* SPDX-License-Identifier: MIT */
/* From the host's words to the request that posts them. */
#include "say.h"
#include "length.h"
#include "mem.h"
#include "snowflake.h"
#include "tag.h"
#include "text.h"
#include <jansson.h>

enum { SAY_MAX_BYTES = 16 * 1024 };

static bool has_tag(const char *text, const char *tag)
{
    size_t len = strlen(tag);
    for (const char *p = strchr(text, '#'); p != NULL; p = strchr(p + 1, '#')) {
        size_t word = strcspn(p + 1, " \n.,;:!?()'\"") + 1;
        CLEANUP(mem_clear) char *one = mem_copy(p, word);
        if (word >= len && tag_equal(one, tag)) {
            return true;
        }
    }
    return false;
}

static int refuse_link(const char *text, char *err, size_t err_size)
{
    struct length_url url;
    if (!length_find_url(text, 0, &url)) {
        return HR_OK;
    }
    snprintf(err, err_size,
             "\"%.*s\" looks like a web address to Twitter, and posts with one cost many times as much. "
             "Take it out, or put a space after the full stop",
             (int)(url.end - url.start > 60 ? 60 : url.end - url.start), text + url.start);
    return HR_EINVAL;
}

static int render_say(const struct hr_delivery *delivery, struct hr_parts *out, char *err, size_t err_size)
{
    struct text text;
    text_init(&text, SAY_MAX_BYTES);
    text_str(&text, delivery->text);
    text_trim(&text);
    if (!has_tag(text_get(&text), delivery->room->address)) {
        text_print(&text, " %s", delivery->room->address);
    }
    bool over = text.over;
    CLEANUP(mem_clear) char *words = text_detach(&text);
    int length = length_weighted(words), status = refuse_link(words, err, err_size);
    if (status != HR_OK) {
        return status;
    }
    if (length < 0 || over) {
        snprintf(err, err_size, "the text holds characters that Twitter refuses, or is far too long");
        return HR_EINVAL;
    }
    if (length > LENGTH_MAX) {
        snprintf(err, err_size, "too long for Twitter by %d characters: with %s it is %d, and %d fit",
                 length - LENGTH_MAX, delivery->room->address, length, LENGTH_MAX);
        return HR_EINVAL;
    }
    json_t *body = json_pack("{s:s}", "text", words);
    if ((delivery->say_flags & HR_SAY_THREAD) != 0 && snowflake_valid(delivery->thread_remote)) {
        json_object_set_new(body, "reply", json_pack("{s:s}", "in_reply_to_tweet_id", delivery->thread_remote));
    }
    CLEANUP(mem_clear) char *dump = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (dump == NULL) {
        snprintf(err, err_size, "the text is not valid UTF-8");
        return HR_EINVAL;
    }
    out->add(out, dump, strlen(dump));
    return HR_OK;
}

int say_render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out, char *err,
               size_t err_size)
{
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct hr_delivery *one = deliveries[i];
        if (one->act == HR_ACT_REMOVE) {
            for (size_t k = 0; k < one->target_count; k++) {
                if (snowflake_valid(one->target[k])) {
                    out->add(out, one->target[k], strlen(one->target[k]));
                }
            }
        } else if (one->act == HR_ACT_SAY && (one->lead == NULL || one->lead[0] == '\0')) {
            int status = render_say(one, out, err, err_size);
            if (status != HR_OK) {
                return status;
            }
        }
        /* A post can't be changed, and nobody else's words are posted under the chat's name. */
    }
    return HR_OK;
}

char *say_text(const char *body)
{
    json_t *json = json_loads(body, 0, NULL);
    char *text = mem_dup(json_string_value(json_object_get(json, "text")));
    json_decref(json);
    return text;
}

char *say_reply_to(const char *body)
{
    json_t *json = json_loads(body, 0, NULL);
    char *id = mem_dup(json_string_value(json_object_get(json_object_get(json, "reply"), "in_reply_to_tweet_id")));
    json_decref(json);
    return id;
}
