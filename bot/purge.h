/* SPDX-License-Identifier: MIT */
/*
 * Little is kept: what social networks' people wrote is emptied a day after it
 * was logged (keep_posts), what people in the rooms wrote after 30 days
 * (keep_words). The rows stay, so that nothing is taken for new; what must
 * outlive the words (links, counts) was derived when they came.
 */
#ifndef HASHROOM_PURGE_H
#define HASHROOM_PURGE_H
#include "app.h"

struct purge *purge_new(struct app *app); /* looks soon after the start, then every ten minutes */
void purge_free(struct purge *purge);
int purge_run(struct purge *purge); /* at most 500 messages; how many it emptied */
#endif
