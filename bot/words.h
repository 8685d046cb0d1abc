/* SPDX-License-Identifier: MIT */
/* Templates of the bot's own words: filling {places}. Pure. */
#ifndef HASHROOM_WORDS_H
#define HASHROOM_WORDS_H
#include "arena.h"
#include <hashroom/plugin.h>
#include <stdarg.h>

/* ap: pairs of name and value, then NULL. Aborts if id or a place is missing (a
 * bug). A place with an empty value takes one space beside it along, so that a
 * sentence may be left out. prefix: see words_prefix(). */
const char *words_fill(struct arena *arena, const struct hr_text *texts, const char *id, const char *prefix, va_list ap);
const char *words_sample(struct arena *arena, const struct hr_text *text); /* with its sample values */
/* Templates are written with "!help"; where another prefix is configured they
 * are said with that one. Gives `text` itself if nothing changes. */
const char *words_prefix(struct arena *arena, const char *text, const char *prefix);
#endif
