/* SPDX-License-Identifier: MIT */
/* What a live session says (live_say.c), as called by live.c. Each is said once, by its key. */
#ifndef SESSION_LIVE_H
#define SESSION_LIVE_H
#include "session.h"

int live_say_welcome(struct session *session, const struct run *run, const struct plan *plan);   /* T05 */
int live_say_hello(struct session *session, const struct run *run);                              /* T06 */
int live_say_nobody(struct session *session, const struct run *run);                             /* T35 */
int live_say_half(struct session *session, const struct run *run);                               /* T08 */
int live_say_warning(struct session *session, const struct run *run);                            /* T09 */
int live_say_extended(struct session *session, const struct run *run, int64_t ms);               /* T10 */
int live_say_paused(struct session *session, const struct run *run, int64_t ms);                 /* T11 */
int live_say_resumed(struct session *session, const struct run *run);                            /* T12 */
int live_say_last(struct session *session, const struct run *run);                               /* T13, 2 minutes */
int live_say_end(struct session *session, const struct run *run);                                /* T14, T17 */
int live_say_back(struct session *session, const struct run *run, int64_t away_ms, int64_t since_ms); /* T34 */
int live_say_again(struct session *session, const struct run *run, uint64_t room);           /* T34, then T07 */

#endif
