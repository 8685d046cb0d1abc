/* SPDX-License-Identifier: MIT */
/*
 * Log lines for the operator, on stderr: with journal prefixes (<3>..<7>) when
 * JOURNAL_STREAM is set, else "error: irc/libera: text". A line says what
 * failed, on what, why, and what happens next. Secrets registered with
 * log_secret() are replaced by "(secret)" wherever they stand in a line.
 */
#ifndef HASHROOM_LOG_H
#define HASHROOM_LOG_H
#include <hashroom/plugin.h>
#include <stdarg.h>

void log_level(enum hr_level least);
void log_secret(const char *secret); /* copied; shorter than 4 bytes is ignored */
void log_clear(void);                /* forgets secrets (end of process, tests) */
void log_line(enum hr_level level, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* who NULL: the host itself */
void log_vline(enum hr_level level, const char *who, const char *fmt, va_list ap);
/* Tests look at lines instead of stderr; NULL puts it back. */
void log_sink(void (*fn)(void *arg, enum hr_level level, const char *line), void *arg);
#endif
