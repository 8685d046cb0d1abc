/* SPDX-License-Identifier: MIT */
/* From what is written to a value of the option's type. */
#include "config_inside.h"
#include "secret.h"
#include "xalloc.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>

enum { VALUE_MAX_BYTES = 4096, LIST_MAX = 256, ERR_MAX_BYTES = 1024 };

static const struct {
    const char *unit;
    int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000},
};

size_t config_option_count(const struct hr_option *options)
{
    size_t count = 0;
    while (options && options[count].name) {
        count++;
    }
    return count;
}

static int fail(char *err, size_t err_size, const char *text, const char *what)
{
    (void)snprintf(err, err_size, "'%.60s' is not %s", text, what);
    return HR_EINVAL;
}

static int parse_bool(const char *text, int64_t *out, char *err, size_t err_size)
{
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return HR_OK;
        }
    }
    return fail(err, err_size, text, "yes or no. Write yes or no");
}

static int parse_number(const char *text, int64_t *out, const char **rest)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno != 0 || text[0] == ' ' || text[0] == '+') {
        return HR_EINVAL;
    }
    *out = number;
    *rest = end;
    return HR_OK;
}

static int parse_duration(const char *text, int64_t *out, char *err, size_t err_size)
{
    const char *unit = NULL;
    int64_t number = 0;
    if (parse_number(text, &number, &unit) == HR_OK) {
        if (number == 0 && !*unit) {
            *out = 0;
            return HR_OK;
        }
        unit += *unit == ' ';
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (strcmp(unit, units[i].unit) == 0 && !__builtin_mul_overflow(number, units[i].ms, out)) {
                return HR_OK;
            }
        }
    }
    return fail(err, err_size, text, "a time. Write a number and its unit: 500ms, 30s, 5m, 2h or 1d");
}

void config_duration(char *out, size_t size, int64_t ms)
{
    static const size_t big_first[] = {5, 4, 2, 1};
    for (size_t i = 0; i < sizeof big_first / sizeof *big_first; i++) {
        int64_t unit_ms = units[big_first[i]].ms;
        if (ms >= unit_ms && ms % unit_ms == 0) {
            (void)snprintf(out, size, "%" PRId64 "%s", ms / unit_ms, units[big_first[i]].unit);
            return;
        }
    }
    (void)snprintf(out, size, ms ? "%" PRId64 "ms" : "%" PRId64, ms);
}

static int check_range(const struct hr_option *option, const char *text, int64_t number, char *err, size_t err_size)
{
    if ((option->min == 0 && option->max == 0) || (number >= option->min && number <= option->max)) {
        return HR_OK;
    }
    char low[32], high[32];
    if (option->type == HR_DURATION) {
        config_duration(low, sizeof low, option->min);
        config_duration(high, sizeof high, option->max);
    } else {
        (void)snprintf(low, sizeof low, "%" PRId64, option->min);
        (void)snprintf(high, sizeof high, "%" PRId64, option->max);
    }
    (void)snprintf(err, err_size, "%.60s is out of range. Write %s to %s", text, low, high);
    return HR_EINVAL;
}

static int parse_real(const char *text, double *out, char *err, size_t err_size)
{
    char *end = NULL;
    double number = strtod(text, &end);
    if (end == text || *end || !isfinite(number)) {
        return fail(err, err_size, text, "a number. Write one such as 0.5");
    }
    *out = number;
    return HR_OK;
}

int config_parse(const struct hr_option *option, const char *text, struct hr_value *out, char *err, size_t err_size)
{
    struct hr_value value = {.type = option->type, .str = ""};
    const char *rest = "";
    int status = HR_OK;
    switch (option->type) {
    case HR_BOOL: status = parse_bool(text, &value.num, err, err_size); break;
    case HR_INT:
        if (parse_number(text, &value.num, &rest) < 0 || *rest) {
            return fail(err, err_size, text, "a whole number. Write one such as 42");
        }
        status = check_range(option, text, value.num, err, err_size);
        break;
    case HR_DURATION:
        status = parse_duration(text, &value.num, err, err_size);
        status = status < 0 ? status : check_range(option, text, value.num, err, err_size);
        break;
    case HR_REAL: status = parse_real(text, &value.real, err, err_size); break;
    case HR_SECRET:
        if (text[0]) {
            char *content = NULL;
            status = secret_read(text, &content, err, err_size);
            value.str = content;
        } else {
            value.str = xstrdup("");
        }
        break;
    case HR_STR:
        value.str = xstrdup(text);
        value.len = strlen(text);
        break;
    default: BUG_IF(option->type != HR_STR);
    }
    if (status == HR_OK) {
        *out = value;
    }
    return status;
}

void config_value_clear(struct hr_value *value)
{
    if (value->type == HR_SECRET && value->str) {
        explicit_bzero((char *)(uintptr_t)value->str, strlen(value->str));
    }
    if (value->type == HR_STR || value->type == HR_SECRET) {
        free((char *)(uintptr_t)value->str);
    } else if (value->type == HR_LIST) {
        config_strings_free((char **)(uintptr_t)value->list);
    }
    *value = (struct hr_value){0};
}

/* ---- presets: "42", "\"text\"", "{ \"a\", \"b\" }" ---------------------------------- */

static char *unquoted(const char *text, size_t len)
{
    while (len && *text == ' ') {
        text++;
        len--;
    }
    while (len && text[len - 1] == ' ') {
        len--;
    }
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    return xstrndup(text, len);
}

static char **preset_list(const char *text)
{
    char **list = xcalloc(LIST_MAX + 1, sizeof *list);
    text += strspn(text, " {");
    size_t len = strlen(text), count = 0;
    while (len && strchr(" }", text[len - 1])) {
        len--;
    }
    while (len && count < LIST_MAX) {
        const char *comma = memchr(text, ',', len);
        size_t part = comma ? (size_t)(comma - text) : len;
        list[count++] = unquoted(text, part);
        text += part + (comma != NULL);
        len -= part + (comma != NULL);
    }
    return list;
}

static struct hr_value empty(enum hr_type type)
{
    struct hr_value value = {.type = type, .str = ""};
    if (type == HR_LIST) {
        value.list = (const char *const *)xcalloc(1, sizeof *value.list);
    } else if (type == HR_STR || type == HR_SECRET) {
        value.str = xstrdup("");
    }
    return value;
}

int config_preset(const struct hr_option *option, struct hr_value *out, char *err, size_t err_size)
{
    if (!option->preset || option->type == HR_SECRET) {
        *out = empty(option->type);
        return HR_OK;
    }
    if (option->type == HR_LIST) {
        *out = (struct hr_value){.type = HR_LIST, .str = "", .list = (const char *const *)preset_list(option->preset)};
        return HR_OK;
    }
    CLEANUP_FREE char *text = unquoted(option->preset, strlen(option->preset));
    return config_parse(option, text, out, err, err_size);
}

/* ---- the values of one section --------------------------------------------------------- */

static bool told_too_long(struct config_file *file, const struct hr_option *option, const struct config_text *text)
{
    if (strlen(text->text) <= VALUE_MAX_BYTES) {
        return false;
    }
    config_problem(file->config, (struct config_where){file->name, text->line},
                   "%s: the value is longer than %d bytes. "
                   "Shorten it",
                   option->name, VALUE_MAX_BYTES);
    return true;
}

static void read_list(struct config_file *file, cfg_t *section, const struct hr_option *option, struct hr_value *value)
{
    size_t count = config_count(section, option->name);
    if (count > LIST_MAX) {
        config_problem(file->config, (struct config_where){file->name, config_text(section, option->name, 0)->line},
                       "%s: more than %d entries. Shorten the list", option->name, LIST_MAX);
        return;
    }
    char **list = xcalloc(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const struct config_text *text = config_text(section, option->name, i);
        list[i] = xstrdup(told_too_long(file, option, text) ? "" : text->text);
    }
    config_value_clear(value);
    *value = (struct hr_value){.type = HR_LIST, .str = "", .list = (const char *const *)list};
}

static void read_one(struct config_file *file, cfg_t *section, const struct hr_option *option, struct hr_value *value)
{
    const struct config_text *text = config_text(section, option->name, 0);
    struct config_where where = {file->name, text->line};
    if (config_count(section, option->name) != 1) {
        config_problem(file->config, where, "%s takes one value, not a list. Write %s = VALUE without { and ,",
                       option->name, option->name);
        return;
    }
    if (told_too_long(file, option, text)) {
        return;
    }
    char err[ERR_MAX_BYTES] = "";
    struct hr_value parsed = {0};
    if (config_parse(option, text->text, &parsed, err, sizeof err) < 0) {
        config_problem(file->config, where, "%s: %s", option->name, err);
        return;
    }
    config_value_clear(value);
    *value = parsed;
}

static void tell_missing(struct config_file *file, int line, const struct hr_option *option, const char *what)
{
    const char *example = option->example ? option->example : "...";
    bool quote = (option->type == HR_STR || option->type == HR_SECRET) && example[0] != '"';
    config_problem(file->config, (struct config_where){file->name, line}, "%s needs a value for %s. Write: %s = %s%s%s",
                   what, option->name, option->name, quote ? "\"" : "", example, quote ? "\"" : "");
}

void config_values(struct config_file *file, cfg_t *section, const struct hr_option *options, const char *what,
                   struct hr_value *values, int *lines)
{
    for (size_t i = 0; options && options[i].name; i++) {
        const struct hr_option *option = &options[i];
        char err[ERR_MAX_BYTES] = "";
        BUG_IF(config_preset(option, &values[i], err, sizeof err) < 0); /* the loader checked the table */
        lines[i] = 0;
        size_t count = config_count(section, option->name);
        bool empty_list = (cfg_getopt(section, option->name)->flags & CFGF_MODIFIED) && count == 0;
        if (count == 0 && !option->preset) {
            tell_missing(file, strcmp(section->name, "root") == 0 ? 1 : config_line(section), option, what);
        } else if (count > 0 || (empty_list && option->type == HR_LIST)) {
            lines[i] = count > 0 ? config_text(section, option->name, 0)->line : 1;
            if (option->type == HR_LIST) {
                read_list(file, section, option, &values[i]);
            } else {
                read_one(file, section, option, &values[i]);
            }
        }
    }
}
