/* SPDX-License-Identifier: MIT */
/*
 * Recent search for one tag: fills what the stream missed. All up to the cursor
 * has been seen; a search goes back two minutes before it, but never beyond the
 * session's window or X's seven days, and posts in order of time. Runs at once
 * when the bot starts within a window it was reading, when the stream stands
 * again, every minute while it is down, and once a minute after the window
 * closed. Four minutes after a gap of the stream it is searched once more, and
 * the last search goes back to the first gap: X's index can be late.
 */
#ifndef TWITTER_SEARCH_H
#define TWITTER_SEARCH_H
#include "client.h"

#define SEARCH_LAST_MS (INT64_C(30) * 60 * 1000) /* so long after a window its last search is made up for */

struct search *search_new(struct twitter *twitter, struct client *client, const char *tag);
void search_free(struct search *search);
void search_open(struct search *search, int64_t from_ms, int64_t to_ms);  /* the window opens, or moves */
void search_close(struct search *search, int64_t from_ms, int64_t to_ms); /* it closed: once more, then rest */
void search_stop(struct search *search);
void search_connected(struct search *search, bool connected); /* the stream stands, or fell */
void search_saw(struct search *search, const char *id);       /* the stream brought this post */
/* After a restart: a window that was open and never searched to its end is, or it is said that it can't be any more. */
void search_resume(struct search *search);
int64_t search_closed_ms(struct search *search);              /* end of the last window that was searched to its end */
/* Where a search starts that has seen all up to `cursor` ("" for nothing): the rule, pure.
 * Writes since_id into `id`, or "" where start_time = *start_ms has to be used. */
void search_since(const char *cursor, int64_t from_ms, int64_t now_ms, char id[24], int64_t *start_ms);
#endif
