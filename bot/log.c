/* SPDX-License-Identifier: MIT */
/* Log lines for the operator. The one place with file-level state besides tests: the level, the secrets, the sink. */
#include "log.h"
#include "buf.h"
#include "xalloc.h"

enum { LINE_MAX_BYTES = 4096, SECRETS_MAX = 64, SECRET_MIN = 4 };

static enum hr_level least_level = HR_INFO;
static char *secrets[SECRETS_MAX];
static size_t secret_count;
static void (*sink_fn)(void *arg, enum hr_level level, const char *line);
static void *sink_arg;

void log_level(enum hr_level least)
{
    least_level = least;
}

void log_secret(const char *secret)
{
    if (secret == NULL || strlen(secret) < SECRET_MIN) {
        return;
    }
    for (size_t i = 0; i < secret_count; i++) {
        if (strcmp(secrets[i], secret) == 0) {
            return;
        }
    }
    if (secret_count == SECRETS_MAX) { /* tokens rotate: the oldest is dead by now */
        free(secrets[0]);
        memmove(secrets, secrets + 1, (SECRETS_MAX - 1) * sizeof(*secrets));
        secret_count--;
    }
    secrets[secret_count++] = xstrdup(secret);
}

void log_clear(void)
{
    for (size_t i = 0; i < secret_count; i++) {
        free(secrets[i]);
    }
    secret_count = 0;
}

void log_sink(void (*fn)(void *arg, enum hr_level level, const char *line), void *arg)
{
    sink_fn = fn;
    sink_arg = arg;
}

/* Length of the longest secret that stands here; 0: none. */
static size_t secret_at(const char *text)
{
    size_t longest = 0;
    for (size_t i = 0; i < secret_count; i++) {
        size_t len = strlen(secrets[i]);
        longest = len > longest && strncmp(text, secrets[i], len) == 0 ? len : longest;
    }
    return longest;
}

static void hide_secrets(char *text)
{
    static const char mask[] = "(secret)";
    for (char *at = text; secret_count > 0 && *at != '\0';) {
        size_t len = secret_at(at), put = len < sizeof(mask) - 1 ? len : sizeof(mask) - 1;
        if (len == 0) {
            at++;
            continue;
        }
        memcpy(at, mask, put);
        memmove(at + put, at + len, strlen(at + len) + 1);
        at += put;
    }
}

/* One line stays one line, whatever a foreign server put into it. */
static void flatten(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
}

void log_vline(enum hr_level level, const char *who, const char *fmt, va_list ap)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    static const int journal[] = {7, 6, 4, 3};
    if (level < least_level) {
        return;
    }
    CLEANUP_FREE char *text = xvasprintf(fmt, ap);
    hide_secrets(text);
    flatten(text);
    char line[LINE_MAX_BYTES];
    int len = getenv("JOURNAL_STREAM") != NULL && sink_fn == NULL
                  ? snprintf(line, sizeof(line), "<%d>%s%s%s", journal[level], who != NULL ? who : "",
                             who != NULL ? ": " : "", text)
                  : snprintf(line, sizeof(line), "%s: %s%s%s", names[level], who != NULL ? who : "",
                             who != NULL ? ": " : "", text);
    if (len < 0) {
        return;
    }
    if (sink_fn != NULL) {
        sink_fn(sink_arg, level, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

void log_line(enum hr_level level, const char *who, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_vline(level, who, fmt, ap);
    va_end(ap);
}
