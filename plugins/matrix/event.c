/* SPDX-License-Identifier: MIT */
/* One event of a room, cut out of a reply. */
#include "event.h"

#include <hashroom/plugin.h>

#include <stdio.h>
#include <string.h>

struct pieces {
    struct event *event;
    struct scan content, other; /* other: unsigned */
    bool broken;
};

static int on_member(void *arg, const char *key, struct scan value)
{
    struct pieces *pieces = arg;
    struct event *event = pieces->event;
    const struct {
        const char *key;
        char *to;
    } texts[] = {
        {"event_id", event->id},
        {"type", event->type},
        {"sender", event->sender},
        {"state_key", event->state_key},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(key, texts[i].key) == 0 && scan_string(value, texts[i].to, sizeof(event->id)) < 0) {
            pieces->broken = true;
        }
    }
    if (strcmp(key, "state_key") == 0) {
        event->is_state = true;
    } else if (strcmp(key, "redacts") == 0 && scan_string(value, event->redacts, sizeof(event->redacts)) < 0) {
        event->redacts[0] = '\0';
    } else if (strcmp(key, "origin_server_ts") == 0) {
        event->time_ms = scan_number(value, 0);
    } else if (strcmp(key, "content") == 0) {
        pieces->content = value;
    } else if (strcmp(key, "unsigned") == 0) {
        pieces->other = value;
    }
    return HR_OK;
}

int event_read(struct event *event, struct scan json, char *err, size_t err_size)
{
    struct pieces pieces = {.event = event};
    struct scan age;
    *event = (struct event){.age_ms = -1};
    if (scan_object(json, on_member, &pieces) < 0) {
        snprintf(err, err_size, "not an object");
        return HR_EINVAL;
    }
    if (pieces.broken || event->type[0] == '\0' || event->sender[0] == '\0' || pieces.content.at == NULL) {
        snprintf(err, err_size, "id, type, sender or content missing or malformed");
        return HR_EINVAL;
    }
    if (pieces.other.at != NULL && scan_get(pieces.other, "age", &age) == HR_OK) {
        event->age_ms = scan_number(age, -1);
    }
    event->content = scan_load(pieces.content, err, err_size);
    if (event->content == NULL) {
        return HR_EINVAL;
    }
    if (!json_is_object(event->content)) {
        snprintf(err, err_size, "its content is not an object");
        return HR_EINVAL;
    }
    return HR_OK;
}

void event_clear(struct event *event)
{
    json_decref(event->content);
    event->content = NULL;
}
