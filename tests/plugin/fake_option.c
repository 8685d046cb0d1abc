/* SPDX-License-Identifier: MIT */
/* Option values and the plugin's own words in the fake host. */
#include "fake_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 64, PAIRS_MAX = 32 };

void fake_settings_init(struct fake *fake)
{
    for (const struct hr_option *o = fake->plugin->options; o && o->name; o++) {
        FAKE_PUSH(fake->settings, fake->setting_count)->option = o;
    }
}

void fake_settings_clear(struct fake *fake)
{
    free(fake->settings);
    fake->settings = NULL;
    fake->setting_count = 0;
}

static struct fake_setting *find(struct fake *fake, const char *name)
{
    for (size_t i = 0; i < fake->setting_count; i++) {
        if (strcmp(fake->settings[i].option->name, name) == 0) {
            return &fake->settings[i];
        }
    }
    fake_die("%s has no option %s", fake->plugin->name, name);
}

void fake_option(struct fake *fake, const char *name, const char *value)
{
    find(fake, name)->text = fake_copy(&fake->kept, value);
}

static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) == 0) {
            return units[i].ms;
        }
    }
    fake_die("'%s' is no unit of time", unit);
}

static char *unquoted(struct fake *fake, const char *text)
{
    text += strspn(text, " ");
    size_t len = strlen(text);
    while (len && text[len - 1] == ' ') {
        len--;
    }
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    return fake_copy_bytes(&fake->kept, text, len);
}

static const char *const *list_of(struct fake *fake, const char *text)
{
    const char **list = fake_alloc(&fake->kept, (LIST_MAX + 1) * sizeof *list);
    size_t count = 0;
    char *copy = fake_copy(&fake->kept, text);
    copy += strspn(copy, " {");
    size_t len = strlen(copy);
    while (len && strchr(" }", copy[len - 1])) {
        copy[--len] = '\0';
    }
    while (*copy && count < LIST_MAX) {
        size_t part = strcspn(copy, ",");
        list[count++] = unquoted(fake, fake_copy_bytes(&fake->kept, copy, part));
        copy += part + (copy[part] == ',');
    }
    return list;
}

static struct hr_value parse(struct fake *fake, const struct hr_option *option, const char *written)
{
    struct hr_value value = {.type = option->type, .str = ""};
    const char *text = unquoted(fake, written);
    char *end = NULL;
    switch (option->type) {
    case HR_BOOL: value.num = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "on") == 0; break;
    case HR_INT: value.num = strtoll(text, &end, 10); break;
    case HR_DURATION:
        value.num = strtoll(text, &end, 10);
        value.num *= value.num ? unit_ms(end) : 1;
        break;
    case HR_REAL: value.real = strtod(text, &end); break;
    case HR_LIST: value.list = list_of(fake, written); break;
    default:
        value.str = text;
        value.len = strlen(text);
        break;
    }
    if ((option->type == HR_INT || option->type == HR_REAL) && (end == text || *end)) {
        fake_die("option %s: '%s' is not a number", option->name, text);
    }
    return value;
}

const struct hr_value *fake_value(struct fake *fake, const char *name)
{
    struct fake_setting *setting = find(fake, name);
    const char *text = setting->text ? setting->text : setting->option->preset;
    if (!text) {
        fake_die("option %s must be given: fake_option(fake, \"%s\", ...)", name, name);
    }
    setting->value = parse(fake, setting->option, text);
    return &setting->value;
}

/* ---- words ------------------------------------------------------------------------------ */

struct pairs {
    const char *name[PAIRS_MAX], *value[PAIRS_MAX];
    size_t count;
};

static const char *pair_value(const struct pairs *pairs, const char *id, const char *name, size_t len)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strlen(pairs->name[i]) == len && strncmp(pairs->name[i], name, len) == 0) {
            return pairs->value[i];
        }
    }
    fake_die("text %s needs a value for {%.*s}", id, (int)len, name);
}

static char *append(char *text, size_t *len, const char *piece, size_t piece_len)
{
    char *longer = realloc(text, *len + piece_len + 1);
    if (!longer) {
        fake_die("out of memory");
    }
    memcpy(longer + *len, piece, piece_len);
    *len += piece_len;
    longer[*len] = '\0';
    return longer;
}

static const char *fill(struct fake *fake, const struct hr_text *text, const struct pairs *pairs)
{
    char *out = NULL;
    size_t len = 0;
    for (const char *at = text->text; *at;) {
        size_t plain = strcspn(at, "{");
        out = append(out, &len, at, plain);
        at += plain;
        const char *close = *at ? strchr(at, '}') : NULL;
        if (*at && !close) {
            fake_die("text %s has a { without its }", text->id);
        }
        if (close) {
            const char *value = pair_value(pairs, text->id, at + 1, (size_t)(close - at - 1));
            out = append(out, &len, value, strlen(value));
            at = close + 1;
        }
    }
    const char *copy = fake_copy(&fake->scratch, out);
    free(out);
    return copy;
}

const char *fake_words(struct fake *fake, const char *id, va_list ap)
{
    struct pairs pairs = {.count = 0};
    const char *name;
    while ((name = va_arg(ap, const char *))) {
        if (pairs.count == PAIRS_MAX) {
            fake_die("text %s: over %d values", id, PAIRS_MAX);
        }
        const char *value = va_arg(ap, const char *);
        if (!value) {
            fake_die("text %s: {%s} is NULL", id, name);
        }
        pairs.name[pairs.count] = name;
        pairs.value[pairs.count++] = value;
    }
    for (const struct hr_text *text = fake->plugin->texts; text && text->id; text++) {
        if (strcmp(text->id, id) == 0) {
            return fill(fake, text, &pairs);
        }
    }
    fake_die("%s has no text %s", fake->plugin->name, id);
}
