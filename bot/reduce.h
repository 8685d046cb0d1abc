/* SPDX-License-Identifier: MIT */
/*
 * What calm rooms hear of a text that somebody wrote elsewhere: a screen reader
 * says each emoji by its name and each sign of a picture made of signs. The log
 * keeps the words as they were. Pure.
 */
#ifndef HASHROOM_REDUCE_H
#define HASHROOM_REDUCE_H
#include "arena.h"

/* At most 3 emoji, runs of one become one, "(5 more emoji)" for the rest (R12); a picture made of symbols becomes one
 * sentence, with url behind it unless that is "" (R14). The text itself where nothing is to do. */
const char *reduce_text(struct arena *arena, const char *text, const char *url);
#endif
