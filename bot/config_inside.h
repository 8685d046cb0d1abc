/* SPDX-License-Identifier: MIT */
/* Shared by the config_*.c files: from bytes to sections to values to meaning. */
#ifndef HASHROOM_CONFIG_INSIDE_H
#define HASHROOM_CONFIG_INSIDE_H
#include "config.h"
#include <confuse.h>

/* ---- config_scan.c ---- */

/* Looks a file over for what libconfuse would read otherwise than a person does.
 * Line ends of Windows become plain ones, comments become spaces. False: *line and *wrong (a constant
 * sentence) say what is wrong. text[len] is NUL. */
bool config_scan(char *text, size_t len, int *line, const char **wrong);

/* ---- config_file.c ---- */

struct config_sample { /* "room" once more, for another network */
    const char *title, *help;
};

struct config_part {   /* what may stand in a file or section */
    const char *name;  /* "room"; the file itself: NULL */
    const char *title; /* example of its title; NULL: it has none */
    const char *help;
    const struct hr_option *options;     /* or NULL; ends in a zero entry */
    const struct config_part *parts;     /* or NULL; ends in a zero entry */
    bool optional;                       /* the example shows it as a comment */
    const struct config_sample *samples; /* more of its kind, for the example; ends in a zero entry, or NULL */
};

struct config_text { /* one value as it stands in the file */
    char *text;
    int line;
};

struct config_file {
    struct config *config;
    const char *name; /* path; outlives the configuration */
    cfg_t *root;      /* NULL: a syntax error, told */
    struct config_unknown *unknown;
    size_t unknown_count;
    bool failed;
};

/* Reads and parses; unknown keys and the first syntax error are told as problems. */
void config_file_read(struct config_file *file, const struct config_part *part);
void config_file_clear(struct config_file *file);
int config_line(cfg_t *section);          /* where it begins */
const char *config_title(cfg_t *section); /* or "" */
size_t config_count(cfg_t *section, const char *key);
const struct config_text *config_text(cfg_t *section, const char *key, size_t nth);
cfg_t *config_section(cfg_t *section, const char *name, size_t nth);

/* ---- config_value.c ---- */

/* A written value to the option's type and range; HR_EINVAL: err says what to write. */
int config_parse(const struct hr_option *option, const char *text, struct hr_value *out, char *err, size_t err_size);
/* The preset, parsed; HR_EINVAL if the table is wrong. No preset: a value that is empty. */
int config_preset(const struct hr_option *option, struct hr_value *out, char *err, size_t err_size);
void config_duration(char *out, size_t size, int64_t ms); /* as it is written in a file: "90m" */
void config_value_clear(struct hr_value *value);
size_t config_option_count(const struct hr_option *options);
/* All values of one section; faults are told. `what` names the section in them. */
void config_values(struct config_file *file, cfg_t *section, const struct hr_option *options, const char *what,
                   struct hr_value *values, int *lines);

/* ---- config_host.c, config_plugin.c, config_check.c, config_route.c ---- */

extern const struct config_part config_host_part; /* hashroom.conf */
void config_read_host(struct config *config);
void config_read_plugins(struct config *config, config_find_fn *find, void *arg);
void config_check(struct config *config);
/* ---- config_pages.c ---- */
extern const struct hr_option config_pages_options[];
void config_read_pages(struct config *config, struct config_file *file); /* file->root NULL: none */

void config_routes(struct config *config, struct config_chat *chat, cfg_t *section, struct config_file *file);
#endif
