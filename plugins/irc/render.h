/* SPDX-License-Identifier: MIT */
/*
 * Words to lines. Each line of a text is a part of its own; the first one names
 * who speaks, those that follow carry no name (they come at once behind it, and a
 * name on each would be read aloud each time). An answer to a line of the same channel carries its id as tags of the
 * first line, "@+draft/reply=ID;+reply=ID PRIVMSG ...": flights takes them off where the network has no tags.
 */
#ifndef IRC_RENDER_H
#define IRC_RENDER_H
#include <hashroom/network.h>

enum { RENDER_LINE_BYTES = 350 }; /* R1 */

/* Payload bytes that surely arrive whole behind ":nick!user@host PRIVMSG target :". */
/* Behind the tags, if there are any: the line itself. */
const char *render_line(const char *body);
size_t render_room(size_t nick, size_t user, size_t host, size_t target);
int render(void *state, const struct hr_delivery *const *deliveries, size_t count, struct hr_parts *out, char *err,
           size_t err_size);
/* The same with the payload size given; what render() does once it knows it. */
int render_within(size_t max, const struct hr_delivery *delivery, struct hr_parts *out, char *err, size_t err_size);
#endif
