/* SPDX-License-Identifier: MIT */
/* Line framer, parser and serialiser of the IRC protocol. */
#include "wire.h"
#include "tags.h"
#include <stdio.h>
#include <string.h>

void framer_reset(struct framer *framer)
{
    framer->len = 0;
    framer->skipping = false;
}

static size_t without_cr(const char *line, size_t len)
{
    while (len && line[len - 1] == '\r') {
        len--;
    }
    return len;
}

void framer_feed(struct framer *framer, const char *bytes, size_t len, wire_line_fn *fn, void *arg)
{
    while (len) {
        const char *end = memchr(bytes, '\n', len);
        size_t piece = end ? (size_t)(end - bytes) : len;
        if (!framer->skipping && framer->len + piece > WIRE_LINE_BYTES + 1) {
            framer->skipping = true;
            framer->dropped++;
            framer->len = 0;
        }
        if (!framer->skipping) {
            memcpy(framer->line + framer->len, bytes, piece);
            framer->len += piece;
        }
        if (end) {
            size_t line_len = without_cr(framer->line, framer->len);
            bool deliver = !framer->skipping && line_len;
            framer_reset(framer);
            framer->line[line_len] = '\0';
            if (deliver && !fn(arg, framer->line, line_len)) {
                return;
            }
            piece++;
        }
        bytes += piece;
        len -= piece;
    }
}

/* Ends the word at `at` and returns what follows its spaces. */
static char *cut_word(char *at)
{
    at += strcspn(at, " ");
    while (*at == ' ') {
        *at++ = '\0';
    }
    return at;
}

static bool command_valid(char *command)
{
    size_t letters = 0, digits = 0;
    for (char *c = command; *c; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        }
        letters += *c >= 'A' && *c <= 'Z';
        digits += *c >= '0' && *c <= '9';
        if (letters + digits != (size_t)(c - command) + 1 || letters + digits > 32) {
            return false;
        }
    }
    return (letters && !digits) || (digits == 3 && !letters);
}

bool wire_parse(struct wire *wire, char *line, size_t len)
{
    *wire = (struct wire){.source = "", .command = ""};
    if (memchr(line, '\0', len) || memchr(line, '\r', len)) {
        return false;
    }
    char *at = line;
    if (*at == '@') {
        char *tags = at + 1;
        at = cut_word(at);
        wire->tag_count = tags_parse(wire->tag, WIRE_TAGS, tags);
    }
    if (*at == ':') {
        wire->source = at + 1;
        at = cut_word(at);
    }
    char *command = at;
    at = cut_word(at);
    if (!command_valid(command)) {
        return false;
    }
    wire->command = command;
    while (*at && wire->count < WIRE_PARAMS) {
        if (*at == ':' || wire->count == WIRE_PARAMS - 1) {
            wire->param[wire->count++] = at + (*at == ':');
            break;
        }
        wire->param[wire->count++] = at;
        at = cut_word(at);
    }
    return true;
}

int wire_numeric(const char *command)
{
    if (command[0] < '0' || command[0] > '9') {
        return -1;
    }
    return (command[0] - '0') * 100 + (command[1] - '0') * 10 + (command[2] - '0');
}

const char *wire_param(const struct wire *wire, size_t index)
{
    return index < wire->count ? wire->param[index] : "";
}

static bool add_text(char *out, size_t size, size_t *len, const char *text)
{
    size_t more = strlen(text);
    if (more >= size - *len || strpbrk(text, "\r\n")) {
        return false;
    }
    memcpy(out + *len, text, more + 1);
    *len += more;
    return true;
}

size_t wire_write(char *out, size_t size, const char *source, const char *command, const char *const *param,
                  size_t count)
{
    size_t len = 0;
    if (*source && (strchr(source, ' ') || !add_text(out, size, &len, ":") || !add_text(out, size, &len, source) ||
                    !add_text(out, size, &len, " "))) {
        return 0;
    }
    if (!add_text(out, size, &len, command)) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        if (!last && (!*param[i] || *param[i] == ':' || strchr(param[i], ' '))) {
            return 0;
        }
        if (!add_text(out, size, &len, last ? " :" : " ") || !add_text(out, size, &len, param[i])) {
            return 0;
        }
    }
    if (len + 3 > size) {
        return 0;
    }
    memcpy(out + len, "\r\n", 3);
    return len + 2;
}

static void copy_piece(char *out, size_t size, const char *text, size_t len)
{
    len = len < size ? len : size - 1;
    memcpy(out, text, len); /* three times for every line there is: snprintf() took a 25th of all a message costs */
    out[len] = '\0';
}

void wire_source_split(struct wire_source *out, const char *source)
{
    size_t nick = strcspn(source, "!@");
    copy_piece(out->nick, sizeof out->nick, source, nick);
    const char *rest = source + nick;
    size_t user = 0;
    if (*rest == '!') {
        rest++;
        user = strcspn(rest, "@");
    }
    copy_piece(out->user, sizeof out->user, rest, user);
    rest += user;
    rest += *rest == '@';
    copy_piece(out->host, sizeof out->host, rest, strlen(rest));
}

bool wire_nick_valid(const char *nick)
{
    size_t len = strlen(nick);
    if (!len || len >= WIRE_NAME_BYTES || strchr(":#&+~%$-0123456789", *nick)) {
        return false;
    }
    for (const char *c = nick; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("!@,*?.", *c)) {
            return false;
        }
    }
    return true;
}
