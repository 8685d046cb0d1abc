/* SPDX-License-Identifier: MIT */
/* Message tags: escape, unescape, server-time. */
#include "tags.h"
#include <stdio.h>
#include <string.h>

static void unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text != '\\') {
            *to++ = *text;
            continue;
        }
        if (!*++text) {
            break; /* a lone backslash at the end is dropped */
        }
        switch (*text) {
        case ':': *to++ = ';'; break;
        case 's': *to++ = ' '; break;
        case 'r': *to++ = '\r'; break;
        case 'n': *to++ = '\n'; break;
        default: *to++ = *text;
        }
    }
    *to = '\0';
}

size_t tags_parse(struct wire_tag *out, size_t max, char *text)
{
    size_t count = 0;
    while (*text && count < max) {
        char *end = text + strcspn(text, ";");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        char *value = strchr(text, '=');
        if (value) {
            *value++ = '\0';
            unescape(value);
        }
        if (*text) {
            out[count++] = (struct wire_tag){.key = text, .value = value ? value : ""};
        }
        text = next;
    }
    return count;
}

const char *tags_get(const struct wire *wire, const char *key)
{
    for (size_t i = wire->tag_count; i > 0; i--) {
        if (strcmp(wire->tag[i - 1].key, key) == 0) {
            return wire->tag[i - 1].value;
        }
    }
    return NULL;
}

size_t tags_escape(char *out, size_t size, const char *value)
{
    static const char plain[] = "; \r\n\\", escaped[] = ":srn\\";
    size_t len = 0;
    for (; *value; value++) {
        const char *special = strchr(plain, *value);
        if (len + 3 > size) {
            return 0;
        }
        if (special) {
            out[len++] = '\\';
        }
        out[len++] = special ? escaped[special - plain] : *value;
    }
    out[len] = '\0';
    return len;
}

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t tags_time(const char *value)
{
    int year, month, day, hour, minute, second, used = 0;
    if (strlen(value) > 40 ||
        sscanf(value, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6) {
        return -1;
    }
    int64_t ms = 0, unit = 100;
    const char *rest = value + used;
    if (*rest == '.') {
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10) {
            ms += (*rest - '0') * unit;
        }
    }
    if (strcmp(rest, "Z") != 0 || year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return -1;
    }
    return ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 + ms;
}

void tags_write_time(char *out, size_t size, int64_t ms)
{
    char date[40];
    struct tm tm = {0};
    time_t seconds = ms / 1000;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, size, "%s.%03dZ", date, (int)(ms % 1000));
}
