/* SPDX-License-Identifier: MIT */
/*
 * One configuration file through libconfuse. All values come as lists of texts
 * with their lines; types are our own affair (config_value.c), so that one
 * wrong value doesn't end the reading. Each section carries two hidden keys: one
 * points to us, since libconfuse's callbacks have no argument; one is filled
 * when the section opens and so knows its first line.
 */
#include "config_inside.h"
#include "near.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1024 * 1024, UNKNOWN_MAX = 32, ERROR_MAX_BYTES = 512 };

/* Parentheses can't stand in a key of a file. */
static const char key_reader[] = "(reader)";
static const char key_here[] = "(here)";

struct config_unknown { /* a key nobody knows: told once, then read over */
    char *section, *key;
};

struct tables { /* libconfuse copies its tables: ours are freed after cfg_init() */
    cfg_opt_t **list;
    size_t count;
    char here[8];
};

static struct config_file *file_of(cfg_t *cfg)
{
    cfg_opt_t *opt = cfg_getopt(cfg, key_reader);
    return (struct config_file *)(void *)opt->simple_value.ptr;
}

/* ---- callbacks of libconfuse -------------------------------------------------- */

static void text_free(void *ptr)
{
    struct config_text *text = ptr;
    free(text->text);
    free(text);
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    (void)opt;
    struct config_text *text = xcalloc(1, sizeof *text);
    text->text = xstrdup(value);
    text->line = cfg->line;
    *(void **)result = text;
    return 0;
}

/* libconfuse drops a section when a second one has the same title, so titles are
 * taken out here and doubles become a matter of meaning. */
static int on_here(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct config_text *text = NULL;
    (void)on_value(cfg, opt, cfg->title ? cfg->title : "", &text);
    (void)value;
    if (cfg->title) {
        free(cfg->title);
        cfg->title = xasprintf("\n%p", (void *)text);
    }
    *(void **)result = text;
    return 0;
}

static void tell_unknown(struct config_file *file, cfg_t *cfg, const char *key)
{
    struct near near = {.word = key};
    const char *longer = NULL; /* password_file for password */
    for (unsigned i = 0; i < cfg_num(cfg); i++) {
        const char *name = cfg_opt_name(cfg_getnopt(cfg, i));
        if (name[0] != '(') {
            near_offer(&near, name);
            longer = strlen(key) > 2 && strncmp(name, key, strlen(key)) == 0 ? name : longer;
        }
    }
    near.best = near.best ? near.best : longer;
    struct config_where where = {file->name, cfg->line};
    if (near.best) {
        config_problem(file->config, where, "there is no key '%s' here. Did you mean '%s'?", key, near.best);
    } else {
        config_problem(file->config, where, "there is no key '%s' here. Remove it, or see: hashroom example", key);
    }
    file->unknown = xrealloc(file->unknown, file->unknown_count + 1, sizeof *file->unknown);
    file->unknown[file->unknown_count++] = (struct config_unknown){xstrdup(cfg->name), xstrdup(key)};
}

static const char *advice_for(const char *fmt)
{
    static const struct {
        const char *start, *advice;
    } table[] = {
        {"unexpected token", "Put quotes around values that hold # / { } or spaces, and close each { with }"},
        {"missing equal sign", "Write KEY = VALUE; put quotes around values that hold # or spaces"},
        {"missing title", "Write its name behind it, in quotes"},
        {"missing opening brace", "Write { behind its name; put quotes around a name that holds # or spaces"},
        {"premature end", "A value or a } is missing at the end of the file"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strncmp(fmt, table[i].start, strlen(table[i].start)) == 0) {
            return table[i].advice;
        }
    }
    return "Look at this line and the one before";
}

/* A section that nobody knows was told as an unknown key; what follows from it isn't. */
static bool is_unknown_section(const struct config_file *file, const char *fmt, va_list ap)
{
    if (strncmp(fmt, "missing equal sign", 18) != 0) {
        return false;
    }
    va_list copy;
    va_copy(copy, ap);
    const char *key = va_arg(copy, const char *);
    va_end(copy);
    for (size_t i = 0; i < file->unknown_count; i++) {
        if (strcmp(file->unknown[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    struct config_file *file = file_of(cfg);
    if (strncmp(fmt, "no such option", 14) == 0) {
        tell_unknown(file, cfg, va_arg(ap, const char *));
        return;
    }
    file->failed = true;
    if (is_unknown_section(file, fmt, ap)) {
        return;
    }
    char text[ERROR_MAX_BYTES];
    (void)vsnprintf(text, sizeof text, fmt, ap);
    config_problem(file->config, (struct config_where){file->name, cfg->line}, "%s. %s", text, advice_for(fmt));
}

/* ---- tables for libconfuse ------------------------------------------------------ */

static cfg_opt_t value_opt(const char *name)
{
    return (cfg_opt_t)CFG_PTR_LIST_CB(name, NULL, CFGF_LIST, on_value, text_free);
}

static size_t part_count(const struct config_part *parts)
{
    size_t count = 0;
    while (parts && parts[count].name) {
        count++;
    }
    return count;
}

static cfg_opt_t *make_table(struct config_file *file, const struct config_part *part, struct tables *tables)
{
    size_t options = config_option_count(part->options), parts = part_count(part->parts), n = 0;
    cfg_opt_t *table = xcalloc(options + parts + file->unknown_count + 3, sizeof *table);
    tables->list = xrealloc(tables->list, tables->count + 1, sizeof *tables->list);
    tables->list[tables->count++] = table;
    for (size_t i = 0; i < options; i++) {
        table[n++] = value_opt(part->options[i].name);
    }
    for (size_t i = 0; i < parts; i++) {
        const struct config_part *sub = &part->parts[i];
        cfg_flag_t flags = CFGF_MULTI | (sub->title ? CFGF_TITLE : 0);
        table[n++] = (cfg_opt_t)CFG_SEC(sub->name, make_table(file, sub, tables), flags);
    }
    const char *section = part->name ? part->name : "root";
    for (size_t i = 0; i < file->unknown_count; i++) {
        if (strcmp(file->unknown[i].section, section) == 0) {
            table[n++] = value_opt(file->unknown[i].key);
        }
    }
    table[n] = value_opt(key_reader);
    table[n++].simple_value.ptr = (void **)(void *)file;
    if (part->name) {
        table[n] = value_opt(key_here);
        table[n].def.parsed = tables->here; /* libconfuse reads it as the section opens */
        table[n++].parsecb = on_here;
    }
    return table;
}

static cfg_t *make_root(struct config_file *file, const struct config_part *part)
{
    struct tables tables = {.here = "{here}"};
    cfg_t *root = cfg_init(make_table(file, part, &tables), CFGF_NONE);
    BUG_IF(!root);
    for (size_t i = 0; i < tables.count; i++) {
        free(tables.list[i]);
    }
    free(tables.list);
    (void)cfg_set_error_function(root, on_error);
    return root;
}

/* ---- reading ---------------------------------------------------------------------- */

static char *read_bytes(struct config_file *file, size_t *len)
{
    struct config_where where = {file->name, 1};
    int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        config_problem(file->config, where, "this file cannot be read (%s). %s",
                       fd < 0 ? strerror(errno) : "not a file",
                       errno == ENOENT ? "Make it; `hashroom example` prints one to start from, and -c DIR names "
                                         "another folder"
                                       : "It must be a file that the bot may read");
        if (fd >= 0) {
            (void)close(fd);
        }
        return NULL;
    }
    char *text = xmalloc(FILE_MAX_BYTES + 2);
    ssize_t got;
    *len = 0;
    while (*len <= FILE_MAX_BYTES && (got = read(fd, text + *len, FILE_MAX_BYTES + 1 - *len)) > 0) {
        *len += (size_t)got;
    }
    (void)close(fd);
    if (*len > FILE_MAX_BYTES) {
        config_problem(file->config, where, "this file is larger than 1 MiB. A configuration is a few lines");
        free(text);
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

static bool parse(struct config_file *file, const struct config_part *part, const char *text)
{
    size_t known;
    do { /* each round meets one more unknown key and reads over it in the next */
        known = file->unknown_count;
        cfg_t *root = make_root(file, part);
        int result = cfg_parse_buf(root, text);
        if (result == CFG_SUCCESS) {
            file->root = root;
            return true;
        }
        (void)cfg_free(root);
    } while (!file->failed && file->unknown_count > known && known < UNKNOWN_MAX);
    return false;
}

void config_file_read(struct config_file *file, const struct config_part *part)
{
    size_t len = 0;
    CLEANUP_FREE char *text = read_bytes(file, &len);
    int line = 1;
    const char *wrong = NULL;
    if (!text) {
        return;
    }
    if (!config_scan(text, len, &line, &wrong)) {
        config_problem(file->config, (struct config_where){file->name, line}, "%s", wrong);
        return;
    }
    (void)parse(file, part, text);
}

void config_file_clear(struct config_file *file)
{
    if (file->root) {
        (void)cfg_free(file->root);
    }
    for (size_t i = 0; i < file->unknown_count; i++) {
        free(file->unknown[i].section);
        free(file->unknown[i].key);
    }
    free(file->unknown);
    *file = (struct config_file){0};
}

/* ---- looking at what was read -------------------------------------------------------- */

int config_line(cfg_t *section)
{
    cfg_opt_t *opt = cfg_getopt(section, key_here);
    return ((struct config_text *)cfg_opt_getnptr(opt, 0))->line;
}

const char *config_title(cfg_t *section)
{
    cfg_opt_t *opt = cfg_getopt(section, key_here);
    return ((struct config_text *)cfg_opt_getnptr(opt, 0))->text;
}

size_t config_count(cfg_t *section, const char *key)
{
    return cfg_size(section, key);
}

const struct config_text *config_text(cfg_t *section, const char *key, size_t nth)
{
    return cfg_getnptr(section, key, (unsigned)nth);
}

cfg_t *config_section(cfg_t *section, const char *name, size_t nth)
{
    return cfg_getnsec(section, name, (unsigned)nth);
}
