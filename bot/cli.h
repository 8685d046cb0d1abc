/* SPDX-License-Identifier: MIT */
/*
 * The commands of the program. One table (main.c) drives --help and the man
 * page; each command has its own file, cli_NAME.c.
 */
#ifndef HASHROOM_CLI_H
#define HASHROOM_CLI_H
#include "app.h"
#include "config.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_WRONG = 2 /* configuration or usage */ };

struct cli {
    char *exe_dir;          /* folder of the program, "" if unknown */
    const char *config_dir; /* -c, else $HASHROOM_CONFIG, else /etc/hashroom */
    int argc;               /* words after the command, options among them */
    char **argv;
    char **whole_argv;  /* as the program was started: SIGHUP starts it so again */
    char **plugin_path; /* owned: outlives struct plugins */
};

struct cli_command {
    const char *name, *usage, *help;
    int (*run)(struct cli *cli); /* exit code */
};
const struct cli_command *cli_commands(void); /* ends in a zero entry */

/* Takes `--name VALUE` out of the words. NULL: not given. A value that is missing: told, *wrong is set. */
const char *cli_option(struct cli *cli, const char *name, bool *wrong);
bool cli_flag(struct cli *cli, const char *name); /* takes out `--name` */
/* True if at most `most` words are left and none is an option; else told. */
bool cli_no_more(const struct cli *cli, int most);
int cli_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* says it on stderr; CLI_WRONG */

/* Loop, clock, plugins and configuration of `app`, no store. Problems are
 * printed, CLI_WRONG is returned; cli_close() is due in any case. */
int cli_open(struct cli *cli, struct app *app);
void cli_close(struct app *app);
/* Reads the configuration anew, problems go to `log` only; true if all is well. */
bool cli_config_is_well(struct cli *cli, struct app *app);
/* The loader alone: plugins of the default path, or of the configuration if it can be read. */
void cli_open_plugins(struct cli *cli, struct app *app);
/* DIR/NAME of the installed data, or of the source tree if the program runs from it; caller frees; NULL: not there. */
char *cli_data(const struct cli *cli, const char *installed, const char *source);

bool cli_has_plugin(const struct cli *cli, const char *name); /* in the path that holds without a configuration */
/* A new folder for one command; removed with all in it. Caller frees the path; NULL: told. */
char *cli_temp_make(void);
void cli_temp_remove(char *dir); /* also frees; NULL is fine */
/* The database of a state folder into a new file, also while the bot runs. On
 * failure told, and nothing is left. HR_EFAIL. */
int cli_copy_database(const char *state_dir, const char *file);
/* Leaves in the configuration only the plugins that `keep` wants. */
void cli_keep_plugins(struct config *config, bool (*keep)(const struct config_plugin *plugin, const void *arg),
                      const void *arg);

int cli_man(struct cli *cli);
int cli_tool(struct cli *cli, const char *name); /* a tool of a plugin, in the running bot */
void cli_each_tool(struct cli *cli, void (*fn)(const struct hr_plugin *plugin, const struct hr_tool *tool));
int cli_run(struct cli *cli); /* run.c */
int cli_check(struct cli *cli);
int cli_doctor(struct cli *cli);
int cli_status(struct cli *cli);
int cli_plugins(struct cli *cli);
int cli_example(struct cli *cli);
int cli_rehearse(struct cli *cli);
int cli_export(struct cli *cli);
int cli_backup(struct cli *cli);
int cli_new_key(struct cli *cli);
int cli_new_plugin(struct cli *cli);
#endif
