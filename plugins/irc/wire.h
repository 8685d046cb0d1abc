/* SPDX-License-Identifier: MIT */
/*
 * Bytes to lines, lines to fields. Pure; knows nothing of a connection.
 * A line is parsed in place: the fields point into its buffer and live as long
 * as that. Whatever is too long, holds a NUL or has no command is dropped and
 * counted, never shortened.
 */
#ifndef IRC_WIRE_H
#define IRC_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_LINE_BYTES = 8191 + 512, /* tags and the rest, without CR LF */
    WIRE_PARAMS = 32,
    WIRE_TAGS = 64,
    WIRE_NAME_BYTES = 128, /* nick, user, account or channel name with its NUL */
    WIRE_HOST_BYTES = 256,
};

struct framer {
    char line[WIRE_LINE_BYTES + 2]; /* room for CR and a NUL */
    size_t len;
    bool skipping;    /* inside a line that is too long */
    uint64_t dropped; /* lines too long */
};

/* `line` ends in NUL and may be written to; false ends the feeding. */
typedef bool wire_line_fn(void *arg, char *line, size_t len);
void framer_feed(struct framer *framer, const char *bytes, size_t len, wire_line_fn *fn, void *arg);
void framer_reset(struct framer *framer);

struct wire_tag {
    const char *key, *value;
};

struct wire {
    struct wire_tag tag[WIRE_TAGS];
    size_t tag_count;
    const char *source;  /* "" if there is none */
    const char *command; /* in capitals, or three digits */
    const char *param[WIRE_PARAMS];
    size_t count;
};

/* False if this is no line of IRC. Surplus parameters join the last one. */
bool wire_parse(struct wire *wire, char *line, size_t len);
/* The number of a numeric reply, -1 for a word. */
int wire_numeric(const char *command);
/* Parameter or "". */
const char *wire_param(const struct wire *wire, size_t index);
/* Writes ":source COMMAND a b :c\r\n" (source "" is left out); 0 if a field could
 * not be read back as it is or the line does not fit into size. */
size_t wire_write(char *out, size_t size, const char *source, const char *command, const char *const *param,
                  size_t count);

struct wire_source {
    char nick[WIRE_NAME_BYTES], user[WIRE_NAME_BYTES], host[WIRE_HOST_BYTES];
};
/* nick!user@host to its pieces, each cut to its size. */
void wire_source_split(struct wire_source *out, const char *source);
bool wire_nick_valid(const char *nick);
#endif
