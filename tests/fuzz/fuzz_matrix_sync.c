/* SPDX-License-Identifier: MIT */
/* Any bytes as a reply of the long poll: cut, read event by event, HTML included. */
#include "../../plugins/matrix/event.h"
#include "../../plugins/matrix/html.h"
#include "../../plugins/matrix/inbound.h"

#include <hashroom/plugin.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_event(void *arg, struct scan json)
{
    struct event event;
    char err[120];
    uint32_t flags = 0;
    struct mem_buf text = {.max = 64 * 1024};
    (void)arg;
    if (event_read(&event, json, err, sizeof(err)) == HR_OK) {
        (void)inbound_text(event.content, true, &text, &flags);
    }
    mem_clear(&text);
    event_clear(&event);
    return HR_OK;
}

static int on_room(void *arg, const char *key, struct scan value)
{
    struct scan timeline, events;
    (void)key;
    if (scan_get(value, "timeline", &timeline) == HR_OK && scan_get(timeline, "events", &events) == HR_OK) {
        return scan_array(events, on_event, arg);
    }
    return HR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan all = {(const char *)data, size}, rooms, joined;
    struct mem_buf text = {.max = 64 * 1024};
    char next[1024];
    (void)scan_get_string(all, "next_batch", next, sizeof(next));
    if (scan_get(all, "rooms", &rooms) == HR_OK && scan_get(rooms, "join", &joined) == HR_OK) {
        (void)scan_object(joined, on_room, NULL);
    }
    (void)html_text((const char *)data, size, &text);
    mem_clear(&text);
    return 0;
}
